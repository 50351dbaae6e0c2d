local again = require "repl.again"

return {
  name = "load",
  usage = ":load file",
  help = [[Goes on with an image, or begins with another model.
  :load run.mdi]],
  completes = "file",
  run = function(rest)
    if rest == "" then
      return print "expected a file, :load model.lua or :load run.mdi"
    end
    local file = io.open(rest)
    if not file then
      return print(("there is no file '%s'"):format(rest))
    end
    file:close()
    again.with(rest)
  end,
}
