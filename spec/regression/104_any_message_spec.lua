-- A process that waits for any message was said to wait for nothing at all.
local md = require "moondial"

describe("a process that waits for any message", function()
  it("says so", function()
    local sim = md.sim()
    local pid = sim:spawn(md.wait)
    sim:run()
    assert.equal("any message", sim:waiting()[1].waiting)
    assert.equal("any message", sim:info(pid).waiting)
  end)
end)
