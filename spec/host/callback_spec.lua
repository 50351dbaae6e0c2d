-- Plain functions that run at a time.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

describe("a callback", function()
  it("runs at its time with its arguments, nils included (2.3)", function()
    assert.same(
      { "1 a nil 3", "2 b" },
      story(function(say)
        md.after(2, say, "b")
        md.at(1, say, "a", nil, 3)
      end)
    )
  end)

  it("runs in the order of its making at equal times", function()
    assert.same(
      { "1 a", "1 b", "1 c", "1 d" },
      story(function(say)
        md.at(1, say, "a")
        md.after(1, say, "b")
        md.spawn({ at = 1 }, say, "c")
        md.at(1, say, "d")
      end)
    )
  end)

  it("may be any value that can be called", function()
    local called = setmetatable({}, {
      __call = function(_, say, what)
        say(what)
      end,
    })
    assert.same(
      { "1 yes" },
      story(function(say)
        md.at(1, called, say, "yes")
      end)
    )
  end)

  it("may make processes and callbacks, and send", function()
    assert.same(
      { "1 hello", "1 child", "2 again" },
      story(function(say)
        local me = md.self()
        md.at(1, function()
          md.send(me, "hello")
          md.spawn(say, "child")
          md.after(1, say, "again")
        end)
        say(md.wait())
      end)
    )
  end)

  it("cannot block, and has no pid", function()
    story(function()
      md.at(1, function()
        local ok, err = pcall(md.sleep, 1)
        assert.is_false(ok)
        assert.matches("sleep blocks, and a callback cannot", err.message)
        ok, err = pcall(md.self)
        assert.is_false(ok)
        assert.matches("no process", err.message)
        assert.is_false(pcall(md.exit))
      end)
    end)
  end)

  it("that fails ends the run with its error", function()
    local sim = md.sim()
    local object = {}
    sim:at(1, error, object)
    sim:at(2, print, "not yet")
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok)
    assert.equal(object, err)
    assert.equal(1, sim:now())
  end)

  it("is cancelled once, before it has run", function()
    assert.same(
      { "2 end" },
      story(function(say)
        local timer = md.at(1, say, "never")
        local soon = md.after(0, function() end)
        md.sleep(0.5)
        assert.is_true(timer:cancel())
        assert.is_false(timer:cancel())
        assert.is_false(soon:cancel())
        md.sleep_until(2)
        assert.is_false(timer:cancel())
        say "end"
      end)
    )
  end)

  it("is cancelled at its very time by one that is due before", function()
    assert.same(
      { "1 first" },
      story(function(say)
        local second
        md.at(1, function()
          say "first"
          assert.is_true(second:cancel())
        end)
        second = md.at(1, say, "second")
      end)
    )
  end)

  it("cannot cancel itself: it has run", function()
    story(function()
      local timer
      timer = md.at(1, function()
        assert.is_false(timer:cancel())
      end)
    end)
  end)

  it("leaves nothing to run when all are cancelled", function()
    local sim = md.sim()
    local timers = {}
    for i = 1, 1000 do
      timers[i] = sim:at(i, error, "never")
    end
    for i = 1000, 1, -1 do
      timers[i]:cancel()
    end
    assert.is_nil(sim:peek())
    assert.same({ "done", 0.0 }, { sim:run() })
  end)
end)
