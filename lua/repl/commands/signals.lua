local signals = require "repl.signals"

return {
  name = "signals",
  usage = ":signals [n]",
  help = [[The last n signals (20): what has happened.
  :signals 5]],
  run = function(rest)
    local n, list = math.tointeger(tonumber(rest)) or 20, signals.all()
    local first = math.max(1, #list - n + 1)
    signals.print(table.move(list, first, #list, 1, {}))
  end,
}
