-- Batch means: a confidence interval from one run, whose values hang on one
-- another. The means of long enough batches hardly do.
local argument = require "moondial.argument"
local canvas = require "moondial.stats.canvas"
local object = require "moondial.stats.object"
local tally = require "moondial.stats.tally"
local text = require "moondial.stats.text"

local m = {}

local type = type

local function tally_of(s)
  local t = tally.tally()
  for _, x in ipairs(s.means) do
    t:add(x)
  end
  return t
end

local function mean(s)
  return tally_of(s).mean
end

-- The correlation of each mean with the next one.
local function correlation(s)
  local means, center = s.means, mean(s)
  local products, squares = 0, 0
  for i, x in ipairs(means) do
    squares = squares + (x - center) ^ 2
    if i > 1 then
      products = products + (means[i - 1] - center) * (x - center)
    end
  end
  return squares > 0 and products / squares or nil
end

local kind = object.kind {
  name = "batch_means",
  short = "b",
  listed = { "add", "reset", "confidence", "plot" },
  fields = {
    object.field "count",
    object.field "size",
    {
      "batches",
      function(s)
        return #s.means
      end,
    },
    { "mean", mean },
    { "correlation", correlation },
    {
      "means",
      function(s)
        return table.move(s.means, 1, #s.means, 1, {})
      end,
      quiet = true,
    },
  },
}
local batch_means = kind.methods

local options = { { "size", argument.count } }

local adder -- below

--- stats.batch_means{size =} -> batch_means
--- Takes the values of one long run in batches of that size, whose means stand
--- for independent values. The fields are count (of all values), size, batches
--- (the complete ones), mean (of these), means (a list of theirs) and
--- correlation: that of each mean with the next. If it is above 2 divided by
--- the root of the number of batches, or still above 0.1, the batches are too
--- short, and the interval is too narrow. At least 20 batches are advised. nil
--- is what is not defined yet. print shows a table. Raises usage for a size
--- that is none.
---   local b = md.stats.batch_means { size = 2 } b:add(1) b:add(2) print(b)
function m.batch_means(given)
  object.options("batch_means", given, "md.stats.batch_means{size = 100}")
  argument.options("batch_means", given, options)
  argument.check("batch_means", argument.count, given.size, "size")
  local s = { size = given.size, count = 0, means = {} }
  local b = {}
  local add, forget = adder(b, s)
  b.add = add
  return object.new(kind, b, function()
    return s
  end, forget)
end

--- batch_means:add(x)
--- Takes in a finite number, the next of the run. Raises usage for nan, an
--- infinity and what is no number.
---   local b = md.stats.batch_means { size = 1 } b:add(2) print(b.mean)
function adder(b, s)
  local first, sum, n, size = nil, 0.0, 0, s.size
  local function forget()
    first, sum, n = nil, 0.0, 0
    s.count, s.means = 0, {}
  end
  local function add(self, x)
    if self ~= b or type(x) ~= "number" or x - x ~= 0 then
      object.refuse(kind, "add", self, x)
    end
    first = first or x
    sum = sum + (x - first)
    n = n + 1
    s.count = s.count + 1
    if n == size then
      s.means[#s.means + 1] = first + sum / size
      sum, n = 0.0, 0
    end
  end
  return add, forget
end

--- batch_means:reset()
--- Forgets all values, and begins a batch: at the end of a warm-up, say.
---   md.stats.batch_means({ size = 2 }):reset()
function batch_means:reset()
  object.state(kind, self, "reset")
  object.write(self)
end

--- batch_means:confidence([level]) -> mean, half width
--- The confidence interval of the mean, from the means of the batches by
--- Student's t; the level is 0.95 unless another is given. Values behind the
--- last complete batch are left out. Raises usage for fewer than two batches
--- and for a level outside of 0 to 1.
---   local b = md.stats.batch_means { size = 1 } b:add(1) b:add(2)
function batch_means:confidence(level)
  local s = object.state(kind, self, "confidence")
  level = object.level("confidence", level)
  if #s.means < 2 then
    local said = "expected at least 2 batches of %d values, got %d values"
    argument.refuse("confidence", said:format(s.size, s.count))
  end
  return tally_of(s):confidence(level)
end

--- batch_means:plot([width]) -> text
--- The means of the batches as a curve, in which a trend or long waves show
--- that something is wrong; at most width columns, 20 to 80 (72). Without a
--- batch it is "-". Raises usage for another width.
---   local b = md.stats.batch_means { size = 1 } b:add(1) print(b:plot(40))
function batch_means:plot(width)
  local s = object.state(kind, self, "plot")
  width = text.width("plot", width)
  if #s.means == 0 then
    return "-"
  end
  local places = {}
  for i = 1, #s.means do
    places[i] = i
  end
  return canvas.curve(places, s.means, width, 10)
end

m.kind = kind

return m
