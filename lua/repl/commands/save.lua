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
    local there = io.open(rest, "rb")
    local head = there and there:read(14)
    if there then
      there:close()
    end
    if head and head ~= "moondial image" then
      return print(
        ("%s is there, and no image; it is left as it is"):format(rest)
      )
    end
    session.plan("save", rest)
  end,
}
