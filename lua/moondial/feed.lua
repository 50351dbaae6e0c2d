-- Feeding: what no process that runs brings about comes from the record. That
-- is what came from outside, and what those did that are not run again.
local inside = require "moondial.inside"
local record = require "moondial.record"
local turns = require "moondial.turns"

local m = {}

local feeder = {}
feeder.__index = feeder

-- new(replay) -> feeder
function m.new(replay)
  return setmetatable({
    replay = replay,
    turns = turns.new(replay),
    prompted = nil, -- the USE that a process has been made to emit
    asked = {}, -- the last question of each process, by its recorded pid
    questions = 0, -- how many there were
    ending = nil, -- a stand-in that has been told to end
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
    local question = self.asked[r.pid]
    return question ~= nil and not question.over
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
  if not r or not self.turns:has_come(r.time) or not self:is_fed(r) then
    return false
  elseif r.kind == "RECEIVE" or r.kind == "DROP" then
    return true
  end
  return self.replay.record.skipped[r.pid] and struck[r.kind] ~= nil
end

-- -- when -------------------------------------------------------------------

-- feeder:await()
-- The record has another next signal.
function feeder:await()
  local replay = self.replay
  local r = replay.record.list[replay.next]
  self.turns:await(replay.next, self:is_fed(r))
end

-- Whether something else has to come before the record's next signal.
function feeder:is_early(r)
  if self.ending and not inside.ended(self.replay.sim, self.ending) then
    return true
  end
  self.ending = nil
  return self.turns:are_to_come() or self.turns:is_early(r.time)
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

-- feeder:note(r): a signal of the record that has come.
function feeder:note(r)
  if record.asks(r) then
    local own = self.replay.record.members[r.to]
    local question = { pid = r.pid, to = r.to, number = self.questions }
    self.asked[r.pid] = not own and question or nil
    self.questions = self.questions + 1
  end
end

-- Those who bring about a signal themselves, but do not know when. All who had
-- asked one that has ended were woken then, in the order in which they asked.
function feed.DOWN(self, r, pid)
  local list, whom = {}, self.feeder.asked[r.pid].to
  for _, question in pairs(self.feeder.asked) do -- in any order
    if question.to == whom and not question.over then
      list[#list + 1] = question
    end
  end
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  for _, question in ipairs(list) do
    question.over = true
    inside.wake(self.sim, self.map:leaf(question.pid))
  end
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
