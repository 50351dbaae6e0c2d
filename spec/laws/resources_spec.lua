-- The same theory where the line is a resource, and most figures are those
-- that it keeps of itself (requirements, models 1 to 4). Each known value must
-- lie in the 99 % confidence interval of independent replications with fixed
-- seeds.
-- Little's law holds on every run: what the resource says of its line over time
-- is what its customers, those who gave up among them, say of their waits.
local md = require "moondial"
local laws = require "laws.support"

local function exponential(mean)
  return function(rng)
    return rng:exponential(mean)
  end
end

local function constant(x)
  return function()
    return x
  end
end

-- -- a station -------------------------------------------------------

-- Times that a holder is preempted in are gone on with where they were left.
local function serve(o, left)
  if not o.preemptive then
    md.sleep(left)
    return 0
  end
  local begun = md.now()
  return pcall(md.sleep, left) and 0 or left - (md.now() - begun)
end

local function customer(o, desks, sums, class, left, patience)
  local came, start = md.now(), nil
  local counts = came > o.warm
  if o.room and desks.used + desks.queue_length >= o.room then
    sums.blocked = sums.blocked + (counts and 1 or 0)
    return
  end
  repeat
    local asked = md.now()
    local unit <close> = desks:acquire { priority = class, timeout = patience }
    if not unit then
      sums.impatient = sums.impatient + md.now() - asked
      sums.gone = sums.gone + (counts and 1 or 0)
      break
    end
    start = start or md.now()
    local since = md.now()
    left = serve(o, left)
    sums.held = sums.held + md.now() - since
  until left <= 0
  if counts then
    sums.W = sums.W + md.now() - came
    sums.Wq = sums.Wq + (start or md.now()) - came
    sums.waited = sums.waited + (start == came and 0 or 1)
  end
end

local function source(o, desks, sums, class)
  local gaps = md.rng("gaps of " .. class)
  local services = md.rng("services of " .. class)
  local patience = md.rng("patience of " .. class)
  while true do
    md.sleep(gaps:exponential(1 / o.rates[class]))
    if md.now() > o.horizon then
      return
    end
    sums.came = sums.came + (md.now() > o.warm and 1 or 0)
    local limit = o.patience and o.patience(patience)
    md.spawn(customer, o, desks, sums, class, o.service(services), limit)
  end
end

local function close_to(a, b)
  return math.abs(a - b) <= 1e-9 * math.max(1, math.abs(a))
end

-- Runs it until all have left, and returns figures; of the second class their
-- names end in 2. Lq and L are the resource's, without the first sixth.
local function station(sim, o)
  o.warm = o.horizon / 6
  local desks = sim:resource {
    capacity = o.servers,
    discipline = o.priorities and "priority" or nil,
    preemptive = o.preemptive,
  }
  local all, queue, used = {}, {}, {}
  for class = 1, #o.rates do
    local sums = { came = 0, blocked = 0, gone = 0, impatient = 0, held = 0 }
    sums.W, sums.Wq, sums.waited = 0, 0, 0
    all[class] = sums
    sim:spawn(source, o, desks, sums, class)
  end
  for i, time in ipairs { o.warm, o.horizon } do
    sim:at(time, function()
      queue[i] = desks.mean_queue * time
      used[i] = desks.mean_used * time
    end)
  end
  assert(sim:run() == "done")

  local now, impatient, held = sim:now(), 0, 0
  local length = o.horizon - o.warm
  local figures = { Lq = (queue[2] - queue[1]) / length }
  figures.L = figures.Lq + (used[2] - used[1]) / length
  for class, sums in ipairs(all) do
    impatient, held = impatient + sums.impatient, held + sums.held
    local suffix, inside = class == 1 and "" or class, sums.came - sums.blocked
    for _, name in ipairs { "W", "Wq", "waited" } do
      figures[name .. suffix] = sums[name] / inside
    end
    figures["blocked" .. suffix] = sums.blocked / sums.came
    figures["gone" .. suffix] = sums.gone / inside
  end
  local waits = desks.mean_wait * desks.served + impatient
  assert(close_to(desks.mean_queue * now, waits), "Little's law of the line")
  assert(close_to(desks.mean_used * now, held), "Little's law of the desks")
  assert(desks.used == 0 and desks.queue_length == 0, "all have left")
  return figures
end

local seed = 40

-- Replications of a station: each of the known figures is in its interval.
local function check(n, o, known)
  seed = seed + 1
  local all = laws.replicate(seed, n, function(sim)
    return station(sim, o)
  end)
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local covered, text = laws.covers(all[name], known[name])
    assert(covered, name .. ": " .. text)
  end
end

