-- How much of a run's beginning to leave out: MSER-5. White, An effective
-- truncation heuristic for bias reduction in simulation output, Simulation 69
-- (1997); in batches of five by White, Cobb and Spratt, A comparison of five
-- steady-state truncation heuristics for simulation, WSC 2000.
local object = require "moondial.stats.object"

local m = {}

local BATCH <const> = 5

-- The means of the whole batches.
local function batches(data)
  local means = {}
  for k = 1, #data // BATCH do
    local sum, first = 0, data[(k - 1) * BATCH + 1]
    for i = (k - 1) * BATCH + 1, k * BATCH do
      sum = sum + (data[i] - first)
    end
    means[k] = first + sum / BATCH
  end
  return means
end

-- The number of batches to cut that makes the squared standard error of the
-- rest's mean least; the fewest of those. The rest grows from the end, so each
-- value is taken in once (Welford).
local function best_cut(means, half)
  local best, least = 0, math.huge
  local n, center, squares = 0, 0, 0
  for cut = #means - 1, 0, -1 do
    local x = means[cut + 1]
    n = n + 1
    local far = x - center
    center = center + far / n
    squares = squares + far * (x - center)
    local score = squares / (n * n)
    if cut <= half and score <= least then
      best, least = cut, score
    end
  end
  return best
end

--- stats.warmup(data) -> how many to cut, or nil, "short"
--- How many values at the beginning of a run still show how it started: cut
--- them before means are taken. It is MSER-5: the cut, a multiple of five,
--- after which the standard error of the rest's mean is least, among those that
--- leave at least half. If the least is at the half itself, the run is too
--- short to tell, and the result nil, "short". It is found for one list, and
--- means of several replications at each place tell more than one alone. Raises
--- usage for fewer than ten values, and for what is no finite number.
---   print(md.stats.warmup({ 9, 7, 5, 3, 2, 1, 2, 1, 1, 2, 1, 2, 1, 1, 2 }))
function m.warmup(data)
  object.list("warmup", data, 2 * BATCH)
  local means = batches(data)
  local half = #means // 2
  local cut = best_cut(means, half)
  if cut == half then
    return nil, "short"
  end
  return cut * BATCH
end

return m
