-- What of a record a replay can do without.
local argument = require "moondial.argument"

local m = {}

-- The signals of each process, by its pid, and the root: the first that starts.
local function by_process(signals)
  local of, root = {}, nil
  for _, s in ipairs(signals) do
    root = root or s.pid
    of[s.pid] = of[s.pid] or {}
    table.insert(of[s.pid], s)
  end
  return of, root
end

local function same_message(a, b)
  if a.n ~= b.n then
    return false
  end
  for i = 1, a.n do
    if a[i] ~= b[i] then
      return false
    end
  end
  return true
end

-- A message that came from outside and was dropped: neither is missed.
local function forget_dropped(list, gone)
  for i, s in ipairs(list) do
    if s.kind == "DROP" then
      for k = 1, i - 1 do
        local came = list[k]
        if
          came.kind == "ARRIVE"
          and not gone[came]
          and same_message(came.message, s.message)
        then
          gone[came], gone[s] = true, true
          break
        end
      end
    end
  end
end

-- A process that has ended is not run again: its start knows its result, and
-- only what it sent counts.
local kept_of_ended = { START = true, STOP = true, SEND = true, SPAWN = true }

local function forget_ended(list, gone, replaced)
  local last = list[#list]
  if last.kind ~= "STOP" or list[1].kind ~= "START" then
    return
  end
  local start = {}
  for field, value in pairs(list[1]) do
    start[field] = value
  end
  start.result = last.result
  replaced[list[1]] = start
  for _, s in ipairs(list) do
    gone[s] = not kept_of_ended[s.kind] or nil
  end
end

-- The messages that had come by signal `to` and were not taken until then.
local function unread(list, to)
  local waiting = {}
  for i = 1, to do
    local s = list[i]
    if s.kind == "ARRIVE" then
      waiting[#waiting + 1] = s
    elseif s.kind == "RECEIVE" or s.kind == "DROP" then
      for k, came in ipairs(waiting) do
        if same_message(came.message, s.message) then
          table.remove(waiting, k)
          break
        end
      end
    end
  end
  return waiting
end

-- True when the root alone was left at its signal `at`, with nothing under way.
local function alone(signals, list, at, root)
  local open = {}
  for _, s in ipairs(signals) do
    if s.seq >= list[at].seq then
      break
    elseif s.kind == "SPAWN" then
      open[s.child] = true
    elseif s.kind == "STOP" or s.kind == "FAIL" then
      open[s.pid] = nil
    elseif s.kind == "SEND" and (s.at or s.to == root) then
      return false
    end
  end
  return next(open) == nil
end

-- Everything before the root's last transition is in its arguments.
local function roll_up(signals, of, root, gone)
  local list = of[root]
  for at = #list, 1, -1 do
    if list[at].kind == "TRANSITION" and alone(signals, list, at, root) then
      local keep = {}
      for _, s in ipairs(unread(list, at)) do
        keep[s] = true
      end
      for _, s in ipairs(signals) do
        if s.seq < list[at].seq and not keep[s] then
          gone[s] = true
        end
      end
      return
    end
  end
end

--- compact(signals) -> list of signals
--- What a replay needs of a list of signals, as pull gave them, in their order:
--- without messages from outside that were dropped, without what processes did
--- that have ended (their START gets the field result, so that they are not run
--- again; what they sent stays), and without what lies before the last
--- transition of the root, if it was alone then and nothing was under way to
--- it. Names, links and timers that it had before must be made again by what it
--- has become.
---   print(#md.compact {})
function m.compact(...)
  local _, signals = argument.sim(...)
  local list = type(signals) == "table"
  argument.expect("compact", list, "a list of signals", signals)
  local of, root = by_process(signals)
  local gone, replaced, result = {}, {}, {}
  for _, s in ipairs(signals) do
    if of[s.pid][1] == s then
      forget_dropped(of[s.pid], gone)
      if s.pid ~= root then
        forget_ended(of[s.pid], gone, replaced)
      end
    end
  end
  if root then
    roll_up(signals, of, root, gone)
  end
  for _, s in ipairs(signals) do
    if not gone[s] then
      result[#result + 1] = replaced[s] or s
    end
  end
  return result
end

return m