describe("the theory of queues at a resource", function()
  it("gives all four means of M/M/1", function()
    check(30, {
      servers = 1,
      rates = { 0.9 },
      service = exponential(1),
      horizon = 24000,
    }, { L = 9, W = 10, Lq = 8.1, Wq = 9, waited = 0.9 })
  end)

  local several = {
    { servers = 2, rate = 1.8, waited = 0.852632, Wq = 4.263158 },
    { servers = 3, rate = 2.4, waited = 0.647191, Wq = 1.078652 },
    { servers = 5, rate = 4.5, waited = 0.762493, Wq = 1.524986 },
  }
  for _, case in ipairs(several) do
    local title = "gives P(wait), Wq and Lq of M/M/%d"
    it(title:format(case.servers), function()
      check(20, {
        servers = case.servers,
        rates = { case.rate },
        service = exponential(1),
        horizon = 15000 / case.rate,
      }, {
        waited = case.waited,
        Wq = case.Wq,
        Lq = case.rate * case.Wq,
      })
    end)
  end

  it("gives N and the blocking of M/M/2/3 when customers balk", function()
    check(20, {
      servers = 2,
      room = 3,
      rates = { 3 },
      service = exponential(1 / 4),
      horizon = 4000,
    }, { L = 0.762340, blocked = 0.049360 })
  end)

  it("gives the blocking of Erlang's B with ten desks", function()
    check(20, {
      servers = 10,
      room = 10,
      rates = { 10 },
      service = exponential(1),
      horizon = 3000,
    }, { blocked = 0.214582, L = 10 * (1 - 0.214582) })
  end)

  for _, case in ipairs { { 0.8, 2.0 }, { 0.9, 4.5 } } do
    it(("gives Wq of M/D/1 at %.1f"):format(case[1]), function()
      check(20, {
        servers = 1,
        rates = { case[1] },
        service = constant(1),
        horizon = 15000 / case[1],
      }, { Wq = case[2], Lq = case[1] * case[2] })
    end)
  end

  it("gives Wq of M/G/1 with a variable service", function()
    local p = (1 + math.sqrt(0.6)) / 2 -- squared coefficient of variation 4
    check(30, {
      servers = 1,
      rates = { 0.8 },
      service = function(rng)
        return rng:exponential(1 / (2 * (rng:bernoulli(p) and p or 1 - p)))
      end,
      horizon = 28000,
    }, { Wq = 10 })
  end)

  it("gives Wq of both classes when the lower number goes first", function()
    check(20, {
      servers = 1,
      priorities = true,
      rates = { 0.3, 0.5 },
      service = exponential(1),
      horizon = 40000,
    }, { Wq = 1.142857, Wq2 = 5.714286 })
  end)

  it("gives T of both classes when the first preempts", function()
    check(20, {
      servers = 1,
      preemptive = true,
      rates = { 0.3, 0.5 },
      service = exponential(1),
      horizon = 40000,
    }, { W = 1.428571, W2 = 7.142857 })
  end)

  local impatient = {
    { servers = 1, rate = 1, gone = 0.313035, Lq = 0.626071, p = 0.686965 },
    { servers = 3, rate = 3.5, gone = 0.247182, Lq = 1.730275, p = 0.759405 },
  }
  for _, case in ipairs(impatient) do
    local title = "gives Erlang's A with %d at work: who gives up, Lq, P(wait)"
    it(title:format(case.servers), function()
      check(20, {
        servers = case.servers,
        rates = { case.rate },
        service = exponential(1),
        patience = exponential(1 / 0.5),
        horizon = 20000 / case.rate,
      }, { gone = case.gone, Lq = case.Lq, waited = case.p })
    end)
  end
end)

-- -- the machine shop ------------------------------------------------

-- Ten machines that run until they fail, and one who repairs them, and who has
-- other jobs that this interrupts. Returns the share of time that they run.
local function availability(sim, repair, horizon)
  local hands, warm = sim:resource { preemptive = true }, horizon / 10
  local up, N = md.stats.level(sim), 10
  for _ = 1, N do
    up:add(1)
    sim:spawn(function()
      local rng = md.rng()
      while true do
        md.sleep(rng:exponential(300))
        up:add(-1)
        local _ <close> = hands:acquire { priority = 1 }
        md.sleep(repair(rng))
        up:add(1)
      end
    end)
  end
  sim:spawn(function()
    while true do
      local _ <close> = hands:acquire { priority = 2 }
      pcall(md.sleep, 30)
    end
  end)
  sim:at(warm, up.reset, up)
  assert(sim:run(horizon) == "time")
  -- he is never idle: when no machine is broken there is something else to do
  assert(close_to(hands.utilisation, 1), "never idle")
  return up.mean / N
end

-- The same with what they make, ten minutes a part, begun anew after a failure
-- where it was left. Returns the parts a machine makes in four weeks.
local function parts_made(sim)
  local hands, N, parts = sim:resource { preemptive = true }, 10, 0
  local function machine(state)
    while true do
      local left = 10
      repeat
        local begun = md.now()
        if pcall(md.sleep, left) then
          left = 0
        else
          left, state.broken = left - (md.now() - begun), true
          local _ <close> = hands:acquire { priority = 1 }
          md.sleep(30)
          state.broken = false
        end
      until left <= 0
      parts = parts + 1
    end
  end
  for _ = 1, N do
    local state = { broken = false }
    local pid = sim:spawn(machine, state)
    sim:spawn(function()
      local rng = md.rng()
      while true do
        md.sleep(rng:exponential(300))
        if not state.broken then
          md.interrupt(pid, "broken")
        end
      end
    end)
  end
  assert(sim:run(40320) == "time")
  return parts / N
end

describe("the machine shop", function()
  local function holds(values, known)
    local covered, text = laws.covers(values, known)
    assert(covered, text)
  end

  it("has the availability of Takacs when repairs take 30 minutes", function()
    local all = laws.replicate(71, 20, function(sim)
      return { up = availability(sim, constant(30), 400000) }
    end)
    holds(all.up, 0.821003)
  end)

  it("has it when they take 30 minutes on average", function()
    local all = laws.replicate(72, 20, function(sim)
      return { up = availability(sim, exponential(30), 400000) }
    end)
    holds(all.up, 0.785418)
  end)

  it("makes the parts that this allows, from machines that are up", function()
    local all = laws.replicate(73, 20, function(sim)
      return { parts = parts_made(sim) }
    end)
    holds(all.parts, 3312.3)
  end)
end)
