-- SimPy's carwash. Two machines wash a car in five minutes; four cars are there
-- at the beginning, and one more comes every five minutes. A car has a machine
-- until the end of the block in which it acquired it.
local md = require "moondial"

local machines, wash_time, gap, horizon = 2, 5, 5, 20

local function say(name, text)
  print(("%5.2f %s %s"):format(md.now(), name, text))
end

local function car(name, carwash)
  say(name, "arrives")
  do
    local machine <close> = carwash:acquire()
    say(name, "enters")
    md.sleep(wash_time)
    say(name, "is clean")
  end
  say(name, "leaves")
end

local function street(carwash)
  for number = 0, 3 do
    md.spawn(car, "car " .. number, carwash)
  end
  local number = 4
  for _ in md.every(gap) do
    md.spawn(car, "car " .. number, carwash)
    number = number + 1
  end
end

local carwash = md.resource { capacity = machines }
md.spawn(street, carwash)
md.run(horizon)

print("waited", carwash.mean_wait, "busy", carwash.utilisation)

--[[ output
 0.00 car 0 arrives
 0.00 car 0 enters
 0.00 car 1 arrives
 0.00 car 1 enters
 0.00 car 2 arrives
 0.00 car 3 arrives
 5.00 car 0 is clean
 5.00 car 0 leaves
 5.00 car 1 is clean
 5.00 car 1 leaves
 5.00 car 4 arrives
 5.00 car 2 enters
 5.00 car 3 enters
10.00 car 2 is clean
10.00 car 2 leaves
10.00 car 3 is clean
10.00 car 3 leaves
10.00 car 5 arrives
10.00 car 5 enters
10.00 car 4 enters
15.00 car 5 is clean
15.00 car 5 leaves
15.00 car 4 is clean
15.00 car 4 leaves
15.00 car 6 arrives
15.00 car 6 enters
20.00 car 6 is clean
20.00 car 6 leaves
20.00 car 7 arrives
20.00 car 7 enters
waited	1.875	busy	0.875
]]
