-- What a distribution says to a parameter that is none.
local md = require "moondial"

local huge, nan = math.huge, 0 / 0

-- method, arguments, what is said after "method: "
local refused = {
  {
    "uniform",
    { "a", 1 },
    "expected a finite lower bound as argument 1, got 'a'",
  },
  {
    "uniform",
    { 1 },
    "expected a finite upper bound as argument 2, got nothing",
  },
  {
    "uniform",
    { 2, 1 },
    "expected a bound not below the first as argument 2, got 1",
  },
  {
    "uniform",
    { nan, 1 },
    "expected a finite lower bound as argument 1, got nan",
  },
  { "integer", { 1.5, 2 }, "expected an integer as argument 1, got 1.5" },
  {
    "integer",
    { 2, 1 },
    "expected an integer not below the first as argument 2, got 1",
  },
  { "exponential", { 0 }, "expected a positive mean as argument 1, got 0" },
  { "exponential", { -2 }, "expected a positive mean as argument 1, got -2" },
  {
    "exponential",
    { huge },
    "expected a positive mean as argument 1, got inf",
  },
  { "exponential", { nan }, "expected a positive mean as argument 1, got nan" },
  {
    "exponential",
    {},
    "expected a positive mean as argument 1, got nothing",
  },
  { "normal", { {}, 1 }, "expected a finite mean as argument 1, got a table" },
  {
    "normal",
    { 0, -1 },
    "expected a standard deviation of at least 0 as argument 2, got -1",
  },
  {
    "lognormal",
    { 0, -1 },
    "expected a sigma of at least 0 as argument 2, got -1",
  },
  { "gamma", { 0, 1 }, "expected a positive shape as argument 1, got 0" },
  { "gamma", { 1, -1 }, "expected a positive scale as argument 2, got -1" },
  { "beta", { -1, 1 }, "expected a positive a as argument 1, got -1" },
  { "beta", { 1, 0 }, "expected a positive b as argument 2, got 0" },
  { "weibull", { 0, 1 }, "expected a positive shape as argument 1, got 0" },
  { "pareto", { 1, 0 }, "expected a positive scale as argument 2, got 0" },
  {
    "erlang",
    { 0, 1 },
    "expected a positive integer as argument 1, got 0",
  },
  {
    "erlang",
    { 2.5, 1 },
    "expected a positive integer as argument 1, got 2.5",
  },
  {
    "triangular",
    { 2, 1, 3 },
    "expected a mode within the bounds as argument 2, got 1",
  },
  {
    "triangular",
    { 1, 2, 1.5 },
    "expected a bound above the mode as argument 3, got 1.5",
  },
  {
    "student_t",
    { 0 },
    "expected a positive number of degrees as argument 1, got 0",
  },
  {
    "chi_squared",
    { -1 },
    "expected a positive number of degrees as argument 1, got -1",
  },
  { "poisson", { -1 }, "expected a mean of at least 0 as argument 1, got -1" },
  {
    "binomial",
    { -1, 0.5 },
    "expected a number of trials as argument 1, got -1",
  },
  {
    "binomial",
    { 3, 1.5 },
    "expected a probability from 0 to 1 as argument 2, got 1.5",
  },
  {
    "geometric",
    { 0 },
    "expected a probability above 0 as argument 1, got 0",
  },
  {
    "bernoulli",
    { "x" },
    "expected a probability from 0 to 1 as argument 1, got 'x'",
  },
  {
    "discrete",
    { {} },
    "expected a list that is not empty as argument 1, got a table",
  },
  {
    "discrete",
    { { 1, -1 } },
    "expected weights of at least 0, got -1 as weight 2",
  },
  {
    "discrete",
    { { 0, 0 } },
    "expected weights with a positive and finite sum",
  },
  {
    "choice",
    { {} },
    "expected a list that is not empty as argument 1, got a table",
  },
  {
    "empirical",
    { 3 },
    "expected a list that is not empty as argument 1, got 3",
  },
  { "shuffle", { "abc" }, "expected a list as argument 1, got 'abc'" },
}

describe("a parameter that is none", function()
  local rng = md.sim():rng "x"
  for i, row in ipairs(refused) do
    local name, arguments, said = table.unpack(row)
    it("is refused by " .. name .. ", case " .. i, function()
      local ok, err = pcall(rng[name], rng, table.unpack(arguments))
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.equal(name .. ": " .. said, err.message:gsub("^[^:]+:%d+: ", ""))
    end)
  end

  it("is said at the model's own line", function()
    local ok, err = pcall(function()
      rng:exponential(0)
    end)
    assert.is_false(ok)
    assert.matches(
      "^spec/host/chance_error_spec.lua:%d+: exponential: ",
      err.message
    )
  end)

  it("may be the stream itself", function()
    local _, err = pcall(rng.normal, 0, 1)
    assert.matches(
      "normal: expected a stream before the arguments, got 0; "
        .. "write md.rng%(%):normal%(...%), with a colon$",
      err.message
    )
  end)

  it("may be the name of a stream", function()
    local _, err = pcall(md.rng, 7)
    assert.matches(
      "rng: expected a name, a string, got 7; the seed is the "
        .. "sim's: md.sim{seed = 1} or %-%-seed 1$",
      err.message
    )
  end)
end)

describe("a method that a stream has not", function()
  it("is an error that names the nearest", function()
    local rng = md.rng "x"
    local ok, err = pcall(function()
      return rng:norml(0, 1)
    end)
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    local expected = "stream: there is no 'norml'; did you mean 'normal'?"
    assert.matches(expected, err.message, 1, true)
  end)
end)
