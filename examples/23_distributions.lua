-- Functions of C's mathematical library: the life of a lamp is Weibull's, its
-- mean comes from tgamma; a normal distribution is held against erf.
local md = require "moondial"
local ffi = require "moondial.ffi"

ffi.cdef [[
  double tgamma(double x);
  double erf(double x);
  double log1p(double x);
]]
local m = ffi.load "m"

-- A stream of chance, and a distribution that is not among its own.
local rng = md.rng "lamps"
local shape, scale = 1.5, 1000

local function weibull()
  return scale * (-m.log1p(-rng:uniform(0, 1))) ^ (1 / shape)
end

local lamps = 0
md.spawn({ name = "socket" }, function()
  while true do
    md.sleep(weibull())
    lamps = lamps + 1
  end
end)
md.run(1e7)
print(("lamps: %d in 1e7 hours"):format(lamps))
print(
  ("mean life %.0f, by theory %.0f"):format(
    1e7 / lamps,
    scale * m.tgamma(1 + 1 / shape)
  )
)

-- How many of 10^5 normal values lie within k standard deviations.
local within = { 0, 0, 0 }
local n = 100000
for _ = 1, n do
  local x = math.abs(rng:normal(0, 1))
  for k = 1, 3 do
    if x <= k then
      within[k] = within[k] + 1
    end
  end
end
for k = 1, 3 do
  local theory = m.erf(k / math.sqrt(2))
  print(("within %d: %.3f, by theory %.3f"):format(k, within[k] / n, theory))
end

--[[ output
lamps: 11138 in 1e7 hours
mean life 898, by theory 903
within 1: 0.682, by theory 0.683
within 2: 0.954, by theory 0.954
within 3: 0.997, by theory 0.997
]]
