local ahead = require "repl.ahead"
local md = require "moondial"
local print_results = require "repl.results"
local session = require "moondial.session"
local show = require "repl.show"

return {
  name = "branch",
  usage = ":branch d [expr]",
  help = [[What if it went on for d units of time: a copy does, and shows the
expression, or the report. The run itself stays where it is.
  :branch 100 #md.records "served"]],
  run = function(rest)
    local d, expr = rest:match "^(%S+)%s*(.*)$"
    local time = tonumber(d or "")
    if not time or time < 0 then
      return print(
        ("expected a duration and an expression, got '%s'"):format(rest)
      )
    end
    local fn, why
    if expr ~= "" then
      fn, why = ahead.expression(expr)
      if not fn then
        return print(why)
      end
    end
    session.mute(true)
    session.pass(ahead.ticks(md.now() + time))
    session.mute(false)
    if expr == "" then
      return print(tostring(md.report { print = false }))
    end
    local values = table.pack(pcall(fn))
    if values[1] then
      print_results(table.unpack(values, 2, values.n))
    else
      show.fault(values[2])
    end
  end,
}
