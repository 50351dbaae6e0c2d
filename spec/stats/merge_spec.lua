-- Levels and quantiles of replications put together.
local md = require "moondial"
local support = require "spec.stats.support"
local near, refuses = support.near, support.refuses
local stream = support.stream
local stats = md.stats

describe("a level", function()
  it("is merged with the time of another, which stays as it is", function()
    local sim = md.sim()
    sim:spawn(function()
      local a, b = stats.level(5), stats.level(1)
      md.sleep(3)
      a:set(2)
      b:set(9)
      md.sleep(1)
      local before = tostring(b)
      assert.equal(a, a:merge(b))
      assert.equal(before, tostring(b))
      assert.equal((5 * 3 + 2 * 1 + 1 * 3 + 9 * 1) / 8, a.mean)
      local squares = (25 * 3 + 4 * 1 + 1 * 3 + 81 * 1) / 8
      near(math.sqrt(squares - a.mean ^ 2), a.sd, 1e-14)
      assert.same({ 2, 1, 9, 8 }, { a.value, a.min, a.max, a.time })
      md.sleep(8) -- and goes on with its own value
      assert.equal((5 * 3 + 2 * 9 + 1 * 3 + 9 * 1) / 16, a.mean)
      a:merge(a)
      assert.equal(32, a.time)
      assert.equal((5 * 3 + 2 * 9 + 1 * 3 + 9 * 1) / 16, a.mean)
      a:reset()
      assert.same({ 0, 2, 2 }, { a.time, a.min, a.max })
    end)
    assert.equal("done", (sim:run()))
  end)

  it("refuses what is none", function()
    refuses("merge: expected a level, got 5", function()
      stats.level():merge(5)
    end)
  end)
end)

describe("quantiles", function()
  local function shares(list, x)
    local below, at = 0, 0
    for _, y in ipairs(list) do
      below, at = below + (y < x and 1 or 0), at + (y == x and 1 or 0)
    end
    return below / #list, (below + at) / #list
  end

  it("are exact for few values, merged or not", function()
    local a, b, whole = stats.quantiles(), stats.quantiles(), stats.quantiles()
    local rng = stream "few"
    for i = 1, 1500 do
      local x = rng:normal(0, 1)
      whole:add(x);
      (i % 3 == 0 and a or b):add(x)
    end
    assert.equal(a, a:merge(b))
    for _, p in ipairs { 0.001, 0.1, 0.5, 0.77, 0.99 } do
      assert.equal(whole[p], a[p])
    end
    assert.same({ 1500, whole.min, whole.max }, { a.count, a.min, a.max })
  end)

  it("keep their bound when many are merged", function()
    local rng, list = stream "many", {}
    local all = stats.quantiles()
    for part = 1, 20 do
      local one = stats.quantiles()
      for _ = 1, 500 * part do
        local x = rng:lognormal(part / 10, 1)
        list[#list + 1] = x
        one:add(x)
      end
      all:merge(one)
    end
    all:merge(stats.quantiles()) -- of nothing
    assert.equal(#list, all.count)
    for _, p in ipairs { 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999 } do
      local x, off = all:quantile(p)
      assert.is_true(off <= 0.0011, off)
      local least, most = shares(list, x)
      assert.is_true(least <= p + 0.001 + 1e-5 and most >= p - 0.001 - 1e-5)
    end
    local before = all[0.5]
    all:add(1)
    assert.is_true(math.abs(all[0.5] - before) < 0.1)
  end)

  it("may be merged with themselves", function()
    local q = stats.quantiles()
    for i = 1, 5 do
      q:add(i)
    end
    q:merge(q)
    assert.equal(10, q.count)
    assert.equal(3, q[0.5])
  end)

  it("refuse what is none", function()
    refuses("merge: expected quantiles, got 5", function()
      stats.quantiles():merge(5)
    end)
  end)
end)
