-- Warm up once, then ask eight questions. md.branch calls a function in a copy
-- of the whole state, lets the time pass there, and takes everything back but
-- what the function returns. All questions begin with the same callers on the
-- same lines, and meet the same callers later: they differ in what is asked
-- alone. Afterwards nothing has happened: it is still ten o'clock.
local md = require "moondial"

local clerks = md.resource { capacity = 4, name = "clerks" }
local lost, served, waits = 0, 0, 0
local patience = 10

local function caller()
  local came = md.now()
  local clerk <close> = clerks:acquire { timeout = patience }
  if not clerk then
    lost = lost + 1
    return
  end
  served, waits = served + 1, waits + md.now() - came
  md.sleep(md.rng("calls"):exponential(4))
end

md.spawn(function()
  local gaps = md.rng "gaps"
  while true do
    md.sleep(gaps:exponential(1))
    md.spawn(caller)
  end
end)

-- The next hour, with so many clerks and callers of such patience.
local function hour(capacity, minutes)
  clerks:set_capacity(capacity)
  patience = minutes
  lost, served, waits = 0, 0, 0
  md.run(md.now() + 60)
  return { lost = lost, wait = waits / served }
end

md.run(10 * 60)
print(
  ("ten o'clock: %d calls, %d wait"):format(clerks.used, clerks.queue_length)
)
print "         they wait 3 minutes       they wait 10 minutes"
print "clerks   lost   mean wait          lost   mean wait"
for capacity = 3, 6 do
  local short = md.branch(hour, capacity, 3)
  local long = md.branch(hour, capacity, 10)
  print(
    ("%6d %6d %8.2f min %14d %8.2f min"):format(
      capacity,
      short.lost,
      short.wait,
      long.lost,
      long.wait
    )
  )
end
print(("it is %d:00, %d calls"):format(md.now() // 60, clerks.used))

--[[ output
ten o'clock: 4 calls, 2 wait
         they wait 3 minutes       they wait 10 minutes
clerks   lost   mean wait          lost   mean wait
     3     17     1.70 min             10     4.58 min
     4      6     0.82 min              0     2.00 min
     5      2     0.36 min              0     0.59 min
     6      0     0.15 min              0     0.15 min
it is 10:00, 4 calls
]]
