-- The workloads as Moondial models, written against the public contract.
--
--     build/moondial scripts/peers/moondial/bench.lua WORKLOAD [N]
--
-- Prints `RES w=... n=... rate=...`: so many events, messages, customers or
-- processes a second of real time.
local md = require "moondial"

local customers = 1000000

-- os.clock and os.time show the simulation's time, so real time comes from
-- outside. Starting `date` takes longer than what it tells is worth, but that
-- lies between two readings exactly once: it is measured, and taken off.
local function date()
  local pipe = assert(io.popen("date +%s.%N"))
  local seconds = pipe:read("n")
  pipe:close()
  return seconds
end

local function cost_of_date()
  local costs = {}
  for i = 1, 9 do
    local first = date()
    costs[i] = date() - first
  end
  table.sort(costs)
  return costs[5]
end

local overhead = cost_of_date()

-- Runs the sim, with these limits if any; returns the seconds it took.
local function timed(sim, limits)
  local start = date()
  sim:run(limits)
  return math.max(date() - start - overhead, 1e-9)
end

-- Bytes of memory that the program holds now: the second number, in pages.
local function resident()
  local file = assert(io.open("/proc/self/statm"))
  local _, pages = file:read("n", "n")
  file:close()
  return pages * 4096
end

-- The most that was ever resident, in KiB.
local function peak()
  for line in io.lines("/proc/self/status") do
    local size = line:match("^VmHWM:%s*(%d+)")
    if size then
      return tonumber(size)
    end
  end
end

-- Some workloads pass millions of messages without time ever advancing, which
-- a sim takes for a model that hangs unless it is told otherwise.
local function new_sim()
  return md.sim { seed = 1, zeno = math.huge }
end

local function hold(n)
  local sim = new_sim()
  local rng = sim:rng("hold")
  local sleep, exponential = md.sleep, rng.exponential
  local function process()
    while true do
      sleep(exponential(rng, 1.0))
    end
  end
  for _ = 1, n do
    sim:spawn(process)
  end
  sim:run(0) -- everyone has started and sleeps
  return sim
end

local work = {}

-- The processes of bodies.c, which are C: compiled once, and kept.
local function bodies()
  local ffi = require "moondial.ffi"
  local folder = arg[0]:match "^(.*/)" or ""
  local file <close> = assert(io.open(folder .. "bodies.c"))
  return ffi.compile(file:read "a")
end

function work.W3c(n)
  local events, sim, c = 20000000, new_sim(), bodies()
  for _ = 1, n do
    sim:spawn_native(c.hold)
  end
  sim:run(0)
  return events, timed(sim, { events = events })
end

function work.W2sc()
  local sim, c, mean = new_sim(), bodies(), nil
  local server = sim:spawn_native(c.server, customers)
  sim:spawn_native(c.arrivals, server, customers)
  sim:spawn(function()
    mean = md.join(server) / customers
  end)
  local wall = timed(sim)
  return customers, wall, { mean = mean }
end

function work.W4pc()
  local turns, sim, c = 1000000, new_sim(), bodies()
  sim:spawn_native(c.asker, sim:spawn_native(c.echo), turns)
  return 2 * turns, timed(sim)
end

function work.W4rc()
  local size, hops, sim, c = 1000, 1000000, new_sim(), bodies()
  local pids = {}
  for i = 1, size do
    pids[i] = sim:spawn_native(c.node)
  end
  for i = 1, size do
    sim:send(pids[i], pids[i % size + 1])
  end
  sim:run(0) -- everyone waits
  sim:send(pids[1], hops)
  return hops, timed(sim)
end

function work.W5cc()
  local batches, size, sim, c = 1000, 1000, new_sim(), bodies()
  sim:spawn(function()
    for _ = 1, batches do
      for _ = 1, size do
        md.spawn_native(c.life)
      end
      md.sleep(1.0)
    end
  end)
  return batches * size, timed(sim)
end

function work.W3(n)
  local events = 2000000
  local sim = hold(n)
  return events, timed(sim, { events = events })
end

function work.W1()
  return work.W3(1000)
end

-- M/M/1, a process for the arrivals and one for the server, whose inbox is the
-- queue.
function work.W2s()
  local sim = new_sim()
  local rng = sim:rng("queue")
  local total = 0
  local server = sim:spawn(function()
    for _ = 1, customers do
      local arrived = md.wait()
      md.sleep(rng:exponential(1.0))
      total = total + md.now() - arrived
    end
  end)
  sim:spawn(function()
    for _ = 1, customers do
      md.sleep(rng:exponential(1 / 0.9))
      md.send(server, md.now())
    end
  end)
  local wall = timed(sim)
  return customers, wall, { mean = total / customers }
end

