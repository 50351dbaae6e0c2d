-- A folder in which a spec runs the program several times, one after another.
local support = require "spec.host.support"

local m = {}

local folder = {}
folder.__index = folder

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function folder:path(name)
  return self.root .. "/" .. name
end

function folder:write(name, text)
  local file = assert(io.open(self:path(name), "wb"))
  file:write(text)
  file:close()
end

--- The text of a file, nil when there is none.
function folder:read(name)
  local file = io.open(self:path(name), "rb")
  local text = file and file:read "a"
  if file then
    file:close()
  end
  return text
end

function folder:exists(name)
  return os.rename(self:path(name), self:path(name)) ~= nil
end

--- Runs a shell's command; the status.
function folder:shell(command)
  local _, _, status =
    os.execute(("cd %s && { %s\n}"):format(quote(self.root), command))
  return status
end

--- What a shell's command prints.
function folder:says(command)
  local pipe =
    assert(io.popen(("cd %s && %s"):format(quote(self.root), command)))
  local text = pipe:read "a"
  pipe:close()
  return text
end

--- Runs the program with these words, in the folder: {out=, err=, status=}.
--- `env` comes before it, `ulimit -v 100` for one with a semicolon behind.
function folder:run(words, env)
  local status = self:shell(
    ("%s timeout 120 %s %s </dev/null >.out 2>.err"):format(
      env or "",
      quote(support.program),
      words
    )
  )
  return { out = self:read ".out", err = self:read ".err", status = status }
end

--- Calls fn with a new folder, which is gone afterwards.
function m.folder(fn)
  local pipe = assert(io.popen "mktemp -d")
  local self = setmetatable(
    { root = pipe:read "l", program = quote(support.program) },
    folder
  )
  pipe:close()
  local results = table.pack(xpcall(fn, debug.traceback, self))
  os.execute("rm -rf " .. quote(self.root))
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

return m
