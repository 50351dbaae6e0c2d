local session = require "moondial.session"
local signals = require "repl.signals"

return {
  name = "trace",
  usage = ":trace [on | off | KIND ... | name ...]",
  help = [[After each :run the signals that came, all of them or those of some
kinds or processes.
  :trace SEND KILL
  :trace off]],
  run = function(rest)
    if rest ~= "" and not signals.set(rest) then
      return
    end
    print("trace is " .. (rest ~= "" and rest or session.get "trace" or "off"))
  end,
}
