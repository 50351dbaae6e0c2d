-- Tallies: figures known from elsewhere, and what their errors are said to be.
-- NumAcc1 to NumAcc4 and Michelso are data sets of NIST's StRD.
local md = require "moondial"
local support = require "spec.stats.support"
local near, refuses, stream = support.near, support.refuses, support.stream
local tally = md.stats.tally

local function of(list)
  local t = tally()
  for _, x in ipairs(list) do
    t:add(x)
  end
  return t
end

-- One value, and 500 pairs around it.
local function around(center, low, high)
  local list = { center }
  for _ = 1, 500 do
    list[#list + 1] = low
    list[#list + 1] = high
  end
  return list
end

-- The speed of light in air, less 299 000 km/s, as Michelson measured it.
local michelson = {}
for x in
  ([[
  850 740 900 1070 930 850 950 980 980 880 1000 980 930 650 760 810 1000 1000
  960 960 960 940 960 940 880 800 850 880 900 840 830 790 810 880 880 830 800
  790 760 800 880 880 880 860 720 720 620 860 970 950 880 910 850 870 840 840
  850 840 840 840 890 810 810 820 800 770 760 740 750 760 910 920 890 860 880
  720 840 850 850 780 890 840 780 810 760 810 790 810 820 850 870 870 810 740
  810 940 950 800 810 870]]):gmatch "%d+"
do
  michelson[#michelson + 1] = tonumber(x)
end

describe("a tally", function()
  it("has the mean and the sd that NIST certifies", function()
    local t = of { 10000001, 10000003, 10000002 }
    assert.equal(10000002, t.mean)
    assert.equal(1, t.sd)
    t = of(michelson)
    assert.equal(100, t.count)
    near(852.4, t.mean, 1e-15)
    near(79.0105478190518, t.sd, 1e-14)
    t = of(around(1.2, 1.1, 1.3))
    near(1.2, t.mean, 1e-15)
    near(0.1, t.sd, 1e-14)
    -- the data themselves, as doubles, are off by 1e-9 and 1e-8 of the sd
    t = of(around(1000000.2, 1000000.1, 1000000.3))
    near(1000000.2, t.mean, 1e-15)
    near(0.1, t.sd, 1e-9)
    t = of(around(10000000.2, 10000000.1, 10000000.3))
    near(10000000.2, t.mean, 1e-15)
    near(0.1, t.sd, 1e-8)
  end)

  it("has min, max, sum and count", function()
    local t = of { 3, -1, 2, 2 }
    assert.same({ 4, -1, 3, 6 }, { t.count, t.min, t.max, t.sum })
    assert.equal(1.5, t.mean)
    near(3, t.variance, 1e-15)
    assert.equal(math.sqrt(t.variance), t.sd)
  end)

  it("has nil for what is not defined", function()
    local t = tally()
    assert.equal(0, t.count)
    assert.equal(0, t.sum)
    for _, name in ipairs { "mean", "sd", "variance", "min", "max" } do
      assert.is_nil(t[name])
    end
    t:add(4)
    assert.same({ 4, 4, 4 }, { t.mean, t.min, t.max })
    assert.is_nil(t.sd)
    assert.is_nil(t.variance)
  end)

  it("keeps the digits of small differences of large values", function()
    local t = tally()
    for i = 1, 100000 do
      t:add(1e9 + i % 10)
    end
    near(1e9 + 4.5, t.mean, 1e-15)
    near(8.25 * 100000 / 99999, t.variance, 1e-14)
  end)

  it("has the variance of integers to 1e-13", function()
    local rng = stream "integers"
    for _ = 1, 20 do
      local t, n, sum, squares = tally(), 1000, 0, 0
      for _ = 1, n do
        local x = rng:integer(-100000, 900000)
        t:add(x)
        sum, squares = sum + x, squares + x * x
      end
      assert.equal(sum, t.sum)
      near((n * squares - sum * sum) / (n * (n - 1)), t.variance, 1e-13)
    end
  end)

  it("has an error that does not grow with the number of values", function()
    local t = tally()
    for _ = 1, 1000000 do
      t:add(0.1)
      t:add(0.3)
    end
    near(0.2, t.mean, 1e-15)
    near(400000, t.sum, 1e-15)
    near(0.1, t.sd, 1e-6) -- by n - 1
    near(0.01 * 2000000 / 1999999, t.variance, 1e-14)
  end)

  it("is merged with another as if it had been given all", function()
    local rng = stream "merge"
    for _, split in ipairs { 0, 1, 63, 64, 500, 999, 1000 } do
      local a, b, whole = tally(), tally(), tally()
      for i = 1, 1000 do
        local x = rng:lognormal(0, 1) + (i > split and 1000 or 0)
        whole:add(x)
        local part = i <= split and a or b
        part:add(x)
      end
      local before = tostring(b)
      assert.equal(a, a:merge(b))
      assert.equal(before, tostring(b))
      assert.same(
        { whole.count, whole.min, whole.max },
        { a.count, a.min, a.max }
      )
      near(whole.mean, a.mean, 1e-14)
      near(whole.variance, a.variance, 1e-12)
      a:add(7) -- and goes on
      whole:add(7)
      near(whole.variance, a.variance, 1e-12)
    end
    local t = of { 1, 2, 4 }
    assert.equal(6, t:merge(t).count)
    near(7 / 3, t.mean, 1e-15)
  end)

  it("is empty after a reset", function()
    local t = of { 1, 2, 3 }
    t:reset()
    assert.equal(0, t.count)
    assert.is_nil(t.mean)
    t:add(5)
    assert.same({ 5, 5, 5 }, { t.mean, t.min, t.max })
  end)

  it("is not changed by looking at it", function()
    local rng = stream "look"
    local a, b = tally(), tally()
    for _ = 1, 1000 do
      local x = rng:normal(1e6, 1)
      a:add(x)
      b:add(x)
      assert.is_string(tostring(b))
    end
    assert.equal(a.variance, b.variance)
    assert.equal(a.sum, b.sum)
  end)

  it("allocates nothing to add", function()
    local t = tally()
    t:add(1)
    collectgarbage "stop"
    local before = collectgarbage "count"
    for i = 1, 10000 do
      t:add(i % 7)
    end
    local grown = collectgarbage "count" - before
    collectgarbage "restart"
    assert.is_true(grown < 1, grown .. " KB")
  end)

  it("prints its figures", function()
    local t = of { 1, 2, 3, 4, 10 }
    assert.equal(
      [[
tally
  count           5
  mean            4
  sd        3.53553
  variance     12.5
  min             1
  max            10
  sum            20]],
      tostring(t)
    )
    assert.equal(
      [[
tally
  count     0
  mean      -
  sd        -
  variance  -
  min       -
  max       -
  sum       0]],
      tostring(tally())
    )
  end)

  it("draws its range", function()
    local t = of { 1, 2, 3, 4, 10 }
    assert.equal(
      "1 ├━━━━━━━●━━━━━━━━━─────┤ 10",
      t:plot(29)
    )
    assert.equal(72, utf8.len(t:plot()))
    assert.equal("-", tally():plot())
    assert.equal(
      "2 ├───────●───────┤ 2",
      of({ 2, 2 }):plot(21)
    )
  end)
end)

describe("a tally of integers", function()
  it("keeps its extremes as they came, to the last digit", function()
    local t = md.stats.tally()
    local big = 1 << 60
    for i = 1, 9 do
      t:add(big + i)
    end
    assert.equal(big + 1, t.min)
    assert.equal(big + 9, t.max)
    assert.equal("integer", math.type(t.max))
    t:add(2.0 ^ 60) -- less by one than the least, though the same as a double
    assert.equal("float", math.type(t.min))
  end)
end)

describe("the confidence interval of a tally", function()
  it("is Student's", function()
    local mean, half = of({ 9.2, 10.1, 9.7 }):confidence(0.99)
    near(29 / 3, mean, 1e-15)
    near(2.58385011311322, half, 1e-12)
    mean, half = of({ 4, 4, 4 }):confidence()
    assert.same({ 4, 0 }, { mean, half })
  end)
end)

describe("a wrong call of a tally", function()
  it("is refused at the model's line", function()
    local t = tally()
    refuses(support.not_a_number, function()
      t:add(0 / 0)
    end)
    refuses(support.infinite, function()
      t:add(math.huge)
    end)
    refuses((support.infinite:gsub("got inf", "got -inf")), function()
      t:add(-math.huge)
    end)
    refuses("add: expected a finite number, got nil", function()
      t:add()
    end)
    refuses(
      "add: expected a finite number, got '5'; "
        .. "tonumber makes a number of a text",
      function()
        t:add "5"
      end
    )
    assert.equal(0, t.count)
  end)

  it("may be a dot in place of a colon", function()
    local t = tally()
    local text = "%s: expected the tally before the arguments, got %s; "
      .. "write t:%s(...), with a colon"
    refuses(text:format("add", "5", "add"), function()
      t.add(5)
    end)
    refuses(text:format("add", "5", "add"), function()
      t.add(5, 6)
    end)
    refuses(text:format("merge", "a table", "merge"), function()
      t.merge {}
    end)
    refuses(text:format("reset", "nil", "reset"), function()
      t.reset()
    end)
    refuses(text:format("confidence", "0.9", "confidence"), function()
      t.confidence(0.9)
    end)
    refuses(text:format("plot", "20", "plot"), function()
      t.plot(20)
    end)
  end)

  it("may name what is not there", function()
    local t = tally()
    refuses("tally: there is no 'meen'; did you mean 'mean'?", function()
      return t.meen
    end)
    refuses("tally: there is no field 1", function()
      return t[1]
    end)
    refuses(
      "tally: what it says is computed, and 'count' cannot be set",
      function()
        t.count = 0
      end
    )
    refuses("stats: there is no 'taly'; did you mean 'tally'?", function()
      md.stats.taly()
    end)
  end)

  it("may give what does not do", function()
    local t = of { 1 }
    refuses("merge: expected a tally, got 5", function()
      t:merge(5)
    end)
    refuses("confidence: expected at least 2 values, got 1", function()
      t:confidence()
    end)
    refuses(
      "confidence: expected a number between 0 and 1 as level, got 95; "
        .. "for 95 % write 0.95",
      function()
        t:confidence(95)
      end
    )
    refuses(
      "plot: expected an integer from 20 to 80 as width, got 81",
      function()
        t:plot(81)
      end
    )
  end)
end)
