-- When values of two executions are the same: pids and refs differ from one to
-- the other, so those of the first are bound to those of the second as they
-- meet. Functions have no names to compare; any two are taken for the same.
local m = {}

local map = {}
map.__index = map

-- new() -> map
function m.new()
  return setmetatable({ forth = {}, back = {} }, map)
end

local function kind(value)
  return type(value) == "userdata" and value.kind or type(value)
end

-- map:bind(recorded, new)
function map:bind(recorded, new)
  self.forth[recorded], self.back[new] = new, recorded
end

function map:same_name(a, b)
  if self.forth[a] == nil and self.back[b] == nil and kind(a) == "ref" then
    self:bind(a, b)
  end
  return self.forth[a] == b or self.forth[a] == nil and a == b
end

function map:same_table(a, b, seen)
  if seen[a] then
    return seen[a] == b
  end
  seen[a] = b
  for k, v in pairs(a) do
    if not self:same(v, b[self:translate(k)], seen) then
      return false
    end
  end
  for k in pairs(b) do
    local before = self.back[k]
    if a[before == nil and k or before] == nil then
      return false
    end
  end
  return true
end

-- map:same(recorded, new) -> boolean
function map:same(a, b, seen)
  local of = kind(a)
  if of ~= kind(b) then
    return false
  elseif of == "pid" or of == "ref" then
    return self:same_name(a, b)
  elseif of == "table" then
    return a == b or self:same_table(a, b, seen or {})
  elseif of == "number" then
    return a == b or a ~= a and b ~= b
  end
  return of == "function" or of == "thread" or a == b
end

-- map:translate(recorded) -> new
-- The value with the pids and refs of the new execution in it; a table is
-- copied.
function map:translate(value, seen)
  local of = kind(value)
  if of == "pid" or of == "ref" then
    local new = self.forth[value]
    return new == nil and value or new
  elseif of ~= "table" then
    return value
  end
  seen = seen or {}
  if not seen[value] then
    local copy = {}
    seen[value] = copy
    for k, v in pairs(value) do
      copy[self:translate(k, seen)] = self:translate(v, seen)
    end
    setmetatable(copy, getmetatable(value))
  end
  return seen[value]
end

-- map:translate_signal(recorded, time) -> signal
function map:translate_signal(signal, time)
  local copy = self:translate(signal)
  copy.time = time
  return copy
end

return m
