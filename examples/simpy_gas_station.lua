-- SimPy's gas station. Cars take one of two pumps, a resource, and litres out
-- of the tank, a container: those are two things to wait for. When the tank is
-- below a quarter the station calls a truck, which comes five minutes later and
-- fills it up; meanwhile a car may stand at its pump and wait.
local md = require "moondial"

local station_size, threshold = 200, 0.25 -- more than a car takes
local tank_size, tank_least, tank_most = 50, 5, 25
local gap_least, gap_most = 30, 100
local litres_a_second, truck_time, horizon = 2, 300, 1000

local function say(...)
  print(("%4.0f "):format(md.now()) .. string.format(...))
end

local function car(name, pumps, fuel)
  local came, level = md.now(), md.rng():integer(tank_least, tank_most)
  say("%s arrives", name)
  local pump <close> = pumps:acquire()
  local litres = tank_size - level
  fuel:get(litres)
  md.sleep(litres / litres_a_second)
  say("%s has %d litres after %.1f seconds", name, litres, md.now() - came)
end

local function truck(fuel)
  md.sleep(truck_time)
  local litres = fuel.capacity - fuel.level
  fuel:put(litres)
  say("the truck brings %d litres", litres)
end

local function control(fuel)
  for _ in md.every(10, { start = 0 }) do
    if fuel.level < threshold * fuel.capacity then
      say "the station calls the truck"
      md.join(md.spawn({ name = "truck" }, truck, fuel))
    end
  end
end

local function street(pumps, fuel)
  local rng, number = md.rng(), 0
  while true do
    md.sleep(rng:integer(gap_least, gap_most))
    number = number + 1
    local name = "car " .. number
    md.spawn({ name = name }, car, name, pumps, fuel)
  end
end

local fuel = md.container { capacity = station_size, level = station_size }
local pumps = md.resource { capacity = 2, name = "pumps" }
md.spawn({ name = "control" }, control, fuel)
md.spawn({ name = "street" }, street, pumps, fuel)
md.run(horizon)

--[[ output
  73 car 1 arrives
  94 car 1 has 42 litres after 21.0 seconds
 152 car 2 arrives
 172 car 2 has 39 litres after 19.5 seconds
 248 car 3 arrives
 268 car 3 has 40 litres after 20.0 seconds
 315 car 4 arrives
 320 the station calls the truck
 336 car 4 has 42 litres after 21.0 seconds
 375 car 5 arrives
 468 car 6 arrives
 513 car 7 arrives
 571 car 8 arrives
 620 the truck brings 163 litres
 632 car 9 arrives
 634 car 6 has 27 litres after 165.5 seconds
 639 car 5 has 38 litres after 264.0 seconds
 647 car 7 has 27 litres after 134.0 seconds
 650 the station calls the truck
 660 car 8 has 42 litres after 89.0 seconds
 669 car 9 has 44 litres after 37.0 seconds
 728 car 10 arrives
 786 car 11 arrives
 886 car 12 arrives
 950 the truck brings 178 litres
 960 car 13 arrives
 968 car 11 has 36 litres after 182.0 seconds
 972 car 10 has 43 litres after 243.5 seconds
 980 car 12 has 25 litres after 94.5 seconds
 990 car 13 has 36 litres after 29.5 seconds
]]
