-- What there is to know about a value or a name: commands, the library's
-- functions and topics, and the model's own functions with their comments.
local commands = require "repl.commands"
local md = require "moondial"
local session = require "moondial.session"
local show = require "repl.show"

local m = {}

-- What md.help prints of a topic; false when there is none.
local function topic(name)
  return (pcall(md.help, name))
end

-- -- functions -------------------------------------------------------------

-- The names in a table, or behind a metatable's __index, that are the value.
local function name_in(names, value)
  for name, each in next, names do
    if rawequal(each, value) and type(name) == "string" then
      return name
    end
  end
end

-- The table in which a metatable finds methods.
local function methods_of(meta)
  local index = rawget(meta, "__index")
  if type(index) == "function" then
    local _, behind = debug.getupvalue(index, 2)
    index = behind
  end
  return type(index) == "table" and index or {}
end

-- "md.send", "coroutine.wrap", "resource:acquire": what md.help knows it as.
local function name_of(fn)
  local name = name_in(md, fn)
  if name then
    return "md." .. name
  end
  for key, meta in next, debug.getregistry() do
    if type(key) == "string" and type(meta) == "table" then
      name = key:find "^md%." and name_in(methods_of(meta), fn)
      if name then
        return key:match "^md%.(.*)$" .. ":" .. name
      end
    end
  end
  for module, names in next, package.loaded do
    name = type(names) == "table" and name_in(names, fn)
    if name then
      return (module == "_G" and "" or module .. ".") .. name
    end
  end
end

local function lines_of(path)
  local file, lines = io.open(path), {}
  for line in file and file:lines() or function() end do
    lines[#lines + 1] = line
  end
  if file then
    file:close()
  end
  return lines
end

-- Where a function of the model is, and the comment above it.
local function own(fn)
  local info = debug.getinfo(fn, "Su")
  local lines = lines_of(info.source:match "^@(.*)$" or "")
  local first = info.linedefined
  while first > 1 and lines[first - 1] and lines[first - 1]:find "^%s*%-%-" do
    first = first - 1
  end
  print(
    show.bold(("%s:%d"):format(info.short_src, info.linedefined))
      .. ("  a function of %d argument%s"):format(
        info.nparams,
        info.nparams == 1 and "" or "s"
      )
  )
  local last = math.min(info.lastlinedefined, info.linedefined + 20)
  for i = first, last do
    if lines[i] then
      print("  " .. lines[i])
    end
  end
end

local function of_function(fn)
  local name = name_of(fn)
  if name and (topic(name) or topic(name:match "[%w_]+$")) then
    return
  elseif debug.getinfo(fn, "S").what ~= "C" then
    return own(fn)
  end
  print(
    name and ("'%s' is Lua's own; see its manual"):format(name)
      or "a function in C, which nothing is known of"
  )
end

-- -- anything -------------------------------------------------------------

--- On a command, "run" or ":run"; on a function or topic of the library.
function m.name(name)
  local colon, bare = name:match "^(:?)(.*)$"
  local command = commands.find(bare)
  if command and (colon ~= "" or command.name == bare) then
    m.command(command)
    if colon == "" and session.topic(bare) then
      print(show.faint(("a topic, too: md.help '%s'"):format(bare)))
    end
    return
  elseif colon ~= "" then
    return print(commands.missing(bare))
  elseif topic(name) then
    return
  elseif command then
    return m.command(command)
  end
  local _, why = pcall(md.help, name)
  print((tostring(why):gsub("^.-help: ", "")))
end

function m.command(command)
  print(show.bold(command.usage))
  print(command.help)
end

--- On a value, which may be a name.
function m.value(...)
  local x = ...
  local kind = type(x)
  if select("#", ...) == 0 then
    commands.run("help", "")
  elseif kind == "string" then
    m.name(x)
  elseif kind == "function" then
    of_function(x)
  elseif x == md then
    md.help()
  else
    local meta = debug.getmetatable(x)
    local name = type(meta) == "table" and rawget(meta, "__name")
    local short = type(name) == "string" and name:gsub("^md%.", "")
    if not (short and topic(short)) then
      print(("it is a %s: %s"):format(kind, show.value(x)))
    end
  end
end

return m
