-- Periodic loops.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

describe("every", function()
  it("has its first turn one period from now", function()
    assert.same(
      { "5 5", "7 7", "9 9" },
      story(function(say)
        md.sleep(3)
        for t in md.every(2, { count = 3 }) do
          say(t)
        end
      end)
    )
  end)

  it("begins at start, also at the present time", function()
    assert.same(
      { "1 1", "3 3", "3 3", "13 13" },
      story(function(say)
        md.sleep(1)
        for t in md.every(2, { start = 1, count = 2 }) do
          say(t)
        end
        for t in md.every(10, { start = md.now(), count = 2 }) do
          say(t)
        end
      end)
    )
  end)

  it("of a count of 0 has no turn", function()
    assert.same(
      { "0 after" },
      story(function(say)
        for _ in md.every(1, { count = 0 }) do
          say "never"
        end
        say "after"
      end)
    )
  end)

  it("runs a late turn at once and skips none", function()
    assert.same(
      { "1 1", "6 2", "6 3", "6 4", "6 5", "6 6", "7 7" },
      story(function(say)
        for t in md.every(1, { count = 7 }) do
          say(t)
          if t == 1 then
            md.sleep(5)
          end
        end
      end)
    )
  end)

  it("keeps its turns however long the body takes (3.9)", function()
    story(function()
      local turn = 0
      for t in md.every(10, { count = 1000 }) do
        turn = turn + 1
        assert.equal(turn * 10, t)
        assert.equal(turn * 10, md.now())
        md.sleep(turn % 10)
      end
    end)
  end)

  it("does not drift in 100 000 turns of 1/3 (3.9)", function()
    for _, precision in ipairs { 9, 3, 0 } do
      story({ precision = precision }, function()
        local turn, step = 0, 10 ^ -precision
        local start = 0
        for t in md.every(4 / 3, { start = start, count = 100000 }) do
          assert.is_true(math.abs(t - turn * 4 / 3) <= 0.51 * step)
          assert.equal(t, md.now())
          turn = turn + 1
        end
        assert.equal(133332, md.now())
      end)
    end
  end)

  it("has turns of 0.1 at exact tenths (3.9)", function()
    story(function()
      local turn = 0
      for t in md.every(0.1, { count = 100000 }) do
        turn = turn + 1
        assert.equal(turn / 10, t)
      end
      assert.equal(10000, md.now())
    end)
  end)

  it("may be broken off, and interrupted between two turns", function()
    assert.same(
      { "1 1", "1.5 cause", "2 2" },
      story(function(say)
        local me = md.self()
        md.spawn(function()
          md.sleep(1.5)
          md.interrupt(me, "cause")
        end)
        local next_turn = md.every(1)
        say(next_turn())
        local ok, err = pcall(next_turn)
        assert.is_false(ok)
        say(err.cause)
        say(next_turn())
      end)
    )
  end)

  it("of several in one process goes on by itself", function()
    assert.same(
      { "2 2", "3 3", "4 4", "6 6" },
      story(function(say)
        local two, three = md.every(2), md.every(3)
        say(two())
        say(three())
        say(two())
        say(three())
      end)
    )
  end)

  it("gives integers at precision 0", function()
    story({ precision = 0 }, function()
      for t in md.every(5, { count = 3 }) do
        assert.equal("integer", math.type(t))
      end
    end)
  end)

  it("refuses a period of no tick, and options it does not know", function()
    local function refused(pattern, ...)
      local ok, err = pcall(md.every, ...)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches(pattern, err.message)
    end
    story(function()
      refused("period of at least one tick, got 0", 0)
      refused("period of at least one tick", 1e-10)
      refused("did you mean 'count'", 1, { cuont = 3 })
      refused("integer of at least 0 as count", 1, { count = -1 })
      refused("integer of at least 0 as count", 1, { count = 1.5 })
      refused("expected {start=, count=}", 1, 5)
      md.sleep(2)
      refused("in the past", 1, { start = 1 })
    end)
  end)

  it("says that the clock ends before its next turn", function()
    story({ precision = 0 }, function()
      local next_turn = md.every(math.maxinteger // 2)
      next_turn()
      next_turn()
      local ok, err = pcall(next_turn)
      assert.is_false(ok)
      assert.matches("past the end of the clock", err.message)
    end)
  end)
end)
