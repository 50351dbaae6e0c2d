-- Messages: sending, and waiting for those that match. Bounded inboxes are in
-- inbox_spec.lua, asking and deadlines in ask_spec.lua and deadline_spec.lua.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

describe("send", function()
  it("delivers in the order of sending, from several senders (0.7)", function()
    local told = story(function(say)
      local me = md.self()
      for i = 1, 3 do
        md.spawn(function()
          md.send(me, "a", i)
          md.send(me, "b", i)
        end)
      end
      md.sleep(1)
      for _ = 1, 6 do
        say(md.wait())
      end
    end)
    assert.same({ "1 a 1", "1 b 1", "1 a 2", "1 b 2", "1 a 3", "1 b 3" }, told)
  end)

  it("carries nils inside and at the end, and no value at all", function()
    local sim = md.sim()
    sim:spawn(function()
      local me = md.self()
      md.send(me, nil, 1, nil)
      md.send(me)
      local first = table.pack(md.wait())
      assert.same({ n = 3, nil, 1, nil }, first)
      assert.equal(0, select("#", md.wait()))
    end)
    sim:run()
  end)

  it("carries 200 values, waited for and queued", function()
    local sim, checked = md.sim(), 0
    local list = {}
    for i = 1, 200 do
      list[i] = i
    end
    local function check(...)
      assert.equal(200, select("#", ...))
      assert.same(list, { ... })
      checked = checked + 1
    end
    local to = sim:spawn(function()
      check(md.wait())
      md.sleep(1)
      check(md.wait())
      check(md.receive { { md._ } })
    end)
    sim:spawn(function()
      for _ = 1, 3 do
        md.send(to, table.unpack(list))
      end
    end)
    sim:run()
    assert.equal(3, checked)
  end)

  it("carries tables by reference", function()
    local sim, box = md.sim(), {}
    local to = sim:spawn(function()
      md.wait().filled = true
    end)
    sim:spawn(md.send, to, box)
    sim:run()
    assert.is_true(box.filled)
  end)

  it("works from the script, from a callback and to oneself", function()
    local told, sim = {}, md.sim()
    local to = sim:spawn(function()
      md.send(md.self(), "self")
      for _ = 1, 3 do
        local what = md.wait()
        told[#told + 1] = what .. " " .. md.now()
      end
    end)
    sim:send(to, "script")
    sim:after(2, sim.send, sim, to, "callback")
    assert.equal("done", sim:run())
    assert.same({ "script 0.0", "self 0.0", "callback 2.0" }, told)
  end)

  it("to a process that has ended does nothing", function()
    local told = story(function(say)
      local gone = md.spawn(function() end)
      md.sleep(1)
      say(md.send(gone, "x"))
      say(md.inbox(gone))
      md.send_after(1, gone, "y")
    end)
    assert.same({ "1 ", "1 0" }, told)
  end)

  it("to a process that is dying is dropped", function()
    local told = story(function(say)
      local dying = md.spawn(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            md.sleep(5)
            say("left", md.inbox())
          end,
        })
        md.wait "never"
      end)
      md.sleep(1)
      md.kill(dying)
      md.send(dying, "x")
      md.sleep(1)
      md.send(dying, "y")
    end)
    assert.same({ "6 left 0" }, told)
  end)

  it("takes a registered name", function()
    local told = story(function(say)
      md.register(
        "clerk",
        md.spawn(function()
          say(md.wait())
        end)
      )
      md.send("clerk", "hello")
    end)
    assert.same({ "0 hello" }, told)
  end)
end)

describe("send_after and send_at", function()
  it("send later, in order of the times", function()
    local told = story(function(say)
      md.send_after(2, md.self(), "after")
      md.send_at(1, md.self(), "at")
      md.send_after(2, md.self(), "second")
      for _ = 1, 3 do
        say(md.wait())
      end
    end)
    assert.same({ "1 at", "2 after", "2 second" }, told)
  end)

  it("can be cancelled until they are sent, once", function()
    local told = story(function(say)
      local timer = md.send_after(2, md.self(), "never")
      say(timer:cancel(), timer:cancel())
      local sent = md.send_after(1, md.self(), "sent")
      say(md.wait(), sent:cancel())
      md.sleep(5)
      say(md.inbox())
    end)
    assert.same({ "0 true false", "1 sent false", "6 0" }, told)
  end)
end)

