-- Replay: an instance is executed again against its recorded signals. What came
-- from outside of the family is fed where the record has it, in a turn of its
-- own before everything that is due then; what the family sends to the outside
-- is kept back. A process whose result is known does not run: a stand-in waits
-- in its place while its recorded signals are emitted.
local core = require "moondial.core"
local argument = require "moondial.argument"
local family = require "moondial.family"
local inside = require "moondial.inside"
local same = require "moondial.same"

local m = {}

local replay = {}
replay.__index = replay

-- Signals that come from outside, and have to be fed.
local function from_outside(r)
  return r.kind == "ARRIVE"
    or (r.kind == "INTERRUPT" or r.kind == "KILL") and not r.by
end

-- -- reading the record ------------------------------------------------------

local function iterate(options, pid)
  local iterator, control, first = options.signals(pid)
  argument.expect(
    "replay",
    iterator ~= nil,
    "an iterator from signals(pid)",
    iterator
  )
  return iterator, control, first
end

-- Whether a process is known to have ended, and how: by `results`, or by what a
-- compacted record says itself.
local function known_result(options, signal)
  if signal.result then
    return signal.result
  end
  local answer = options.results and table.pack(options.results(signal))
  if answer and answer[1] then
    return table.pack(table.unpack(answer, 2, answer.n))
  end
end

