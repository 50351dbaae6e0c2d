-- Feeding: what no process that runs brings about comes from the record. That
-- is what came from outside, and what those did that are not run again. And
-- whose turn it is: those who had theirs before the record's next signal, at
-- its instant, have it in that order again, whatever the tie rule is.
local inside = require "moondial.inside"

local m = {}

local feeder = {}
feeder.__index = feeder

-- new(replay) -> feeder
function m.new(replay)
  return setmetatable({
    replay = replay,
    before = {}, -- whose turns come before the record's next signal
    had = 0, -- how many of these there have been
    turned = 0, -- turns of the family when it was looked at last
    prompted = nil, -- a signal that a process has been made to emit
    ending = nil, -- a stand-in that has been told to end
    alarm = nil, -- the signal for whose time there is one
  }, feeder)
end

-- -- what is fed ------------------------------------------------------------

-- Signals that no process brings about which runs.
function feeder:is_fed(r)
  local rec = self.replay.record
  local pid = self.replay.map:leaf(r.pid)
  if rec.skipped[r.pid] then
    local role = self.replay.family.roles[pid]
    return r.kind ~= "START" or role == nil or role.imitated
  elseif r.kind == "RECEIVE" or r.kind == "DROP" then
    return self.replay.using[pid] ~= nil
  elseif r.kind == "USE" then
    return self.prompted ~= r and self.replay.using[pid] ~= nil
  elseif r.kind == "ARRIVE" then
    return not rec:is_live(r.from) and not rec:comes(r)
  elseif r.kind == "INTERRUPT" or r.kind == "KILL" then
    return not rec:is_live(r.by)
  elseif r.kind == "DOWN" then
    return self.prompted ~= r and not rec.members[rec.asked[r]]
  end
  return r.kind == "BACKOFF" and r.to == nil
end

-- feeder:pass() -> signal or nil: the record's next.
-- Signals of others that can come in the middle of a turn of a process that
-- runs are fed when they are passed.
function feeder:pass()
  local list = self.replay.record.list
  while self:is_passed(list[self.replay.next]) do
    self:feed(list[self.replay.next])
  end
  return list[self.replay.next]
end

-- What others do to a process that is not run, or to one in md.use.
local struck = { ARRIVE = true, RETURN = true, INTERRUPT = true, KILL = true }

function feeder:is_passed(r)
  if not r or not self:is_reached(r) or not self:is_fed(r) then
    return false
  elseif r.kind == "RECEIVE" or r.kind == "DROP" then
    return true
  end
  return self.replay.record.skipped[r.pid] and struck[r.kind] ~= nil
end

-- -- when -------------------------------------------------------------------

local function nothing() end

function feeder:is_reached(r)
  return self:has_come(r.time)
end

function feeder:has_come(time)
  local now = self.replay.sim:now()
  return time + self.replay.offset < now or self.replay:at(time, now)
end

