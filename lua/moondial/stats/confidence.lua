-- Confidence intervals of a mean, and of the difference of two.
local batch_means = require "moondial.stats.batch_means"
local object = require "moondial.stats.object"
local student = require "moondial.stats.student"
local tally = require "moondial.stats.tally"

local m = {}

-- A tally of the data, which may be one.
local function tally_of(call, data)
  if object.is(tally.kind, data) then
    object.enough(call, data.count)
    return data
  end
  object.list(call, data, 2)
  local t = tally.tally()
  for _, x in ipairs(data) do
    t:add(x)
  end
  return t
end

--- stats.confidence(data [, level]) -> mean, half width
--- The confidence interval of the mean by Student's t: of a list of numbers, a
--- tally or batch means, at a level of 0.95 unless another is given. The values
--- must be independent, as the means of replications are. The quantile is exact
--- to 1e-9 for levels up to 0.999999. Raises usage for fewer than two values,
--- for what is no finite number, and for a level outside of 0 to 1.
---   print(md.stats.confidence({ 9.2, 10.1, 9.7 }, 0.99))
function m.confidence(data, level)
  if object.is(batch_means.kind, data) then
    return data:confidence(level)
  end
  level = object.level("confidence", level)
  return tally_of("confidence", data):confidence(level)
end

-- Welch's number of degrees of freedom, for the variances of two means.
local function freedom(a, b, va, vb)
  local below = va * va / (a.count - 1) + vb * vb / (b.count - 1)
  return (va + vb) ^ 2 / below
end

--- stats.compare(a, b [, level]) -> difference, half width
--- The mean of a less that of b, and its confidence interval by Welch's t,
--- which does not assume equal variances; each is a list of numbers or a tally,
--- all of independent values, and the level is 0.95 unless another is given. If
--- the interval does not hold 0, the two differ. For pairs (the same seeds in
--- both models) stats.confidence of their differences is narrower. Raises usage
--- for fewer than two values, for what is no finite number, and a wrong level.
---   print(md.stats.compare({ 9.2, 10.1, 9.7 }, { 8.1, 8.8, 8.3 }))
function m.compare(a, b, level)
  level = object.level("compare", level)
  a, b = tally_of("compare", a), tally_of("compare", b)
  local va, vb = a.variance / a.count, b.variance / b.count
  local difference, variance = a.mean - b.mean, va + vb
  if variance == 0 then
    return difference, 0.0
  end
  local t = student.quantile(level, freedom(a, b, va, vb))
  return difference, t * math.sqrt(variance)
end

return m
