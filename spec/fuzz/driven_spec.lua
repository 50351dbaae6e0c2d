-- Random families run in several ways: all at once, step by step, in pieces. It
-- is one story, so it has one hash, and the same signals.
local md = require "moondial"
local family = require "spec.fuzz.family"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

-- Each lets some time pass, and says whether nothing is left to come.
local drivers = {}

function drivers.run(sim)
  sim:run()
  return true
end

function drivers.step(sim)
  return not sim:step()
end

function drivers.events(sim)
  return sim:run { events = 3 } ~= "events"
end

function drivers.asked(sim)
  sim:run {
    when = function()
      return false
    end,
  }
  return true
end

function drivers.halted(sim)
  local n = 0
  return sim:run {
    when = function()
      n = n + 1
      return n == 5
    end,
  } ~= "when"
end

function drivers.pieces(sim)
  sim:run(sim:now() + 0.75)
  return sim:peek() == nil
end

local function serve()
  while true do
    local from, ref, n = md.select("price", md.is.pid, md.is.ref)
    md.after(0.1 + n / 10000, md.send, from, ref, n * 2)
  end
end

-- The hash and the signals of a family that is driven so, as one text.
local function story(driver, order, seed)
  local t = family.template { asks = seed % 2 == 0, long = seed % 3 == 0 }
  family.start({}, 0)
  local sim = md.sim { order = order }
  local mortal = sim:spawn(md.wait, "nothing")
  local p = t(sim):create(seed, sim:spawn(serve), mortal)
  pcall(p.start, p)
  repeat
    local ok, over = pcall(driver, sim)
  until ok and over
  local said = { sim:hash() }
  for s in p:pull() do
    said[#said + 1] = ("%s %d %s"):format(s.kind, s.turn, s.time)
  end
  return table.concat(said, "\n")
end

describe("one story", function()
  for _, order in ipairs { "fifo", "lifo", "random" } do
    it("has one hash, however it is run, with order " .. order, function()
      for seed = 1, long and 1000 or 60 do
        local first = story(drivers.run, order, seed)
        for name, driver in pairs(drivers) do
          local text = name .. ", family " .. seed
          assert.equal(first, story(driver, order, seed), text)
        end
      end
    end)
  end
end)
