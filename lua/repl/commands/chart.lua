local process = require "repl.process"
local show = require "repl.show"
local signals = require "repl.signals"

local most_lanes <const>, lane <const>, margin <const> = 6, 11, 12

-- The last n messages, and the processes between which they went.
local function messages_of(n)
  local list, lanes, count = {}, {}, 0
  local all = signals.all()
  for i = #all, 1, -1 do
    local s = all[i]
    if s.kind == "SEND" and s.pid and s.to and #list < n then
      local new = lanes[s.pid] and 0 or 1
      if not lanes[s.to] and s.to ~= s.pid then
        new = new + 1
      end
      if count + new <= most_lanes then
        for _, pid in ipairs { s.pid, s.to } do
          if not lanes[pid] then
            count = count + 1
            lanes[pid], lanes[count] = count, pid
          end
        end
        table.insert(list, 1, s)
      end
    end
  end
  return list, lanes, count
end

local function arrow(from, to, count)
  local cells = {}
  for i = 1, count * lane do
    cells[i] = (i - 1) % lane == 0 and "│" or " "
  end
  local a, b = (from - 1) * lane + 1, (to - 1) * lane + 1
  for i = math.min(a, b) + 1, math.max(a, b) - 1 do
    cells[i] = "─"
  end
  cells[b] = a < b and "▶" or a > b and "◀" or "↺"
  return table.concat(cells)
end

return {
  name = "chart",
  usage = ":chart [n]",
  help = [[The last n messages (20) between at most six processes, as a sequence
chart.
  :chart 10]],
  run = function(rest)
    local list, lanes, count = messages_of(math.tointeger(tonumber(rest)) or 20)
    if count == 0 then
      return print "no process has sent a message"
    end
    local heads = {}
    for i = 1, count do
      local label = process.label(lanes[i]):sub(1, lane - 1)
      heads[i] = label .. (" "):rep(lane - #label)
    end
    local heading = table.concat(heads):gsub(" +$", "")
    print((" "):rep(margin) .. show.bold(heading))
    for _, s in ipairs(list) do
      local line = arrow(lanes[s.pid], lanes[s.to], count)
      print((("%10s  %s"):format(show.number(s.time), line):gsub(" +$", "")))
    end
  end,
}
