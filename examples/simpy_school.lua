-- SimPy's school. The bell is an event; it happens once, so each hour has a
-- bell of its own, and all who wait for it go on at once.
local md = require "moondial"

local function school(class)
  for _ = 1, 2 do
    md.sleep(45)
    class.bell:succeed "the bell rings"
    class.bell = md.event()
  end
end

local function pupil(name, class)
  for _ = 1, 2 do
    local what = md.await(class.bell)
    print(md.now(), name .. ": " .. what .. " \\o/")
  end
end

local sim = md.sim { precision = 0, unit = "min" }
local class = { bell = sim:event() }
sim:spawn(school, class)
for _, name in ipairs { "anna", "ben", "carl" } do
  sim:spawn(pupil, name, class)
end
print(sim:run())

--[[ output
45	anna: the bell rings \o/
45	ben: the bell rings \o/
45	carl: the bell rings \o/
90	anna: the bell rings \o/
90	ben: the bell rings \o/
90	carl: the bell rings \o/
done	90
]]
