-- The stack of a process that stands still.
local session = require "moondial.session"
local show = require "repl.show"

local m = {}

local function name_of(info)
  if info.what == "main" then
    return "the main chunk"
  elseif info.name then
    return ("%s '%s'"):format(
      info.namewhat ~= "" and info.namewhat or "function",
      info.name
    )
  end
  return ("the function at line %d"):format(info.linedefined)
end

local function print_locals(thread, level)
  for i = 1, 60 do
    local name, value = debug.getlocal(thread, level, i)
    if not name then
      return
    elseif not name:find "^%(" then
      print(("       %s = %s"):format(name, show.value(value)))
    end
  end
end

--- Prints the model's frames of a process, innermost first, with locals or not.
function m.print(pid, locals)
  local thread = session.thread(pid)
  if not thread then
    return print "it has ended"
  end
  local shown = 0
  for level = 0, 200 do
    local info = debug.getinfo(thread, level, "Slnf")
    if not info then
      break
    end
    if info.currentline > 0 and not info.source:find "^=%[md" then
      shown = shown + 1
      print(
        ("  %s  in %s"):format(
          show.bold(("%s:%d"):format(info.short_src, info.currentline)),
          name_of(info)
        )
      )
      if locals then
        print_locals(thread, level)
      end
    end
  end
  if shown == 0 then
    print "it has not started"
  end
end

return m
