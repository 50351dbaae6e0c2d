-- Leader election on a ring, by Chang and Roberts: each member sends its number
-- to the next, passes on the higher numbers that come, and stops the lower
-- ones. Whose own number comes back is the leader. For n members in a random
-- order that takes n H(n) messages in the mean, n (n + 1) / 2 at the most.
local md = require "moondial"

local n, runs = 10, 4000

local function member(ring, place, id, count)
  local function pass(number)
    count()
    md.send(ring[place % n + 1], "elect", number)
  end
  pass(id)
  repeat
    local number = md.wait "elect"
    if number > id then
      pass(number)
    end
  until number == id
  return "leader"
end

-- Elects once; returns how many messages that took.
local function elect(seed)
  local sim = md.sim { seed = seed }
  local ids, ring, messages = {}, {}, 0
  local function count()
    messages = messages + 1
  end
  for id = 1, n do
    ids[id] = id
  end
  sim:rng("ids"):shuffle(ids)
  for place, id in ipairs(ids) do
    ring[place] = sim:spawn(member, ring, place, id, count)
  end
  sim:run() -- ends idle: those who are not elected wait for ever
  for place, id in ipairs(ids) do
    assert((sim:status(ring[place]) == "done") == (id == n))
  end
  return messages
end

local sum, squares, most, harmonic = 0, 0, 0, 0
for seed = 1, runs do
  local messages = elect(seed)
  sum, squares = sum + messages, squares + messages ^ 2
  most = math.max(most, messages)
end
for i = 1, n do
  harmonic = harmonic + 1 / i
end

local mean = sum / runs
local error_of_mean = math.sqrt((squares / runs - mean ^ 2) / (runs - 1))
print(("mean   %7.4f +- %.4f (99 %%)"):format(mean, 2.576 * error_of_mean))
print(("n H(n) %7.4f"):format(n * harmonic))
print(("most   %d of at most %d"):format(most, n * (n + 1) // 2))

--[[ output
mean   29.2545 +- 0.1613 (99 %)
n H(n) 29.2897
most   50 of at most 55
]]
