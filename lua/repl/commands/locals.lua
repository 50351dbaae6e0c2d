local process = require "repl.process"
local stack = require "repl.stack"

return {
  name = "locals",
  usage = ":locals pid [frame]",
  help = [[What a process sees in one of its calls, the innermost (1) or the
frame of that number as :where counts them: locals, upvalues and the varying
arguments, values in full.
  :locals server
  :locals server 2]],
  completes = "process",
  run = function(rest)
    local name, frame = rest:match "^(.-)%s+(%d+)$"
    -- a name may end in a number: the whole of it comes first
    local whole = rest == "" or process.known(rest)
    local pid = process.find(whole and rest or name or rest)
    if pid then
      stack.locals(pid, not whole and math.tointeger(frame) or 1)
    end
  end,
}
