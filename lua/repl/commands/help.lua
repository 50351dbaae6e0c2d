local commands = require "repl.commands"
local show = require "repl.show"

return {
  name = "help",
  usage = ":help [command | function | topic]",
  help = [[The commands; or what there is to know about one, about a function
of the library (:help md.send) or about a topic (:help time).
  :help run]],
  completes = "command",
  run = function(rest)
    if rest == "" then
      local rows = {}
      for _, each in ipairs(commands.names()) do
        local text = commands.find(each).help:gsub("\n", " ")
        rows[#rows + 1] = { ":" .. each, text:match "^(.-)[.;:]%s" or text }
      end
      show.table({ "command", "" }, rows)
      print [[
A command's name may be cut short. Anything else is Lua: a line that only
looks changes nothing, ? before a line takes back what it does; help(x) is
about a value, Tab completes, Ctrl-C stops.]]
      return
    end
    require("repl.help").name(rest)
  end,
}
