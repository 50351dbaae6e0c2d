-- The mill of Simula's textbook (Pooley, An Introduction to Programming in
-- SIMULA, example 19.1; also Simulua's). A worker loads a mill with 50 parts,
-- starts it, looks at it every half minute, switches it off when it is empty,
-- and unloads it. Nothing is left to chance: a round takes 5 + 50 * 2 + 10
-- minutes, the last one that begins before 400 is the fourth, and the mill runs
-- 400 of 800 minutes. At 105 the last part is done, and the worker looks: the
-- mill comes first, as its turn was set at 103, and the worker's at 104.5.
local md = require "moondial"

local sim = md.sim { name = "mill", unit = "min" }
local parts, running = sim:container(), md.stats.level(sim)

local function say(...)
  print(("%5.1f"):format(md.now()), ...)
end

local mill = sim:spawn({ name = "mill" }, function()
  while true do
    md.wait "start"
    say "the mill starts"
    running:set(1)
    while parts.level > 0 do
      md.sleep(2)
      parts:get(1)
    end
    running:set(0)
  end
end)

local loads = 0
sim:spawn({ name = "worker" }, function()
  while md.now() < 400 do
    say "loading starts"
    loads = loads + 1
    md.sleep(5)
    parts:put(50)
    md.send(mill, "start")
    while parts.level > 0 do
      md.sleep(0.5)
    end
    md.sleep(10)
    say "unloading finishes"
  end
end)

print(sim:run(800))
print("loads", loads)
print("parts", parts.served, "mean", parts.mean_level, "most", parts.max_level)
print("running", running.mean)

--[[ output
  0.0	loading starts
  5.0	the mill starts
115.0	unloading finishes
115.0	loading starts
120.0	the mill starts
230.0	unloading finishes
230.0	loading starts
235.0	the mill starts
345.0	unloading finishes
345.0	loading starts
350.0	the mill starts
460.0	unloading finishes
idle	800.0
loads	4
parts	200	mean	12.75	most	50.0
running	0.5
]]