-- M/M/1, a process for each customer, who asks the server to be served.
function work.W2p()
  local sim = new_sim()
  local rng = sim:rng("queue")
  local total = 0
  local server = sim:spawn(function()
    for _ = 1, customers do
      local from, ref = md.wait("serve")
      md.sleep(rng:exponential(1.0))
      md.reply(from, ref)
    end
  end)
  local function customer()
    local arrived = md.now()
    md.ask(server, "serve")
    total = total + md.now() - arrived
  end
  sim:spawn(function()
    for _ = 1, customers do
      md.sleep(rng:exponential(1 / 0.9))
      md.spawn(customer)
    end
  end)
  local wall = timed(sim)
  return customers, wall, { mean = total / customers }
end

-- A process that answers every question with its own value.
local function echo()
  while true do
    local from, ref, value = md.wait("echo")
    md.reply(from, ref, value)
  end
end

function work.W4p()
  local turns = 1000000
  local sim = new_sim()
  local server = sim:spawn(echo)
  sim:spawn(function()
    for turn = 1, turns do
      md.ask(server, "echo", turn)
    end
  end)
  return 2 * turns, timed(sim)
end

function work.W4r()
  local size, hops = 1000, 1000000
  local sim = new_sim()
  local pids = {}
  local function node(i)
    local following = pids[i % size + 1]
    while true do
      local left = md.wait()
      if left == 0 then
        return
      end
      md.send(following, left - 1)
    end
  end
  for i = 1, size do
    pids[i] = sim:spawn(node, i)
  end
  sim:run(0) -- everyone waits
  sim:send(pids[1], hops)
  return hops, timed(sim)
end

-- N processes alive at once, each sleeps once.
function work.W5(n)
  local sim = new_sim()
  local rng = sim:rng("alive")
  local function process()
    md.sleep(rng:exponential(1.0) + 1)
  end
  local before, start = resident(), date()
  for _ = 1, n do
    sim:spawn(process)
  end
  sim:run(0)
  local bytes = (resident() - before) / n
  sim:run()
  return n, date() - start - overhead, { bytes = bytes }
end

-- Many short lives, a thousand at a time.
function work.W5c()
  local batches, size = 1000, 1000
  local sim = new_sim()
  local function process()
    md.sleep(0.5)
  end
  sim:spawn(function()
    for _ = 1, batches do
      for _ = 1, size do
        md.spawn(process)
      end
      md.sleep(1.0)
    end
  end)
  return batches * size, timed(sim)
end

-- M/M/1, a process for each customer and a resource.
local function queue_by_resource(observe)
  local sim = new_sim()
  local rng = sim:rng("queue")
  local server = sim:resource { observe = observe }
  local total = 0
  local function customer()
    local arrived = md.now()
    local _ <close> = server:acquire()
    md.sleep(rng:exponential(1.0))
    total = total + md.now() - arrived
  end
  sim:spawn(function()
    for _ = 1, customers do
      md.sleep(rng:exponential(1 / 0.9))
      md.spawn(customer)
    end
  end)
  local wall = timed(sim)
  return customers, wall, { mean = total / customers }
end

function work.W2r()
  return queue_by_resource(true)
end

function work.W2ro()
  return queue_by_resource(false)
end

-- 100 processes on a resource of 3: think, acquire, hold.
local function resource(observe)
  local turns = 10000
  local sim = new_sim()
  local rng = sim:rng("resource")
  local units = sim:resource { capacity = 3, observe = observe }
  for _ = 1, 100 do
    sim:spawn(function()
      for _ = 1, turns do
        md.sleep(rng:exponential(1.0))
        local _ <close> = units:acquire()
        md.sleep(rng:exponential(0.05))
      end
    end)
  end
  return 100 * turns, timed(sim)
end

function work.W6()
  return resource(true)
end

function work.W6o()
  return resource(false)
end

-- A process in whose inbox 10 000 messages lie that nobody asks for.
local function behind_noise(sim, body)
  local pid = sim:spawn(function()
    md.wait("go")
    body()
  end)
  for i = 1, 10000 do
    sim:send(pid, "noise", i)
  end
  sim:run(0)
  sim:send(pid, "go")
end

-- The message that is wanted comes last: found by a scan ...
function work.W7()
  local turns = 10000
  local sim = new_sim()
  behind_noise(sim, function()
    local me = md.self()
    for turn = 1, turns do
      md.send(me, "match", turn)
      md.wait("match")
    end
  end)
  return turns, timed(sim)
end

-- ... and by a ref, which no message from before it can hold.
function work.W7r()
  local turns = 100000
  local sim = new_sim()
  local server = sim:spawn(echo)
  behind_noise(sim, function()
    for turn = 1, turns do
      md.ask(server, "echo", turn)
    end
  end)
  return turns, timed(sim)
end

-- Linked lives: each ends at once, and its parent, which traps exits, is told.
function work.W8()
  local lives = 300000
  local sim = new_sim()
  sim:spawn(function()
    md.trap_exit(true)
    for _ = 1, lives do
      local pid = md.spawn({ link = true }, function() end)
      md.wait("exit", pid)
    end
  end)
  return lives, timed(sim)
end

