local again = require "repl.again"
local session = require "moondial.session"

return {
  name = "restart",
  usage = ":restart",
  help = [[Begins anew with the model as its file is now, at time 0; or with the
image, where that was taken. Breakpoints are gone.
  :restart]],
  run = function()
    again.with("--seed", tostring(session.seed), again.model())
  end,
}
