-- What spreads from one to another (requirements, model 10): a disease among
-- many and among five, and a rumour. Each known value must lie in the 99 %
-- confidence interval of 20 replications with fixed seeds.
local md = require "moondial"
local laws = require "laws.support"

local function check(values, known)
  local covered, text = laws.covers(values, known)
  assert(covered, text)
end

-- An epidemic among n: who is ill, for a time of mean 1, meets others at the
-- given rate. Returns the share of all that fell ill, from one who was.
local function sir(sim, n, rate, name)
  local ill, total = {}, 0
  local meetings, times = sim:rng(name), sim:rng(name .. ": times")
  local function person(me)
    ill[me], total = true, total + 1
    local well = md.now() + times:exponential(1)
    while true do
      md.sleep(meetings:exponential(1 / rate))
      if md.now() > well then
        return
      end
      local other = meetings:integer(1, n)
      if not ill[other] then
        ill[other] = true
        md.spawn(person, other)
      end
    end
  end
  sim:spawn(person, 1)
  assert(sim:run() == "done")
  return total / n
end

-- The first epidemic that does not end after a few.
local function large(sim, n, rate)
  local try, share = 0, 0
  while share <= 0.1 do
    try = try + 1
    share = sir(sim, n, rate, "epidemic " .. try)
  end
  return share
end

-- Four who are well and one who is not, until nobody falls ill any more. Who is
-- ill infects, one unit of time later, each who is well with probability 0.3.
local function reed_frost(rng)
  local fell_ill, new = {}, -1
  for i = 1, 5 do
    fell_ill[i] = md.event()
  end
  local s <close> = md.scope()
  for i = 1, 5 do
    s:spawn(function()
      if not md.await(fell_ill[i], 6) then
        return
      end
      new = new + 1
      md.sleep(1)
      for other = 1, 5 do
        if rng:bernoulli(0.3) and not fell_ill[other].triggered then
          fell_ill[other]:succeed(true)
        end
      end
    end)
  end
  fell_ill[1]:succeed(true)
  s:join()
  return new
end

-- A rumour that one of n knows: in each round, all who know it tell one of the
-- others. Returns the rounds until all know it.
local function gossip(sim, n, name)
  local processes, knowing, start = {}, 0, sim:now()
  local rng = sim:rng(name)
  local function person(me)
    md.wait "rumour"
    knowing = knowing + 1
    if knowing == n then
      md.stop()
    end
    for _ in md.every(1) do
      local other = rng:integer(1, n - 1)
      md.send(processes[other < me and other or other + 1], "rumour")
    end
  end
  for i = 1, n do
    processes[i] = sim:spawn(person, i)
  end
  sim:send(processes[1], "rumour")
  assert(sim:run() == "stopped")
  for _, pid in ipairs(processes) do
    sim:kill(pid)
  end
  return sim:now() - start
end

describe("an epidemic", function()
  for i, case in ipairs {
    { 1.5, 0.582812 },
    { 2, 0.796812 },
    { 3, 0.940480 },
  } do
    it(("reaches its final size with R0 = %g"):format(case[1]), function()
      local all = laws.replicate(80 + i, 20, function(sim)
        return { share = large(sim, 3000, case[1]) }
      end)
      check(all.share, case[2])
    end)
  end

  it("has as many new cases among five as Reed and Frost say", function()
    local runs = 500
    local all = laws.replicate(85, 20, function(sim)
      local cases = 0
      sim:spawn(function()
        local rng = md.rng()
        for _ = 1, runs do
          cases = cases + reed_frost(rng)
        end
      end)
      assert(sim:run() == "done")
      return { cases = cases / runs }
    end)
    check(all.cases, 2.101130)
  end)
end)

describe("a rumour", function()
  it("is known to all 1024 after so many rounds", function()
    -- The chain of how many know it has this mean, by the occupancy of n - 1
    -- others by i calls; log2 n + ln n, 16.93, leaves out a constant.
    local known = 18.096676
    local all = laws.replicate(86, 20, function(sim)
      local rounds = 0
      for i = 1, 5 do
        rounds = rounds + gossip(sim, 1024, "rumour " .. i)
      end
      return { rounds = rounds / 5 }
    end)
    check(all.rounds, known)
  end)
end)
