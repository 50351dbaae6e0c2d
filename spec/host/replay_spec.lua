-- Replays: a recorded family is executed again, compared with its record, and
-- goes on live where that ends.
local md = require "moondial"
local same = require "moondial.same"
local replayed = require "spec.fuzz.replayed"

local function pulled(p)
  local list = {}
  for s in p:pull() do
    list[#list + 1] = s
  end
  return list
end

local function kinds(list)
  local words = {}
  for i, s in ipairs(list) do
    words[i] = s.kind
  end
  return table.concat(words, " ")
end

-- That two lists of signals are the same, if one begins so much later.
local function assert_same(expected, list, late)
  local map = same.new(md.sim())
  assert.equal(kinds(expected), kinds(list))
  for i, a in ipairs(expected) do
    local b = list[i]
    assert.equal(a.seq, b.seq)
    assert.is_true(math.abs(a.time + (late or 0) - b.time) < 1e-9)
    for field, value in pairs(a) do
      local skip = field == "time" or field == "at"
      assert.is_true(skip or map:same(value, b[field]), i .. " " .. field)
    end
  end
end

-- The first n signals of a list, as replay takes them.
local function signals(list, n)
  return { signals = replayed.signals(list, n or #list) }
end

-- Runs a body as an instance in a sim of its own, while act(p, sim) does what
-- comes from outside; its record, and the template.
local function record(body, act, ...)
  local sim = md.sim()
  local t = { name = "t", entrypoint = body }
  local p = sim:template(t):create(...):start()
  if act then
    act(p, sim)
  end
  sim:run()
  return pulled(p), t
end

-- Another instance of it, in another sim.
local function again(t, ...)
  return md.sim():template(t):create(...)
end

-- What a replay of the list says is different.
local function difference(t, list, options, ...)
  local p = again(t, ...)
  local ok, err = pcall(p.replay, p, options or signals(list))
  assert.is_false(ok)
  assert.equal("journal", err.kind)
  return (err.message:gsub("^[%w%p]*:%d+: ", "")), p
end

local function greet(count)
  for i = 1, count do
    md.emit(("greeting #%d: Hello %s!"):format(i, md.wait()))
  end
  return "bye"
end

local function greeted()
  return record(greet, function(p)
    p:push "Alice"
    p:push "Bob"
  end, 3)
end

describe("4.16 a replay", function()
  it("does what was done, from the signals alone", function()
    local log, t = greeted()
    local p = again(t, 3):replay(signals(log))
    assert_same(log, pulled(p))
    assert.equal("waiting", p.status)
  end)

  it("4.21 goes on live where the record ends, without a gap", function()
    local log, t = greeted()
    local p = again(t, 3):replay(signals(log))
    p:push "Carol"
    assert.equal("bye", p:join())
    local list = pulled(p)
    for i, s in ipairs(list) do
      assert.equal(i, s.seq)
    end
    assert.equal(
      "ARRIVE RECEIVE SEND STOP",
      kinds(table.move(list, #log + 1, #list, 1, {}))
    )
    assert.equal("greeting #3: Hello Carol!", list[#list - 1].data)
  end)

  it("of an empty record starts", function()
    local p = again({ entrypoint = greet }, 1):replay(signals {})
    p:push "Alice"
    assert.equal("bye", p:join())
  end)

  it("of a record that has ended gives its result, or its error", function()
    local log, t = record(function(x)
      md.sleep(2)
      return x, nil
    end, nil, 7)
    local p = again(t, 7):replay(signals(log))
    assert.same({ "done", 2.0 }, { p.status, p.template.sim:now() })
    assert.same({ 7, nil, n = 2 }, table.pack(p:join()))
    local sim = md.sim()
    local q = sim:template({ entrypoint = error }):create("broken", 0)
    assert.is_false(pcall(q.start, q))
    local r = again({ entrypoint = error }, "broken", 0)
    r:replay(signals(pulled(q)))
    assert.equal("failed", r.status)
    assert.same({ false, "broken" }, { pcall(r.join, r) })
  end)

  it("goes on after errors and stops that the record has", function()
    local sim = md.sim()
    local t = {
      entrypoint = function()
        md.spawn(error, "first", 0)
        md.sleep(1)
        md.current():stop()
        md.sleep(1)
        md.emit "end"
      end,
    }
    local p = sim:template(t):create()
    assert.is_false(pcall(p.start, p))
    assert.equal("stopped", (sim:run()))
    sim:run()
    local log = pulled(p)
    assert.equal("START SPAWN START FAIL SEND STOP", kinds(log))
    assert_same(log, pulled(again(t):replay(signals(log))))
  end)

  it("keeps back what it sends outside, now and for later", function()
    local sim = md.sim()
    local got = {}
    local outside = sim:spawn(function()
      while true do
        got[#got + 1] = md.wait()
      end
    end)
    local t = sim:template {
      entrypoint = function()
        md.send(outside, "now")
        md.send_after(1, outside, "later")
        md.sleep(1.5)
        md.send_after(1, outside, "much later")
        md.sleep(0.5)
        md.emit "end"
      end,
    }
    local p = t:create():start()
    p:join()
    local log = pulled(p)
    sim:run()
    assert.same({ "now", "later", "much later" }, got)
    local q = t:create():replay(signals(log))
    assert.same({ "now", "later", "much later" }, got)
    assert.equal("done", q.status)
    sim:run() -- this had not come yet where the record ends
    assert.same({ "now", "later", "much later", "much later" }, got)
  end)

  it("asks the outside nothing: the answer is on record", function()
    local asked = 0
    local function serve()
      while true do
        local from, ref, x = md.wait "double"
        asked = asked + 1
        md.sleep(1)
        md.reply(from, ref, x * 2)
      end
    end
    local function new()
      local sim = md.sim()
      local server = sim:spawn(serve)
      return sim
        :template({
          entrypoint = function(to)
            local a = md.ask(to, "double", 1)
            return a + md.ask(to, "double", a)
          end,
        })
        :create(server)
    end
    local p = new():start()
    assert.equal(6, p:join())
    local log = pulled(p)
    local q = new():replay(signals(log))
    assert.same({ 6, 2 }, { q:join(), asked })
    -- cut before the second question, it is asked
    local r = new():replay(signals(log, 4))
    assert.same({ 6, 3 }, { r:join(), asked })
  end)

  it("asks in vain again whom it had asked in vain", function()
    local sim = md.sim()
    local mortal = sim:spawn(md.sleep, 1)
    local t = sim:template {
      entrypoint = function()
        return (pcall(md.ask, mortal, "price"))
      end,
    }
    local p = t:create():start()
    assert.is_false(p:join())
    local log = pulled(p)
    assert.equal("START SEND DOWN STOP", kinds(log))
    local q = t:create():replay(signals(log))
    assert.is_false(q:join())
    assert_same(log, pulled(q), 1)
  end)

  it("is another's, too: two instances that talk", function()
    local sim = md.sim()
    local t = sim:template {
      entrypoint = function(partner)
        local to = partner or md.wait(md.is.pid)
        if partner then
          md.send(to, 1)
        end
        for _ = 1, 3 do
          local i = md.wait(md.is.number)
          md.emit("got", i)
          md.send(to, i + 1)
        end
      end,
    }
    local a = t:create():start()
    local b = t:create(a.pid):start()
    a:push(b.pid)
    sim:run()
    local log = pulled(a)
    local q = t:create():replay(signals(log))
    assert_same(log, pulled(q))
    assert.same({ "done", "done" }, { b.status, q.status })
  end)

  it("stands for a process outside that is another by now", function()
    local got = {}
    local function new()
      local sim = md.sim()
      local to = sim:spawn(function()
        while true do
          got[#got + 1] = md.wait()
        end
      end)
      return sim
        :template({
          entrypoint = function(other)
            md.send(other, "x")
            local from = md.wait()
            md.send(from, "y")
            md.send(other, "z")
          end,
        })
        :create(to),
        sim
    end
    local p, sim = new()
    p:start():push(sim:spawn(md.sleep, 9))
    local log = pulled(p)
    assert.equal("START SEND ARRIVE RECEIVE SEND SEND STOP", kinds(log))
    got = {}
    local q = new():replay(signals(log, 5))
    assert.equal("done", q.status)
    assert.same({ "z" }, got) -- what had been sent before is not sent again
  end)
end)

describe("4.20 the host's functions", function()
  local function family()
    return record(function()
      local function child(x)
        md.sleep(x)
        return md.use(math.max, x, 2)
      end
      local a, b = md.spawn(child, 1), md.spawn(child, 3)
      return md.join(a) + md.join(b)
    end)
  end

  it("give the signals of each process, the root first", function()
    local log, t = family()
    local asked = {}
    local p = again(t):replay {
      signals = function(pid)
        asked[#asked + 1] = tostring(pid)
        local own = {}
        for _, s in ipairs(log) do
          if s.pid == (pid or log[1].pid) then
            own[#own + 1] = s
          end
        end
        return replayed.signals(own, #own)()
      end,
    }
    assert.equal(5, p:join())
    assert.same(
      { "nil", tostring(log[2].child), tostring(log[3].child) },
      asked
    )
    assert_same(log, pulled(p))
  end)

  it("may be iterators of any kind, and in any order of signals", function()
    local log, t = family()
    local p = again(t):replay {
      signals = function(pid)
        return coroutine.wrap(function(list)
          coroutine.yield(pid and list[#list] or list[1])
          for i = #list, 1, -1 do
            coroutine.yield(list[i])
          end
        end),
          log
      end,
    }
    assert.equal(5, p:join())
    assert_same(log, pulled(p))
  end)

  it("4.4 give the result of a use, which is not called again", function()
    local calls, log, t = 0, nil, nil
    log, t = record(function()
      return md.use(function()
        calls = calls + 1
        return calls
      end)
    end)
    local p = again(t):replay(signals(log))
    assert.same({ 1, 1 }, { p:join(), calls })
    -- a record without it, and a host that knows
    local asked = {}
    local list = { log[1], {} }
    for field, value in pairs(log[2]) do
      list[2][field] = value
    end
    list[2].result, list[2].data = nil, nil
    local options = signals(list)
    function options.results(s)
      asked[#asked + 1] = s.kind
      return s.kind == "USE", 41
    end
    assert.equal(41, again(t):replay(options):join())
    assert.same({ "START", "USE" }, asked)
    -- nobody knows: it is called
    assert.equal(2, again(t):replay(signals(list)):join())
  end)

  it("4.32 have names that say what they give", function()
    local t = md.sim():template { entrypoint = greet }
    for options, text in pairs {
      [{}] = "replay: expected a function as signals, got nil",
      [{ signals = 5 }] = "replay: expected a function as signals, got 5",
      [{ signals = print, handler = print }] = "replay: there is no option "
        .. "'handler'; did you mean 'signals'?",
      [{ signals = type }] = "replay: expected an iterator from signals(pid), "
        .. "got 'nil'",
      [{
        signals = function()
          return ipairs { { kind = "START" } }
        end,
      }] = "replay: expected a signal, {kind=, seq=, time=, pid=, ...}, got 1",
    } do
      local p = t:create(1)
      local ok, err = pcall(p.replay, p, options)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.is_truthy(err.message:find(text, 1, true), err.message)
    end
  end)

  it("are no process's: replay runs the sim", function()
    local sim = md.sim()
    local t = sim:template { entrypoint = greet }
    sim:spawn(function()
      t:create():replay(signals {})
    end)
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok)
    assert.matches(
      "replay: it runs the sim, so it belongs outside of processes",
      err.message
    )
  end)
end)

describe("4.17 a process that has ended", function()
  local ran

  local function work(name, d)
    ran[#ran + 1] = name
    md.sleep(d)
    md.send("boss", name, "is done")
    return name .. "'s", d
  end

  local function boss()
    md.register("boss", md.self())
    local a = md.child({ monitor = true }, work, "a", 1)
    local b = md.child(work, "b", 3)
    local results = { md.join(a) } -- its name and d
    results[3] = select(3, md.wait "down")
    results[4] = md.wait(md._, "is done")
    results[5], results[6] = md.join(b)
    return results
  end

  local function results_of(list)
    local known = {}
    for _, s in ipairs(list) do
      known[s.pid] = s.kind == "STOP" and s.result or known[s.pid]
    end
    return function(s)
      if s.kind == "START" and known[s.pid] then
        return true, table.unpack(known[s.pid], 1, known[s.pid].n)
      end
    end
  end

  it("is not run again; its signals and its result are there", function()
    ran = {}
    local log, t = record(boss)
    assert.same({ "a", "b" }, ran)
    for n = 0, #log do
      ran = {}
      local options = signals(log, n)
      options.results = results_of(table.move(log, 1, n, 1, {}))
      local p = again(t):replay(options)
      local result = p:join()
      assert.same({ "a's", 1, "normal", "a", "b's", 3 }, result)
      local list = pulled(p)
      assert.equal(kinds(log), kinds(list))
      for i, s in ipairs(log) do
        assert.equal(s.time, list[i].time)
      end
      if n == #log then
        assert.same({}, ran)
      end
    end
  end)

  it("may have returned nothing, nil, or several values", function()
    local function child(...)
      md.sleep(1)
      return ...
    end
    local log, t = record(function()
      return table.pack(md.join(md.spawn(child))).n,
        table.pack(md.join(md.spawn(child, nil))).n,
        table.pack(md.join(md.spawn(child, nil, { 1 }, nil))).n
    end)
    local options = signals(log)
    options.results = results_of(log)
    local p = again(t):replay(options)
    -- the root is known as well
    assert.same({ 0, 1, 3 }, { p:join() })
    options.results = function(s)
      return s.pid ~= log[1].pid and s.kind == "START"
    end
    assert.matches(
      "signal 6 was STOP of <pid %d+> %(0, 1, 3%)",
      (difference(t, log, options)):gsub(
        "signal %d+ was STOP",
        "signal 6 was STOP"
      )
    )
  end)

  it("4.31 stands for all that it had spawned", function()
    ran = {}
    local function leaf(name)
      ran[#ran + 1] = name
      md.sleep(1)
      return name
    end
    local function middle(name)
      ran[#ran + 1] = name
      local pids = { md.child(leaf, name .. "1"), md.spawn(leaf, name .. "2") }
      md.spawn(md.send, md.self(), "hello")
      md.wait "hello"
      return md.join(pids[1]) .. md.join(pids[2])
    end
    local log, t = record(function()
      local a = md.spawn(middle, "a")
      local result = md.join(a)
      md.wait "go"
      return result
    end)
    assert.same({ "a", "a1", "a2" }, ran)
    ran = {}
    local options = signals(log)
    options.results = results_of(log)
    local p = again(t):replay(options)
    assert.same({}, ran)
    assert.equal(kinds(log), kinds(pulled(p)))
    p:push "go"
    assert.equal("a1a2", p:join())
  end)

  it("is run again while something that it has spawned goes on", function()
    ran = {}
    local function leaf()
      ran[#ran + 1] = "leaf"
      md.wait "end"
      return "leaf"
    end
    local log, t = record(function()
      local pid = md.join(md.spawn(function()
        ran[#ran + 1] = "middle"
        return (md.spawn(leaf))
      end))
      md.wait "go"
      md.send(pid, "end")
      return md.join(pid)
    end)
    ran = {}
    local options = signals(log)
    options.results = results_of(log)
    local p = again(t):replay(options)
    assert.same({ "middle", "leaf" }, ran)
    p:push "go"
    assert.equal("leaf", p:join())
  end)

  it("tells who watches it, and who is linked with it", function()
    local log, t = record(function()
      md.trap_exit(true)
      local parent = md.self()
      local own = md.spawn(function()
        md.link(parent)
        md.sleep(1)
        return 1
      end)
      local ref = select(2, md.spawn({ monitor = true }, md.sleep, 2))
      local pid, reason = md.wait "exit"
      return pid == own, reason, (select(2, md.wait("down", ref)))
    end)
    local options = signals(log)
    options.results = function(s)
      if s.kind == "START" and s.pid ~= log[1].pid then
        return true, 1
      end
    end
    local p = again(t):replay(options)
    assert.same({ true, "normal", "normal" }, { p:join() })
  end)

  it("that was killed, or failed, below one that has ended", function()
    local log, t = record(function()
      local function fail()
        md.sleep(1)
        error("broken", 0)
      end
      return md.join(md.spawn(function()
        local a, b = md.spawn(fail), md.child(md.sleep, 9)
        local ok, err = pcall(md.join, a)
        md.kill(b, "why")
        return ok, err, (pcall(md.join, b))
      end))
    end)
    local options = signals(log, #log - 1)
    options.results = results_of(log)
    local p = again(t):replay(options)
    assert.same({ false, "broken", false }, { p:join() })
    assert.equal(kinds(log), kinds(pulled(p)))
  end)
end)

describe("4.18 the first difference", function()
  it("is named: its number, what was recorded, what came", function()
    local log, t = greeted()
    local function changed(n, changes)
      local list = table.move(log, 1, #log, 1, {})
      list[n] = {}
      for field, value in pairs(log[n]) do
        list[n][field] = value
      end
      for field, value in pairs(changes) do
        list[n][field] = value
      end
      return difference(t, list, nil, 3)
    end
    assert.equal(
      "replay: signal 4 was SEND of <pid 1> ('Hi!') at time 0.0, and now it is "
        .. "SEND of <pid 1> ('greeting #1: Hello Alice!') at time 0.0",
      changed(4, { message = { "Hi!", n = 1 } })
    )
    assert.equal(
      "replay: signal 4 was SEND of <pid 1> ('greeting #1: Hello Alice!') at "
        .. "time 1.5, and now it is SEND of <pid 1> ('greeting #1: Hello "
        .. "Alice!') at time 0.0",
      changed(4, { time = 1.5 })
    )
    assert.equal(
      "replay: signal 4 was DROP of <pid 1> ('greeting #1: Hello Alice!') at "
        .. "time 0.0, and now it is SEND of <pid 1> ('greeting #1: Hello "
        .. "Alice!') at time 0.0",
      changed(4, { kind = "DROP" })
    )
    assert.equal(
      "replay: signal 1 was START of <pid 1> (4) at time 0.0, and now it is "
        .. "START of <pid 1> (3) at time 0.0",
      changed(1, { args = { 4, n = 1 } })
    )
    assert.equal(
      "replay: signal 3 was RECEIVE of <pid 1> ('Alice') at time 0.0, and now "
        .. "it is RECEIVE of <pid 1> ('Eve') at time 0.0",
      changed(2, { message = { "Eve", n = 1 } })
    )
  end)

  it("may be within a table, at any depth", function()
    local value
    local log, t = record(function()
      md.emit { a = { b = { value } }, c = value }
    end)
    value = 1
    assert.equal(
      "replay: signal 2 was SEND of <pid 1> (a table) at time 0.0, and now it "
        .. "is SEND of <pid 1> (a table) at time 0.0; what differs is its "
        .. "message",
      difference(t, log)
    )
  end)

  it("may be a signal too few, or one too many", function()
    local log, t = record(function(n)
      for i = 1, n do
        md.emit(i)
      end
      md.wait()
    end, nil, 2)
    local less = { log[1], log[3] }
    assert.equal(
      "replay: signal 3 was SEND of <pid 1> (2) at time 0.0, and now it is "
        .. "SEND of <pid 1> (1) at time 0.0",
      difference(t, less, nil, 2)
    )
    local more = { log[1], log[2], log[3], {} }
    for field, value in pairs(log[3]) do
      more[4][field] = value
    end
    more[4].seq = 4
    assert.equal(
      "replay: signal 4 was SEND of <pid 1> (2) at time 0.0, and now nothing "
        .. "like it comes (idle)",
      difference(t, more, nil, 2)
    )
  end)

  it("may be all of it: another's record", function()
    local log = greeted()
    assert.equal(
      "replay: signal 1 was START of <pid 1> (3) at time 0.0, and now it is "
        .. "START of <pid 1> () at time 0.0",
      (difference({ entrypoint = greet }, log))
    )
    assert.equal(
      "replay: signal 2 was ARRIVE of <pid 1> ('Alice') at time 0.0, and now "
        .. "it is STOP of <pid 1> () at time 0.0",
      (difference({ entrypoint = function() end }, log, nil, 3))
    )
  end)

  it("ends the instance: nothing of it goes on, or out", function()
    local sent = {}
    local n = 1
    local sim = md.sim()
    local outside = sim:spawn(function()
      while true do
        sent[#sent + 1] = md.wait()
      end
    end)
    local t = sim:template {
      entrypoint = function()
        local child = md.spawn(md.wait)
        local _ <close> = setmetatable({}, {
          __close = function()
            md.send(outside, "closed")
          end,
        })
        md.emit(n)
        md.send(outside, "on")
        md.use(table.insert, sent, "used")
        md.sleep(1)
        md.join(child)
      end,
    }
    local p = t:create():start()
    local log = pulled(p)
    sent = {}
    n = 2
    local q = t:create()
    local ok, err = pcall(q.replay, q, signals(log))
    assert.same({ false, "journal" }, { ok, err.kind })
    sim:run()
    assert.same({}, sent)
    assert.same({ "failed", false }, { q.status, q:push "x" })
    assert.equal(0, #q.children)
  end)

  it("may be something that comes from outside meanwhile", function()
    local sim = md.sim()
    local t = sim:template {
      name = "known",
      entrypoint = function()
        md.register("known", md.self())
        md.sleep(2)
        md.emit "end"
      end,
    }
    local log = pulled((function()
      local p = t:create():start()
      p:join()
      return p
    end)())
    for call, text in pairs {
      send = "ARRIVE of <pid [%d.]+> %(%)",
      kill = "KILL of <pid [%d.]+> %(%)",
      interrupt = "INTERRUPT of <pid [%d.]+> %(%)",
    } do
      sim:after(1, function()
        sim[call](sim, "known")
      end)
      local p = t:create()
      local ok, err = pcall(p.replay, p, signals(log))
      assert.is_false(ok)
      assert.matches(
        "replay: something came from outside while it went on: " .. text,
        err.message
      )
      assert.equal("failed", p.status)
    end
  end)
end)

describe("4.19 what is no message and no use", function()
  local count = 0

  -- The difference of a body that is not the same each time.
  local function violation(body, act)
    count = 0
    local log, t = record(body, act)
    return (difference(t, log))
  end

  it("is found out: a counter, or a clock", function()
    local function body()
      count = count + 1
      md.emit("count", count)
    end
    assert.equal(
      "replay: signal 2 was SEND of <pid 1> ('count', 1) at time 0.0, and now "
        .. "it is SEND of <pid 1> ('count', 2) at time 0.0",
      violation(body)
    )
    local log, t = record(function()
      md.emit("time", md.now())
    end)
    local sim = md.sim()
    sim:run(5)
    local p = sim:template(t):create()
    local ok, err = pcall(p.replay, p, signals(log))
    assert.is_false(ok)
    assert.matches(
      "%('time', 0.0%) at time 0.0, .*%('time', 5.0%)",
      err.message
    )
  end)

  it("is found out: random numbers without a stream of their own", function()
    local sim = md.sim()
    local t = sim:template {
      entrypoint = function()
        md.emit(math.random(10 ^ 9))
      end,
    }
    local log = pulled(t:create():start())
    local p = t:create()
    assert.is_false(pcall(p.replay, p, signals(log)))
    -- what comes by use is kept
    local u = sim:template {
      entrypoint = function()
        md.emit(md.use(math.random, 10 ^ 9))
      end,
    }
    log = pulled(u:create():start())
    assert.equal(log[3].data, pulled(u:create():replay(signals(log)))[3].data)
  end)

  it("is found out: a sleep that is longer, a wait that is shorter", function()
    assert.equal(
      "replay: signal 2 was SEND of <pid 1> ('x') at time 1.0, and now it is "
        .. "SEND of <pid 1> ('x') at time 2.0",
      violation(function()
        count = count + 1
        md.sleep(count)
        md.emit "x"
      end)
    )
    assert.equal(
      "replay: signal 2 was SEND of <pid 1> to <pid 1> ('x') at time 0.0, and "
        .. "now it is SEND of <pid 1> to <pid 1> ('x') at time 0.0; what "
        .. "differs is its at",
      violation(function()
        count = count + 1
        md.send_after(count, md.self(), "x")
      end)
    )
  end)

  it("is found out: a message to another, or from nobody", function()
    assert.matches(
      "signal 4 was SEND of <pid 1> to <pid 2> %('x'%) at time 0.0, and now it "
        .. "is SEND of <pid 1> to <pid 3> %('x'%)",
      violation(function()
        count = count + 1
        local pids = { md.spawn(md.wait), md.spawn(md.wait) }
        md.send(pids[count], "x")
      end)
    )
  end)

  it("is found out: doing to others what is not on record", function()
    local sim = md.sim()
    local outside = sim:spawn(function()
      while true do
        pcall(md.sleep, 100)
      end
    end)
    local ok_calls = {}
    for _, call in ipairs { "kill", "interrupt", "join", "link", "monitor" } do
      local t = sim:template {
        entrypoint = function(to)
          if call == "join" then
            md.join(to, 0)
          else
            md[call](to)
          end
          md.emit "end"
        end,
      }
      local to = call == "kill" and sim:spawn(md.sleep, 9) or outside
      local p = t:create(to):start()
      sim:run(sim:now())
      local q = t:create(to)
      local ok, err = pcall(q.replay, q, signals(pulled(p)))
      assert.is_false(ok, call)
      ok_calls[#ok_calls + 1] = call
      assert.matches(
        ("replay: <pid [%%d.]+> does %s to <pid [%%d.]+>, which is outside "):format(
          call
        )
          .. ("and not on record; md.use%%(md.%s, ...%%) keeps what comes of it"):format(
            call
          ),
        err.message
      )
    end
    assert.equal(5, #ok_calls)
    local t = sim:template {
      entrypoint = function(to)
        md.use(md.interrupt, to, "x")
        return md.use(md.join, to, 1)
      end,
    }
    local p = t:create(sim:spawn(function()
      pcall(md.sleep, 9)
      return 5
    end))
    assert.equal(5, p:start():join())
  end)
end)

describe("what is the same in two executions", function()
  -- Replays a body that emits its values; true, or the difference.
  local function same(body, ...)
    local log, t = record(body, nil, ...)
    local p = again(t, ...)
    local ok, err = pcall(p.replay, p, signals(log))
    return ok or err.message
  end

  it("are pids and refs that stand for the same, anywhere", function()
    assert.is_true(same(function()
      local child, ref = md.spawn(md.wait), md.ref()
      md.emit { child, { of = { [child] = ref, [ref] = { child } } } }
      md.emit(ref, { [{ ref }] = child, [{ child }] = 1 })
      md.send(child, ref, nil, { ref }, nil)
    end))
    local first = true
    assert.is_string(same(function()
      local a, b = md.spawn(md.wait), md.spawn(md.wait)
      md.emit { x = first and a or b }
      first = false
    end))
  end)

  it("are tables as keys, shared tables, and cycles", function()
    assert.is_true(same(function()
      local t, key = {}, { 1 }
      t.self, t[t], t[key], t.key = t, { t }, 2, key
      md.emit(t)
      md.emit { a = key, b = key }
    end))
    local n = 0
    assert.is_string(same(function()
      n = n + 1
      local t = {}
      t.self = n == 1 and t or { self = t }
      md.emit(t)
    end))
    n = 0
    assert.is_string(same(function()
      n = n + 1
      md.emit { [{ n }] = 1 }
    end))
  end)

  it("are tables of any depth", function()
    assert.is_true(same(function()
      local t = {}
      for _ = 1, 200000 do
        t = { t }
      end
      md.emit(t)
    end))
  end)

  it("are functions, objects of one kind, and not a number", function()
    assert.is_true(same(function()
      md.emit(function() end, md.queue(), 0 / 0, { 0 / 0 })
    end))
  end)

  it("are records of message types", function()
    local Ping = md.message("ping", { n = md.is.integer, from = md.is.pid })
    local n = 1
    local function body()
      md.send(md.self(), Ping { n = n, from = md.self() })
      return md.wait(Ping).n
    end
    assert.is_true(same(body))
    n = 0
    assert.is_string(same(function()
      n = n + 1
      body()
    end))
  end)

  it("are times, shifted as a whole", function()
    local log, t = record(function()
      md.sleep(0.1)
      md.send_at(md.now() + 0.2, md.self(), "x")
      md.wait "x"
    end)
    for _, shift in ipairs { 0.3, 1e6, 12345.6789 } do
      local sim = md.sim()
      sim:run(shift)
      local p = sim:template(t):create():replay(signals(log))
      assert.equal("done", p.status)
      assert.is_true(math.abs(sim:now() - shift - 0.3) < 1e-8)
    end
  end)
end)

describe("md.use in a replay", function()
  it("that waited is not called, and waits as long", function()
    local calls = 0
    local log, t = record(function()
      local other = md.spawn(function()
        md.sleep(1)
        md.emit "between"
        md.sleep(3)
        md.emit "after"
      end)
      md.use(function()
        calls = calls + 1
        md.sleep(2)
      end)
      md.emit "used"
      md.join(other)
    end)
    local p = again(t):replay(signals(log))
    assert_same(log, pulled(p))
    assert.equal(1, calls)
  end)

  it("that was under way where the record ends is called again", function()
    local calls = 0
    local log, t = record(function()
      md.spawn(function()
        md.sleep(1)
        md.emit "between"
      end)
      return md.use(function()
        calls = calls + 1
        md.sleep(3)
        return calls
      end)
    end)
    assert.equal("START SPAWN START SEND STOP USE STOP", kinds(log))
    local p = again(t):replay(signals(log, 5))
    assert.equal(2, calls)
    assert.equal(2, p:join())
    assert.equal(4.0, p.template.sim:now()) -- three from where the record ends
  end)

  it("takes the messages that were taken meanwhile", function()
    local log, t = record(function()
      local x = md.use(function()
        md.sleep(1)
        return (md.wait "in use")
      end)
      return x, (md.wait "after"), md.inbox()
    end, function(p)
      p:push("other", 1)
      p:push("after", 2)
      p:push("in use", 3)
    end)
    assert.same({ 3, 2, 1, n = 3 }, log[#log].result)
    local p = again(t):replay(signals(log))
    assert.same({ 3, 2, 1 }, { p:join() })
    assert_same(log, pulled(p))
  end)

  it("is a child's as well, and raises again", function()
    local calls = 0
    local log, t = record(function()
      return md.join(md.child(function()
        return pcall(md.use, function()
          calls = calls + 1
          error { why = calls }
        end)
      end))
    end)
    local p = again(t):replay(signals(log))
    assert.same({ { false, { why = 1 } }, 1 }, { { p:join() }, calls })
  end)

  it("that was interrupted is so again, killed as well", function()
    local log, t = record(function()
      local ok, err = pcall(md.use, md.sleep, 9)
      md.emit(ok, err.cause)
      md.use(md.sleep, 9)
    end, function(p, sim)
      sim:run(1)
      sim:interrupt(p.pid, "x")
      sim:run(2)
      sim:kill(p.pid)
    end)
    assert.equal("START INTERRUPT USE SEND KILL FAIL", kinds(log))
    for n = 0, #log do
      local p = again(t):replay(signals(log, n))
      if n >= 2 then
        assert.same({ false, "x", n = 2 }, pulled(p)[4].message)
      end
    end
  end)
end)
