-- MSER-5 on series whose beginning is known.
local md = require "moondial"
local support = require "spec.stats.support"
local refuses, stream = support.refuses, support.stream
local warmup = md.stats.warmup

-- n values of fn(i).
local function series(n, fn)
  local list = {}
  for i = 1, n do
    list[i] = fn(i)
  end
  return list
end

-- The rule as it is defined, straight: for each cut the whole rest again.
local function by_definition(data)
  local means = {}
  for k = 1, #data // 5 do
    local sum = 0
    for i = 5 * k - 4, 5 * k do
      sum = sum + data[i]
    end
    means[k] = sum / 5
  end
  local best, least = nil, math.huge
  for cut = 0, #means // 2 do
    local t = md.stats.tally()
    for k = cut + 1, #means do
      t:add(means[k])
    end
    local score = (t.variance or 0) * (t.count - 1) / t.count ^ 2
    if score < least then
      best, least = cut, score
    end
  end
  return best < #means // 2 and 5 * best or nil
end

describe("md.stats.warmup", function()
  it("cuts a beginning that is of another level", function()
    local data = series(1000, function(i)
      return (i <= 100 and 50 or 0) + i % 5
    end)
    assert.equal(100, warmup(data))
    data = series(1000, function(i)
      return (i <= 98 and 50 or 0) + i % 5
    end)
    assert.equal(100, warmup(data)) -- a multiple of five
  end)

  it("cuts nothing of what is even", function()
    assert.equal(
      0,
      warmup(series(100, function()
        return 7
      end))
    )
    assert.equal(
      0,
      warmup(series(100, function(i)
        return i % 5
      end))
    )
  end)

  it("cuts where the definition says", function()
    local rng = stream "definition"
    for _ = 1, 30 do
      local n = rng:integer(10, 400)
      local data = series(n, function(i)
        return 30 * math.exp(-i / 20) + rng:normal(0, 3)
      end)
      assert.equal(by_definition(data), (warmup(data)))
    end
  end)

  it("does not lose the small differences of large values", function()
    local data = series(1000, function(i)
      return 1e9 + (i <= 100 and 5 or 0) + i % 5
    end)
    assert.equal(100, warmup(data))
  end)

  it("says when the run is too short to tell", function()
    local cut, why = warmup(series(100, function(i)
      return i
    end))
    assert.is_nil(cut)
    assert.equal("short", why)
    cut, why = warmup(series(200, function(i)
      return i <= 100 and 50 or 0
    end))
    assert.is_nil(cut)
    assert.equal("short", why)
  end)

  it(
    "takes ten values at the least, and leaves those behind the last batch",
    function()
      assert.equal(0, warmup { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 })
      assert.equal(0, warmup { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 99 })
      refuses("warmup: expected at least 10 values, got 9", function()
        warmup { 1, 2, 3, 4, 5, 6, 7, 8, 9 }
      end)
      refuses("warmup: expected a list of numbers, got nil", function()
        warmup()
      end)
      refuses("warmup: expected a finite number as item 2, got 'x'", function()
        warmup { 1, "x" }
      end)
    end
  )
end)
