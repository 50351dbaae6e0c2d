-- Confidence intervals of means and of differences.
local md = require "moondial"
local support = require "spec.stats.support"
local near, refuses, stream = support.near, support.refuses, support.stream
local stats = md.stats

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

local function tally_of(list)
  local t = stats.tally()
  for _, x in ipairs(list) do
    t:add(x)
  end
  return t
end

describe("md.stats.confidence", function()
  it("is of a list, a tally or batch means", function()
    local list = { 9.2, 10.1, 9.7 }
    local b = stats.batch_means { size = 1 }
    for _, x in ipairs(list) do
      b:add(x)
    end
    for _, data in ipairs { list, tally_of(list), b } do
      local mean, half = stats.confidence(data, 0.99)
      near(29 / 3, mean, 1e-15)
      near(2.58385011311322, half, 1e-12)
    end
  end)

  it("has a level of 0.95, if no other is given", function()
    local _, half = stats.confidence { 1, 2 }
    near(12.7062047361747 / 2, half, 1e-12)
  end)

  -- The share of intervals that hold the mean 1, in percent.
  local function coverage(draw, n, level)
    local rng, runs, held = stream "coverage", long and 4000 or 1000, 0
    for _ = 1, runs do
      local list = {}
      for i = 1, n do
        list[i] = draw(rng)
      end
      local mean, half = stats.confidence(list, level)
      held = held + (math.abs(mean - 1) <= half and 1 or 0)
    end
    return 100 * held / runs
  end

  local function normal(rng)
    return rng:normal(1, 3)
  end

  it("holds the mean as often as it says", function()
    for _, n in ipairs { 2, 5, 20 } do
      local share = coverage(normal, n, 0.95)
      assert.is_true(share > 93 and share < 97, n .. ": " .. share)
    end
    local share = coverage(function(rng)
      return rng:uniform(0, 2)
    end, 30, 0.9)
    assert.is_true(share > 87 and share < 93, share)
  end)

  it("refuses what has no interval", function()
    refuses("confidence: expected at least 2 values, got 1", function()
      stats.confidence { 5 }
    end)
    refuses("confidence: expected at least 2 values, got 0", function()
      stats.confidence(stats.tally())
    end)
    refuses("confidence: expected a list of numbers, got 5", function()
      stats.confidence(5)
    end)
    refuses(
      "confidence: expected a finite number as item 2, got 'x'",
      function()
        stats.confidence { 1, "x", 3 }
      end
    )
    refuses(
      "confidence: expected a number between 0 and 1 as level, got 1",
      function()
        stats.confidence({ 1, 2 }, 1)
      end
    )
  end)
end)

describe("md.stats.compare", function()
  -- two samples of unequal variances, with 25.41 degrees of freedom
  local a = {
    27.5,
    21.0,
    19.0,
    23.6,
    17.0,
    17.9,
    16.9,
    20.1,
    21.9,
    22.6,
    23.1,
    19.6,
    19.0,
    21.7,
    21.4,
  }
  local b = {
    27.1,
    22.0,
    20.8,
    23.4,
    23.4,
    23.5,
    25.8,
    22.0,
    24.8,
    20.2,
    21.9,
    22.1,
    22.9,
    30.5,
    12.4,
  }

  it("is Welch's interval", function()
    local difference, half = stats.compare(a, b)
    near(-2.03333333333333, difference, 1e-13)
    near(2.55452540949602, half, 1e-12)
    difference, half = stats.compare(tally_of(b), a)
    near(2.03333333333333, difference, 1e-13)
    near(2.55452540949602, half, 1e-12)
  end)

  it(
    "is narrower at a lower level, and has no width without variance",
    function()
      local _, wide = stats.compare(a, b, 0.99)
      local _, narrow = stats.compare(a, b, 0.9)
      assert.is_true(wide > narrow)
      assert.same({ 2, 0 }, { stats.compare({ 5, 5 }, { 3, 3, 3 }) })
    end
  )

  it("refuses what cannot be compared", function()
    refuses("compare: expected at least 2 values, got 1", function()
      stats.compare({ 1, 2 }, { 1 })
    end)
    refuses("compare: expected a list of numbers, got nil", function()
      stats.compare { 1, 2 }
    end)
    refuses(
      "compare: expected a number between 0 and 1 as level, got 95; "
        .. "for 95 % write 0.95",
      function()
        stats.compare({ 1, 2 }, { 1, 2 }, 95)
      end
    )
  end)
end)
