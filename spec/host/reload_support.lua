-- What the specs of md.reload share: a program whose module, or itself, is
-- given a new text while it runs.
local support = require "spec.host.support"

local m = {}

local prelude = [[
local md = require "moondial"
local function become(text, file)
  local out = assert(io.open(file or "mod.lua", "w"))
  out:write(text)
  out:close()
end
local function text_of(n)
  return io.open("mod" .. n .. ".lua"):read "a"
end
local function turn(n)
  become(text_of(n))
  return md.reload "mod"
end
local function names(list)
  local texts = {}
  for i, it in ipairs(list) do
    texts[i] = it.name .. ((it.count or 1) > 1 and "*" .. it.count or "")
  end
  return table.concat(texts, " ")
end
local function try(fn, ...)
  local ok, e = pcall(fn, ...)
  local ours = type(e) == "table"
  print(ok, ours and e.kind, ours and e.message or e)
end
]]

--- module(texts, model [, options]) -> what the model prints
--- Runs the model beside the module mod.lua, which is texts[1]; in the model
--- turn(n) reloads it as texts[n]. `become(text, file)`, `names(list)` and
--- `try(fn, ...)` are there as well.
function m.module(texts, model, options)
  options = options or {}
  options.files = options.files or {}
  options.files["mod.lua"] = texts[1]
  for n, text in ipairs(texts) do
    options.files["mod" .. n .. ".lua"] = text
  end
  local result = support.run(prelude .. model, options)
  return (result.err .. result.out):gsub("\n$", "")
end

--- main(first, second [, options]) -> what it prints
--- Runs a main file that is `first` and, from reload() on, `second`.
function m.main(first, second, options)
  options = options or {}
  options.files = { ["second.lua"] = second }
  local text = [[
local md = require "moondial"
function reload()
  local out = assert(io.open("model.lua", "w"))
  out:write(io.open("second.lua"):read "a")
  out:close()
  return md.reload "model.lua"
end
]] .. first
  local result = support.run(text, options)
  return (result.err .. result.out):gsub("\n$", "")
end

return m
