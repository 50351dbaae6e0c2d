local debugged = require "repl.process"
local stack = require "repl.stack"

return {
  name = "locals",
  usage = ":locals pid",
  help = [[The same as :where: the calls of a process with their locals.
  :locals server]],
  completes = "process",
  run = function(rest)
    local pid = debugged.find(rest)
    if pid then
      stack.print(pid, true)
    end
  end,
}
