-- Families: the processes that a template's instance and its descendants are,
-- and the signals that they emit. The core tells `heard` what a recorded
-- process does; in a replay the same signals are compared with those recorded.
local inside = require "moondial.inside"
local same = require "moondial.same"

local m = {}

-- The family of a process, by pid; of an ended one as long as anybody has the
-- family, which those that live do.
local families = setmetatable({}, { __mode = "v" })
local living = {} -- luacheck: ignore 241 (it only holds them)

-- -- signals ----------------------------------------------------------------

-- Values as they are now: a table may change when it has been sent.
local function list(...)
  local values = table.pack(...)
  for i = 1, values.n do
    if type(values[i]) == "table" then
      return same.copy(values)
    end
  end
  return values
end

local function message(kind, time, pid, ...)
  local values = list(...)
  return {
    kind = kind,
    time = time,
    pid = pid,
    message = values,
    data = values[1],
  }
end

local function bare(kind, time, pid)
  return { kind = kind, time = time, pid = pid }
end

-- A signal of which one field says what it is about.
local function about(field, second)
  return function(kind, time, pid, value, other)
    local s = bare(kind, time, pid)
    value = type(value) == "table" and same.copy(value) or value
    s[field], s.data = value, value
    if second then
      s[second] = other
    end
    return s
  end
end

-- How the signal of each kind is made of what is told.
local make = {
  SPAWN = about("child", "forward"),
  JOIN = about "child",
  RECEIVE = message,
  DROP = message,
  RETURN = message,
  FAIL = about "error",
  TIMEOUT = bare,
  DOWN = bare,
  INTERRUPT = about("cause", "by"),
  KILL = about("reason", "by"),
}

-- What a process begins as is in the model; what it becomes only here.
function make.START(kind, time, pid, _, ...)
  local s = bare(kind, time, pid)
  s.args, s.inbox = list(...), inside.capacity(families[pid].sim, pid)
  s.data = s.args[1]
  return s
end

function make.TRANSITION(kind, time, pid, fn, ...)
  local s = bare(kind, time, pid)
  s.fn, s.args = fn, list(...)
  s.data = s.args[1]
  return s
end

function make.SEND(kind, time, pid, to, at, ...)
  local s = message(kind, time, pid, ...)
  s.to, s.at = to, at
  return s
end

function make.CALL(kind, time, pid, at)
  local s = bare(kind, time, pid)
  s.at, s.data = at, at
  return s
end

function make.BACKOFF(kind, time, pid, to, ...)
  local s = message(kind, time, pid, ...)
  s.to = to
  return s
end

function make.ARRIVE(kind, time, pid, from, ...)
  local s = message(kind, time, pid, ...)
  s.from = from
  return s
end

local function with_result(kind, time, pid, ...)
  local s = bare(kind, time, pid)
  s.result = list(...)
  s.data = s.result[1]
  return s
end

make.STOP = with_result

function make.USE(kind, time, pid, err, ...)
  local s = with_result(kind, time, pid, ...)
  s.error = err
  return s
end

-- -- families ---------------------------------------------------------------

local family = {}
family.__index = family

-- family:emit(signal)
-- Adds a signal to what pull gives. One that comes from a record has its number
-- and turn already, and whose turns there were before it.
function family:emit(signal)
  local turns = inside.turns(self.turns)
  local since = inside.since(self.sim, signal.pid, self.turns)
  if signal.seq then
    self.before = signal.turn - turns
  else
    signal.turn, signal.turns = turns + self.before, since
  end
  inside.keep(self.turns, signal)
end

-- family:enter(pid)
-- A process is of the family from now on.
function family:enter(pid)
  families[pid], living[pid] = self, self
  self.members[pid] = true
end

-- family:is_foreign(signal) -> boolean: it comes from outside.
function family:is_foreign(signal)
  local kind, from = signal.kind, signal.from
  if kind == "ARRIVE" then
    local ended = self.replay and self.replay:has_ended(from)
    return not self.members[from] and not ended
  end
  return (kind == "INTERRUPT" or kind == "KILL") and not self.members[signal.by]
