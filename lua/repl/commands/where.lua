local process = require "repl.process"
local stack = require "repl.stack"

return {
  name = "where",
  also = { "backtrace", "stack" },
  usage = ":where pid",
  help = [[Where a process stands: its calls, the innermost first, with their
locals. A pid is given by name or number.
  :where server]],
  completes = "process",
  run = function(rest)
    local pid = process.find(rest)
    if pid then
      stack.print(pid)
    end
  end,
}
