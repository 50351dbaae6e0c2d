local again = require "repl.again"
local md = require "moondial"

return {
  name = "seed",
  usage = ":seed [n]",
  help = [[The seed; with a number: begins anew with that.
  :seed 7]],
  run = function(rest)
    if rest == "" then
      return print(md.seed())
    elseif not math.tointeger(tonumber(rest)) then
      return print(("expected an integer, got '%s'"):format(rest))
    end
    again.with("--seed", rest, again.model())
  end,
}
