-- What the objects of md.stats have in common: fields that are computed when
-- they are read and cannot be set, methods that want a colon, numbers that must
-- be finite, and a table when they are printed.
--
-- An object is a table with its hot methods, which are closures over its state
-- (a field of a table costs twice what a local variable does), and, under a key
-- that nobody else has, a function that gives the state to all the others. To
-- look at an object changes nothing of what it will tell later.
local argument = require "moondial.argument"
local inside = require "moondial.inside"
local text = require "moondial.stats.text"

local m = {}

local READ, WRITE = {}, {}

local function names_of(kind)
  local names = {}
  for _, field in ipairs(kind.fields) do
    names[#names + 1] = field[1]
  end
  return table.move(kind.listed, 1, #kind.listed, #names + 1, names)
end

local function unknown(kind, name)
  local said = "there is no '%s'; %s"
  if type(name) ~= "string" then
    argument.refuse(kind.name, "there is no field " .. inside.describe(name))
  end
  local advice = inside.suggest(name, kind.meta.names)
  argument.refuse(kind.name, said:format(name, advice))
end

local function lookup(kind)
  local computed = {}
  for _, field in ipairs(kind.fields) do
    computed[field[1]] = field[2]
  end
  return function(object, name)
    local method, field = kind.methods[name], computed[name]
    if method then
      return method
    elseif field then
      return field(object[READ]())
    elseif kind.at and type(name) == "number" then
      return kind.at(object[READ](), name)
    end
    unknown(kind, name)
  end
end

-- The table that print shows.
local function show(kind, object)
  local state = object[READ]()
  local rows = { { kind.name, "" } }
  for _, field in ipairs(kind.fields) do
    if not field.quiet then
      rows[#rows + 1] = { "  " .. field[1], text.number(field[2](state)) }
    end
  end
  for _, row in ipairs(kind.rows and kind.rows(state) or {}) do
    rows[#rows + 1] = row
  end
  local more = kind.more and kind.more(state)
  return text.columns(rows, 1) .. (more and "\n" .. more or "")
end

-- field(name) -> a field that is kept in the state as it is.
function m.field(name)
  return {
    name,
    function(state)
      return state[name]
    end,
  }
end

-- kind{name=, short=, fields=, listed=, at=, rows=, more=} -> kind
-- `short` is a variable in an error's advice, `fields` a list of {name,
-- fn(state)} (a quiet one is not printed), `listed` the names of the methods,
-- `at(state, x)` what a number as a key gives, `rows(state)` more rows of the
-- table that print shows, `more(state)` a text below it. The methods are put
-- into kind.methods.
function m.kind(kind)
  kind.methods = {}
  kind.meta = {
    __name = kind.name,
    __index = lookup(kind),
    names = names_of(kind),
  }
  for _, name in ipairs(kind.listed) do
    kind.meta.resets = kind.meta.resets or name == "reset"
  end
  function kind.meta.__newindex(_, name)
    local said = "what it says is computed, and '%s' cannot be set"
    argument.refuse(kind.name, said:format(tostring(name)))
  end
  function kind.meta.__tostring(object)
    return show(kind, object)
  end
  return kind
end

-- new(kind, hot, read [, write]) -> object
-- Makes an object of the table of its hot methods; read() gives its state, and
-- write(state) puts another in its place.
function m.new(kind, hot, read, write)
  hot[READ], hot[WRITE] = read, write
  return setmetatable(hot, kind.meta)
end

function m.write(object, state)
  object[WRITE](state)
end

-- state(kind, object, call) -> the state; refuses what is no such object.
function m.state(kind, object, call)
  argument.method(call, object, kind.meta, kind.short)
  return object[READ]()
end

function m.is(kind, x)
  return getmetatable(x) == kind.meta
end

-- options(call, given, example): refuses what is no table.
function m.options(call, given, example)
  if type(given) ~= "table" then
    local said = "expected a table, got %s; %s"
    argument.refuse(call, said:format(inside.describe(given), example))
  end
end

-- -- numbers ---------------------------------------------------------

-- not_finite(call, x [, as]): refuses what is no finite number.
function m.not_finite(call, x, as)
  local what = "a finite number" .. (as and " as " .. as or "")
  local hint = ""
  if x ~= x then
    hint = "; nan often comes from 0/0, and no figure could be told after it"
  elseif type(x) == "number" then
    hint = "; all that is told after it would be infinite, so leave it out"
  elseif tonumber(x) then
    hint = "; tonumber makes a number of a text"
  end
  local came = inside.describe(x)
  argument.refuse(call, "expected " .. what .. ", got " .. came .. hint)
end

-- finite(call, x [, as]): the same, unless it is one.
function m.finite(call, x, as)
  if type(x) ~= "number" or x - x ~= 0 then
    m.not_finite(call, x, as)
  end
end

-- refuse(kind, call, object, x): says what was wrong with object:call(x).
function m.refuse(kind, call, object, x)
  argument.method(call, object, kind.meta, kind.short)
  m.not_finite(call, x)
end

m.finite_kind = {
  "a finite number",
  function(x)
    return type(x) == "number" and x - x == 0
  end,
}

local probability = {
  "a number between 0 and 1",
  function(x)
    return type(x) == "number" and x > 0 and x < 1
  end,
}
m.probability_kind = probability

-- probability(call, p, as): refuses what does not lie between 0 and 1.
function m.probability(call, p, as)
  if type(p) == "number" and p > 1 and p < 100 then
    local said =
      "expected a number between 0 and 1 as %s, got %s; for %s %% write %s"
    local shown = text.number(p)
    argument.refuse(call, said:format(as, shown, shown, text.number(p / 100)))
  end
  argument.check(call, probability, p, as)
end

-- level(call, level) -> the level of a confidence interval, 0.95 by default.
function m.level(call, level)
  if level ~= nil then
    m.probability(call, level, "level")
  end
  return level or 0.95
end

-- enough(call, n [, least]): refuses n values that are fewer than least (two).
function m.enough(call, n, least)
  if n < (least or 2) then
    local said = "expected at least %s, got %d"
    local what = least == 1 and "one value" or (least or 2) .. " values"
    argument.refuse(call, said:format(what, n))
  end
end

-- list(call, data, least): refuses what is no list of numbers, or has fewer
-- than `least`.
function m.list(call, data, least)
  argument.expect(call, type(data) == "table", "a list of numbers", data)
  for i = 1, #data do
    m.finite(call, data[i], "item " .. i)
  end
  m.enough(call, #data, least)
end

return m
