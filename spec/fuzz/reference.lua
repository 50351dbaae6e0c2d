-- A second simulator, naive and in plain Lua, to compare the first with: a
-- sorted list of events and a coroutine a process. The rules it lays down:
--
--  1. Events come by time, then by priority (lower first; timers have 0), then
--     by turn: under "fifo" the lower, under "lifo" the higher turn first. A
--     turn is given whenever something is scheduled, now or for later.
--  2. A process has at most one event to come. Whatever wakes it (a message,
--     an end, room, an interrupt, a kill, a limit) is a new event at the end of
--     this instant, by rule 1, and takes the place of the one it had.
--  3. A message that matches is handed over when it is sent, before the one who
--     waits has its turn. If a kill, an interrupt or a limit comes in between,
--     it goes back to its place in the inbox, which may then be over capacity.
--  4. Who waits gets a message even if its inbox is full; it also looks at the
--     line of those who wait for room, after the inbox.
--  5. wait_timeout(0) and ask_timeout(0) do not let others go first; sleep(0)
--     and join(p, 0) do. A deadline's turn is that of the wait's beginning.
--  6. An interrupt reaches one who is blocked. One who has not started, or who
--     has another interrupt or a limit's end before it, gets it at its next
--     blocking call, at the beginning, even one that would not have to wait.
--  7. A killed process is dead to kill, interrupt and send at once, and alive
--     to join and ask until it has had its turn and closed its variables.
--  8. At an end the inbox goes first: those who wait for room go on, in line,
--     then those who wait for the end, in the order in which they began to.
--  9. A reply to an ask that is over is dropped, and so is one that was handed
--     over when rule 3 applies; one that comes before its asker has heard of
--     the room its question got waits in the inbox.
-- 10. Limits that are over at one instant: the outermost has the word.
local messages = require "fuzz.reference_messages"

local UNWIND = {}
local remove, failure = messages.remove, messages.failure

