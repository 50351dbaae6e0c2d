-- What the specs of moondial.ffi share.
local m = {}

--- refuses(text, fn, ...): fn(...) raises an error of kind native whose message
--- has the plain text in it. Returns the message.
function m.refuses(text, fn, ...)
  local ok, why = pcall(fn, ...)
  assert(not ok, "expected an error, got none: " .. text)
  local message = tostring(why)
  assert(type(why) == "table" and why.kind == "native", message)
  assert(message:find(text, 1, true), message .. "\nexpected: " .. text)
  return message
end

return m
