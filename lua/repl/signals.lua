-- The signals of the run, for those who ask for them.
local md = require "moondial"
local process = require "repl.process"
local session = require "moondial.session"
local show = require "repl.show"

local m = {}

--- All that are kept, oldest first.
function m.all()
  local list = {}
  for s in md.current():pull() do
    if s.seq then -- not LOST, which says that there were more
      list[#list + 1] = s
    end
  end
  return list
end

local function named(value)
  local is_pid = type(value) == "userdata"
    and tostring(value):find "^<pid" ~= nil
  return is_pid and show.plain(process.label(value)) or show.value(value)
end

local function row_of(s)
  local more = {}
  for key, value in pairs(s) do
    if key ~= "kind" and key ~= "time" and key ~= "pid" and key ~= "seq" then
      more[#more + 1] = ("%s %s"):format(key, named(value))
    end
  end
  table.sort(more)
  return {
    show.time(s.time),
    s.kind,
    s.pid and named(s.pid) or "",
    table.concat(more, ", "),
  }
end

--- Prints them as a table.
function m.print(list)
  local rows = {}
  for i, s in ipairs(list) do
    rows[i] = row_of(s)
  end
  show.table({ "time", "kind", "process", "" }, rows, { true })
end

-- Whether it is one of those that are asked for: kinds, or names of processes
-- that it is about.
local function wanted(s, filter)
  if filter == "on" then
    return true
  end
  for word in filter:gmatch "%S+" do
    if s.kind == word:upper() then
      return true
    end
    for _, value in pairs(s) do
      if type(value) == "userdata" and named(value) == word then
        return true
      end
    end
  end
  return false
end

--- Prints those that came since the last time, when :trace is on.
function m.trace()
  local filter = session.get "trace" or "off"
  if filter == "off" then
    return
  end
  local last = tonumber(session.get "traced" or "") or 0
  local list, newest = {}, 0 -- that is less when the run has gone back
  for _, s in ipairs(m.all()) do
    newest = math.max(newest, s.seq)
    if s.seq > last and wanted(s, filter) then
      list[#list + 1] = s
    end
  end
  session.plan("traced", tostring(newest))
  local most = 200
  if #list > most then
    print(("%d signals before"):format(#list - most))
    list = table.move(list, #list - most + 1, #list, 1, {})
  end
  if #list > 0 then
    m.print(list)
  end
end

-- What is neither a kind of signal nor a living process; nil: there is none.
local function unknown(filter)
  if filter == "on" or filter == "off" then
    return nil
  end
  for word in filter:gmatch "%S+" do
    local kind, why = pcall(md.pull, { kind = word:upper() })
    if not kind and not process.known(word) then
      return word, why.message:match "did you mean [^?]*%?"
    end
  end
end

--- From now on, or no more; false, said, where a word is unknown.
function m.set(filter)
  local word, hint = unknown(filter)
  if word then
    local text = "there is no kind of signal and no process called '%s'; %s"
    print(text:format(word, hint or "help trace has them"))
    return false
  end
  local newest = 0
  for _, s in ipairs(m.all()) do
    newest = s.seq
  end
  session.plan("trace", filter)
  session.plan("traced", tostring(newest))
  return true
end

return m
