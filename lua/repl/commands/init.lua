-- The commands of the prompt: one file each, which returns {name =, usage =,
-- help =, completes =, also = other names, run = function(rest)}. They run in a
-- copy of the program (src/app/repl.h): they print, and plan what is to be
-- done.
local inside = require "moondial.inside"
local session = require "moondial.session"

local m = {}

local all

local function load_all()
  if all then
    return all
  end
  all = {}
  for name in pairs(package.preload) do
    if name:find "^repl%.commands%." then
      local command = require(name)
      all[command.name] = command
    end
  end
  return all
end

--- The names of all, sorted.
function m.names()
  local names = {}
  for name in pairs(load_all()) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The command that others call so.
local function also(name)
  for _, command in pairs(load_all()) do
    for _, other in ipairs(command.also or {}) do
      if other == name then
        return command
      end
    end
  end
end

--- The command of that name, or whose name alone begins so.
function m.find(name)
  local list = load_all()
  if list[name] or also(name) then
    return list[name] or also(name)
  end
  local found
  for _, each in ipairs(m.names()) do
    if name ~= "" and each:sub(1, #name) == name then
      if found then
        return nil
      end
      found = list[each]
    end
  end
  return found
end

--- What is to be said of a name that is no command's, or of several.
function m.missing(name)
  local list = {}
  for _, each in ipairs(m.names()) do
    if name ~= "" and each:sub(1, #name) == name then
      list[#list + 1] = ":" .. each
    end
  end
  if #list > 1 then
    return ("':%s' could be %s"):format(name, table.concat(list, ", "))
  end
  local near = inside.nearest(name, m.names())
  return ("there is no command ':%s'; %s:help lists them"):format(
    name,
    near and ("did you mean ':%s'? "):format(near) or ""
  )
end

--- Runs the command of that name.
function m.run(name, rest)
  local command = m.find(name)
  if command and rest ~= "" and command.usage == ":" .. command.name then
    print(("%s takes nothing, got '%s'"):format(command.usage, rest))
  elseif command then
    command.run(rest)
  else
    session.plan("failed", "")
    print(m.missing(name))
  end
end

return m
