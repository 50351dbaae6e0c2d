local session = require "moondial.session"

return {
  name = "quit",
  also = { "exit" },
  usage = ":quit",
  help = [[Leaves the prompt, as does the end of the input.
  :quit]],
  run = function()
    session.plan("quit", "")
  end,
}
