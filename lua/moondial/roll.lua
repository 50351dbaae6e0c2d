-- Rolling up: what lies before the last transition of the root of a record is
-- in the arguments of that, in the inbox, and in what those processes have left
-- behind that it can name, which it may still join.
local mail = require "moondial.mail"
local same = require "moondial.same"

local m = {}

-- copy(signal, changes) -> signal
-- A copy of it with some fields changed, or taken away: false.
function m.copy(signal, changes)
  local new = {}
  for field, value in pairs(signal) do
    new[field] = value
  end
  for field, value in pairs(changes) do
    new[field] = value ~= false and value or nil
  end
  return new
end

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
  local list = mail.follow(rec, at):inbox(rec.root)
  for i, s in ipairs(list) do
    local from = s.kind == "ARRIVE" and s.from ~= rec.root and s.from or nil
    local changes = { kind = "ARRIVE", pid = rec.root, turn = at.turn }
    changes.turns = {}
    list[i] = m.copy(s, changes)
    list[i].from, list[i].to = from, nil
  end
  return list
end

-- What the processes had left behind that had ended by then, by pid.
local function left(rec, at)
  local of = {}
  for _, ended in ipairs(rec.transition and rec.transition.ended or {}) do
    of[ended.pid] = ended
  end
  for _, s in ipairs(rec.list) do
    if s == at then
      break
    elseif s.kind == "STOP" then
      of[s.pid] = { pid = s.pid, result = s.result }
    elseif s.kind == "FAIL" then
      of[s.pid] = { pid = s.pid, error = s.error }
    end
  end
  return of
end

-- Of these, those whom the values name, or what others among them left.
local function named(of, values)
  local list, next = {}, 1
  local function note(x)
    if of[x] then
      list[#list + 1] = of[x]
      of[x] = nil
    end
    return x
  end
  same.copy(values, note)
  while list[next] do
    same.copy({ list[next].result, list[next].error }, note)
    next = next + 1
  end
  return list
end

-- up(record) -> list of signals
-- From the last transition on that the root made alone; all of them if there is
-- none.
function m.up(rec)
  local list = rec.list
  for i = #list, 1, -1 do
    local at = list[i]
    local own = at.kind == "TRANSITION" and at.pid == rec.root
    if own and at ~= rec.transition and alone(rec, at) then
      local kept = unread(rec, at)
      local ended = named(left(rec, at), { at.args, kept })
      table.move(list, i, #list, #kept + 1, kept)
      kept[#kept - #list + i] = m.copy(at, {
        start = rec:made_with(),
        ended = ended,
        turns = { rec.root },
      })
      return kept
    end
  end
  return list
end

return m
