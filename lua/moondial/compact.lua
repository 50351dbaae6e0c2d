-- What of a record a replay can do without.
local argument = require "moondial.argument"
local mail = require "moondial.mail"
local record = require "moondial.record"
local roll = require "moondial.roll"

local m = {}

local copy = roll.copy

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
  if s.kind ~= "ARRIVE" or rec:is_live(s.from) or rec:comes(s) then
    return false
  end
  local word = s.message[1]
  return not rec.members[s.from] or word ~= "down" and word ~= "exit"
end

-- A message that came from outside and that all dropped is not missed.
local function forget_dropped(rec)
  local gone, followed = {}, mail.follow(rec)
  for came, drops in pairs(followed.drops) do -- in any order
    if is_fed(rec, came) and not followed.wanted[came] then
      gone[came] = came
      for _, drop in ipairs(drops) do
        gone[drop] = came
      end
    end
  end
  return gone
end

-- The record ends when it did, and in an instant in which something comes that
-- was sent for it, with what it did.
local function keep_last(rec, gone)
  local list, last = rec.list, rec.list[#rec.list]
  local i = #list
  while i > 0 and gone[list[i]] do
    i = i - 1
  end
  local before = list[i]
  if before == last then
    return
  elseif before and before.time == last.time and not rec.brink then
    return
  end
  local came = gone[last]
  for s, of in pairs(gone) do -- in any order
    if of == came then
      gone[s] = nil
    end
  end
end

-- Turns as a signal has them.
local function list_of(turns, shuffled)
  local list, at = {}, nil
  for _, turn in ipairs(turns) do
    if shuffled and turn.time ~= at then
      at = turn.time
      list[#list + 1] = at
    end
    list[#list + 1] = turn.timed and { turn.pid, turn.number } or turn.pid
  end
  return list
end

-- The signal s that is kept, whose predecessor is `last`, with the turns that
-- come before it, unless they go without saying.
local function with_turns(s, last, turns, shuffled)
  local none, first = last ~= nil and last.turn == s.turn, turns[1]
  local own = first and #turns == 1 and first.pid == s.pid and not first.timed
  if s.turn == nil then
    return s
  elseif none and not first or not none and own and first.time == s.time then
    return s.turns and copy(s, { turns = false }) or s
  end
  return copy(s, { turns = list_of(turns, shuffled) })
end

local function kept(rec)
  local list, gone, turns = {}, forget_dropped(rec), {}
  local shuffled = rec:is_shuffled()
  keep_last(rec, gone)
  for i, s in ipairs(rec.list) do
    local late = turns[1] and turns[1].time ~= s.time
    turns = late and not shuffled and {} or turns
    for _, turn in ipairs(rec:turns_before(i)) do
      turns[#turns + 1] = rec:is_live(turn.pid) and turn or nil
    end
    local skipped = rec.skipped[s.pid]
    if not gone[s] and (not skipped or counts(rec, s)) then
      if skipped and s.kind == "START" and rec.results[s.pid] then
        s = copy(s, { result = rec.results[s.pid] })
      end
      list[#list + 1], turns = with_turns(s, list[#list], turns, shuffled), {}
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
  local rec = read(roll.up(read(signals)))
  rec:know_ended()
  return kept(rec)
end

return m
