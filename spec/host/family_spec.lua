-- The signals of families: of each kind, what they tell and when.
local md = require "moondial"
local recorded = require "spec.host.recorded"

local pulled = recorded.pulled

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
