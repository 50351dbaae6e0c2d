-- What of a record a replay can do without.
local argument = require "moondial.argument"
local record = require "moondial.record"
local same = require "moondial.same"

local m = {}

local function copy(signal, changes)
  local new = {}
  for field, value in pairs(signal) do
    new[field] = value
  end
  for field, value in pairs(changes) do
    new[field] = value
  end
  return new
end

-- -- messages ---------------------------------------------------------------

-- What becomes of the messages of a record: `inboxes` has those that lie there
-- at the end, `drops` the drops of each that nobody has taken.
local mail = {}
mail.__index = mail

function mail.new(rec)
  return setmetatable({
    rec = rec,
    map = same.new(nil),
    inboxes = {},
    heirs = {}, -- children to which a process forwards
    drops = {},
    wanted = {},
  }, mail)
end

function mail:inbox(pid)
  self.inboxes[pid] = self.inboxes[pid] or {}
  return self.inboxes[pid]
end

-- A message comes to a process and to those to whom that forwards.
function mail:put(pid, s)
  if not self.rec.skipped[pid] then
    table.insert(self:inbox(pid), s)
  end
  for _, heir in ipairs(self.heirs[pid] or {}) do
    self:put(heir, s)
  end
end

-- A child that gets what its parent has not taken yet, and will get.
function mail:inherit(pid, heir)
  self.heirs[pid] = self.heirs[pid] or {}
  table.insert(self.heirs[pid], heir)
  for _, s in ipairs(self:inbox(pid)) do
    self:put(heir, s)
  end
end

-- The first message in the inbox like that of signal s leaves it.
function mail:take(s)
  local inbox = self:inbox(s.pid)
  for i, came in ipairs(inbox) do
    if self.map:same(came.message, s.message) then
      return table.remove(inbox, i)
    end
  end
end

local follow = {}

function follow.ARRIVE(self, s)
  self:put(s.pid, s)
end

function follow.SEND(self, s)
  if s.at == nil and self.rec.members[s.to] then
    self:put(s.to, s)
  end
end

function follow.SPAWN(self, s)
  if s.forward then
    self:inherit(s.pid, s.child)
  end
end

function follow.RECEIVE(self, s)
  local came = self:take(s)
  if came then
    self.wanted[came] = true
  end
end

function follow.RETURN(self, s)
  table.insert(self:inbox(s.pid), 1, s)
end

function follow.DROP(self, s)
  local came = self:take(s)
  if came and self.rec.bounded[s.pid] then
    self.wanted[came] = true -- it took room
  elseif came then
    self.drops[came] = self.drops[came] or {}
    table.insert(self.drops[came], s)
  end
end

-- Goes through the record up to signal `to`, or to its end.
local function follow_mail(rec, to)
  local self = mail.new(rec)
  for _, s in ipairs(rec.list) do
    if s == to then
      break
    elseif follow[s.kind] then
      follow[s.kind](self, s)
    end
  end
  for _, inbox in pairs(self.inboxes) do -- in any order
    for _, s in ipairs(inbox) do
      self.wanted[s] = true
    end
  end
  return self
end

-- -- before the last transition ---------------------------------------------

-- True when the root alone was left at its transition, with nothing under way
-- to anybody and no interrupt that it had not met.
local function alone(rec, at)
  local open = {}
  for _, s in ipairs(rec.list) do
    if s == at then
      break
    elseif s.kind == "SPAWN" then
      open[s.child] = true
    elseif s.kind == "STOP" or s.kind == "FAIL" then
      open[s.pid] = nil
    elseif s.at and s.at >= at.time then
      return false
    elseif s.kind == "INTERRUPT" and s.time >= at.time then
      return false
    end
  end
  return next(open) == nil
end

-- What was in the root's inbox at that transition, as messages from outside,
-- which are fed before it begins.
local function unread(rec, at)
  local list = follow_mail(rec, at):inbox(rec.root)
  for i, s in ipairs(list) do
    local from = s.kind == "ARRIVE" and s.from ~= rec.root and s.from or nil
    list[i] = copy(s, { kind = "ARRIVE", pid = rec.root, turn = at.turn })
    list[i].from, list[i].to = from, nil
  end
  return list
end

-- The list from the last transition on that the root made alone; what lies
-- before it is in its arguments and in its inbox.
local function roll_up(rec)
  local list = rec.list
  for i = #list, 1, -1 do
    local at = list[i]
    local own = at.kind == "TRANSITION" and at.pid == rec.root
    if own and at ~= rec.transition and alone(rec, at) then
      local kept = unread(rec, at)
      table.move(list, i, #list, #kept + 1, kept)
      kept[#kept - #list + i] = copy(at, { start = rec:made_with() })
      return kept
    end
  end
  return list
end

-- -- processes that have ended ----------------------------------------------

local kept_of_ended = { START = true, STOP = true, FAIL = true, SPAWN = true }
local kept_of_bounded = { ARRIVE = true, RECEIVE = true, DROP = true }

-- Of a process that is not run again only what it did to others counts, and
-- what was in its inbox if that could be full.
local function counts(rec, s)
  if s.kind == "SEND" then
    return s.at == nil and rec.members[s.to]
  end
  return kept_of_ended[s.kind] or kept_of_bounded[s.kind] and rec.bounded[s.pid]
end

-- -- all of it --------------------------------------------------------------

-- Whether a message is fed in a replay. What tells of an end comes by itself.
local function is_fed(rec, s)
  if s.kind ~= "ARRIVE" or rec:is_live(s.from) then
    return false
  end
  local word = s.message[1]
  return not rec.members[s.from] or word ~= "down" and word ~= "exit"
end

-- A message that came from outside and that all dropped is not missed.
local function forget_dropped(rec)
  local gone, followed = {}, follow_mail(rec)
  for came, drops in pairs(followed.drops) do -- in any order
    if is_fed(rec, came) and not followed.wanted[came] then
      gone[came] = true
      for _, drop in ipairs(drops) do
        gone[drop] = true
      end
    end
  end
  return gone
end

local function kept(rec)
  local list, gone = {}, forget_dropped(rec)
  for _, s in ipairs(rec.list) do
    local skipped = rec.skipped[s.pid]
    if skipped and s.kind == "START" and rec.results[s.pid] then
      list[#list + 1] = copy(s, { result = rec.results[s.pid] })
    elseif not gone[s] and (not skipped or counts(rec, s)) then
      list[#list + 1] = s
    end
  end
  return list
end

local function read(list)
  return record.read({
    signals = function()
      local i = 0
      return function()
        i = i + 1
        return list[i]
      end
    end,
  }, "compact")
end

--- compact(signals) -> list of signals
--- What a replay needs of a list of signals, as pull gave them, in their order.
--- Left out are messages from outside that all who got them dropped, and what
--- processes did that have ended: their START gets the field result, so that
--- they are not run again. So is what lies before the last transition of the
--- root, if it was alone then and nothing was under way; names, links, monitors
--- and trap_exit that it had before must be made again by what it has become.
---   print(#md.compact {})
function m.compact(...)
  local _, signals = argument.sim(...)
  local is_list = type(signals) == "table"
  argument.expect("compact", is_list, "a list of signals", signals)
  local rec = read(roll_up(read(signals)))
  rec:know_ended()
  return kept(rec)
end

return m
