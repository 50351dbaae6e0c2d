-- A supervisor starts a process again when it has ended, whatever ended it. The
-- counter is asked by its name, which each of its lives registers anew; what it
-- had counted is lost with its variables. Who has asked it meanwhile is told
-- that it ended. Three restarts within ten units of time are allowed: in place
-- of one more the supervisor gives up, says so on stderr, and ends.
local md = require "moondial"

local function counter(limit)
  md.register("counter", md.self())
  local count = 0
  while true do
    local from, ref, n = md.wait "add"
    if n > limit then
      error("cannot count to " .. n)
    end
    count = count + n
    md.reply(from, ref, count)
  end
end

local function customer()
  for _, n in ipairs { 1, 2, 10, 3, 10, 10, 10, 1 } do
    md.sleep(1)
    local ok, answer = pcall(md.ask, "counter", "add", n)
    print(md.now(), n, ok and answer or answer.message)
  end
end

local top = md.supervisor {
  name = "top",
  max_restarts = 3,
  within = 10,
  children = { { id = "counter", start = counter, args = { 5 } } },
}
md.spawn(customer)

print(md.run())
print(md.status(top), select(2, pcall(md.join, top)))

--[[ output
1.0	1	1
2.0	2	3
3.0	10	17_supervisor.lua:24: ask: the process ended before it replied
4.0	3	3
5.0	10	17_supervisor.lua:24: ask: the process ended before it replied
6.0	10	17_supervisor.lua:24: ask: the process ended before it replied
7.0	10	17_supervisor.lua:24: ask: the process ended before it replied
moondial: 'top' gives up at 7: more than 3 restarts within 10
  the last to end was 'counter': 17_supervisor.lua:14: cannot count to 10
8.0	1	17_supervisor.lua:24: ask: the process asked has ended
done	8.0
failed	'top' was killed: 'shutdown'
]]
