-- md.use: side effects, which are called once and answered from the record when
-- that is replayed.
local core = require "moondial.core"
local argument = require "moondial.argument"
local family = require "moondial.family"
local inside = require "moondial.inside"

local m = {}

-- Calls fn(...): what it does meanwhile is no signal of the process.
local function call(own, pid, fn, ...)
  local guard <close> = setmetatable({}, {
    __close = function()
      inside.uses(own.sim, pid, false)
      own.uses[pid] = nil
    end,
  })
  own.uses[pid] = guard
  inside.uses(own.sim, pid, true)
  return table.pack(pcall(fn, ...))
end

-- What a call comes to: a signal, and its results or its error.
local function conclude(own, pid, ok, ...)
  if ok then
    family.tell(own, pid, "USE", nil, ...)
    return ...
  end
  local err = ... == nil and "nil" or ...
  family.tell(own, pid, "USE", err)
  error(err, 0)
end

local function live(own, pid, fn, ...)
  local answer = call(own, pid, fn, ...)
  return conclude(own, pid, table.unpack(answer, 1, answer.n))
end

-- The record's next signal, if it is the use of process pid and that is over.
local function due(replay, pid)
  local r = replay.feeder:pass()
  if r and r.kind == "USE" and replay.map:leaf(r.pid) == pid then
    return replay.feeder.turns:has_come(r.time) and r
  end
end

local function is_timeout(err)
  return type(err) == "table" and err.kind == "timeout"
end

-- The use r is over. What interrupted it, if that has not met the process here
-- while it waited, does so now: it is not to be met behind the use.
local function conform(r, interrupt)
  local err = r.error
  if not interrupt and type(err) == "table" and err.kind == "interrupt" then
    pcall(inside.interrupted)
  end
  return r
end

-- Waits until the record's next signal is the use of process pid. When it ends
-- before, returns nil and what has interrupted the use.
local function await(replay, pid)
  local own = replay.family
  local sign = core.ref(own.sim)
  local _ <close> = setmetatable({}, {
    __close = function()
      inside.uses(own.sim, pid, false)
      inside.take(own.sim, pid, function(x)
        return x == sign
      end)
      replay.using[pid], own.signs[sign] = nil, nil
    end,
  })
  own.signs[sign], replay.using[pid] = true, sign
  inside.uses(own.sim, pid, true)
  replay:advance()
  local interrupt
  while own.replay == replay and not replay.difference do
    local r = due(replay, pid)
    if r then
      return conform(r, interrupt)
    end
    local ok, err = pcall(core.wait, sign) -- the feeder gives it
    interrupt = not ok and not is_timeout(err) and err or interrupt
  end
  return nil, interrupt
end

-- The use of process pid in the record, or nil: none is left, and what has
-- interrupted it.
local function recorded(own, replay, pid)
  local r = due(replay, pid)
  if r then
    return conform(r)
  elseif own.replay ~= replay then
    return nil
  end
  return await(replay, pid)
end

-- Calls fn, or takes what the record has.
local function of_family(own, pid, fn, ...)
  local replay = own.replay
  if own.uses[pid] then
    return fn(...)
  end
  local r, interrupt
  if replay then
    r, interrupt = recorded(own, replay, pid)
  end
  if replay and replay.difference then
    error(core.failure("journal", replay.difference), 0)
  elseif interrupt then
    return conclude(own, pid, false, interrupt)
  elseif not r then
    return live(own, pid, fn, ...)
  end
  local result = replay.record:result(r)
  local err = r.error
  if err ~= nil then
    return conclude(own, pid, false, replay.map:translate(err))
  elseif not result then
    return live(own, pid, fn, ...)
  end
  result = replay.map:translate(result)
  return conclude(own, pid, true, table.unpack(result, 1, result.n))
end

local function use(fn, ...)
  local callable = type(fn) == "function"
  argument.expect("use", callable, "a function, md.use(fn, ...)", fn)
  local pid = inside.process()
  local own = pid and family.of(pid)
  inside.used()
  if not own then
    return inside.external(fn, ...)
  end
  return of_family(own, pid, inside.external, fn, ...)
end

--- use(fn, ...) -> what fn returned
--- Calls fn(...), a side effect such as reading a file, and keeps what it
--- returned or raised as the signal USE: a replay takes it from the record, and
--- does not call fn. So does `moondial replay` of a journal (--journal), for
--- which it must be plain data. fn may block; what it does meanwhile is no
--- signal of a template's, and then, or when the record ends before fn has
--- returned, it is called again.
---   print(md.use(os.getenv, "HOME") ~= nil)
function m.use(...)
  return use(select(2, argument.sim(...)))
end

return m
