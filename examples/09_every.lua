-- Periodic work and exact time. Virtual time counts whole ticks, 10^-9 of the
-- unit unless the sim says otherwise, so decimals are exact: ten sleeps of 0.1
-- end at 1.0. md.every plans its turns from the start, so that the work done
-- in a turn never shifts the later ones.
local md = require "moondial"

local function ten_naps()
  local sum = 0
  for _ = 1, 10 do
    md.sleep(0.1)
    sum = sum + 0.1
  end
  print(md.now(), md.now() == 1, "a float's sum is 1: " .. tostring(sum == 1))
end

local function gauge()
  for planned in md.every(0.1, { start = 2, count = 4 }) do
    print(md.now(), "reading planned for " .. planned)
    md.sleep(planned == 2.1 and 0.25 or 0.03) -- one turn takes too long
  end
end

md.spawn(ten_naps)
md.spawn(gauge)
print(md.run())

-- With one digit, 0.25 is no number of ticks. It is rounded, unless exactness
-- is asked for; a process can pay the rounding back.
local coarse = md.sim { precision = 1 }
coarse:spawn(function()
  local ok, err = pcall(md.sleep, 0.25, "exact")
  print(md.now(), ok, err.kind)
  for _ = 1, 4 do
    md.sleep(0.25)
  end
  print(md.now(), "rounded, and short by " .. md.drift())
  md.sleep(0, "tracked")
  print(md.now(), "tracked, and short by " .. md.drift())
end)
coarse:run()

--[[ output
1.0	true	a float's sum is 1: false
2.0	reading planned for 2.0
2.1	reading planned for 2.1
2.35	reading planned for 2.2
2.38	reading planned for 2.3
done	2.41
0.0	false	usage
0.8	rounded, and short by 0.2
1.0	tracked, and short by 0.0
]]
