-- Running a sim: until when, step by step, from where; several sims.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function ticking(options)
  local sim = md.sim(options)
  local seen = {}
  for i = 1, 5 do
    sim:at(i, function()
      seen[#seen + 1] = i
    end)
  end
  return sim, seen
end

local function fails(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(pattern, tostring(err))
  return err
end

describe("run", function()
  it("ends done when nothing is left (1.3)", function()
    local sim, seen = ticking()
    assert.same({ "done", 5.0 }, { sim:run() })
    assert.same({ 1, 2, 3, 4, 5 }, seen)
    assert.same({ "done", 5.0 }, { sim:run() })
    assert.same({ "done", 0.0 }, { md.sim():run() })
  end)

  it("ends idle when processes wait and nothing can come", function()
    local sim = md.sim()
    local p = sim:spawn({ name = "waiter" }, function()
      sim:sleep(2)
      sim:wait "godot"
    end)
    assert.same({ "idle", 2.0 }, { sim:run() })
    local waiting = sim:waiting()
    assert.equal(1, #waiting)
    assert.equal(p, waiting[1].pid)
    assert.equal("'waiter'", waiting[1].name)
    assert.matches("godot", waiting[1].waiting)
    assert.matches("run_spec.lua:%d+", waiting[1].where)
    sim:send(p, "godot")
    assert.same({ "done", 2.0 }, { sim:run() })
  end)

  it("ends exactly at `to`, after the events of that time (0.13)", function()
    local sim, seen = ticking()
    assert.same({ "time", 3.0 }, { sim:run(3) })
    assert.same({ 1, 2, 3 }, seen)
    assert.same({ "time", 3.5 }, { sim:run { to = 3.5 } })
    assert.same({ "time", 3.5 }, { sim:run(3.5) })
    assert.same({ "done", 9.0 }, { sim:run(9) })
    assert.equal(9, sim:now())
    assert.same({ 1, 2, 3, 4, 5 }, seen)
  end)

  it("has the events that those at `to` cause at that time", function()
    local sim = md.sim()
    local seen = {}
    sim:at(1, function()
      sim:after(0, function()
        seen[#seen + 1] = "caused"
        sim:spawn(function()
          seen[#seen + 1] = "spawned"
        end)
      end)
    end)
    sim:run(1)
    assert.same({ "caused", "spawned" }, seen)
  end)

  it("bounds a sleep that nobody else disturbs", function()
    local sim = md.sim()
    local woke
    sim:spawn(function()
      for _ = 1, 10 do
        sim:sleep(1)
        woke = sim:now()
      end
    end)
    assert.same({ "time", 2.5 }, { sim:run(2.5) })
    assert.equal(2, woke)
    assert.same({ "done", 10.0 }, { sim:run() })
  end)

  it("ends idle at `to` as well", function()
    local sim = md.sim()
    sim:spawn(sim.wait, sim)
    assert.same({ "idle", 8.0 }, { sim:run(8) })
  end)

  it("ends after a number of events", function()
    local sim, seen = ticking()
    assert.same({ "events", 0.0 }, { sim:run { events = 0 } })
    assert.same({ "events", 2.0 }, { sim:run { events = 2 } })
    assert.same({ 1, 2 }, seen)
    assert.equal(2, sim:events())
    assert.same({ "done", 5.0 }, { sim:run { events = 100 } })
    assert.equal(5, sim:events())
  end)

  it("ends when a predicate is true, which it may be at once", function()
    local sim, seen = ticking()
    local function three()
      return #seen >= 3
    end
    assert.same({ "when", 3.0 }, { sim:run { when = three } })
    assert.same({ "when", 3.0 }, { sim:run { when = three } })
    assert.same({ "time", 4.0 }, { sim:run { to = 4, when = function() end } })
    assert.same({ "done", 5.0 }, { sim:run { when = function() end } })
  end)

  it("raises the error of its predicate", function()
    local sim = ticking()
    fails("no predicate", sim.run, sim, {
      when = function()
        error "no predicate"
      end,
    })
    assert.same({ "done", 5.0 }, { sim:run() })
  end)

  it("refuses what is no limit", function()
    local sim = ticking()
    sim:run(2)
    fails("1 is in the past", sim.run, sim, 1)
    fails("did you mean 'when'", sim.run, sim, { wen = 1 })
    fails("expected a function as when", sim.run, sim, { when = 1 })
    fails("integer of at least 0 as events", sim.run, sim, { events = -1 })
    fails("integer of at least 0 as events", sim.run, sim, { events = "1" })
    fails("expected a time", sim.run, sim, "3")
    fails("expected a time", sim.run, sim, { to = {} })
    assert.same({ "done", 5.0 }, { sim:run() })
  end)

  it("inside of a run of the same sim is refused", function()
    story(function(_, sim)
      fails("running already", md.run)
      fails("running already", sim.step, sim)
      sim:at(0, function()
        fails("running already", sim.run, sim)
      end)
    end)
  end)

  it("goes on after an error, from where it was", function()
    local sim, seen = ticking()
    sim:spawn({ at = 2 }, error, "oops")
    fails("oops", sim.run, sim)
    assert.equal(2, sim:now())
    assert.same({ "done", 5.0 }, { sim:run() })
    assert.same({ 1, 2, 3, 4, 5 }, seen)
  end)
end)

describe("stop", function()
  it("ends the run after the event, with its values (0.17)", function()
    local sim, seen = ticking()
    sim:spawn({ at = 2 }, function()
      sim:stop("why", nil, 3)
      seen[#seen + 1] = "goes on"
      sim:stop "not heard"
      sim:sleep(0)
      seen[#seen + 1] = "later"
    end)
    assert.same({ "stopped", 2.0, "why", nil, 3 }, { sim:run() })
    assert.same({ 1, 2, "goes on" }, seen)
    assert.same({ "done", 5.0 }, { sim:run() })
    assert.same({ 1, 2, "goes on", "later", 3, 4, 5 }, seen)
  end)

  it("works from a callback, and ends a run to a time where it is", function()
    local sim = md.sim()
    sim:at(1, sim.stop, sim)
    assert.same({ "stopped", 1.0 }, { sim:run(10) })
    assert.equal(1, sim:now())
  end)

  it("outside of a run is refused", function()
    local sim = md.sim()
    fails("not running", sim.stop, sim)
  end)
end)

describe("step and peek", function()
  it("step does one event and says whether there was one", function()
    local sim, seen = ticking()
    for i = 1, 5 do
      assert.equal(i, sim:peek())
      assert.is_true(sim:step())
      assert.equal(i, #seen)
      assert.equal(i, sim:now())
    end
    assert.is_nil(sim:peek())
    assert.is_false(sim:step())
    assert.equal(5, sim:now())
  end)

  it("step stops a process at each of its waits", function()
    local sim = md.sim()
    local at = {}
    sim:spawn(function()
      for _ = 1, 3 do
        at[#at + 1] = sim:now()
        sim:sleep(1)
      end
    end)
    for i = 1, 3 do
      assert.is_true(sim:step())
      assert.equal(i, #at)
    end
    assert.is_true(sim:step())
    assert.is_false(sim:step())
  end)

  it("peek passes over what was cancelled and changes nothing", function()
    local sim = ticking()
    local other = ticking()
    sim:at(0.5, print):cancel()
    other:at(0.5, print):cancel()
    assert.equal(1, sim:peek())
    sim:run()
    other:run()
    assert.equal(other:hash(), sim:hash())
  end)

  it("the same steps have the same hash as a run", function()
    local sim, other = ticking(), ticking()
    while sim:step() do
      sim:peek()
    end
    other:run()
    assert.equal(other:hash(), sim:hash())
    assert.equal(other:events(), sim:events())
  end)
end)

describe("several sims", function()
  it("have clocks, pids and chance of their own (2.18)", function()
    local a, b = md.sim { seed = 1 }, md.sim { seed = 1 }
    local draws = {}
    local function body(sim, d)
      sim:sleep(d)
      draws[sim] = { math.random(), sim:rng():uniform() }
    end
    local pa, pb = a:spawn(body, a, 1), b:spawn(body, b, 2)
    assert.are_not.equal(pa, pb)
    a:run()
    assert.equal(0, b:now())
    b:run()
    assert.equal(1, a:now())
    assert.equal(2, b:now())
    assert.same(draws[a], draws[b])
    fails("belongs to another sim", a.kill, a, pb)
  end)

  it("may run inside of one another", function()
    assert.same(
      { "1 10", "2 20", "2 outer" },
      story(function(say)
        local inner = md.sim()
        assert.are_not.equal(inner, md.current())
        inner:spawn(function()
          assert.equal(inner, md.current())
          for _ in md.every(10) do
            say(md.now())
          end
        end)
        for t in md.every(1, { count = 2 }) do
          assert.equal("time", (inner:run(t * 10)))
          assert.equal(t, md.now())
        end
        fails("belongs to another sim", inner.sleep, inner, 1)
        say "outer"
      end)
    )
  end)

  it("are freed when nobody knows them", function()
    local known = setmetatable({}, { __mode = "k" })
    for _ = 1, 20 do
      local sim = md.sim()
      sim:spawn(sim.wait, sim)
      sim:run()
      known[sim] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(known))
  end)
end)
