-- Stand-ins: what waits in the place of a process that a replay does not run
-- again, so that others can send to it, join it and be told of its end.
local core = require "moondial.core"
local inside = require "moondial.inside"

local m = {}

local stands = {}
stands.__index = stands

-- new(replay) -> stands
function m.new(replay)
  return setmetatable({
    replay = replay,
    waiting = {}, -- what lets them end, by recorded pid
    bodies = {}, -- what they run, by new pid
    order = {}, -- recorded pids
  }, stands)
end

-- A stand-in waits until it is told how the other has ended. What interrupts it
-- was meant for another, and a kill has to wait until the other's time: it may
-- have had closers.
local function body(it, replay)
  local function listen()
    while not it.kind and not replay.difference do
      pcall(core.wait, it.sign)
    end
  end
  local _ <close> = setmetatable({}, { __close = listen })
  listen()
  if it.kind == "FAIL" then
    error(it.values, 0)
  end
  local values = it.values or { n = 0 }
  return table.unpack(values, 1, values.n)
end

-- stands:put(recorded, pid [, imitated])
-- Process pid is to stand in for the recorded one; its START is its own, unless
-- that is imitated, too.
function stands:put(recorded, pid, imitated)
  local own, replay = self.replay.family, self.replay
  local it = { sign = core.ref(own.sim), kind = nil, values = nil }
  self.waiting[recorded] = it
  self.order[#self.order + 1] = recorded
  own.signs[it.sign] = true
  own.roles[pid] = { imitated = imitated or false, left = false }
  inside.stands(own.sim, pid)
  self.bodies[pid] = function()
    return body(it, replay)
  end
end

-- stands:spawn(recorded) -> pid
-- One for a process whose parent is not run either.
function stands:spawn(recorded)
  local own = self.replay.family
  local pid
  pid = own.sim:spawn(function()
    return self.bodies[pid]()
  end)
  inside.record(own.sim, pid, own.turns)
  own:enter(pid)
  self:put(recorded, pid, true)
  return pid
end

-- stands:release(recorded, kind, values) -> boolean
-- The process that the stand-in is for has ended so. It ends at once, as the
-- other did when it was its turn; false: it cannot yet.
function stands:release(recorded, kind, values)
  local it = self.waiting[recorded]
  local own, pid = self.replay.family, self.replay.map:leaf(recorded)
  if it then
    self.waiting[recorded] = nil
    it.kind, it.values = kind, values
    inside.sign(own.sim, pid, it.sign)
  end
  return inside.hasten(own.sim, pid, own.sim:now())
end

-- stands:leave(results)
-- The record is over: those whose end it does not have end now.
function stands:leave(results)
  local own = self.replay.family
  for _, recorded in ipairs(self.order) do
    if self.waiting[recorded] then
      local pid = self.replay.map:leaf(recorded)
      if own.roles[pid] then
        own.roles[pid].left = true
      end
      self:release(recorded, "STOP", results[recorded])
    end
  end
end

return m
