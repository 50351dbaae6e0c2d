-- Small plots of what a line has given.
local md = require "moondial"
local session = require "moondial.session"

local m = {}

-- A list of enough finite numbers for a curve.
local function is_series(x)
  local n = type(x) == "table" and not getmetatable(x) and rawlen(x) or 0
  for i = 1, n do
    local y = rawget(x, i)
    if type(y) ~= "number" or y ~= y or math.abs(y) == math.huge then
      return false
    end
  end
  return n >= 8 and next(x, n) == nil
end

--- A small plot of a distribution or a series; nil for what is none.
function m.of(x)
  local width = math.max(20, math.min(72, session.width - 2))
  if is_series(x) then
    return md.stats.plot(x, { width = width, height = 4 })
  end
  local meta = debug.getmetatable(x)
  local kind = type(meta) == "table" and rawget(meta, "__name")
  if type(kind) ~= "string" then
    return nil
  end
  local found, plot = pcall(function()
    return x.plot
  end)
  local drawn, text = pcall(found and plot or error, x, width)
  return drawn and type(text) == "string" and text or nil
end

return m