-- Whose turns come before signal r, by the record: of those who run again. One
-- that stands in begins by itself; what is prompted has its turn only then.
function feeder:turns_before(i, r)
  local rec, list = self.replay.record, {}
  for _, turn in ipairs(rec:turns_before(i)) do
    if rec:is_live(turn.pid) then
      list[#list + 1] = turn
    end
  end
  local last = list[#list]
  if r.kind == "START" and rec.skipped[r.pid] and not self:is_fed(r) then
    list[#list + 1] = { pid = r.pid, time = r.time }
  elseif r.kind == "DOWN" and last and self:is_fed(r) then
    local own = last.pid == r.pid and not last.timed
    list[#list] = not own and last or nil
  end
  return list
end

-- feeder:await(i)
-- The record's next signal is its i-th.
function feeder:await(i)
  local r = self.replay.record.list[i]
  self.before, self.had = self:turns_before(i, r), 0
  self.turned = inside.turns(self.replay.family.turns)
  self:ring((self.before[1] or r).time)
end

-- It is looked as soon as that time has come.
function feeder:ring(time)
  if self.alarm ~= time and not self:has_come(time) then
    self.alarm = time
    inside.at(self.replay.sim, time + self.replay.offset, nothing)
  end
end

-- Whether the turn that there was since the last look is the one that was to
-- come.
function feeder:was_turn_of(turn, turned)
  local family, sim = self.replay.family, self.replay.sim
  if turned == self.turned then
    return false
  end
  local last, timed = inside.last(sim, family.turns)
  return last == self.replay.map:leaf(turn.pid) and timed == turn.timed
end

-- Whether turns have to come before the record's next signal: that which is the
-- next to come does. Whose turn was to be there and is not, as when a message
-- has brought it about that is left out of the record, is passed over.
function feeder:has_turns()
  local sim, map = self.replay.sim, self.replay.map
  local turned = inside.turns(self.replay.family.turns)
  local turn = self.before[self.had + 1]
  if turn and self:has_come(turn.time) and self:was_turn_of(turn, turned) then
    self.had = self.had + 1
  end
  self.turned = turned
  while self.had < #self.before do
    turn = self.before[self.had + 1]
    local pid, timed, number = map:leaf(turn.pid), turn.timed, turn.number
    if not self:has_come(turn.time) then
      self:ring(turn.time)
      return true
    elseif inside.hasten(sim, pid, sim:now(), timed, number) then
      return true
    end
    self.had = self.had + 1
  end
  return false
end

-- Whether something else has to come before the record's next signal.
function feeder:is_early(r)
  if self.ending and not inside.ended(self.replay.sim, self.ending) then
    return true
  end
  self.ending = nil
  if self:has_turns() then
    return true
  end
  self:ring(r.time)
  return not self:is_reached(r)
end

-- feeder:look()
-- Between two events: feeds what is due, and sees to whose turn is next. That
-- of one which ends in md.use is not on record.
function feeder:look()
  local replay = self.replay
  while replay.family.replay == replay and not replay.difference do
    local r = replay.record.list[replay.next]
    if not r or self:is_early(r) then
      return
    elseif not self:is_fed(r) then
      local pid = replay.map:leaf(r.pid)
      if replay.using[pid] then
        inside.hasten(replay.sim, pid, replay.sim:now())
      end
      return
    end
    self:feed(r)
  end
end

-- -- how --------------------------------------------------------------------

-- What feeding a signal does, by its kind, to a process that is run. In md.use
-- its messages are taken for it.
local feed = {}

local function take_message(self, r, pid)
  self:take(r, self:translate(r))
  inside.take(self.sim, pid, function(...)
    return self.map:same(r.message, table.pack(...))
  end)
end

feed.RECEIVE = take_message
feed.DROP = take_message

function feed.ARRIVE(self, r, pid)
  local message = self.map:translate(r.message)
  self:take(r, self:translate(r))
  inside.deliver(self.sim, pid, table.unpack(message, 1, message.n))
end

local function strike(self, r, method, pid, reason)
  local own = self.family
  self:take(r, self:translate(r))
  own.feeding = true
  self.sim[method](self.sim, pid, self.map:translate(reason))
  own.feeding = false
end

function feed.INTERRUPT(self, r, pid)
  strike(self, r, "interrupt", pid, r.cause)
end

function feed.KILL(self, r, pid)
  strike(self, r, "kill", pid, r.reason)
end

-- Those who bring about a signal themselves, but do not know when.
function feed.DOWN(self, r, pid)
  self.feeder.prompted = r
  inside.wake(self.sim, pid)
  inside.hasten(self.sim, pid, self.sim:now())
end

function feed.USE(self, r, pid)
  self.feeder.prompted = r
  inside.sign(self.sim, pid, self.using[pid])
end

-- And to one that is not.
local imitate = {}

imitate.RECEIVE = take_message
imitate.DROP = take_message

function imitate.SPAWN(self, r)
  local pid = self.stands_in:spawn(r.child)
  self.map:bind(r.child, pid)
  self.processes[#self.processes + 1] = pid
  self:take(r, self:translate(r))
end

function imitate.SEND(self, r)
  local s = self:translate(r)
  self:take(r, s)
  if r.at == nil and self.family.members[s.to] then
    local message = self.map:translate(r.message)
    inside.deliver(self.sim, s.to, table.unpack(message, 1, message.n))
  end
end

function imitate.ARRIVE(self, r, pid)
  if self.record:is_live(r.from) then
    self:take(r, self:translate(r)) -- it comes by itself
  else
    feed.ARRIVE(self, r, pid)
  end
end

function imitate.KILL(self, r, pid)
  if self.record:is_live(r.by) then
    self:take(r, self:translate(r))
  else
    feed.KILL(self, r, pid)
  end
end

local function finish(self, r)
  local result = r.error
  if r.kind == "STOP" then
    result = self.record.results[r.pid] or r.result
  end
  if self.stands_in:release(r.pid, r.kind, self.map:translate(result)) then
    self.feeder.ending = self.map:leaf(r.pid)
  end
  self:take(r, self:translate(r))
end

imitate.STOP = finish
imitate.FAIL = finish

function feeder:feed(r)
  local pid = self.replay.map:leaf(r.pid)
  local acts = self.replay.record.skipped[r.pid] and imitate or feed
  if acts[r.kind] then
    acts[r.kind](self.replay, r, pid)
  else
    self.replay:take(r, self.replay:translate(r))
  end
end

return m
