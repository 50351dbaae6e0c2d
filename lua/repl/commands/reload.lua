local session = require "moondial.session"

return {
  name = "reload",
  usage = ":reload [module | file]",
  help = [[Puts the code that a module, or the model's file, has now in the
place of the old one; the state stays, see :help reload of md.
  :reload]],
  completes = "file",
  run = function(rest)
    local name = rest ~= "" and rest or session.model:match "[^/]*$"
    session.plan("line", ("md.reload(%q)"):format(name))
  end,
}
