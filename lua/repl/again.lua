-- Beginning anew: the program in another one's place.
local session = require "moondial.session"
local show = require "repl.show"

local m = {}

-- Whether a model can begin; false, said, when it is no program. An image is
-- looked at by whoever opens it.
local function loads(path)
  local file = io.open(path, "rb")
  local head = file and file:read(14)
  if file then
    file:close()
  end
  if head == "moondial image" then
    return true
  end
  local fn, why = loadfile(path, "t")
  if not fn then
    show.fault(why)
  end
  return fn ~= nil
end

--- Plans a new session with these words of the command line; one of a model
--- that cannot be loaded does not begin.
function m.with(...)
  local words = { ... }
  for i, word in ipairs(words) do
    local option = word:find "^%-%-" or (words[i - 1] or ""):find "^%-%-"
    if not option then
      if not loads(word) then
        return
      end
      break
    end
  end
  m.plan(...)
end

function m.plan(...)
  local words = {}
  for _, word in ipairs { "repl", ... } do
    words[#words + 1] = ("word %d:%s\n"):format(#word, word)
  end
  session.plan("exec", table.concat(words))
end

--- The model and its arguments.
function m.model()
  local words = { session.model }
  for _, word in ipairs(arg or {}) do
    words[#words + 1] = word
  end
  return table.unpack(words[1] == "" and {} or words)
end

return m
