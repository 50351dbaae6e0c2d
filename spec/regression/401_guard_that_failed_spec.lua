-- A guard that failed for one process must not wake another, nor one that runs.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a guard that has failed on behalf of a process", function()
  it("concerns nobody else", function()
    local told = story(function(say)
      local function fails(x)
        return x.field
      end
      local waiter = md.spawn({ inbox = 1, on_full = "drop" }, function()
        say(pcall(md.wait, md.where(fails), 1) and "matched" or "failed")
      end)
      md.sleep(1)
      md.send(waiter, 5, 1) -- its guard fails here
      md.send(md.self(), "to myself")
      say(md.wait())
    end)
    assert.same({ "1 to myself", "1 failed" }, told)
  end)
end)
