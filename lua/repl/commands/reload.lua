local session = require "moondial.session"
local watched = require "repl.watched"

return {
  name = "reload",
  usage = ":reload [module | file | auto on | auto off]",
  help = [[Puts the code that a module, or the model's file, has now in the
place of the old one; the state stays, see :help md.reload. With auto on that
is done before a line, whenever one of the model's files has changed.
  :reload
  :reload auto on]],
  completes = "file",
  run = function(rest)
    local auto = rest:match "^auto%s*(%a*)$"
    if auto == "on" then
      local _, n = watched.look()
      session.plan("auto", "on")
      return print(
        ("%d file%s looked at before each line"):format(
          n,
          n == 1 and " is" or "s are"
        )
      )
    elseif auto == "off" then
      session.plan("auto", "")
      return print "files are reloaded when you say so"
    elseif auto then
      return print(
        ("expected auto on or auto off; it is %s"):format(
          (session.get "auto" or "") ~= "" and "on" or "off"
        )
      )
    end
    local name = rest ~= "" and rest or session.script_name
    if name == "" then
      return print "there is no model; :load file.lua begins with one"
    end
    session.plan("line", ("md.reload(%q)"):format(name))
  end,
}
