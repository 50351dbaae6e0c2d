-- Five philosophers and five forks, all of them processes. A fork is taken by a
-- question, and is then deaf to all but the one who holds it. If each takes the
-- left fork first, all wait for ever: md.deadlock finds the circle, who waits
-- for whom. If all take the fork of the lower number first, there is none.
local md = require "moondial"

local names = { "Anna", "Ben", "Carla", "Dan", "Eve" }

local function fork()
  while true do
    local holder, ref = md.wait "take"
    md.reply(holder, ref)
    md.wait("put", holder)
  end
end

local function philosopher(first, second)
  for _ = 1, 2 do
    md.ask(first, "take")
    md.sleep(1) -- the other one is out of reach
    md.ask(second, "take")
    md.sleep(3)
    md.send(second, "put", md.self())
    md.send(first, "put", md.self())
    md.sleep(2)
  end
end

local function dinner(title, in_order)
  local sim, forks, left = md.sim(), {}, #names
  for i = 1, #names do
    forks[i] = sim:spawn({ name = "fork " .. i }, fork)
  end
  for i, name in ipairs(names) do
    local a, b = i, i % #names + 1
    if in_order then
      a, b = math.min(a, b), math.max(a, b)
    end
    sim:spawn({ name = name }, function()
      philosopher(forks[a], forks[b])
      left = left - 1
    end)
  end
  local _, time = sim:run()
  print(title .. ": at " .. time .. " " .. left .. " are still at the table")
  for _, entry in ipairs(sim:deadlock() or {}) do
    print("  " .. entry.name .. " waits for " .. entry.waiting)
  end
end

dinner("left fork first", false)
dinner("lower fork first", true)

--[[ output
left fork first: at 1.0 5 are still at the table
  'fork 1' waits for a message that begins with 'put', the pid of 'Anna'
  'Anna' waits for a reply from 'fork 2'
  'fork 2' waits for a message that begins with 'put', the pid of 'Ben'
  'Ben' waits for a reply from 'fork 3'
  'fork 3' waits for a message that begins with 'put', the pid of 'Carla'
  'Carla' waits for a reply from 'fork 4'
  'fork 4' waits for a message that begins with 'put', the pid of 'Dan'
  'Dan' waits for a reply from 'fork 5'
  'fork 5' waits for a message that begins with 'put', the pid of 'Eve'
  'Eve' waits for a reply from 'fork 1'
lower fork first: at 27.0 0 are still at the table
]]
