-- SimPy's preemptive resource. The third is more urgent (a lower number) and
-- takes the resource away: who held it is interrupted where it waits, with the
-- cause "preempted". What it lost it has to acquire again, if it likes.
local md = require "moondial"

local function user(name, r, wait, priority)
  md.sleep(wait)
  print(md.now(), name .. " asks with priority " .. priority)
  local unit <close> = r:acquire { priority = priority }
  local since = md.now()
  print(md.now(), name .. " has it")
  local ok, err = pcall(md.sleep, 3)
  if not ok then
    print(
      md.now(),
      name .. " is " .. err.cause .. " after " .. md.now() - since
    )
  end
end

local sim = md.sim { precision = 0 }
local r = sim:resource { preemptive = true }
sim:spawn(user, "user 1", r, 0, 0)
sim:spawn(user, "user 2", r, 1, 0)
sim:spawn(user, "user 3", r, 2, -1)
print(sim:run())
print("preempted", r.preempted)

--[[ output
0	user 1 asks with priority 0
0	user 1 has it
1	user 2 asks with priority 0
2	user 3 asks with priority -1
2	user 3 has it
2	user 1 is preempted after 2
5	user 2 has it
done	8
preempted	1
]]
