-- After a time limit had ended a wait, an interrupt did not reach the process
-- in its next wait without a deadline.
local md = require "moondial"

describe("an interrupt", function()
  it("reaches a wait that follows a time limit", function()
    local sim, problem, at = md.sim {}, nil, nil
    local pid = sim:spawn(function()
      assert(not pcall(md.timeout, 1, md.sleep, 5))
      problem = select(2, pcall(md.wait))
      at = md.now()
    end)
    sim:at(3, md.interrupt, pid, "enough")
    assert.equal("done", (sim:run()))
    assert.equal("interrupt", problem.kind)
    assert.equal(3, at)
  end)
end)
