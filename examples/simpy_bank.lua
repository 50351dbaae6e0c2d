-- SimPy's bank with reneging. Five customers come at random to one counter, and
-- have one to three minutes of patience: acquire with a timeout gives nil when
-- they are over, which <close> allows, and the place in the line is given up.
local md = require "moondial"

local customers, arrival_mean, service_mean = 5, 10, 12
local patience_least, patience_most = 1, 3

local function say(name, text, ...)
  print(("%7.4f %s: " .. text):format(md.now(), name, ...))
end

local function customer(name, counter)
  local rng, came = md.rng(), md.now()
  local patience = rng:uniform(patience_least, patience_most)
  say(name, "here I am")
  local place <close> = counter:acquire { timeout = patience }
  if not place then
    return say(name, "reneged after %6.3f", md.now() - came)
  end
  say(name, "waited %6.3f", md.now() - came)
  md.sleep(rng:exponential(service_mean))
  say(name, "finished")
end

local function source(counter)
  local rng = md.rng()
  for number = 1, customers do
    local name = "customer " .. number
    md.spawn({ name = name }, customer, name, counter)
    md.sleep(rng:exponential(arrival_mean))
  end
end

local counter = md.resource { capacity = 1, name = "counter" }
md.spawn({ name = "source" }, source, counter)
md.run()

local busy = 100 * counter.utilisation
print(("busy %.1f %%, served %d"):format(busy, counter.served))

--[[ output
 0.0000 customer 1: here I am
 0.0000 customer 1: waited  0.000
 0.1652 customer 1: finished
 1.0898 customer 2: here I am
 1.0898 customer 2: waited  0.000
 9.6942 customer 3: here I am
11.2433 customer 3: reneged after  1.549
18.0165 customer 4: here I am
20.7256 customer 4: reneged after  2.709
32.1184 customer 5: here I am
34.9225 customer 5: reneged after  2.804
61.2288 customer 2: finished
busy 98.5 %, served 2
]]
