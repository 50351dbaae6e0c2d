-- Blocking from any depth of calls.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

-- Runs fn beside a process that has an event at every half, so that no sleep
-- is over before others had their turn.
local function busy(fn)
  return story(function(say)
    md.spawn(function()
      for _ in md.every(0.5, { start = 0.5, count = 40 }) do
      end
    end)
    fn(say)
  end)
end

-- A metamethod that blocks for 1 and returns what it is given.
local function slow(name, result)
  return setmetatable({}, {
    [name] = function()
      md.sleep(1)
      return result
    end,
  })
end

local operations = {
  __index = function(x)
    return x.field
  end,
  __add = function(x)
    return x + 1
  end,
  __sub = function(x)
    return 1 - x
  end,
  __unm = function(x)
    return -x
  end,
  __idiv = function(x)
    return x // 2
  end,
  __band = function(x)
    return x & 1
  end,
  __shl = function(x)
    return x << 1
  end,
  __concat = function(x)
    return "a" .. x
  end,
  __len = function(x)
    return #x
  end,
  __call = function(x)
    return (x(1, 2))
  end,
}

describe("a metamethod", function()
  for name, operation in pairs(operations) do
    it(name .. " may block, and its result arrives", function()
      assert.same(
        { "1 result" },
        busy(function(say)
          say(operation(slow(name, "result")))
        end)
      )
    end)
  end

  it("of a comparison may block, and says yes or no", function()
    for _, answer in ipairs { true, false } do
      assert.same(
        {
          "1 " .. tostring(answer),
          "2 " .. tostring(not answer),
          "3 " .. tostring(answer),
          "4 " .. tostring(answer),
        },
        busy(function(say)
          local equal = { __eq = slow("__call", answer) }
          local a = setmetatable({}, equal)
          local b = setmetatable({}, equal)
          say(a == b)
          say(a ~= b)
          say(slow("__lt", answer) < 1)
          say(1 <= slow("__le", answer))
        end)
      )
    end
  end)

  it("__newindex, __close and __pairs may block", function()
    assert.same(
      { "1 set", "2 done", "3 closed", "4 k v" },
      busy(function(say)
        local t = setmetatable({}, {
          __newindex = function(self, k, v)
            md.sleep(1)
            rawset(self, k, v)
          end,
          __pairs = function()
            md.sleep(1)
            return coroutine.wrap(function()
              coroutine.yield("k", "v")
            end)
          end,
        })
        t.x = "set"
        say(t.x)
        do
          local _ <close> = closer(md.sleep, 1)
          md.sleep(1)
          say "done"
        end
        say "closed"
        for k, v in pairs(t) do
          say(k, v)
        end
      end)
    )
  end)

  it("may wait for messages and for replies", function()
    assert.same(
      { "2 value", "4 sum" },
      busy(function(say)
        local server = md.spawn(function()
          for _ = 1, 2 do
            md.receive {
              {
                "get",
                function(from, ref, key)
                  md.sleep(2)
                  md.reply(from, ref, key)
                end,
              },
            }
          end
        end)
        local remote = setmetatable({}, {
          __index = function(_, key)
            return md.ask(server, "get", key)
          end,
          __add = function()
            return md.ask(server, "get", "sum")
          end,
        })
        say(remote.value)
        say(remote + remote)
      end)
    )
  end)
end)

describe("an iterator", function()
  it("may be a function or an object that blocks", function()
    assert.same(
      { "1 1", "2 2", "4 1", "5 2" },
      busy(function(say)
        local function count(_, i)
          md.sleep(1)
          return i < 2 and i + 1 or nil
        end
        for i in count, nil, 0 do
          say(i)
        end
        local object = setmetatable({}, {
          __call = function(_, ...)
            return count(...)
          end,
        })
        for i in object, nil, 0 do
          say(i)
          if i == 2 then
            break
          end
        end
      end)
    )
  end)

  it("may be a generator that sleeps, waits and asks", function()
    assert.same(
      { "1 slept", "3 a", "3 b", "5 pong", "5 end" },
      busy(function(say)
        local me = md.self()
        local echo = md.spawn(function()
          local from, ref = md.wait "ping"
          md.sleep(2)
          md.reply(from, ref, "pong")
        end)
        md.spawn(function()
          md.sleep(3)
          md.send(me, "item", "a")
          md.send(me, "item", "b")
        end)
        for x in
          coroutine.wrap(function()
            md.sleep(1)
            coroutine.yield "slept"
            coroutine.yield(md.wait "item")
            coroutine.yield(md.wait "item")
            coroutine.yield(md.ask(echo, "ping"))
          end)
        do
          say(x)
        end
        say "end"
      end)
    )
  end)

  it("may be generators in generators, each blocking", function()
    assert.same(
      { "3 1", "6 2", "6 end" },
      busy(function(say)
        local function nested(n)
          return coroutine.wrap(function()
            local below = n > 1 and nested(n - 1)
            for i = 1, 2 do
              md.sleep(1)
              coroutine.yield(below and below() or i)
            end
          end)
        end
        for x in nested(3) do
          say(x)
        end
        say "end"
      end)
    )
  end)

  it("blocks its process alone", function()
    assert.same(
      { "1 b", "2 a 1", "2 b", "3 b", "4 a 2" },
      story(function(say)
        md.spawn(function()
          for i in
            coroutine.wrap(function()
              for i = 1, 2 do
                md.sleep(2)
                coroutine.yield(i)
              end
            end)
          do
            say("a", i)
          end
        end)
        for _ in md.every(1, { count = 3 }) do
          say "b"
        end
      end)
    )
  end)
end)

describe("protected calls", function()
  it("are blocked through, and catch errors after a wait", function()
    assert.same(
      { "1 true 7", "2 false e", "3 false e!" },
      busy(function(say)
        say(pcall(function()
          md.sleep(1)
          return 7
        end))
        say(pcall(function()
          md.sleep(1)
          error("e", 0)
        end))
        say(xpcall(function()
          md.sleep(1)
          error("e", 0)
        end, function(e)
          return e .. "!"
        end))
      end)
    )
  end)

  it("nest with recursion, 150 levels deep", function()
    local function deep(n)
      if n == 0 then
        md.sleep(1)
        return "bottom"
      end
      local ok, value = pcall(deep, n - 1)
      assert(ok)
      return value
    end
    assert.same(
      { "1 bottom" },
      busy(function(say)
        say(deep(150))
      end)
    )
  end)
end)

describe("a C function that must return first", function()
  it("is named by the error of the call that would block", function()
    busy(function()
      local function blocked(where, fn)
        local ok, err = pcall(fn)
        assert.is_false(ok)
        assert.equal("usage", err.kind)
        assert.matches("sleep cannot block " .. where, err.message)
      end
      local function sleep()
        md.sleep(1)
      end
      blocked("inside '.*sort'", function()
        table.sort({ 3, 2, 1 }, sleep)
      end)
      blocked("inside '.*gsub'", function()
        return (("abc"):gsub(".", sleep))
      end)
      blocked("here", function()
        table.sort({ 3, 2, 1 }, coroutine.wrap(sleep))
      end)
      md.sleep(1)
      assert.equal(1, md.now())
    end)
  end)
end)
