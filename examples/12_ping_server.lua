-- A server. It has a handler for each kind of message: what the patterns match
-- is stripped, and the handler gets the rest. A client is launched: its inbox
-- holds "start" already, so its handler of "start" needs nobody to begin.
local md = require "moondial"

local ping = md.server()

ping:handle("ping", function(from, ref)
  md.sleep(0.5)
  md.reply(from, ref, "pong")
end)

ping:handle("echo", md.is.string, function(word, times)
  print(md.now(), word:rep(times, " "))
end)

ping:otherwise(function(...)
  print(md.now(), "what is this?", ...)
end)

local server = ping:spawn()

local client = md.server()

client:handle("start", function(name, pings)
  for i = 1, pings do
    local answer = md.ask(server, "ping")
    print(md.now(), name, i, answer)
  end
  md.exit()
end)

client:launch("anna", 2)
client:launch({ after = 0.75 }, "ben", 1)

md.send_at(3, server, "echo", "hello", 3)
md.send_at(4, server, "echo", 5)

-- a handler may be added, or replaced, while the server runs
md.at(5, function()
  ping:handle("echo", md.is.integer, function(n)
    print(md.now(), "a number: " .. n)
  end)
end)
md.send_at(6, server, "echo", 7)

print(md.run())

--[[ output
0.5	anna	1	pong
1.0	anna	2	pong
1.5	ben	1	pong
3.0	hello hello hello
4.0	what is this?	echo	5
6.0	a number: 7
idle	6.0
]]
