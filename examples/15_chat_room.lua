-- A chat room: a server that knows who is there, and tells them what each says.
-- Who is silent for more than 10 is shown out. The guests are kept in a list,
-- in the order in which they came: that of pairs would be nobody's.
local md = require "moondial"

local room = md.server() -- its state is a list of {name =, pid =, heard =}

local function tell_others(name, text)
  for _, guest in ipairs(room.state) do
    if guest.name ~= name then
      md.send(guest.pid, "hears", name .. " " .. text)
    end
  end
end

room:handle("join", function(from, ref, name)
  table.insert(room.state, { name = name, pid = from, heard = md.now() })
  md.reply(from, ref, "number " .. #room.state)
  tell_others(name, "comes in")
end)

room:handle("say", function(name, text)
  for _, guest in ipairs(room.state) do
    if guest.name == name then
      guest.heard = md.now()
      tell_others(name, "says " .. text)
    end
  end
end)

room:every(10, function(t)
  for i = #room.state, 1, -1 do
    local guest = room.state[i]
    if t - guest.heard > 10 then
      table.remove(room.state, i)
      md.send(guest.pid, "goes", "home")
      tell_others(guest.name, "has left")
    end
  end
end)

local function guest(lobby, name)
  print(md.now(), name, "joins", md.ask(lobby, "join", name))
  repeat
    local what, text = md.wait()
    print(md.now(), name, what, text)
  until what == "goes"
end

local lobby = room:spawn()
md.spawn(guest, lobby, "anna")
md.spawn({ at = 1 }, guest, lobby, "ben")
md.send_at(3, lobby, "say", "anna", "hello")
md.send_at(4, lobby, "say", "ben", "hello, anna")
md.send_at(15, lobby, "say", "anna", "well, well")
md.send_at(25, lobby, "say", "ben", "nobody hears that")

md.run(45)

--[[ output
0.0	anna	joins	number 1
1.0	ben	joins	number 2
1.0	anna	hears	ben comes in
3.0	ben	hears	anna says hello
4.0	anna	hears	ben says hello, anna
15.0	ben	hears	anna says well, well
20.0	ben	goes	home
20.0	anna	hears	ben has left
30.0	anna	goes	home
]]
