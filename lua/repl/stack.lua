-- The stack of a process that stands still.
local md = require "moondial"
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

-- The model's frames: {level =, info =}, innermost first.
local function frames_of(thread)
  local list = {}
  for level = 0, 200 do
    local info = debug.getinfo(thread, level, "Slnfu")
    if not info then
      break
    end
    if info.currentline > 0 and not info.source:find "^=%[md" then
      list[#list + 1] = { level = level, info = info }
    end
  end
  return list
end

local function print_frame(number, frame)
  local info = frame.info
  local place = ("%s:%d"):format(info.short_src, info.currentline)
  print(("%3d  %s  in %s"):format(number, show.bold(place), name_of(info)))
end

local function print_value(name, value)
  local indented = show.value(value):gsub("\n", "\n       ")
  print(("       %s = %s"):format(name, indented))
end

-- Calls fn with each local's name and value; how many there were.
local function each_local(thread, level, fn)
  local n = 0
  for i = 1, 250 do
    local name, value = debug.getlocal(thread, level, i)
    if not name then
      break
    elseif not name:find "^%(" then
      n = n + 1
      fn(name, value)
    end
  end
  return n
end

local function open(pid)
  local thread = session.thread(pid)
  local frames = thread and frames_of(thread)
  if not thread then
    local where = md.info(pid).where
    print(where and "in C: " .. where or "it has ended")
  elseif #frames == 0 then
    print "it has not started"
    return nil
  end
  return frames, thread
end

--- Prints the model's frames of a process, innermost first, with their locals.
function m.print(pid)
  local frames, thread = open(pid)
  for number, frame in ipairs(frames or {}) do
    print_frame(number, frame)
    each_local(thread, frame.level, print_value)
  end
end

--- Prints all that the frame of that number sees.
function m.locals(pid, number)
  local frames, thread = open(pid)
  local frame = frames and frames[number]
  if not frames then
    return
  elseif not frame then
    return print(
      ("expected a frame from 1 to %d, got %d"):format(#frames, number)
    )
  end
  print_frame(number, frame)
  local n = each_local(thread, frame.level, print_value)
  for i = 1, 250 do
    local name, value = debug.getlocal(thread, frame.level, -i)
    if not name then
      break
    end
    n = n + 1
    print_value("... " .. i, value)
  end
  for i = 1, frame.info.nups do
    local name, value = debug.getupvalue(frame.info.func, i)
    if name ~= "_ENV" and name ~= "" then
      n = n + 1
      print_value(name .. show.faint " (upvalue)", value)
    end
  end
  if n == 0 then
    print "       no locals"
  end
end

return m
