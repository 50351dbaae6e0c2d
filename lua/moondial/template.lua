-- Templates: definitions of processes that are made, fed and watched from
-- outside, and whose signals can be kept and replayed.
local core = require "moondial.core"
local argument = require "moondial.argument"
local family = require "moondial.family"
local inside = require "moondial.inside"
local replay = require "moondial.replay"
local effect = require "moondial.use"
local compact = require "moondial.compact"

local m = {}

local refuse, expect = argument.refuse, argument.expect

-- An instance: a table of its state under `instance`, its methods by name.
local methods = {}
local instance_meta = { __name = "instance" }
local state = setmetatable({}, { __mode = "k" })

local function started(instance, call)
  argument.method(call, instance, instance_meta, "p")
  local it = state[instance]
  if not it.family then
    refuse(
      call,
      ("'%s' has not started; p:start() or p:replay{...} comes first"):format(
        it.template.name
      )
    )
  end
  return it
end

-- Whatever is due at this time happens; in a process it does anyway.
local function settle(it)
  if not inside.running(it.sim) then
    it.sim:run(it.sim:now())
  end
end

local function spawn(it, fn, ...)
  local t = it.template
  local pid = it.sim:spawn({
    name = t.name,
    inbox = t.inbox,
    accepts = t.accepts,
  }, fn, ...)
  it.pid = pid
  it.family = family.new(it.sim, pid, t)
  return pid
end

local function begin(instance, call)
  argument.method(call, instance, instance_meta, "p")
  local it = state[instance]
  if it.family then
    refuse(
      call,
      ("'%s' has started already; make another with t:create(...)"):format(
        it.template.name
      )
    )
  end
  return it
end

--- instance:start() -> the instance
--- Starts the instance of a template, which template:create(...) has made: its
--- process runs entrypoint(...) until nothing is due at this time (called in a
--- process: once that waits). Raises usage when it has started already.
---   local p = t:create("go"):start()
function methods:start()
  local it = begin(self, "start")
  spawn(it, it.template.entrypoint, table.unpack(it.args, 1, it.args.n))
  settle(it)
  return self
end

--- instance:push(...) -> boolean
--- Delivers a message from outside to the instance, and runs until nothing is
--- due at this time. False, with the signal BACKOFF, when its inbox is full;
--- false as well when it has ended. Raises usage before it has started, and for
--- what it does not accept.
---   print(p:push("go", 1))
function methods:push(...)
  local it = started(self, "push")
  settle(it)
  if not inside.room(it.sim, it.pid) then
    family.tell(it.family, it.pid, "BACKOFF", nil, ...)
    return false
  end
  local lives = not inside.ended(it.sim, it.pid)
  it.sim:send(it.pid, ...)
  settle(it)
  return lives
end

--- instance:pull() -> iterator
--- Gives the signals of the instance and of all processes that it has spawned
--- since the last pull, each a table {kind=, time=, pid=, seq=, ...}: see
--- templates. Raises usage before it has started.
---   for signal in p:pull() do print(signal.kind) end
function methods:pull()
  return family.pull(started(self, "pull").family)
end

-- What the instance waits for, in words.
local function waits(it)
  return it.sim:info(it.pid).waiting or "its turn"
end

--- instance:join([timeout]) -> what entrypoint returned
--- Waits for the end of the instance as md.join does; called outside of a
--- process it runs the sim until then. Raises what ended it; usage before it
--- has started, and when it waits for ever.
---   print(md.template({ entrypoint = math.max }):create(1, 2):start():join())
function methods:join(timeout)
  local it = started(self, "join")
  local sim, pid = it.sim, it.pid
  if inside.process() then
    return core.join(pid, timeout)
  elseif timeout ~= nil then
    argument.check("join", argument.duration, timeout, "timeout")
  end
  local function ended()
    return inside.ended(sim, pid)
  end
  if not ended() then
    local to = timeout and sim:now() + timeout
    local why, time = sim:run { when = ended, to = to }
    if not ended() and to and time >= to then
      return nil, "timeout"
    elseif not ended() then
      local text = "the run ended (%s) while '%s' waits for %s"
      refuse("join", text:format(why, it.template.name, waits(it)))
    end
  end
  return sim:join(pid)
end

