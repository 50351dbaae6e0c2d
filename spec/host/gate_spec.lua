-- Barriers and conditions.
local md = require "moondial"
local story = require("spec.host.support").story

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("gate_spec.lua:%d+: " .. pattern, err.message)
end

describe("a barrier (1.11)", function()
  it("lets all go when the last has come, in rounds", function()
    local told = story(function(say)
      local b = md.barrier(3)
      for i = 1, 3 do
        md.spawn(function()
          for round = 1, 3 do
            md.sleep(i)
            say(round, i, b:arrive())
          end
        end)
      end
    end)
    for round = 1, 3 do
      local lines = { table.unpack(told, round * 3 - 2, round * 3) }
      table.sort(lines)
      assert.same({
        ("%d %d 1 1"):format(round * 3, round),
        ("%d %d 2 2"):format(round * 3, round),
        ("%d %d 3 3"):format(round * 3, round),
      }, lines)
    end
  end)

  it("has not seen who gave up", function()
    assert.same(
      { "1 nil timeout", "1 0 2", "2 2" },
      story(function(say)
        local b = md.barrier(2)
        say(b:arrive(1))
        say(b.arrived, b.n)
        md.after(1, function()
          md.spawn(b.arrive, b)
        end)
        b:arrive()
        md.yield()
        say(b.n)
      end)
    )
  end)

  it("of one is no obstacle", function()
    assert.same(
      { "0 1" },
      story(function(say)
        say(md.barrier(1):arrive())
      end)
    )
  end)

  it("refuses what is no number", function()
    refused(
      "barrier: expected an integer of at least 1, got 0; md.barrier%(3%)",
      md.barrier,
      0
    )
    refused("barrier: expected an integer of at least 1, got no", md.barrier)
  end)
end)

describe("a condition (1.11)", function()
  it("lets one go, so many, or all, in line", function()
    assert.same(
      { "1 1", "1 1", "2 2", "2 2", "2 3", "3 2", "3 4", "3 5", "4 0" },
      story(function(say)
        local c = md.condition()
        for i = 1, 5 do
          md.spawn(function()
            c:wait()
            say(i)
          end)
        end
        md.sleep(1)
        say(c:notify())
        md.sleep(1)
        say(c:notify(2))
        md.sleep(1)
        say(c:notify_all())
        md.sleep(1)
        say((c:notify()))
      end)
    )
  end)

  it("tests a predicate at first, and at each notify", function()
    assert.same(
      { "0 true", "1 0", "2 1", "2 three true", "3 nil timeout" },
      story(function(say)
        local c, n = md.condition(), 1
        local function least(k)
          return function()
            return n >= k
          end
        end
        say(c:wait(least(1)))
        md.spawn(function()
          say("three", c:wait(least(3)))
        end)
        md.sleep(1)
        n = 2
        say(c:notify_all())
        md.sleep(1)
        n = 3
        say(c:notify_all())
        say(c:wait(1))
      end)
    )
  end)

  it("notifies none whose predicate does not hold", function()
    assert.same(
      { "0 1", "0 second" },
      story(function(say)
        local c = md.condition()
        local pid = md.spawn(c.wait, c, function()
          return false
        end)
        md.spawn(function()
          c:wait()
          say "second"
        end)
        md.yield()
        say(c:notify())
        md.yield()
        md.kill(pid)
      end)
    )
  end)

  it("refuses what is wrong", function()
    local c = md.condition()
    refused(
      "notify: expected an integer of at least 0, got %-1",
      c.notify,
      c,
      -1
    )
    refused(
      "notify: expected an integer of at least 0, got '1'",
      c.notify,
      c,
      "1"
    )
    refused("wait: expected a predicate, a function, got 'x'", c.wait, c, "x")
    refused(
      "notify: expected a condition before the arguments, got nothing",
      c.notify
    )
  end)
end)
