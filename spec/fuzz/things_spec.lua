-- Random programs over all the things that can be waited for, with interrupts,
-- kills and limits at the same few times: what is granted once is had once, all
-- is counted at the end, nobody waits for what is free, and each run is
-- repeated to the last record.
local md = require "moondial"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local COUNT = long and 20000 or 1000

local function generator(seed)
  local state = (seed * 2654435761 + 12345) & 0xffffffff
  return function(n)
    state = (state * 1664525 + 1013904223) & 0xffffffff
    return ((state >> 8) * n >> 24) + 1
  end
end

local pauses = { 0, 0, 1, 1, 2 }

-- One run: its hash, and what is wrong.
local function run(seed, order)
  local dice = generator(seed)
  local sim = md.sim { order = order, seed = seed, on_error = "isolate" }
  local wrong
  local function check(ok, ...)
    wrong = wrong or not ok and table.concat({ ... }, " ") or nil
  end

  local resources = {
    sim:resource(),
    sim:resource { capacity = 3, discipline = "lifo" },
    sim:resource { capacity = 2, discipline = "priority" },
    sim:resource { capacity = 2, preemptive = true },
    sim:resource { capacity = 3, preemptive = true },
  }
  local stores = {
    sim:store(),
    sim:store { capacity = 2 },
    sim:store { capacity = 1, order = "priority" },
    sim:store {
      capacity = 2,
      order = function(a, b)
        return a > b
      end,
    },
  }
  local containers = {
    sim:container { capacity = 10, level = 3 },
    sim:container { capacity = 4 },
  }
  local put, got, level = {}, {}, {}
  for i in ipairs(stores) do
    put[i], got[i] = {}, {}
  end
  for i, c in ipairs(containers) do
    level[i] = c.level
  end
  local condition, barrier = sim:condition(), sim:barrier(2)
  local flag, event = sim:flag(), sim:event()
  local pids, items, body = {}, 0, nil

  local function some()
    return pids[dice(#pids)]
  end
  local function pause()
    local d = pauses[dice(#pauses)]
    local from = md.now()
    if pcall(md.sleep, d) then
      check(md.now() == from + d, "slept from", from, "to", md.now())
    end
  end
  local function even(x)
    return x % 2 == 0
  end
  local function maybe(x)
    return dice(2) == 1 and x or nil
  end

  -- Each returns something to await, and what is to be done with its value.
  local wants = {}
  function wants.unit(r)
    local n = dice(r.capacity > 0 and r.capacity or 1)
    local want = r:acquiring { n = n, priority = dice(4) }
    return want,
      function(unit)
        check(r.used <= 3, "used", r.used)
        return function()
          if dice(4) > 1 then
            pause()
            unit:release()
          end
        end
      end
  end
  function wants.get(i)
    return stores[i]:getting(maybe(even)),
      function(item)
        check(put[i][item], "got", tostring(item), "which nobody put")
        check(not got[i][item], "got", tostring(item), "twice")
        got[i][item] = true
      end
  end
  function wants.put(i)
    items = items + 1
    local item = items
    put[i][item] = "maybe"
    return stores[i]:putting(item), function()
      put[i][item] = true
    end
  end
  function wants.amount(i, call)
    local n = dice(8) / 4
    if n > containers[i].capacity then
      n = 1
    end
    return containers[i][call .. "ting"](containers[i], n),
      function(had)
        level[i] = level[i] + (call == "put" and had or -had) -- quarters
      end
  end

  -- A message comes once, and to whom it was sent.
  local mails, posted = {}, 0
  function wants.mail()
    return md.receiving("mail", md.is.integer),
      function(n)
        check(mails[n] == md.self(), "mail", n, "came to another, or twice")
        mails[n] = nil
      end
  end

  local function want(uncounted)
    local k = uncounted and 3 + 5 * dice(2) or dice(10)
    if k <= 3 or k == 13 then
      return wants.unit(resources[dice(#resources)])
    elseif k == 4 then
      return wants.put(dice(#stores))
    elseif k <= 6 then
      return wants.get(dice(#stores))
    elseif k == 7 then
      return wants.amount(dice(2), dice(2) == 1 and "put" or "get")
    elseif k == 9 then
      return wants.mail()
    end
    local others = {
      condition:waiting(),
      barrier:arriving(),
      flag,
      flag:is(dice(2) == 1),
      event,
      md.timer(pauses[dice(#pauses)]),
      md.receiving "mail",
      some(),
    }
    return others[dice(#others)], function() end
  end

  -- any or all of several, nested, of which nothing is counted.
  local function several(depth)
    local list = {}
    for i = 1, dice(3) do
      if depth < 3 and dice(3) == 1 then
        list[i] = several(depth + 1)
      elseif dice(10) == 1 then
        list[i] = function()
          body(1)
        end
      else
        list[i] = want(true)
      end
    end
    return dice(2) == 1 and md.any(list) or md.all(list)
  end

  -- One, or any or all of several, and what is to be done with the values.
  local function simple()
    if dice(2) == 1 then
      return want()
    end
    local list, uses = {}, {}
    for i = 1, dice(4) do
      list[i], uses[i] = want()
    end
    if dice(3) == 1 then
      return md.all(list),
        function(values)
          local later = {}
          for i, use in ipairs(uses) do
            later[#later + 1] = use(values[i])
          end
          return function()
            for _, use in ipairs(later) do
              use()
            end
          end
        end
    end
    return md.any(list),
      function(index, ...)
        return uses[index](...)
      end
  end

  local function await(aw, use, timeout)
    local results = table.pack(md.await(aw, timeout))
    if timeout and results[1] == nil and results[2] == "timeout" then
      return
    end
    -- all is counted before anything blocks again
    local later = use(table.unpack(results, 1, results.n))
    if later then
      later()
    end
  end

  local acts = {
    pause,
    function()
      await(simple())
    end,
    function()
      local aw, use = simple()
      await(aw, use, pauses[dice(#pauses)])
    end,
    function()
      local aw, use = simple()
      md.timeout(pauses[dice(#pauses)], await, aw, use)
    end,
    function()
      md.await(several(1) | md.timer(1))
    end,
    function()
      md.interrupt(some(), "busy")
    end,
    function()
      md.kill(some(), "enough")
    end,
    function()
      condition:notify(dice(2))
    end,
    function()
      condition:notify_all()
    end,
    function()
      local to = some()
      posted = posted + 1
      mails[posted] = to
      md.send(to, "mail", posted)
    end,
    function()
      flag:toggle()
    end,
    function()
      flag:toggle():toggle()
    end,
    function()
      if dice(4) == 1 and not event.triggered then
        event:succeed(1)
      elseif event.triggered then
        event = md.event()
      end
    end,
    function()
      local r = resources[dice(#resources)]
      r:set_capacity(dice(3))
    end,
    function()
      md.become(body, dice(3))
    end,
    collectgarbage,
  }

  function body(n)
    local _ <close> = setmetatable({}, {
      __close = function()
        if dice(4) == 1 then
          pause()
        end
      end,
    })
    for _ = 1, n do
      if dice(6) > 1 then
        pcall(acts[dice(#acts)])
      else
        acts[dice(#acts)]()
      end
    end
  end

  for i = 1, 12 do
    pids[i] = sim:spawn({ after = i % 3, priority = i % 2 }, body, 12)
  end
  local why = sim:run { events = 3000 }

  for _, pid in ipairs(pids) do
    sim:kill(pid)
  end
  sim:run { events = 3000 }
  check(#sim:waiting() == 0, "somebody waits still")
  for i, r in ipairs(resources) do
    check(r.used == 0 and #r.holders == 0, "resource", i, "used", r.used)
    check(r.queue_length == 0, "somebody stands in line", i)
  end
  return sim:hash() .. " " .. why,
    wrong,
    {
      resources = resources,
      stores = stores,
      containers = containers,
      put = put,
      got = got,
      level = level,
      sim = sim,
      barrier = barrier,
    }
end

-- What is left when all are gone.
local function left(seed, all)
  local function check(ok, text)
    assert(ok, "seed " .. seed .. ": " .. text)
  end
  for i, s in ipairs(all.stores) do
    local there = {}
    for _, item in ipairs(s.items) do
      there[item] = true
      check(all.put[i][item], "an item that nobody put")
      check(not all.got[i][item], "an item that is had and there")
    end
    for item, sure in pairs(all.put[i]) do
      local lost = sure == true and not all.got[i][item] and not there[item]
      check(not lost, ("item %d of store %d is lost"):format(item, i))
    end
    check(s.count <= s.capacity, "too many items")
    check(s.getting_length + s.putting_length == 0, "a line in a store")
  end
  for i, c in ipairs(all.containers) do
    check(c.level == all.level[i], "level " .. c.level .. ": " .. all.level[i])
  end
  check(all.barrier.arrived == 0, "somebody is at the barrier")
end

describe("random programs over things", function()
  for _, order in ipairs { "fifo", "lifo", "random" } do
    it("hold what they promise (1.11), in order " .. order, function()
      for seed = 1, COUNT do
        local first, wrong, all = run(seed, order)
        assert(not wrong, "seed " .. seed .. ": " .. tostring(wrong))
        left(seed, all)
        if seed % 4 == 0 then
          assert(first == run(seed, order), "seed " .. seed .. " differs")
        end
      end
    end)
  end
end)
