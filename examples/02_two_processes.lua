-- Two processes and simultaneous events. Both clocks are due at 2: the one
-- that was scheduled for that time first goes first, so the order of events is
-- never left to chance. A lower priority number goes before a higher one at
-- equal times. md.run(to) stops the clock exactly there, and a later run goes
-- on from there.
local md = require "moondial"

local function clock(name, period)
  while true do
    print(md.now(), name)
    md.sleep(period)
  end
end

md.spawn(clock, "slow", 1)
md.spawn(clock, "fast", 0.5)

print(md.run(2))
print(md.run(2.5))

print "the same with a priority for fast:"

local sim = md.sim {}
sim:spawn(clock, "slow", 1)
sim:spawn({ priority = -1 }, clock, "fast", 0.5)

print(sim:run(1))

--[[ output
0.0	slow
0.0	fast
0.5	fast
1.0	slow
1.0	fast
1.5	fast
2.0	slow
2.0	fast
time	2.0
2.5	fast
time	2.5
the same with a priority for fast:
0.0	fast
0.0	slow
0.5	fast
1.0	fast
1.0	slow
time	1.0
]]
