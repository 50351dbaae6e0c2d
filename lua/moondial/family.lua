-- Families: the processes that a template's instance and its descendants are,
-- and the signals that they emit. The core tells `heard` what a recorded
-- process does; in a replay the same signals are compared with those recorded.
local inside = require "moondial.inside"

local m = {}

-- The family of a recorded process, by pid.
local families = {}

-- What the core gives for each kind, and the fields it becomes; `...` stands
-- for the values of a list with its length in n.
local layouts = {
  START = { "", "args..." }, -- the function is known
  SPAWN = { "child" },
  JOIN = { "child" },
  TRANSITION = { "fn", "args..." },
  USE = { "error", "result..." },
  SEND = { "to", "at", "message..." },
  ARRIVE = { "from", "message..." },
  RECEIVE = { "message..." },
  DROP = { "message..." },
  BACKOFF = { "to", "message..." },
  STOP = { "result..." },
  FAIL = { "error" },
  TIMEOUT = {},
  INTERRUPT = { "cause", "by" },
  KILL = { "reason", "by" },
}

-- A signal: kind, time, pid, seq, the fields of its kind; and data, the first
-- of the values that it is about.
local function signal_of(family, pid, kind, ...)
  local signal = {
    kind = kind,
    time = family.sim:now(),
    pid = pid,
    seq = family.seq + 1,
  }
  for i, field in ipairs(layouts[kind]) do
    local list = field:match "^(%a+)%.%.%.$"
    if list then
      signal[list] = table.pack(select(i, ...))
      signal.data = signal[list][1]
    elseif field ~= "" then
      signal[field] = (select(i, ...))
    end
  end
  return signal
end

-- Adds a signal to what pull gives.
function m.emit(family, signal)
  family.seq = signal.seq
  family.last = family.last + 1
  family.signals[family.last] = signal
end

-- The core calls it: process `pid` does something of that kind. What it returns
-- is the core's answer: of START the function to run in its place, of SEND
-- whether the message is to be kept back.
local function heard(pid, kind, ...)
  local family = families[pid]
  if not family then
    return
  end
  if family.silent[pid] and kind ~= "START" then
    return kind == "SEND" -- it only stands in for another
  elseif kind == "ARRIVE" and (family.feeding or families[...] == family) then
    return -- it comes from inside
  end
  local signal = signal_of(family, pid, kind, ...)
  if kind == "SPAWN" then
    families[signal.child] = family
  end
  local replay = family.replay
  if replay then
    return replay:meet(signal)
  end
  m.emit(family, signal)
end

inside.recorder(heard)

-- A family whose root is process `pid` of the sim.
function m.new(sim, pid, template)
  local family = {
    sim = sim,
    root = pid,
    template = template,
    seq = 0,
    silent = {},
    signals = {},
    first = 1,
    last = 0,
  }
  families[pid] = family
  inside.record(sim, pid)
  return family
end

-- The family of a process, or nil.
function m.of(pid)
  return families[pid]
end

-- Tells the family of something that the core does not know of.
m.tell = heard

-- An iterator of the signals since the last one; what it gave is forgotten.
function m.pull(family)
  return function()
    local signal = family.signals[family.first]
    if signal then
      family.signals[family.first] = nil
      family.first = family.first + 1
    end
    return signal
  end
end

return m
