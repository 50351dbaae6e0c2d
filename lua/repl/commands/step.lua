local md = require "moondial"
local session = require "moondial.session"

return {
  name = "step",
  usage = ":step [n]",
  help = [[Lets one event happen, or n of them.
  :step 5]],
  run = function(rest)
    local n = rest == "" and 1 or math.tointeger(tonumber(rest))
    if not n or n < 1 then
      return print(("expected a number of events, got '%s'"):format(rest))
    end
    session.plan("events", tostring(md.events() + n))
  end,
}