describe("wait", function()
  it("strips literals and returns captures and the rest (0.9)", function()
    local told = story(function(say)
      local me = md.self()
      local function given(...)
        md.send(me, "a", 1, "b", 2, nil, 3)
        say(md.wait(...))
      end
      given()
      given "a"
      given("a", md._, "b")
      given(md._, 1, md._, md.is.integer, nil)
      given("a", 1, "b", 2, nil, 3)
    end)
    assert.same(
      { "0 a 1 b 2 nil 3", "0 1 b 2 nil 3", "0 1 2 nil 3", "0 a b 2 3", "0 " },
      told
    )
  end)

  it("leaves what does not match, in order", function()
    local told = story(function(say)
      local me = md.self()
      for i = 1, 5 do
        md.send(me, i % 2 == 0 and "even" or "odd", i)
      end
      say(md.wait "even")
      say(md.wait "even")
      say(md.inbox())
      for _ = 1, 3 do
        say(md.wait())
      end
    end)
    assert.same({ "0 2", "0 4", "0 3", "0 odd 1", "0 odd 3", "0 odd 5" }, told)
  end)

  it("knows the kinds of values", function()
    local told = story(function(say)
      local me = md.self()
      local values = { 1, 1.5, "s", true, {}, print, me, md.ref() }
      local kinds = {
        "number",
        "integer",
        "string",
        "boolean",
        "table",
        "func",
        "pid",
        "ref",
      }
      for _, kind in ipairs(kinds) do
        local taken = {}
        for i, value in ipairs(values) do
          md.send(me, value)
          local ok = pcall(md.wait_timeout, 0, md.is[kind])
          taken[i] = ok and i or "-"
          md.flush()
        end
        say(kind, table.concat(taken))
      end
    end)
    assert.same({
      "0 number 12------",
      "0 integer 1-------",
      "0 string --3-----",
      "0 boolean ---4----",
      "0 table ----5---",
      "0 func -----6--",
      "0 pid ------7-",
      "0 ref -------8",
    }, told)
  end)

  it("compares literals as rawequal does", function()
    local told = story(function(say)
      local me = md.self()
      local long = ("x"):rep(100)
      local function matches(value, pattern)
        md.send(me, value)
        local ok = pcall(md.wait_timeout, 0, pattern)
        md.flush()
        return ok
      end
      say(matches(1, 1.0), matches(1.0, 1), matches("1", 1))
      say(matches(long, ("x"):rep(100)), matches(long, ("x"):rep(99) .. "y"))
      say(
        matches(io.stdout, io.stderr),
        matches(nil, false),
        matches(false, false)
      )
      say(matches(math.maxinteger, 2.0 ^ 63), matches(0.0, -0.0))
    end)
    assert.same({
      "0 true true false",
      "0 true false",
      "0 false false true",
      "0 false true",
    }, told)
  end)

  it("wants no more patterns than the message has values", function()
    local told = story(function(say)
      md.send(md.self(), "a")
      say(pcall(md.wait_timeout, 0, "a", nil) or md.inbox())
      say(md.wait "a")
    end)
    assert.same({ "0 1", "0 " }, told)
  end)
end)

describe("inbox and flush", function()
  it("count and drop what waits", function()
    local told = story(function(say, sim)
      local other = md.spawn(md.wait, "never")
      for i = 1, 4 do
        md.send(md.self(), i)
        md.send(other, i)
      end
      md.yield()
      say(md.inbox(), md.inbox(other), sim:inbox(other))
      md.flush()
      say(md.inbox(), md.inbox(other))
      md.send(other, "never")
    end)
    assert.same({ "0 4 4 4", "0 0 4" }, told)
  end)
end)

describe("ref", function()
  it("never repeats, is a key of tables and prints itself (0.6)", function()
    local sim, seen = md.sim(), {}
    for _ = 1, 10000 do
      local ref = sim:ref()
      assert.is_nil(seen[ref])
      seen[ref] = true
    end
    assert.matches("^<ref %d+>$", tostring(sim:ref()))
  end)
end)
