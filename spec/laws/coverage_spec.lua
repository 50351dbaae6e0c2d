-- Confidence intervals of a whole simulation hold what is known as often as
-- they say: the mean wait in M/M/1, by batch means of one run each.
local md = require "moondial"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

-- The interval of the mean wait of customers after the first 1000, when one
-- comes every 2 and is served in 1, on average: 1 in theory.
local function interval(seed)
  local sim = md.sim { seed = seed }
  local waits = md.stats.batch_means { size = 1000 }
  sim:spawn(function()
    local rng, came = md.rng "street", 0
    local till = md.resource()
    local services = md.rng "services"
    local function customer(number)
      local from = md.now()
      local _ <close> = till:acquire()
      if number > 1000 then
        waits:add(md.now() - from)
      end
      md.sleep(services:exponential(1))
    end
    while waits.count < 20000 do
      md.sleep(rng:exponential(2))
      came = came + 1
      md.spawn(customer, came)
    end
    md.stop()
  end)
  sim:run()
  return waits:confidence(0.95)
end

describe("intervals of 95 % over replications (part 2, 1)", function()
  it("hold the mean wait in 93 to 97 of 100", function()
    local runs, held = long and 1000 or 40, 0
    for seed = 1, runs do
      local mean, half = interval(seed)
      held = held + (math.abs(mean - 1) <= half and 1 or 0)
    end
    local share = 100 * held / runs
    local least, most = long and 93 or 85, long and 97 or 100
    assert.is_true(share >= least and share <= most, share)
  end)
end)
