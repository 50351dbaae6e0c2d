-- Servers: handlers by pattern, state, turns, limits, tries, concurrency.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function kind(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local err = results[2]
  return type(err) == "table" and err.kind or err
end

-- Runs fn(say) in a sim where servers are left waiting at the end.
local function told(options, fn)
  local texts = story(options, fn)
  assert.equal("(idle)", texts[#texts]:match "%(idle%)$")
  texts[#texts] = nil
  return texts
end

local function idle(fn)
  return told({}, fn)
end

describe("a server (0.2)", function()
  it("serves several kinds of message in one process (4.28)", function()
    assert.same(
      { "0 5 pong", "0 note a b", "0 7" },
      idle(function(say)
        local s = md.server()
        s:handle("add", function(from, ref, a, b)
          md.reply(from, ref, a + b)
        end)
        s:handle("ping", function(from, ref)
          md.reply(from, ref, "pong")
        end)
        s:handle("note", function(...)
          say("note", ...)
        end)
        local pid = s:spawn()
        say(md.ask(pid, "add", 2, 3), md.ask(pid, "ping"))
        md.send(pid, "note", "a", "b")
        say(md.ask(pid, "add", 3, 4))
      end)
    )
  end)

  it("strips what is matched, and hands over the rest (0.3)", function()
    assert.same(
      { "0 open 3 x nil", "0 shut", "0 9 2 rest", "0 any 5 c" },
      idle(function(say)
        local s = md.server()
        local function tell(word)
          return function(...)
            say(word, ...)
          end
        end
        s:handle("door", "open", tell "open")
        s:handle("door", "shut", tell "shut")
        s:handle("sum", md.is.number, "of", md.is.number, function(...)
          say(...)
        end)
        s:handle(md._, md.is.number, function(a, b, ...)
          say(a, b, ...)
        end)
        local pid = s:spawn()
        md.send(pid, "door", "open", 3, "x", nil)
        md.send(pid, "door", "shut")
        md.send(pid, "sum", 9, "of", 2, "rest")
        md.send(pid, "any", 5, "c")
      end)
    )
  end)

  it("leaves in the inbox what no handler takes (0.3)", function()
    assert.same(
      { "0 b", "1 1", "1 a 1", "1 0" },
      idle(function(say)
        local s = md.server()
        s:handle("b", function()
          say "b"
        end)
        local pid = s:spawn()
        md.send(pid, "a", 1)
        md.send(pid, "b")
        md.sleep(1)
        say(md.inbox(pid))
        s:handle("a", function(n)
          say("a", n)
        end)
        md.yield()
        md.yield()
        say(md.inbox(pid))
      end)
    )
  end)

  it("gives to otherwise the whole of what nothing else takes", function()
    assert.same(
      { "0 b 1", "0 rest a 2 nil", "0 rest", "0 b 3" },
      idle(function(say)
        local s = md.server()
        s:otherwise(function(...)
          say("rest", ...)
        end)
        s:handle("b", function(n)
          say("b", n)
        end)
        local pid = s:spawn()
        md.send(pid, "b", 1)
        md.send(pid, "a", 2, nil)
        md.send(pid)
        md.send(pid, "b", 3)
      end)
    )
  end)

  it("has handlers that block, from any depth", function()
    assert.same(
      { "3 first", "6 second", "6 hello" },
      idle(function(say)
        local s = md.server()
        s:handle("work", function(from, ref, name)
          pcall(md.sleep, 3)
          md.reply(from, ref, name)
        end)
        s:handle("listen", function(from, ref)
          md.reply(from, ref, (md.wait "word"))
        end)
        local pid = s:spawn()
        md.spawn(function()
          say(md.ask(pid, "work", "first"))
        end)
        md.yield()
        say(md.ask(pid, "work", "second"))
        md.send_after(0, pid, "word", "hello")
        say(md.ask(pid, "listen"))
      end)
    )
  end)

  it("ends by exit in a handler, and by a kill", function()
    assert.same(
      { "0 done", "0 failed", "0 noproc" },
      story(function(say)
        local s = md.server()
        s:handle("stop", md.exit)
        local a, b = s:spawn(), s:spawn()
        md.send(a, "stop")
        md.kill(b)
        md.yield()
        say(md.status(a))
        say(md.status(b))
        say(kind(md.ask, a, "stop"))
      end)
    )
  end)

  it("runs in the process that calls serve", function()
    assert.same(
      { "0 5", "0 7 done" },
      story(function(say)
        local s = md.server {
          state = function(n)
            return n
          end,
        }
        s:handle("get", function(from, ref)
          md.reply(from, ref, s.state)
          if s.state == 7 then
            md.exit()
          end
          s.state = 7
        end)
        local pid = md.spawn(s.serve, s, 5)
        say(md.ask(pid, "get"))
        local last = md.ask(pid, "get")
        md.yield()
        say(last, md.status(pid))
      end)
    )
  end)

  it("is of a sim when it was made by the sim's method", function()
    local sim, seen = md.sim(), nil
    local s = sim:server()
    s:handle("start", function(n)
      seen = { n, md.now(), md.current() == sim }
    end)
    s:launch({ after = 2 }, 7)
    assert.equal("idle", (sim:run()))
    assert.same({ 7, 2.0, true }, seen)
  end)

  it("serves in many sims, and keeps none of them", function()
    local s = md.server()
    s:handle("start", function()
      s.state.n = (s.state.n or 0) + 1
      assert.equal(1, s.state.n)
    end)
    local sims = setmetatable({}, { __mode = "k" })
    for _ = 1, 300 do
      local sim = md.sim()
      sims[sim] = true
      sim:spawn(function()
        s:launch()
      end)
      sim:run()
    end
    collectgarbage()
    collectgarbage()
    local left = 0
    for _ in pairs(sims) do
      left = left + 1
    end
    assert(left <= 1, left .. " are left")
  end)
end)

describe("a client (0.8)", function()
  it("begins by itself, with its arguments", function()
    assert.same(
      { "0 ben 3", "0 anna nil", "2 carl 5", "2 a fine day" },
      idle(function(say)
        local s = md.server { name = "client" }
        s:handle("start", function(name, n)
          say(name, n)
          assert.equal("client", md.info(md.self()).name)
        end)
        s:handle("hello", say)
        s:launch("ben", 3)
        s:launch({ priority = 1 }, "anna", nil)
        local pid = s:launch({ after = 2, name = "client" }, "carl", 5)
        md.send(pid, "hello", "a fine day")
      end)
    )
  end)

  it("finds its start before what was sent later", function()
    assert.same(
      { "0 start", "0 other" },
      idle(function(say)
        local s = md.server { inbox = 1 }
        s:otherwise(say)
        md.send(s:launch(), "other")
      end)
    )
  end)
end)

describe("handlers", function()
  it("may be replaced while an instance waits, or has a message", function()
    assert.same(
      { "0 old 1", "0 new 2", "0 newest 3" },
      idle(function(say)
        local s = md.server()
        local function set(word)
          s:handle("x", function(n)
            say(word, n)
          end)
        end
        set "old"
        local pid = s:spawn()
        md.yield()
        md.send(pid, "x", 1)
        md.yield()
        set "new"
        md.send(pid, "x", 2)
        md.yield()
        md.send(pid, "x", 3) -- handed to it already
        set "newest"
      end)
    )
  end)

  it("may replace themselves", function()
    assert.same(
      { "0 first 1", "1 second 2", "1 third 3" },
      idle(function(say)
        local s = md.server()
        s:handle("x", function(n)
          s:handle("x", function(k)
            say("second", k)
            s:handle("x", function(l)
              say("third", l)
            end)
          end)
          say("first", n)
          md.sleep(1)
        end)
        local pid = s:spawn()
        for n = 1, 3 do
          md.send(pid, "x", n)
        end
      end)
    )
  end)

  it(
    "keep their place when they are replaced, and others their order",
    function()
      assert.same(
        { "0 pair 2", "0 new x 3" },
        idle(function(say)
          local s = md.server()
          s:handle("x", 1, function() end)
          s:handle("x", 2.0, function()
            say "pair 2"
          end)
          s:handle(md._, function(...)
            say("any", ...)
          end)
          s:handle(md._, function(...)
            say("new", ...)
          end)
          local pid = s:spawn()
          md.send(pid, "x", 2)
          md.send(pid, "x", 3)
        end)
      )
    end
  )

  it("that are added reach all instances, but none sees how", function()
    assert.same(
      { "0 rest a", "0 rest a", "0 rest a", "1 b 3", "1 b 3", "1 b 3", "1 0" },
      idle(function(say)
        local s, pids = md.server(), {}
        s:handle("a", function()
          say "rest a"
          say(md.wait()) -- would be handed what was not meant for it
        end)
        for i = 1, 3 do
          pids[i] = s:spawn()
          md.send(pids[i], "a")
        end
        md.sleep(1)
        s:handle("c", print)
        s:handle(md._, md._, print)
        for i = 1, 3 do
          md.send(pids[i], "b", 3)
        end
        md.sleep(0)
        say(md.inbox(pids[1]))
      end)
    )
  end)

  it("that are added to one who was handed a message do not show", function()
    assert.same(
      { "0 a", "1 word", "1 0" },
      idle(function(say)
        local s = md.server()
        s:handle("a", function()
          say "a"
          say(md.wait())
          say(md.inbox())
        end)
        local pid = s:spawn()
        md.yield()
        md.send(pid, "a")
        s:handle("b", print)
        md.send_after(1, pid, "word")
      end)
    )
  end)

  it("that are added to those who wait take what lies there", function()
    local function run(order)
      return told({ order = order }, function(say)
        local s, pids = md.server(), {}
        s:handle("a", print)
        for i = 1, 3 do
          pids[i] = s:spawn()
          md.send(pids[i], "x", i)
        end
        md.sleep(1)
        s:otherwise(function(...)
          say(...)
        end)
        s:handle("y", print)
        md.sleep(1)
        for i = 1, 3 do
          assert.equal(0, md.inbox(pids[i]))
        end
      end)
    end
    assert.same({ "1 x 1", "1 x 2", "1 x 3" }, run "fifo")
    assert.same({ "1 x 1", "1 x 2", "1 x 3" }, run "lifo") -- 3 began first
    assert.equal(3, #run "random")
  end)

  it("that another hides are refused, and nothing runs into that", function()
    assert.same(
      { "0 any x 1", "0 rest" },
      idle(function(say)
        local s = md.server()
        s:otherwise(function()
          say "rest"
        end)
        s:handle(md._, function(...)
          say("any", ...)
        end)
        local ok, err = pcall(function()
          s:handle("x", 1, print)
        end)
        assert.is_false(ok)
        assert.equal("usage", err.kind)
        local pattern = "server_spec.lua:%d+: handle: a handler that was "
          .. "declared before takes every message"
        assert.matches(pattern, err.message)
        local pid = s:spawn()
        md.send(pid, "x", 1)
        md.send(pid)
      end)
    )
  end)

  it("may be added to an instance with a protocol", function()
    assert.same(
      { "0 ping", "1 1", "1.5 other 5" },
      story(function(say)
        local s = md.server()
        local Point = md.message("point", { x = md.is.integer })
        s:handle("ping", function()
          say "ping"
        end)
        local accepts = md.protocol { ping = {}, point = Point }
        local pid = s:spawn { accepts = accepts }
        md.send(pid, "ping")
        md.yield()
        s:every(1, function(t)
          say(t)
        end)
        s:handle(Point, function(point)
          say("other", point.x)
          md.exit()
        end)
        md.sleep(1.5)
        md.send(pid, Point { x = 5 })
      end)
    )
  end)

  it("that are refused leave the server as it was", function()
    assert.same(
      { "0 a" },
      idle(function(say)
        local s = md.server()
        s:handle("a", function()
          say "a"
        end)
        pcall(s.handle, s, "a", print, { timeout = -1 })
        pcall(s.handle, s, "a", 5)
        pcall(s.handle, s, "a", print, print)
        md.send(s:spawn(), "a")
      end)
    )
  end)
end)

describe("the state of a server", function()
  it("is each instance's own, and an empty table without a function", function()
    assert.same(
      { "0 1 15", "0 2 16", "0 1" },
      idle(function(say)
        local s = md.server {
          state = function(n)
            return { n = n or 0 }
          end,
        }
        s:handle("add", function(from, ref)
          s.state.n = s.state.n + 1
          md.reply(from, ref, s.state.n)
        end)
        local a, b = s:spawn(), s:spawn({ name = "b" }, 14)
        say(md.ask(a, "add"), md.ask(b, "add"))
        say(md.ask(a, "add"), md.ask(b, "add"))
        local plain = md.server()
        plain:handle("add", function(from, ref)
          plain.state.n = (plain.state.n or 0) + 1
          md.reply(from, ref, plain.state.n)
        end)
        say(md.ask(plain:spawn(), "add"))
      end)
    )
  end)

  it("may be any value, and be set", function()
    assert.same(
      { "0 1", "0 2" },
      idle(function(say)
        local s = md.server {
          state = function()
            return 0
          end,
        }
        s:handle("add", function(from, ref)
          s.state = s.state + 1
          md.reply(from, ref, s.state)
        end)
        local pid = s:spawn()
        say(md.ask(pid, "add"))
        say(md.ask(pid, "add"))
      end)
    )
  end)

  it("stays with the instance while its handlers block", function()
    assert.same(
      { "1 anna", "1 ben" },
      idle(function(say)
        local s = md.server {
          state = function(name)
            md.sleep(0.5)
            return { name = name }
          end,
        }
        s:handle("who", function()
          md.sleep(0.5)
          say(s.state.name)
          assert.equal(md.self(), s.pid)
        end)
        md.send(s:spawn({}, "anna"), "who")
        md.send(s:spawn({}, "ben"), "who")
      end)
    )
  end)

  it("is not there outside of the handlers", function()
    local s = md.server()
    local outside = "s.state is that of the instance that runs"
    local function refused(fn)
      local ok, err = pcall(fn)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches("server_spec.lua:%d+: server: " .. outside, err.message)
    end
    local function read()
      return s.state
    end
    local function write()
      s.state = 1
    end
    refused(read)
    refused(write)
    idle(function()
      local pid = s:spawn()
      md.sleep(1)
      refused(read)
      md.after(1, refused, write)
      md.sleep(2)
      md.kill(pid)
      s:spawn()
    end)
  end)
end)

describe("every of a server", function()
  it("has its turns at the planned times, with the state", function()
    assert.same(
      { "2 2 1", "4 4 2", "6 6 3" },
      story(function(say)
        local s = md.server()
        s:every(2, function(t)
          s.state.n = (s.state.n or 0) + 1
          say(t, s.state.n)
          if t == 6 then
            md.exit()
          end
        end)
        s:spawn()
      end)
    )
  end)

  it("runs late turns at once, skips none, and drifts not", function()
    assert.same(
      { "1 1", "4.5 2", "4.5 3", "4.5 4", "5 5", "6 6" },
      story(function(say)
        local s = md.server()
        s:every(1, function(t)
          say(t)
          if t == 6 then
            md.exit()
          end
        end)
        s:handle("work", function()
          md.sleep(3)
        end)
        md.send_after(1.5, s:spawn(), "work")
      end)
    )
    story(function()
      local s, k = md.server(), 0
      s:every(4 / 3, function(t)
        k = k + 1
        assert(math.abs(t - k * 4 / 3) <= 0.51e-9)
        assert.equal(md.now(), t)
        if k == 30000 then
          assert.equal(40000, t)
          md.exit()
        end
      end)
      s:spawn()
    end)
  end)

  it("of several goes by time, and does not keep messages away", function()
    assert.same(
      { "2 two", "3 message", "3 three", "4 two", "6 three", "6 two" },
      story(function(say)
        local s = md.server()
        s:every(3, function()
          say "three"
        end)
        s:every(2, function(t)
          say "two"
          if t == 6 then
            md.exit()
          end
        end)
        s:handle("x", function()
          say "message"
        end)
        md.send_after(3, s:spawn(), "x")
      end)
    )
  end)

  it("ends with its instance, and only with it", function()
    assert.same(
      { "1 a", "1 b", "2 b", "3 b" },
      story(function(say)
        local s = md.server {
          state = function(name)
            return name
          end,
        }
        s:every(1, function()
          say(s.state)
        end)
        local a, b = s:spawn({}, "a"), s:spawn({}, "b")
        md.sleep(1.5)
        md.kill(a)
        md.sleep(2)
        md.kill(b)
      end)
    )
  end)

  it("is nothing to those who have ended", function()
    story(function()
      local s = md.server()
      s:handle("start", md.exit)
      s:launch()
      md.kill(s:spawn())
      md.sleep(1)
      s:every(1, print)
    end)
  end)

  it("may be added while instances run", function()
    assert.same(
      { "2.5 2.5", "3.5 3.5" },
      story(function(say)
        local s = md.server()
        s:handle("go", function() end)
        local pid = s:spawn()
        md.sleep(1.5)
        s:every(1, function(t)
          say(t)
        end)
        md.sleep(2.5)
        md.kill(pid)
      end)
    )
  end)
end)

describe("a limit of a server (4.30)", function()
  it("raises timeout in a handler that takes longer", function()
    assert.same(
      { "1 closed", "2 failed timeout" },
      story({ on_error = "stop" }, function(say)
        local s = md.server { timeout = 2 }
        s:handle("sleep", function(d)
          local _ <close> = support.closer(say, "closed")
          pcall(md.sleep, d)
        end, { timeout = false })
        s:handle("long", md.sleep)
        local pid = s:spawn()
        md.send(pid, "sleep", 1)
        md.send(pid, "long", 1)
        local ok, err = pcall(md.join, pid, 1)
        assert.same({ true, nil }, { ok, err })
        md.sleep(1)
        say(md.status(pid) == "sleeping" and "failed", "timeout")
        md.kill(pid)
      end)
    )
    assert.same(
      { "3 timeout", "3 failed" },
      story(function(say)
        local s = md.server { timeout = 9 }
        s:handle("long", md.sleep, { timeout = 3 })
        local pid = s:spawn()
        md.send(pid, "long", 5)
        say(kind(md.join, pid))
        say(md.status(pid))
      end)
    )
  end)

  it("tries again, later and later, then raises the last error", function()
    assert.same(
      { "0 try 1", "1 try 2", "4 try 3", "13 try 4", "13 error 4" },
      story(function(say)
        local s = md.server { retry = { times = 3, delay = 1, backoff = 3 } }
        local n = 0
        s:handle("x", function()
          n = n + 1
          say("try", n)
          error("error " .. n, 0)
        end)
        local pid = s:spawn()
        md.send(pid, "x")
        say(kind(md.join, pid))
      end)
    )
  end)

  it("stops trying when it comes off, and hands over the same", function()
    assert.same(
      { "0 a nil c", "2 a nil c", "2 other" },
      idle(function(say)
        local s = md.server()
        local n = 0
        s:handle("x", function(...)
          n = n + 1
          say(...)
          assert(n == 2)
        end, { retry = { times = 5, delay = 2 } })
        s:handle("y", function()
          say "other"
        end)
        local pid = s:spawn()
        md.send(pid, "x", "a", nil, "c")
        md.send(pid, "y")
      end)
    )
  end)

  it("of the time is one for each try", function()
    assert.same(
      { "0 try", "2 try", "4 try", "6 timeout" },
      story(function(say)
        local s = md.server { timeout = 2, retry = { times = 2 } }
        s:handle("x", function()
          say "try"
          md.sleep(5)
        end)
        local pid = s:spawn()
        md.send(pid, "x")
        say(kind(md.join, pid))
      end)
    )
  end)

  it("does not try again after exit, nor after a kill", function()
    assert.same(
      { "0 exits", "0 done", "0 sleeps", "1 killed" },
      story(function(say)
        local s = md.server { retry = { times = 9 } }
        s:handle("exit", function()
          say "exits"
          md.exit()
        end)
        s:handle("sleep", function()
          say "sleeps"
          md.sleep(5)
        end)
        local a, b = s:spawn(), s:spawn()
        md.send(a, "exit")
        md.yield()
        md.yield()
        say(md.status(a))
        md.send(b, "sleep")
        md.after(1, md.kill, b)
        say(kind(md.join, b))
      end)
    )
  end)
end)

describe("a concurrent server (4.30)", function()
  local function worker(options, own)
    local s = md.server(options)
    s:handle("work", function(from, ref, d)
      s.state.n = (s.state.n or 0) + 1
      s.state.most = math.max(s.state.most or 0, s.state.n)
      md.sleep(d)
      s.state.n = s.state.n - 1
      md.reply(from, ref, s.state.most)
    end, own)
    return s
  end

  -- Asks for work from n processes at once; says when each was answered.
  local function ask_all(say, pid, n)
    for _ = 1, n do
      md.spawn(function()
        say(md.ask(pid, "work", 2))
      end)
    end
  end

  it("handles up to so many messages at once", function()
    for _, own in ipairs { false, true } do
      local options = { concurrent = 3 }
      assert.same(
        { "2 3", "2 3", "2 3", "4 3", "4 3", "4 3", "6 3" },
        idle(function(say)
          local s
          if own then
            s = worker({}, options)
          else
            s = worker(options)
          end
          ask_all(say, s:spawn(), 7)
        end)
      )
    end
  end)

  it("keeps in the inbox what it has no hands for", function()
    assert.same(
      { "1 2", "1 stop", "1 2", "2 2", "2 2", "4 2", "4 2" },
      idle(function(say)
        local s = worker { concurrent = 2 }
        s:handle("stop", function()
          say "stop"
        end, { concurrent = 1 })
        local pid = s:spawn()
        ask_all(say, pid, 4)
        md.sleep(1)
        say(md.inbox(pid))
        md.send(pid, "stop")
        md.yield()
        md.yield()
        say(md.inbox(pid))
      end)
    )
  end)

  it("does not let others take what waits for a full handler", function()
    assert.same(
      { "2 other x", "2 1", "4 1" },
      idle(function(say)
        local s = md.server()
        s:handle("work", function(from, ref)
          md.sleep(2)
          md.reply(from, ref, 1)
        end, { concurrent = 2 })
        s:otherwise(function(word)
          say("other", word)
        end)
        local pid = s:spawn()
        local filler = md.spawn(md.wait)
        md.send(pid, "work", filler, md.ref())
        ask_all(say, pid, 2)
        md.yield()
        md.yield()
        md.send(pid, "x")
        md.sleep(3)
        md.kill(filler)
      end)
    )
  end)

  it("has the state of its instance in each process", function()
    idle(function()
      local s = md.server { concurrent = 5, name = "shop" }
      s:handle("x", function(pid)
        assert.equal(pid, s.pid)
        assert.are_not.equal(pid, md.self())
        assert.equal("handler of shop", md.info(md.self()).name)
        s.state.n = (s.state.n or 0) + 1
      end)
      s:handle("end", function(from, ref)
        md.reply(from, ref, s.state.n)
      end)
      local a, b = s:spawn(), s:spawn()
      for _ = 1, 3 do
        md.send(a, "x", a)
      end
      md.send(b, "x", b)
      md.sleep(1)
      assert.equal(3, md.ask(a, "end"))
      assert.equal(1, md.ask(b, "end"))
    end)
  end)

  it("takes the processes along at its end", function()
    assert.same(
      { "1 closed", "1 closed", "1 noproc", "2 1" },
      story(function(say)
        local s = md.server { concurrent = 2 }
        s:handle("work", function()
          local _ <close> = support.closer(say, "closed")
          md.sleep(9)
        end)
        local pid = s:spawn()
        md.send(pid, "work")
        md.spawn(function()
          say(kind(md.ask, pid, "work"))
        end)
        md.sleep(1)
        md.kill(pid)
        md.sleep(1)
        say(#md.processes())
      end)
    )
  end)

  it("goes on when one of them fails or is killed", function()
    assert.same(
      { "1 ok", "2 ok" },
      told({ on_error = "stop" }, function(say)
        local s = md.server { concurrent = 1 }
        local at = {}
        s:handle("work", function(what)
          at[#at + 1] = md.self()
          md.sleep(1)
          if what == "fail" then
            md.exit "failed"
          end
          say(what)
        end, { concurrent = 2 })
        local pid = s:spawn()
        for _, what in ipairs { "ok", "fail", "killed", "ok" } do
          md.send(pid, "work", what)
        end
        md.sleep(1.5)
        md.kill(at[3])
      end)
    )
  end)
end)

describe("the inbox of a server (4.30)", function()
  it("is bounded by its options, or by those of spawn", function()
    assert.same(
      { "0 overflow 1", "0 overflow 2" },
      idle(function(say)
        local s = md.server { inbox = 1, on_full = "error" }
        s:handle("x", md.sleep)
        for n = 1, 2 do
          local pid = s:spawn { inbox = n > 1 and n or nil }
          for _ = 1, n do
            md.send(pid, "x", 1)
          end
          say(kind(md.send, pid, "x", 1), md.inbox(pid))
        end
      end)
    )
  end)
end)

describe("a wrong call of a server", function()
  local s = md.server()
  local cases = {
    {
      "handle",
      "expected patterns before the function",
      function()
        s:handle(print)
      end,
    },
    {
      "handle",
      "expected a function as the last argument, got nil",
      function()
        s:handle("ping", nil)
      end,
    },
    {
      "handle",
      "expected a function as the last argument, got 'x'",
      function()
        s:handle("ping", "x")
      end,
    },
    {
      "handle",
      "expected a literal, md._ or md.is.%* as argument 2, got nil",
      function()
        s:handle("ping", nil, print)
      end,
    },
    {
      "handle",
      "expected a literal, md._ or md.is.%* as argument 1, got nan",
      function()
        s:handle(0 / 0, print)
      end,
    },
    {
      "handle",
      "expected one function, after the patterns",
      function()
        s:handle("ping", print, print)
      end,
    },
    {
      "handle",
      "there is no option 'tiemout'; did you mean 'timeout'%?",
      function()
        s:handle("ping", print, { tiemout = 1 })
      end,
    },
    {
      "handle",
      "expected a duration of at least 0 as timeout, got 'x'",
      function()
        s:handle("ping", print, { timeout = "x" })
      end,
    },
    {
      "handle",
      "retry: expected an integer of at least 1 as times, got nil",
      function()
        s:handle("ping", print, { retry = {} })
      end,
    },
    {
      "handle",
      "retry: there is no option 'dealy'; did you mean 'delay'%?",
      function()
        s:handle("ping", print, { retry = { times = 1, dealy = 1 } })
      end,
    },
    {
      "handle",
      "expected an integer of at least 1 as concurrent, got 0",
      function()
        s:handle("ping", print, { concurrent = 0 })
      end,
    },
    {
      "handle",
      "expected the server before the arguments, got 'ping'",
      function()
        s.handle("ping", print)
      end,
    },
    {
      "otherwise",
      "expected a function alone",
      function()
        s:otherwise("x", print)
      end,
    },
    {
      "otherwise",
      "expected a function as the last argument, got nil",
      function()
        s:otherwise()
      end,
    },
    {
      "every",
      "expected a period of at least one tick, got 0",
      function()
        s:every(0, print)
      end,
    },
    {
      "every",
      "expected a duration",
      function()
        s:every("x", print)
      end,
    },
    {
      "every",
      "expected a function as argument 2, got nil",
      function()
        s:every(1)
      end,
    },
    {
      "spawn",
      "there is no option 'nmae'; did you mean 'name'%?",
      function()
        s:spawn { nmae = "x" }
      end,
    },
    {
      "spawn",
      "expected options alone, .* got 5",
      function()
        s:spawn(5)
      end,
    },
    {
      "server",
      "a server has no 'handel'; did you mean 'handle'%?",
      function()
        s:handel("ping", print)
      end,
    },
    {
      "server",
      "a server has no 'stat'; did you mean 'state'%?",
      function()
        s.stat = 1
      end,
    },
    {
      "server",
      "there is no option 'timout'; did you mean 'timeout'%?",
      function()
        md.server { timout = 1 }
      end,
    },
    {
      "server",
      "options are named fields, got the key 1",
      function()
        md.server { "x" }
      end,
    },
    {
      "server",
      "expected a table of options, got 5",
      function()
        md.server(5)
      end,
    },
    {
      "server",
      "expected a function as state, got a table",
      function()
        md.server { state = {} }
      end,
    },
    {
      "server",
      'expected "block", "drop" or "error" as on_full, got 1',
      function()
        md.server { on_full = 1 }
      end,
    },
    {
      "server",
      "retry: expected an integer of at least 1 as times",
      function()
        md.server { retry = { delay = 1 } }
      end,
    },
  }
  for _, case in ipairs(cases) do
    local call, text, fn = table.unpack(case)
    it("says: " .. call .. ": " .. text:gsub("%%", ""), function()
      local ok, err = pcall(fn)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      local pattern = "server_spec.lua:%d+: " .. call .. ": " .. text
      assert.matches(pattern, err.message)
    end)
  end

  it("shows the model's frames alone when a handler fails", function()
    local got = support.run [[
      local md = require "moondial"
      local s = md.server { name = "shop", retry = { times = 1 } }
      s:handle("x", function()
        error("sold out")
      end)
      s:launch()
      s:handle("start", function()
        md.send(md.self(), "x")
      end)
      md.run()
    ]]
    assert.equal(1, got.status)
    assert.matches("model.lua:4: sold out\n  in 'shop' at time 0", got.err)
    assert.is_nil(got.err:find("%[md "))
  end)
end)
