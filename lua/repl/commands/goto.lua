local md = require "moondial"
local session = require "moondial.session"

-- The first event of the past behind the last that is not later than t.
local function event_at(t)
  local start
  for _, point in ipairs(session.points()) do
    if point.time <= t then
      start = point
    end
  end
  return start
end

return {
  name = "goto",
  usage = ":goto t",
  help = [[Goes to the time t, back or forth: all events up to it have happened.
  :goto 5]],
  run = function(rest)
    local t = tonumber(rest)
    if not t then
      return print(("expected a time, got '%s'"):format(rest))
    end
    if t >= md.now() then
      return require("repl.commands").run("run", rest)
    end
    local point = event_at(t)
    if not point then
      return print "the past begins after that"
    end
    session.plan("past", ("%d goto %s"):format(point.events, rest))
  end,
}
