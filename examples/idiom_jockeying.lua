-- Jockeying: customers stand in one of two lines, and change to the other where
-- it is shorter by two. A condition tells that a line has become shorter: who
-- waits in one awaits his turn or the condition, and if he changes, the request
-- that lost has given up its place already.
local md = require "moondial"

local sim = md.sim { precision = 0 }
local left = sim:resource { name = "left" }
local right = sim:resource { name = "right" }
local shorter = sim:condition()

local function length(till)
  return till.used + till.queue_length
end

local function shortest()
  return length(right) < length(left) and right or left
end

local function say(name, text, till)
  print(md.now(), name .. " " .. text .. " " .. till.name)
end

local function serve(turn, minutes)
  local unit <close> = turn
  md.sleep(minutes)
end

local function customer(name, minutes)
  local till = shortest()
  local turn
  say(name, "stands at", till)
  repeat
    local function better()
      return length(shortest()) + 1 < length(till)
    end
    local first, what = md.await(till:acquiring() | shorter:waiting(better))
    if first == 1 then
      turn = what
    else
      till = shortest()
      say(name, "changes to", till)
    end
  until turn
  say(name, "is served", till)
  serve(turn, minutes)
  shorter:notify_all()
end

for i, minutes in ipairs { 9, 2, 9, 1, 3, 1 } do
  sim:spawn({ name = "customer " .. i }, customer, "customer " .. i, minutes)
end
print(sim:run())

--[[ output
0	customer 1 stands at left
0	customer 1 is served left
0	customer 2 stands at right
0	customer 2 is served right
0	customer 3 stands at left
0	customer 4 stands at right
0	customer 5 stands at left
0	customer 6 stands at right
2	customer 4 is served right
3	customer 6 is served right
3	customer 3 changes to right
4	customer 3 is served right
9	customer 5 is served left
done	13
]]
