-- The model's text.
local session = require "moondial.session"

local m = {}

--- The line that an error's text names, as it is in the file.
function m.line(text)
  local path, line = text:match "^([^\n:]+):(%d+):"
  local folder = session.model:match "^(.*/)[^/]*$" or ""
  local file = path and (io.open(folder .. path) or io.open(path))
  if not file then
    return nil
  end
  local n = 0
  for each in file:lines() do
    n = n + 1
    if n == math.tointeger(line) then
      file:close()
      return ("%6d │ %s"):format(n, each)
    end
  end
  file:close()
end

return m
