-- SimPy's three kinds of store are one. A store with room for two holds up who
-- makes too much; get with a predicate takes the first item that it is true
-- for; with the order "priority" the lowest number (or field) comes out first.
local md = require "moondial"

local sim = md.sim { precision = 0 }

sim:spawn(function()
  print "a store with room for two"
  local spam = md.store { capacity = 2 }
  local consumers <close> = md.scope()
  for i = 1, 2 do
    consumers:spawn(function()
      for _ = 1, 2 do
        md.sleep(2)
        print(md.now(), "consumer " .. i .. " has " .. spam:get())
      end
    end)
  end
  for i = 1, 4 do
    md.sleep(1)
    spam:put("spam " .. i)
    print(md.now(), "made spam " .. i .. ", in store " .. spam.count)
  end
end)
sim:run()

sim:spawn(function()
  print "a machine of a certain size"
  local machines = md.store()
  machines:put { size = 1, hours = 2 }
  machines:put { size = 2, hours = 1 }
  local function user(name, size)
    local machine = machines:get(function(m)
      return m.size == size
    end)
    print(md.now(), name .. " has machine " .. machine.size)
    md.sleep(machine.hours)
    machines:put(machine)
  end
  for i, size in ipairs { 1, 2, 1, 2 } do
    md.spawn(user, "user " .. i, size)
  end
end)
sim:run()

sim:spawn(function()
  print "issues by priority"
  local issues = md.store { order = "priority" }
  for _, text in ipairs { "2 paint the walls", "0 fire", "1 a leak" } do
    local priority = math.tointeger(text:sub(1, 1))
    issues:put({ priority = priority, what = text:sub(3) })
  end
  for _ = 1, 3 do
    md.sleep(1)
    print(md.now(), issues:get().what)
  end
end)
sim:run()

--[[ output
a store with room for two
1	made spam 1, in store 1
2	consumer 1 has spam 1
2	made spam 2, in store 0
2	consumer 2 has spam 2
3	made spam 3, in store 1
4	consumer 1 has spam 3
4	made spam 4, in store 0
4	consumer 2 has spam 4
a machine of a certain size
4	user 1 has machine 1
4	user 2 has machine 2
5	user 4 has machine 2
6	user 3 has machine 1
issues by priority
9	fire
10	a leak
11	paint the walls
]]
