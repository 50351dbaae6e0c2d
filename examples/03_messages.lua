-- Messages. A message is a list of values; md.send puts it into the inbox of a
-- process and goes on at once. md.wait takes the first message that begins as
-- asked, whatever arrived before it, and returns the rest of it; what does not
-- match stays in the inbox, in order. When nothing is scheduled any more but
-- somebody still waits, the run ends as "idle".
local md = require "moondial"

local function cook()
  while true do
    local dish, table_number = md.wait "order"
    print(md.now(), "cooking " .. dish .. ", " .. md.inbox() .. " more wait")
    md.sleep(10)
    md.send("waiter", "ready", dish, table_number)
  end
end

local function waiter()
  md.send("cook", "order", "soup", 1)
  md.send("cook", "order", "fish", 2)
  md.send("cook", "order", "tart", 1)
  local dish = md.wait("ready", md._, 2)
  print(md.now(), "table 2 is served first: " .. dish)
  for _ = 1, 2 do
    local another, table_number = md.wait "ready"
    print(md.now(), "table " .. table_number .. " gets its " .. another)
  end
end

md.register("cook", md.spawn(cook))
md.register("waiter", md.spawn(waiter))

print(md.run())
for _, p in ipairs(md.current():waiting()) do
  print(p.where, p.name .. " waits for " .. p.waiting)
end

--[[ output
0.0	cooking soup, 2 more wait
10.0	cooking fish, 1 more wait
20.0	cooking tart, 0 more wait
20.0	table 2 is served first: fish
20.0	table 1 gets its soup
30.0	table 1 gets its tart
idle	30.0
03_messages.lua:10	process 1 waits for a message that begins with 'order'
]]
