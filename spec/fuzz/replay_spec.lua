-- Random families are recorded, with what comes to them from outside, and
-- replayed up to each of their signals: every replay must agree with the record
-- and, gone on with, come to the same end, whatever it was made of.
local md = require "moondial"
local family = require "spec.fuzz.family"
local replayed = require "spec.fuzz.replayed"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

-- The results of the processes that have returned among the first n signals.
local function results_of(log, n)
  local known = {}
  for i = 1, n do
    if log[i].kind == "STOP" then
      known[log[i].pid] = log[i].result
    end
  end
  return function(s)
    local result = s.kind == "START" and known[s.pid]
    if result then
      return true, table.unpack(result, 1, result.n)
    end
  end
end

-- What each replay is made of, by the record and the number of the signals of
-- it that are there: the options of replayed.cut.
local ways = {}

function ways.plain()
  return {}
end

function ways.later()
  return { shift = 3.7 }
end

function ways.same(recorded)
  return { sim = recorded.sim }
end

function ways.results(recorded, n)
  return { results = results_of(recorded.log, n) }
end

function ways.compact(recorded, n)
  return { list = md.compact(table.move(recorded.log, 1, n, 1, {})) }
end

-- Compacted in the middle, and once more with what came then.
function ways.twice(recorded, n)
  local log, middle = recorded.log, n // 2
  local list = md.compact(table.move(log, 1, middle, 1, {}))
  table.move(log, middle + 1, n, #list + 1, list)
  return { list = md.compact(list) }
end

-- Replays the record of the family of that number up to each signal.
local function check(way, seed, how)
  local t = family.template {
    asks = seed % 2 == 0,
    long = seed % 3 == 0,
    apart = how.apart,
    amid = how.amid,
  }
  local schedule = family.schedule(seed)
  family.start({}, 0)
  replayed.options = { order = how.order }
  local recorded = replayed.record(t, seed, schedule)
  for n = 0, #recorded.log do
    family.start(recorded.log, n)
    local options = ways[way](recorded, n)
    local ok, got = pcall(replayed.cut, recorded, t, seed, schedule, n, options)
    local why = not ok and tostring(got)
      or replayed.difference(recorded, got, options.list)
    if why then
      local text = "family %d, replayed up to signal %d of %d (%s): %s"
      error(text:format(seed, n, #recorded.log, way, why), 0)
    end
  end
end

local function check_all(way, count, how)
  for seed = 1, long and 20 * count or count do
    check(way, seed, how)
  end
end

-- Where what comes from outside comes behind all of its instant, and where it
-- comes in the middle, under each tie rule.
local function check_orders(way, count)
  check_all(way, count, { order = "fifo" })
  for _, order in ipairs { "fifo", "lifo", "random" } do
    check_all(way, count, { order = order, amid = true })
  end
end

describe("a replay up to any signal of a random family", function()
  it("4.16, 4.21 agrees and goes on to the same end", function()
    check_orders("plain", 10)
  end)

  it("does so at another time", function()
    check_all("later", 15, { order = "lifo" })
  end)

  it("does so in the sim in which it was recorded", function()
    check_all("same", 15, { order = "lifo", amid = true })
  end)

  it("4.17, 4.31 does without those whose results are known", function()
    check_orders("results", 7)
  end)

  it("4.22, 4.25 does with a compacted record", function()
    check_orders("compact", 7)
    check_all("compact", 10, { apart = true })
  end)

  it("4.22 does with one that was compacted again", function()
    check_orders("twice", 5)
  end)
end)
