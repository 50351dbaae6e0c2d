-- SimPy's electric car. It parks and charges for five hours and drives for two,
-- again and again; charging is a process, which the car joins. A driver who is
-- in a hurry interrupts the car: it does not wait any longer, and unplugs.
local md = require "moondial"

local charge_time, trip_time, horizon = 5, 2, 15

local function charge()
  md.sleep(charge_time)
end

local function car()
  while true do
    print(md.now(), "parks and charges")
    local charging = md.spawn(charge)
    if not pcall(md.join, charging) then
      print(md.now(), "is interrupted: hopefully that is enough")
      md.kill(charging)
    end
    print(md.now(), "drives")
    md.sleep(trip_time)
  end
end

local function run(title, hurry)
  print(title)
  local sim = md.sim { precision = 0, unit = "h" }
  local pid = sim:spawn({ name = "car" }, car)
  if hurry then
    sim:at(hurry, md.interrupt, pid, "hurry")
  end
  sim:run(horizon)
end

run "nobody is in a hurry"
run("somebody is, at 3", 3)

--[[ output
nobody is in a hurry
0	parks and charges
5	drives
7	parks and charges
12	drives
14	parks and charges
somebody is, at 3
0	parks and charges
3	is interrupted: hopefully that is enough
3	drives
5	parks and charges
10	drives
12	parks and charges
]]
