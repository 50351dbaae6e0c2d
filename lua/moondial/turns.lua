-- Turns: whose it is in a replay. Those who had theirs since the record's last
-- signal have it again in that order, before its next one, whatever the tie
-- rule is and whoever is not run again.
local inside = require "moondial.inside"

local m = {}

local turns = {}
turns.__index = turns

-- new(replay) -> turns
function m.new(replay)
  return setmetatable({
    replay = replay,
    list = {}, -- those before the record's next signal
    had = 0, -- how many of these there have been
    count = 0, -- turns of the family when it was looked at last
    alarm = nil, -- the recorded time at which it is looked in any case
  }, turns)
end

local function nothing() end

-- turns:has_come(time) -> boolean: a recorded one.
function turns:has_come(time)
  local now = self.replay.sim:now()
  return time + self.replay.offset < now or self.replay:at(time, now)
end

-- turns:is_early(time) -> boolean
-- It is; it will be looked again as soon as that time has come.
function turns:is_early(time)
  if self:has_come(time) then
    return false
  elseif self.alarm ~= time then
    self.alarm = time
    inside.at(self.replay.sim, time + self.replay.offset, nothing)
  end
  return true
end

-- Those of the record before its i-th signal, of those who run again. One that
-- stands in begins by itself; what is prompted has its turn only then.
function turns:before(i, is_fed)
  local rec, list = self.replay.record, {}
  local r, all = rec.list[i], rec:turns_before(i)
  if all[1] == nil and r.kind ~= "START" then
    return all
  end
  for _, turn in ipairs(all) do
    if rec:is_live(turn.pid) then
      list[#list + 1] = turn
    end
  end
  local last = list[#list]
  if r.kind == "START" and rec.skipped[r.pid] and not is_fed then
    list[#list + 1] = { pid = r.pid, timed = false, time = r.time }
  elseif r.kind == "DOWN" and last and is_fed then
    local own = last.pid == r.pid and not last.timed
    list[#list] = not own and last or nil
  end
  return list
end

-- turns:await(i, is_fed)
-- The record's next signal is its i-th, which comes from the record or not.
function turns:await(i, is_fed)
  local r = self.replay.record.list[i]
  self.list, self.had = self:before(i, is_fed), 0
  self.count = inside.turns(self.replay.family.turns)
  self:is_early((self.list[1] or r).time)
end

-- Whether the turn that there was since the last look, if there was one, is the
-- one that was to come.
function turns:was(turn)
  local replay = self.replay
  local count = inside.turns(replay.family.turns)
  local same = count == self.count
  self.count = count
  if same or not turn or not self:has_come(turn.time) then
    return false
  end
  local last, timed = inside.last(replay.sim, replay.family.turns)
  return last == replay.map:leaf(turn.pid) and timed == turn.timed
end

-- turns:are_to_come() -> boolean
-- Before the record's next signal; that which is to come does then. One that
-- was to be there and is not is passed over, as when a message has brought it
-- about that is left out of the record.
function turns:are_to_come()
  local sim, map = self.replay.sim, self.replay.map
  if self:was(self.list[self.had + 1]) then
    self.had = self.had + 1
  end
  while self.had < #self.list do
    local turn = self.list[self.had + 1]
    local pid, now = map:leaf(turn.pid), sim:now()
    if
      self:is_early(turn.time)
      or inside.hasten(sim, pid, now, turn.timed, turn.number)
    then
      return true
    end
    self.had = self.had + 1
  end
  return false
end

return m
