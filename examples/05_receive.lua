-- Several kinds of message. md.receive tries each message against its clauses,
-- in order: literals must be equal, md._ and md.is.* capture a value, and the
-- function gets what was captured and the rest. `after` is what happens when no
-- message came in time. A lamp on a staircase is switched on by anybody, goes
-- out by itself after 30, can be dimmed while it burns, and ends when it is
-- told to.
local md = require "moondial"

local function say(...)
  print(md.now(), ...)
end

local function lamp()
  local lit, ended = false, false

  local function light(who)
    say((lit and "stays on for " or "on for ") .. who)
    lit = true
  end
  local function dim(level)
    say("at " .. level .. " %")
  end
  local function puzzle(what)
    say("no level: " .. tostring(what))
  end
  local function stop()
    ended = true
  end
  local function darken()
    say "off"
    lit = false
  end

  while not ended do
    md.receive {
      { "on", md._, light },
      { "dim", md.is.number, dim },
      { "dim", md._, puzzle },
      { "stop", stop },
      after = { lit and 30 or 1e6, darken },
    }
  end
  say "taken down"
end

local bulb = md.spawn(lamp)

md.send_at(10, bulb, "on", "anna")
md.send_at(25, bulb, "on", "ben")
md.send_at(40, bulb, "dim", 60)
md.send_at(41, bulb, "dim", "a bit")
local never = md.send_at(60, bulb, "on", "carl")
md.send_at(100, bulb, "stop")

md.at(50, function()
  never:cancel()
end)

print(md.run())

--[[ output
10.0	on for anna
25.0	stays on for ben
40.0	at 60 %
41.0	no level: a bit
71.0	off
100.0	taken down
done	100.0
]]
