-- Servers: processes described by what they do with each kind of message.
local argument = require "moondial.argument"
local core = require "moondial.core"
local inside = require "moondial.inside"
local handler = require "moondial.handler"
local instance = require "moondial.instance"

local m = {}

local server = {}
local server_meta = { __name = "server" }

function server_meta.__tostring(s)
  local name = s.options.name
  return name and ("<server '%s'>"):format(name) or "<server>"
end

local function no_state()
  return {}
end

-- -- making one ------------------------------------------------------

local policies = { block = true, drop = true, error = true }

local server_options = {
  { "state", argument.fn },
  { "inbox", argument.count },
  {
    "on_full",
    {
      '"block", "drop" or "error"',
      function(x)
        return policies[x]
      end,
    },
  },
  { "name", argument.text },
  table.unpack(handler.options),
}

--- server([options]) -> server
--- A kind of process, described by what it does with messages: server:handle,
--- server:otherwise and server:every say that, server:spawn, server:launch and
--- server:serve start instances. The options: `state` (a function that makes
--- s.state, which in a handler is that of the instance that runs; else {});
--- `inbox`, `on_full` and `name` of its instances; and for the handlers
--- `timeout` (one that takes longer raises timeout), `retry` = {times =, delay
--- =, backoff =} (after an error, so many further tries, after delay,
--- delay*backoff, ...; then the last error is raised) and `concurrent` (up to
--- so many at once, each in a process of its own; else 1, in the instance
--- itself, which is s.pid). Raises usage for another option.
---   local s = md.server { state = function() return { n = 0 } end }
function m.server(...)
  local sim, given = argument.sim(...)
  argument.options("server", given, server_options)
  local options = { state = no_state }
  for name, value in pairs(given or {}) do
    options[name] = value
  end
  handler.check_retry("server", options.retry)
  local concurrent = options.concurrent or 1
  return setmetatable({
    sim = sim or false,
    options = options,
    gate = concurrent > 1 and { limit = concurrent },
    handlers = {},
    version = 0,
    turns = {},
    places = setmetatable({}, { __mode = "k" }), -- by sim
  }, server_meta)
end

-- -- handlers --------------------------------------------------------

-- The function, the options behind it, and where the patterns end.
local function split(call, arguments)
  local n, options = arguments.n, nil
  if n > 1 and type(arguments[n - 1]) == "function" then
    local last = arguments[n]
    if last == nil or type(last) == "table" then
      options, n = last, n - 1
    end
  end
  local fn = arguments[n]
  local what = "a function as the last argument"
  argument.expect(call, n > 0 and type(fn) == "function", what, fn)
  options = argument.options(call, options, handler.options)
  handler.check_retry(call, options.retry)
  return fn, options, n - 1
end

-- Puts the function into `it`, which instances may have in their hands.
local function assign(s, it, fn, options)
  local concurrent = options.concurrent
  it.call = handler.call(fn, options, s.options)
  if concurrent then
    it.gate = concurrent > 1 and { limit = concurrent } or nil
  else
    it.gate = s.gate
  end
  s.version = s.version + 1
end

