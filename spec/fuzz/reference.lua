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
local UNWIND = {}

local function failure(kind, more)
  more = more or {}
  more.kind = kind
  error(more, 0)
end

local function matches(patterns, message)
  for i, pattern in ipairs(patterns) do
    if message[i] ~= pattern then
      return false
    end
  end
  return message.n >= #patterns
end

local function remove(list, value)
  for i, x in ipairs(list) do
    if x == value then
      return table.remove(list, i)
    end
  end
end

return function(order)
  local api, now, turn, limits, arrivals = {}, 0.0, 0, 0, 0
  local events, me = {}, nil

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
    p.event, p.target, p.state, me = nil, nil, "running", p
    assert(coroutine.resume(p.co))
    me = nil
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
    arm(p, now, why)
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
    if me.pending[1] then
      error(table.remove(me.pending, 1), 0)
    end
  end

  local function block(wait, deadline, patterns, priority)
    local p = me
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

  -- -- messages --

  local function arrive(to, message)
    arrivals = arrivals + 1
    message.arrival = arrivals
    to.inbox[#to.inbox + 1] = message
  end

  local function take(p, message)
    if remove(p.line, message) then
      if message.sender then
        wake(message.sender, "room")
      end
      return message
    end
    remove(p.inbox, message)
    local next_in = table.remove(p.line, 1)
    if next_in then
      arrive(p, next_in)
      if next_in.sender then
        wake(next_in.sender, "room")
      end
    end
    return message
  end

  local function look(patterns)
    for _, list in ipairs { me.inbox, me.line } do
      for _, message in ipairs(list) do
        if matches(patterns, message) then
          return take(me, message)
        end
      end
    end
  end

  local function late(to, ref)
    if type(ref) ~= "table" or ref.asker ~= to then
      return false
    end
    local hears = to.state == "ready" and to.why == "room"
    local waits = to.state == "waiting" and to.wait == "reply"
    return not ((hears or waits) and to.asks == ref)
  end

  -- Whether nobody will ever look at the message.
  local function lost(to, message)
    return to.dead or to.dying or late(to, message[1])
  end

  local function awaits(to, message)
    local waits = to.state == "waiting" and to.patterns
    return waits and matches(to.patterns, message)
  end

  -- True when the sender has to wait for room.
  local function deliver(to, message, sender)
    if lost(to, message) then
      return false
    elseif awaits(to, message) then
      wake(to, "message")
      arrivals = arrivals + 1
      message.arrival, to.handed = arrivals, message
      return false
    end
    if not to.capacity or #to.inbox < to.capacity and not to.line[1] then
      arrive(to, message)
    elseif to.on_full == "error" then
      failure "overflow"
    elseif to.on_full == "block" then
      message.sender = sender
      to.line[#to.line + 1] = message
      return true
    end
    return false
  end

  local function send(to, message, deadline)
    local full = to.capacity and (#to.inbox >= to.capacity or to.line[1])
    if full and to.on_full == "block" then
      if not lost(to, message) and not awaits(to, message) then
        may_block()
      end
    end
    if not deliver(to, message, me) then
      return "sent"
    end
    me.lined_at, me.lined = to, message
    local why = block("room", deadline)
    if why == "time" then
      remove(to.line, message)
    end
    return why
  end

  function api.send(to, ...)
    if me then
      me.asks = nil
    end
    send(to, table.pack(...))
  end
  api.reply = api.send

  local function receive(patterns, deadline)
    local message = look(patterns)
    if not message then
      if deadline == now then
        failure "timeout"
      end
      if block("message", deadline, patterns) == "time" then
        failure "timeout"
      end
      message = me.handed
    end
    return table.unpack(message, #patterns + 1, message.n)
  end

  function api.wait(...)
    may_block()
    return receive { ... }
  end

  function api.wait_timeout(d, ...)
    may_block()
    return receive({ ... }, now + d)
  end

  local function ask(to, deadline, method, ...)
    if to.dead then
      failure "noproc"
    end
    local ref = { asker = me }
    me.asks = ref
    local ok, why = pcall(send, to, table.pack(method, me, ref, ...), deadline)
    if not ok or why == "time" then
      look { ref }
      error(ok and { kind = "timeout" } or why, 0)
    end
    local message = look { ref }
    if not message then
      if to.dead then
        failure "noproc"
      elseif deadline and deadline <= now then
        failure "timeout"
      end
      me.target = to
      table.insert(to.watchers, me)
      why = block("reply", deadline, { ref })
      if why ~= "message" then
        failure(why == "time" and "timeout" or "noproc")
      end
      message = me.handed
    end
    return table.unpack(message, 2, message.n)
  end

  function api.ask(to, ...)
    may_block()
    return ask(to, nil, ...)
  end

  function api.ask_timeout(d, to, ...)
    may_block()
    return ask(to, now + d, ...)
  end

  function api.inbox(p)
    return #p.inbox
  end

  -- -- processes --

  local function finish(p, ok, ...)
    p.result = table.pack(...)
    p.ok = ok
    if not ok and ... == UNWIND then
      p.ok = p.dying == "normal"
      p.result = p.ok and { n = 0 } or { { kind = "killed" }, n = 1 }
    end
    while p.inbox[1] do
      take(p, p.inbox[1])
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
    arm(p, now + (o.after or 0), "start")
    return p
  end

  function api.self()
    return me
  end

  function api.kill(p, reason)
    if p.dead or p.dying then
      return false
    end
    p.dying, p.unwinding = reason or true, 0
    if p == me then
      error(UNWIND, 0)
    end
    interrupted(p, "unwind")
    return true
  end

  function api.exit(reason)
    me.dying = reason or "normal"
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
      me.target = p
      table.insert(p.watchers, me)
      if block("join", d and now + d) == "time" then
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
    return now
  end

  function api.sleep(d)
    may_block()
    block("time", now + d)
  end

  -- It goes after the least urgent that is due, but under "lifo" it is next.
  function api.yield()
    may_block()
    block("time", now, nil, order ~= "lifo" and least_urgent or nil)
  end

  function api.at(t, fn)
    local e = schedule(t, 0, fn)
    return {
      cancel = function()
        return remove(events, e) ~= nil
      end,
    }
  end

  function api.send_after(d, to, ...)
    local message = table.pack(...)
    return api.at(now + d, function()
      deliver(to, message)
    end)
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
    local p, outer = me, me.unwinding
    limits = limits + 1
    local number = limits
    local e = schedule(now + d, p.priority, function()
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
      now = e.time
      e.act()
    end
    return now
  end

  return api
end
