-- The election of Chang and Roberts on a ring (requirements, model 7): n in a
-- random order need n H(n) messages in the mean, and n (n + 1) / 2 at most.
local md = require "moondial"
local laws = require "laws.support"

-- One member: passes on the numbers that are higher than its own.
local function member(id, next_pid, count)
  md.send(next_pid(), "elect", id)
  count()
  while true do
    local other = md.wait "elect"
    if other == id then
      return true
    elseif other > id then
      md.send(next_pid(), "elect", other)
      count()
    end
  end
end

-- Elects on a ring in the order of the ids; returns the messages it took.
local function election(ids)
  local ring, n, messages = {}, #ids, 0
  local function count()
    messages = messages + 1
  end
  for place = 1, n do
    ring[place] = md.spawn(member, ids[place], function()
      return ring[place % n + 1]
    end, count)
  end
  md.sleep(1)
  for place = 1, n do
    local elected = md.status(ring[place]) == "done"
    assert(elected == (ids[place] == n), "the highest alone is elected")
    md.kill(ring[place])
  end
  return messages
end

local function in_order(n, step)
  local ids = {}
  for i = 1, n do
    ids[i] = step > 0 and i or n + 1 - i
  end
  return ids
end

describe("the election of Chang and Roberts", function()
  local known = { [5] = 11.4167, [10] = 29.2897, [100] = 518.7378 }
  for i, n in ipairs { 5, 10, 100 } do
    it(("needs n H(n) messages for n = %d"):format(n), function()
      local ids, elections = in_order(n, 1), n < 100 and 100 or 25
      local all = laws.replicate(70 + i, 20, function(sim)
        local sum, most = 0, 0
        sim:spawn(function()
          for _ = 1, elections do
            md.rng("orders"):shuffle(ids)
            local messages = election(ids)
            sum, most = sum + messages, math.max(most, messages)
          end
        end)
        assert(sim:run() == "done")
        assert(most <= n * (n + 1) / 2, "more messages than there can be")
        return { messages = sum / elections }
      end)
      local covered, text = laws.covers(all.messages, known[n])
      assert(covered, text)
    end)
  end

  it(
    "takes the most on a ring that falls, the least on one that rises",
    function()
      local sim, most, least = md.sim(), nil, nil
      sim:spawn(function()
        most = election(in_order(10, -1))
        least = election(in_order(10, 1))
      end)
      assert(sim:run() == "done")
      assert.same({ 55, 19 }, { most, least })
    end
  )
end)
