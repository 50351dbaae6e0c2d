-- A process that waits for messages while a time is not over, and for what is
-- left of it at most, waited for less than half a tick at the end: that was no
-- wait at all, and the loop went round for ever, seen by nobody.
local md = require "moondial"

local function stuck(wait)
  local sim = md.sim { zeno = 1000 }
  sim:spawn({ name = "waiter" }, function()
    local till = 1.0000000004
    while md.now() < till do
      wait(till - md.now())
    end
  end)
  local ok, err = pcall(sim.run, sim)
  assert.is_false(ok)
  assert.matches("too many events at the time 1 and no end", err.message)
  assert.matches("busiest of the last events: 'waiter'", err.message)
end

describe("a limit of less than half a tick", function()
  it("is a turn that the run sees: receive", function()
    stuck(function(d)
      md.receive { { "x" }, after = { d } }
    end)
  end)

  it("is a turn that the run sees: wait_timeout", function()
    stuck(function(d)
      pcall(md.wait_timeout, d, "x")
    end)
  end)

  it("gives others their turn, and 0 does not", function()
    local said = {}
    md.spawn(function()
      md.receive { { "x" }, after = { 0 } }
      pcall(md.wait_timeout, 0, "x")
      said[#said + 1] = "looked"
      md.receive { { "x" }, after = { 1e-10 } }
      said[#said + 1] = "waited"
    end)
    md.spawn(function()
      said[#said + 1] = "other"
    end)
    md.run()
    assert.same({ "looked", "other", "waited" }, said)
    assert.equal(0.0, md.now())
  end)
end)
