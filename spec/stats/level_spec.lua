-- Levels: values weighted by the virtual time that they lasted.
local md = require "moondial"
local host = require "spec.host.support"
local support = require "spec.stats.support"
local near, refuses = support.near, support.refuses
local level = md.stats.level

-- Runs fn as the only process of a sim.
local function inside(options, fn)
  local sim = md.sim(options)
  sim:spawn(fn)
  assert.equal("done", (sim:run()))
  return sim
end

describe("a level", function()
  it("weighs each value by the time that it lasted", function()
    inside({}, function()
      local l = level(2)
      md.sleep(3)
      l:set(4)
      md.sleep(1)
      assert.same({ 4, 2, 4, 4 }, { l.value, l.min, l.max, l.time })
      assert.equal((2 * 3 + 4) / 4, l.mean)
      near(math.sqrt((2 * 2 * 3 + 4 * 4) / 4 - 2.5 ^ 2), l.sd, 1e-15)
      l:add(-4)
      md.sleep(4)
      assert.equal(0, l.value)
      assert.equal((2 * 3 + 4) / 8, l.mean)
    end)
  end)

  it("begins at 0, and has no mean before time has passed", function()
    inside({}, function()
      local l = level()
      assert.same({ 0, 0, 0, 0 }, { l.value, l.min, l.max, l.time })
      assert.is_nil(l.mean)
      assert.is_nil(l.sd)
      md.sleep(5)
      assert.same({ 0, 0 }, { l.mean, l.sd })
    end)
  end)

  it("has the extremes of values that did not last, too", function()
    inside({}, function()
      local l = level(1)
      l:set(9)
      l:set(-9)
      l:set(1)
      md.sleep(1)
      assert.same({ -9, 9, 1, 0 }, { l.min, l.max, l.mean, l.sd })
    end)
  end)

  it("begins anew with its value after a reset", function()
    inside({}, function()
      local l = level(8)
      md.sleep(2)
      l:set(3)
      md.sleep(2)
      l:reset()
      assert.same({ 3, 3, 3, 0 }, { l.value, l.min, l.max, l.time })
      md.sleep(1)
      assert.equal(3, l.mean)
    end)
  end)

  it("works where time is an integer", function()
    inside({ precision = 0 }, function()
      local l = level(1)
      md.sleep(3000000000)
      l:set(4000000001) -- the squares are beyond 64 bits
      md.sleep(3000000000)
      assert.equal(2000000001, l.mean)
      near(2000000000, l.sd, 1e-15)
      assert.equal("integer", math.type(l.time))
    end)
  end)

  it("belongs to the sim in which it was made", function()
    local other = md.sim()
    other:spawn(md.sleep, 100)
    inside({}, function()
      local mine, its = level(1), level(other, 1)
      md.sleep(2)
      other:run(50)
      assert.same({ 2, 50 }, { mine.time, its.time })
      its:set(3)
      other:run(100)
      assert.equal(2, its.mean)
      assert.equal(1, mine.mean)
    end)
  end)

  it("is not changed by looking at it", function()
    inside({ seed = 3 }, function()
      local rng, a, b = md.rng "look", level(), level()
      for _ = 1, 1000 do
        md.sleep(rng:exponential(1))
        local v = rng:normal(5, 1)
        a:set(v)
        b:set(v)
        md.sleep(rng:exponential(1))
        assert.is_string(tostring(b) .. b:plot())
      end
      assert.same({ a.mean, a.sd }, { b.mean, b.sd })
      assert.equal(a:plot(), b:plot())
    end)
  end)

  it("has the mean and the sd of what it was told", function()
    inside({ seed = 4 }, function()
      local rng, l = md.rng "walk", level(1e6)
      local area, squares, value = 0, 0, 0
      for _ = 1, 20000 do
        local before = md.now()
        md.sleep(rng:exponential(1))
        local d = md.now() - before
        area, squares = area + value * d, squares + value * value * d
        local step = rng:integer(-3, 3)
        value = value + step
        l:add(step)
      end
      local mean = area / md.now()
      near(1e6 + mean, l.mean, 1e-15)
      near(math.sqrt(squares / md.now() - mean ^ 2), l.sd, 1e-11)
    end)
  end)

  it("allocates nothing to set", function()
    inside({}, function()
      local l = level()
      for i = 1, 300 do
        md.sleep(1)
        l:set(i)
      end
      collectgarbage "stop"
      local before = collectgarbage "count"
      for i = 1, 10000 do
        l:set(i % 7)
      end
      local grown = collectgarbage "count" - before
      collectgarbage "restart"
      assert.is_true(grown < 1, grown .. " KB")
    end)
  end)

  it("prints its figures", function()
    inside({}, function()
      local l = level(1)
      md.sleep(1)
      l:set(4)
      md.sleep(2)
      assert.equal(
        [[
level
  value        4
  mean         3
  sd     1.41421
  min          1
  max          4
  time         3]],
        tostring(l)
      )
    end)
  end)
end)

