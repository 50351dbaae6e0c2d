-- Flags: what changes again and again, and who waits for which change.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a flag", function()
  it("is awaited for a change of either kind (3.14)", function()
    assert.same(
      { "1 true", "2 false", "4 true" },
      story(function(say)
        local f = md.flag()
        md.spawn(function()
          for _ = 1, 3 do
            say(md.await(f))
          end
        end)
        md.sleep(1)
        f:set()
        md.sleep(1)
        f:clear()
        md.sleep(1)
        f:clear()
        md.sleep(1)
        f:toggle()
      end)
    )
  end)

  it("is awaited until it is so, at once if it is (3.14)", function()
    assert.same(
      { "0 no false", "2 yes true", "2 again true", "3 no false" },
      story(function(say)
        local f = md.flag()
        md.spawn(function()
          say("no", md.await(f:is(false)))
          say("yes", md.await(f:is(true)))
          say("again", md.await(f:is()))
          say("no", md.await(f:is(false)))
        end)
        md.sleep(2)
        f:set()
        md.sleep(1)
        f:set(false)
      end)
    )
  end)

  it("that changes and changes back in an instant is seen (3.14)", function()
    assert.same(
      { "1 false", "1 change true", "1 set true", "1 now false" },
      story(function(say)
        local f = md.flag()
        md.spawn(function()
          say("change", md.await(f))
        end)
        md.spawn(function()
          say("set", md.await(f:is(true)))
          say("now", f.value)
        end)
        md.spawn(function()
          md.await(f:is(true) & f:is(false))
        end)
        md.sleep(1)
        f:set():clear()
        say(f.value)
      end)
    )
  end)

  it("is not seen by who comes behind the change", function()
    assert.same(
      { "1 nil timeout" },
      story(function(say)
        local f = md.flag():toggle():toggle()
        say(md.await(f, 1))
      end)
    )
  end)

  it("begins as it is said, and has a value", function()
    assert.same(
      { false, true, false },
      { md.flag().value, md.flag(true).value, md.flag(true):clear().value }
    )
  end)

  it("wakes all who wait in the order in which they came", function()
    assert.same(
      { "1 1", "1 2", "1 3" },
      story(function(say)
        local f = md.flag()
        for i = 1, 3 do
          md.spawn(function()
            md.await(f)
            say(i)
          end)
        end
        md.sleep(1)
        f:set()
      end)
    )
  end)
end)
