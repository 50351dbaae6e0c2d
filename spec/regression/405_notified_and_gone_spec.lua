-- A notification was lost with the process that did not come to its turn;
-- notify walked on from a place that was no more; predicates were tested when
-- somebody else gave up; and a predicate came out of an any as its value.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a condition", function()
  it("is left to the next who waited by then, by who is gone", function()
    assert.same(
      { "1 1", "1 second true", "6 late nil timeout" },
      story(function(say)
        local c = md.condition()
        local first = md.spawn(c.wait, c)
        md.spawn(function()
          say("second", c:wait())
        end)
        md.sleep(1)
        say(c:notify())
        md.kill(first)
        say("late", c:wait(5))
      end)
    )
  end)

  it("that was told to all is not told again", function()
    local told = story(function(say)
      local c = md.condition()
      local first = md.spawn(c.wait, c)
      md.sleep(1)
      md.spawn(function()
        say("late", c:wait(5))
      end)
      md.spawn(function()
        md.kill(first)
      end)
      say(c:notify_all())
    end)
    assert.same({ "1 1", "6 late nil timeout" }, told)
  end)

  it("has two places in one await, and others behind", function()
    assert.same(
      { "1 3", "1 1 true", "1 true" },
      story(function(say)
        local c = md.condition()
        md.spawn(function()
          say(md.await(md.any { c:waiting(), c:waiting(), c:waiting() }))
        end)
        md.spawn(function()
          say(c:wait())
        end)
        md.sleep(1)
        local woken = c:notify_all()
        say(woken + 1)
      end)
    )
  end)

  it("tests predicates when it is notified, not when one gives up", function()
    assert.same(
      { "2 nil timeout", "3 1", "3 true" },
      story(function(say)
        local c, open = md.condition(), false
        md.spawn(function()
          say(c:wait(function()
            return open
          end))
        end)
        md.spawn(function()
          say(c:wait(2))
        end)
        md.sleep(1)
        open = true
        md.sleep(2)
        say(c:notify())
      end)
    )
  end)

  it("gives true in an any, also with a predicate", function()
    assert.same(
      { "1 1 true" },
      story(function(say)
        local c, open = md.condition(), false
        md.spawn(function()
          say(md.await(md.any {
            c:waiting(function()
              return open
            end),
          }))
        end)
        md.sleep(1)
        open = true
        c:notify()
      end)
    )
  end)
end)
