-- Of an any that had been granted, an interrupt gave up the place that a loser
-- had had: another process waited there by then, and the grant was lost.
local md = require "moondial"
local story = require("spec.host.support").story

describe("an any that is broken off when it is granted", function()
  it("gives back what it has, and nobody else's place", function()
    local told = story(function(say)
      local s, r = md.store(), md.mutex()
      local held, first = r:acquire(), nil
      md.spawn({ at = 5 }, held.release, held)
      md.spawn({ at = 5 }, function()
        say("other has", s:get())
      end)
      md.spawn({ at = 5 }, function()
        md.interrupt(first, "now")
      end)
      first = md.spawn(function()
        say(pcall(md.await, md.any { s:getting(), r:acquiring() }))
      end)
      md.sleep(6)
      say(r.used)
      s:put "tea"
    end)
    assert.matches("^5 false .*interrupted: 'now'$", told[1])
    assert.same({ "6 0", "6 other has tea" }, { told[2], told[3] })
  end)
end)
