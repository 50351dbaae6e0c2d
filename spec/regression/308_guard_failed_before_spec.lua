-- A guard failed on behalf of one process, and the next message for another,
-- which slept, woke that before its time.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a message to one that does not wait", function()
  it("leaves it asleep after a guard has failed for another", function()
    local told = story(function(say)
      local picky = md.spawn(function()
        say(pcall(
          md.wait,
          md.where(function(x)
            return x.field
          end)
        ) and "taken" or "failed")
      end)
      local sleeper = md.spawn(function()
        md.sleep(5)
        say(md.wait())
      end)
      md.sleep(1)
      md.send(picky, 7)
      md.send(sleeper, "later")
    end)
    assert.same({ "1 failed", "5 later" }, told)
  end)
end)
