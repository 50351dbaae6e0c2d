local report = require "moondial.report"

return {
  name = "stats",
  also = { "report" },
  usage = ":stats",
  help = [[What the run has come to so far, see md.report.
  :stats]],
  run = function()
    print(tostring(report.look()))
  end,
}
