-- Replay: an instance is executed again against its recorded signals. What came
-- from outside of the family is fed where the record has it; what the family
-- sends to the outside is kept back. A process whose result is known does not
-- run: a stand-in waits in its place while its recorded signals are emitted.
local core = require "moondial.core"
local argument = require "moondial.argument"
local difference = require "moondial.difference"
local driver = require "moondial.driver"
local family = require "moondial.family"
local feed = require "moondial.feed"
local inside = require "moondial.inside"
local record = require "moondial.record"
local same = require "moondial.same"
local stand = require "moondial.stand"

local m = {}

local replay = {}
replay.__index = replay

-- -- differences ------------------------------------------------------------

-- The first difference ends the run; drive() raises it.
function replay:differ(format, ...)
  if not self.difference then
    self.difference = format:format(...)
    if inside.running(self.sim) then
      self.sim:stop()
    end
  end
end

-- Whether a recorded time is this one.
function replay:at(recorded, time)
  return math.abs(recorded + self.offset - time) <= self.tick / 2
end

-- replay:has_ended(pid) -> boolean
-- It may have been of the family, before all that a record has which was rolled
-- up.
function replay:has_ended(pid)
  return self.record.transition ~= nil and self.map:is_nobody(pid)
end

-- -- meeting the record -----------------------------------------------------

-- What is asked, and is no signal: whether a process of the family reaches one
-- outside of it, whether it asks one that has ended but had not when it was
-- recorded, whether what it sent for later leaves the family.
local questions = {}

function questions.REACH(self, own, pid, call)
  if type(pid) == "string" then
    pid = core.whereis(self.sim, pid)
  end
  if self.family.members[pid] or self:has_ended(pid) then
    return false
  end
  local format = "%s does %s to %s, which is outside and not on record; "
    .. "md.use(md.%s, ...) keeps what comes of it"
  self:differ(format, tostring(own), call, tostring(pid), call)
  return true
end

function questions.ASK(self, asker, pid)
  local r = self.feeder:pass()
  return not self.family.members[pid]
    and r ~= nil
    and r.kind == "SEND"
    and self.map:leaf(r.pid) == asker
    and self.map:same(r.to, pid)
    and self.map:leaf(r.message[2]) == asker
end

function questions.LEAVE(self, _, pid)
  return not self.family.members[pid]
end

-- A process of the family does something, see family.lua.
function replay:hear(pid, time, kind, ...)
  if self.difference then
    return kind == "SEND" or kind == "LEAVE"
  elseif questions[kind] then
    return questions[kind](self, pid, ...)
  elseif self.using[pid] and (kind == "RECEIVE" or kind == "DROP") then
    return nil -- it is fed
  end
  local s = family.signal(kind, time, pid, ...)
  if self.family:is_foreign(s) then
    return self:differ(
      "something came from outside while it went on: %s",
      difference.text(s)
    )
  end
  return self:meet(s)
end

-- A signal of a process that runs: it must be the record's next one.
function replay:meet(s)
  local r = self.feeder:pass()
  if not r then -- what was passed was the last
    return self.family:emit(s)
  end
  if r.kind == "SPAWN" and s.kind == "SPAWN" then
    self:spawned(r, s)
  elseif s.kind == "START" and r == self.record.transition then
    s = self:translate(r) -- the root begins as what it had become
  end
  local why = difference.between(self, r, s)
  if why then
    return self:differ("%s", why)
  end
  self:take(r, s)
  if s.kind == "START" then
    return self.stands_in.bodies[s.pid]
  end
  return s.kind == "SEND" and not self.family.members[s.to]
end

-- A child has been spawned: its recorded pid stands for the new one from now
-- on, and if it is not run again it gets a stand-in.
function replay:spawned(r, s)
  self.map:bind(r.child, s.child)
  self.processes[#self.processes + 1] = s.child
  if self.record.skipped[r.child] then
    self.stands_in:put(r.child, s.child)
  end
end

-- The recorded signal as one of this execution, now.
function replay:translate(r)
  local s = self.map:translate(r)
  local before = r.time < self.record.start -- rolled up
  s.time = before and r.time + self.offset or self.sim:now()
  s.at = r.at and r.at + self.offset
  return s
end

-- Whose turns there were, and at which times, if those are not the signal's.
function replay:translate_turns(turns)
  local list = self.map:translate(turns)
  for i, x in ipairs(list or {}) do
    list[i] = type(x) == "number" and x + self.offset or x
  end
  return list
end

-- The next signal is done with; on to the one after it.
function replay:take(r, s)
  self.failed = self.failed or s.kind == "FAIL"
  s.seq, s.turn, s.turns = r.seq, r.turn or 0, self:translate_turns(r.turns)
  self.family:emit(s)
  self.feeder:note(r)
  self.next = self.next + 1
  self:advance()
end

-- Waits for the next signal, if it has to be fed; if there is none, all that is
-- to come is live.
function replay:advance()
  if self.record.list[self.next] then
    self.feeder:await()
  else
    self.family.replay = nil
    driver.heed(self)
  end
end

-- -- beginning --------------------------------------------------------------

-- A record that was rolled up has still what its instance was made with, where
-- processes of the outside may be named that are others now.
function replay:bind_outside(args)
  local r = self.record.transition
  if r and r.start and not self.map:same(r.start, args) then
    self:differ(
      "signal %d is of an instance that was made with other arguments",
      r.seq
    )
  end
end

-- Those that had ended before a record that was rolled up are nobody here, but
-- can be joined.
function replay:recall_ended()
  local r = self.record.transition
  for _, ended in ipairs(r and r.ended or {}) do
    local pid = self.map:leaf(ended.pid)
    if ended.result then
      local result = self.map:translate(ended.result)
      inside.left(self.sim, pid, true, table.unpack(result, 1, result.n))
    else
      inside.left(self.sim, pid, false, self.map:translate(ended.error))
    end
  end
end

-- The root begins as it did or, in a record that was rolled up, as what it had
-- become before everything that the record has.
function replay:begin(pid, args)
  local rec = self.record
  self.processes[1] = pid
  if rec.root then
    self.map:bind(rec.root, pid)
    if rec.skipped[rec.root] then
      self.stands_in:put(rec.root, pid)
    end
  end
  self:bind_outside(args)
  self:recall_ended()
  self.offset = self.sim:now() - (rec.start or 0)
  self.tick = 10.0 ^ -self.sim:precision()
  self.family.replay = self
  inside.loud(self.family.turns, true)
  self:advance()
end

local function new(it, rec)
  local self = setmetatable({
    sim = it.sim,
    family = it.family,
    record = rec,
    next = 1, -- of the record's list
    map = same.new(it.sim),
    processes = {}, -- pids, in order
    using = {}, -- the sign for each process that is in md.use, by pid
  }, replay)
  self.stands_in, self.feeder = stand.new(self), feed.new(self)
  return self
end

-- run(instance's state, options, spawn)
-- Replays; the instance has been started when it returns.
function m.run(it, options, spawn)
  local rec, self = record.read(options, "replay"), nil
  if rec.transition then
    local what = "a function as the fn of signal " .. rec.transition.seq
    local fn = rec.transition.fn
    argument.expect("replay", type(fn) == "function", what, fn)
  end
  local body = it.template.entrypoint
  if rec.transition then
    body = function()
      local args = self.map:translate(rec.transition.args)
      return rec.transition.fn(table.unpack(args, 1, args.n))
    end
  end
  local pid = spawn(it, body, table.unpack(it.args, 1, it.args.n))
  self = new(it, rec)
  self:begin(pid, it.args)
  driver.drive(self)
end

return m
