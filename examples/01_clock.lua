-- A process and the clock. A process is a function that md.spawn starts. It
-- lives in virtual time, which passes only where the process says so: md.sleep
-- costs no real time at all. md.run() lets everything happen that is to
-- happen, and returns why it ended and the time.
local md = require "moondial"

local function visitor(name)
  print(md.now(), "hello, " .. name)
  md.sleep(2.5)
  print(md.now(), "still here, " .. name)
  md.sleep(86400)
  print(md.now(), "a day later")
end

md.spawn(visitor, "moon")

print(md.now(), "spawned, but nothing has happened yet")
print(md.run())

--[[ output
0.0	spawned, but nothing has happened yet
0.0	hello, moon
2.5	still here, moon
86402.5	a day later
done	86402.5
]]
