local count = require "repl.count"
local md = require "moondial"
local session = require "moondial.session"

return {
  name = "step",
  also = { "next" },
  usage = ":step [n]",
  help = [[Lets one event happen, or n of them.
  :step 5]],
  run = function(rest)
    local n = count(rest, 1, "a number of events")
    if n then
      session.plan("events", tostring(md.events() + n))
    end
  end,
}
