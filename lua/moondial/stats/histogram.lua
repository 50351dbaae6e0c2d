-- Histograms: how many values lie in each of a number of equal bins.
local argument = require "moondial.argument"
local inside = require "moondial.inside"
local object = require "moondial.stats.object"
local text = require "moondial.stats.text"

local m = {}

local huge = math.huge

local function quiet(name, fn)
  return { name, fn or object.field(name)[2], quiet = true }
end

local function count(s)
  local n = s.below + s.above
  for i = 1, s.bins do
    n = n + s.counts[i]
  end
  return n
end

local function copy_of_counts(s)
  return table.move(s.counts, 1, s.bins, 1, {})
end

local function table_of(s)
  local number, rows = text.number, { { "  from", "to", "count" } }
  for i, n in ipairs(s.counts) do
    local from, to = s.edges[i], s.edges[i + 1]
    rows[i + 1] = { "  " .. number(from), number(to), number(n) }
  end
  return text.columns(rows, 0)
end

local kind = object.kind {
  name = "histogram",
  short = "h",
  listed = { "add", "reset", "bin", "quantile", "plot" },
  fields = {
    { "count", count },
    object.field "below",
    object.field "above",
    quiet "lo",
    quiet "hi",
    quiet "bins",
    quiet("counts", copy_of_counts),
  },
  more = table_of,
}
local histogram = kind.methods

-- -- making one ------------------------------------------------------

-- The ends of the bins, from 1 to bins + 1.
local function edges_of(lo, hi, bins)
  local edges = {}
  for i = 0, bins do
    edges[i + 1] = lo + i / bins * (hi - lo)
  end
  edges[bins + 1] = hi
  return edges
end

local options = {
  { "lo", object.finite_kind },
  { "hi", object.finite_kind },
  { "bins", argument.count },
}

local function refuse(call, h, x)
  object.refuse(kind, call, h, x)
end

local adder -- below

--- stats.histogram{lo =, hi =, bins =} -> histogram
--- Counts values in so many bins of equal width; a value that is an end of two
--- belongs to the upper one, so the whole goes from lo up to, but without, hi.
--- What lies outside is counted as well. The fields are count (of all values),
--- below, above, counts (a list of those in the bins), lo, hi and bins. print
--- shows a table. Raises usage unless lo is below hi, and for a number of bins
--- that is none.
---   print(md.stats.histogram { lo = 0, hi = 9, bins = 3 })
function m.histogram(given)
  object.options(
    "histogram",
    given,
    "md.stats.histogram{lo = 0, hi = 9, bins = 3}"
  )
  argument.options("histogram", given, options)
  local lo, hi, bins = given.lo, given.hi, given.bins
  for _, option in ipairs(options) do
    argument.check("histogram", option[2], given[option[1]], option[1])
  end
  if not (lo < hi and hi - lo < huge) then
    local said = "expected lo below hi, got lo = %s and hi = %s"
    argument.refuse("histogram", said:format(text.number(lo), text.number(hi)))
  end
  local s = { lo = lo, hi = hi, bins = bins, edges = edges_of(lo, hi, bins) }
  local h = {}
  local add, read, forget = adder(h, s)
  h.add = add
  forget()
  return object.new(kind, h, read, forget)
end

--- histogram:add(x)
--- Counts a finite number. Raises usage for nan, an infinity and what is no
--- number.
---   local h = md.stats.histogram { lo = 0, hi = 1, bins = 4 } h:add(0.3)
function adder(h, s)
  local add, counts, forget = inside.histogram(h, refuse, s.lo, s.hi, s.edges)
  local function read()
    s.counts, s.below, s.above, s.min, s.max = counts()
    return s
  end
  return add, read, forget
end

-- -- methods ---------------------------------------------------------

--- histogram:reset()
--- Forgets all values: at the end of a warm-up, say.
---   md.stats.histogram({ lo = 0, hi = 9, bins = 3 }):reset()
function histogram:reset()
  object.state(kind, self, "reset")
  object.write(self)
end

--- histogram:bin(i) -> from, to, count
--- The ends of the bin i, counted from 1, and how many values lie in it. Raises
--- usage for a bin that is none.
---   print(md.stats.histogram({ lo = 0, hi = 9, bins = 3 }):bin(2))
function histogram:bin(i)
  local s = object.state(kind, self, "bin")
  local is = math.type(i) == "integer" and s.counts[i] ~= nil
  argument.expect("bin", is, "an integer from 1 to " .. s.bins, i)
  return s.edges[i], s.edges[i + 1], s.counts[i]
end

-- The regions that hold values: from, to, how many.
local function regions(s)
  local list = { { s.min, s.lo, s.below } }
  for i, n in ipairs(s.counts) do
    list[i + 1] = { s.edges[i], s.edges[i + 1], n }
  end
  list[#list + 1] = { s.hi, s.max, s.above }
  return list
end

--- histogram:quantile(p) -> number or nil
--- The value that the share p of all values lie below, p between 0 and 1, as if
--- those of a bin lay evenly in it: it is off by less than the width of a bin,
--- if it lies between lo and hi, else between there and the lowest or highest
--- value. Without values it is nil. Raises usage for another p.
---   print(md.stats.histogram({ lo = 0, hi = 9, bins = 3 }):quantile(0.5))
function histogram:quantile(p)
  local s = object.state(kind, self, "quantile")
  object.probability("quantile", p, "p")
  local n_all = count(s)
  if n_all == 0 then
    return nil
  end
  local left = p * n_all
  for _, region in ipairs(regions(s)) do
    local from, to, n = table.unpack(region)
    if n > 0 and left <= n then
      return from + left / n * (to - from)
    end
    left = left - n
  end
  return s.above > 0 and s.max or s.hi
end

-- What stands before the bars: the lower ends of the bins, and what is outside.
local function plot_rows(s)
  local rows = {}
  if s.below > 0 then
    rows[1] = { "< " .. text.number(s.lo), s.below }
  end
  for i, n in ipairs(s.counts) do
    rows[#rows + 1] = { text.number(s.edges[i]), n }
  end
  if s.above > 0 then
    rows[#rows + 1] = { ">= " .. text.number(s.hi), s.above }
  end
  return rows
end

--- histogram:plot([width]) -> text
--- A line for each bin: its lower end, its count, and a bar; also for what lies
--- outside, if there is any. At most width columns, 20 to 80 (72). Raises usage
--- for another width.
---   print(md.stats.histogram({ lo = 0, hi = 9, bins = 3 }):plot(40))
function histogram:plot(width)
  local s = object.state(kind, self, "plot")
  width = text.width("plot", width)
  local rows, label, digits, most = plot_rows(s), 0, 0, 1
  for _, row in ipairs(rows) do
    label = math.max(label, #row[1])
    digits = math.max(digits, #text.number(row[2]))
    most = math.max(most, row[2])
  end
  local room = math.max(1, width - label - digits - 4)
  for i, row in ipairs(rows) do
    local bar = text.bar(row[2] / most * room)
    local n = text.pad(text.number(row[2]), digits)
    local line = text.pad(row[1], label) .. "  " .. n .. "  " .. bar
    rows[i] = line:gsub(" +$", "")
  end
  return table.concat(rows, "\n")
end

return m
