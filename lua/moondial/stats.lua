-- Statistics of what a model does: a noun a file in stats/.
local argument = require "moondial.argument"
local inside = require "moondial.inside"

local confidence = require "moondial.stats.confidence"

local stats = {
  batch_means = require("moondial.stats.batch_means").batch_means,
  compare = confidence.compare,
  confidence = confidence.confidence,
  histogram = require("moondial.stats.histogram").histogram,
  level = require("moondial.stats.level").level,
  plot = require("moondial.stats.plot").plot,
  quantiles = require("moondial.stats.quantiles").quantiles,
  tally = require("moondial.stats.tally").tally,
  warmup = require("moondial.stats.warmup").warmup,
}

local names = {}
for name in pairs(stats) do
  names[#names + 1] = name
end
table.sort(names)

setmetatable(stats, {
  __index = function(_, name)
    name = tostring(name)
    local text = "there is no '%s'; %s"
    argument.refuse("stats", text:format(name, inside.suggest(name, names)))
  end,
})

return { stats = stats }
