-- Replays that do not come to what is recorded, and what counts as the same.
local md = require "moondial"
local recorded = require "spec.host.recorded"

local pulled = recorded.pulled
local signals = recorded.signals
local changed = recorded.changed
local record = recorded.record
local again = recorded.again
local difference = recorded.difference
local greet = recorded.greet
local greeted = recorded.greeted

describe("4.18 the first difference", function()
  it("is named: its number, what was recorded, what came", function()
    local log, t = greeted()
    local function told(n, changes)
      return (difference(t, changed(log, n, changes), 3))
    end
    assert.equal(
      "replay: signal 4 was SEND of <pid 1> ('Hi!') at time 0.0, and now it is "
        .. "SEND of <pid 1> ('greeting #1: Hello Alice!') at time 0.0",
      told(4, { message = { "Hi!", n = 1 } })
    )
    assert.equal(
      "replay: signal 4 was SEND of <pid 1> ('greeting #1: Hello Alice!') at "
        .. "time 1.5, and now it is SEND of <pid 1> ('greeting #1: Hello "
        .. "Alice!') at time 0.0",
      told(4, { time = 1.5 })
    )
    assert.equal(
      "replay: signal 4 was DROP of <pid 1> ('greeting #1: Hello Alice!') at "
        .. "time 0.0, and now it is SEND of <pid 1> ('greeting #1: Hello "
        .. "Alice!') at time 0.0",
      told(4, { kind = "DROP" })
    )
    assert.equal(
      "replay: signal 1 was START of <pid 1> (4) at time 0.0, and now it is "
        .. "START of <pid 1> (3) at time 0.0",
      told(1, { args = { 4, n = 1 } })
    )
    assert.equal(
      "replay: signal 3 was RECEIVE of <pid 1> ('Alice') at time 0.0, and now "
        .. "it is RECEIVE of <pid 1> ('Eve') at time 0.0",
      told(2, { message = { "Eve", n = 1 } })
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
      difference(t, less, 2)
    )
    local more = changed({ log[1], log[2], log[3], log[3] }, 4, { seq = 4 })
    assert.equal(
      "replay: signal 4 was SEND of <pid 1> (2) at time 0.0, and now nothing "
        .. "like it comes (idle)",
      difference(t, more, 2)
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
      (difference({ entrypoint = function() end }, log, 3))
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
    local said = "replay: <pid [%%d.]+> does %s to <pid [%%d.]+>, which is "
      .. "outside and not on record; md.use%%(md.%s, ...%%) keeps what comes "
      .. "of it"
    for _, call in ipairs { "kill", "interrupt", "join", "link", "monitor" } do
      local t = sim:template {
        entrypoint = function(to)
          md[call](to, call == "join" and 0 or nil)
          md.emit "end"
        end,
      }
      local to = call == "kill" and sim:spawn(md.sleep, 9) or outside
      local p = t:create(to):start()
      sim:run(sim:now())
      local q = t:create(to)
      local ok, err = pcall(q.replay, q, signals(pulled(p)))
      assert.is_false(ok, call)
      assert.matches(said:format(call, call), err.message)
    end
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
  local function agrees(body, ...)
    local log, t = record(body, nil, ...)
    local p = again(t, ...)
    local ok, err = pcall(p.replay, p, signals(log))
    return ok or err.message
  end

  it("are pids and refs that stand for the same, anywhere", function()
    assert.is_true(agrees(function()
      local child, ref = md.spawn(md.wait), md.ref()
      md.emit { child, { of = { [child] = ref, [ref] = { child } } } }
      md.emit(ref, { [{ ref }] = child, [{ child }] = 1 })
      md.send(child, ref, nil, { ref }, nil)
    end))
    local first = true
    assert.is_string(agrees(function()
      local a, b = md.spawn(md.wait), md.spawn(md.wait)
      md.emit { x = first and a or b }
      first = false
    end))
  end)

  it("are tables as keys, shared tables, and cycles", function()
    assert.is_true(agrees(function()
      local t, key = {}, { 1 }
      t.self, t[t], t[key], t.key = t, { t }, 2, key
      md.emit(t)
      md.emit { a = key, b = key }
    end))
    local n = 0
    assert.is_string(agrees(function()
      n = n + 1
      local t = {}
      t.self = n == 1 and t or { self = t }
      md.emit(t)
    end))
    n = 0
    assert.is_string(agrees(function()
      n = n + 1
      md.emit { [{ n }] = 1 }
    end))
  end)

  it("are tables of any depth", function()
    assert.is_true(agrees(function()
      local t = {}
      for _ = 1, 200000 do
        t = { t }
      end
      md.emit(t)
    end))
  end)

  it("are functions, objects of one kind, and not a number", function()
    assert.is_true(agrees(function()
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
    assert.is_true(agrees(body))
    n = 0
    assert.is_string(agrees(function()
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
