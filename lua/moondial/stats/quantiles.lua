-- Quantiles of any number of values, in little space: the summary of Greenwald
-- and Khanna (Space-efficient online computation of quantile summaries, SIGMOD
-- 2001), which is deterministic and whose bound always holds. Values are taken
-- in by the thousand (GKArray, after Luo, Wang, Yi and Cormode, Quantiles over
-- data streams: experimental comparisons, VLDB Journal 2016).
local argument = require "moondial.argument"
local canvas = require "moondial.stats.canvas"
local object = require "moondial.stats.object"
local summary = require "moondial.stats.summary"
local text = require "moondial.stats.text"

local m = {}

local type = type
local BUFFER <const> = 2048

-- -- the object ------------------------------------------------------

-- All values so far as one summary; those in the buffer stay there.
local function view(s)
  if s.seen ~= s.whole.count + s.used then
    local values = table.move(s.buffer, 1, s.used, 1, {})
    table.sort(values)
    s.seen, s.view = s.whole.count + s.used, summary.new()
    summary.merge(s.whole, values, s.used, s.view)
  end
  return s.view
end

local function count(s)
  return s.whole.count + s.used
end

local function end_of(place)
  return function(s)
    local all = view(s)
    return all.value[place(all)]
  end
end

-- The value at a rank from 1 to n, between those of known ranks, and how far
-- its own rank may be off.
local function at_rank(all, rank)
  local least, before, x0 = 0, nil, nil
  for i = 1, all.size do
    least = least + all.gap[i]
    local middle, x1 = least + all.slack[i] / 2, all.value[i]
    if middle >= rank then
      local width = all.gap[i] + all.slack[i]
      local off = width > 1 and width or 0
      if not before or middle == rank then
        return x1, off
      end
      local part = (rank - before) / (middle - before)
      return x0 + part * (x1 - x0), off
    end
    before, x0 = middle, x1
  end
  return x0, 0
end

local function quantile(s, p)
  local all = view(s)
  if all.count == 0 then
    return nil
  end
  local x, off = at_rank(all, 1 + p * (all.count - 1))
  return x, off / all.count
end

local function rows_of(s)
  local rows = {}
  for i, p in ipairs(s.probabilities) do
    rows[i] = { "  " .. text.number(p), text.number((quantile(s, p))) }
  end
  return rows
end

local kind
kind = object.kind {
  name = "quantiles",
  short = "q",
  listed = { "add", "merge", "reset", "quantile", "plot" },
  fields = {
    { "count", count },
    {
      "min",
      end_of(function()
        return 1
      end),
    },
    {
      "max",
      end_of(function(all)
        return all.size
      end),
    },
  },
  rows = rows_of,
  at = function(s, p)
    object.probability("quantiles", p, "p")
    return (quantile(s, p))
  end,
}
local quantiles = kind.methods

local adder -- below

--- stats.quantiles{p1, ...} -> quantiles
--- Keeps enough of any number of values to tell each quantile: q[0.99] is what
--- 99 % of them lie below, or nil without values. The fields are count, min and
--- max; print shows them and the quantiles of the list, or else of 0.5, 0.9 and
--- 0.99. Up to 2047 values they are exact, interpolated between two neighbours
--- (type 7 of R, the default of numpy); beyond that among the 500 lowest and
--- the 500 highest values. Elsewhere the rank is off by at most a thousandth of
--- the number of values: q[0.99] lies between the true quantiles of 0.989 and
--- 0.991. Raises usage for a p that is not between 0 and 1.
---   local q = md.stats.quantiles { 0.5, 0.9 } q:add(3) print(q[0.5], q)
function m.quantiles(given)
  local probabilities = { 0.5, 0.9, 0.99 }
  if given ~= nil then
    object.options("quantiles", given, "md.stats.quantiles{0.5, 0.99}")
    for i = 1, #given do
      object.probability("quantiles", given[i], "item " .. i)
    end
    probabilities = table.move(given, 1, #given, 1, {})
  end
  local s = { probabilities = probabilities, buffer = {}, used = 0 }
  local q = {}
  local add, forget = adder(q, s)
  q.add = add
  forget()
  return object.new(kind, q, function()
    return s
  end, forget)
end

--- quantiles:add(x)
--- Takes in a finite number. Raises usage for nan, an infinity and what is no
--- number.
---   local q = md.stats.quantiles { 0.9 } q:add(3) print(q[0.9])
function adder(q, s)
  local buffer, used = s.buffer, 0
  local spare = summary.new()
  local function forget()
    s.whole, s.used, used = summary.new(), 0, 0
    s.seen, s.view = nil, nil
  end
  local function add(self, x)
    if self ~= q or type(x) ~= "number" or x - x ~= 0 then
      object.refuse(kind, "add", self, x)
    end
    used = used + 1
    buffer[used] = x + 0.0
    s.used = used
    if used == BUFFER then
      table.sort(buffer)
      summary.merge(s.whole, buffer, used, spare)
      summary.compress(spare)
      s.whole, spare = spare, s.whole
      s.used, used = 0, 0
    end
  end
  return add, forget
end

--- quantiles:merge(other) -> quantiles
--- Takes in all that other quantiles were given, as if by add, and returns
--- itself; the others stay as they are. So replications are put together, with
--- the same bound on the error. Raises usage for what is none.
---   local a, b = md.stats.quantiles(), md.stats.quantiles() print(a:merge(b))
function quantiles:merge(other)
  local s = object.state(kind, self, "merge")
  argument.expect("merge", object.is(kind, other), "quantiles", other)
  local all = view(object.state(kind, other, "merge"))
  if all.count > 0 then
    s.whole = summary.unite(s.whole, all)
    if s.whole.count >= BUFFER then
      summary.compress(s.whole)
    end
  end
  return self
end

--- quantiles:reset()
--- Forgets all values: at the end of a warm-up, say.
---   local q = md.stats.quantiles() q:add(3) q:reset() print(q.count)
function quantiles:reset()
  object.state(kind, self, "reset")
  object.write(self)
end

--- quantiles:quantile(p) -> number, error
--- What the share p of the values lie below, p between 0 and 1, and how far its
--- rank may be off, as a share: the quantile that it is lies between p - error
--- and p + error. It is 0 as long as it is exact. Without values the number is
--- nil. Raises usage for another p.
---   local q = md.stats.quantiles() q:add(3) print(q:quantile(0.75))
function quantiles:quantile(p)
  local s = object.state(kind, self, "quantile")
  object.probability("quantile", p, "p")
  return quantile(s, p)
end

--- quantiles:plot([width]) -> text
--- The distribution function: how large a share of the values lie below each
--- value. At most width columns, 20 to 80 (72). Without values it is "-".
--- Raises usage for another width.
---   local q = md.stats.quantiles() q:add(3) q:add(4) print(q:plot(40))
function quantiles:plot(width)
  local s = object.state(kind, self, "plot")
  width = text.width("plot", width)
  local all = view(s)
  if all.count == 0 then
    return "-"
  end
  local shares, least = {}, 0
  for i = 1, all.size do
    least = least + all.gap[i]
    shares[i] = (least + all.slack[i] / 2) / all.count
  end
  local values = table.move(all.value, 1, all.size, 2, { all.value[1] })
  table.insert(shares, 1, 0)
  return canvas.curve(values, shares, width, 10)
end

return m
