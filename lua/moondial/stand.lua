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
    signs = {}, -- refs that let them end, by recorded pid
    bodies = {}, -- what they run, by new pid
    order = {}, -- recorded pids
  }, stands)
end

-- A stand-in waits for its sign. What interrupts it was meant for another, and
-- a kill has to wait until the other's time: it may have had closers. It ends
-- at once then, as the other did when it was its turn.
local function body(sign, replay)
  local told, kind, values = false, nil, nil
  local function listen()
    while not told and not replay.difference do
      told, kind, values = pcall(core.wait, sign)
    end
  end
  local _ <close> = setmetatable({}, { __close = listen })
  inside.urgent(replay.sim, core.self())
  listen()
  if kind == "FAIL" then
    error(values, 0)
  end
  values = values or { n = 0 }
  return table.unpack(values, 1, values.n)
end

-- stands:put(recorded, pid [, imitated])
-- Process pid is to stand in for the recorded one; its START is its own, unless
-- that is imitated, too.
function stands:put(recorded, pid, imitated)
  local own, replay = self.replay.family, self.replay
  local sign = core.ref(own.sim)
  self.signs[recorded] = sign
  self.order[#self.order + 1] = recorded
  own.signs[sign] = true
  own.roles[pid] = { imitated = imitated or false, left = false }
  inside.stands(own.sim, pid)
  self.bodies[pid] = function()
    return body(sign, replay)
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

-- stands:release(recorded, kind, values)
-- The process that the stand-in is for has ended so.
function stands:release(recorded, kind, values)
  local sign = self.signs[recorded]
  local own, pid = self.replay.family, self.replay.map:leaf(recorded)
  if sign then
    self.signs[recorded] = nil
    inside.sign(own.sim, pid, sign, kind, values)
  end
end

-- stands:leave(results)
-- The record is over: those whose end it does not have end now.
function stands:leave(results)
  local own = self.replay.family
  for _, recorded in ipairs(self.order) do
    if self.signs[recorded] then
      local pid = self.replay.map:leaf(recorded)
      if own.roles[pid] then
        own.roles[pid].left = true
      end
      self:release(recorded, "STOP", results[recorded])
    end
  end
end

return m
