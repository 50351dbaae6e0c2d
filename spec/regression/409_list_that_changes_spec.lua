-- any and all kept the list that they were given, and met what was put into it
-- later, unchecked.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a list that any was given", function()
  it("may change without it", function()
    assert.same(
      { "1 1" },
      story(function(say)
        local list = { md.timer(1) }
        local any = md.any(list)
        list[1], list[2] = "no", any
        say(md.await(any))
      end)
    )
  end)
end)
