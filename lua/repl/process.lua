-- Which process a person means: by name, or by the number in its pid.
local inside = require "moondial.inside"
local md = require "moondial"

local m = {}

--- The pid, or nil after it has said that there is none.
function m.find(text)
  for _, pid in ipairs(md.processes()) do
    local label, number = inside.label(pid), tostring(pid):match "[%d.]+"
    if
      label == "'" .. text .. "'"
      or number == text
      or tostring(pid) == text
    then
      return pid
    end
  end
  local named = md.whereis(text)
  if not named then
    print(("there is no living process '%s'; :ps lists them"):format(text))
  end
  return named
end

--- How it is called.
function m.label(pid)
  local info = md.info(pid)
  return info and info.name or tostring(pid)
end

return m
