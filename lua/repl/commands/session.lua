local again = require "repl.again"
local session = require "moondial.session"

-- What lets the run go on to where a line was executed: the clock may have been
-- behind the last event.
local function way_to(input, done)
  if input.quiet then
    return (":run %.17g"):format(input.time)
  elseif input.events > done then
    return (":run %d events"):format(input.events - done)
  end
end

-- How a saved session begins; a comment does nothing at the prompt.
local title <const> = "-- A session at the prompt: "

local function write(file, words, inputs)
  local done, way = 0, nil
  file:write(title, words, "\n")
  if session.seed ~= 0 then
    file:write(":seed ", session.seed, "\n")
  end
  for _, input in ipairs(inputs) do
    local new = way_to(input, done)
    local begun = input.events > 0 or input.time > 0
    if begun and new and new ~= way then
      file:write(new, "\n")
      way = new
    end
    done = input.after
    file:write(input.text, "\n")
  end
end

-- There is a file, and it is no session that was saved.
local function refused(path)
  local file = io.open(path)
  local head = file and file:read(#title) or title
  if file then
    file:close()
  end
  return head ~= title
end

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
      if #inputs == 0 then
        return print "no line has been executed"
      end
      for _, input in ipairs(inputs) do
        print(("%8d  %s"):format(input.events, input.text))
      end
      return
    end
    if refused(path) then
      return print(("%s is no session; it is left as it is"):format(path))
    end
    local file, why = io.open(path, "w")
    if not file then
      return print(why)
    end
    local words = "moondial repl " .. table.concat({ again.model() }, " ")
    words = words .. " < " .. path
    write(file, words, inputs)
    file:close()
    print("saved: " .. words)
  end,
}
