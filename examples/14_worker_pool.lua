-- A pool. A dispatcher is sent to as if it were a worker, and hands each
-- message on to one of several: in turns, to who has the least to do, or by a
-- key, so that equal keys meet the same worker. The replies go straight to the
-- asker. The same 4000 jobs, some of them long, wait less where the dispatcher
-- looks at the workers, and least at one server that takes four at a time.
local md = require "moondial"

local jobs, workers = 4000, 4

local function work(from, ref, length)
  md.sleep(length)
  md.reply(from, ref)
end

local function pool(by)
  local s = md.server()
  s:handle("job", work)
  return (md.dispatcher { workers = workers, worker = s, by = by })
end

local function one_line()
  local s = md.server { concurrent = workers }
  s:handle("job", work)
  return s:spawn()
end

local function mean_wait(make, ...)
  local sim, waited = md.sim { seed = 7 }, 0
  sim:spawn(function(...)
    local entry = make(...)
    local gaps, lengths = md.rng "gaps", md.rng "lengths"
    for number = 1, jobs do
      md.sleep(gaps:exponential(1))
      local length = lengths:lognormal(0.5, 1)
      md.spawn(function()
        local came = md.now()
        md.ask(entry, "job", length, number)
        waited = waited + md.now() - came - length
      end)
    end
  end, ...)
  sim:run()
  return waited / jobs
end

local function by_number(_, _, _, _, number)
  return number
end

local line = "%-14s mean wait %6.3f"
print(line:format("by key", mean_wait(pool, by_number)))
print(line:format("round robin", mean_wait(pool, "round_robin")))
print(line:format("least loaded", mean_wait(pool, "least_loaded")))
print(line:format("one line", mean_wait(one_line)))

--[[ output
by key         mean wait  5.376
round robin    mean wait  5.504
least loaded   mean wait  1.716
one line       mean wait  1.101
]]
