-- Levels: a quantity over virtual time, such as how many wait.
--
-- What is added up is the distance from the value at the beginning, times the
-- time that it lasted, and its square. For the plot the time so far is divided
-- into at most 128 bins, at whose ends the sum is kept; when the time goes
-- beyond the last bin, all of them become twice as long. The relative error of
-- the mean distance from the first value, and of its square, is below 1.2e-16
-- for each change of a level that only rises above or falls below it, and some
-- 1e-16 times the square root of their number as a rule.
local argument = require "moondial.argument"
local core = require "moondial.core"
local inside = require "moondial.inside"
local object = require "moondial.stats.object"
local text = require "moondial.stats.text"

local m = {}

local now = core.now
local BINS <const> = 128

-- -- bins ------------------------------------------------------------

local function double(bins)
  local areas = bins.areas
  bins.count = bins.count // 2
  for i = 1, BINS do
    areas[i] = i <= bins.count and areas[2 * i] or nil
  end
  bins.width = 2 * bins.width
end

-- Ends all bins up to t, where the sum was `area` at `since` and has risen by
-- `rate` a unit of time since then. Returns when the next one ends.
local function roll(bins, t, since, area, rate)
  local span = t - bins.start
  if span == 0 then
    return bins.start
  end
  bins.width = bins.width or span + 0.0
  while span >= BINS * bins.width do
    double(bins)
  end
  while true do
    local edge = bins.start + (bins.count + 1) * bins.width
    if edge > t then
      return edge
    end
    bins.count = bins.count + 1
    bins.areas[bins.count] = area + rate * (edge - since)
  end
end

-- -- what is computed ------------------------------------------------

-- The sums up to now: of the time, the distance, and its square.
local function sums(s)
  local distance = s.value - s.first
  local area = distance * (s.now - s.since)
  return s.now - s.bins.start, s.area + area, s.squares + distance * area
end

-- The same with what was merged.
local function totals(s)
  local time, area, squares = sums(s)
  local more = s.more
  return time + more.time, area + more.area, squares + more.squares
end

local function mean(s)
  local time, area = totals(s)
  return time > 0 and s.first + area / time or nil
end

local function sd(s)
  local time, area, squares = totals(s)
  if time > 0 then
    local variance = squares / time - (area / time) ^ 2
    return variance > 0 and math.sqrt(variance) or 0.0
  end
end

local kind = object.kind {
  name = "level",
  short = "l",
  listed = { "set", "add", "merge", "reset", "plot" },
  fields = {
    object.field "value",
    { "mean", mean },
    { "sd", sd },
    {
      "min",
      function(s)
        return math.min(s.min, s.more.min or s.min)
      end,
    },
    {
      "max",
      function(s)
        return math.max(s.max, s.more.max or s.max)
      end,
    },
    {
      "time",
      function(s)
        return (totals(s))
      end,
    },
  },
}
local level = kind.methods

-- -- changes ---------------------------------------------------------

local function refuse(call, l, x)
  object.refuse(kind, call, l, x)
end

local setter -- below

--- stats.level([sim,] [v]) -> level
--- A quantity over the virtual time of the sim, or of the current one: v, or 0,
--- from now on, until it is changed. The fields are value, mean and sd (both
--- weighted by time, and nil when no time has passed), min and max (of all the
--- values, even those that did not last) and time, since it was made or reset.
--- They hold for the time at which they are read, and reading changes nothing.
--- print shows them as a table. The mean is exact to some 1e-16 times the root
--- of the number of changes, of the mean distance from the first value.
---   local l = md.stats.level(5) md.sleep(1) l:add(1) print(l)
function m.level(...)
  local sim, value = argument.sim(...)
  value = value == nil and 0 or value
  object.finite("level", value)
  local l = {}
  local read, write
  l.set, l.add, read, write = setter(l, sim or core.current())
  write(value)
  return object.new(kind, l, read, write)
end

