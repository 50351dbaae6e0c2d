-- Supervisors: processes that start others, and start them again when they end.
-- Strategies, kinds of restart, intensity and shutdown are those of OTP's
-- documentation; where they differ, the topic supervisors says why.
local core = require "moondial.core"
local argument = require "moondial.argument"
local children = require "moondial.children"
local inside = require "moondial.inside"
local plan = require "moondial.plan"

local m = {}

local supervisor = {}
supervisor.__index = supervisor

-- The strategies of those that live, by pid, for who looks on.
m.living = {}

local body -- of its process

-- -- restarts ----------------------------------------------------------------

function supervisor:restart(child)
  local strategy, all = self.plan.strategy, self.children
  if strategy == "one_for_one" then
    all:start(child)
  elseif strategy == "rest_for_one" then
    all:stop_from(child)
    all:start_from(child)
  else
    all:stop_from(nil)
    all:start_from(all.line.first)
  end
end

-- Notes a restart at this time; are there more within the window than may be?
-- times[first] .. [last] are those in the window, in ticks.
function supervisor:too_many()
  local now, times = inside.ticks(), self.times
  self.last = self.last + 1
  times[self.last] = now
  while now - times[self.first] > self.within do
    times[self.first] = nil
    self.first = self.first + 1
  end
  return self.last - self.first >= self.plan.most
end

function supervisor:give_up(child, reason)
  local text = "%s gives up at %.14g: more than %d restart%s within %s\n"
    .. "  the last to end was %s: %s"
  local said = type(reason) == "table" and rawget(reason, "message") or reason
  said = type(said) == "string" and said or inside.describe(said)
  local name, id = inside.label(core.self()), inside.describe(child.id)
  local n, within = self.plan.most, tostring(self.plan.within)
  local plural = n == 1 and "" or "s"
  inside.note(text:format(name, core.now(), n, plural, within, id, said))
  self.children:stop_from(nil)
  core.exit "shutdown"
end

-- {"shutdown", ...} is OTP's {shutdown, Term}.
local function is_normal(reason)
  if type(reason) == "table" then
    return rawget(reason, 1) == "shutdown"
  end
  return reason == "normal" or reason == "shutdown"
end

-- A child has ended by itself.
function supervisor:ended(child, reason)
  local kind = child.plan.restart
  if kind == "temporary" then
    self.children:forget(child)
  elseif kind == "transient" and is_normal(reason) then
    return
  elseif self:too_many() then
    self:give_up(child, reason)
  else
    self:restart(child)
  end
end

-- An exit signal: of a child, or of anybody who may end the supervisor.
function supervisor:exit(pid, reason)
  local child
  if pid then
    child = self.children:ended(pid)
  end
  if child then
    self:ended(child, reason)
  elseif child == nil and reason ~= "normal" then
    self.children:stop_from(nil)
    core.exit(reason)
  end
end

-- -- what it can be asked ----------------------------------------------------

local calls = {}

function calls.which_children(all)
  local list = {}
  local child = all.line.first
  while child do
    list[#list + 1] = {
      id = child.id,
      pid = child.pid,
      restart = child.plan.restart,
      supervisor = child.plan.supervisor ~= nil,
    }
    child = child.behind
  end
  return list
end

function calls.count_children(all)
  local counts = { specs = 0, active = 0, supervisors = 0, workers = 0 }
  local child = all.line.first
  while child do
    local kind = child.plan.supervisor and "supervisors" or "workers"
    counts.specs = counts.specs + 1
    counts.active = counts.active + (child.pid and 1 or 0)
    counts[kind] = counts[kind] + 1
    child = child.behind
  end
  return counts
end

function calls.start_child(all, given)
  local ok, its = pcall(plan.child, "start_child", given)
  if not ok then
    return nil, its.message
  end
  local there = all.by_id[its.id]
  if there then
    return nil, there.pid and "already started" or "already present", there.pid
  end
  return all:add(its).pid
end

function calls.terminate_child(all, id)
  local child = all.by_id[id]
  if not child then
    return nil, "not found"
  end
  all:stop(child)
  return true
end

-- The child of that id, which must not run; or nil and why there is none.
local function stopped(all, id)
  local child = all.by_id[id]
  if not child or child.pid then
    return nil, child and "running" or "not found"
  end
  return child
end

function calls.restart_child(all, id)
  local child, why = stopped(all, id)
  if not child then
    return nil, why
  end
  all:start(child)
  return child.pid
end

function calls.delete_child(all, id)
  local child, why = stopped(all, id)
  if not child then
    return nil, why
  end
  all:forget(child)
  return true
end

-- -- its life ----------------------------------------------------------------

local function clauses_of(self)
  local function exit(pid, reason)
    self:exit(pid, reason)
  end
  local list = { { "exit", core._, core._, exit } }
  for _, name in ipairs(plan.questions) do
    local call = calls[name]
    local function answer(from, ref, ...)
      core.reply(from, ref, call(self.children, ...))
    end
    list[#list + 1] = { name, answer }
  end
  return core.clauses(list)
end

function body(its)
  local self = setmetatable({
    plan = its,
    within = inside.ticks(its.within),
    children = children.new(body),
    times = {},
    first = 1,
    last = 0,
  }, supervisor)
  local own = core.self()
  local _ <close> = setmetatable({}, {
    __close = function()
      m.living[own] = nil
    end,
  })
  m.living[own] = its.strategy
  core.trap_exit(true)
  for _, child in ipairs(its.children) do
    self.children:add(child)
  end
  local clauses = clauses_of(self)
  while true do
    core.receive(clauses)
  end
end

--- supervisor{children=, strategy=, max_restarts=, within=, name=} -> pid
--- Starts a process that starts its children, in order, and again when they
--- end. A child is {id=, start=, args=, restart=, shutdown=}: start is its
--- body, args a list of arguments; restart "permanent" (always), "transient"
--- (not after "normal" or "shutdown") or "temporary" (never); shutdown how long
--- it may take to end (5), "infinity" or "brutal_kill". Also name, priority,
--- inbox, on_full, accepts, stream, as for spawn. With supervisor = {...} in
--- place of start it is one itself. Strategies: "one_for_one", "one_for_all",
--- "rest_for_one". More than max_restarts (3) within so many units of time (5)
--- end it by "shutdown". See help supervisors. Raises usage for what is wrong
--- in the options, or in a child.
---   md.supervisor { children = { { id = "a", start = md.wait } } }
function m.supervisor(...)
  local sim, options = argument.sim(...)
  sim = sim or core.current()
  local its = plan.plan("supervisor", options)
  its.name = its.name or "supervisor"
  return sim:spawn({ name = its.name, accepts = plan.protocol }, body, its)
end

return m
