local count = require "repl.count"
local md = require "moondial"
local session = require "moondial.session"

return {
  name = "back",
  usage = ":back [n | +d]",
  help = [[Goes back by n events (1), or by d units of time: the whole program,
as it was. What was printed on the way is not printed again.
  :back 10
  :back +2.5]],
  run = function(rest)
    local d = tonumber(rest:match "^%+(.+)$" or "")
    if d then
      return require("repl.commands").run("goto", tostring(md.now() - d))
    end
    local n = count(rest, 1, "a number of events, or +d")
    if n then
      session.plan("travel", tostring(math.max(0, md.events() - n)))
    end
  end,
}
