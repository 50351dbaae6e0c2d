-- Reneging: whoever waits too long gives up, in three forms. Acquire with a
-- timeout gives nil; an await goes on with whatever is first, the place or some
-- other event (here a phone call); an interrupt from outside ends the wait as
-- well. In each the place in the line is given up, and the next moves up.
local md = require "moondial"

local sim = md.sim { precision = 0 }
local desk, call = sim:resource { name = "desk" }, sim:event()

local function say(text)
  print(md.now(), text)
end

local function serve(name, unit, minutes)
  local place <close> = unit
  say(name .. " is served")
  md.sleep(minutes)
end

sim:spawn(function()
  serve("anna", desk:acquire(), 10)
end)
sim:spawn(function()
  local place <close> = desk:acquire { timeout = 3 }
  say(place and "ben is served" or "ben has no patience left")
end)
sim:spawn(function()
  local first, unit = md.await(desk:acquiring() | call)
  if first == 2 then
    return say "carl is called away"
  end
  serve("carl", unit, 1)
end)
local dora = sim:spawn(function()
  local ok, err = pcall(desk.acquire, desk)
  say(ok and "dora is served" or "dora hears: " .. err.cause)
end)
sim:spawn(function()
  serve("eve", desk:acquire(), 1)
end)

sim:at(4, function()
  say("in the line: " .. desk.queue_length)
  call:succeed()
end)
sim:at(6, function()
  md.interrupt(dora, "we close early")
end)
sim:at(7, function()
  say("in the line: " .. desk.queue_length)
end)
print(sim:run())

--[[ output
0	anna is served
3	ben has no patience left
4	in the line: 3
4	carl is called away
6	dora hears: we close early
7	in the line: 1
10	eve is served
done	11
]]
