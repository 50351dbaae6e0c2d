-- A server that runs: a process that waits for what its handlers take, and
-- calls them. Handlers may be added, and turns come due, while it waits: then
-- it is poked, by a ref as a message, which every protocol lets through. It is
-- sent only to one that waits here, who is handed it at once, so that it never
-- lies in an inbox, where a handler could find it.
local core = require "moondial.core"
local handler = require "moondial.handler"
local line = require "moondial.line"

local m = {}

-- The instances of each server in each sim, and the processes that act for one.
-- An entry goes with its sim.
local function place_of(server, sim)
  local place = server.places[sim]
  if not place then
    place = {
      instances = line.new(),
      of = {}, -- instances by the pids that act for them
      poke = sim:ref(),
      compiled = {}, -- clauses of this version of the server
      version = 0,
    }
    server.places[sim] = place
  end
  return place
end

local function poke(instance)
  local sim, pid = instance.sim, instance.pid
  if instance.idle and sim:status(pid) == "waiting" then
    sim:send(pid, instance.place.poke)
  end
end

-- each(server, fn)
-- Calls fn(instance) for those that run, in the order in which they began.
function m.each(server, fn)
  for _, place in pairs(server.places) do -- sims do not meet
    local instance = place.instances.first
    while instance do
      fn(instance)
      instance = instance.behind
    end
  end
end

-- changed(server)
-- The handlers are others: those who wait look again.
function m.changed(server)
  m.each(server, poke)
end

-- current(server) -> instance or nil
-- That for which the process that runs acts.
function m.current(server)
  local inside, pid = pcall(core.self)
  local place = inside and server.places[core.current()]
  return place and place.of[pid]
end

-- -- which messages --------------------------------------------------

local function is_full(instance, gate)
  return gate and instance.running[gate] == gate.limit
end

-- What a full handler would take stays in the inbox, and so does what others
-- behind it might take in its place.
local function compile(server, instance)
  local list, closed = { { instance.place.poke } }, {}
  for _, it in ipairs(server.handlers) do
    local open = not is_full(instance, it.gate)
    for _, other in ipairs(closed) do
      open = open and handler.apart(it.patterns, other.patterns)
    end
    if open then
      list[#list + 1] = handler.clause(it.patterns, it.take)
    else
      closed[#closed + 1] = it
    end
  end
  return core.clauses(list)
end

-- Compiled once for each change, and for each set of handlers that are full.
local function clauses_for(server, instance)
  local key = ""
  if instance.full > 0 then
    local full = {}
    for i, it in ipairs(server.handlers) do
      full[i] = is_full(instance, it.gate) and "1" or "0"
    end
    key = table.concat(full)
  end
  local place = instance.place
  if place.version ~= server.version then
    place.compiled, place.version = {}, server.version
  end
  local clauses = place.compiled[key]
  if not clauses then
    clauses = compile(server, instance)
    place.compiled[key] = clauses
  end
  return clauses
end

-- -- handlers in processes of their own ------------------------------

local helper_meta = {}

local function count(instance, gate, change)
  local n = (instance.running[gate] or 0) + change
  local was = is_full(instance, gate)
  instance.running[gate] = n
  local is = n == gate.limit
  if was ~= is then
    instance.full = instance.full + (is and 1 or -1)
  end
end

function helper_meta.__close(helper)
  local instance = helper.instance
  line.remove(helper)
  instance.place.of[helper.pid] = nil
  count(instance, helper.gate, -1)
  poke(instance)
end

local function help(helper, call, ...)
  local _ <close> = helper
  call(...)
end

local function helper_name(instance)
  local name = core.info(instance.pid).name
  instance.helper_name = name and "handler of " .. name or "handler"
  return instance.helper_name
end

local function start(instance, it, ...)
  local helper = setmetatable({}, helper_meta)
  helper.instance, helper.gate = instance, it.gate
  count(instance, it.gate, 1)
  local named = { name = instance.helper_name or helper_name(instance) }
  helper.pid = core.spawn(named, help, helper, it.call, ...)
  instance.place.of[helper.pid] = instance
  line.insert(instance.helpers, helper)
end

-- -- turns -----------------------------------------------------------

-- wind(instance, turn)
-- From now on fn(t) is due every period. The k-th turn is k periods from now,
-- so that no rounding adds up.
function m.wind(instance, turn)
  local sim = instance.sim
  sim:every(turn.period) -- which must be a tick in this sim, too
  local begun, k = sim:now(), 0
  local clock = {}
  local function strike()
    k = k + 1
    clock.timer = sim:at(begun + (k + 1) * turn.period, strike)
    line.insert(instance.due, { fn = turn.fn, at = sim:now() })
    poke(instance)
  end
  clock.timer = sim:at(begun + turn.period, strike)
  table.insert(instance.clocks, clock)
end

-- -- the process -----------------------------------------------------

-- What is left of an instance ends with it.
local instance_meta = {}

function instance_meta.__close(instance)
  line.remove(instance)
  instance.place.of[instance.pid] = nil
  for _, clock in ipairs(instance.clocks) do
    clock.timer:cancel()
  end
  while instance.helpers.first do
    local helper = line.pop(instance.helpers)
    core.kill(helper.pid, "its server has ended")
  end
end

local function open(server)
  local sim = core.current()
  local place = place_of(server, sim)
  local instance = setmetatable({
    sim = sim,
    pid = core.self(),
    place = place,
    idle = false,
    running = {}, -- by gate
    full = 0, -- gates
    helpers = line.new(),
    clocks = {},
    due = line.new(),
  }, instance_meta)
  line.insert(place.instances, instance)
  place.of[instance.pid] = instance
  return instance
end

-- A poke comes without a handler.
local function answer(instance, it, ...)
  instance.idle = false
  if not it then
    return
  elseif it.gate then
    start(instance, it, ...)
  else
    it.call(...)
  end
end

-- serve(server, ...)
-- The body of an instance; the arguments are those of its state's function.
function m.serve(server, ...)
  local instance <close> = open(server)
  instance.state = server.options.state(...)
  for _, turn in ipairs(server.turns) do
    m.wind(instance, turn)
  end
  while true do
    local turn = line.pop(instance.due)
    if turn then
      turn.fn(turn.at)
    else
      local clauses = clauses_for(server, instance)
      instance.idle = true
      answer(instance, core.receive(clauses))
    end
  end
end

return m