describe("a level of integers", function()
  it("stays one, to the last digit", function()
    local l = md.stats.level(1 << 60)
    l:add(1)
    assert.equal((1 << 60) + 1, l.value)
    l:set((1 << 60) + 3)
    l:add(-1)
    assert.equal((1 << 60) + 2, l.value)
    assert.equal((1 << 60) + 3, l.max)
    assert.equal(1 << 60, l.min)
    l:add(0.5)
    assert.equal("float", math.type(l.value))
  end)

  it("refuses to become infinite", function()
    local l = md.stats.level(1e308)
    local ok, err = pcall(l.add, l, 1e308)
    assert.is_false(ok)
    assert.matches("set: expected a finite number, got inf", err.message)
    assert.equal(1e308, l.value)
  end)
end)

describe("the plot of a level", function()
  it("has the mean of equal parts of the time", function()
    inside({}, function()
      local l = level()
      assert.equal("-", l:plot())
      for i = 1, 8 do
        l:set(i)
        md.sleep(1)
      end
      assert.equal("▁▂▃▄▅▆▇█  1 to 8", l:plot(40))
      l:reset()
      md.sleep(1)
      assert.equal("▁▁▁▁▁▁▁▁  8 to 8", l:plot(40))
    end)
  end)

  it("knows the whole past of a long run, in little space", function()
    inside({ seed = 5 }, function()
      local l = level()
      for i = 1, 8000 do
        md.sleep(1)
        l:set(i // 1000)
      end
      assert.equal("▁▂▃▄▅▆▇█", l:plot(40):match "^[^ ]+")
    end)
  end)

  it("goes through long and short times", function()
    inside({}, function()
      local l = level(1)
      md.sleep(1e-9)
      l:set(0)
      md.sleep(1e6)
      l:set(2)
      md.sleep(1e6)
      assert.equal("▁▁▁▁████", l:plot(40):match "^[^ ]+")
      near(1, l.mean, 1e-12)
    end)
  end)
end)

describe("a wrong call of a level", function()
  it("is refused at the model's line", function()
    local l = level()
    refuses("level: expected a finite number, got 'full'", function()
      level "full"
    end)
    refuses("set: expected a finite number, got nil", function()
      l:set()
    end)
    refuses((support.not_a_number:gsub("^add", "set")), function()
      l:set(0 / 0)
    end)
    refuses(support.infinite, function()
      l:add(math.huge)
    end)
    refuses(
      "set: expected the level before the arguments, got 3; "
        .. "write l:set(...), with a colon",
      function()
        l.set(3)
      end
    )
    refuses("level: there is no 'men'; did you mean 'mean'?", function()
      return l.men
    end)
  end)

  it("does not hinder a model's run", function()
    local got = host.run [[
local md = require "moondial"
local busy = md.stats.level()
md.spawn(function() md.sleep(2) busy:set(1) md.sleep(2) end)
md.run()
print(busy.mean, md.now())]]
    assert.equal("0.5\t4.0\n", got.out)
  end)
end)
