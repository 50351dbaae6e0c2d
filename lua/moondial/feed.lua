-- Feeding: what no process that runs brings about comes from the record. That
-- is what came from outside, and what those did that are not run again.
local inside = require "moondial.inside"

local m = {}

local feeder = {}
feeder.__index = feeder

-- new(replay) -> feeder
function m.new(replay)
  return setmetatable({
    replay = replay,
    awaited = nil, -- the signal whose time has to come
    due = false, -- it has
    prompted = nil, -- a signal that a process has been made to emit
  }, feeder)
end

-- -- what is fed ------------------------------------------------------------

-- Signals that no process brings about which runs.
function feeder:is_fed(r)
  local rec = self.replay.record
  if rec.skipped[r.pid] then
    local role = self.replay.family.roles[self.replay.map:leaf(r.pid)]
    return r.kind ~= "START" or role == nil or role.imitated
  elseif r.kind == "RECEIVE" or r.kind == "DROP" then
    return self.replay.using[self.replay.map:leaf(r.pid)] ~= nil
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
  if
    not r
    or not self.replay:at(r.time, self.replay.sim:now())
    or not self:is_fed(r)
  then
    return false
  elseif r.kind == "RECEIVE" or r.kind == "DROP" then
    return true
  end
  return self.replay.record.skipped[r.pid] and struck[r.kind] ~= nil
end

-- -- when -------------------------------------------------------------------

-- feeder:await(r)
-- If r, the record's next signal, is to be fed, it is when its time has come:
-- as soon as the family has had as many turns as it had, or else behind all
-- that is due then.
function feeder:await(r)
  if not self:is_fed(r) then
    self.awaited = nil
    return
  end
  self.awaited, self.due = r, false
  local sim = self.replay.sim
  local time = math.max(r.time + self.replay.offset, sim:now())
  inside.at(sim, time, function()
    if self.awaited ~= r then
      return
    end
    self.due = true
    self:look()
    self:lag(r)
  end)
end

-- Feeds r behind what is due at this instant, if it is not fed by then; as long
-- as the family goes on at this instant, it waits.
function feeder:lag(r)
  local sim, turns = self.replay.sim, inside.turns(self.replay.family.turns)
  if self.awaited == r then
    inside.at(sim, sim:now(), function()
      local goes_on = inside.turns(self.replay.family.turns) > turns
      if goes_on and sim:peek() == sim:now() then
        return self:lag(r)
      end
      self:look(r)
    end, true)
  end
end

-- How many turns the family had between the signal before r and r, which comes
-- from outside. Turns of processes that are not run do not come again.
function feeder:turns_before(r)
  local rec, before =
    self.replay.record, self.replay.record.list[self.replay.next - 1]
  local own = rec.skipped[r.pid] or rec.members[r.from] or rec.members[r.by]
  if own or not before or not before.turn or not r.turn then
    return 0
  end
  return r.turn - before.turn
end

-- Feeds what is due; `late` is fed in any case, if it still waits.
function feeder:look(late)
  local r = self.awaited
  if self.replay.difference or not self.due or not r then
    return
  end
  local turns = inside.turns(self.replay.family.turns) - self.replay.turned
  if r == late or turns >= self:turns_before(r) then
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
  if self.using[pid] then
    inside.sign(self.sim, pid, self.using[pid]) -- it looks what is next
  end
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

function feed.DOWN(self, r, pid)
  self.feeder.prompted = r
  inside.wake(self.sim, pid)
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
  self.stands_in:release(r.pid, r.kind, self.map:translate(result))
  self:take(r, self:translate(r))
end

imitate.STOP = finish
imitate.FAIL = finish

function feeder:feed(r)
  self.awaited, self.due = nil, false
  local pid = self.replay.map:leaf(r.pid)
  local acts = self.replay.record.skipped[r.pid] and imitate or feed
  if acts[r.kind] then
    acts[r.kind](self.replay, r, pid)
  else
    self.replay:take(r, self.replay:translate(r))
  end
end

return m
