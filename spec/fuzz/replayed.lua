-- A family in its world: the outside, which answers, and what comes from there
-- at certain times; recorded as a whole, or replayed up to a signal and then
-- gone on with, which must come to the same.
local md = require "moondial"
local inside = require "moondial.inside"
local same = require "moondial.same"

local m = {}

-- The options of the sims: their tie rule. Under "random" what comes after a
-- record comes in another order than it did.
m.options = {}

-- When the outside answers a question: at no time at which anything else is.
function m.delay(n)
  return 0.1 + n / 10000
end

-- The outside answers what a price is; what else it is sent it notes. One in it
-- never answers, and may end.
local function new_world(sim)
  local world = { sim = sim, noted = {} }
  world.mortal = sim:spawn({ name = "mortal" }, md.wait, "nothing")
  world.sink = world.noted
  world.server = sim:spawn({ name = "server" }, function()
    while true do
      md.receive {
        {
          "price",
          md.is.pid,
          md.is.ref,
          function(from, ref, n)
            md.after(m.delay(n), function()
              md.send(from, ref, n * 2)
            end)
          end,
        },
        {
          "note",
          function(...)
            table.insert(world.sink, table.pack(md.now(), ...))
          end,
        },
      }
    end
  end)
  sim:run(sim:now())
  return world
end

-- Runs a sim whose processes may fail, to the time or to its end.
local function run(sim, to)
  repeat
    local ok = pcall(sim.run, sim, to)
  until ok
end

-- The nth process of the family: the root, then its descendants as they came.
local function nth(world, n)
  if n == 1 then
    return world.p.pid
  end
  local count = 1 + (world.skipped or 0)
  for _, s in ipairs(world.log) do
    count = count + (s.kind == "SPAWN" and 1 or 0)
    if s.kind == "SPAWN" and count == n then
      return s.child
    end
  end
end

local function pull(world)
  for s in world.p:pull() do
    table.insert(world.log, s)
  end
end

local act = {}

function act.push(world, n, ...)
  local pid = nth(world, n)
  if n == 1 and not world.amid then
    world.push(...)
  elseif pid then
    pcall(md.send, world.sim, pid, ...)
  end
end

function act.interrupt(world, n)
  local pid = nth(world, n)
  if pid then
    world.sim:interrupt(pid, "from outside")
  end
end

function act.kill(world, n)
  local pid = nth(world, n)
  if pid then
    world.sim:kill(pid, "from outside")
  end
end

-- Runs a sim into the middle of an instant, behind so many events of it.
local function run_into(sim, time, events)
  if time > sim:now() then
    inside.at(sim, time, function()
      sim:stop()
    end)
    run(sim, time)
  end
  for _ = 1, events do
    pcall(sim.run, sim, { to = time, events = 1 })
  end
end

function act.bury(world)
  world.sim:kill(world.mortal)
end

-- Does what is left of the schedule, from `first` on, `offset` later.
local function go_on(world, schedule, first, offset)
  for i = first, #schedule do
    local step = schedule[i]
    local time = math.max(step[1] + offset, world.sim:now())
    world.amid = step.after ~= nil
    if world.amid then
      run_into(world.sim, time, step.after)
    else
      run(world.sim, time)
    end
    pull(world)
    world.before[i] = #world.log
    act[step[2]](world, table.unpack(step, 3))
    if not world.amid then
      run(world.sim, world.sim:now())
    end
    pull(world)
  end
  run(world.sim, world.sim:now() + 100)
  pull(world)
end

local function start(world, t, number, how, ...)
  world.log, world.before = {}, {}
  world.p = t(world.sim):create(number, world.server, world.mortal)
  function world.push(...)
    pcall(world.p.push, world.p, ...)
  end
  local ok, err = pcall(world.p[how], world.p, ...)
  if not ok and type(err) == "table" and err.kind == "journal" then
    error(err, 0)
  end
  pull(world)
end

-- record(template, number, schedule) -> world
function m.record(t, number, schedule)
  local world = new_world(md.sim(m.options))
  world.offset = world.sim:now()
  start(world, t, number, "start")
  go_on(world, schedule, 1, world.offset)
  return world
end

-- signals(list, n) -> what replay takes: the first n of the list.
function m.signals(list, n)
  return function()
    local i = 0
    return function()
      i = i + 1
      return i <= n and list[i] or nil
    end
  end
end

-- Questions that were under way when the record ended: the outside answers.
local function answer(recorded, world, n)
  local open = {}
  for i = 1, n do
    local s = recorded.log[i]
    if s.kind == "SEND" and s.data == "price" and s.to == recorded.server then
      open[s.message[3]] = s.seq
    elseif s.kind == "ARRIVE" then
      open[s.data or false] = nil
    end
  end
  local asked = {}
  for _, seq in pairs(open) do
    asked[seq] = true
  end
  for i = 1, world.replayed do
    local s = world.log[i]
    local at = asked[s.seq] and s.time + m.delay(s.message[4])
    if at and at > world.sim:now() then
      world.sim:at(at, function()
        md.send(s.message[2], s.message[3], s.message[4] * 2)
      end)
    end
  end
end

-- When a record begins.
local function begin(list)
  for _, s in ipairs(list) do
    if s.kind == "START" or s.kind == "TRANSITION" then
      return s.time
    end
  end
end

local function spawns(list, n)
  local count = 0
  for i = 1, n do
    count = count + (list[i].kind == "SPAWN" and 1 or 0)
  end
  return count
end

-- Whether the mortal ends by one of these steps.
local function has_burial(schedule, from, to)
  for i = from, to do
    if schedule[i][2] == "bury" then
      return true
    end
  end
  return false
end

