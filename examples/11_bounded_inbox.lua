-- Room for so many. A process can bound its inbox. Then a sender waits until
-- there is room (on_full = "block"), or loses its message ("drop"), or gets an
-- error ("error"). Two machines in a line: the first makes a part a minute, the
-- second needs three minutes for each and has room for two parts in front of
-- it, so that the first is soon blocked.
local md = require "moondial"

local function finish()
  for _ = 1, 5 do
    local part = md.wait "part"
    md.sleep(3)
    print(md.now(), "part " .. part .. " is finished")
  end
end

local function make(second)
  for part = 1, 5 do
    md.sleep(1)
    local made = md.now()
    md.send(second, "part", part)
    local blocked = md.now() - made
    print(md.now(), "part " .. part .. " handed on, blocked " .. blocked)
  end
end

md.spawn(make, md.spawn({ inbox = 2 }, finish))
print(md.run())

for _, policy in ipairs { "drop", "error" } do
  local sim = md.sim {}
  sim:spawn(function()
    local idler = md.spawn({ inbox = 1, on_full = policy }, md.sleep, 1)
    md.send(idler, "first")
    local ok, err = pcall(md.send, idler, "second")
    print(policy, ok, ok and md.inbox(idler) or err.kind)
  end)
  sim:run()
end

--[[ output
1.0	part 1 handed on, blocked 0.0
2.0	part 2 handed on, blocked 0.0
3.0	part 3 handed on, blocked 0.0
4.0	part 1 is finished
4.0	part 4 handed on, blocked 0.0
7.0	part 2 is finished
7.0	part 5 handed on, blocked 2.0
10.0	part 3 is finished
13.0	part 4 is finished
16.0	part 5 is finished
done	16.0
drop	true	1
error	false	overflow
]]
