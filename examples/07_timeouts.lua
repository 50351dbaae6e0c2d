-- Timeouts. A function with timeout in its name raises an error of the kind
-- "timeout" when the time is over; md.join takes the timeout as an argument,
-- and returns nil and "timeout" then. A reply that comes too late is never
-- taken for the answer to a later question, since it bears another ref.
local md = require "moondial"

local function oracle()
  for _, delay in ipairs { 5, 2, 1 } do
    local from, ref, question = md.wait "ask"
    md.sleep(delay)
    md.reply(from, ref, "the answer to " .. question)
  end
  return "tired"
end

local function pilgrim(temple)
  for _, question in ipairs { "why", "when" } do
    local ok, answer = pcall(md.ask_timeout, 3, temple, "ask", question)
    print(md.now(), ok, ok and answer or answer.kind)
  end

  -- any code that blocks can be given a limit
  local ok, err = pcall(md.timeout, 4, function()
    local answer = md.ask(temple, "ask", "who")
    print(md.now(), answer)
    md.sleep(100)
  end)
  print(md.now(), ok, tostring(err))

  print(md.now(), md.join(temple, 1)) -- it has ended already

  local sleeper = md.spawn(md.sleep, 100)
  local result, why = md.join(sleeper, 1)
  print(md.now(), result, why)
end

md.spawn(pilgrim, md.spawn(oracle))

print(md.run())

--[[ output
3.0	false	timeout
6.0	false	timeout
8.0	the answer to who
10.0	false	07_timeouts.lua:23: timeout: the time limit is over
10.0	tired
11.0	nil	timeout
done	110.0
]]
