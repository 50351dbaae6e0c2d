-- Which process a person means: by name, or by the number in its pid.
local inside = require "moondial.inside"
local md = require "moondial"
local session = require "moondial.session"

local m = {}

local function names()
  local list = {}
  for i, pid in ipairs(md.processes()) do
    list[i] = m.label(pid)
    if i == 1000 then
      break
    end
  end
  return list
end

--- The pid of that name or number, nil when there is none.
function m.known(text)
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
  return md.whereis(text)
end

--- The same; nil after it has said that there is none.
function m.find(text)
  if text == "" then
    print "expected a process, by its name or number; :ps lists them"
    return nil
  end
  local pid = m.known(text)
  if not pid and session.failed_in == ("'%s'"):format(text) then
    print(
      ("'%s' failed at time %s; :back 1 goes to just before"):format(
        text,
        session.failed_at
      )
    )
  elseif not pid then
    local list = names()
    local near = list[1] and inside.nearest(text, list)
    print(
      ("there is no living process '%s'%s; :ps lists them"):format(
        text,
        near and (", perhaps '%s'"):format(near) or ""
      )
    )
  end
  return pid
end

--- How it is called, or was when it lived; in whichever sim.
function m.label(pid)
  local own, info = pcall(md.info, pid)
  return own and info.name or session.name(pid) or tostring(pid)
end

return m
