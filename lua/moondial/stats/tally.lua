-- Tallies: mean, deviation and extremes of values, in constant space.
--
-- What is added up are the differences from the first value and their squares,
-- so that 1e9 + small keeps its digits; in blocks, whose sums are added up with
-- a second word that holds what rounding lost. The error does not grow with the
-- number of values: that of the mean is below 1e-14 of the mean distance from
-- the first value, and that of the variance below 1e-14 (1 + k*k), relatively,
-- when the first value lies k standard deviations from the mean.
local argument = require "moondial.argument"
local inside = require "moondial.inside"
local object = require "moondial.stats.object"
local student = require "moondial.stats.student"
local text = require "moondial.stats.text"

local m = {}

local huge = math.huge

-- -- the sums --------------------------------------------------------

-- sum + rest is increased by x; nothing is lost (Knuth's TwoSum).
local function two_sum(sum, rest, x)
  local t = sum + x
  local z = t - sum
  return t, rest + ((sum - (t - z)) + (x - z))
end

local function fold(s, sum, squares)
  s.sum, s.sum_rest = two_sum(s.sum, s.sum_rest, sum)
  s.squares, s.squares_rest = two_sum(s.squares, s.squares_rest, squares)
  return s
end

local function state(count, first, min, max, ...)
  local sum, sum_rest, squares, squares_rest = ...
  return {
    count = count,
    first = first,
    min = min,
    max = max,
    sum = sum or 0.0,
    sum_rest = sum_rest or 0.0,
    squares = squares or 0.0,
    squares_rest = squares_rest or 0.0,
  }
end

-- -- what is computed from them --------------------------------------

local function mean(s)
  if s.count > 0 then
    return s.first + (s.sum + s.sum_rest) / s.count
  end
end

-- The sum of the squares of the distances from the mean.
local function deviation(s)
  local whole = s.sum + s.sum_rest
  local squares = s.squares - whole * whole / s.count + s.squares_rest
  return squares > 0 and squares or 0.0
end

local function variance(s)
  if s.count > 1 then
    return deviation(s) / (s.count - 1)
  end
end

local function sd(s)
  return s.count > 1 and math.sqrt(variance(s)) or nil
end

local function known(name)
  return function(s)
    return s.count > 0 and s[name] or nil
  end
end

local kind = object.kind {
  name = "tally",
  short = "t",
  listed = { "add", "merge", "reset", "confidence", "plot" },
  fields = {
    object.field "count",
    { "mean", mean },
    { "sd", sd },
    { "variance", variance },
    { "min", known "min" },
    { "max", known "max" },
    {
      "sum",
      function(s)
        return s.first * s.count + (s.sum + s.sum_rest)
      end,
    },
  },
}
local tally = kind.methods

-- -- adding ----------------------------------------------------------

local function refuse(call, t, x)
  object.refuse(kind, call, t, x)
end

local adder -- below

--- stats.tally() -> tally
--- Keeps count, mean, deviation and extremes of the numbers that it is given,
--- in constant space. The fields are count, mean, sd, variance (of a sample, by
--- n - 1), min, max and sum; what is not defined yet (the mean of nothing, the
--- sd of one value) is nil. print shows them as a table. The mean is exact to
--- 1e-14 of the mean distance from the first value, the variance relatively to
--- 1e-14 (1 + k*k), when the first value lies k standard deviations from the
--- mean; neither grows with the number of values. Raises usage for an argument.
---   local t = md.stats.tally() t:add(1) t:add(4) print(t.mean, t.sd, t)
function m.tally(options)
  argument.expect("tally", options == nil, "nothing", options)
  local t = {}
  local read, write
  t.add, read, write = adder(t)
  write(state(0, 0.0, huge, -huge))
  return object.new(kind, t, read, write)
end

--- tally:add(x)
--- Takes in a finite number. Raises usage for nan, an infinity and what is no
--- number: one of them would make all the figures useless.
---   local t = md.stats.tally() t:add(2.5) print(t.count, t.mean)
function adder(t)
  local add, sums, put = inside.tally(t, refuse)
  local function read()
    return state(sums())
  end
  local function write(s)
    put(
      s.count,
      s.first,
      s.min,
      s.max,
      s.sum,
      s.sum_rest,
      s.squares,
      s.squares_rest
    )
  end
  return add, read, write
end

-- -- methods ---------------------------------------------------------

--- tally:merge(other) -> tally
--- Takes in all that another tally was given, as if by add, and returns itself;
--- the other one stays as it is. So replications are put together. Raises usage
--- for what is no tally.
---   local a, b = md.stats.tally(), md.stats.tally() b:add(3) print(a:merge(b))
function tally:merge(other)
  local a = object.state(kind, self, "merge")
  local is_one = object.is(kind, other)
  argument.expect("merge", is_one, "a tally", other)
  local b = object.state(kind, other, "merge")
  if a.count == 0 then
    object.write(self, b)
  elseif b.count > 0 then
    local far = mean(b) - a.first
    fold(a, b.count * far, b.count * far * far)
    fold(a, 0, deviation(b))
    a.count = a.count + b.count
    a.min, a.max = math.min(a.min, b.min), math.max(a.max, b.max)
    object.write(self, a)
  end
  return self
end

--- tally:reset()
--- Forgets all values: at the end of a warm-up, say.
---   local t = md.stats.tally() t:add(7) t:reset() print(t.count)
function tally:reset()
  object.state(kind, self, "reset")
  object.write(self, state(0, 0.0, huge, -huge))
end

--- tally:confidence([level]) -> mean, half width
--- The confidence interval of the mean by Student's t, at a level of 0.95
--- unless another is given. It holds for independent values, such as the means
--- of replications; for the values of one run see stats.batch_means. Raises
--- usage for fewer than two values and for a level outside of 0 to 1.
---   local t = md.stats.tally() t:add(1) t:add(4) print(t:confidence(0.99))
function tally:confidence(level)
  local s = object.state(kind, self, "confidence")
  level = object.level("confidence", level)
  object.enough("confidence", s.count)
  local half = student.quantile(level, s.count - 1) * sd(s)
  return mean(s), half / math.sqrt(s.count)
end

-- The line of the plot: from min to max, thick where the sd reaches.
local function range(s, width)
  local span, cells = s.max - s.min, {}
  local function place(x)
    local part = span > 0 and (x - s.min) / span or 0.5
    return math.floor(part * (width - 1) + 0.5) + 1
  end
  local center, around = mean(s), sd(s) or 0
  for i = 1, width do
    local thick = i >= place(center - around) and i <= place(center + around)
    cells[i] = thick and "━" or "─"
  end
  cells[1], cells[width] = "├", "┤"
  cells[place(center)] = "●"
  return table.concat(cells)
end

--- tally:plot([width]) -> text
--- A line from min to max, with a dot at the mean, and thick as far from it as
--- the standard deviation; at most width columns, 20 to 80 (72). A tally of
--- nothing is "-". Raises usage for another width.
---   local t = md.stats.tally() t:add(1) t:add(4) print(t:plot(40))
function tally:plot(width)
  local s = object.state(kind, self, "plot")
  width = text.width("plot", width)
  if s.count == 0 then
    return "-"
  end
  local from, to = text.number(s.min), text.number(s.max)
  local room = math.max(5, width - #from - #to - 2)
  return from .. " " .. range(s, room) .. " " .. to
end

-- kind: for those who take a tally as well as a list.
m.kind = kind

return m
