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
