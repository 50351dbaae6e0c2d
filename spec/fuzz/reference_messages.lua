-- The messages of the naive simulator in reference.lua: inboxes, which may have
-- a capacity, the lines before them, questions and answers. `k` has who has its
-- turn, the time, and how to wait and to wake; the rules stand there.
local m = {}

function m.failure(kind, more)
  more = more or {}
  more.kind = kind
  error(more, 0)
end

function m.remove(list, value)
  for i, x in ipairs(list) do
    if x == value then
      return table.remove(list, i)
    end
  end
end

local failure, remove = m.failure, m.remove

local function matches(patterns, message)
  for i, pattern in ipairs(patterns) do
    if message[i] ~= pattern then
      return false
    end
  end
  return message.n >= #patterns
end

local function arrive(k, to, message)
  k.arrivals = k.arrivals + 1
  message.arrival = k.arrivals
  to.inbox[#to.inbox + 1] = message
end

function m.take(k, p, message)
  if remove(p.line, message) then
    if message.sender then
      k.wake(message.sender, "room")
    end
    return message
  end
  remove(p.inbox, message)
  local next_in = table.remove(p.line, 1)
  if next_in then
    arrive(k, p, next_in)
    if next_in.sender then
      k.wake(next_in.sender, "room")
    end
  end
  return message
end

--- add(k, api): what a program calls.
function m.add(k, api)
  local function look(patterns)
    for _, list in ipairs { k.me.inbox, k.me.line } do
      for _, message in ipairs(list) do
        if matches(patterns, message) then
          return m.take(k, k.me, message)
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
      k.wake(to, "message")
      k.arrivals = k.arrivals + 1
      message.arrival, to.handed = k.arrivals, message
      return false
    end
    if not to.capacity or #to.inbox < to.capacity and not to.line[1] then
      arrive(k, to, message)
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
        k.may_block()
      end
    end
    if not deliver(to, message, k.me) then
      return "sent"
    end
    k.me.lined_at, k.me.lined = to, message
    local why = k.block("room", deadline)
    if why == "time" then
      remove(to.line, message)
    end
    return why
  end

  function api.send(to, ...)
    if k.me then
      k.me.asks = nil
    end
    send(to, table.pack(...))
  end
  api.reply = api.send

  local function receive(patterns, deadline)
    local message = look(patterns)
    if not message then
      if deadline == k.now then
        failure "timeout"
      end
      if k.block("message", deadline, patterns) == "time" then
        failure "timeout"
      end
      message = k.me.handed
    end
    return table.unpack(message, #patterns + 1, message.n)
  end

  function api.wait(...)
    k.may_block()
    return receive { ... }
  end

  function api.wait_timeout(d, ...)
    k.may_block()
    return receive({ ... }, k.now + d)
  end

  local function ask(to, deadline, method, ...)
    if to.dead then
      failure "noproc"
    end
    local ref = { asker = k.me }
    k.me.asks = ref
    local ok, why =
      pcall(send, to, table.pack(method, k.me, ref, ...), deadline)
    if not ok or why == "time" then
      look { ref }
      error(ok and { kind = "timeout" } or why, 0)
    end
    local message = look { ref }
    if not message then
      if to.dead then
        failure "noproc"
      elseif deadline and deadline <= k.now then
        failure "timeout"
      end
      k.me.target = to
      table.insert(to.watchers, k.me)
      why = k.block("reply", deadline, { ref })
      if why ~= "message" then
        failure(why == "time" and "timeout" or "noproc")
      end
      message = k.me.handed
    end
    return table.unpack(message, 2, message.n)
  end

  function api.ask(to, ...)
    k.may_block()
    return ask(to, nil, ...)
  end

  function api.ask_timeout(d, to, ...)
    k.may_block()
    return ask(to, k.now + d, ...)
  end

  function api.inbox(p)
    return #p.inbox
  end

  function api.send_after(d, to, ...)
    local message = table.pack(...)
    return api.at(k.now + d, function()
      deliver(to, message)
    end)
  end
end

return m
