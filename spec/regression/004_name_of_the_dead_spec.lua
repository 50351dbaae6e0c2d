-- Asked by its registered name, a process that had failed was "done".
local md = require "moondial"

describe("the status of a failed process", function()
  it("is the same by pid and by name", function()
    local sim = md.sim { on_error = "isolate" }
    local pid = sim:spawn(function()
      md.sleep(1)
      md.exit "reason"
    end)
    sim:register("name", pid)
    sim:run()
    assert.equal("failed", sim:status(pid))
    assert.equal("failed", sim:status "name")
    assert.equal("failed", sim:info("name").status)
    assert.equal(pid, sim:info("name").pid)
  end)
end)
