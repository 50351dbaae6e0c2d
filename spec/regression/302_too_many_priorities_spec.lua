-- The 257th priority at one time was said to be a want of memory.
local md = require "moondial"

describe("spawn", function()
  it("says that there are too many priorities", function()
    local s = md.sim()
    local ok, err
    for i = 1, 300 do
      ok, err = pcall(s.spawn, s, { priority = i }, function() end)
      if not ok then
        break
      end
    end
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    assert.matches(
      "spawn: there are 256 different priorities already",
      err.message,
      1,
      true
    )
    assert.same({ "done", 0.0 }, { s:run() })
  end)
end)
