-- What a process runtime has to hold by itself, apart from any one call: turns,
-- wake-ups and their times, and that nothing is shared behind a model's back.
local md = require "moondial"
local support = require "spec.host.support"
local recorded = require "spec.host.recorded"
local story = support.story

describe("a turn", function()
  it("comes of a spawn, of a timer, or of a wake-up by others (2.7)", function()
    assert.same(
      {
        "0 spawned",
        "0 woken by a process",
        "1 timer",
        "2 woken by a callback",
      },
      story(function(say)
        local pid = md.spawn(function()
          say "spawned"
          say(md.wait())
          md.sleep(1)
          say "timer"
          say(md.wait())
        end)
        md.send(pid, "woken by a process")
        md.at(2, md.send, pid, "woken by a callback")
      end)
    )
  end)

  it("that wakes others is followed by theirs, at that time (2.11)", function()
    assert.same(
      { "1 wakes", "1 goes on", "1 woken", "1 timer of this turn", "2 later" },
      story(function(say)
        local other = md.spawn(function()
          say(md.wait())
        end)
        md.sleep(1)
        say "wakes"
        md.after(1, say, "later")
        md.send(other, "woken")
        md.after(0, say, "timer of this turn")
        say "goes on"
      end)
    )
  end)

  it(
    "has a time of its own in the schedule, whoever caused it (2.13)",
    function()
      local sim = md.sim()
      local times = {}
      local pid = sim:spawn(function()
        md.wait()
        pcall(md.wait_timeout, 3, "never")
      end)
      sim:run(0)
      assert.is_nil(sim:peek()) -- it waits, and nothing is due
      sim:run(1)
      sim:send(pid, "wake")
      repeat
        times[#times + 1] = sim:peek()
      until not sim:step()
      assert.same({ 1.0, 4.0 }, times)
    end
  )

  it("is never cut short: no lock is needed (2.14)", function()
    local shared, torn = { a = 0, b = 0 }, 0
    story(function()
      for _ = 1, 10 do
        md.spawn(function()
          for _ = 1, 100 do
            shared.a = shared.a + 1
            for _ = 1, 10 do
              md.send(md.self(), "x") -- does not block
            end
            shared.b = shared.b + 1
            torn = torn + (shared.a == shared.b and 0 or 1)
            md.flush()
            md.yield()
          end
        end)
      end
    end)
    assert.same({ { a = 1000, b = 1000 }, 0 }, { shared, torn })
  end)
end)

describe("a pid", function()
  it("is all that it takes to wake a process, from anywhere (2.12)", function()
    local sim = md.sim()
    local got = {}
    local pid = sim:spawn(function()
      for i = 1, 4 do
        got[i] = md.wait()
      end
    end)
    sim:send(pid, "by the script")
    sim:spawn(md.send, pid, "by a process")
    sim:after(1, md.send, pid, "by a callback")
    sim:send_after(2, pid, "by a timer")
    assert.equal("done", (sim:run()))
    assert.same(
      { "by the script", "by a process", "by a callback", "by a timer" },
      got
    )
  end)

  it("holds nothing of the process, and wakes no later one (2.12)", function()
    local sim = md.sim()
    local held = setmetatable({}, { __mode = "k" })
    local first = sim:spawn(function()
      held[{}] = true
    end)
    sim:run()
    local second = sim:spawn(md.wait) -- in the place of the first
    sim:run()
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(held))
    sim:send(first, "to the dead")
    assert.same({ "idle", "waiting" }, { sim:run(), sim:status(second) })
  end)
end)

describe("a run", function()
  it("of a limited time begins at zero, and ends just there (2.15)", function()
    local sim = md.sim { unit = "ms" }
    local times = {}
    sim:spawn(function()
      while true do
        times[#times + 1] = md.now()
        md.sleep(md.time "250us")
      end
    end)
    sim:at(0, function()
      times[#times + 1] = "at zero"
    end)
    assert.same({ "time", 0.6 }, { sim:run(0.6) })
    assert.same({ 0.0, "at zero", 0.25, 0.5 }, times)
    assert.same({ "time", 1.0 }, { sim:run(1) })
    assert.equal(1.0, times[#times])
  end)

  -- The same model, driven by different loops.
  local loops = {
    function(sim)
      sim:run()
    end,
    function(sim)
      while sim:step() do
      end
    end,
    function(sim)
      for _ = 1, 200 do
        sim:run { events = 1 }
      end
    end,
    function(sim)
      for i = 1, 50 do
        sim:run(i * 0.7)
      end
    end,
  }

  it("is the same whatever loop drives the model (3.13)", function()
    local first
    for i, loop in ipairs(loops) do
      local sim, told = md.sim { seed = 7 }, {}
      local function say(what)
        told[#told + 1] = ("%g %s"):format(md.now(), what)
      end
      local server = sim:spawn(function()
        while true do
          local from, ref, x = md.wait "ask"
          md.sleep(md.rng():exponential(1))
          md.reply(from, ref, x)
        end
      end)
      for k = 1, 3 do
        sim:spawn({ after = k }, function()
          say(md.ask(server, "ask", k))
          say(select(2, md.join(md.spawn(md.sleep, 1), 0.5)))
        end)
      end
      loop(sim)
      first = first or told
      assert.equal(6, #told)
      assert.same(first, told, "loop " .. i)
    end
  end)
end)

describe("two sims in one program", function()
  it("share no time, no process, no name and no stream (2.19)", function()
    local a, b = md.sim { seed = 1 }, md.sim { seed = 1 }
    local drawn = {}
    for _, sim in ipairs { a, b } do
      sim:spawn(function()
        md.register("me", md.self())
        md.sleep(sim == a and 1 or 2)
        drawn[sim] = { md.rng():uniform(), math.random(), md.now() }
      end)
    end
    a:run()
    assert.same({ 1.0, 0.0 }, { a:now(), b:now() })
    assert.is_nil(b:whereis "me")
    b:run()
    assert.same({ drawn[b][1], drawn[b][2] }, { drawn[a][1], drawn[a][2] })
    assert.same({ 1.0, 2.0 }, { drawn[a][3], drawn[b][3] })
  end)

  it("have a context each, even one within a process of the other", function()
    local outer = story(function(say)
      local me, own = md.self(), md.current()
      md.sleep(1)
      local inner = md.sim()
      inner:spawn(function()
        md.sleep(5)
        say("inner", md.now(), md.current() == inner, md.self() == me)
      end)
      inner:run() -- (2.19)
      say("outer", md.now(), md.current() == own, md.self() == me)
    end)
    assert.same({ "1 inner 5 true false", "1 outer 1 true true" }, outer)
  end)
end)

describe("real input and output", function()
  it("take no virtual time, and block no process but all (2.17)", function()
    assert.same(
      { "0 read", "0 other" },
      story(function(say)
        md.spawn(say, "other")
        local file = assert(io.open "Makefile")
        file:read "a"
        file:close()
        say "read"
      end)
    )
  end)

  it("are recorded by use, and not done again in a replay (2.17)", function()
    local reads = 0
    local log, t = recorded.record(function()
      return md.use(function()
        reads = reads + 1
        return io.lines "Makefile"()
      end)
    end)
    local p = recorded.again(t):replay(recorded.signals(log))
    assert.same({ "string", 1 }, { type(p:join()), reads })
  end)

  it("are forbidden where the sandbox is asked for (2.17)", function()
    local text = "print(io, os.execute, os.remove)"
    local got = support.run(text, { options = "--sandbox" })
    assert.equal("nil\tnil\tnil\n", got.out)
  end)
end)