-- A handler for the patterns; without any it is the one for all the others,
-- and stays the last.
local function add(s, patterns, fn, options)
  local it = { patterns = patterns }
  function it.take(...)
    return it, ...
  end
  assign(s, it, fn, options)
  local last = s.handlers[#s.handlers]
  local before = last and last.patterns.n == 0 and #s.handlers
  table.insert(s.handlers, before or #s.handlers + 1, it)
  instance.changed(s)
end

local function set(s, patterns, fn, options)
  for _, it in ipairs(s.handlers) do
    if handler.equal(it.patterns, patterns) then
      return assign(s, it, fn, options)
    end
  end
  handler.reach(s.handlers, patterns, fn)
  add(s, patterns, fn, options)
end

--- server:handle(p1, ..., fn [, options])
--- A message whose first values match the patterns, as in md.wait, is taken,
--- and fn, which may block, gets the captures and the rest. Handlers are tried
--- in the order in which they were declared; one for equal patterns takes the
--- place of the other, also while instances run: their next message meets the
--- new one. The options `timeout`, `retry` and `concurrent` are those of
--- md.server, for this handler; false is none. Raises usage for what is no
--- pattern, no function or no option, and for a handler whose messages another
--- takes all.
---   s:handle("ping", function(from, ref) md.reply(from, ref, "pong") end)
function server:handle(...)
  argument.method("handle", self, server_meta, "s")
  local arguments = table.pack(...)
  local fn, options, n = split("handle", arguments)
  local patterns = table.move(arguments, 1, n, 1, { n = n })
  handler.patterns("handle", patterns)
  set(self, patterns, fn, options)
end

--- server:otherwise(fn [, options])
--- fn gets every message that no handler takes, whole. Without it they stay in
--- the inbox, where a handler that is added later finds them. The options are
--- those of handle. Raises usage as handle does.
---   s:otherwise(function(...) print("what is", ...) end)
function server:otherwise(...)
  argument.method("otherwise", self, server_meta, "s")
  local fn, options, n = split("otherwise", table.pack(...))
  if n > 0 then
    argument.refuse(
      "otherwise",
      "expected a function alone, since it takes what no pattern takes"
    )
  end
  set(self, { n = 0 }, fn, options)
end

--- server:every(d, fn)
--- Each instance calls fn(t) every d units of time, at first d after its start
--- or, while it runs, after this call. t is the planned time, and no rounding
--- adds up; a turn that is late because a handler blocks comes right after it,
--- and none is skipped. It ends with the instance. Raises usage for a period
--- below one tick and for what is no function.
---   s:every(10, function(t) print("tick", t) end)
function server:every(period, fn)
  argument.method("every", self, server_meta, "s")
  core.every(period)
  argument.check("every", argument.fn, fn, "argument 2")
  local turn = { period = period, fn = fn }
  table.insert(self.turns, turn)
  instance.each(self, function(it)
    instance.wind(it, turn)
  end)
end

-- -- instances -------------------------------------------------------

-- The options of spawn, with the server's own where there are none.
local function spawn_options(s, given)
  local options = {}
  for name, value in pairs(given) do
    options[name] = value
  end
  for _, name in ipairs { "inbox", "on_full", "name" } do
    if options[name] == nil then
      options[name] = s.options[name]
    end
  end
  return options
end

-- The place of the first argument behind the options.
local function behind(...)
  return type((...)) == "table" and 2 or 1
end

-- Starts an instance in a sim; the rest begins at `first`.
function m.spawn_in(sim, s, first, ...)
  local options = spawn_options(s, first == 2 and ... or {})
  return sim:spawn(options, instance.serve, s, select(first, ...))
end

--- server:spawn([options,] ...) -> pid
--- Starts an instance, one of any number, with the options of md.spawn; what
--- follows them are the arguments of the server's `state` function. Raises
--- usage for wrong options, and for arguments that nothing takes.
---   local till = s:spawn { name = "till" }
function server:spawn(...)
  argument.method("spawn", self, server_meta, "s")
  local first = behind(...)
  if select("#", ...) >= first and self.options.state == no_state then
    argument.expect(
      "spawn",
      false,
      "options alone, since no md.server{state = fn} takes arguments",
      (select(first, ...))
    )
  end
  return m.spawn_in(self.sim or core.current(), self, first, ...)
end

--- server:launch([options,] ...) -> pid
--- Starts an instance whose inbox holds ("start", ...) already: a client, whose
--- handler of "start" needs nobody to begin. A table that comes first is the
--- options of md.spawn. Raises usage for wrong ones.
---   s:launch({ after = 2 }, "anna")
function server:launch(...)
  argument.method("launch", self, server_meta, "s")
  local sim, first = self.sim or core.current(), behind(...)
  local pid = m.spawn_in(sim, self, first, ...)
  sim:send(pid, "start", select(first, ...))
  return pid
end

--- server:serve(...)
--- Makes the process that calls an instance, and does not return: for where a
--- process's body is asked for. The arguments are those of the `state`
--- function. Raises usage where nothing can block.
---   md.spawn(s.serve, s)
function server:serve(...)
  argument.method("serve", self, server_meta, "s")
  instance.serve(self, ...)
end

-- -- the server itself -----------------------------------------------

-- What of an instance its handlers may see.
local seen = { state = true, pid = true }

local function running(s, name)
  local it = instance.current(s)
  if not it then
    local text = "s.%s is that of the instance that runs, and no handler of "
      .. "this server runs here; use it inside its handlers"
    argument.refuse("server", text:format(name))
  end
  return it
end

local function names()
  local list = { "state", "pid" }
  for method in pairs(server) do
    list[#list + 1] = method
  end
  table.sort(list)
  return list
end
server_meta.names = names()

local function unknown(name)
  name = tostring(name)
  local text = "a server has no '%s'; %s"
  local advice = inside.suggest(name, server_meta.names)
  argument.refuse("server", text:format(name, advice))
end

function server_meta.__index(s, name)
  if server[name] then
    return server[name]
  elseif seen[name] then
    return running(s, name)[name]
  end
  unknown(name)
end

function server_meta.__newindex(s, name, value)
  if name ~= "state" then
    unknown(name)
  end
  running(s, name).state = value
end

return m
