-- ffi.compile: a text of C becomes a shared library, once for each text. It is
-- kept by the hash of its text in the user's cache, and takes its place there
-- when it is whole.
local md = require "moondial"

local m = {}

local flags = "-O2 -shared -fPIC -x c"

--- Raises native at the model's line.
function m.fail(text, ...)
  error(md.failure("native", "compile: " .. text:format(...)), 0)
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

-- What a command says, without the line's end; nil when it fails.
local function output(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local text = pipe:read "a"
  return pipe:close() and text:gsub("%s+$", "") or nil
end

local function folder()
  local root = os.getenv "XDG_CACHE_HOME"
  if not root or root == "" then
    local home = os.getenv "HOME"
    if not home or home == "" then
      m.fail "expected a folder for libraries; set XDG_CACHE_HOME or HOME"
    end
    root = home .. "/.cache"
  end
  local path = root .. "/moondial"
  if not os.execute("mkdir -p " .. quote(path) .. " 2>/dev/null") then
    m.fail("cannot make the folder %s; set XDG_CACHE_HOME to another", path)
  end
  return path
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Compiles the text in a folder of its own below `cache`, which goes. There it
-- finds moondial.h.
local function build(text, cc, cache, target, header)
  local work = output("mktemp -d " .. quote(cache .. "/new.XXXXXX"))
  if not work then
    m.fail("cannot write in %s; set XDG_CACHE_HOME to another folder", cache)
  end
  local source, made = work .. "/inline.c", work .. "/inline.so"
  write(source, text)
  write(work .. "/moondial.h", header)
  local good = os.execute(
    ("%s %s -I%s %s -o %s -lm 2>%s"):format(
      cc,
      flags,
      quote(work),
      quote(source),
      quote(made),
      quote(work .. "/errors")
    )
  )
  good = good and os.rename(made, target)
  local errors = read(work .. "/errors") or ""
  os.execute("rm -rf " .. quote(work))
  if not good then
    -- the text has no name: its lines are those of the call
    errors = errors:gsub(work:gsub("%p", "%%%0") .. "/inline%.c", "text")
    m.fail("%s could not compile this:\n%s", cc, (errors:gsub("%s+$", "")))
  end
end

-- The text without comments, texts and lines for the preprocessor.
local function plain(text)
  text = text:gsub("\\\n", " "):gsub("/%*.-%*/", " "):gsub("//[^\n]*", "")
  text = text:gsub('"[^"\n]*"', '""'):gsub("'\\?[^\n]'", "0")
  return (("\n" .. text):gsub("\n[ \t]*#[^\n]*", "\n"))
end

-- What of a text of C can be declared: types, and the heads of the functions
-- that are not static.
function m.prototypes(text)
  local list, at = {}, 1
  text = plain(text)
  while true do
    local from, to, mark = text:find("([;{])", at)
    if not from then
      return table.concat(list, "\n")
    end
    local head = text:sub(at, from - 1)
    local hidden = (" " .. head):find "%f[%w_]static%f[^%w_]"
    if mark == "{" then
      to = select(2, text:find("%b{}", from)) or #text
      if head:find "%)%s*$" then
        list[#list + 1] = not hidden and head .. ";" or nil
      else -- a struct, union or enum, and what follows it
        to = text:find(";", to, true) or #text
        local whole = text:sub(at, to)
        list[#list + 1] = not hidden
            and not whole:find "[^=!<>]=[^=].-{"
            and whole
          or nil
      end
    elseif not (hidden and head:find "%(") then
      local constant = hidden and head:find "%f[%w_]const%f[^%w_]"
      local variable = head:gsub("=.*", "")
      list[#list + 1] = constant and head .. ";"
        or not hidden and variable .. ";"
        or nil
    end
    at = to + 1
  end
end

--- The library that a compiler makes of a text, as a path. `digest` tells texts
--- apart; `header` is moondial.h.
function m.library(text, digest, header)
  local cc = os.getenv "CC"
  cc = cc and cc ~= "" and cc or "cc"
  local cache = folder()
  local name = digest(table.concat({ cc, flags, header, text }, "\0"))
  local target = ("%s/%s.so"):format(cache, name)
  local file = io.open(target, "rb")
  if file then
    file:close()
  else
    build(text, cc, cache, target, header)
  end
  return target
end

return m
