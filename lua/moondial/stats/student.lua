-- Student's t distribution, for any number of degrees of freedom, whole or not.
--
-- The probability beyond t is a sum of positive terms either way, so nothing
-- cancels: in the tail (t*t > df/9) the hypergeometric series of the incomplete
-- beta function, in the middle that of its complement, after Pfaff's
-- transformation (Abramowitz and Stegun, Handbook of Mathematical Functions,
-- 26.5.4 and 15.3.4). Quantiles are exact to 1e-9 of their value for levels up
-- to 0.999999; beyond that the level itself, as a number, says no more.
local m = {}

-- log(1 + u) without loss for a small u: 2 atanh(u / (2 + u)).
local function log1p(u)
  if u > 0.1 then
    return math.log(1 + u)
  end
  local w = u / (2 + u)
  local term, sum = w, 0
  for k = 1, 19, 2 do
    sum = sum + term / k
    term = term * w * w
  end
  return 2 * sum
end

local gamma_terms = {
  -1 / 8,
  1 / 128,
  5 / 1024,
  -21 / 32768,
  -399 / 262144,
  869 / 4194304,
}

-- gamma(a + 1/2) / gamma(a): the asymptotic series where a is large, and the
-- recurrence down from there.
local function gamma_ratio(a)
  local factor = 1
  while a < 40 do
    factor = factor * a / (a + 0.5)
    a = a + 1
  end
  local x, series = 1 / a, 0
  for i = #gamma_terms, 1, -1 do
    series = (series + gamma_terms[i]) * x
  end
  return factor * math.sqrt(a) * (1 + series)
end

-- The sum of terms of which the first is 1 and ratio(k) leads to the next.
local function sum_of(ratio)
  local term, sum, k = 1, 0, 0
  repeat
    sum = sum + term
    term = term * ratio(k)
    k = k + 1
  until term < 1e-18 * sum
  return sum
end

-- Density at t.
local function density(t, df)
  local scale = gamma_ratio(df / 2) / math.sqrt(df * math.pi)
  return scale * math.exp(-(df + 1) / 2 * log1p(t * t / df))
end

-- beyond(t, df) -> the probability of a value below -t or above t, t > 0.
function m.beyond(t, df)
  local a, square = df / 2, t * t
  local x = df / (df + square)
  if x < 0.9 then
    local sum = sum_of(function(k)
      return x * (k + 0.5) / (k + 1) * (a + k) / (a + k + 1)
    end)
    return x ^ a * gamma_ratio(a) / (a * math.sqrt(math.pi)) * sum
  end
  local z = square / (df + square)
  local sum = sum_of(function(k)
    return z * (a + 0.5 + k) / (1.5 + k)
  end)
  return 1 - 2 * t * density(t, df) * sum
end

-- quantile(level, df) -> t, so that a value lies between -t and t with the
-- probability `level`. Newton's steps on logarithms, kept between bounds.
function m.quantile(level, df)
  local wanted = 1 - level
  local low, high, t = 0, math.huge, 1
  for _ = 1, 400 do
    local tail = m.beyond(t, df)
    if tail > wanted then
      low = t
    else
      high = t
    end
    local slope = 2 * t * density(t, df)
    local step = math.log(tail / wanted) * tail / slope
    local next_t = t * math.exp(math.max(-2, math.min(2, step)))
    if not (next_t > low and next_t < high) then
      next_t = high < math.huge and (low + high) / 2 or 2 * t
    end
    if math.abs(next_t - t) <= 1e-15 * t then
      break
    end
    t = next_t
  end
  return t
end

return m
