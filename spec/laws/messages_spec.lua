-- Models of messages with known figures (requirements, models 6 and 11).
local md = require "moondial"
local laws = require "laws.support"

local function check(values, known)
  local covered, text = laws.covers(values, known)
  assert(covered, text)
end

-- PHOLD: every event makes the next, 1 and an exponential time later; one in
-- four at another process. Returns the events, and what happened as a text.
local function phold(sim, n, horizon)
  local processes, events, trace = {}, 0, {}
  local function process(me)
    local rng = md.rng()
    local function next_event()
      local at = me
      if rng:bernoulli(0.25) then
        at = rng:integer(1, n)
      end
      md.send_after(1 + rng:exponential(1), processes[at], "event")
    end
    next_event()
    while true do
      md.wait "event"
      events = events + 1
      trace[#trace + 1] = me .. "@" .. md.now()
      next_event()
    end
  end
  for i = 1, n do
    processes[i] = sim:spawn({ name = "lp " .. i }, process, i)
  end
  assert(sim:run(horizon) == "time")
  return events, table.concat(trace, "\n")
end

-- Frames of length 1 in the air; one alone from end to end has success.
local function pure_aloha(sim, load, horizon)
  local air, successes, collisions = 0, 0, 0
  local function frame()
    local before = collisions
    if air > 0 then
      collisions = collisions + 1
    end
    local alone = air == 0
    air = air + 1
    md.sleep(1)
    air = air - 1
    if alone and collisions == before then
      successes = successes + 1
    end
  end
  sim:spawn(function()
    local gaps = md.rng "gaps"
    while md.now() < horizon do
      md.sleep(gaps:exponential(1 / load))
      md.spawn(frame)
    end
  end)
  assert(sim:run() == "done")
  return successes / horizon
end

-- Counts the slots with one frame alone; done() tells how many they were.
local function slots_of(sim, slots)
  local successes = 0
  local medium = sim:spawn(function()
    for _ in md.every(1, { start = 0.5, count = slots }) do
      successes = successes + (md.inbox() == 1 and 1 or 0)
      md.flush()
    end
  end)
  return medium, function()
    return successes
  end
end

-- Frames of any number of nodes, each sent when the next slot begins.
local function slotted_aloha_of_many(sim, load, slots)
  local medium, done = slots_of(sim, slots)
  sim:spawn(function()
    local gaps = md.rng "gaps"
    while md.now() < slots - 1 do
      md.sleep(gaps:exponential(1 / load))
      md.send_at(math.ceil(md.now()), medium, "frame")
    end
  end)
  assert(sim:run() == "done")
  return done() / slots
end

-- Each of n nodes sends in a slot with probability p; the medium counts.
local function slotted_aloha(sim, n, p, slots)
  local medium, done = slots_of(sim, slots)
  for _ = 1, n do
    sim:spawn(function()
      local rng = md.rng()
      for _ in md.every(1, { start = 0, count = slots }) do
        if rng:bernoulli(p) then
          md.send(medium, "frame")
        end
      end
    end)
  end
  assert(sim:run() == "done")
  return done() / slots
end

describe("PHOLD", function()
  it("commits as many events as renewal theory says", function()
    local n, horizon = 32, 1000
    local all = laws.replicate(21, 20, function(sim)
      return { rate = phold(sim, n, horizon) / (n * horizon) }
    end)
    check(all.rate, 0.499625)
  end)

  it("has the same trace in every order of ties, for it has none", function()
    local _, fifo = phold(md.sim { seed = 1 }, 16, 100)
    for _, order in ipairs { "lifo", "random" } do
      local _, trace = phold(md.sim { seed = 1, order = order }, 16, 100)
      assert(trace == fifo, order .. " differs from fifo")
    end
  end)
end)

describe("ALOHA", function()
  it("carries 1/(2e) when frames begin at any time", function()
    local all = laws.replicate(25, 20, function(sim)
      return { carried = pure_aloha(sim, 0.5, 5000) }
    end)
    check(all.carried, 0.183940)
  end)

  it("carries 1/e when frames of many begin with the slots", function()
    local all = laws.replicate(27, 20, function(sim)
      return { carried = slotted_aloha_of_many(sim, 1, 5000) }
    end)
    check(all.carried, 0.367879)
  end)

  it("carries (1 - 1/20)^19 of the slots with 20 nodes", function()
    local all = laws.replicate(26, 20, function(sim)
      return { carried = slotted_aloha(sim, 20, 1 / 20, 1000) }
    end)
    check(all.carried, 0.377354)
  end)
end)
