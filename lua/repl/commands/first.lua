local ahead = require "repl.ahead"
local md = require "moondial"
local session = require "moondial.session"

return {
  name = "first",
  usage = ":first expr",
  help = [[Goes back to the first event of the past that is kept after which the
expression was true.
  :first #md.waiting() > 3]],
  run = function(rest)
    local condition, why = ahead.condition(rest)
    if rest == "" or not condition then
      return print(why or "expected an expression")
    end
    local points, list = session.points(), {}
    for i = 2, #points do
      if points[i].events > points[i - 1].events then
        list[#list + 1] = "," .. points[i].events
      end
    end
    session.plan(
      "past",
      ("%d first %s %d %s"):format(
        points[1].events,
        table.concat(list),
        md.events(),
        rest
      )
    )
  end,
}
