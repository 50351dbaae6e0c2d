-- What a supervisor is asked for: its options and its children, looked at where
-- the model gives them and copied, so that each start finds them as they were.
local core = require "moondial.core"
local argument = require "moondial.argument"
local inside = require "moondial.inside"

local m = {}

local refuse, expect = argument.refuse, argument.expect

-- What a supervisor can be asked; another question is refused at the line of
-- who asks.
m.questions = {
  "which_children",
  "count_children",
  "start_child",
  "terminate_child",
  "restart_child",
  "delete_child",
}

local rules = {}
for n, question in ipairs(m.questions) do
  rules[question] = { core.is.pid, core.is.ref, n > 2 and core._ or nil }
end
m.protocol = core.protocol(rules)

-- -- kinds of values ---------------------------------------------------------

local strategies = { "one_for_one", "one_for_all", "rest_for_one" }
local restarts = { "permanent", "transient", "temporary" }
local fulls = { "block", "drop", "error" }

-- one_of(names) -> kind of value: one of them
local function one_of(names)
  local known = {}
  for _, name in ipairs(names) do
    known[name] = true
  end
  local last = #names
  local most = table.concat(names, '", "', 1, last - 1)
  local function is(x)
    return known[x] == true
  end
  return { '"' .. most .. '" or "' .. names[last] .. '"', is }
end

-- One without end is math.huge.
local function is_duration(x)
  return type(x) == "number" and x >= 0
end

local duration = { "a duration of at least 0", is_duration }
local shutdown = {
  'a duration of at least 0, "infinity" or "brutal_kill"',
  function(x)
    return x == "infinity" or x == "brutal_kill" or is_duration(x)
  end,
}
local integer = {
  "an integer",
  function(x)
    return math.type(x) == "integer"
  end,
}
local count = {
  "an integer of at least 0",
  function(x)
    return math.type(x) == "integer" and x >= 0
  end,
}

local fields = {
  { "children", argument.table },
  { "strategy", one_of(strategies) },
  { "max_restarts", count },
  { "within", duration },
  { "name", argument.text },
}
local child_fields = {
  { "id", argument.any },
  { "start", argument.any },
  { "args", argument.table },
  { "supervisor", argument.any },
  { "restart", one_of(restarts) },
  { "shutdown", shutdown },
  { "name", argument.text },
  { "priority", integer },
  { "inbox", argument.count },
  { "on_full", one_of(fulls) },
  { "accepts", argument.protocol },
  { "stream", argument.text },
}
local spawn_fields = { "priority", "inbox", "on_full", "stream" }

-- -- children ----------------------------------------------------------------

-- What a supervisor cannot have for a child that is one itself.
local worker_fields = { "start", "args", "accepts" }

local function check_kind(call, spec)
  if spec.supervisor == nil then
    local what = "a function as start, the child's body; its arguments are args"
    return expect(call, inside.body(spec.start), what, spec.start)
  end
  for _, name in ipairs(worker_fields) do
    if spec[name] ~= nil then
      refuse(call, ("give either supervisor or %s, not both"):format(name))
    end
  end
end

local function spawn_options(spec, id, below)
  local name = spec.name or below and below.name
  local options = {
    name = name or type(id) == "string" and id or nil,
    link = true,
    child = true,
  }
  for _, field in ipairs(spawn_fields) do
    options[field] = spec[field]
  end
  options.accepts = below and m.protocol or spec.accepts
  return options
end

-- child(call, spec [, n]) -> plan
-- What a child is to be; n is its place in the list, and its id if it has no
-- other: {id, start, args, supervisor, restart, shutdown, options}.
function m.child(call, spec, n)
  local what = "a table, {id = ..., start = function}"
  expect(call, type(spec) == "table", what, spec)
  argument.options(call, spec, child_fields)
  check_kind(call, spec)
  local id = spec.id == nil and n or spec.id
  expect(call, id ~= nil and id == id, "an id", id)
  local below = spec.supervisor ~= nil and m.plan(call, spec.supervisor) or nil
  local args, stop = below and { below } or spec.args or {}, spec.shutdown
  if stop == nil then
    stop = below and "infinity" or 5
  end
  return {
    id = id,
    start = spec.start,
    args = table.pack(table.unpack(args, 1, args.n or #args)),
    supervisor = below,
    restart = spec.restart or "permanent",
    shutdown = stop,
    options = spawn_options(spec, id, below),
  }
end

-- The list has no other keys than its places: the first of those that it has.
local function check_list(call, list)
  local n, odd = #list, nil
  for key in pairs(list) do
    local place = math.type(key) == "integer" and key >= 1 and key <= n
    if not place and (odd == nil or tostring(key) < tostring(odd)) then
      odd = key
    end
  end
  if odd ~= nil then
    local text = "children is a list, and '%s' is no place in it"
    refuse(call, text:format(tostring(odd)))
  end
end

local function children(call, list)
  local plans, seen = {}, {}
  check_list(call, list)
  for n = 1, #list do
    local plan = m.child(("%s: child %d"):format(call, n), list[n], n)
    if seen[plan.id] then
      local text = "child %d has the id of child %d, '%s'; give it another"
      refuse(call, text:format(n, seen[plan.id], tostring(plan.id)))
    end
    plans[n], seen[plan.id] = plan, n
  end
  return plans
end

-- plan(call, options) -> plan
-- What a supervisor is to do: {name, strategy, most, within, children}.
function m.plan(call, options)
  local what = "a table, {children = {{id = ..., start = function}}}"
  expect(call, type(options) == "table", what, options)
  argument.options(call, options, fields)
  return {
    name = options.name,
    strategy = options.strategy or "one_for_one",
    most = options.max_restarts or 3,
    within = options.within or 5,
    children = children(call, options.children or {}),
  }
end

return m