end

-- What is no signal, but a question that only a replay answers.
local questions = { REACH = true, ASK = true, LEAVE = true }

local about_mail = { RECEIVE = true, RETURN = true, DROP = true }

-- family:silent(pid, kind, ...) -> boolean, answer
-- Whether what is told is no signal.
function family:silent(pid, kind, ...)
  local role = self.roles[pid]
  if role then -- it stands in for another
    local over = kind == "STOP" or kind == "FAIL"
    if over then
      self.roles[pid] = nil
    elseif kind == "START" then
      return role.imitated
    end
    return not (over and role.left)
  elseif self.feeding and (kind == "INTERRUPT" or kind == "KILL") then
    return true -- a replay has emitted it
  end
  return about_mail[kind] and self.signs[...] ~= nil
end

-- The core calls it: process `pid` does something of that kind. The answer is,
-- of START the function to run in its place; of SPAWN the family in C; of
-- others whether they are to be kept back.
local function heard(pid, time, kind, ...)
  local own = families[pid]
  if not own then
    return nil
  elseif kind == "SPAWN" then
    own:enter((...))
  elseif kind == "STOP" or kind == "FAIL" then
    living[pid] = nil
  elseif kind == "LEAVE" then
    inside.timed(own.sim, pid, own.turns)
  end
  local replay = own.replay
  local answer = false
  if own:silent(pid, kind, ...) then
    return false
  elseif replay then
    answer = replay:hear(pid, time, kind, ...)
  elseif not questions[kind] then
    own:emit(make[kind](kind, time, pid, ...))
  end
  return answer or kind == "SPAWN" and own.turns
end

inside.recorder(heard)

-- tell(family, pid, kind, ...)
-- Tells of something that the core does not know of.
function m.tell(own, pid, kind, ...)
  return heard(pid, own.sim:now(), kind, ...)
end

-- signal(kind, time, pid, ...) -> signal
function m.signal(kind, time, pid, ...)
  return make[kind](kind, time, pid, ...)
end

-- new(sim, pid, template) -> family
-- That of the process pid, which is its root.
function m.new(sim, pid, template)
  local self = setmetatable({
    sim = sim,
    root = pid,
    template = template,
    members = {}, -- pids, of ended ones too
    roles = {}, -- of those that stand in for others, by pid
    uses = {}, -- those that are in md.use
    seq = 0, -- of the last signal that pull gave
    signs = {}, -- refs by which a replay tells a process something
    before = 0, -- turns that it had in a record, and not here
    log = {}, -- what pull has begun to give
    at = 1, -- and how far it is
  }, family)
  self.turns = inside.record(sim, pid)
  self:enter(pid)
  return self
end

-- of(pid) -> family or nil
function m.of(pid)
  return families[pid]
end

-- family:read() -> signal or nil
-- The next of the log. What is kept in it as values becomes a signal here.
function family:read()
  local log, at = self.log, self.at
  local kind = log[at]
  if type(kind) ~= "string" then
    log[at], self.at = nil, at + 1
    return kind
  end
  local last = at + 5 + log[at + 5]
  for i = at + 3, last do
    if log[i] == inside.nothing then
      log[i] = nil
    end
  end
  local signal =
    make[kind](kind, log[at + 1], log[at + 4], table.unpack(log, at + 6, last))
  signal.turn, signal.turns = log[at + 2] + self.before, log[at + 3]
  self.at = last + 1
  return signal
end

-- pull(family) -> iterator
-- The signals since the last one; what it gave is forgotten.
function m.pull(self)
  return function()
    local signal = self:read()
    if not signal then
      self.log, self.at = inside.log(self.turns), 1
      signal = self:read()
    end
    if signal then
      self.seq = signal.seq or self.seq + 1
      signal.seq = self.seq
    end
    return signal
  end
end

return m
