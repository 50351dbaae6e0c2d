local md = require "moondial"
local show = require "repl.show"

return {
  name = "signals",
  usage = ":signals [n]",
  help = [[The last n signals (20): what has happened.
  :signals 5]],
  run = function(rest)
    local n, list = tonumber(rest) or 20, {}
    for s in md.current():pull() do
      list[#list + 1] = s
    end
    local rows = {}
    for i = math.max(1, #list - n + 1), #list do
      local s, more = list[i], {}
      for key, value in pairs(s) do
        if key ~= "kind" and key ~= "time" and key ~= "pid" then
          more[#more + 1] = ("%s = %s"):format(key, show.value(value))
        end
      end
      table.sort(more)
      rows[#rows + 1] = {
        show.number(s.time),
        s.kind,
        s.pid and tostring(s.pid) or "",
        table.concat(more, ", "),
      }
    end
    show.table({ "time", "kind", "process", "" }, rows, { true })
  end,
}
