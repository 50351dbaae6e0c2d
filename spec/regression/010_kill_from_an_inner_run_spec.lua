-- A process that ran another sim, and was killed from in there, went on alive
-- though it counted as dead.
local md = require "moondial"

describe("a process that runs another sim", function()
  it("is not killed from in there, but may be interrupted", function()
    local outer, inner = md.sim(), md.sim()
    local ok, err, later
    local pid = outer:spawn(function()
      assert.same({ "stopped", 0.0 }, { inner:run() })
      later = select(2, pcall(md.sleep, 5))
    end)
    inner:spawn(function()
      ok, err = pcall(outer.kill, outer, pid)
      assert.is_true(outer:interrupt(pid, "later"))
      md.stop()
    end)
    assert.same({ "done", 0.0 }, { outer:run() })
    assert.is_false(ok)
    assert.matches("running the sim that this is in", err.message)
    assert.equal("later", later.cause)
    assert.equal("done", outer:status(pid))
  end)
end)
