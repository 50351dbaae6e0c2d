-- A schedule of capacity: two clerks from nine to twelve, one at noon, three in
-- the afternoon, none after five. A process sets it. Who is being served at the
-- change is served to the end: units that are held stay so.
local md = require "moondial"

local sim = md.sim { precision = 2, unit = "h" }
local desk = sim:resource { capacity = 0, name = "desk" }

local schedule = {
  { at = 9, clerks = 2 },
  { at = 12, clerks = 1 },
  { at = 13, clerks = 3 },
  { at = 17, clerks = 0 },
}

sim:spawn(function()
  for _, change in ipairs(schedule) do
    md.sleep_until(change.at)
    desk:set_capacity(change.clerks)
    local text = "%5.2f %d clerks, %d at work, %d wait"
    print(text:format(md.now(), change.clerks, desk.used, desk.queue_length))
  end
end)

-- One every 15 minutes from half past eight, 40 minutes each.
sim:spawn(function()
  for came in md.every(0.25, { start = 8.5, count = 32 }) do
    md.spawn(function()
      local place <close> = desk:acquire { timeout = 1.5 }
      if not place then
        print(("%5.2f gone, came at %5.2f"):format(md.now(), came))
        return
      end
      md.sleep(0.66)
    end)
  end
end)
print(sim:run())
print("served", desk.served)

--[[ output
 9.00 2 clerks, 2 at work, 0 wait
12.00 1 clerks, 2 at work, 4 wait
12.75 gone, came at 11.25
13.00 3 clerks, 3 at work, 3 wait
17.00 0 clerks, 2 at work, 0 wait
done	17.62
served	31
]]
