-- Streams of random numbers, and the distributions as the model meets them.
-- That the distributions are right is the kernel's business; here every one is
-- called, and its mean over 20 000 samples lies within five standard errors.
local md = require "moondial"

local function draws(rng, n)
  local list = {}
  for i = 1, n or 5 do
    list[i] = rng:uniform()
  end
  return list
end

describe("a named stream", function()
  it("is the same whoever asks, in whatever order (0.16)", function()
    local a, b = md.sim { seed = 7 }, md.sim { seed = 7 }
    local x, y = draws(a:rng "x"), draws(a:rng "y")
    assert.same(y, draws(b:rng "y"))
    b:spawn(function()
      assert.same(x, draws(md.rng "x"))
    end)
    b:run()
    assert.are_not.same(x, y)
  end)

  it("goes on where it was, for everybody", function()
    local one, two = md.sim { seed = 7 }, md.sim { seed = 7 }
    local all = draws(one:rng "x", 10)
    for _ = 1, 2 do
      two:spawn(function()
        for _ = 1, 5 do
          assert.equal(table.remove(all, 1), md.rng("x"):uniform())
        end
      end)
    end
    two:run()
    assert.equal(0, #all)
  end)

  it("depends on the seed (0.16)", function()
    local seen = {}
    for seed = -50, 50 do
      local first = md.sim({ seed = seed }):rng("x"):uniform()
      assert.is_nil(seen[first])
      seen[first] = true
    end
  end)
end)

describe("a process's own stream", function()
  -- The first draw of each named process, and of children of "b".
  local function first(names)
    local sim, found = md.sim { seed = 3 }, {}
    for _, name in ipairs(names) do
      sim:spawn({ name = name }, function()
        found[name] = md.rng():uniform()
        if name ~= "b" then
          return
        end
        for i = 1, 2 do
          md.spawn(function()
            found["child " .. i] = md.rng():uniform()
          end)
        end
      end)
    end
    sim:run()
    return found
  end

  it("does not depend on the order of spawning of others", function()
    local found = first { "a", "b", "c" }
    assert.same(found, first { "c", "b", "a" })
    assert.equal(found.b, first({ "b" }).b)
    assert.equal(found["child 2"], first({ "x", "b" })["child 2"])
  end)

  it("differs from that of every other process", function()
    local sim, seen = md.sim(), {}
    for i = 1, 300 do
      sim:spawn(i % 2 == 0 and { name = "same" } or {}, function()
        local x = md.rng():uniform()
        assert(not seen[x])
        seen[x] = true
      end)
    end
    assert.equal("done", sim:run())
  end)

  it("is another's when spawn says so", function()
    local sim = md.sim { seed = 3 }
    local same = draws(md.sim({ seed = 3 }):rng "shared")
    sim:spawn({ stream = "shared" }, function()
      assert.same(same, draws(md.rng()))
    end)
    assert.equal("done", sim:run())
  end)
end)

describe("math.random", function()
  it("is the sim's own, seeded by the sim", function()
    local function run(seed)
      local sim, list = md.sim { seed = seed }, {}
      sim:spawn(function()
        for i = 1, 5 do
          list[i] = math.random(1000000)
        end
      end)
      sim:run()
      return list
    end
    assert.same(run(1), run(1))
    assert.are_not.same(run(1), run(2))
  end)

  it("keeps to Lua's ranges and errors", function()
    local sim = md.sim()
    sim:spawn(function()
      for _ = 1, 1000 do
        local x = math.random()
        assert(x >= 0 and x < 1)
        x = math.random(3)
        assert(x >= 1 and x <= 3 and math.type(x) == "integer")
        x = math.random(-2, 2)
        assert(x >= -2 and x <= 2)
      end
      assert.equal("integer", math.type(math.random(0)))
      math.random(math.mininteger, math.maxinteger)
      assert.has_error(function()
        math.random(0, -1)
      end, "bad argument #2 to 'random' (interval is empty)")
      assert.has_error(function()
        math.random(1, 2, 3)
      end, "wrong number of arguments")
    end)
    assert.equal("done", sim:run())
  end)

  it("repeats after randomseed, never by chance", function()
    local sim = md.sim { seed = 9 }
    sim:spawn(function()
      local begin = { math.random(), math.random() }
      math.randomseed(42)
      local x = math.random()
      math.randomseed(43)
      assert.are_not.equal(x, math.random())
      math.randomseed(42)
      assert.equal(x, math.random())
      math.randomseed()
      assert.same(begin, { math.random(), math.random() })
      math.randomseed(1.5, 2)
    end)
    assert.equal("done", sim:run())
  end)
end)

describe("a distribution", function()
  local weights = { 1, 0, 3 }
  local values = { 2, 4, 4, 10 }
  -- name, arguments, mean, standard deviation
  local all = {
    { "uniform", {}, 0.5, 12 ^ -0.5 },
    { "uniform", { 2, 5 }, 3.5, 3 * 12 ^ -0.5 },
    { "integer", { -3, 4 }, 0.5, 5.25 ^ 0.5 },
    { "exponential", { 4 }, 4, 4 },
    { "normal", { -1, 3 }, -1, 3 },
    { "lognormal", { 0.5, 0.4 }, 1.7860384, 0.7439730 },
    { "gamma", { 2.5, 2 }, 5, 10 ^ 0.5 },
    { "gamma", { 0.5, 2 }, 1, 2 ^ 0.5 },
    { "erlang", { 3, 6 }, 6, 12 ^ 0.5 },
    { "beta", { 2, 3 }, 0.4, 0.2 },
    { "weibull", { 2, 3 }, 2.6586808, 1.3897506 },
    { "pareto", { 3, 2 }, 3, 3 ^ 0.5 },
    { "triangular", { 1, 2, 6 }, 3, (21 / 18) ^ 0.5 },
    { "student_t", { 5 }, 0, (5 / 3) ^ 0.5 },
    { "chi_squared", { 4 }, 4, 8 ^ 0.5 },
    { "poisson", { 3.5 }, 3.5, 3.5 ^ 0.5 },
    { "poisson", { 80 }, 80, 80 ^ 0.5 },
    { "binomial", { 20, 0.3 }, 6, 4.2 ^ 0.5 },
    { "geometric", { 0.25 }, 4, 12 ^ 0.5 },
    { "discrete", { weights }, 2.5, 0.75 ^ 0.5 },
    { "choice", { values }, 5, 9 ^ 0.5 },
    { "empirical", { values }, 5, 9 ^ 0.5 },
  }

  for _, row in ipairs(all) do
    local name, arguments, mean, sd = table.unpack(row)
    it(name .. " has the mean " .. mean, function()
      local n, sum = 20000, 0
      local rng = md.sim({ seed = 11 }):rng(name)
      for _ = 1, n do
        sum = sum + rng[name](rng, table.unpack(arguments))
      end
      assert.is_true(math.abs(sum / n - mean) < 5 * sd / n ^ 0.5, sum / n)
    end)
  end

  it("bernoulli gives booleans", function()
    local rng, n = md.sim():rng "b", 0
    for _ = 1, 20000 do
      local yes = rng:bernoulli(0.3)
      assert(type(yes) == "boolean")
      if yes then
        n = n + 1
      end
    end
    assert.is_true(math.abs(n - 6000) < 5 * 4200 ^ 0.5)
    assert.is_true(rng:bernoulli(1))
    assert.is_false(rng:bernoulli(0))
  end)

  it("shuffle keeps the values, in place, every order as likely", function()
    local rng, counts = md.sim():rng "s", {}
    for _ = 1, 6000 do
      local list = { "a", "b", "c" }
      assert(rng:shuffle(list) == list)
      local key = table.concat(list)
      counts[key] = (counts[key] or 0) + 1
    end
    for _, key in ipairs { "abc", "acb", "bac", "bca", "cab", "cba" } do
      assert.is_true(math.abs(counts[key] - 1000) < 5 * (6000 * 5 / 36) ^ 0.5)
    end
    assert.same({}, rng:shuffle {})
  end)
end)
