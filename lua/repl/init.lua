-- The prompt, as it is seen: what a copy of the program does with a line, see
-- src/app/repl.h. It prints; what is to be done for real it plans.
local ahead = require "repl.ahead"
local commands = require "repl.commands"
local complete = require "repl.complete"
local help = require "repl.help"
local inside = require "moondial.inside"
local look = require "repl.look"
local md = require "moondial"
local print_results = require "repl.results"
local report = require "moondial.report"
local session = require "moondial.session"
local show = require "repl.show"
local signals = require "repl.signals"
local watched = require "repl.watched"

local m = {}

-- -- a line --------------------------------------------------------------

-- A name that has no value, perhaps another's.
local function miss(text)
  local path, name = text:match "^%s*([%w_.]-)%.?([%a_][%w_]*)%s*$"
  if name and (path == "" or path == "md") then
    local kind = path == "" and "global" or "field"
    show.hint(("attempt to call a nil value (%s '%s')"):format(kind, name))
  end
end

-- Executes a line here, in the copy, and shows what comes of it.
local function inspect(text)
  local fn, why = session.load(text)
  if not fn then
    return show.fault(why)
  end
  rawset(session.environment(), "help", help.value)
  report.printed = nil
  local results = table.pack(xpcall(fn, show.handler))
  if results[1] then
    print_results(table.unpack(results, 2, results.n))
    if results.n == 2 and results[2] == nil then
      miss(text)
    end
  else
    show.fault(results[2])
  end
end

-- Files that have changed come first, if that was asked for.
local function reload(text)
  if (session.get "auto" or "") == "" then
    return false
  end
  local names = watched.look()
  for _, name in ipairs(names) do
    print(show.faint(name .. " has changed"))
    session.plan("line", ("md.reload(%q)"):format(name))
  end
  if #names > 0 then
    session.plan("again", text)
  end
  return #names > 0
end

-- Commands that other prompts have as words.
local bare <const> = { help = "help", exit = "quit", quit = "quit" }

--- What is to be done with a line of input.
function m.handle(text)
  if reload(text) then
    return
  end
  local command, rest = text:match "^%s*:(%S*)%s*(.-)%s*$"
  local word = text:match "^%s*(%a+)%s*$"
  if command then
    return commands.run(command, rest)
  elseif bare[word] and rawget(_G, word) == nil then
    return commands.run(bare[word], "")
  elseif text:find "^%s*%?%s*:" then
    return print "? looks at a line of Lua; :branch d expr is for what would be"
  elseif text:find "^%s*%?" then
    return inspect((text:gsub("^%s*%?", "")))
  elseif not text:find "%S" or text:find "^%s*%-%-[^%[\n]*$" then
    return -- nothing, or a comment
  elseif look.only(text) or text:find "^%s*help%f[^%w_]" then
    return inspect(text)
  end
  local fn, why = session.load(text)
  if not fn then
    return show.fault(why)
  end
  session.plan("line", text)
end

local function incomplete(text)
  if text:find "^%s*:" then
    return false
  end
  local fn, why = session.load((text:gsub("^%s*%?", "")))
  local call = why and why:find "function arguments expected"
  return not fn and why:find "<eof>$" and not call
end

--- The same, unless more lines belong to it: that is planned.
function m.take(text)
  if incomplete(text) then
    return session.plan "incomplete"
  end
  m.handle(text)
end

m.complete = complete.run

-- -- what has happened -----------------------------------------------------

function m.results(_, ...)
  print_results(...)
end

function m.fault(_, err)
  show.fault(err)
end

--- A process has failed, and the run stands still.
function m.failure(_, err)
  show.fault(err)
  if session.failed_at ~= "" then
    local who = session.failed_in ~= "" and session.failed_in or "a callback"
    print(("  in %s at time %s"):format(who, session.failed_at))
  end
  local own = type(err) == "table" and rawget(err, "traceback")
  if not own and session.traceback then
    print(show.faint(session.traceback))
  end
  print(
    show.faint(
      "the run stands still; :back 1 goes to just before, "
        .. ":run hands the error to the script"
    )
  )
end

-- A process in the middle of its turn, and all others wait for the next event.
local function state()
  if session.over then
    return "the program is over"
  elseif session.going then
    return ("in the middle of the turn of %s"):format(
      inside.label(session.going)
    )
  end
  local next_ = md.peek()
  if next_ then
    return "next at " .. show.time(next_)
  end
  local n = #md.processes()
  return n == 0 and "nothing is left"
    or ("idle: %d process%s for ever"):format(
      n,
      n == 1 and " waits" or "es wait"
    )
end

local function where_we_are()
  return ("time %s, %d events, %s"):format(
    show.time(md.now()),
    md.events(),
    state()
  )
end

function m.stopped()
  signals.trace()
  if session.interrupted then
    print "stopped by Ctrl-C"
  end
  local why = session.get "why"
  if why and why ~= "" then
    print(why)
    session.plan("why", "")
  end
  print(show.faint(where_we_are()))
end

--- The program is in the past, unless it goes on at once.
function m.arrived()
  if (session.get "onward" or "") ~= "" then
    return session.plan("onward", "")
  end
  m.stopped()
end

-- -- in the past ---------------------------------------------------------

m["goto"] = function(text)
  local t = tonumber(text)
  local _, events = ahead.find({}, function()
    local following = md.peek()
    return following and following > t
  end, true)
  -- and the clock shows that time, as behind :run t
  session.plan("onward", "yes")
  session.plan("travel", tostring(events))
  session.plan("time", ("%.0f"):format(t * 10 ^ md.precision()))
end

-- From one point that is kept to the next, as lines were executed between them:
-- what is left of these, the last event, and the expression.
function m.first(text)
  local points, last, expr = text:match "^(%S*) (%d+) (.*)$"
  local following, rest = points:match "^,(%d+)(.*)$"
  local limit = math.tointeger(following or last)
  local condition = ahead.condition(expr)
  local found, events = true, md.events()
  if not condition {} then
    found, events = ahead.find({ condition }, function()
      return md.events() >= limit
    end, true)
  end
  if found then
    session.plan("why", "first: " .. expr)
    session.plan("travel", tostring(events))
  elseif following then
    session.plan("past", ("%d first %s %s %s"):format(limit, rest, last, expr))
  else
    print "it was never so"
  end
end

function m.welcome()
  watched.look()
  if not session.terminal then
    return
  end
  print "Moondial: Lua, or a command (:help); :run lets time pass"
  if session.model == "" and session.over then
    print(show.faint "there is no model: :load file.lua, or :tutorial")
  else
    print(show.faint(where_we_are()))
  end
end

return m
