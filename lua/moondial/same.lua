-- When values of two executions are the same. Pids and refs differ from one to
-- the other: those of the first are bound to those of the second as they meet.
-- Functions have no names to compare, and any two are taken for the same.
-- Tables are gone through without recursion, however deep or cyclic they are.
local core = require "moondial.core"
local inside = require "moondial.inside"

local m = {}

local map = {}
map.__index = map

-- The names of processes and questions differ from run to run.
local function kind(value)
  return type(value) == "userdata" and value.kind or type(value)
end

-- A table that is more than its fields: one of the library's objects, which
-- stays itself. Records of message types and a model's own classes are not.
local function opaque(t)
  local meta = getmetatable(t)
  return meta ~= nil
    and (type(meta) ~= "table" or rawget(meta, "__name") ~= nil)
    and not inside.typed(t)
end

local function is_data(value)
  return type(value) == "table" and not opaque(value)
end

-- -- copies -----------------------------------------------------------------

-- copy(value [, leaf]) -> value
-- A copy of its tables; leaf(x), if given, stands for any other x in it.
function m.copy(value, leaf)
  local copies, todo, n = {}, {}, 0
  local function of(x)
    if not is_data(x) then
      if leaf then
        return leaf(x)
      end
      return x
    elseif not copies[x] then
      n = n + 1
      copies[x], todo[n] = {}, x
    end
    return copies[x]
  end
  local result = of(value)
  while n > 0 do
    local from = todo[n]
    n = n - 1
    for k, v in next, from do
      copies[from][of(k)] = of(v)
    end
    setmetatable(copies[from], getmetatable(from))
  end
  return result
end

-- -- two executions ---------------------------------------------------------

-- new(sim) -> map: from names of a record to those of this sim, or, without
-- one, from each to itself.
function m.new(sim)
  return setmetatable({
    sim = sim,
    forth = {},
    back = {},
    bound = {}, -- the recorded ones, in order
    nobody = 0, -- how many recorded ones are nobody here
    nobodies = {},
  }, map)
end

-- map:bind(recorded, new)
function map:bind(recorded, new)
  self.forth[recorded], self.back[new] = new, recorded
  self.bound[#self.bound + 1] = recorded
end

-- Takes bindings back, down to so many.
function map:unbind(count)
  for i = #self.bound, count + 1, -1 do
    local recorded = table.remove(self.bound, i)
    self.back[self.forth[recorded]] = nil
    self.forth[recorded] = nil
  end
end

-- Names that have not met yet are bound if they can be: two refs, or pids of
-- which the recorded one is from elsewhere.
function map:same_name(a, b, of)
  if self.forth[a] ~= nil or not self.sim then
    return (self.forth[a] or a) == b
  elseif of == "pid" and inside.own(self.sim, a) then
    return a == b
  elseif self.back[b] ~= nil then
    return false
  end
  self:bind(a, b)
  return true
end

function map:same_leaf(a, b)
  local of = kind(a)
  if of ~= kind(b) then
    return false
  elseif of == "pid" or of == "ref" then
    return self:same_name(a, b, of)
  end
  return of == "function" or of == "thread" or a == b or a ~= a and b ~= b
end

-- Of the library's errors only what they are about is compared, not where they
-- were raised and when.
function map:same_opaque(a, b)
  local meta = getmetatable(b)
  if type(meta) == "table" and rawget(meta, "__name") == "error" then
    return a.kind == b.kind
      and self:same(a.cause, b.cause)
      and self:same(a.reason, b.reason)
  end
  return meta == getmetatable(a)
end

-- A key that has no counterpart yet, but may be the same as one of b's.
function map:is_odd(key)
  local of = kind(key)
  return of == "table"
    or of == "function"
    or (of == "ref" or of == "pid") and self.forth[key] == nil and self.sim
end

-- Finds the counterpart of an odd key among b's, which have not met one.
function map:pair_odd(key, value, odd, seen)
  for i, other in ipairs(odd) do
    local before, met = #self.bound, #seen
    if self:go(key, other[1], seen) and self:go(value, other[2], seen) then
      table.remove(odd, i)
      return true
    end
    self:unbind(before)
    for k = #seen, met + 1, -1 do
      seen[table.remove(seen)] = nil
    end
  end
  return false
end

-- Puts what two tables hold on the list of what is to be compared.
function map:spread(a, b, todo, seen)
  local odd_a, rest, odd_b = {}, {}, {}
  for k, v in next, b do
    rest[k] = v
  end
  for k, v in next, a do
    if self:is_odd(k) then
      odd_a[#odd_a + 1] = { k, v }
    else
      local other = self:leaf(k)
      if rawget(b, other) == nil then
        return false
      end
      todo[#todo + 1] = { v, rawget(b, other) }
      rest[other] = nil
    end
  end
  for k, v in next, rest do
    odd_b[#odd_b + 1] = { k, v }
  end
  for _, pair in ipairs(odd_a) do
    if not self:pair_odd(pair[1], pair[2], odd_b, seen) then
      return false
    end
  end
  return #odd_b == 0
end

-- Two tables; those that have been met are in `seen`, and in order.
function map:same_table(x, y, todo, seen)
  if opaque(x) or opaque(y) then
    return x == y or self:same_opaque(x, y)
  elseif seen[x] ~= nil then
    return seen[x] == y
  end
  seen[x], seen[#seen + 1] = y, x
  return self:spread(x, y, todo, seen)
end

function map:go(a, b, seen)
  local todo = { { a, b } }
  while #todo > 0 do
    local x, y = table.unpack(table.remove(todo), 1, 2)
    local same
    if type(x) == "table" and type(y) == "table" then
      same = self:same_table(x, y, todo, seen)
    else
      same = self:same_leaf(x, y)
    end
    if not same then
      return false
    end
  end
  return true
end

-- map:same(recorded, new) -> boolean
function map:same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return self:same_leaf(a, b)
  end
  return self:go(a, b, {})
end

-- A pid that nobody has.
function map:another()
  self.nobody = self.nobody + 1
  local pid = inside.nobody(self.sim, self.nobody)
  self.nobodies[pid] = true
  return pid
end

-- map:is_nobody(new) -> boolean
function map:is_nobody(pid)
  return self.nobodies[pid] ~= nil
end

-- What stands for a recorded value that is no table: a process from elsewhere
-- that nobody has met is one that has ended.
function map:leaf(value)
  local of = kind(value)
  if of ~= "pid" and of ~= "ref" then
    return value
  elseif self.forth[value] == nil then
    if not self.sim or inside.own(self.sim, value) then
      return value
    end
    self:bind(value, of == "ref" and core.ref(self.sim) or self:another())
  end
  return self.forth[value]
end

-- map:translate(recorded) -> new
-- A copy with the pids and refs of the new execution in it.
function map:translate(value)
  return m.copy(value, function(x)
    return self:leaf(x)
  end)
end

return m
