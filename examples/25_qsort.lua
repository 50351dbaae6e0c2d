-- C calls back: qsort asks a function in Lua which job comes first, in an array
-- of structs. An error in such a function is raised when C has returned.
local md = require "moondial"
local ffi = require "moondial.ffi"

ffi.cdef [[
  typedef struct { int id; double size, due; } job;
  void qsort(void *base, size_t n, size_t size,
             int (*compare)(const job *, const job *));
]]

local rng = md.rng "jobs"
local n = 6
local jobs = ffi.new("job[?]", n)
for i = 0, n - 1 do
  jobs[i] = { id = i, size = rng:integer(1, 9), due = rng:integer(10, 40) }
end

-- Runs the jobs in the order that compare makes; how late they are in all.
local function late(rule, compare)
  local callback = ffi.cast("int (*)(const job *, const job *)", compare)
  ffi.C.qsort(jobs, n, ffi.sizeof "job", callback)
  callback:free()
  local sim, total, order = md.sim(), 0, {}
  sim:spawn(function()
    for i = 0, n - 1 do
      md.sleep(jobs[i].size)
      total = total + math.max(0, md.now() - jobs[i].due)
      order[#order + 1] = jobs[i].id
    end
  end)
  sim:run()
  print(("%-14s %s  late by %g"):format(rule, table.concat(order, " "), total))
end

local function sign(x)
  return x < 0 and -1 or x > 0 and 1 or 0
end

late("as they came", function(a, b)
  return a.id - b.id
end)
late("shortest first", function(a, b)
  return sign(a.size - b.size)
end)
late("earliest due", function(a, b)
  return sign(a.due - b.due)
end)

local ok, why = pcall(late, "by colour", function(a)
  return a.colour
end)
print(ok, why.kind)
print((why.message:match "const job.*"))

--[[ output
as they came   0 1 2 3 4 5  late by 25
shortest first 0 1 4 5 3 2  late by 3
earliest due   5 1 4 0 3 2  late by 0
false	native
const job *' has no member 'colour'; did you mean 'due'?
]]
