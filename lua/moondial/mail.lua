-- What becomes of the messages of a record: `inboxes` has those that lie there
-- at the end, `drops` the drops of each, and `wanted` is true for those that
-- somebody has taken, or could have.
local same = require "moondial.same"

local m = {}

local mail = {}
mail.__index = mail

function mail.new(rec)
  return setmetatable({
    rec = rec,
    map = same.new(nil),
    inboxes = {},
    counts = {}, -- of messages in an inbox, by their first values
    heirs = {}, -- children to which a process forwards
    drops = {},
    wanted = {},
  }, mail)
end

function mail:inbox(pid)
  self.inboxes[pid] = self.inboxes[pid] or {}
  return self.inboxes[pid]
end

-- What a message is counted by: its first value, if that is plain.
local function key(s)
  local first = s.message[1]
  local plain = type(first) == "string" or type(first) == "number"
  return plain and first == first and first or true
end

function mail:insert(pid, s, place)
  local inbox, counts = self:inbox(pid), self.counts[pid] or {}
  self.counts[pid] = counts
  counts[key(s)] = (counts[key(s)] or 0) + 1
  table.insert(inbox, place or #inbox + 1, s)
end

-- A message comes to a process and to those to whom that forwards.
function mail:put(pid, s)
  if not self.rec.skipped[pid] then
    self:insert(pid, s)
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

-- The first message in the inbox like that of signal s leaves it. Which of
-- several it was is not known, and then none of them may be missing.
function mail:take(s)
  local inbox, counts = self:inbox(s.pid), self.counts[s.pid] or {}
  local left, place, i = counts[key(s)] or 0, nil, 0
  while left > 0 do
    i = i + 1
    local came = inbox[i]
    left = key(came) == key(s) and left - 1 or left
    if self.map:same(came.message, s.message) then
      if place then
        self.wanted[inbox[place]], self.wanted[came] = true, true
      end
      place = place or i
    end
  end
  if place then
    counts[key(s)] = counts[key(s)] - 1
    return table.remove(inbox, place)
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
  self:insert(s.pid, s, 1)
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

-- follow(record, to) -> mail
-- Goes through the record up to signal `to`, or to its end.
function m.follow(rec, to)
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

return m
