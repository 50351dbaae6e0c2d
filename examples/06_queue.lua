-- A queue and its theory. Customers come at random, one every 2 minutes on
-- average, and are served one at a time, for 1 minute on average, in order of
-- arrival: the inbox of the clerk is the queue. Both times are exponential, so
-- this is the M/M/1 queue, whose means are known.
local md = require "moondial"

local arrival_mean, service_mean, customers = 2, 1, 200000

local total = 0 -- minutes spent in the bank, by all
local area, inside, changed = 0, 0, 0 -- customers inside, over time

local function count(change)
  area = area + inside * (md.now() - changed)
  inside, changed = inside + change, md.now()
end

local function clerk()
  local rng = md.rng "service"
  while true do
    local customer, ref = md.wait "serve"
    md.sleep(rng:exponential(service_mean))
    md.reply(customer, ref)
  end
end

local function customer(desk)
  local arrived = md.now()
  count(1)
  md.ask(desk, "serve")
  count(-1)
  total = total + md.now() - arrived
end

md.spawn(function()
  local rng, desk = md.rng "arrivals", md.spawn(clerk)
  for _ = 1, customers do
    md.sleep(rng:exponential(arrival_mean))
    md.spawn(customer, desk)
  end
end)
md.run()

local rho = service_mean / arrival_mean
print "                       simulated  theory"
local form = "%-22s %9.3f %7.3f" -- what, simulated, theory
local w, l = total / customers, area / md.now()
print(form:format("W, minutes inside", w, service_mean / (1 - rho)))
print(form:format("L, customers inside", l, rho / (1 - rho)))
print(form:format("Little's law, L / W", l / w, 1 / arrival_mean))

--[[ output
                       simulated  theory
W, minutes inside          2.011   2.000
L, customers inside        1.007   1.000
Little's law, L / W        0.501   0.500
]]
