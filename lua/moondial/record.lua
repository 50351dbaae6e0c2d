-- A record that is to be replayed: the signals of a family, read through the
-- host's iterators, in order; and which of its processes are not run again.
local argument = require "moondial.argument"

local m = {}

local record = {}
record.__index = record

-- What a signal must have.
local function check(r, call)
  local fit = type(r) == "table"
    and type(r.kind) == "string"
    and math.type(r.seq) == "integer"
    and type(r.time) == "number"
    and r.pid ~= nil
  argument.expect(call, fit, "a signal, {kind=, seq=, time=, pid=, ...}", r)
end

local function iterate(options, pid)
  local iterator, state, control = options.signals(pid)
  local callable = type(iterator) == "function"
    or (getmetatable(iterator) or {}).__call ~= nil
  argument.expect("replay", callable, "an iterator from signals(pid)", iterator)
  return iterator, state, control
end

-- What the result of a process or of a use is known to be: as the host says, or
-- the record itself.
local function known_result(options, r)
  local answer = options.results and table.pack(options.results(r))
  if answer and answer[1] then
    return table.pack(table.unpack(answer, 2, answer.n))
  end
  return r.result
end

-- record:result(signal) -> list or nil
function record:result(r)
  return known_result(self.options, r)
end

function record:add(r)
  self.by_seq[r.seq] = r
  self.list[#self.list + 1] = r
  if r.kind == "START" then
    self.results[r.pid] = known_result(self.options, r)
    self.compacted[r.pid] = r.result ~= nil
    self.bounded[r.pid] = r.inbox ~= nil
  elseif r.kind == "SPAWN" then
    self.members[r.child] = true
    self.order[#self.order + 1] = r.child
    table.insert(self.children[r.pid], r.child)
  elseif r.kind == "STOP" or r.kind == "FAIL" then
    self.ended[r.pid] = r.time
  elseif r.at then
    local before = self.pending[r.pid] or r.at
    self.pending[r.pid] = math.max(before, r.at)
  end
end

-- Reads what the host has of process `pid`; of the root without it.
function record:read(pid)
  for r in iterate(self.options, pid) do
    check(r, self.call)
    if pid == nil then
      pid, self.root = r.pid, r.pid
      self.members[pid] = true
    end
    self.children[pid] = self.children[pid] or {}
    if r.pid == pid and not self.by_seq[r.seq] then
      self:add(r)
    end
  end
end

-- record:is_under_way(pid) -> boolean
-- Whether something that a process has sent for later is still to come; or
-- whether it has ended in the last instant, in which something comes of which
-- it is not known if that was before: a process that is run again tells.
function record:is_under_way(pid)
  local last = self.list[#self.list].time
  if self.pending[pid] and self.pending[pid] >= last then
    return true
  end
  return self.brink and self.ended[pid] == last
end

-- Whether a process and all that it has spawned are done with: they have ended,
-- or are known to, and nothing that they sent is still under way. It is not to
-- be asked again of one of which a compacted record has no more.
function record:is_over(pid)
  if self.compacted[pid] then
    return true
  elseif
    not (self.ended[pid] or self.results[pid]) or self:is_under_way(pid)
  then
    return false
  end
  for _, child in ipairs(self.children[pid] or {}) do
    if not self:is_over(child) then
      return false
    end
  end
  return true
end

-- A process that is done with and whose result is known is not run again, nor
-- is what it has spawned.
function record:skip(pid, with_parent)
  local rolled_up = pid == self.root and self.transition
  local known = self.results[pid] ~= nil and not rolled_up
  local skipped = with_parent or known and self:is_over(pid)
  self.skipped[pid] = skipped or nil
  for _, child in ipairs(self.children[pid] or {}) do
    self:skip(child, skipped)
  end
end

-- asks(signal) -> boolean
-- Whether it is a question: (method, pid, ref, ...), sent at once.
function m.asks(r)
  local ref = r.kind == "SEND" and r.at == nil and r.message[3]
  return type(ref) == "userdata" and ref.kind == "ref" and r.message[2] == r.pid
end

-- record:questions() -> list
-- The last question of each process, in the order of these.
function record:questions()
  local last, list = {}, {}
  for _, r in ipairs(self.list) do
    last[r.pid] = m.asks(r) and r or last[r.pid]
  end
  for _, r in ipairs(self.list) do
    list[#list + 1] = last[r.pid] == r and r or nil
  end
  return list
end

-- Whether something was sent for the time of the last signal.
function record:comes_last()
  for _, r in ipairs(self.list) do
    if r.at == self.list[#self.list].time then
      return true
    end
  end
  return false
end

-- The time at which the root begins: a record that was rolled up begins with
-- what had come before.
function record:begins()
  local first = self.list[1]
  for _, r in ipairs(self.list) do
    if r.kind == "START" or r.kind == "TRANSITION" then
      self.transition = r.kind == "TRANSITION" and r or nil
      return r.time
    end
  end
  return first and first.time
end

-- record:made_with() -> list or nil
-- What the instance was made with.
function record:made_with()
  for _, r in ipairs(self.list) do
    if r.kind == "START" and r.pid == self.root then
      return r.args
    end
  end
  return self.transition and self.transition.start
end

-- record:know_ended()
-- Takes the result of each process that has returned for known.
function record:know_ended()
  for _, r in ipairs(self.list) do
    if r.kind == "STOP" then
      self.results[r.pid] = self.results[r.pid] or r.result or { n = 0 }
    end
  end
  if self.root then
    self:skip(self.root, false)
  end
end

-- record:is_live(pid) -> boolean: of the family, and run again.
function record:is_live(pid)
  return pid ~= nil and self.members[pid] and not self.skipped[pid]
end

-- record:is_shuffled() -> boolean
-- Whether the tie rule was "random": only then turns have times.
function record:is_shuffled()
  for _, r in ipairs(self.list) do
    if r.turns and type(r.turns[1]) == "number" then
      return true
    end
  end
  return false
end

local none = {}

-- record:turns_before(i) -> list
-- Whose turns there were since the signal before the i-th, each {pid=, timed=,
-- number=, time=}: at its instant, unless a time says another for those that
-- follow. If it has no list, there was none when the number of turns is the
-- same, or else that of its process.
function record:turns_before(i)
  local r, before = self.list[i], self.list[i - 1]
  local list, time = {}, r.time
  if not r.turns and (r.turn == nil or before and before.turn == r.turn) then
    return none
  elseif not r.turns then
    return { { pid = r.pid, timed = false, time = time } }
  end
  for _, x in ipairs(r.turns) do
    if type(x) == "number" then
      time = x
    elseif type(x) == "table" then
      local pid, number = x[1], x[2]
      list[#list + 1] =
        { pid = pid, timed = true, number = number, time = time }
    else
      list[#list + 1] = { pid = x, timed = false, time = time }
    end
  end
  return list
end

-- record:comes(signal) -> boolean
-- Whether a message comes by itself. The end of a stand-in is told to whom
-- monitors it, or tries to link with it too late; of a link, it is not known
-- who made it. So is that of one that had ended before what was rolled up.
function record:comes(r)
  local message, n, rolled_up = r.message, r.message.n, self.transition
  local down, exit = message[1] == "down", message[1] == "exit"
  local late = message[n] == "noproc" and message[n - 1] == r.from
  if self.skipped[r.from] then
    return down or exit and late
  elseif rolled_up and r.seq > rolled_up.seq and not self.members[r.from] then
    return late and (down or exit)
  end
  return false
end

-- read(options, call) -> record
function m.read(options, call)
  local self = setmetatable({
    options = options,
    call = call,
    list = {},
    by_seq = {},
    members = {}, -- pids that are of the family
    children = {},
    order = {}, -- children's pids, in the order in which they were read
    results = {}, -- of those that are known to have ended
    compacted = {}, -- those whose results the record itself has
    ended = {}, -- when
    pending = {}, -- when the last comes of what a process sent for later
    skipped = {}, -- those that are not run again
    bounded = {}, -- those whose inbox can be full
  }, record)
  self:read(nil)
  for _, child in ipairs(self.order) do -- grows as it goes
    self:read(child)
  end
  table.sort(self.list, function(a, b)
    return a.seq < b.seq
  end)
  self.start, self.brink = self:begins(), self:comes_last()
  if self.root then
    self:skip(self.root, false)
  end
  return self
end

return m