return function(order)
  local api, events, turn, limits = {}, {}, 0, 0
  local k = { now = 0.0, arrivals = 0 } -- me: who has its turn

  local function before(a, b)
    if a.time ~= b.time then
      return a.time < b.time
    elseif a.priority ~= b.priority then
      return a.priority < b.priority
    end
    return (a.turn < b.turn) == (order == "fifo")
  end

  local least_urgent = 0

  local function schedule(time, priority, act)
    turn = turn + 1
    local e = { time = time, priority = priority, turn = turn, act = act }
    local i = #events
    while i > 0 and before(e, events[i]) do
      i = i - 1
    end
    table.insert(events, i + 1, e)
    return e
  end

  local function resume(p)
    remove(p.target and p.target.watchers or {}, p)
    p.event, p.target, p.state, k.me = nil, nil, "running", p
    assert(coroutine.resume(p.co))
    k.me = nil
  end

  local function arm(p, time, why, priority)
    p.why = why
    p.event = schedule(time, priority or p.priority, function()
      resume(p)
    end)
  end

  local function wake(p, why)
    remove(p.target and p.target.watchers or {}, p)
    remove(events, p.event)
    p.target, p.state = nil, "ready"
    arm(p, k.now, why)
  end

  -- Takes p out of its wait, which gives back what it has.
  local function interrupted(p, why)
    if p.state == "ready" and p.why == "message" and p.wait ~= "reply" then
      local at = #p.inbox
      while at > 0 and p.inbox[at].arrival > p.handed.arrival do
        at = at - 1
      end
      table.insert(p.inbox, at + 1, p.handed)
    elseif p.state == "waiting" and p.wait == "room" then
      remove(p.lined_at.line, p.lined)
    end
    wake(p, why)
  end

  local function may_block()
    if k.me.pending[1] then
      error(table.remove(k.me.pending, 1), 0)
    end
  end

  local function block(wait, deadline, patterns, priority)
    local p = k.me
    p.state, p.wait = "waiting", wait
    p.patterns = patterns
    if deadline then
      arm(p, deadline, "time", priority)
    end
    coroutine.yield()
    if p.why == "unwind" then
      error(UNWIND, 0)
    elseif p.why == "interrupt" then
      may_block()
    end
    return p.why
  end

  k.wake, k.block, k.may_block = wake, block, may_block
  messages.add(k, api)

  -- -- processes --

  local function finish(p, ok, ...)
    p.result = table.pack(...)
    p.ok = ok
    if not ok and ... == UNWIND then
      p.ok = p.dying == "normal"
      p.result = p.ok and { n = 0 } or { { kind = "killed" }, n = 1 }
    end
    while p.inbox[1] do
      messages.take(k, p, p.inbox[1])
    end
    p.dead = true
    while p.watchers[1] do
      wake(p.watchers[1], "end")
    end
  end

  function api.spawn(o, fn, ...)
    local p = { inbox = {}, line = {}, pending = {}, watchers = {} }
    local arguments = table.pack(...)
    p.priority, p.capacity = o.priority or 0, o.inbox
    least_urgent = math.max(least_urgent, p.priority)
    p.on_full, p.state = o.on_full or "block", "unborn"
    p.co = coroutine.create(function()
      if p.why == "unwind" then
        return finish(p, false, UNWIND)
      end
      p.started = true
      finish(p, pcall(fn, table.unpack(arguments)))
    end)
    arm(p, k.now + (o.after or 0), "start")
    return p
  end

  function api.self()
    return k.me
  end

  function api.kill(p, reason)
    if p.dead or p.dying then
      return false
    end
    p.dying, p.unwinding = reason or true, 0
    if p == k.me then
      error(UNWIND, 0)
    end
    interrupted(p, "unwind")
    return true
  end

  function api.exit(reason)
    k.me.dying = reason or "normal"
    error(UNWIND, 0)
  end

  function api.interrupt(p, cause)
    if p.dead or p.dying then
      return false
    end
    p.pending[#p.pending + 1] = { kind = "interrupt", cause = cause }
    local ready = p.state == "ready"
    if p.started and not (ready and p.why == "interrupt") then
      if not (ready and p.why == "unwind") then
        interrupted(p, "interrupt")
      end
    end
    return true
  end

  function api.join(p, d)
    if not p.dead then
      may_block()
      k.me.target = p
      table.insert(p.watchers, k.me)
      if block("join", d and k.now + d) == "time" then
        return nil, "timeout"
      end
    end
    if not p.ok then
      error(p.result[1], 0)
    end
    return table.unpack(p.result, 1, p.result.n)
  end

  -- -- time --

  function api.now()
    return k.now
  end

  function api.sleep(d)
    may_block()
    block("time", k.now + d)
  end

  -- It goes after the least urgent that is due, but under "lifo" it is next.
  function api.yield()
    may_block()
    block("time", k.now, nil, order ~= "lifo" and least_urgent or nil)
  end

  function api.at(t, fn)
    local e = schedule(t, 0, fn)
    return {
      cancel = function()
        return remove(events, e) ~= nil
      end,
    }
  end

  function api.pcall(fn, ...)
    local results = table.pack(pcall(fn, ...))
    if not results[1] and results[2] == UNWIND then
      error(UNWIND, 0)
    end
    return table.unpack(results, 1, results.n)
  end

  function api.timeout(d, fn, ...)
    may_block()
    local p, outer = k.me, k.me.unwinding
    limits = limits + 1
    local number = limits
    local e = schedule(k.now + d, p.priority, function()
      if not p.dead and (not p.unwinding or p.unwinding > number) then
        p.unwinding = number
        interrupted(p, "unwind")
      end
    end)
    local results = table.pack(pcall(fn, ...))
    remove(events, e)
    if not results[1] and p.unwinding == number then
      p.unwinding = outer
      if results[2] == UNWIND then
        failure "timeout"
      end
    end
    if not results[1] then
      error(results[2], 0)
    end
    return table.unpack(results, 2, results.n)
  end

  function api.run()
    while events[1] do
      local e = table.remove(events, 1)
      k.now = e.time
      e.act()
    end
    return k.now
  end

  return api
end
