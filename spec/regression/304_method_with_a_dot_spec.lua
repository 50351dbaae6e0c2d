-- s.spawn(f), with a dot, spawned into the default sim and said nothing.
local md = require "moondial"

describe("a method of a sim", function()
  it("called with a dot is an error", function()
    local s = md.sim()
    local ok, err = pcall(s.spawn, function() end)
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    assert.matches(
      "spawn: expected the sim before the arguments, got a function; write "
        .. "sim:spawn(...), with a colon",
      err.message,
      1,
      true
    )
  end)

  it("may be a process's body, as md's functions are", function()
    local s = md.sim()
    s:spawn(s.sleep, 9)
    assert.same({ "done", 9.0 }, { s:run() })
  end)
end)
