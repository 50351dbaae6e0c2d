-- The files of the model and its modules, and whether they have changed since
-- they were looked at last.
local session = require "moondial.session"

local m = {}

-- {name = for md.reload, path =} of each.
local function files()
  local list = {}
  if session.script ~= "" then
    list[1] = { name = session.script_name, path = session.script }
  end
  local names = {}
  for name in pairs(package.loaded) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = not package.preload[name]
      and package.searchpath(name, package.path)
    if path then
      list[#list + 1] = { name = name, path = path }
    end
  end
  return list
end

-- What is known of them: a stamp by path.
local function stamps()
  local list = {}
  local text = session.get "stamps" or ""
  for path, stamp in text:gmatch "([^\n]*)\n([^\n]*)\n" do
    list[path] = stamp
  end
  return list
end

--- Remembers how they are now: the names of those that have changed since they
--- were known, and how many there are.
function m.look()
  local old, text, changed, list = stamps(), {}, {}, files()
  for _, file in ipairs(list) do
    local stamp = session.stamp(file.path) or old[file.path] or ""
    if old[file.path] and old[file.path] ~= stamp then
      changed[#changed + 1] = file.name
    end
    text[#text + 1] = file.path .. "\n" .. stamp .. "\n"
  end
  session.plan("stamps", table.concat(text))
  return changed, #list
end

return m