-- Whether the next step comes at the time of the nth signal: behind how many
-- events of those that are left is not on record. Nor is an end at that time.
local function is_amid(recorded, schedule, next, n)
  local last = n > 0 and recorded.log[n].time or 0
  for i, step in ipairs(schedule) do
    local time = step[1] + recorded.offset
    local open = i >= next or step[2] == "bury" and time >= last - 1e-9
    if step.after and open and time <= last + 1e-9 then
      return true
    end
  end
  return false
end

-- cut(recorded, template, number, schedule, n, options) -> world
-- Replays the first n signals in another sim, or in the same one, and goes on.
function m.cut(recorded, t, number, schedule, n, options)
  local world
  if options and options.sim then
    world = { sim = options.sim, noted = {} }
    world.server, world.mortal = recorded.server, recorded.mortal
    recorded.sink = world.noted
  else
    world = new_world(md.sim(m.options))
  end
  if options and options.shift then
    world.sim:run(world.sim:now() + options.shift)
  end
  local first = 1
  while first <= #schedule and recorded.before[first] < n do
    first = first + 1
  end
  if has_burial(schedule, 1, first - 1) then
    act.bury(world)
    run(world.sim, world.sim:now())
  end
  local begins = options and options.list and begin(options.list) or 0
  begins = begins - recorded.offset
  world.offset = world.sim:now()
  world.sim:run(world.offset + math.max(begins, 0))
  start(world, t, number, "replay", {
    signals = m.signals(options and options.list or recorded.log, n),
    results = options and options.results,
  })
  world.cut = n
  world.replayed = math.min(n, #(options and options.list or recorded.log))
  world.skipped = spawns(recorded.log, n)
    - spawns(options and options.list or recorded.log, world.replayed)
  answer(recorded, world, n)
  world.open = m.options.order == "random"
    or is_amid(recorded, schedule, first, n)
    or options and options.sim and has_burial(schedule, first, #schedule)
  go_on(world, schedule, first, world.offset)
  return world
end

local fields = {
  "kind",
  "seq",
  "pid",
  "child",
  "args",
  "message",
  "result",
  "error",
  "to",
  "from",
  "by",
  "cause",
  "reason",
  "forward",
}

local function text(s)
  if not s then
    return "nothing"
  end
  local list, said = s.message or s.args or s.result or { s.data, n = 1 }, {}
  for i = 1, list.n do
    said[i] = tostring(list[i])
  end
  return ("%d %s %s %s (%s) at %s"):format(
    s.seq,
    s.kind,
    tostring(s.pid),
    tostring(s.to or s.from or s.by or s.child),
    table.concat(said, ", "),
    s.time
  )
end

-- How many notes came after a time, and how many then or after it.
local function noted_after(recorded, time)
  local least, most = 0, 0
  for _, note in ipairs(recorded.noted) do
    least = least + (note[1] > time and 1 or 0)
    most = most + (note[1] >= time and 1 or 0)
  end
  return least, most
end

-- What the outside was sent: all of it comes once, before or after the cut.
local function noted_difference(recorded, world, map, late)
  local cut = recorded.log[world.cut]
  local least, most = noted_after(recorded, cut and cut.time or -1)
  if #world.noted < least or #world.noted > most then
    return ("%d notes, %d to %d expected"):format(#world.noted, least, most)
  end
  local before = #recorded.noted - #world.noted
  for i, b in ipairs(world.noted) do
    local a = recorded.noted[before + i] or { -1 }
    if math.abs(a[1] + late - b[1]) > 1e-9 or not map:same(a[2], b[2]) then
      return ("note %d at %s, now at %s"):format(before + i, a[1], b[1])
    end
  end
  local last = recorded.noted[before]
  for _, s in ipairs(recorded.log) do
    local note = s.kind == "SEND" and s.to == recorded.server
    if note and s.data == "note" and s.seq > world.cut and last then
      if (s.at or s.time) < last[1] then
        return ("note of signal %d is lost"):format(s.seq)
      end
    end
  end
end

-- What is to come: the list that was replayed, and what followed on it.
local function expected_of(recorded, world, list)
  if not list then
    return recorded.log
  end
  local expected = table.move(list, 1, #list, 1, {})
  for _, s in ipairs(recorded.log) do
    if s.seq > world.cut then
      expected[#expected + 1] = s
    end
  end
  return expected
end

-- difference(recorded, world [, list]) -> text or nil
-- The first, between what was recorded and what a world has come to that has
-- replayed a list in the place of what it was made of.
function m.difference(recorded, world, list)
  local map = same.new(world.sim)
  local late = world.offset - recorded.offset
  map:bind(recorded.server, world.server)
  map:bind(recorded.mortal, world.mortal)
  local expected = expected_of(recorded, world, list)
  local count = world.open and (list and #list or world.cut)
  for i = 1, count or math.max(#expected, #world.log) do
    local a, b = expected[i], world.log[i]
    local field = (not a or not b) and "number"
    if not field then
      if i == 1 or a.kind == "SPAWN" then
        map:bind(a.child or a.pid, b.child or b.pid)
      end
      for _, name in ipairs(fields) do
        local hint = list and name == "seq"
          or name == "result" and a.kind == "START"
        if not hint and not map:same(a[name], b[name]) then
          field = name
        end
      end
      if math.abs(a.time + late - b.time) > 1e-9 then
        field = "time"
      end
      if not field and a.at and math.abs(a.at + late - b.at) > 1e-9 then
        field = "at"
      end
    end
    if field then
      return ("%s of signal %d: %s\n   now %s"):format(
        field,
        i,
        text(a),
        text(b)
      )
    end
  end
  return not world.open and noted_difference(recorded, world, map, late) or nil
end

m.text = text

return m
