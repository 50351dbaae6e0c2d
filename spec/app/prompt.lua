-- Sessions at the prompt of a model, whose input is a file.
local image = require "spec.image.support"
local program = require("spec.host.support").program

local m = {}

--- Runs lines of input; what comes, and the status.
function m.session(f, lines, model, options)
  f:write("model.lua", model)
  f:write("input", table.concat(lines, "\n") .. "\n")
  local status = f:shell(
    ("timeout 60 %s repl %s model.lua <input >out 2>&1"):format(
      program,
      options or ""
    )
  )
  return f:read "out", status
end

--- The same in a folder of its own.
function m.try(lines, model)
  return image.folder(function(f)
    return m.session(f, lines, model)
  end)
end

function m.has(out, part)
  if not out:find(part, 1, true) then
    error(("%s\nis not in\n%s"):format(part, out), 2)
  end
end

return m
