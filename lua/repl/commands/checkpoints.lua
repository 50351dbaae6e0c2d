local session = require "moondial.session"
local show = require "repl.show"

return {
  name = "checkpoints",
  usage = ":checkpoints [name]",
  help = [[The states of the past that are kept; with a name: keeps this one,
for md.rewind.
  :checkpoints before]],
  run = function(rest)
    if rest ~= "" then
      return session.plan("checkpoint", rest)
    end
    local rows = {}
    for i, point in ipairs(session.points()) do
      rows[i] = {
        show.time(point.time),
        tostring(point.events),
        point.name or "",
      }
    end
    show.table({ "time", "events", "name" }, rows, { true, true })
  end,
}
