-- Stores of items, and containers of an amount.
local md = require "moondial"
local story = require("spec.host.support").story

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("store_spec.lua:%d+: " .. pattern, err.message)
end

local function all(s)
  local list = {}
  while s.count > 0 do
    list[#list + 1] = s:get()
  end
  return list
end

describe("a store (1.11)", function()
  it("gives what was put, in its order", function()
    local function less(a, b)
      return a % 10 < b % 10
    end
    local orders = {
      { nil, { 31, 12, 22, 11, 2 } },
      { "fifo", { 31, 12, 22, 11, 2 } },
      { "lifo", { 2, 11, 22, 12, 31 } },
      { "priority", { 2, 11, 12, 22, 31 } },
      { less, { 31, 11, 12, 22, 2 } }, -- equals as they came
    }
    for _, o in ipairs(orders) do
      story(function()
        local s = md.store { order = o[1] }
        for _, item in ipairs { 31, 12, 22, 11, 2 } do
          assert.is_true(s:put(item))
        end
        assert.equal(5, s.count)
        assert.same(o[2], all(s))
      end)
    end
  end)

  it("by priority takes tables with a priority, equals as they came", function()
    story(function()
      local s = md.store { order = "priority" }
      for i, p in ipairs { 2, 1, 2, 1 } do
        s:put { i, priority = p }
      end
      local list = {}
      for i, item in ipairs(all(s)) do
        list[i] = item[1]
      end
      assert.same({ 2, 4, 1, 3 }, list)
      refused(
        "put: a store by priority takes numbers, or tables with",
        s.put,
        s,
        "x"
      )
    end)
  end)

  it("has who gets wait, and who puts while it is full, in line", function()
    assert.same(
      { "0.1 put a", "2 got a", "2 put b", "4 got b", "4 put c", "6 got c" },
      story(function(say)
        local s = md.store { capacity = 1 }
        for i, item in ipairs { "a", "b", "c" } do
          md.spawn({ after = i / 10 }, function()
            assert.is_true(s:put(item))
            say("put", item)
          end)
        end
        for _ = 1, 3 do
          md.sleep(2)
          local item = s:get()
          say("got", item)
          md.yield()
        end
      end)
    )
  end)

  it("gives what a predicate wants, and keeps no other waiting", function()
    assert.same(
      { "1 any 1", "2 even 2", "3 big 12", "3 1" },
      story(function(say)
        local s = md.store()
        local function want(name, predicate)
          md.spawn(function()
            say(name, s:get(predicate))
          end)
          md.yield()
        end
        want("big", function(x)
          return x > 10
        end)
        want("even", function(x)
          return x % 2 == 0
        end)
        want "any"
        for _, x in ipairs { 1, 2, 12 } do
          md.sleep(1)
          s:put(x)
        end
        s:put(3)
        md.yield()
        say(s.count)
      end)
    )
  end)

  it("has not what a put did not put that was ended", function()
    assert.same(
      { "1 nil timeout", "2 interrupt", "3 timeout", "4 1 0 0" },
      story(function(say)
        local s = md.store { capacity = 1 }
        s:put(0)
        say(s:put(1, 1))
        local me = md.self()
        md.after(1, function()
          md.interrupt(me)
        end)
        say(select(2, pcall(s.put, s, 2)).kind)
        say(select(2, pcall(md.timeout, 1, s.put, s, 3)).kind)
        local pid = md.spawn(s.put, s, 4)
        md.sleep(1)
        md.kill(pid)
        say(s.count, s:get(), s.count)
      end)
    )
  end)

  it("may be looked at", function()
    story(function()
      local s = md.store { capacity = 3 }
      s:put "a"
      s:put "b"
      assert.same({ "a", "b" }, s.items)
      assert.same({ 2, 3, 0, 0 }, {
        s.count,
        s.capacity,
        s.getting_length,
        s.putting_length,
      })
      md.sleep(1)
      s:get()
      md.sleep(1)
      assert.near(1.5, s.mean_level, 1e-12)
      assert.equal(1, s.served)
      assert.equal(math.huge, md.store().capacity)
    end)
  end)

  it("whose order raises has not what it could not place", function()
    story(function()
      local s = md.store {
        order = function(a, b)
          return a.n < b.n
        end,
      }
      s:put { n = 1 }
      assert.is_false((pcall(s.put, s, 7)))
      assert.equal(1, s.count)
      s:put { n = 0 }
      assert.equal(0, s:get().n)
    end)
  end)

  it("refuses an order that changes something", function()
    story(function()
      local unit = md.mutex():acquire()
      local s = md.store {
        order = function()
          return unit:release()
        end,
      }
      s:put(1)
      assert.is_false((pcall(s.put, s, 2)))
      assert.is_true(unit.held)
    end)
  end)

  it("keeps its items, whatever is collected", function()
    story(function()
      local s = md.store()
      for i = 1, 1000 do
        s:put { i }
      end
      collectgarbage()
      for i = 1, 1000 do
        assert.equal(i, s:get()[1])
      end
    end)
  end)

  it("keeps no figures if nobody observes", function()
    story(function()
      local s = md.store { observe = false }
      s:put "a"
      md.sleep(1)
      s:get()
      assert.same({ 0, 0, 0.0, 0 }, {
        s.puts,
        s.served,
        s.mean_level,
        s.max_level,
      })
      assert.equal(0, s.count)
    end)
    local ok, err = pcall(md.store, { observe = 1 })
    assert.is_false(ok)
    assert.matches("expected a boolean as observe, got", err.message)
  end)

  it("refuses what is wrong, at the caller", function()
    refused("store: there is no option 'size'", md.store, { size = 1 })
    refused(
      "store: expected an integer of at least 1 as capacity, got 0",
      md.store,
      { capacity = 0 }
    )
    refused(
      'store: expected "fifo", "lifo", "priority" or a function as order',
      md.store,
      { order = "x" }
    )
    refused("store: expected a table of options, got 1", md.store, 1)
    story(function()
      local s = md.store()
      refused("put: expected an item, got nothing; s:put%(item%)", s.put, s)
      refused(
        "get: expected a predicate, a function of an item, got 'x'",
        s.get,
        s,
        "x"
      )
      refused("get: expected a store before the arguments, got nothing", s.get)
      refused("getting: expected a store before", s.getting, 1)
    end)
    refused("get blocks, and only a process can", function()
      md.store():get()
    end)
  end)
end)
