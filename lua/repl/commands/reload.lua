local session = require "moondial.session"
local watched = require "repl.watched"

-- The modules that have changed since they were looked at, and the model's own
-- file, which may have.
local function changed()
  local list = {}
  for _, name in ipairs((watched.look())) do
    if name ~= session.script_name then
      list[#list + 1] = name
    end
  end
  list[#list + 1] = session.script_name
  return list
end

return {
  name = "reload",
  usage = ":reload [module | file | auto on | auto off]",
  help = [[Puts the code that a module, or a file, has now in the place of the
old one; the state stays, see :help md.reload. Without a name: of the model's
file, and of its modules that have changed. With auto on that is done before a
line, whenever one of these has changed.
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
    if rest == "" and session.script_name == "" then
      return print "there is no model; :load file.lua begins with one"
    end
    for _, name in ipairs(rest ~= "" and { rest } or changed()) do
      session.plan("line", ("md.reload(%q)"):format(name))
    end
  end,
}
