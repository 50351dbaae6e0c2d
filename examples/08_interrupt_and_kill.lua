-- One process ends or disturbs another. md.interrupt raises an error in a
-- process where it blocks, which may catch it and go on; md.kill ends it, and
-- its pending <close> variables are closed, inner first. md.join waits for the
-- end: it returns what the process returned, or raises what ended it.
local md = require "moondial"

local function tool(name)
  return setmetatable({}, {
    __close = function()
      print(md.now(), name .. " put back")
    end,
  })
end

local function carpenter(hours)
  local saw <close> = tool "saw"
  local left, pauses = hours, 0
  while left > 0 do
    local started = md.now()
    local ok, err = pcall(md.sleep, left)
    left = left - (md.now() - started)
    if not ok then
      pauses = pauses + 1
      print(md.now(), "pause: " .. err.cause .. ", " .. left .. " to do")
      md.sleep(0.25)
    end
  end
  return "a table", pauses
end

local function foreman()
  local anna, ben = md.spawn(carpenter, 6), md.spawn(carpenter, 50)
  md.sleep(2)
  md.interrupt(anna, "a visitor")
  md.sleep(3)
  md.interrupt(anna, "lunch")
  local made, pauses = md.join(anna)
  print(md.now(), "anna made " .. made .. " with " .. pauses .. " pauses")
  print(md.now(), md.status(anna), md.status(ben))
  md.kill(ben, "the shop closes")
  local ok, err = pcall(md.join, ben)
  print(md.now(), ok, err.kind, err.reason)
  print(md.now(), md.status(ben))
end

md.spawn(foreman)

print(md.run())

--[[ output
2.0	pause: a visitor, 4.0 to do
5.0	pause: lunch, 1.25 to do
6.5	saw put back
6.5	anna made a table with 2 pauses
6.5	done	sleeping
6.5	saw put back
6.5	false	killed	the shop closes
6.5	failed
done	6.5
]]
