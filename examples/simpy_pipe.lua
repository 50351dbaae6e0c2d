-- SimPy's process communication, one to many. A sender puts each message into
-- the store of everybody who listens; each takes them out in its own time, and
-- sees by the time in it whether the message had to wait for him.
local md = require "moondial"

local horizon = 40

local function say(text, ...)
  print(("%4.1f " .. text):format(md.now(), ...))
end

-- A pipe: put(x) reaches all who have asked for an outlet before.
local function broadcast()
  local outlets, pipe = {}, {}
  function pipe.outlet()
    local store = md.store()
    table.insert(outlets, store)
    return store
  end
  function pipe.put(item)
    for _, store in ipairs(outlets) do
      store:put(item)
    end
  end
  return pipe
end

local function generator(name, pipe)
  local rng = md.rng()
  while true do
    md.sleep(rng:integer(6, 10))
    pipe.put({ sent = md.now(), text = name .. " says hello" })
  end
end

local function consumer(name, outlet)
  local rng = md.rng()
  while true do
    local message = outlet:get()
    if message.sent < md.now() then
      say("%s is late, since %.1f: %s", name, message.sent, message.text)
    else
      say("%s at once: %s", name, message.text)
    end
    md.sleep(rng:integer(4, 8))
  end
end

local pipe = broadcast()
md.spawn({ name = "A" }, generator, "A", pipe)
md.spawn({ name = "B" }, consumer, "B", pipe.outlet())
md.spawn({ name = "C" }, consumer, "C", pipe.outlet())
md.run(horizon)

--[[ output
 6.0 B at once: A says hello
 6.0 C at once: A says hello
16.0 B at once: A says hello
16.0 C at once: A says hello
22.0 B at once: A says hello
22.0 C at once: A says hello
28.0 B at once: A says hello
30.0 C is late, since 28.0: A says hello
38.0 B at once: A says hello
38.0 C at once: A says hello
]]
