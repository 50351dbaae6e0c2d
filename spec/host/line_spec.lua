-- Lines by priority, long ones, of which many leave: against a plain sort.
local md = require "moondial"

-- Who waits with which priority, and what becomes of them: the order in which
-- they are served, and r.waiting after some have left.
local function serve(n, kinds, options)
  local sim = md.sim { seed = n + kinds }
  local served, listed, asked = {}, nil, {}
  sim:spawn(function()
    local rng = md.rng "line"
    local r = md.resource(options)
    local unit = r:acquire { priority = -1 }
    for i = 1, n do
      local one = { i = i, priority = rng:integer(1, kinds) }
      one.pid = md.spawn(function()
        if pcall(r.acquire, r, { priority = one.priority }) then
          served[#served + 1] = one.i
        end
      end)
      asked[i] = one
    end
    md.sleep(1)
    local stay = {}
    for _, one in ipairs(asked) do
      if rng:bernoulli(0.3) then
        md.interrupt(one.pid, "leave")
      else
        stay[#stay + 1] = one
      end
    end
    table.sort(stay, function(a, b)
      if a.priority ~= b.priority then
        return a.priority < b.priority
      end
      return a.i < b.i
    end)
    asked, listed = stay, r.waiting
    assert.equal(#stay, r.queue_length)
    unit:release()
  end)
  sim:run()
  return served, listed, asked
end

local function check(n, kinds, options)
  local served, listed, asked = serve(n, kinds, options)
  assert.equal(#asked, #served)
  for i, one in ipairs(asked) do
    assert.equal(one.i, served[i])
    assert.equal(one.pid, listed[i])
  end
end

describe("a line by priority (1.11)", function()
  it("serves the lowest number first, equals in order of arrival", function()
    for n = 0, 12 do
      check(n, 3, { discipline = "priority" })
    end
    check(1000, 5, { discipline = "priority" })
    check(1000, 100000, { discipline = "priority" })
  end)

  it("does so when it is preemptive", function()
    check(500, 7, { preemptive = true })
  end)

  it("holds 100000 who wait, of any priorities", function()
    check(100000, 1000000, { discipline = "priority" })
  end)
end)