-- Reads what the record has of process `recorded`, and of its children; `known`
-- when it belongs to one that is not run again.
function replay:read(recorded, known)
  for r in iterate(self.options, recorded or self.it.pid) do
    recorded = recorded or r.pid
    self.root = self.root or r.pid
    if r.pid == recorded and not self.by_seq[r.seq] then
      self.by_seq[r.seq] = r
      self.list[#self.list + 1] = r
      if r.kind == "START" then
        local result = known_result(self.options, r)
        known = known or result ~= nil
        self.known[recorded] = known
        self.results[recorded] = result
      elseif r.kind == "SPAWN" then
        self.children[#self.children + 1] = { r.child, known }
      end
    end
  end
end

local function load(it, options)
  local self = setmetatable({
    it = it,
    options = options,
    list = {},
    by_seq = {},
    known = {}, -- recorded pids that are not run again
    results = {}, -- and what they returned
    children = {},
    stands = {}, -- what runs in place of a known process, by its new pid
    signs = {}, -- and the ref that lets it end, by its recorded one
    standing = {}, -- those, in order
    ended = {},
    at = 1,
    map = same.new(),
  }, replay)
  self:read(nil, false)
  for _, child in ipairs(self.children) do -- grows as it goes
    self:read(child[1], child[2])
  end
  table.sort(self.list, function(a, b)
    return a.seq < b.seq
  end)
  return self
end

-- -- differences -------------------------------------------------------------

local function text(s)
  local words = {}
  local list = s.message or s.result or s.args or {}
  for i = 1, list.n or 0 do
    words[i] = inside.describe(list[i])
  end
  return ("%s of %s (%s) at time %s"):format(
    s.kind,
    s.pid,
    table.concat(words, ", "),
    s.time
  )
end

-- The first difference ends the run; run() raises it.
function replay:differ(format, ...)
  if not self.difference then
    self.difference = format:format(...)
    self.it.sim:stop()
  end
end

local compared = {
  "child",
  "args",
  "message",
  "result",
  "to",
  "at",
  "reason",
  "cause",
}

function replay:equal(r, s)
  if r.kind ~= s.kind or not self.map:same(r.pid, s.pid) then
    return false
  end
  for _, field in ipairs(compared) do
    if field == "at" then
      if (r.at == nil) ~= (s.at == nil) then
        return false
      end
    elseif
      not (r.kind == "USE" and field == "result") -- that is an answer
      and not self.map:same(r[field], s[field])
    then
      return false
    end
  end
  return math.abs(r.time + self.offset - s.time) <= self.tick / 2
end

-- -- meeting the record ------------------------------------------------------

-- A process of the family emits a signal: it must be the record's next one.
-- Returns what the core asks for, see family.lua.
function replay:meet(s)
  local r = self.list[self.at]
  if not r or self.difference then
    return
  end
  if s.kind == "SPAWN" then
    self:spawned(r, s)
  elseif s.kind == "START" and r.kind == "TRANSITION" and self.rolled_up then
    self.rolled_up, s = false, r -- the root begins as what it had become
  end
  if s ~= r and not self:equal(r, s) then
    local format = "signal %d was %s, and now it is %s"
    return self:differ(format, r.seq, text(r), text(s))
  end
  self:take(r, s)
  if s.kind == "START" then
    return self.stands[s.pid]
  end
  return s.kind == "SEND" and not self:inside(s.to)
end

function replay:inside(pid)
  return pid ~= nil and family.of(pid) == self.it.family
end

-- The next signal is done with; on to the one after it.
function replay:take(r, s)
  if s == r then
    s = self.map:translate_signal(r, self.it.sim:now())
  end
  s.seq = r.seq
  family.emit(self.it.family, s)
  self.at = self.at + 1
  self:advance()
end

-- A child has been spawned: its recorded pid stands for the new one from now
-- on, and if its result is known it is given a stand-in.
function replay:spawned(r, s)
  if r.kind ~= "SPAWN" then
    return
  end
  self.map:bind(r.child, s.child)
  if self.known[r.child] then
    self:stand(r.child, s.child)
  end
end

-- A stand-in waits until the driver sends it what the process returned.
function replay:stand(recorded, pid)
  local sign = core.ref()
  self.signs[recorded] = sign
  self.standing[#self.standing + 1] = recorded
  self.it.family.silent[pid] = true
  self.stands[pid] = function()
    local ended, values = core.wait(sign)
    if ended == "FAIL" then
      error(values, 0)
    end
    return table.unpack(values, 1, values.n)
  end
end

-- If the record's next signal has to be fed, it is, in a turn of its own.
function replay:advance()
  local r = self.list[self.at]
  if not r then
    self.it.family.replay = nil
    return
  end
  -- a stand-in starts by itself, but for one that another was to spawn
  local standing = self.known[r.pid]
    and (r.kind ~= "START" or not self.signs[r.pid])
  if self.waiting or not (standing or from_outside(r)) then
    return
  end
  self.waiting = true
  local sim = self.it.sim
  inside.at(sim, math.max(r.time + self.offset, sim:now()), function()
    self.waiting = false
    if not self.difference then
      self:feed(r, standing)
    end
  end)
end

-- What a process that stands aside did: its messages to the family are sent,
-- its end is its stand-in's.
function replay:imitate(r)
  local s = self.map:translate_signal(r, self.it.sim:now())
  local own, sim = self.it.family, self.it.sim
  self:take(r, s) -- what it sends is received after that
  own.feeding = true
  if r.kind == "SEND" and self:inside(s.to) then
    sim:send(s.to, table.unpack(s.message, 1, s.message.n))
  elseif self.signs[r.pid] and (r.kind == "STOP" or r.kind == "FAIL") then
    local result = r.kind == "FAIL" and r.error
      or self.results[r.pid]
      or r.result
    self.ended[r.pid] = true
    sim:send(s.pid, self.signs[r.pid], r.kind, result)
  end
  own.feeding = false
end

function replay:feed(r, standing)
  local sim, pid = self.it.sim, self.map:translate(r.pid)
  if standing then
    self:imitate(r)
  elseif r.kind == "ARRIVE" then
    local message = self.map:translate(r.message)
    sim:send(pid, table.unpack(message, 1, message.n))
  elseif r.kind == "INTERRUPT" then
    sim:interrupt(pid, self.map:translate(r.cause))
  else
    sim:kill(pid, self.map:translate(r.reason))
  end
end

-- -- running -----------------------------------------------------------------

local function raise(why)
  error(core.failure("journal", "replay: " .. why), 0)
end

-- The root begins as it did, or, in a record that was rolled up, as what it had
-- become before everything that the record has.
function replay:begin(pid)
  local it, first = self.it, nil
  for _, r in ipairs(self.list) do
    first = first or (r.kind == "START" or r.kind == "TRANSITION") and r
  end
  self.rolled_up = first and first.kind == "TRANSITION"
  if self.root then
    self.map:bind(self.root, pid)
    if self.known[self.root] then
      self:stand(self.root, pid)
    end
  end
  self.offset = self.list[1] and it.sim:now() - self.list[1].time or 0
  self.tick = 10.0 ^ -it.sim:precision()
  it.family.replay = self
  self:advance()
  if self.rolled_up then
    return first.fn, self.map:translate(first.args)
  end
end

function replay:drive()
  local it = self.it
  local own = it.family
  local why = own.replay
    and it.sim:run {
      when = function()
        return not own.replay or self.difference ~= nil
      end,
    }
  local left = own.replay and self.list[self.at]
  own.replay = nil
  if self.difference then
    raise(self.difference)
  elseif left then
    local format = "signal %d was %s, and now nothing like it comes (%s)"
    raise(format:format(left.seq, text(left), why))
  end
  for _, recorded in ipairs(self.standing) do -- those whose end was not read
    if not self.ended[recorded] then
      local pid, result = self.map:translate(recorded), self.results[recorded]
      it.sim:send(pid, self.signs[recorded], "STOP", result)
    end
  end
end

-- run(instance's state, options, spawn)
-- Replays; the instance has been started when it returns.
function m.run(it, options, spawn)
  local fn, args
  local pid = spawn(it, function(...)
    if fn then
      return fn(table.unpack(args, 1, args.n))
    end
    return it.template.entrypoint(...)
  end, table.unpack(it.args, 1, it.args.n))
  local driver = load(it, options)
  fn, args = driver:begin(pid)
  driver:drive()
end

-- -- side effects ------------------------------------------------------------

-- What the record has for this use, and whether it has one.
local function recorded_use(driver, pid)
  local r = driver and driver.list[driver.at]
  if not r or r.kind ~= "USE" or not driver.map:same(r.pid, pid) then
    return false
  end
  local answer = driver.options.results
    and table.pack(driver.options.results(r))
  if answer and answer[1] then
    return true, table.pack(table.unpack(answer, 2, answer.n))
  end
  return r.result ~= nil, driver.map:translate(r.result), r.error
end

-- use(family, pid, fn, ...) -> what fn returned
-- Calls fn, or takes what the record has.
function m.use(own, pid, fn, ...)
  local known, result, err = recorded_use(own.replay, pid)
  if not known then
    local answer = table.pack(pcall(fn, ...))
    result = table.pack(table.unpack(answer, 2, answer.n))
    if not answer[1] then
      err, result = answer[2], table.pack()
    end
  end
  family.tell(pid, "USE", err, table.unpack(result, 1, result.n))
  if err ~= nil then
    error(err, 0)
  end
  return table.unpack(result, 1, result.n)
end

return m
