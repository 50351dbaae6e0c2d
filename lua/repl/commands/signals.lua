local count = require "repl.count"
local signals = require "repl.signals"

return {
  name = "signals",
  usage = ":signals [n]",
  help = [[The last n signals (20): what has happened.
  :signals 5]],
  run = function(rest)
    local n, list = count(rest, 20, "a number of signals"), signals.all()
    if not n then
      return
    end
    local first = math.max(1, #list - n + 1)
    signals.print(table.move(list, first, #list, 1, {}))
  end,
}
