-- What a word at the cursor could become.
local commands = require "repl.commands"
local inside = require "moondial.inside"
local md = require "moondial"
local session = require "moondial.session"

local m = {}

local keywords = {}
for word in
  ([[and break do else elseif end false for function goto if in local nil not
  or repeat return then true until while]]):gmatch "%a+"
do
  keywords[#keywords + 1] = word
end

-- A table behind a value's metatable that has its names as keys, nil for none.
local function behind(value)
  local meta = debug.getmetatable(value)
  local index = type(meta) == "table" and rawget(meta, "__index")
  if type(index) == "function" and type(value) == "userdata" then
    index = select(2, debug.getupvalue(index, 2)) -- a thing's are with it
  end
  return type(index) == "table" and index or nil
end

-- The names in a value: its fields, and those behind its metatable; or those
-- that are listed there.
local function names_in(value, add)
  local meta = debug.getmetatable(value)
  local listed = type(meta) == "table" and rawget(meta, "names")
  if type(listed) == "table" then
    for _, name in ipairs(listed) do
      add(name)
    end
    return
  end
  for _ = 1, 5 do
    for key in next, type(value) == "table" and value or {} do
      if type(key) == "string" and key:find "^[%a_][%w_]*$" then
        add(key)
      end
    end
    value = behind(value)
    if value == nil then
      return
    end
  end
end

local function value_of(path)
  local fn = session.load(path)
  local ok, value = pcall(fn or error)
  return ok and value or nil
end

local function globals(add)
  names_in(_G, add)
  names_in(md, add)
  for name in pairs(require("moondial.core")) do
    add(name)
  end
  for _, word in ipairs(keywords) do
    add(word)
  end
end

local function processes(add)
  for _, pid in ipairs(md.processes()) do
    add(inside.label(pid):match "^'(.*)'$" or tostring(pid):match "[%d.]+")
  end
  for _, name in ipairs(md.registered()) do
    add(name)
  end
end

local function files(word, add)
  local folder, start = word:match "^(.-)([^/]*)$"
  local quoted = (folder == "" and "." or folder):gsub("'", "'\\''")
  local list = io.popen(("ls -1p -- '%s' 2>/dev/null"):format(quoted))
  for name in list:lines() do
    if name:sub(1, #start) == start then
      add(folder .. name)
    end
  end
  list:close()
end

--- Plans a candidate for each completion of the word that ends the text.
function m.run(text)
  local word = session.get "completing" or ""
  local before = text:sub(1, #text - #word)
  local found, list = {}, {}
  local function add(name)
    if name:sub(1, #word) == word and not found[name] then
      found[name] = true
      list[#list + 1] = name
    end
  end
  local command = before:match "^%s*:(%a+)%s"
  local path, separator = word:match "^(.-)([.:])[%w_]*$"
  if word:find "^:" and not before:find "%S" then
    for _, name in ipairs(commands.names()) do
      add(":" .. name)
    end
  elseif command then
    local wants = commands.find(command)
    wants = wants and wants.completes
    if wants == "process" then
      processes(add)
    elseif wants == "file" then
      files(word, add)
    elseif wants == "command" then
      for _, name in ipairs(commands.names()) do
        add(name)
      end
    else
      globals(add)
    end
  elseif path and path ~= "" then
    names_in(value_of(path), function(name)
      add(path .. separator .. name)
    end)
  else
    globals(add)
  end
  table.sort(list)
  for _, name in ipairs(list) do
    session.plan("candidate", name)
  end
end

return m
