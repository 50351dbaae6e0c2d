local md = require "moondial"
local ahead = require "repl.ahead"
local show = require "repl.show"

return {
  name = "watch",
  usage = ":watch expr [for d]",
  help = [[Runs ahead for d units of time (to the end) and tells each value that
the expression takes, with its time. The run itself stays where it is.
  :watch served for 20]],
  run = function(rest)
    local text, d = rest:match "^(.-)%s+for%s+(%S+)$"
    text = text or rest
    local fn, why = ahead.expression(text)
    local duration = tonumber(d)
    if rest == "" or not fn then
      return print(rest ~= "" and why or "expected an expression")
    elseif d and not (duration and duration > 0) then
      return print(("expected a duration behind for, got '%s'"):format(d))
    end
    local limit = md.now() + (duration or math.huge)
    local ok, last = pcall(fn)
    local rows = { { show.time(md.now()), show.value(last) } }
    ahead.find({
      function()
        local _, value = pcall(fn)
        if value ~= last then
          last = value
          rows[#rows + 1] = { show.time(md.now()), show.value(value) }
        end
        return #rows >= 50
      end,
    }, function()
      local following = md.peek()
      return not following or following > limit
    end)
    if not ok then
      return show.fault(last)
    end
    show.table({ "time", text }, rows, { true })
  end,
}
