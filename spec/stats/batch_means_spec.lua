-- Batch means of series whose values hang on one another.
local md = require "moondial"
local support = require "spec.stats.support"
local near, refuses, stream = support.near, support.refuses, support.stream
local batch_means = md.stats.batch_means

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

local function of(size, list)
  local b = batch_means { size = size }
  for _, x in ipairs(list) do
    b:add(x)
  end
  return b
end

-- Adds n values of x' = r x + noise, from its stationary distribution.
local function autoregress(b, rng, r, n)
  local x = rng:normal(0, 1 / math.sqrt(1 - r * r))
  for _ = 1, n do
    b:add(x)
    x = r * x + rng:normal(0, 1)
  end
  return b
end

describe("batch means", function()
  it("are those of the complete batches", function()
    local b = of(2, { 1, 3, 5, 5, 6, 8, 100 })
    assert.same({ 2, 5, 7 }, b.means)
    assert.same({ 7, 2, 3 }, { b.count, b.size, b.batches })
    near(14 / 3, b.mean, 1e-15)
    local mean, half = b:confidence(0.9)
    near(14 / 3, mean, 1e-15)
    near(2.91998558035372 * math.sqrt(19 / 9), half, 1e-10)
  end)

  it("have a correlation with the next", function()
    assert.is_nil(of(1, {}).correlation)
    assert.is_nil(of(1, {}).mean)
    assert.is_nil(of(1, { 4, 4, 4 }).correlation)
    -- deviations -2, -1, 0, 1, 2
    near((2 + 0 + 0 + 2) / 10, of(1, { 1, 2, 3, 4, 5 }).correlation, 1e-15)
    near((-1 * 3) / 4, of(1, { 1, -1, 1, -1 }).correlation, 1e-15)
  end)

  it("keep the digits of small differences of large values", function()
    local b = batch_means { size = 1000 }
    for i = 1, 10000 do
      b:add(1e9 + i % 10)
    end
    assert.same(1e9 + 4.5, b.mean)
    assert.equal(1e9 + 4.5, b.means[10])
  end)

  it("show by the correlation whether the size is enough", function()
    local rng = stream "sizes"
    local short = autoregress(batch_means { size = 5 }, rng, 0.9, 40000)
    local enough = autoregress(batch_means { size = 500 }, rng, 0.9, 40000)
    assert.is_true(short.correlation > 0.6)
    assert.is_true(math.abs(enough.correlation) < 2 / math.sqrt(80))
  end)

  it("hold the mean of a long series as often as they say", function()
    local rng, runs, held = stream "autoregression", long and 1000 or 200, 0
    for _ = 1, runs do
      local b = autoregress(batch_means { size = 400 }, rng, 0.8, 8000)
      local mean, half = b:confidence(0.95)
      held = held + (math.abs(mean) <= half and 1 or 0)
    end
    local share = 100 * held / runs
    local least, most = long and 93 or 91, long and 97 or 99
    assert.is_true(share > least and share < most, share)
  end)

  it("hold the mean wait of M/M/1", function()
    -- Lindley's equation, at a load of 0.8: Wq is 4
    local rng, held = stream "waits", 0
    for _ = 1, 20 do
      local b, wait = batch_means { size = 5000 }, 0
      for i = 1, 110000 do
        if i > 10000 then
          b:add(wait)
        end
        local gap = rng:exponential(1.25)
        wait = math.max(0, wait + rng:exponential(1) - gap)
      end
      local mean, half = b:confidence(0.95)
      held = held + (math.abs(mean - 4) <= half and 1 or 0)
    end
    assert.is_true(held >= 17, held)
  end)

  it("print and draw themselves", function()
    local b = of(1, { 1, 2, 3, 2, 1 })
    assert.equal(
      [[
batch_means
  count                5
  size                 1
  batches              5
  mean               1.8
  correlation  0.0571429]],
      tostring(b)
    )
    assert.equal("-", of(2, { 1 }):plot())
    local lines = {}
    for line in b:plot(30):gmatch "[^\n]+" do
      assert.is_true(utf8.len(line) <= 30)
      lines[#lines + 1] = line
    end
    assert.equal(12, #lines)
  end)

  it("are refused at the model's line when the call is wrong", function()
    refuses(
      "batch_means: expected a table, got nil; "
        .. "md.stats.batch_means{size = 100}",
      function()
        batch_means()
      end
    )
    refuses(
      "batch_means: expected an integer of at least 1 as size, got nil",
      function()
        batch_means {}
      end
    )
    refuses(
      "batch_means: there is no option 'batch'; did you mean 'size'?",
      function()
        batch_means { batch = 5 }
      end
    )
    local b = of(10, { 1, 2 })
    refuses(
      "confidence: expected at least 2 batches of 10 values, got 2 values",
      function()
        b:confidence()
      end
    )
    refuses(support.not_a_number, function()
      b:add(0 / 0)
    end)
    refuses(
      "confidence: expected the batch_means before the arguments, got 0.9; "
        .. "write b:confidence(...), with a colon",
      function()
        b.confidence(0.9)
      end
    )
  end)
end)
