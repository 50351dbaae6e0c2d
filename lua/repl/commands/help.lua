local commands = require "repl.commands"
local md = require "moondial"
local show = require "repl.show"

return {
  name = "help",
  usage = ":help [command | function | topic]",
  help = [[The commands; or what there is to know about one, about a function
of the library (:help md.send) or about a topic (:help time).
  :help run]],
  completes = "command",
  run = function(rest)
    local name = rest:gsub("^:", "")
    local command = name ~= "" and commands.find(name)
    if name == "" then
      local rows = {}
      for _, each in ipairs(commands.names()) do
        local text = commands.find(each).help:gsub("\n", " ")
        rows[#rows + 1] = { ":" .. each, text:match "^(.-[.;])%s" or text }
      end
      show.table({ "command", "" }, rows)
      print "Anything else is Lua; ? before it takes back all that it does."
      return
    elseif command then
      print(show.bold(command.usage))
      return print(command.help)
    end
    md.help(name)
  end,
}
