-- What the specs of moondial.ffi share.
local m = {}

--- refuses(pattern, fn, ...): fn(...) raises an error of kind native (or the
--- kind given before the pattern) whose message, behind its place, has the plain
--- text in it.
function m.refuses(text, fn, ...)
  local ok, why = pcall(fn, ...)
  assert(not ok, "expected an error, got none: " .. text)
  local message = tostring(why)
  assert(type(why) == "table" and why.kind == "native", message)
  assert(message:find(text, 1, true), message .. "\nexpected: " .. text)
  return message
end

return m
