-- Balking: whoever sees a long line does not join it. A resource tells how many
-- wait; nothing can happen between the look and the acquire, since only calls
-- that block let others run. With rate 3 in, two servers of rate 4 and room for
-- one to wait, this is the M/M/2/3 queue, which loses 4.94 % of those who come.
local md = require "moondial"

local customers, room = 100000, 1
local lost = 0

local function customer(desks, minutes)
  if desks.available == 0 and desks.queue_length >= room then
    lost = lost + 1
    return
  end
  local desk <close> = desks:acquire()
  md.sleep(minutes)
end

local desks = md.resource { capacity = 2 }
md.spawn({ name = "street" }, function()
  local gaps, services = md.rng "gaps", md.rng "services"
  for _ = 1, customers do
    md.sleep(gaps:exponential(1 / 3))
    md.spawn(customer, desks, services:exponential(1 / 4))
  end
end)
md.run()

local inside = desks.mean_used + desks.mean_queue
print(("lost   %.4f, theory 0.0494"):format(lost / customers))
print(("inside %.4f, theory 0.7623"):format(inside))

--[[ output
lost   0.0492, theory 0.0494
inside 0.7593, theory 0.7623
]]
