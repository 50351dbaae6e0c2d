-- The children of a supervisor, in the order in which they start: starting
-- them, and stopping them as OTP does, one after the other from the last on.
-- A child is {id, plan, pid}; it has no pid while it does not run. by_pid knows
-- those that run, and is false for one that was stopped and whose exit signal
-- is still to be read.
local core = require "moondial.core"
local inside = require "moondial.inside"
local line = require "moondial.line"

local m = {}

local children = {}
children.__index = children

-- new(body) -> children
-- None yet. A child that is a supervisor runs body(plan).
function m.new(body)
  return setmetatable({
    line = line.new(),
    body = body,
    by_id = {},
    by_pid = {},
    past = {},
  }, children)
end

-- Who was started again is not asked for any more: what became of it is
-- forgotten once its instant is over, so that who waits for its end is told.
function children:outlive(pid)
  local now, past = inside.ticks(), self.past
  if self.past_at ~= now then
    for i = 1, #past do
      inside.forget(past[i])
      past[i] = nil
    end
    self.past_at = now
  end
  past[#past + 1] = pid
end

function children:start(child)
  local plan = child.plan
  if child.before_pid then
    self:outlive(child.before_pid)
  end
  local fn, args = plan.supervisor and self.body or plan.start, plan.args
  local pid = core.spawn(plan.options, fn, table.unpack(args, 1, args.n))
  child.pid, child.before_pid, self.by_pid[pid] = pid, pid, child
end

-- Adds a child behind the others, and starts it.
function children:add(plan)
  local child = { id = plan.id, plan = plan }
  line.insert(self.line, child)
  self.by_id[child.id] = child
  self:start(child)
  return child
end

function children:forget(child)
  line.remove(child)
  self.by_id[child.id] = nil
end

-- ended(pid) -> child, false or nil
-- An exit signal has come from the process: that child has ended by itself;
-- false: it was stopped; nil: it is no child.
function children:ended(pid)
  local child = self.by_pid[pid]
  self.by_pid[pid] = nil
  if child then
    child.pid = nil
  end
  return child
end

-- Has a process time without end?
local function is_patient(shutdown)
  return shutdown == "infinity" or inside.ticks(shutdown) > math.maxinteger // 2
end

-- Ends a process, and waits until it has ended. A monitor tells, since a link
-- may have been undone.
local function finish(pid, shutdown)
  local ref = core.monitor(pid)
  if shutdown ~= "brutal_kill" then
    core.shutdown(pid, "shutdown")
    if is_patient(shutdown) then
      return core.wait("down", ref)
    elseif core.receive { { "down", ref }, after = { shutdown } } then
      return
    end
  end
  core.kill(pid)
  core.wait("down", ref)
end

-- Stops a child, if it runs; a temporary one is gone for good.
function children:stop(child)
  local pid = child.pid
  if pid then
    child.pid, self.by_pid[pid] = nil, false
    finish(pid, child.plan.shutdown)
  end
  if child.plan.restart == "temporary" then
    self:forget(child)
  end
end

-- Stops those from the last back to `first`, in that order; all without.
function children:stop_from(first)
  local child = self.line.last
  while child do
    local before = child ~= first and child.before
    self:stop(child)
    child = before
  end
end

function children:start_from(first)
  local child = first
  while child do
    self:start(child)
    child = child.behind
  end
end

return m
