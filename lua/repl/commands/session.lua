local session = require "moondial.session"

return {
  name = "session",
  usage = ":session [save file]",
  help = [[The lines that were executed, each with the event after which; with
save: as a file of input, moondial repl model.lua < file.
  :session]],
  completes = "file",
  run = function(rest)
    local path = rest:match "^save%s+(.+)$"
    local inputs = session.inputs()
    if not path and rest ~= "" then
      return print(
        ("expected save and a file, got '%s'; :session save file.txt"):format(
          rest
        )
      )
    elseif not path then
      for _, input in ipairs(inputs) do
        print(("%8d  %s"):format(input.events, input.text))
      end
      return
    end
    local file, why = io.open(path, "w")
    if not file then
      return print(why)
    end
    local done = 0
    if session.seed ~= 0 then
      file:write(":seed ", session.seed, "\n")
    end
    for _, input in ipairs(inputs) do
      if input.events > done then
        file:write(":run ", input.events - done, " events\n")
        done = input.events
      end
      file:write(input.text, "\n")
    end
    file:close()
    print(("saved: moondial repl %s < %s"):format(session.model, path))
  end,
}
