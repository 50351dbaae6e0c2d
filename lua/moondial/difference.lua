-- What of a recorded signal and of one that comes in a replay is compared, and
-- how a difference is told.
local inside = require "moondial.inside"

local m = {}

-- What of two signals of one kind is compared, besides their pids and times.
local compared = {
  "child",
  "args",
  "message",
  "result",
  "to",
  "error",
  "reason",
  "cause",
  "by",
  "from",
}

-- The first thing in which they differ, or nil.
local function unlike(replay, r, s)
  if r.kind ~= s.kind then
    return "kind"
  elseif not replay.map:same(r.pid, s.pid) then
    return "pid"
  end
  for _, field in ipairs(compared) do
    local counts = field ~= "result" or r.kind == "STOP" -- not an answer
    if counts and not replay.map:same(r[field], s[field]) then
      return field
    end
  end
  if (r.at == nil) ~= (s.at == nil) or r.at and not replay:at(r.at, s.at) then
    return "at"
  end
  return not replay:at(r.time, s.time) and "time" or nil
end

-- Errors of the library say what they are.
local function show(value)
  local meta = getmetatable(value)
  if type(meta) == "table" and meta.__name == "error" then
    return tostring(value)
  end
  return inside.describe(value)
end

-- text(signal) -> string: as a difference shows it.
function m.text(s)
  local words = {}
  local list = s.message or s.args or s.result
  if not list or s.error ~= nil then
    list = { s.data == nil and s.error or s.data, n = 1 }
    list.n = list[1] == nil and 0 or 1
  end
  for i = 1, list.n or #list do
    words[i] = show(list[i])
  end
  return ("%s of %s%s (%s) at time %s"):format(
    s.kind,
    tostring(s.pid),
    s.to ~= nil and " to " .. tostring(s.to) or "",
    table.concat(words, ", "),
    s.time
  )
end

-- between(replay, recorded, signal) -> string or nil
-- What is different, if anything is.
function m.between(replay, r, s)
  local field = unlike(replay, r, s)
  if not field then
    return nil
  end
  local was, is = m.text(r), m.text(s)
  local same = was == is and "; what differs is its " .. field or ""
  return ("signal %d was %s, and now it is %s%s"):format(r.seq, was, is, same)
end

return m
