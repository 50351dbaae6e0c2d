-- Processes whose body is C, seen from outside and beside their twins in Lua.
local md = require "moondial"
local c = require "spec.native.bodies"

local function new(options)
  return md.sim(options or {})
end

-- What a join of p in its sim gives: true and results, or false and the error.
local function joined(sim, p)
  local got
  sim:spawn(function()
    got = table.pack(pcall(md.join, p))
  end)
  sim:run()
  return table.unpack(got, 1, got.n)
end

-- The message of what ended it, without where, and the kind.
local function failed(sim, p)
  local ok, err = joined(sim, p)
  assert.is_false(ok)
  return err.message, err.kind
end

describe("a process in C", function()
  it("sleeps, and is joined with what it returns", function()
    local sim = new()
    local p = sim:spawn_native(c.nap, 2.5)
    assert.equal("ready", sim:status(p))
    assert.same({ true, "slept", 2.5 }, { joined(sim, p) })
    assert.equal("done", sim:status(p))
  end)

  it("is started by spawn, too, with its options", function()
    local sim = new()
    local p = sim:spawn({ name = "nap", after = 1, priority = 3 }, c.nap, 2)
    assert.equal("nap", sim:info(p).name)
    assert.same({ true, "slept", 3.0 }, { joined(sim, p) })
  end)

  it("goes on in the order of all others", function()
    local sim, order = new(), {}
    local function note(name)
      return function(d)
        md.sleep(d)
        order[#order + 1] = name
      end
    end
    local p
    sim:spawn(note "a", 1)
    p = sim:spawn_native(c.nap, 1)
    sim:spawn(function()
      md.join(p)
      order[#order + 1] = "joined"
    end)
    sim:spawn(note "b", 1)
    sim:run()
    assert.same({ "a", "b", "joined" }, order)
  end)

  it("serves those who ask it, in the order of their questions", function()
    local sim, log = new(), {}
    local desk = sim:spawn_native({ name = "till" }, c.till)
    for i = 1, 3 do
      sim:spawn(function()
        local text, n = md.ask(desk, "serve", i)
        log[#log + 1] = ("%s %d %g"):format(text, n, md.now())
      end)
    end
    assert.equal("idle", (sim:run()))
    assert.same({ "done 1 1", "done 2 3", "done 3 6" }, log)
    assert.equal("waiting", sim:status(desk))
    assert.equal("a message", sim:info(desk).waiting)
    assert.matches(
      "^till of a compiled text, near line %d+$",
      sim:info(desk).where
    )
  end)

  it("asks processes in Lua and in C", function()
    local sim = new()
    local lua = sim:spawn(function()
      local from, ref, minutes = md.wait "serve"
      md.sleep(minutes)
      md.reply(from, ref, "lua")
    end)
    local a = sim:spawn_native(c.customer, lua, 10, 0)
    local b = sim:spawn_native(c.customer, sim:spawn_native(c.till), 10, 0)
    sim:run()
    assert.same({ true, 2, "lua" }, { joined(sim, a) })
    assert.same({ true, 2, "done" }, { joined(sim, b) })
  end)

  it("raises noproc when who is asked has ended, or ends", function()
    local sim = new()
    local nobody = sim:spawn(function() end)
    local mortal = sim:spawn(md.sleep, 1)
    sim:run(0)
    local soon = { after = 0.5 }
    local a = sim:spawn_native(soon, c.customer, nobody, 10, 0)
    local b = sim:spawn_native(c.customer, mortal, 10, 0)
    local d = sim:spawn_native(c.customer, mortal, 10, 2)
    for _, p in ipairs { a, b } do
      sim:spawn(function()
        local ok, err = pcall(md.join, p)
        assert.is_false(ok)
        assert.equal("noproc", err.kind)
        assert.matches("md_ask: the process asked has ended", err.message)
      end)
    end
    sim:run()
    assert.same({ true, 5 }, { joined(sim, d) })
  end)

  it("gives up when its time is over", function()
    local sim = new()
    local deaf = sim:spawn(md.wait, "never")
    local a = sim:spawn_native(c.customer, deaf, 1.5, 0)
    assert.same({ true, 3 }, { joined(sim, a) })
    assert.equal(1.5, sim:now())
    -- the answer comes at the instant at which the time ends, after it
    local late = sim:spawn(function()
      local from, ref = md.wait "serve"
      md.sleep(2)
      md.reply(from, ref, "late")
    end)
    assert.same(
      { true, 3 },
      { joined(sim, sim:spawn_native(c.customer, late, 2, 0)) }
    )
    assert.same(
      { true, 3 },
      { joined(sim, sim:spawn_native(c.customer, deaf, 0, 0)) }
    )
  end)

  it("receives by tag and sender; the others stay", function()
    local sim = new()
    local mate = sim:spawn(md.wait)
    local any = sim:spawn_native(c.picky, false, -1)
    local one = sim:spawn_native(c.picky, mate, -1)
    for _, p in ipairs { any, one } do
      sim:send(p, "that", 1)
      sim:send(p, "this", 2)
      sim:send(p, "this", 3)
    end
    sim:run()
    assert.equal("done", sim:status(any))
    assert.equal(3, sim:inbox(one))
    assert.equal("a message from process 1", sim:info(one).waiting)
    assert.same({ true, "this", 2 }, { joined(sim, any) })
    local other = sim:spawn(function()
      md.send(one, "this", "stranger")
    end)
    sim:run()
    assert.equal("done", sim:status(other))
    assert.equal("waiting", sim:status(one))
    local timed = sim:spawn_native(c.picky, mate, 2)
    assert.same({ true, "none", 3 }, { joined(sim, timed) })
  end)

  it("gets and sends all values that Lua has", function()
    local sim, got = new(), nil
    local table_, fn = { 1 }, print
    local sink = sim:spawn(function()
      got = table.pack(md.wait())
    end)
    local relay = sim:spawn_native(c.relay, sim:spawn_native(c.relay, sink))
    local ref = sim:ref()
    local bytes = ("a\0b"):rep(500)
    sim:send(
      relay,
      nil,
      true,
      false,
      7,
      -0.5,
      math.huge,
      bytes,
      "",
      relay,
      ref,
      table_,
      fn,
      nil
    )
    collectgarbage()
    sim:run()
    assert.same({
      n = 13,
      nil,
      true,
      false,
      7,
      -0.5,
      math.huge,
      bytes,
      "",
      relay,
      ref,
      table_,
      fn,
      nil,
    }, got)
    assert.equal(table_, got[11])
    assert.equal("integer", math.type(got[4]))
  end)

  it("refuses a message of more values than C can count", function()
    local sim = new()
    local relay = sim:spawn_native(c.relay, sim:spawn(md.wait))
    local ok, err = pcall(sim.send, sim, relay, table.unpack({}, 1, 256))
    assert.is_false(ok)
    assert.matches("at most 255 values, got 256", err.message)
  end)

  it("is killed; what stands behind MD_FINALLY is done", function()
    local sim, heard = new(), {}
    local owner = sim:spawn(function()
      while true do
        local what, when = md.wait()
        heard[#heard + 1] = { what, when, md.now() }
      end
    end)
    local p = sim:spawn_native(c.guarded, owner)
    sim:after(3, md.kill, p, "enough")
    sim:run(5)
    assert.same({ { "closed", 3.0, 3.0 } }, heard)
    local ok, err = joined(sim, p)
    assert.is_false(ok)
    assert.equal("killed", err.kind)
    assert.equal("enough", err.reason)
    -- one that has not begun has nothing to close
    local unborn = sim:spawn_native({ after = 5 }, c.guarded, owner)
    sim:kill(unborn)
    sim:run()
    assert.equal(1, #heard)
  end)

  it("is interrupted: its error, or what it catches", function()
    local sim = new()
    local owner = sim:spawn(function()
      while true do
        md.wait()
      end
    end)
    local nap = sim:spawn_native(c.nap, 10)
    local calm = sim:spawn_native(c.guarded, owner)
    local hurt = sim:spawn_native(c.guarded, owner)
    sim:spawn(function()
      md.sleep(2)
      md.interrupt(nap, "fire")
      md.interrupt(calm, { 1 })
      md.interrupt(hurt, "you")
    end)
    local errors = {}
    for i, p in ipairs { nap, hurt } do
      sim:spawn(function()
        errors[i] = select(2, pcall(md.join, p))
      end)
    end
    sim:run()
    assert.equal("interrupt", errors[1].kind)
    assert.equal("fire", errors[1].cause)
    assert.equal("native", errors[2].kind)
    assert.matches("no: you", errors[2].message)
    assert.same({ true, 2.0 }, { joined(sim, calm) })
  end)

  it("has what it was handed, and not seen, put back", function()
    local sim = new()
    local p = sim:spawn_native(c.picky, false, -1)
    sim:run()
    sim:spawn(function()
      md.send(p, "this", 1)
      md.interrupt(p, "first")
      assert.equal(1, md.inbox(p))
    end)
    local ok, err = joined(sim, p)
    assert.is_false(ok)
    assert.equal("first", err.cause)
  end)

  it("waits for room in a full inbox, and others for room in its", function()
    local sim, got = new(), {}
    local slow = sim:spawn({ inbox = 2 }, function()
      for i = 1, 5 do
        md.sleep(1)
        got[i] = md.wait()
      end
    end)
    local p = sim:spawn_native(c.flood, slow, 5)
    assert.same({ true, 3.0 }, { joined(sim, p) })
    assert.same({ 1, 2, 3, 4, 5 }, got)
    local till = sim:spawn_native({ inbox = 1 }, c.till)
    for _ = 1, 4 do
      sim:spawn(md.ask, till, "serve", 1)
    end
    sim:run()
    assert.equal(12.0, sim:now() + 3)
    assert.equal("waiting", sim:status(till))
  end)

  it("is lost with what lies in its inbox", function()
    local sim = new()
    local p = sim:spawn_native(c.nap, 1)
    sim:send(p, "one", {})
    sim:send(p, "two", ("x"):rep(100))
    assert.equal(2, sim:inbox(p))
    sim:run()
    assert.equal("done", sim:status(p))
    assert.equal(0, sim:inbox(p))
  end)

  it("uses its slot, and leaves it to one in Lua", function()
    local sim = new()
    for round = 1, 20 do
      local a = sim:spawn(md.sleep, 1)
      local b = sim:spawn_native(c.nap, 1)
      sim:run()
      assert.equal("done", sim:status(a))
      assert.equal("done", sim:status(b))
      assert.equal(round, sim:now())
    end
  end)
end)

describe("a process in C, among others,", function()
  it("is linked, monitored, a child, in a scope, supervised", function()
    local sim = new()
    local seen = {}
    sim:spawn(function()
      md.trap_exit(true)
      local p = md.spawn({ link = true }, c.wrong, 11)
      local reason = select(1, md.wait("exit", p))
      seen.linked = reason.message:match "a reason of 42"
      local q, ref = md.spawn_native({ monitor = true }, c.nap, 1)
      md.kill(q, "why")
      seen.monitored = select(2, md.wait("down", ref))
      local child = md.child(c.nap, 100)
      do
        local s <close> = md.scope()
        s:spawn(c.nap, 3)
      end
      seen.scope = md.now()
      seen.child = child
      local restarts = md.supervisor {
        max_restarts = 2,
        within = 100,
        children = { { id = "c", start = c.wrong, args = { 11 } } },
      }
      local down = md.monitor(restarts)
      seen.supervisor = select(2, md.wait("down", down))
      seen.any =
        md.await(md.any { md.timer(9), c.wait, md.all { md.timer(1) } })
    end)
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok) -- c.wait is not declared
    assert.matches("'wait' is not declared", tostring(err))
    assert.equal("a reason of 42", seen.linked)
    assert.equal("why", seen.monitored)
    assert.equal("shutdown", seen.supervisor)
    assert.equal(4.0, seen.scope)
    assert.equal("failed", sim:status(seen.child))
  end)

  it("calls what md has, and is known by a name", function()
    local sim = new()
    local victim = sim:spawn(md.wait)
    local p = sim:spawn_native(c.manager, victim)
    local ok, reason, boss, own = joined(sim, p)
    assert.same({ true, "old", p, p }, { ok, reason, boss, own })
  end)

  it("cannot be a part of what a template records", function()
    local sim = new()
    local t = sim:template {
      name = "t",
      entrypoint = function()
        return select(2, pcall(md.spawn_native, c.nap, 1))
      end,
    }
    local instance = t:create()
    instance:start()
    sim:run()
    assert.matches("template's instance", instance:join().message)
  end)
end)

describe("chance and records in C", function()
  it("are those of a process in Lua of that name", function()
    local a, b = new { seed = 5 }, new { seed = 5 }
    a:spawn_native({ name = "d" }, c.draws, 3)
    b:spawn({ name = "d" }, function()
      local rng, record = md.rng(), md.recorder("drawn", { "x", "left", "who" })
      for left = 3, 1, -1 do
        local x = rng:exponential(2)
        md.sleep(x)
        record(x, left, md.self())
      end
    end)
    a:run()
    b:run()
    assert.equal(3, #a:records "drawn")
    for i, r in ipairs(a:records "drawn") do
      r.who = r.who:gsub("%d+", "n")
      local other = b:records("drawn")[i]
      other.who = other.who:gsub("%d+", "n")
      assert.same(other, r)
    end
    assert.equal(b:hash(), a:hash())
  end)

  it("draw from all distributions as md.rng does", function()
    local sim = new { seed = 9 }
    local p = sim:spawn_native(c.chances, "dice")
    local got = { select(2, joined(sim, p)) }
    local r = new({ seed = 9 }):rng "dice"
    -- C takes arguments from the last to the first, or however it likes
    local methods = {
      { "uniform", 2, 5 },
      { "integer", 1, 6 },
      { "exponential", 3 },
      { "normal", 1, 2 },
      { "lognormal", 0, 1 },
      { "gamma", 2, 3 },
      { "erlang", 3, 2 },
      { "beta", 2, 3 },
      { "weibull", 2, 3 },
      { "pareto", 2, 3 },
      { "triangular", 1, 2, 4 },
      { "poisson", 9 },
      { "binomial", 9, 0.5 },
      { "geometric", 0.2 },
      { "bernoulli", 0.5 },
    }
    local want = {}
    for i, m in ipairs(methods) do
      want[i] = r[m[1]](r, table.unpack(m, 2))
    end
    assert.same(want, got)
  end)

  it("use the stream that spawn names", function()
    local sim, other = new { seed = 3 }, new { seed = 3 }
    sim:spawn_native({ stream = "shared" }, c.draws, 1)
    sim:run()
    assert.equal(other:rng("shared"):exponential(2), sim:records("drawn")[1].x)
  end)
end)

describe("what is wrong in C", function()
  local texts = {
    "md_sleep: expected a duration, a number of at least 0 and not too "
      .. "distant, got -1",
    "md_sleep: expected a duration",
    "md_send: expected a pid or a registered name as argument 1, got",
    "value 0 of the message is no value: it has type 77; make it by",
    "md_ask: a process that asks itself waits for ever",
    "md_exponential: expected a positive mean",
    "md_invoke: there is no function md.nothing",
    "sleep cannot block here, inside a C function that must return first",
    "md_record: expected what md_recorder has returned in this sim, got 99",
    "expected a text as value 5 of the arguments, got nothing: it has fewer",
    "a reason of 42",
    "md_receive: expected a duration",
    "md_ask: expected a pid, got 0",
    "md_sleep: the body waits already; it has to return",
    "md_uniform: expected finite bounds, the lower one first",
    "kill: no process is registered as 'nobody'",
  }

  for i, text in ipairs(texts) do
    it("ends the process by an error: " .. text, function()
      local sim = new()
      sim:spawn(md.sleep, 1.5) -- so that nothing goes on by itself
      local message, kind = failed(sim, sim:spawn_native(c.wrong, i))
      assert.is_truthy(message:find(text, 1, true), message)
      assert.is_truthy(kind)
    end)
  end

  it("names the body, its text, and the line", function()
    local sim = new()
    local message, kind = failed(sim, sim:spawn_native(c.wrong, 11))
    assert.equal("native", kind)
    assert.matches(
      "^wrong of a compiled text, near line %d+: a reason",
      message
    )
  end)

  it("ends the run where nobody is concerned", function()
    local sim = new()
    sim:spawn_native({ name = "clumsy" }, c.wrong, 11)
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok)
    assert.equal("clumsy", err.process)
    assert.equal(1.0, err.time)
  end)

  it("is to call a body", function()
    local ok, err = pcall(c.nap, nil)
    assert.is_false(ok)
    assert.equal("native", err.kind)
    assert.matches(
      "'nap' is the body of a process, and cannot be called; "
        .. "md.spawn_native",
      err.message
    )
  end)

  it("is refused where the process is spawned", function()
    local ffi = require "moondial.ffi"
    local function refused(...)
      local sim = new()
      local ok, err = pcall(sim.spawn_native, sim, ...)
      assert.is_false(ok)
      return err.message
    end
    local text = "declared as a body as argument 1"
    assert.matches(text, refused(print))
    assert.matches(text, refused(nil))
    assert.matches("as argument 2", refused({ name = "x" }, "text"))
    ffi.cdef "int abs(int); md_body free;"
    assert.matches(text, refused(ffi.C.abs))
    assert.matches("has to #include <moondial.h>", refused(ffi.C.free))
    local old = ffi.compile [[
      typedef struct md_process md_process;
      const unsigned moondial_abi = 1000;
      void old(md_process *p) { (void)p; }
    ]]
    assert.matches(
      "version 1000 of moondial.h, this program has version 1;"
        .. " compile it again",
      refused(old.old)
    )
  end)
end)
