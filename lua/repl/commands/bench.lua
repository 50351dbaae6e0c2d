local count = require "repl.count"
local md = require "moondial"
local session = require "moondial.session"

return {
  name = "bench",
  usage = ":bench [n]",
  help = [[How fast the run would go on: a copy lets n events (a million) happen
and takes the real time.
  :bench 100000]],
  run = function(rest)
    local n = count(rest, 1000000, "a number of events")
    if not n then
      return
    end
    local before, start = md.events(), session.clock()
    session.mute(true)
    session.forward(n)
    session.mute(false)
    local done, seconds = md.events() - before, session.clock() - start
    if done == 0 then
      return print "there is nothing to do"
    end
    print(
      ("%d events in %.3f s: %.0f ns each, up to time %s"):format(
        done,
        seconds,
        seconds / done * 1e9,
        md.now()
      )
    )
  end,
}
