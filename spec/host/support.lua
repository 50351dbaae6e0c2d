-- What specs share. `run` runs a model as a user would, in a program of its
-- own; `story` runs one inside of the spec and returns what it told.
local md = require "moondial"

local m = {}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The program that runs the spec, by a path that holds in every folder.
local program = os.getenv "MOONDIAL" or "build/moondial"
if program:sub(1, 1) ~= "/" then
  program = shell "pwd" .. "/" .. program
end
m.program = program

--- run(text [, options]) -> {out =, err =, status =, files =}
--- Runs the model `text` by our program in a new folder, which is the current
--- one of the run and is removed after it. Options, all of them optional:
--- `options` ("--seed 1", also "check"), `args` (the model's), `env` ("A=1"),
--- `name` (of the model's file), `stdin`, `files` ({name = text} beside the
--- model), `read` (a list of files whose texts are wanted back), `under`
--- (a folder below the new one, where all of it happens). A run of more than
--- two minutes ends with status 124.
function m.run(text, options)
  local o = options or {}
  local name = o.name or "model.lua"
  local root = shell "mktemp -d"
  local folder = root .. (o.under and "/" .. o.under or "")
  os.execute("mkdir -p " .. quote(folder))
  write(folder .. "/" .. name, text)
  write(root .. "/.stdin", o.stdin or "")
  for file, content in pairs(o.files or {}) do
    write(folder .. "/" .. file, content)
  end
  local _, _, status = os.execute(
    ("cd %s && env %s timeout 120 %s %s %s %s <%s >%s 2>%s"):format(
      quote(folder),
      o.env or "",
      quote(program),
      o.options or "",
      quote(name),
      o.args or "",
      quote(root .. "/.stdin"),
      quote(root .. "/.out"),
      quote(root .. "/.err")
    )
  )
  local result = {
    out = read(root .. "/.out"),
    err = read(root .. "/.err"),
    status = status,
    files = {},
  }
  for _, file in ipairs(o.read or {}) do
    result.files[file] = read(folder .. "/" .. file)
  end
  os.execute("rm -rf " .. quote(root))
  return result
end

local function shown(value)
  if math.type(value) == "float" then
    return ("%.12g"):format(value)
  end
  return tostring(value)
end

--- story([options,] fn) -> list of texts, the sim
--- Runs fn(say, sim) as the first process of a new sim, md.sim(options), to
--- its end. say(...) tells its arguments behind the time: {"0 a", "1.5 b"}. A
--- sim that does not end "done" tells how it ended in the last text; an error
--- that nobody caught is raised, unless options.failing is set: it is told.
function m.story(options, fn)
  if not fn then
    options, fn = {}, options
  end
  local failing = options.failing
  options.failing = nil
  local told = {}
  local sim = md.sim(options)
  local function say(...)
    local words = table.pack(...)
    for i = 1, words.n do
      words[i] = shown(words[i])
    end
    told[#told + 1] = shown(sim:now()) .. " " .. table.concat(words, " ")
  end
  sim:spawn(fn, say, sim)
  local ok, why = pcall(sim.run, sim)
  if not ok and not failing then
    error(why, 0)
  end
  if why ~= "done" then
    say("(" .. shown(why) .. ")")
  end
  return told, sim
end

--- closer(fn, ...) -> a value for a <close> variable, which calls fn(...).
function m.closer(fn, ...)
  local arguments = table.pack(...)
  return setmetatable({}, {
    __close = function()
      fn(table.unpack(arguments, 1, arguments.n))
    end,
  })
end

return m
