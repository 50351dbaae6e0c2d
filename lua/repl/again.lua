-- Beginning anew: the program in another one's place.
local session = require "moondial.session"

local m = {}

--- Plans a new session with these words of the command line.
function m.with(...)
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