--- level:set(v), level:add(d)
--- The quantity is v from now on, or changes by d. Raises usage for what is no
--- finite number.
---   local l = md.stats.level(2) l:set(3) l:add(-1) print(l.value)
function setter(l, sim)
  local bins, more
  local function ended(...)
    return roll(bins, ...)
  end
  local set, add, sums_of, begin = inside.level(l, refuse, ended, sim)
  local function read()
    local s = { now = now(sim), bins = bins, more = more }
    s.since, s.first, s.value, s.min, s.max, s.area, s.squares = sums_of()
    return s
  end
  local function write(v)
    begin(v)
    bins = { start = now(sim), count = 0, areas = {} }
    more = { time = 0, area = 0.0, squares = 0.0 }
  end
  return set, add, read, write
end

--- level:merge(other) -> level
--- Takes in the time of another level, which stays as it is; returns itself:
--- mean, sd, min, max and time are of both then, each weighted by its time. So
--- replications are put together. Value and plot remain its own. Raises usage
--- for what is no level.
---   local a, b = md.stats.level(1), md.stats.level(3) print(a:merge(b).max)
function level:merge(other)
  local a = object.state(kind, self, "merge")
  argument.expect("merge", object.is(kind, other), "a level", other)
  local b = object.state(kind, other, "merge")
  local time, area, squares = totals(b)
  local more, far = a.more, b.first - a.first
  local min, max = other.min, other.max
  more.time = more.time + time
  more.area = more.area + area + far * time
  more.squares = more.squares + squares + far * (2 * area + far * time)
  more.min = math.min(more.min or min, min)
  more.max = math.max(more.max or max, max)
  return self
end

--- level:reset()
--- Begins anew with the value that it has: at the end of a warm-up, say.
---   local l = md.stats.level(5) md.sleep(1) l:reset() print(l.time)
function level:reset()
  object.write(self, object.state(kind, self, "reset").value)
end

-- -- the plot --------------------------------------------------------

-- A function that gives the sum at a time; it is asked for later ones only.
local function sum_at(s)
  local bins, time, total = s.bins, sums(s)
  local k, from, area = 0, 0, 0
  return function(at)
    local to, next_area
    while true do
      local last = k >= bins.count
      to = last and time or (k + 1) * bins.width
      next_area = last and total or bins.areas[k + 1]
      if at <= to or last then
        break
      end
      k, from, area = k + 1, to, next_area
    end
    local part = to > from and math.min(1, (at - from) / (to - from)) or 1
    return area + part * (next_area - area)
  end
end

-- The mean in each of n equal parts of the time, and the extremes of these.
local function means(s, n)
  local at, time, before = sum_at(s), sums(s), 0
  local values, min, max = {}, math.huge, -math.huge
  for i = 1, n do
    local area = at(i * time / n)
    local x = s.first + (area - before) / (time / n)
    values[i], before = x, area
    min, max = math.min(min, x), math.max(max, x)
  end
  return values, min, max
end

--- level:plot([width]) -> text
--- A line of bars: the mean in equal parts of the time so far, and behind it
--- the lowest and the highest of them; at most width columns, 20 to 80 (72).
--- It knows the time in 64 to 128 parts. If no time has passed it is "-".
--- Raises usage for another width.
---   local l = md.stats.level(1) md.sleep(3) l:set(4) print(l:plot())
function level:plot(width)
  local s = object.state(kind, self, "plot")
  width = text.width("plot", width)
  if sums(s) == 0 then
    return "-"
  end
  local number, cells = text.number, {}
  local values, min, max = means(s, math.max(5, width - 32))
  for i, x in ipairs(values) do
    local part = max > min and (x - min) / (max - min) or 0
    cells[i] = utf8.char(0x2581 + math.floor(part * 7 + 0.5))
  end
  local ends = ("  %s to %s"):format(number(min), number(max))
  return table.concat(cells) .. ends
end

return m
