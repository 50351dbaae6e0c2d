-- Queues beside their theory (requirements, models 1 and 2). Each known value
-- must lie in the 99 % confidence interval of independent replications with
-- fixed seeds; Little's law holds exactly on every run: also of what an inbox
-- keeps, whose waits are those of its messages.
local md = require "moondial"
local laws = require "laws.support"

local function exponential(mean)
  return function(rng)
    return rng:exponential(mean)
  end
end

local function check(all, name, known)
  local covered, text = laws.covers(all[name], known)
  assert(covered, name .. ": " .. text)
end

-- Replications of a station; the names of the second class's figures end in 2.
local function replicate(seed, n, o)
  return laws.replicate(seed, n, function(sim)
    local first, second = table.unpack(laws.station(sim, o))
    for name, value in pairs(second or {}) do
      first[name .. "2"] = value
    end
    return first
  end)
end

-- L = lambda W of an inbox that is empty now, so all who came have been taken;
-- and the same once more by who counted himself.
local function holds_little(statistics, waiting, waits)
  local L, W = statistics.mean_level, statistics.mean_wait
  local lambda = statistics.rate
  assert(statistics.level == 0 and statistics.taken > 0)
  assert(math.abs(L - lambda * W) < 1e-9 * L, "Little's law of the inbox")
  assert(math.abs(L - waiting.mean) < 1e-9 * L, "the level of the inbox")
  assert(math.abs(W - waits.mean) < 1e-9 * W, "the waits in the inbox")
  assert(statistics.max_level == waiting.max)
  assert(math.abs(statistics.max_wait - waits.max) < 1e-9 * W)
end

-- M/M/1 without a line: the queue is the inbox of the server.
local function inbox_queue(sim, warm, customers)
  local inside, waiting = md.stats.level(sim), md.stats.level(sim)
  local waits, whole = md.stats.tally(), md.stats.level(sim)
  local W, Wq, L, Lq = 0, 0, nil, nil
  local server = sim:spawn(function()
    local services = md.rng "services"
    while true do
      local came, number = md.wait(md.is.number, md.is.integer)
      waiting:add(-1)
      whole:add(-1)
      local wait = md.now() - came
      waits:add(wait)
      md.sleep(services:exponential(1))
      inside:add(-1)
      if number > warm then
        W, Wq = W + md.now() - came, Wq + wait
      end
    end
  end)
  sim:spawn(function()
    local gaps = md.rng "gaps"
    for number = 1, warm + customers do
      md.sleep(gaps:exponential(1 / 0.9))
      inside:add(1)
      waiting:add(1)
      whole:add(1)
      if number == warm then
        inside:reset()
        waiting:reset()
      end
      md.send(server, md.now(), number)
    end
    L, Lq = inside.mean, waiting.mean
  end)
  assert(sim:run() == "idle")
  holds_little(sim:info(server).statistics, whole, waits)
  return { L = L, Lq = Lq, W = W / customers, Wq = Wq / customers }
end

describe("the theory of queues", function()
  it("gives L, Lq, W and Wq of M/M/1 when the queue is an inbox", function()
    local all = laws.replicate(1, 30, function(sim)
      return inbox_queue(sim, 5000, 20000)
    end)
    check(all, "L", 9)
    check(all, "Lq", 8.1)
    check(all, "W", 10)
    check(all, "Wq", 9)
  end)

  it("gives L and W of M/M/1 when the queue is a process", function()
    local all = replicate(2, 20, {
      servers = 1,
      gap = exponential(1 / 0.9),
      service = exponential(1),
      horizon = 24000,
    })
    check(all, "L", 9)
    check(all, "W", 10)
    check(all, "Wq", 9)
    check(all, "waited", 0.9)
  end)

  local several = {
    { servers = 2, rate = 1.8, waited = 0.852632, Wq = 4.263158 },
    { servers = 3, rate = 2.4, waited = 0.647191, Wq = 1.078652 },
    { servers = 5, rate = 4.5, waited = 0.762493, Wq = 1.524986 },
  }
  for i, case in ipairs(several) do
    local title = "gives P(wait) and Wq of M/M/%d"
    it(title:format(case.servers), function()
      local all = replicate(2 + i, 20, {
        servers = case.servers,
        gap = exponential(1 / case.rate),
        service = exponential(1),
        horizon = 15000 / case.rate,
      })
      check(all, "waited", case.waited)
      check(all, "Wq", case.Wq)
    end)
  end

  it("gives N and the blocking of M/M/2/3", function()
    local all = replicate(31, 20, {
      servers = 2,
      capacity = 3,
      gap = exponential(1 / 3),
      service = exponential(1 / 4),
      horizon = 3200,
    })
    check(all, "L", 0.762340)
    check(all, "blocked", 0.049360)
  end)

  it("gives the blocking of Erlang's B with ten servers", function()
    local all = replicate(7, 20, {
      servers = 10,
      capacity = 10,
      gap = exponential(1 / 10),
      service = exponential(1),
      horizon = 1000,
    })
    check(all, "blocked", 0.214582)
  end)

  for i, case in ipairs { { 0.8, 2.0 }, { 0.9, 4.5 } } do
    it(("gives Wq of M/D/1 at %.1f"):format(case[1]), function()
      local all = replicate(7 + i, 20, {
        servers = 1,
        gap = exponential(1 / case[1]),
        service = function()
          return 1
        end,
        horizon = 15000 / case[1],
      })
      check(all, "Wq", case[2])
    end)
  end

  it("gives Wq of M/G/1 with a variable service", function()
    local p = (1 + math.sqrt(0.6)) / 2 -- squared coefficient of variation 4
    local all = replicate(10, 30, {
      servers = 1,
      gap = exponential(1 / 0.8),
      service = function(rng)
        local half = rng:bernoulli(p) and p or 1 - p
        return rng:exponential(1 / (2 * half))
      end,
      horizon = 28000,
    })
    check(all, "Wq", 10)
  end)

  it("gives Wq of both classes when the first has priority", function()
    local all = replicate(11, 20, {
      servers = 1,
      classes = 2,
      gap = function(rng, class)
        return rng:exponential(class == 1 and 1 / 0.3 or 1 / 0.5)
      end,
      service = exponential(1),
      horizon = 40000,
    })
    check(all, "Wq", 1.142857)
    check(all, "Wq2", 5.714286)
  end)

  it("gives T of both classes when the first interrupts", function()
    local all = replicate(12, 20, {
      servers = 1,
      classes = 2,
      preemptive = true,
      gap = function(rng, class)
        return rng:exponential(class == 1 and 1 / 0.3 or 1 / 0.5)
      end,
      service = exponential(1),
      horizon = 40000,
    })
    check(all, "W", 1.428571)
    check(all, "W2", 7.142857)
  end)
end)
