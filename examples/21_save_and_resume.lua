-- A run that is saved in its middle and goes on in another program: every
-- process is there again, in the middle of its calls, with its variables and
-- its stream of random numbers. md.save returns "saved" in the program that
-- goes on saving, and "resumed" in the one that `moondial resume` has begun.
-- What comes after is the same in both. The path of the image is the argument.
local md = require "moondial"

local path = ...
local made, broken = 0, 0

local function machine(name)
  local rng = md.rng(name)
  for piece in md.every(0.5) do
    made = made + 1
    if piece > 24 and rng:bernoulli(0.01) then
      broken = broken + 1
      md.sleep(rng:exponential(6)) -- the repair
    end
  end
end

local function report()
  for day in md.every(24) do
    print(("day %d: %d made, %d repairs"):format(day // 24, made, broken))
    if day == 72 then
      print("the state is " .. md.save(path))
    end
  end
end

for i = 1, 4 do
  md.spawn({ name = "machine " .. i }, machine, "machine " .. i)
end
md.spawn(report)
md.run(24 * 6)

--[[ output of build/half.mdi, resumed
day 1: 188 made, 0 repairs
day 2: 380 made, 0 repairs
day 3: 565 made, 3 repairs
the state is saved
day 4: 751 made, 5 repairs
day 5: 956 made, 6 repairs
day 6: 1148 made, 7 repairs
$ moondial resume build/half.mdi
the state is resumed
day 4: 751 made, 5 repairs
day 5: 956 made, 6 repairs
day 6: 1148 made, 7 repairs
]]
