local md = require "moondial"
local show = require "repl.show"

return {
  name = "time",
  usage = ":time",
  help = [[The virtual time, how many events there have been, when the next one
is due, and the hash of all.
  :time]],
  run = function()
    local following = md.peek()
    show.table({ "time", "events", "next", "hash" }, {
      {
        show.time(md.now()),
        tostring(md.events()),
        following and show.time(following) or "none",
        md.hash(),
      },
    })
  end,
}
