-- Chance and records. A stream of random numbers is known by its name and the
-- sim's seed: whoever asks for "weather", and whatever else is drawn in
-- between, its numbers are the same. md.log keeps a record with the time and
-- the process; md.recorder does so in fixed columns, fast. They can be read
-- back here, or written by the command for a data frame:
--     build/moondial --out weather.csv examples/10_streams_and_records.lua
local md = require "moondial"

local function sky()
  local rng = md.rng "weather"
  for _ = 1, 3 do
    md.sleep(24)
    md.log("sky", {
      rain = rng:bernoulli(0.4),
      wind = rng:weibull(2, 8),
      clouds = rng:integer(0, 8),
    })
  end
end

local function well(capacity)
  local record = md.recorder("well", { "drawn", "level" })
  local rng, level = md.rng(), capacity -- the stream of this process
  for _ = 1, 3 do
    md.sleep(rng:uniform(5, 15))
    local drawn = rng:poisson(3)
    level = level - drawn
    record(drawn, level)
  end
end

md.spawn({ name = "sky" }, sky)
md.spawn({ name = "well" }, well, 100)
md.run()

for _, r in ipairs(md.records "sky") do
  local line = "%4g %-5s rain %-5s clouds %d wind %.3f"
  print(line:format(r.time, r.process, r.rain, r.clouds, r.wind))
end
for _, r in ipairs(md.records "well") do
  local line = "%6.3f %-5s drawn %d level %d"
  print(line:format(r.time, r.process, r.drawn, r.level))
end

-- another sim of the same seed, in which nobody else draws
local sim = md.sim { seed = md.seed() }
sim:spawn(sky)
sim:run()
print(("the same wind again: %.3f"):format(sim:records("sky")[1].wind))

--[[ output
  24 sky   rain false clouds 1 wind 17.348
  48 sky   rain false clouds 3 wind 8.398
  72 sky   rain false clouds 6 wind 1.871
 6.855 well  drawn 2 level 98
13.549 well  drawn 5 level 93
25.427 well  drawn 2 level 91
the same wind again: 17.348
]]
