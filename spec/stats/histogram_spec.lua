-- Histograms: bins, what lies outside of them, quantiles, and their drawing.
local md = require "moondial"
local support = require "spec.stats.support"
local near, refuses = support.near, support.refuses
local histogram = md.stats.histogram

local function of(options, list)
  local h = histogram(options)
  for _, x in ipairs(list) do
    h:add(x)
  end
  return h
end

describe("a histogram", function()
  it("counts in bins, below and above them", function()
    local h = of({ lo = 0, hi = 10, bins = 5 }, { -1, 0, 1.9, 2, 9.99, 10, 11 })
    assert.same({ 2, 1, 0, 0, 1 }, h.counts)
    assert.same({ 7, 1, 2 }, { h.count, h.below, h.above })
    assert.same({ 0, 10, 5 }, { h.lo, h.hi, h.bins })
    assert.same({ 2, 4, 1 }, { h:bin(2) })
  end)

  it("puts a value that is an end into the upper bin, always", function()
    for _, bins in ipairs { 1, 3, 7, 10, 49, 1000 } do
      local h = histogram { lo = 0.1, hi = 0.7, bins = bins }
      for i = 1, bins do
        h:add((h:bin(i)))
      end
      h:add(0.7)
      for i = 1, bins do
        local from, to, n = h:bin(i)
        assert.equal(1, n)
        assert.is_true(from < to)
      end
      assert.equal(1, h.above)
    end
  end)

  it("gives its counts as a list of the model's own", function()
    local h = of({ lo = 0, hi = 2, bins = 2 }, { 1 })
    h.counts[1] = 7
    assert.same({ 0, 1 }, h.counts)
  end)

  it("has quantiles, off by less than a bin", function()
    local h = histogram { lo = 0, hi = 10, bins = 100 }
    assert.is_nil(h:quantile(0.5))
    local rng, list = support.stream "histogram", {}
    for i = 1, 20000 do
      list[i] = rng:gamma(2, 1)
      h:add(list[i])
    end
    table.sort(list)
    for _, p in ipairs { 0.001, 0.1, 0.5, 0.9, 0.99 } do
      local off = math.abs(h:quantile(p) - list[p * #list // 1])
      assert.is_true(off < 0.1, ("%g: off by %g"):format(p, off))
    end
  end)

  it("has quantiles outside of its bins, up to the extremes", function()
    local h = of({ lo = 0, hi = 1, bins = 2 }, { -4, -4, 0.5, 3, 5 })
    near(-2, h:quantile(0.2), 1e-15) -- between -4 and 0
    near(3, h:quantile(0.8), 1e-15) -- between 1 and 5
    near(5, h:quantile(1 - 1e-16), 1e-15)
  end)

  it("prints its figures", function()
    local h = of({ lo = 0, hi = 1, bins = 4 }, { -3, 0.3, 0.4, 0.6, 1 })
    assert.equal(
      [[
histogram
  count    5
  below    1
  above    1
  from    to  count
     0  0.25      0
  0.25   0.5      2
   0.5  0.75      1
  0.75     1      0]],
      tostring(h)
    )
  end)

  it("draws its bars", function()
    local h = of({ lo = 0, hi = 1, bins = 4 }, { 0.3, 0.4, 0.6 })
    assert.equal(
      [[
   0  0
0.25  2  ███████████
 0.5  1  █████▌
0.75  0]],
      h:plot(20)
    )
    h:add(-1)
    h:add(1)
    assert.equal(
      [[
 < 0  1  █████▌
   0  0
0.25  2  ███████████
 0.5  1  █████▌
0.75  0
>= 1  1  █████▌]],
      h:plot(20)
    )
    assert.equal("0  0", histogram({ lo = 0, hi = 1, bins = 1 }):plot())
  end)
end)

describe("a wrong call of a histogram", function()
  local function wrong(options, text)
    refuses("histogram: " .. text, function()
      histogram(options)
    end)
  end

  it("is refused at the model's line", function()
    wrong(
      nil,
      "expected a table, got nil; md.stats.histogram{lo = 0, hi = 9, bins = 3}"
    )
    wrong(
      { lo = 1, hi = 1, bins = 1 },
      "expected lo below hi, got lo = 1 and hi = 1"
    )
    wrong(
      { lo = 0, hi = 1, bins = 0 },
      "expected an integer of at least 1 as bins, got 0"
    )
    wrong({ lo = 0, bins = 1 }, "expected a finite number as hi, got nil")
    wrong(
      { lo = 0, hi = math.huge, bins = 1 },
      "expected a finite number as hi, got inf"
    )
    wrong(
      { lo = 0, hi = 1, bin = 1 },
      "there is no option 'bin'; did you mean 'bins'?"
    )
    local h = histogram { lo = 0, hi = 1, bins = 2 }
    refuses(support.not_a_number, function()
      h:add(0 / 0)
    end)
    refuses("bin: expected an integer from 1 to 2, got 3", function()
      h:bin(3)
    end)
    refuses(
      "quantile: expected a number between 0 and 1 as p, got 1",
      function()
        h:quantile(1)
      end
    )
    refuses(
      "add: expected the histogram before the arguments, got 1; "
        .. "write h:add(...), with a colon",
      function()
        h.add(1)
      end
    )
    refuses("histogram: there is no 'cuont'; did you mean 'count'?", function()
      return h.cuont
    end)
  end)
end)
