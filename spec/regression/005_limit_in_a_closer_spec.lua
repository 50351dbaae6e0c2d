-- A time limit that was set by a closer, while its process was killed or an
-- outer limit was over, never ended anything.
local md = require "moondial"

local function limited()
  return setmetatable({}, {
    __close = function()
      local ok, err = pcall(md.timeout, 1, md.sleep, 10)
      assert.is_false(ok)
      assert.equal("timeout", err.kind)
    end,
  })
end

describe("a time limit in a closer", function()
  it("ends what it bounds while its process is killed", function()
    local sim = md.sim()
    local pid = sim:spawn(function()
      local _ <close> = limited()
      md.sleep(50)
    end)
    sim:at(1, md.kill, pid, "why")
    assert.same({ "done", 2.0 }, { sim:run() })
    assert.equal("failed", sim:status(pid))
    local _, err = pcall(sim.join, sim, pid)
    assert.equal("why", err.reason)
  end)

  it("ends what it bounds while an outer limit unwinds", function()
    local sim, err = md.sim(), nil
    sim:spawn(function()
      err = select(
        2,
        pcall(md.timeout, 3, function()
          local _ <close> = limited()
          md.sleep(50)
        end)
      )
      assert.equal(4, md.now())
      md.sleep(1)
    end)
    assert.same({ "done", 5.0 }, { sim:run() })
    assert.equal("timeout", err.kind)
  end)
end)
