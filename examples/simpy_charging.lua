-- SimPy's battery charging station. Four cars come, one every two minutes, to
-- two places where charging takes five: the third and the fourth have to wait.
local md = require "moondial"

local function car(name, station, drive, charge)
  md.sleep(drive)
  print(md.now(), name .. " arrives")
  local place <close> = station:acquire()
  print(md.now(), name .. " starts to charge")
  md.sleep(charge)
  print(md.now(), name .. " leaves")
end

local sim = md.sim { precision = 0 }
local station = sim:resource { capacity = 2, name = "station" }
for i = 0, 3 do
  sim:spawn(car, "car " .. i, station, 2 * i, 5)
end
print(sim:run())
print("mean wait", station.mean_wait, "longest", station.max_wait)

--[[ output
0	car 0 arrives
0	car 0 starts to charge
2	car 1 arrives
2	car 1 starts to charge
4	car 2 arrives
5	car 0 leaves
5	car 2 starts to charge
6	car 3 arrives
7	car 1 leaves
7	car 3 starts to charge
10	car 2 leaves
12	car 3 leaves
done	12
mean wait	0.5	longest	1.0
]]
