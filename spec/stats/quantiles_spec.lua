-- Quantiles: exact while there are few values, and within the bound for many,
-- in whatever order they come.
local md = require "moondial"
local support = require "spec.stats.support"
local near, refuses = support.near, support.refuses
local quantiles = md.stats.quantiles

local many = (os.getenv "MOONDIAL_LONG" or "") ~= "" and 1000000 or 200000

local function of(list)
  local q = quantiles()
  for _, x in ipairs(list) do
    q:add(x)
  end
  return q
end

-- How many of a sorted list lie below x, or, when `equal`, at it as well.
local function below(list, x, equal)
  local low, high = 0, #list
  while low < high do
    local middle = (low + high) // 2 + 1
    local y = list[middle]
    if y < x or equal and y == x then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

-- How far the rank of x is from that of the quantile p, as a share.
local function off(list, x, p)
  local rank = 1 + p * (#list - 1)
  local least, most = below(list, x), below(list, x, true)
  least, most = math.min(least + 1, most), math.max(least + 1, most)
  return math.max(0, least - rank, rank - most) / #list
end

local shapes = { 0.0001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999 }

local orders = {
  { "uniform", "uniform", 0, 1 },
  { "exponential", "exponential", 1 },
  { "pareto", "pareto", 1, 1 },
  { "of few values", "integer", 1, 5 },
  {
    "sorted",
    function(i)
      return i
    end,
  },
  {
    "reversed",
    function(i)
      return -i
    end,
  },
  {
    "constant",
    function()
      return 7
    end,
  },
  {
    "a saw",
    function(i)
      return i % 1000
    end,
  },
  {
    "closing in",
    function(i)
      return (i % 2 == 0 and 1 or -1) / i
    end,
  },
  {
    "going apart",
    function(i)
      return i % 2 == 0 and i or -i
    end,
  },
}

local function series(case)
  local rng, list = support.stream "quantiles", {}
  for i = 1, many do
    if type(case[2]) == "function" then
      list[i] = case[2](i)
    else
      list[i] = rng[case[2]](rng, table.unpack(case, 3))
    end
  end
  return list
end

describe("quantiles", function()
  it("of few values are exact, between two of them (type 7)", function()
    local q = of { 15, 20, 35, 40, 50 }
    assert.same({ 35, 20, 29 }, { q[0.5], q[0.25], q[0.4] })
    near(48, q[0.95], 1e-15)
    assert.same({ 5, 15, 50 }, { q.count, q.min, q.max })
    assert.equal(2.5, of({ 4, 1, 3, 2 })[0.5])
    assert.same({ 2.5, 0 }, { of({ 4, 1, 3, 2 }):quantile(0.5) })
  end)

  it("are exact up to 2047 values, whatever their order", function()
    local rng, list = support.stream "few", {}
    for i = 1, 2047 do
      list[i] = rng:normal(0, 1)
    end
    local q = of(list)
    table.sort(list)
    for _, p in ipairs(shapes) do
      local rank = 1 + p * 2046
      local k = math.floor(rank)
      local x = list[k] + (rank - k) * ((list[k + 1] or 0) - list[k])
      local got, err = q:quantile(p)
      assert.is_true(math.abs(x - got) < 1e-12)
      assert.equal(0, err)
    end
  end)

  it("without values are nil", function()
    local q = quantiles()
    assert.is_nil(q[0.5])
    assert.is_nil(q.min)
    assert.is_nil(q.max)
    assert.equal(0, q.count)
    q:add(3)
    assert.same({ 3, 3, 3 }, { q[0.01], q[0.99], q.min })
  end)

  for _, case in ipairs(orders) do
    it("keep their bound: " .. case[1], function()
      local list = series(case)
      local q = of(list)
      table.sort(list)
      assert.equal(#list, q.count)
      assert.equal(list[1], q.min)
      assert.equal(list[#list], q.max)
      for _, p in ipairs(shapes) do
        local x, err = q:quantile(p)
        assert.is_true(err <= 0.001)
        assert.is_true(off(list, x, p) <= err, p .. ": " .. off(list, x, p))
        local rank = 1 + p * (#list - 1)
        if rank < 500 or rank > #list - 498 then
          assert.equal(0, err)
        end
      end
    end)
  end

  it("are not changed by looking at them", function()
    local rng, a, b = support.stream "look", quantiles(), quantiles()
    for i = 1, 20000 do
      local x = rng:exponential(1)
      a:add(x)
      b:add(x)
      if i % 500 == 0 then
        assert.is_number(b[0.5])
      end
    end
    assert.equal(tostring(a), tostring(b))
    assert.equal(a:plot(), b:plot())
  end)

  it("print those of the list", function()
    local q = quantiles { 0.5, 0.99 }
    for i = 1, 1001 do
      q:add(i)
    end
    assert.equal(
      [[
quantiles
  count    1001
  min         1
  max      1001
  0.5       501
  0.99      991]],
      tostring(q)
    )
    assert.truthy(tostring(quantiles()):find("0.9   ", 1, true))
  end)

  it("draw the distribution function", function()
    local q = quantiles()
    assert.equal("-", q:plot())
    for i = 1, 100 do
      q:add(i * i)
    end
    assert.equal(
      [[
1 ┤                       ⣀⡤⠴⠒⠋
  │                  ⣀⡤⠴⠚⠉⠁
  │             ⢀⣠⠴⠒⠋⠁
  │          ⣀⡤⠞⠉
  │       ⣠⠴⠋⠁
  │    ⢀⡴⠋⠁
  │  ⢀⡴⠋
  │ ⣰⠋
  │⣰⠃
0 ┤⡇
  └────────────────────────────
   1                      10000]],
      q:plot(31)
    )
  end)
end)

describe("a wrong call of quantiles", function()
  it("is refused at the model's line", function()
    local q = quantiles()
    local text = "expected a number between 0 and 1 as %s"
    refuses("quantiles: " .. text:format "p" .. ", got 1", function()
      return q[1]
    end)
    refuses(
      "quantiles: " .. text:format "p" .. ", got 99; for 99 % write 0.99",
      function()
        return q[99]
      end
    )
    refuses("quantile: " .. text:format "p" .. ", got nil", function()
      q:quantile()
    end)
    refuses("quantiles: " .. text:format "item 2" .. ", got 0", function()
      quantiles { 0.5, 0 }
    end)
    refuses(
      "quantiles: expected a table, got 0.5; md.stats.quantiles{0.5, 0.99}",
      function()
        quantiles(0.5)
      end
    )
    refuses(support.infinite, function()
      q:add(1 / 0)
    end)
    refuses("quantiles: there is no 'cuont'; did you mean 'count'?", function()
      return q.cuont
    end)
  end)
end)
