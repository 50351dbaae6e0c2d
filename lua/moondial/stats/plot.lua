-- A line plot of a list of numbers.
local argument = require "moondial.argument"
local canvas = require "moondial.stats.canvas"
local object = require "moondial.stats.object"
local text = require "moondial.stats.text"

local m = {}

local options = {
  { "width", text.columns_kind },
  {
    "height",
    {
      "an integer from 2 to 40",
      function(x)
        return math.type(x) == "integer" and x >= 2 and x <= 40
      end,
    },
  },
}

--- stats.plot(list [, options]) -> text
--- The numbers of a list as a curve in braille characters, one beside the next,
--- with their extremes and their places. The options: `width`, in columns, 20
--- to 80 (72), and `height`, in lines, 2 to 40 (10), without the two of the
--- axis. Raises usage for another option, for an empty list and for what is no
--- finite number.
---   print(md.stats.plot({ 1, 4, 9, 16, 25 }, { width = 40, height = 5 }))
function m.plot(list, given)
  object.list("plot", list, 1)
  local o = argument.options("plot", given, options)
  local places = {}
  for i = 1, #list do
    places[i] = i
  end
  return canvas.curve(places, list, o.width or 72, o.height or 10)
end

return m