--- instance:replay{signals=, results=} -> the instance
--- Starts the instance from a record instead of start: it is executed again
--- and compared with it, and goes on live where the record ends: see templates.
--- signals(pid) returns an iterator of the recorded signals of a process: of
--- the root, whose pid is nil, then of each child. results(signal) is asked for
--- each START and USE and returns true, ... if the result is known. Raises
--- {kind="journal"} that names the first difference; usage when it has started,
--- and while the sim runs.
---   t:create():replay { signals = function() return ipairs {} end }
function methods:replay(options)
  local it = begin(self, "replay")
  if inside.running(it.sim) then
    refuse("replay", "it runs the sim, so it belongs outside of processes")
  end
  options = argument.options("replay", options, {
    { "signals", argument.fn },
    { "results", argument.fn },
  })
  argument.check("replay", argument.fn, options.signals, "signals")
  replay.run(it, options, spawn)
  return self
end

local properties = {
  pid = function(it)
    return it.pid
  end,
  status = function(it)
    return it.sim:status(it.pid)
  end,
  children = function(it)
    return it.sim:info(it.pid).children or {}
  end,
}

function instance_meta.__index(instance, name)
  local it = state[instance]
  if methods[name] then
    return methods[name]
  elseif name == "template" then
    return it.template
  elseif name == "status" and not it.family then
    return "created"
  elseif properties[name] then
    return properties[name](started(instance, name))
  end
end

function instance_meta.__tostring(instance)
  local it = state[instance]
  return it.template.name .. " " .. tostring(it.pid or "(not started)")
end

local template_methods = {}
local template_meta = {
  __name = "template",
  __index = template_methods,
  __tostring = function(t)
    return "template " .. t.name
  end,
}

--- template:create(...) -> instance
--- Makes an instance that has not started yet and will run entrypoint(...). Its
--- fields: pid, status ("created" before it starts), children, template.
--- Raises usage for what is no template.
---   print(md.template({ entrypoint = print }):create(1, 2).status)
function template_methods:create(...)
  argument.method("create", self, template_meta, "t")
  local instance = setmetatable({}, instance_meta)
  state[instance] = {
    template = self,
    sim = self.sim or core.current(),
    args = table.pack(...),
  }
  return instance
end

-- The options of a template.
local fields = {
  { "entrypoint", argument.fn },
  { "route", argument.fn },
  { "accepts", argument.protocol },
  { "emits", argument.protocol },
  { "inbox", argument.count },
  { "name", argument.text },
  { "doc", argument.text },
  { "version", argument.any },
}

--- template{entrypoint=, name=, route=, inbox=, accepts=, emits=, doc=,
--- version=} -> template
--- A reusable definition of a process that is fed and watched from outside, and
--- can be replayed: see templates. entrypoint is its function; route(...) names
--- the pid to which a message goes that md.emit(...) sends; inbox is the
--- capacity of its inbox; accepts and emits are protocols of what it receives
--- and emits; name, doc and version are for those who read them: they are
--- fields of the template. Raises usage for another option or a wrong value.
---   print(md.template({ name = "greeter", entrypoint = md.wait }):create())
function m.template(...)
  local sim, options = argument.sim(...)
  options = argument.options("template", options, fields)
  argument.check("template", argument.fn, options.entrypoint, "entrypoint")
  local t = { name = "template", sim = sim }
  for _, field in ipairs(fields) do
    local name = field[1]
    t[name] = options[name] == nil and t[name] or options[name]
  end
  return setmetatable(t, template_meta)
end

-- The family of the process that runs, and its pid.
local function current()
  local pid = inside.process()
  return pid and family.of(pid), pid
end

local function emit(...)
  local own, pid = current()
  if not own then
    refuse(
      "emit",
      "only a process that was made from a template has somewhere to emit to; "
        .. "md.send(pid, ...) sends to a process"
    )
  end
  local t = own.template
  if t.emits then
    inside.conforms(t.emits, "'" .. t.name .. "'", "emit", ...)
  end
  local to = t.route and t.route(...)
  if to ~= nil then
    local fit = type(to) == "string" or type(to) == "userdata"
    expect("emit", fit, "a pid or a registered name from route", to)
    return core.send(to, ...)
  end
  family.tell(own, pid, "SEND", nil, nil, ...)
end

--- emit(...)
--- Sends a message without a destination: the route function of the template
--- names the pid; without one, or when it names none, the message only comes
--- out of pull, as a signal SEND. Raises usage in a process that no template
--- has made, and for what the template does not emit; and what send raises.
---   md.template({ entrypoint = function() md.emit "up" end }):create():start()
function m.emit(...)
  return emit(select(2, argument.sim(...)))
end

m.use = effect.use
m.compact = compact.compact

return m