-- 100 000 monitors on one process, which then ends: ten times.
function work.W9()
  local monitors, times = 100000, 10
  local sim = new_sim()
  sim:spawn(function()
    for _ = 1, times do
      local pid = md.spawn(md.wait)
      for _ = 1, monitors do
        md.monitor(pid)
      end
      md.send(pid, "stop")
      for _ = 1, monitors do
        md.wait("down")
      end
    end
  end)
  return monitors * times, timed(sim)
end

-- Awaits n events at once, which happen one after the other, the last first for
-- any: 10^6 events in all.
local function combined(combine, n)
  local times = 1000000 // n
  local sim = new_sim()
  sim:spawn(function()
    for _ = 1, times do
      local list = {}
      for i = 1, n do
        list[i] = md.event()
      end
      local waiter = md.spawn(md.await, md[combine](list))
      md.yield()
      for i = combine == "any" and n or 1, n do
        list[i]:succeed(i)
      end
      md.join(waiter)
    end
  end)
  return n * times, timed(sim)
end

function work.W10(n)
  return combined("all", n)
end

function work.W10a(n)
  return combined("any", n)
end

-- n processes wait for one event, and then go on.
function work.W11(n)
  local sim = new_sim()
  sim:spawn(function()
    local event = md.event()
    for _ = 1, n do
      md.spawn(md.await, event)
    end
    md.sleep(1)
    event:succeed()
  end)
  return n, timed(sim)
end

-- n processes wait in a line by priority, each with one of its own.
function work.W11p(n)
  local sim = new_sim()
  sim:spawn(function()
    local units = md.resource { discipline = "priority" }
    local rng = md.rng("line")
    local unit = units:acquire()
    for _ = 1, n do
      local priority = rng:integer(1, 1 << 30)
      md.spawn(function()
        units:acquire({ priority = priority }):release()
      end)
    end
    md.sleep(1)
    unit:release()
  end)
  return n, timed(sim)
end

-- 10 000 children that fail and are started again, so many times; memory after
-- the first tenth of them should be all that it ever takes. For that the
-- collector never rests, so that only what is kept counts; the rate is that of
-- as many restarts more, without it.
function work.supervisor(restarts)
  local children = 10000
  local sim = new_sim()
  local rng = sim:rng("failures")
  local list, started = {}, 0
  local function start()
    started = started + 1
    md.sleep(rng:exponential(1.0))
    error("failed", 0)
  end
  for i = 1, children do
    list[i] = { id = i, start = start }
  end
  sim:supervisor { children = list, max_restarts = 1 << 20, within = 1e-6 }
  local function until_restarts(n)
    return {
      when = function()
        return started >= children + n
      end,
    }
  end
  local pause = collectgarbage("setpause", 100)
  sim:run(until_restarts(restarts // 10))
  local before = peak()
  sim:run(until_restarts(restarts))
  local grown = peak() - before
  collectgarbage("setpause", pause)
  local wall = timed(sim, until_restarts(2 * restarts))
  return restarts, wall, { grown = grown }
end

-- A run that could go on for ever: memory after the first million events
-- should be all that it ever takes.
function work.steady(events)
  local sim = hold(1000)
  local early = 1000000
  local wall = timed(sim, { events = early })
  local before = peak()
  wall = wall + timed(sim, { events = events - early })
  return events, wall, { grown = peak() - before }
end

-- Calls of C: `double fabs(double)` bound to a local, a function that calls
-- back into Lua, and the empty function of Lua that both are held against.
function work.ffi(n)
  local ffi = require "moondial.ffi"
  ffi.cdef [[
    double fabs(double);
    struct timespec { long s, ns; };
    int clock_gettime(int, struct timespec *);
  ]]
  local c = ffi.compile "int apply(int (*f)(int), int x) { return f(x); }"
  local fabs, apply, gettime = ffi.C.fabs, c.apply, ffi.C.clock_gettime
  local callback = ffi.cast("int (*)(int)", function(x)
    return x
  end)
  local clock = ffi.new "struct timespec"
  local function now()
    gettime(1, clock)
    return clock.s + clock.ns * 1e-9
  end
  local function best(loop)
    local least = math.huge
    for _ = 1, 7 do
      local start = now()
      loop()
      least = math.min(least, now() - start)
    end
    return least
  end
  local function empty() end
  local lua = best(function()
    for _ = 1, n do
      empty(-1.5)
    end
  end)
  local wall = best(function()
    for _ = 1, n do
      fabs(-1.5)
    end
  end)
  local back = best(function()
    for _ = 1, n do
      apply(callback, 3)
    end
  end)
  callback:free()
  return n, wall, { lua = lua / n * 1e9, back = back / n * 1e9 }
end

local name, n = ...
local run = work[name] or error("no workload is called " .. tostring(name))
local count, wall, extra = run(tonumber(n))
local line = string.format("RES w=%s n=%d rate=%.0f", name, count, count / wall)
local keys = {}
for key in pairs(extra or {}) do
  keys[#keys + 1] = key
end
table.sort(keys)
for _, key in ipairs(keys) do
  line = line .. string.format(" %s=%.6g", key, extra[key])
end
print(line)
