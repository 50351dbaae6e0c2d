local ahead = require "repl.ahead"
local md = require "moondial"
local session = require "moondial.session"
local show = require "repl.show"

local ticks <const> = ahead.ticks

-- The breakpoints: texts, conditions, and the time at which the clock stops
-- before any event that lies behind it, nil for none.
local function breaks()
  local texts, conditions, soonest = {}, {}, nil
  for text in (session.get "breaks" or ""):gmatch "[^\n]+" do
    local t = tonumber(text:match "^time%s+(.+)$")
    if t and t > md.now() then
      soonest = math.min(soonest or t, t)
    end
    local condition, why
    if not t then
      condition, why = ahead.condition(text, true)
    end
    if condition then
      texts[#texts + 1] = text
      conditions[#conditions + 1] = condition
    elseif why then
      print(show.faint(("not asked: %s: %s"):format(text, why)))
    end
  end
  return texts, conditions, soonest
end

-- Goes on to the first event after which a condition holds, no further than
-- the bound, and then does the action.
local function run_to(texts, conditions, soonest, bound, action, to)
  local struck = false
  local found, events = ahead.find(conditions, function()
    local following = md.peek()
    struck = soonest and following and following > soonest
    return struck or bound()
  end)
  if found then
    session.plan("why", "stopped: " .. texts[found])
    session.plan("events", tostring(events))
  elseif struck then
    session.plan("why", "stopped: time " .. soonest)
    session.plan("time", ticks(soonest))
  else
    session.plan("why", to == "until" and "it never came to that" or "")
    session.plan(action, to ~= "until" and to or tostring(events))
  end
end

local function run(rest)
  local texts, conditions, soonest = breaks()
  local until_ = rest:match "^until%s+(.+)$"
  local count = rest:match "^(%d+)%s+events?$"
  local plus = rest:match "^%+%s*(.+)$"
  local time = tonumber(plus or rest)
  if until_ then
    local condition, why = ahead.condition(until_)
    if not condition then
      return print(why)
    end
    table.insert(texts, 1, until_)
    table.insert(conditions, 1, condition)
    return run_to(texts, conditions, soonest, function() end, "events", "until")
  end
  local action, to, bound
  count = math.tointeger(tonumber(count))
  if count then
    to = md.events() + math.min(count, math.maxinteger - md.events())
    action, bound = "events", function()
      return md.events() >= to
    end
    to = tostring(to)
  elseif time then
    local t = plus and md.now() + time or time
    if time < 0 then
      return print(("expected a time to come, got '%s'"):format(rest))
    elseif t < md.now() then
      return print(
        ("it is %s already; :goto %s goes back"):format(md.now(), rest)
      )
    end
    action, to, bound =
      "time", ticks(t), function()
        local following = md.peek()
        return not following or following > t
      end
  elseif rest == "" and session.over and session.ran then
    return print "the program is over; :run t and :run +d go on behind its end"
  elseif rest == "" then
    action, to, bound = "time", tostring(math.maxinteger), function() end
  else
    return print(
      ("expected a time, +d, 'n events' or 'until expr', got '%s'"):format(rest)
    )
  end
  if #conditions == 0 and not soonest then
    session.plan(action, to)
  else
    run_to(texts, conditions, soonest, bound, action, to)
  end
end

return {
  name = "run",
  also = { "continue", "go" },
  usage = ":run [t | +d | n events | until expr]",
  help = [[Lets time pass: to the end, to the time t, for d units, for n events,
or up to the first event after which the expression is true. Ctrl-C stops it
between two events, or in the middle of a turn that does not end.
  :run 100
  :run until #md.records "served" == 10]],
  run = run,
}
