-- What images and time travel cost: bench.lua's rows have events, these have
-- bytes. state MB TIMES saves a state of so many MB to image.mdi so often, and
-- when it is resumed leaves at once; keep and back are about md.checkpoint;
-- shop is a day of a shop, with ten thousand customers an hour.
local md = require "moondial"

local what, size, times = ...
local state = {}

local function fill(megabytes)
  for i = 1, megabytes * 1024 * 1.1 // 1 do
    state[i] = ("%4x"):format(i):rep(200)
  end
  collectgarbage()
  collectgarbage()
end

local function shop()
  local clerks = md.resource { capacity = 12 }
  local function customer()
    local _ <close> = clerks:acquire()
    md.sleep(md.rng("service"):exponential(4))
  end
  local gaps = md.rng "gaps"
  for i = 1, 240000 do
    md.sleep(gaps:exponential(0.36))
    md.spawn(customer)
    if i % 40 == 0 then
      state[#state + 1] = md.now()
    end
  end
end

times = tonumber(times)
if what == "shop" then
  md.spawn(shop)
  md.run()
elseif what == "state" then
  fill(tonumber(size))
  for _ = 1, times do
    if md.save "image.mdi" == "resumed" then
      break
    end
  end
elseif what == "keep" then
  fill(tonumber(size))
  for _ = 0, times do
    md.checkpoint "here"
  end
elseif what == "back" then
  fill(tonumber(size))
  local _, n = md.checkpoint "here"
  if (n or 0) < times then
    md.rewind("here", (n or 0) + 1)
  end
end
os.exit(0)
