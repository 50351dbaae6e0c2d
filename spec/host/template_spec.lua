-- Templates: processes that are made, fed and watched from outside, and their
-- signals. The programs are Chronoflow's, written with our names.
local md = require "moondial"
local support = require "spec.host.support"

local function pulled(p)
  local list = {}
  for s in p:pull() do
    list[#list + 1] = s
  end
  return list
end

-- Each signal as a line: its kind and its values.
local function lines(p)
  local list = {}
  for i, s in ipairs(pulled(p)) do
    local values = s.message or s.args or s.result or { s.data, n = 1 }
    local words = { s.kind }
    for k = 1, values.n do
      words[#words + 1] = tostring(values[k])
    end
    list[i] = table.concat(words, " ")
  end
  return list
end

local function refusal(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err.kind .. ": " .. err.message:gsub("^[%w%p]*:%d+: ", "")
end

-- A sim whose time is not that of others.
local function new(options)
  local sim = md.sim()
  return sim:template(options), sim
end

local function greet(count)
  for i = 1, count do
    local name = md.wait()
    md.emit(("greeting #%d: Hello %s!"):format(i, name))
  end
end

describe("a template", function()
  it("4.8 is a definition that makes any number of instances", function()
    local t = new { name = "greeter", entrypoint = greet }
    local a, b = t:create(1):start(), t:create(2):start()
    a:push "Alice"
    b:push "Bob"
    assert.same({ "done", "waiting" }, { a.status, b.status })
    assert.same({
      "START 1",
      "ARRIVE Alice",
      "RECEIVE Alice",
      "SEND greeting #1: Hello Alice!",
      "STOP",
    }, lines(a))
    assert.equal("SEND greeting #1: Hello Bob!", lines(b)[4])
  end)

  it("4.8 has types of what it receives and of what it emits", function()
    local t = new {
      name = "echo",
      accepts = md.protocol { say = { md.is.string } },
      emits = md.protocol { said = { md.is.string } },
      entrypoint = function()
        md.emit("said", md.wait "say")
        md.emit("said", 5)
      end,
    }
    local p = t:create():start()
    assert.matches(
      "^usage: send: 'echo' expects md%.is%.string as value 2 of 'say', got 5",
      refusal(p.push, p, "say", 5)
    )
    assert.matches(
      "^usage: emit: 'echo' expects md%.is%.string as value 2 of 'said', got 5",
      refusal(p.push, p, "say", "x")
    )
    assert.same({ "SEND said x" }, { lines(p)[4] })
  end)

  it("4.27 tells its name, version, doc and all that it is made of", function()
    local protocol = md.protocol { stop = {} }
    local t = md.template {
      name = "greeter",
      version = "1.2",
      doc = "Greets.",
      inbox = 3,
      accepts = protocol,
      entrypoint = greet,
    }
    assert.same(
      { "greeter", "1.2", "Greets.", 3, protocol, greet },
      { t.name, t.version, t.doc, t.inbox, t.accepts, t.entrypoint }
    )
    assert.equal(t, t:create().template)
    assert.equal("template greeter", tostring(t))
    assert.equal("template", md.template({ entrypoint = greet }).name)
  end)

  it("refuses what it is not made of", function()
    assert.equal(
      "usage: template: expected a function as entrypoint, got nil",
      refusal(md.template)
    )
    assert.equal(
      "usage: template: there is no option 'rout'; did you mean 'route'?",
      refusal(md.template, { entrypoint = greet, rout = greet })
    )
    assert.equal(
      "usage: template: expected an integer of at least 1 as inbox, got 0",
      refusal(md.template, { entrypoint = greet, inbox = 0 })
    )
    local t = md.template { entrypoint = greet }
    assert.equal(
      "usage: create: expected the template before the arguments, got nil; "
        .. "write t:create(...), with a colon",
      refusal(t.create)
    )
  end)

  it("4.33 waits at no cost of a yield, from any depth of calls", function()
    local function deep(n)
      if n > 0 then
        return (deep(n - 1))
      end
      return (md.wait "x")
    end
    local t = new {
      entrypoint = function()
        local words = coroutine.wrap(function()
          coroutine.yield(deep(50))
          coroutine.yield(select(2, pcall(md.wait, "x")))
        end)
        return words(), words()
      end,
    }
    local p = t:create():start()
    p:push("x", 1)
    p:push("x", 2)
    assert.same({ 1, 2 }, { p:join() })
    assert.equal(3, pulled(p)[6].turn) -- of the start, and of each message
  end)
end)

describe("4.10 an instance that is created", function()
  local t = md.template { name = "greeter", entrypoint = greet }

  it("has not started, and runs nothing", function()
    local ran = false
    local p = new({
      entrypoint = function()
        ran = true
      end,
    }):create()
    assert.is_false(ran)
    assert.equal("created", p.status)
    assert.equal("template (not started)", tostring(p))
    p:start()
    assert.is_true(ran)
  end)

  it("cannot be used before it starts", function()
    local p = t:create(1)
    for _, call in ipairs { "push", "pull", "join" } do
      assert.equal(
        ("usage: %s: 'greeter' has not started; p:start() or "):format(call)
          .. "p:replay{...} comes first",
        refusal(p[call], p)
      )
    end
    for _, field in ipairs { "pid", "children" } do
      assert.equal(
        ("usage: %s: 'greeter' has not started; p:start() or "):format(field)
          .. "p:replay{...} comes first",
        refusal(function()
          return p[field]
        end)
      )
    end
  end)

  it("starts once, by start or by replay", function()
    local text = "'greeter' has started already; make another with "
      .. "t:create(...)"
    local nothing = {
      signals = function()
        return ipairs {}
      end,
    }
    local started, replayed = t:create(1):start(), t:create(1):replay(nothing)
    for _, p in ipairs { started, replayed } do
      assert.equal("usage: start: " .. text, refusal(p.start, p))
      assert.equal("usage: replay: " .. text, refusal(p.replay, p, nothing))
    end
  end)

  it("wants a colon", function()
    assert.equal(
      "usage: push: expected the instance before the arguments, got 'x'; "
        .. "write p:push(...), with a colon",
      refusal(t:create(1):start().push, "x")
    )
  end)
end)

describe("4.11 the host", function()
  it("pushes messages, and pulls the signals since the last time", function()
    local p = new({ entrypoint = greet }):create(10):start()
    assert.is_true(p:push "Alice")
    assert.equal(4, #pulled(p))
    assert.equal(0, #pulled(p))
    p:push "Bob"
    assert.same({
      "ARRIVE Bob",
      "RECEIVE Bob",
      "SEND greeting #2: Hello Bob!",
    }, lines(p))
  end)

  it("may push while it pulls, and leave a pull in the middle", function()
    local p = new({ entrypoint = greet }):create(3):start()
    p:push "a"
    local kinds = {}
    for s in p:pull() do
      kinds[#kinds + 1] = s.kind
      if #kinds == 2 then
        p:push "b"
      elseif #kinds == 5 then
        break
      end
    end
    assert.same({ "START", "ARRIVE", "RECEIVE", "SEND", "ARRIVE" }, kinds)
    assert.same({ "RECEIVE b", "SEND greeting #2: Hello b!" }, lines(p))
  end)

  it("joins an instance: in a run of its own, or in a process", function()
    local t, sim = new {
      entrypoint = function(d)
        md.sleep(d)
        return d, "slept"
      end,
    }
    local p = t:create(3):start()
    assert.same({ nil, "timeout" }, { p:join(1) })
    assert.equal(1, sim:now())
    assert.same({ 3, "slept" }, { p:join() })
    assert.equal(3, sim:now())
    local q, got = t:create(2), nil
    sim:spawn(function()
      got = { q:start():join(1) }
      got[3] = q:join()
    end)
    sim:run()
    assert.same({ nil, "timeout", 2 }, got)
  end)

  it("is told that a join would never end, or what is no timeout", function()
    local p = new({ name = "w", entrypoint = md.wait }):create("go"):start()
    assert.equal(
      "usage: join: the run ended (idle) while 'w' waits for a message that "
        .. "begins with 'go'",
      refusal(p.join, p)
    )
    assert.same({ nil, "timeout" }, { p:join(2) })
    assert.equal(
      "usage: join: expected a duration of at least 0 as timeout, got 'x'",
      refusal(p.join, p, "x")
    )
  end)

  it("gets the error of the entrypoint, at the call that brings it", function()
    local t = new {
      entrypoint = function(text)
        error(md.wait(text), 0)
      end,
    }
    local p = t:create("fail"):start()
    local ok, err = pcall(p.push, p, "fail", { "broken" })
    assert.same({ false, { "broken" } }, { ok, err })
    assert.equal("failed", p.status)
    assert.same({ false, { "broken" } }, { pcall(p.join, p) })
    assert.is_false(p:push "more")
    local log = pulled(p)
    assert.same({ "FAIL", { "broken" } }, { log[#log].kind, log[#log].error })
  end)

  it("sees pid, status and children", function()
    local t = new {
      name = "parent",
      entrypoint = function()
        md.child(md.wait, "a")
        md.wait()
      end,
    }
    local p = t:create():start()
    assert.equal("pid", p.pid.kind)
    assert.equal("waiting", p.status)
    assert.equal(1, #p.children)
    assert.equal("parent " .. tostring(p.pid), tostring(p))
    p:push "end"
    assert.same({ "done", {} }, { p.status, p.children })
    assert.is_false(p:push "more")
  end)

  it("has an instance in the sim of its template", function()
    local sim = md.sim { precision = 0 }
    local p = sim:template({ entrypoint = md.sleep }):create(7):start()
    md.run(0)
    assert.equal(0, sim:now())
    p:join()
    assert.equal(7, sim:now())
  end)

  it("may be a process or a callback of the same sim", function()
    local t, sim = new { entrypoint = greet }
    local p, kinds = t:create(2):start(), nil
    sim:after(1, function()
      p:push "from a callback"
    end)
    sim:spawn(function()
      md.sleep(2)
      p:push "from a process"
      md.yield()
      kinds = lines(p)
    end)
    sim:run()
    assert.same("SEND greeting #1: Hello from a callback!", kinds[4])
    assert.same("SEND greeting #2: Hello from a process!", kinds[7])
  end)

  it("keeps no instance for ever", function()
    local t = new { entrypoint = greet }
    local function used()
      for _ = 1, 200 do
        t:create(1):start():push "x"
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    used()
    local before = used()
    assert.is_true(used() - before < 30)
  end)
end)

describe("4.12 messages find their way", function()
  -- Whoever is sent to is named in the message: {from=, to=, data=}.
  local function route(outgoing)
    return outgoing.to
  end

  it("between two instances, by route (4.9)", function()
    local told = {}
    local t, sim = new {
      name = "echo",
      route = route,
      entrypoint = function(count)
        for i = 1, count do
          local m = md.wait()
          told[#told + 1] = ("%g: i=%d received %s"):format(md.now(), i, m.data)
          md.emit { from = md.self(), to = m.from, data = m.data }
          md.sleep(1)
        end
      end,
    }
    local a, b = t:create(3):start(), t:create(3):start()
    assert.not_equal(a.pid, b.pid)
    a:push { from = b.pid, to = a.pid, data = "hello" }
    sim:run()
    assert.same({
      "0: i=1 received hello",
      "0: i=1 received hello",
      "1: i=2 received hello",
      "1: i=2 received hello",
      "2: i=3 received hello",
      "2: i=3 received hello",
    }, told)
    assert.same({ "done", "done" }, { a.status, b.status })
    local from = {}
    for _, s in ipairs(pulled(b)) do
      if s.kind == "ARRIVE" then
        from[#from + 1] = s.from
      end
    end
    assert.same({ a.pid, a.pid, a.pid }, from)
  end)

  it("to a server and back, selected in any order (4.2, 4.13)", function()
    local server, sim = new {
      name = "server",
      route = route,
      entrypoint = function()
        while true do
          local r = md.wait()
          local known = r.command == "TIME"
          md.emit {
            id = r.id,
            from = md.self(),
            to = r.from,
            result = known and md.now() or "error",
          }
        end
      end,
    }
    local s, told = server:create():start(), {}
    local client = sim:template {
      route = route,
      entrypoint = function(to)
        for id, command in pairs { [100] = "TIME", [102] = "STOP" } do
          md.emit { id = id, from = md.self(), to = to, command = command }
        end
        for _, id in ipairs { 102, 100 } do
          local m = md.select(function(incoming)
            return incoming.id == id
          end)
          told[#told + 1] = m.id .. " " .. m.result
        end
      end,
    }
    client:create(s.pid):start()
    sim:run()
    assert.same({ "102 error", "100 0.0" }, told)
  end)

  it("to nobody when route says so, and not to what is no pid", function()
    local t = new {
      route = function(to)
        return to
      end,
      entrypoint = function(to)
        md.emit(to)
      end,
    }
    assert.same(
      { "START nil", "SEND nil", "STOP" },
      lines(t:create(nil):start())
    )
    local p = t:create {}
    assert.equal(
      "usage: emit: expected a pid or a registered name from route, "
        .. "got a table",
      refusal(p.start, p)
    )
    local q = new({
      route = function()
        error "no way"
      end,
      entrypoint = md.emit,
    }):create(1)
    assert.is_false(pcall(q.start, q))
    assert.equal("failed", q.status)
  end)

  it("from outside, whoever it is", function()
    local t, sim = new { entrypoint = greet }
    local p = t:create(3):start()
    sim:send(p.pid, "script")
    local other = sim:spawn(md.send, p.pid, "process")
    sim:run()
    p:push "host"
    local from = {}
    for _, s in ipairs(pulled(p)) do
      if s.kind == "ARRIVE" then
        from[#from + 1] = tostring(s.from) .. " " .. s.data
      end
    end
    assert.same(
      { "nil script", tostring(other) .. " process", "nil host" },
      from
    )
  end)
end)

describe("4.5 Parent and Child", function()
  it("share the messages, and are one family", function()
    local told = {}
    local function child(name)
      for _ = 1, 3 do
        local message = md.wait()
        told[#told + 1] = name .. " " .. message
      end
      return name
    end
    local t = new {
      entrypoint = function()
        local children = {}
        for i = 1, 3 do
          children[i] = md.child({ forward = true }, child, "child" .. i)
        end
        local first = md.wait()
        told[#told + 1] = "parent " .. first
        for i = 3, 1, -1 do
          local name = md.join(children[i])
          told[#told + 1] = "joined " .. name
        end
      end,
    }
    local p = t:create():start()
    for i = 1, 4 do
      p:push("msg" .. i)
    end
    assert.same({
      "parent msg1",
      "child1 msg1",
      "child2 msg1",
      "child3 msg1",
      "child1 msg2",
      "child2 msg2",
      "child3 msg2",
      "child1 msg3",
      "child2 msg3",
      "child3 msg3",
      "joined child3",
      "joined child2",
      "joined child1",
    }, told)
    local kinds = {}
    for _, s in ipairs(pulled(p)) do
      kinds[s.kind] = (kinds[s.kind] or 0) + 1
    end
    assert.same({
      START = 4,
      SPAWN = 3,
      ARRIVE = 3, -- the parent's: its children's copies follow
      RECEIVE = 10,
      JOIN = 3,
      STOP = 4,
    }, kinds)
  end)
end)

describe("4.4 use", function()
  it("calls a function once, and its result is a signal", function()
    local calls = 0
    local t = new {
      entrypoint = function(x)
        return md.use(function(...)
          calls = calls + 1
          return ..., nil, { x }
        end, x)
      end,
    }
    local p = t:create(5):start()
    assert.same({ 5, nil, { 5 } }, { p:join() })
    assert.equal(1, calls)
    local s = pulled(p)[2]
    assert.same(
      { "USE", { 5, nil, { 5 }, n = 3 }, 5 },
      { s.kind, s.result, s.data }
    )
  end)

  it("raises what the function raises, which is on record", function()
    local t = new {
      entrypoint = function(...)
        return pcall(md.use, error, ...)
      end,
    }
    for _, err in ipairs { "text", { 1 } } do
      local p = t:create(err, 0):start()
      assert.same({ false, err }, { p:join() })
      local s = pulled(p)[2]
      assert.same({ "USE", err, 0 }, { s.kind, s.error, s.result.n })
    end
    local p = t:create(nil):start()
    assert.same({ false, "nil" }, { p:join() })
  end)

  it("may wait, and what it does meanwhile is no signal", function()
    local t, sim = new {
      entrypoint = function(server)
        return md.use(function()
          md.sleep(1)
          md.join(md.spawn(md.sleep, 1))
          pcall(md.wait_timeout, 1, "never")
          return md.use(md.ask, server, "price")
        end)
      end,
    }
    local server = sim:spawn(function()
      local from, ref = md.wait "price"
      md.reply(from, ref, 42)
    end)
    local p = t:create(server):start()
    assert.equal(42, p:join())
    assert.equal(3, sim:now())
    local kinds = {}
    for i, s in ipairs(pulled(p)) do
      kinds[i] = s.kind
    end
    -- the answer comes in and is taken: that is the inbox's
    assert.same({ "START", "ARRIVE", "RECEIVE", "USE", "STOP" }, kinds)
  end)

  it("only calls where nothing is recorded", function()
    assert.equal(3, md.use(math.max, 1, 3))
    assert.same(
      { "0 3" },
      support.story(function(say)
        say(md.use(math.max, 1, 3))
      end)
    )
    assert.equal(
      "usage: use: expected a function, md.use(fn, ...), got 5",
      refusal(md.use, 5)
    )
    assert.equal(
      "usage: emit: only a process that was made from a template has somewhere "
        .. "to emit to; md.send(pid, ...) sends to a process",
      refusal(md.emit, 5)
    )
  end)
end)

describe("4.3 the signals of a family", function()
  -- Runs a body as an instance; its signals by kind, and all of them.
  local function record(body, options, act)
    local sim = md.sim()
    options = options or {}
    options.entrypoint = body
    local p = sim:template(options):create():start()
    if act then
      act(p, sim)
    end
    for _ = 1, 20 do
      pcall(sim.run, sim)
    end
    local of, log = {}, pulled(p)
    for _, s in ipairs(log) do
      of[s.kind] = of[s.kind] or s
    end
    return of, log, p
  end

  it("have kind, time, pid, seq, turn and data", function()
    local _, log, p = record(function()
      md.sleep(1.5)
      md.send(md.self(), "x", 1)
      md.sleep(1)
      return "done"
    end)
    for i, s in ipairs(log) do
      assert.same({ p.pid, i }, { s.pid, s.seq })
    end
    local s = log[2]
    assert.same(
      { "SEND", 1.5, "x", { "x", 1, n = 2 }, p.pid, nil },
      { s.kind, s.time, s.data, s.message, s.to, s.at }
    )
    assert.same({ "STOP", 2.5, "done" }, {
      log[3].kind,
      log[3].time,
      log[3].data,
    })
    assert.same({ 1, 2, 3 }, { log[1].turn, log[2].turn, log[3].turn })
  end)

  it("START, SPAWN, JOIN, STOP and FAIL", function()
    local function child(x)
      return x, nil
    end
    local of, log, p = record(function()
      local a = md.spawn(child, 7)
      md.join(a)
      local b = md.child({ forward = true, inbox = 2 }, error, "broken", 0)
      pcall(md.join, b)
    end)
    assert.same({ "START", p.pid, 0 }, {
      log[1].kind,
      log[1].pid,
      log[1].args.n,
    })
    assert.is_nil(log[1].fn) -- that is in the model
    local a = of.SPAWN.child
    assert.same({ a, nil, a }, { of.SPAWN.data, of.SPAWN.forward, log[3].pid })
    assert.same({ { 7, n = 1 }, 7 }, { log[3].args, log[3].data })
    assert.same({ 7, nil, n = 2 }, of.STOP.result)
    assert.same({ a, a }, { of.JOIN.child, of.JOIN.data })
    assert.same({ "SPAWN", true }, { log[6].kind, log[6].forward })
    assert.same({ "START", 2 }, { log[7].kind, log[7].inbox })
    assert.same({ "FAIL", "broken", "broken" }, {
      log[8].kind,
      log[8].error,
      log[8].data,
    })
  end)

  it("4.15 BACKOFF, of a process and of a push", function()
    local of, log = record(function()
      local slow = md.spawn({ inbox = 1 }, function()
        md.sleep(1)
        md.wait()
        md.wait()
      end)
      md.send(slow, "one")
      md.send(slow, "two")
    end)
    assert.same({ of.SPAWN.child, "two", { "two", n = 1 } }, {
      of.BACKOFF.to,
      of.BACKOFF.data,
      of.BACKOFF.message,
    })
    assert.same("STOP", log[#log].kind)
    local sim = md.sim()
    local p = sim:template({ entrypoint = md.sleep, inbox = 1 }):create(1)
    p:start()
    assert.same({ true, false }, { p:push "one", p:push "two" })
    local kinds = {}
    for i, s in ipairs(pulled(p)) do
      kinds[i] = s.kind .. " " .. tostring(s.data) .. " " .. tostring(s.to)
    end
    assert.same({ "START 1 nil", "ARRIVE one nil", "BACKOFF two nil" }, kinds)
  end)

  it("ARRIVE, RECEIVE, DROP and RETURN", function()
    local of, log = record(
      function()
        md.filter "b"
        md.send(md.self(), "flushed")
        md.flush()
        md.send_after(1, md.self(), "late")
        md.sleep(2)
        pcall(md.wait, "x")
        md.wait "x"
      end,
      nil,
      function(p, sim)
        p:push "a"
        p:push("b", nil)
        sim:run(2)
        sim:send(p.pid, "x")
        sim:interrupt(p.pid, "meanwhile")
      end
    )
    assert.same({ "a", nil }, { of.ARRIVE.data, of.ARRIVE.from })
    assert.same({ "a", n = 1 }, of.DROP.message)
    assert.same({ "b", nil, n = 2 }, of.RECEIVE.message)
    assert.same({ "x" }, { of.RETURN.data })
    assert.same({ "meanwhile", nil }, { of.INTERRUPT.cause, of.INTERRUPT.by })
    local told = {}
    for i, s in ipairs(log) do
      told[i] = s.kind .. (s.message and " " .. s.data or "")
    end
    assert.same({
      "START",
      "ARRIVE a",
      "DROP a",
      "ARRIVE b",
      "RECEIVE b",
      "SEND flushed",
      "DROP flushed",
      "SEND late",
      "ARRIVE late", -- what was sent for later tells when it comes
      "ARRIVE x",
      "RECEIVE x",
      "INTERRUPT",
      "RETURN x",
      "RECEIVE x",
      "STOP",
    }, told)
    assert.same({ 1.0, log[9].pid }, { log[8].at, log[9].from })
  end)

  it("TRANSITION, TIMEOUT, CALL and DOWN", function()
    local function second(x)
      pcall(md.wait_timeout, 1)
      md.after(1, print)
      local other = md.spawn(md.sleep, 1)
      pcall(md.ask, other, "price")
      return x
    end
    local of = record(function()
      md.become(second, 5, nil)
    end)
    assert.same(
      { second, { 5, nil, n = 2 }, 5 },
      { of.TRANSITION.fn, of.TRANSITION.args, of.TRANSITION.data }
    )
    assert.same({ 1.0, nil }, { of.TIMEOUT.time, of.TIMEOUT.data })
    assert.same({ 2.0, 1.0 }, { of.CALL.at, of.CALL.time })
    assert.equal(2.0, of.DOWN.time)
  end)

  it("INTERRUPT and KILL, by whom and why", function()
    local of, log, p = record(
      function()
        local other = md.spawn(function()
          pcall(md.sleep, 9)
          md.sleep(9)
        end)
        md.sleep(1)
        md.interrupt(other, "cause")
        md.kill(other, "reason")
        md.sleep(5)
      end,
      nil,
      function(p, sim)
        sim:run(2)
        sim:kill(p.pid)
      end
    )
    assert.same({ "cause", p.pid, "cause" }, {
      of.INTERRUPT.cause,
      of.INTERRUPT.by,
      of.INTERRUPT.data,
    })
    assert.same({ "reason", p.pid }, { of.KILL.reason, of.KILL.by })
    assert.same({ "killed", "reason" }, {
      of.FAIL.error.kind,
      of.FAIL.error.reason,
    })
    assert.same({ "KILL", nil, nil }, {
      log[#log - 1].kind,
      log[#log - 1].reason,
      log[#log - 1].by,
    })
    assert.same({ "FAIL", "killed" }, { log[#log].kind, log[#log].error.kind })
  end)

  it("exit and down messages arrive, and exit signals kill", function()
    local of, log, p = record(function()
      md.spawn({ monitor = true }, md.sleep, 1)
      md.wait "down"
      md.spawn({ link = true }, md.exit, "fatal")
      md.sleep(9)
    end)
    local child = of.SPAWN.child
    assert.same({ child, "down" }, { of.ARRIVE.from, of.ARRIVE.data })
    assert.same({ "fatal", p.pid }, { of.KILL.reason, of.KILL.pid })
    assert.same("FAIL", log[#log].kind)
  end)

  it("what a callback does is its maker's doing", function()
    local of, log, p = record(function()
      local me = md.self()
      md.after(1, function()
        md.send(me, "x")
        md.spawn(md.interrupt, me, "y")
      end)
      md.wait()
      pcall(md.sleep, 5)
    end)
    assert.same({ p.pid, p.pid, "x" }, {
      of.SEND.pid,
      of.SEND.to,
      of.SEND.data,
    })
    assert.is_nil(of.ARRIVE)
    assert.equal(p.pid, of.SPAWN.pid)
    assert.equal(of.SPAWN.child, of.INTERRUPT.by)
    assert.equal("STOP", log[#log].kind)
  end)

  it("keep tables as they were, with pids and refs in them", function()
    local ref, shared = md.ref(), {}
    local Point = md.message("point", { x = md.is.number })
    local _, log, p = record(function()
      local m = { n = 1, of = { md.self(), [ref] = true }, shared, shared }
      m.self = m
      md.send(md.self(), m, Point { x = 1 })
      m.n, m.of[1] = 2, nil
      local q = md.queue()
      md.emit(q)
      return q
    end)
    local m = log[2].message[1]
    assert.same({ 1, p.pid, true }, { m.n, m.of[1], m.of[ref] })
    assert.equal(m, m.self)
    assert.equal(m[1], m[2])
    assert.not_equal(shared, m[1])
    assert.equal(getmetatable(Point { x = 1 }), getmetatable(log[2].message[2]))
    -- an object of the library stays itself
    assert.equal(log[#log - 1].data, p:join())
  end)

  it("come to no other program: a sim without templates has none", function()
    local sim = md.sim()
    local before = sim:hash()
    local plain = md.sim()
    for _, s in ipairs { sim, plain } do
      s:spawn(function()
        md.send(md.self(), 1)
        md.wait()
      end)
      s:run()
    end
    assert.equal(sim:hash(), plain:hash())
    assert.not_equal(before, sim:hash())
  end)
end)

describe("4.1 the help on templates", function()
  it("says that they are experimental, and what a record is", function()
    local got = support.run "require 'moondial'.help 'templates'"
    assert.matches("\nExperimental: ", got.out)
    for _, kind in ipairs { "START", "ARRIVE", "RETURN", "BACKOFF", "CALL" } do
      assert.matches("\n  " .. kind, got.out)
    end
  end)
end)
