-- Every function of md is a method of a sim, but these took the sim for their
-- first argument: bind made a pattern of it, which no message matches.
local md = require "moondial"

describe("as methods of a sim", function()
  local sim = md.sim()

  it("message, protocol, where and bind are what they are in md", function()
    local Ping = sim:message("ping", { n = md.is.integer })
    local takes = sim:protocol { Ping, stop = {} }
    local even = sim:where(function(n)
      return n % 2 == 0
    end)
    local said
    local pid = sim:spawn(function()
      said = { md.wait(Ping).n, md.wait(sim:bind "even", even) }
    end)
    sim:send(pid, Ping { n = 3 })
    sim:send(pid, "even", 3)
    sim:send(pid, "even", 4)
    sim:run()
    assert.same({ 3, "even", 4 }, said)
    assert.is_truthy(takes)
  end)

  it("failure makes an error, and says what it expects", function()
    assert.equal("closed", sim:failure("closed", "at night").kind)
    local ok, err = pcall(md.failure, "closed")
    assert.is_false(ok)
    assert.matches("failure: expected a string as argument 2, got", err.message)
  end)
end)
