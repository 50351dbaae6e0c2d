-- A function of an any that brought about what it lost to was killed while it
-- ran, which only a process that waits can be.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

describe("a function of an any that lets another win", function()
  it("is killed where it blocks next", function()
    assert.same(
      { "0 still here", "0 2 won", "0 closed" },
      story(function(say)
        local e = md.event()
        say(md.await(md.any {
          function()
            local _ <close> = closer(say, "closed")
            e:succeed "won"
            say "still here"
            md.sleep(1)
            say "never"
          end,
          e,
        }))
      end)
    )
  end)

  it("may end by itself first", function()
    assert.same(
      { "0 2 won" },
      story(function(say)
        local e = md.event()
        say(md.await(md.any {
          function()
            e:succeed "won"
          end,
          e,
        }))
      end)
    )
  end)
end)
