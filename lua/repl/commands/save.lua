local session = require "moondial.session"

return {
  name = "save",
  usage = ":save file",
  help = [[Saves the whole program as an image: moondial repl file goes on
there, and so do :load and moondial resume.
  :save run.mdi]],
  completes = "file",
  run = function(rest)
    if rest == "" then
      return print "expected a file, :save run.mdi"
    end
    session.plan("save", rest)
  end,
}
