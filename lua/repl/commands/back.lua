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
    local n = rest == "" and 1 or math.tointeger(tonumber(rest))
    if not n or n < 1 then
      return print(("expected a number of events or +d, got '%s'"):format(rest))
    end
    session.plan("travel", tostring(math.max(0, md.events() - n)))
  end,
}
