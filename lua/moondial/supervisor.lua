-- Supervisors: processes that start others, and start them again when they end.
-- Strategies, kinds of restart, intensity and shutdown are those of OTP's
-- documentation; where they differ, the topic supervisors says why.
local core = require "moondial.core"
local argument = require "moondial.argument"
local inside = require "moondial.inside"
local line = require "moondial.line"

local m = {}

local refuse, expect = argument.refuse, argument.expect

-- -- what may be asked for ---------------------------------------------------

local strategies = { "one_for_one", "one_for_all", "rest_for_one" }
local restarts = { "permanent", "transient", "temporary" }
local fields = {
  { "children", argument.table },
  { "strategy", argument.any },
  { "max_restarts", argument.any },
  { "within", argument.duration },
  { "name", argument.text },
}
local child_fields = {
  { "id", argument.any },
  { "start", argument.fn },
  { "args", argument.table },
  { "supervisor", argument.table },
  { "restart", argument.any },
  { "shutdown", argument.any },
  { "name", argument.text },
  { "priority", argument.any },
  { "inbox", argument.any },
  { "on_full", argument.any },
  { "accepts", argument.protocol },
  { "stream", argument.text },
}
local spawn_fields = { "priority", "inbox", "on_full", "accepts", "stream" }

local function one_of(call, field, value, names)
  for _, name in ipairs(names) do
    if value == name then
      return value
    end
  end
  local quoted = '"' .. table.concat(names, '", "', 1, #names - 1) .. '" or "'
  expect(call, false, quoted .. names[#names] .. '" as ' .. field, value)
end

local function is_time(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

local function check_shutdown(call, value)
  local words = { infinity = true, brutal_kill = true }
  local what = 'a duration, "infinity" or "brutal_kill" as shutdown'
  expect(call, words[value] or is_time(value), what, value)
  return value
end

local check_options

-- What a child is to be; `n` is its place in the list, if it has one.
local function check_child(call, spec, n)
  local which = n and "child " .. n or "a child"
  local what = "a table {id = ..., start = function} as " .. which
  expect(call, type(spec) == "table", what, spec)
  argument.options(call, spec, child_fields)
  local id = spec.id == nil and n or spec.id
  expect(call, id ~= nil, "an id for " .. which, nil)
  if spec.supervisor then
    if spec.start then
      refuse(
        call,
        "give either start or supervisor to " .. which .. ", not both"
      )
    end
    check_options(call, spec.supervisor)
  else
    what = "a function as start of child '%s'; start is the child's body"
    what = what:format(tostring(id))
    expect(call, type(spec.start) == "function", what, spec.start)
  end
  local options = {
    name = spec.name or type(id) == "string" and id or nil,
    link = true,
    child = true,
  }
  for _, field in ipairs(spawn_fields) do
    options[field] = spec[field]
  end
  return {
    id = id,
    start = spec.start,
    args = spec.args or {},
    supervisor = spec.supervisor,
    restart = one_of(call, "restart", spec.restart or "permanent", restarts),
    shutdown = check_shutdown(
      call,
      spec.shutdown or (spec.supervisor and "infinity" or 5)
    ),
    options = options,
  }
end

function check_options(call, options)
  argument.options(call, options, fields)
  local most = options.max_restarts or 3
  local counts = math.type(most) == "integer" and most >= 0
  expect(call, counts, "an integer of at least 0 as max_restarts", most)
  local within = options.within or 5
  one_of(call, "strategy", options.strategy or "one_for_one", strategies)
  local list = options.children or {}
  local seen = {}
  for n, spec in ipairs(list) do
    local id = check_child(call, spec, n).id
    if seen[id] then
      refuse(call, ("two children have the id '%s'"):format(tostring(id)))
    end
    seen[id] = true
  end
  return most, within
end

-- -- the supervisor ----------------------------------------------------------

local supervisor = {}
supervisor.__index = supervisor

local body

function supervisor:start(child)
  local function run(...)
    if child.supervisor then
      return body(child.supervisor)
    end
    return child.start(...)
  end
  child.pid = core.spawn(child.options, run, table.unpack(child.args))
  self.by_pid[child.pid] = child
end

-- Ends a child that lives, and waits until it has ended.
function supervisor:stop(child)
  local pid, limit = child.pid, child.shutdown
  if not pid then
    return
  end
  child.pid, self.by_pid[pid] = nil, nil
  if limit == "brutal_kill" then
    core.kill(pid, "killed")
  else
    core.shutdown(pid, "shutdown")
  end
  if is_time(limit) then
    local ok, why = pcall(core.wait_timeout, limit, "exit", pid, core._)
    if ok then
      return
    elseif why.kind ~= "timeout" then
      error(why, 0)
    end
    core.kill(pid, "killed")
  end
  core.wait("exit", pid, core._)
end

-- Ends those from `last` back to `first`, in that order.
function supervisor:stop_from(first)
  local child = self.children.last
  while child do
    local before = child.before
    self:stop(child)
    if child == first then
      return
    end
    child = before
  end
end

function supervisor:start_from(first)
  local child = first
  while child do
    if not child.pid then
      self:start(child)
    end
    child = child.behind
  end
end

function supervisor:forget(child)
  line.remove(child)
  self.by_id[child.id] = nil
end

-- A list of the times of the last restarts, as a ring; true when there are more
-- than max_restarts within the window.
function supervisor:too_many()
  local now, times, most = core.now(), self.times, self.most
  if most == 0 then
    return true
  end
  local oldest = times[self.next]
  times[self.next] = now
  self.next = self.next % most + 1
  return oldest ~= nil and now - oldest <= self.within
end

function supervisor:give_up(child, reason)
  local text = "%s gives up: more than %d restart%s within %s; the last to "
    .. "end was '%s': %s"
  inside.note(
    text:format(
      self.name,
      self.most,
      self.most == 1 and "" or "s",
      self.within,
      tostring(child.id),
      tostring(reason)
    )
  )
  self:stop_from(nil)
  core.exit "shutdown"
end

local function normal(reason)
  return reason == "normal" or reason == "shutdown"
end

-- A child has ended by itself.
function supervisor:ended(child, reason)
  child.pid = nil
  if child.restart == "temporary" then
    return self:forget(child)
  elseif child.restart == "transient" and normal(reason) then
    return
  elseif self:too_many() then
    return self:give_up(child, reason)
  end
  if self.strategy == "one_for_one" then
    return self:start(child)
  end
  local first = self.strategy == "one_for_all" and self.children.first or child
  self:stop_from(first)
  self:start_from(first)
end

function supervisor:exit(pid, reason)
  local child = pid and self.by_pid[pid]
  if child then
    self.by_pid[pid] = nil
    inside.forget(pid)
    return self:ended(child, reason)
  elseif reason == "normal" then
    return -- of somebody who is linked to it
  end
  self:stop_from(nil)
  core.exit(reason)
end

-- -- what it can be asked ----------------------------------------------------

local calls = {}

function calls:which_children()
  local list = {}
  local child = self.children.first
  while child do
    list[#list + 1] = {
      id = child.id,
      pid = child.pid,
      restart = child.restart,
      supervisor = child.supervisor ~= nil,
    }
    child = child.behind
  end
  return list
end

function calls:count_children()
  local counts = { specs = 0, active = 0, supervisors = 0, workers = 0 }
  local child = self.children.first
  while child do
    local kind = child.supervisor and "supervisors" or "workers"
    counts.specs = counts.specs + 1
    counts.active = counts.active + (child.pid and 1 or 0)
    counts[kind] = counts[kind] + 1
    child = child.behind
  end
  return counts
end

function calls:start_child(spec)
  local ok, child = pcall(check_child, "start_child", spec)
  if not ok then
    return nil, child.message
  elseif self.by_id[child.id] then
    local pid = self.by_id[child.id].pid
    return nil, pid and "already started" or "already present", pid
  end
  line.insert(self.children, child)
  self.by_id[child.id] = child
  self:start(child)
  return child.pid
end

function calls:terminate_child(id)
  local child = self.by_id[id]
  if not child then
    return nil, "not found"
  end
  self:stop(child)
  if child.restart == "temporary" then
    self:forget(child)
  end
  return true
end

function calls:restart_child(id)
  local child = self.by_id[id]
  if not child then
    return nil, "not found"
  elseif child.pid then
    return nil, "running"
  end
  self:start(child)
  return child.pid
end

function calls:delete_child(id)
  local child = self.by_id[id]
  if not child then
    return nil, "not found"
  elseif child.pid then
    return nil, "running"
  end
  self:forget(child)
  return true
end

-- -- its life ----------------------------------------------------------------

local function clauses_of(self)
  local list = {
    {
      "exit",
      core._,
      core._,
      function(pid, reason)
        self:exit(pid, reason)
      end,
    },
  }
  for _, name in ipairs {
    "which_children",
    "count_children",
    "start_child",
    "terminate_child",
    "restart_child",
    "delete_child",
  } do
    list[#list + 1] = {
      name,
      core.is.pid,
      core.is.ref,
      function(from, ref, ...)
        core.reply(from, ref, calls[name](self, ...))
      end,
    }
  end
  return core.clauses(list)
end

function body(options)
  local most, within = check_options("supervisor", options)
  local self = setmetatable({
    strategy = options.strategy or "one_for_one",
    most = most,
    within = within,
    name = inside.label(core.self()),
    children = line.new(),
    by_id = {},
    by_pid = {},
    times = {},
    next = 1,
  }, supervisor)
  core.trap_exit(true)
  for n, spec in ipairs(options.children or {}) do
    local child = check_child("supervisor", spec, n)
    line.insert(self.children, child)
    self.by_id[child.id] = child
    self:start(child)
  end
  local clauses = clauses_of(self)
  while true do
    core.receive(clauses)
  end
end

--- supervisor{children=, strategy=, max_restarts=, within=, name=} -> pid
--- Starts a process that starts the children, in order, and again when they
--- end. A child is {id=, start=, restart=, shutdown=}: start is its body, and
--- args the list of its arguments; restart "permanent" (always), "transient"
--- (unless it ended normally or by "shutdown") or "temporary" (never); shutdown
--- how long it may take to end, 5 by default, "infinity" or "brutal_kill". In
--- place of start, supervisor = {...} makes it a supervisor itself. Also name,
--- priority, inbox, on_full, accepts and stream, as for spawn. The strategy:
--- "one_for_one", "one_for_all" or "rest_for_one". More than max_restarts (3)
--- within so many units of time (5) end the supervisor and all its children,
--- with the reason "shutdown". It answers when it is asked for which_children,
--- count_children, start_child, terminate_child, restart_child or delete_child.
--- Raises usage for a wrong option or child.
---   local function counter() md.wait "add"; error "lost count" end
---   md.supervisor { children = { { id = "counter", start = counter } } }
function m.supervisor(...)
  local sim, options = argument.sim(...)
  sim = sim or core.current()
  expect(
    "supervisor",
    type(options) == "table",
    "a table, md.supervisor{children = {{id = ..., start = fn}}}",
    options
  )
  check_options("supervisor", options)
  return sim:spawn({ name = options.name or "supervisor" }, body, options)
end

return m
