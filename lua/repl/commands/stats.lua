local md = require "moondial"

return {
  name = "stats",
  usage = ":stats",
  help = [[What the run has come to so far, see md.report.
  :stats]],
  run = function()
    print(tostring(md.report { print = false }))
  end,
}
