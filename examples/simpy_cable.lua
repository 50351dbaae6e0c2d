-- SimPy's latency cable. What goes in comes out ten later, however much is on
-- its way: send_after is a message that takes its time, so that a cable needs
-- neither a process nor a store.
local md = require "moondial"

local delay, horizon = 10, 60

local function sender(receiver)
  while true do
    md.sleep(5)
    md.send_after(delay, receiver, "sent at " .. md.now())
  end
end

local function receiver()
  while true do
    local text = md.wait(md.is.string)
    print(md.now(), text)
  end
end

md.spawn(sender, md.spawn(receiver))
print(md.run(horizon))

--[[ output
15.0	sent at 5.0
20.0	sent at 10.0
25.0	sent at 15.0
30.0	sent at 20.0
35.0	sent at 25.0
40.0	sent at 30.0
45.0	sent at 35.0
50.0	sent at 40.0
55.0	sent at 45.0
60.0	sent at 50.0
time	60.0
]]
