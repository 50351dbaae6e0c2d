-- Who arrived twice in one any completed the round while the await was being
-- built, and what was not there yet was given up.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a process that arrives twice at a barrier", function()
  it("may complete its round", function()
    assert.same(
      { "0 1 1", "0 0" },
      story(function(say)
        local b = md.barrier(2)
        say(md.await(md.any { b:arriving(), b:arriving() }))
        say(b.arrived)
      end)
    )
  end)

  it("leaves nobody a round that is half over", function()
    assert.same(
      { "1 3", "1 1 1", "1 0", "2 nil timeout" },
      story(function(say)
        local b = md.barrier(3)
        md.spawn(function()
          say(md.await(md.any { b:arriving(), b:arriving() }))
          say(b.arrived)
          md.sleep(1)
        end)
        md.sleep(1)
        say(b:arrive())
        md.sleep(1)
        say(b:arrive(0))
      end)
    )
  end)

  it("builds no more of what is over", function()
    assert.same(
      { "0 1 1 1", "0 0 0" },
      story(function(say)
        local b, s = md.barrier(2), md.store()
        local inner = md.all { b:arriving(), s:getting() }
        say(md.await(md.any { md.any { b:arriving(), inner }, md.timer(3) }))
        say(b.arrived, s.getting_length)
      end)
    )
  end)
end)
