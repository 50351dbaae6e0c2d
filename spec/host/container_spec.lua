-- Containers of an amount.
local md = require "moondial"
local story = require("spec.host.support").story

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("container_spec.lua:%d+: " .. pattern, err.message)
end

describe("a container (1.11)", function()
  it("gives an amount when it has it, in the order of asking", function()
    assert.same(
      { "3 first 30", "3 second 1", "3 0" },
      story(function(say)
        local c = md.container { capacity = 50, level = 10 }
        md.spawn(function()
          say("first", c:get(30))
        end)
        md.spawn(function()
          say("second", c:get(1))
        end)
        md.yield()
        assert.equal(2, c.getting_length)
        for _ = 1, 3 do
          md.sleep(1)
          c:put(7)
        end
        md.yield()
        md.yield()
        say(c.level)
      end)
    )
  end)

  it("has who puts wait for room", function()
    assert.same(
      { "1 nil timeout", "1 4", "2 put 3", "2 5" },
      story(function(say)
        local c = md.container { capacity = 5, level = 4 }
        say(c:put(3, 1))
        say(c.level)
        md.spawn(function()
          say("put", c:put(3))
        end)
        md.sleep(1)
        c:get(2)
        md.yield()
        say(c.level)
      end)
    )
  end)

  it("has a level over time", function()
    story(function()
      local c = md.container { level = 3 }
      md.sleep(1)
      c:get(3)
      md.sleep(2)
      assert.near(1, c.mean_level, 1e-12)
      assert.equal(math.huge, c.capacity)
    end)
  end)

  it("keeps no figures if nobody observes", function()
    story(function()
      local c = md.container { level = 5, observe = false }
      c:get(2)
      md.sleep(1)
      assert.same({ 3.0, 0, 0, 0 }, {
        c.level,
        c.served,
        c.mean_level,
        c.max_level,
      })
    end)
  end)

  it("refuses what is wrong, at the caller", function()
    refused(
      "container: expected a number from 0 to the capacity as level, got 3",
      md.container,
      { capacity = 2, level = 3 }
    )
    refused(
      "container: expected a number from 0 on as capacity, got 'x'",
      md.container,
      { capacity = "x" }
    )
    refused(
      "container: there is no option 'lvel'; did you mean 'level'",
      md.container,
      { lvel = 1 }
    )
    story(function()
      local c = md.container { capacity = 2 }
      refused("get: expected a finite amount above 0, got 0", c.get, c, 0)
      refused("put: expected a finite amount above 0, got nothing", c.put, c)
      refused(
        "put: expected an amount up to the capacity 2.0, got 3.0, which",
        c.put,
        c,
        3
      )
      refused("get: expected a container before the arguments, got 3", c.get, 3)
    end)
  end)
end)
