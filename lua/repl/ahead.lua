-- Running ahead, in a copy of the program: to the event after which something
-- is so, which the program itself then goes to, without being asked on the way.
local md = require "moondial"
local process = require "repl.process"
local session = require "moondial.session"

local m = {}

-- -- expressions --------------------------------------------------------------

--- What an expression is loaded as; nil and why it is none: a line may be a
--- statement, too.
function m.expression(text)
  local fn, why = session.load("return " .. text)
  if fn or not session.load(text) then
    return fn, why
  end
  local hint = text:find "[^=<>~]=[^=]" and "; did you mean =="
  return nil, ("expected an expression, got a statement%s"):format(hint or "")
end

-- -- what may stop a run ----------------------------------------------------

local kinds = {}

-- Each takes the rest of its line, and returns a function that is asked after
-- every event, with the signals of that, and says yes; or nil and why not.
-- With `edge` it says yes when that becomes true, not while it is. One that is
-- an error from the start would never say anything.
function kinds.expr(rest, edge)
  local fn, why = m.expression(rest)
  if not fn then
    return nil, why
  end
  local good, before = pcall(fn)
  if not good then
    return nil, tostring(before)
  end
  before = edge and before
  return function()
    local ok, value = pcall(fn)
    local yes = ok and value and not before
    before = edge and ok and value
    return yes
  end
end

function kinds.process(rest)
  local function meant(pid)
    return process.label(pid) == rest or tostring(pid):match "[%d.]+" == rest
  end
  session.turns()
  return function(signals)
    for _, pid in ipairs(session.turns()) do
      if meant(pid) then
        return true
      end
    end
    for _, s in ipairs(signals) do
      if s.pid and meant(s.pid) then
        return true
      end
    end
  end
end

function kinds.signal(rest)
  local wanted = rest:upper()
  local ok, why = pcall(md.pull, { kind = wanted })
  if not ok then
    return nil, (tostring(why):gsub("^.-pull: ", ""))
  end
  return function(signals)
    for _, s in ipairs(signals) do
      if s.kind == wanted then
        return true
      end
    end
  end
end

function kinds.record(rest)
  local before = #md.records(rest)
  return function()
    local now = #md.records(rest)
    local more = now > before
    before = now
    return more
  end
end

function kinds.time(rest)
  local t = tonumber(rest)
  if not t then
    return nil, ("expected a time, got '%s'"):format(rest)
  end
  local before = md.now() < t
  return function()
    local now = md.now() < t
    local come = before and not now
    before = now
    return come
  end
end

-- The patterns of an md.wait: a message that begins so is being sent.
function kinds.message(rest)
  local fn, why = session.load("return {" .. rest .. "}")
  if not fn then
    return nil, why
  end
  local ok, patterns = pcall(fn)
  if not ok or #patterns == 0 then
    return nil,
      ok and 'expected patterns, as in message "ping", md._' or patterns
  end
  session.await(patterns)
  return function()
    local came = patterns.came
    patterns.came = nil
    return came
  end
end

--- The condition that a text is: "process NAME", "signal KIND", "record NAME",
--- "time T", "message PATTERN ...", or an expression, that becomes true if
--- `edge` and else is; nil and why it is none.
function m.condition(text, edge)
  local kind, rest = text:match "^(%a+)%s+(.+)$"
  if kinds[text] and text ~= "expr" and rawget(_G, text) == nil then
    return nil, ("expected more behind '%s'; :help break"):format(text)
  end
  local operator = rest and rest:find "^[=~<>+*/%^.&|]"
    or rest and ({ ["and"] = 1, ["or"] = 1 })[rest:match "^%a+"]
  if kind and kinds[kind] and kind ~= "expr" and not operator then
    return kinds[kind](rest)
  end
  return kinds.expr(text, edge)
end

-- -- looking for the event ---------------------------------------------------

local function pulled(wanted)
  local signals = {}
  if wanted then
    for s in md.current():pull() do
      signals[#signals + 1] = s
    end
  end
  return signals
end

--- A time as a plan has it: in ticks.
function m.ticks(t)
  local ticks = t * 10 ^ md.precision()
  return ticks < 2 ^ 63 and ("%.0f"):format(ticks) or tostring(math.maxinteger)
end

--- Lets events happen until one of the conditions says yes, `over()` does, or
--- nothing is left; which one, nil for none, and the event after which that
--- was. In the past the run may have gone on `behind` the end of the script.
function m.find(conditions, over, behind)
  session.mute(true)
  pulled(true)
  local found
  while not found and not over() do
    if session.forward(1, behind) ~= "on" then
      break
    end
    local signals = pulled(true)
    for i, condition in ipairs(conditions) do
      if condition(signals) then
        found = i
        break
      end
    end
  end
  session.mute(false)
  return found, md.events()
end

return m
