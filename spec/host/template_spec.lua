-- Templates: processes that are made, fed and watched from outside, and their
-- signals. The programs are Chronoflow's, written with our names.
local md = require "moondial"
local recorded = require "spec.host.recorded"
local support = require "spec.host.support"

local pulled = recorded.pulled

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

describe("4.1 the help on templates", function()
  it("says that they are experimental, and what a record is", function()
    local got = support.run "require 'moondial'.help 'templates'"
    assert.matches("\nExperimental: ", got.out)
    for _, kind in ipairs { "START", "ARRIVE", "RETURN", "BACKOFF", "CALL" } do
      assert.matches("\n  " .. kind, got.out)
    end
  end)
end)
