-- What is wrong with a call's arguments, and how that is said: what was
-- expected, what came, what to do. The error bears the model's own line, since
-- the library's frames do not count.
local core = require "moondial.core"
local inside = require "moondial.inside"

local m = {}

-- refuse(call, text)
-- Raises {kind="usage"} with "call: text".
function m.refuse(call, text)
  error(core.failure("usage", call .. ": " .. text), 0)
end

-- expect(call, ok, what, value)
-- Refuses the value unless ok: "call: expected what, got value".
function m.expect(call, ok, what, value)
  if not ok then
    m.refuse(call, "expected " .. what .. ", got " .. inside.describe(value))
  end
end

-- Kinds of values: what an error calls them, and what is one.
m.count = {
  "an integer of at least 1",
  function(x)
    return math.type(x) == "integer" and x > 0
  end,
}
m.number = {
  "a number of at least 0",
  function(x)
    return type(x) == "number" and x >= 0 and x < math.huge
  end,
}
m.duration = { "a duration of at least 0", m.number[2] }
m.text = {
  "a string",
  function(x)
    return type(x) == "string"
  end,
}
m.table = {
  "a table",
  function(x)
    return type(x) == "table"
  end,
}
m.any = {
  "a value",
  function()
    return true
  end,
}
m.protocol = { "a protocol", inside.protocol }
m.fn = {
  "a function",
  function(x)
    return type(x) == "function"
  end,
}

-- check(call, kind, value, as)
-- Refuses a value that is not of the kind; `as` says which one it is.
function m.check(call, kind, value, as)
  m.expect(call, kind[2](value), kind[1] .. " as " .. as, value)
end

-- The first in order of the names that are not among the fields.
local function unknown_of(options, fields)
  local known, names, first = {}, {}, nil
  for i, field in ipairs(fields) do
    known[field[1]], names[i] = true, field[1]
  end
  for name in pairs(options) do
    if type(name) ~= "string" then
      return name, names
    elseif not known[name] and (not first or name < first) then
      first = name
    end
  end
  return first, names
end

-- options(call, options, fields) -> table
-- Refuses what is no table, an option that is not among the fields, which are
-- a list of {name, kind}, and a value that is not of the kind; `false` is none
-- where a field says so. Without options there are none: {}.
function m.options(call, options, fields)
  if options == nil then
    return {}
  end
  m.expect(call, type(options) == "table", "a table of options", options)
  local name, names = unknown_of(options, fields)
  if type(name) == "string" then
    local text = "there is no option '%s'; %s"
    m.refuse(call, text:format(name, inside.suggest(name, names)))
  elseif name ~= nil then
    local came = inside.describe(name)
    m.refuse(call, "options are named fields, got the key " .. came)
  end
  for _, field in ipairs(fields) do
    local value = options[field[1]]
    if value ~= nil and not (field.none and value == false) then
      m.check(call, field[2], value, field[1])
    end
  end
  return options
end

-- values(call, given)
-- Refuses an object of md.stats where a table of such ones belongs.
function m.values(call, given)
  local meta = getmetatable(given)
  if type(meta) == "table" and meta.__name then
    local said = "expected a table of values, got a %s; {x = %s}"
    m.refuse(call, said:format(meta.__name, meta.__name))
  end
end

-- method(call, self, meta, short)
-- Refuses what has not the metatable: a dot stood where a colon belongs.
function m.method(call, self, meta, short)
  if getmetatable(self) ~= meta then
    local text = "expected the %s before the arguments, got %s; "
      .. "write %s:%s(...), with a colon"
    m.refuse(call, text:format(meta.__name, inside.describe(self), short, call))
  end
end

-- sim(...) -> sim or nil, the others
-- Takes the sim off the front of a method's arguments: sim:queue(5) instead
-- of md.queue(5).
function m.sim(first, ...)
  if type(first) == "userdata" and getmetatable(first).__name == "md.sim" then
    return first, ...
  end
  return nil, first, ...
end

return m
