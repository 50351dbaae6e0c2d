local count = require "repl.count"
local process = require "repl.process"
local show = require "repl.show"
local signals = require "repl.signals"

local most_lanes <const>, lane <const>, margin <const> = 6, 11, 12

-- The last n messages, and the processes between which they went.
local function messages_of(n)
  local list, lanes, known = {}, {}, 0
  local all = signals.all()
  for i = #all, 1, -1 do
    local s = all[i]
    if s.kind == "SEND" and s.pid and s.to and #list < n then
      local new = lanes[s.pid] and 0 or 1
      if not lanes[s.to] and s.to ~= s.pid then
        new = new + 1
      end
      if known + new <= most_lanes then
        for _, pid in ipairs { s.pid, s.to } do
          if not lanes[pid] then
            known = known + 1
            lanes[pid], lanes[known] = known, pid
          end
        end
        table.insert(list, 1, s)
      end
    end
  end
  return list, lanes, known
end

local function arrow(from, to, most)
  local cells = {}
  for i = 1, most * lane do
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
    local n = count(rest, 20, "a number of messages")
    if not n then
      return
    end
    local list, lanes, most = messages_of(n)
    if most == 0 then
      return print "no process has sent a message"
    end
    local heads = {}
    for i = 1, most do
      local label = show.plain(process.label(lanes[i])):sub(1, lane - 1)
      heads[i] = label .. (" "):rep(lane - #label)
    end
    local heading = table.concat(heads):gsub(" +$", "")
    print((" "):rep(margin) .. show.bold(heading))
    for _, s in ipairs(list) do
      local line = arrow(lanes[s.pid], lanes[s.to], most)
      print((("%10s  %s"):format(show.time(s.time), line):gsub(" +$", "")))
    end
  end,
}
