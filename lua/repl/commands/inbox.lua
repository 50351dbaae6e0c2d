local process = require "repl.process"
local session = require "moondial.session"
local show = require "repl.show"

return {
  name = "inbox",
  usage = ":inbox pid",
  help = [[The messages that wait in a process's inbox, oldest first. A pid is
given by name or number.
  :inbox server]],
  completes = "process",
  run = function(rest)
    local pid = process.find(rest)
    local list = pid and session.messages(pid)
    if not list then
      return
    elseif #list == 0 then
      return print "it is empty"
    end
    for i, mail in ipairs(list) do
      local texts = {}
      for k = 1, mail.n do
        texts[k] = show.value(mail[k])
      end
      print(("%3d  %s"):format(i, table.concat(texts, ", ")))
    end
  end,
}
