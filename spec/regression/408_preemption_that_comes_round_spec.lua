-- Units taken from somebody came back, by what he gave up, to who was being
-- served; and a process that ended was preempted of what it gave back.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a preemption", function()
  it("of a unit of one's own takes it, and says nothing", function()
    assert.same(
      { "1 2 false true", "3 0" },
      story(function(say)
        local r = md.resource { capacity = 2, preemptive = true }
        md.spawn(function()
          local other <close> = r:acquire { priority = 0 }
          md.sleep(1)
          return other
        end)
        md.yield()
        local own = r:acquire { priority = 5 }
        local both <close> = r:acquire { priority = 1, n = 2 }
        say(r.used, own.held, both.held)
        md.sleep(2)
        both:release()
        say(r.used)
      end)
    )
  end)

  it("is not of what its holder gives back at its end", function()
    local told, sim = story(function(say)
      local r = md.resource { capacity = 2, preemptive = true }
      md.spawn(function()
        r:acquire { priority = 5 }
        r:acquire { priority = 0 }
        md.sleep(1)
      end)
      md.yield()
      local _ <close> = r:acquire { priority = 1, n = 2 }
      say(r.used, r.preempted)
    end)
    assert.same({ "1 2 0" }, told)
    for s in sim:pull() do
      assert.not_equal("INTERRUPT", s.kind)
    end
  end)

  it("that goes in a circle leaves no unit behind", function()
    local told = story(function(say)
      local r = md.resource { preemptive = true }
      local s = md.resource { preemptive = true }
      md.spawn({ name = "a" }, function()
        s:acquire { priority = 5 }
        pcall(md.sleep, 1)
        say("a", pcall(r.acquire, r, { priority = 1 }))
        say("a", pcall(md.sleep, 1))
      end)
      md.spawn({ name = "b" }, function()
        r:acquire { priority = 5 }
        say("b", (pcall(s.acquire, s, { priority = 6 })))
      end)
      md.spawn({ name = "c", after = 0.5 }, function()
        say("c", s:acquire({ priority = 3, timeout = 4 }).held)
      end)
      md.sleep(3)
      say(r.used, s.used)
    end)
    assert.equal("3 0 0", told[#told])
  end)
end)
