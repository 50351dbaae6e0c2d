-- A queue that is a process. Who puts or gets asks it, and waits for the reply.
--
-- What makes it right in the corners: a reply may be lost, since an interrupt,
-- a kill or a limit can reach who asked in the instant of the reply. So each
-- call takes a ticket with it, a table, which it closes on every way out:
--
--   put            the item lies in the queue from the grant on, but nobody is
--                  given it before the putter has had its turn and knows. If
--                  the call failed instead, "undo" takes the item out.
--   get            the item is gone from the queue from the grant on. If the
--                  call failed, "undo" puts it back where it was, even if the
--                  queue holds more than its capacity then.
--   either waits   "undo" takes the caller out of the line.
--
-- The queue itself remembers nothing of those whom it has served: what it gave
-- is in the ticket.
local argument = require "moondial.argument"
local core = require "moondial.core"
local line = require "moondial.line"

local m = {}

-- -- the process -----------------------------------------------------

-- What the turn of queue:put has still to confirm; plain questions do not.
local function unsure(item)
  return item.ticket and item.ticket.sure == false
end

-- One without a ticket that ended while it waited can tell nobody.
local function gone(node)
  return node.waited and not node.ticket and core.info(node.from).inbox == nil
end

local function first_of(waiting)
  while waiting.first and gone(waiting.first) do
    line.pop(waiting)
  end
  return waiting.first
end

local function admit(q, putter)
  line.remove(putter)
  q.serial = q.serial + 1
  putter.serial = q.serial
  line.insert(q.items, putter)
  core.reply(putter.from, putter.ref, true)
end

local function hand(q, getter)
  line.remove(getter)
  getter.given = line.pop(q.items)
  core.reply(getter.from, getter.ref, getter.given.x)
end

-- Moves all that can move: putters into the room, items to the getters. Comes
-- back with true if the first item is unsure and somebody wants it.
local function move(q)
  while true do
    local putter = first_of(q.putters)
    while putter and q.items.count < q.capacity do
      admit(q, putter)
      putter = first_of(q.putters)
    end
    local item, getter = q.items.first, first_of(q.getters)
    if not item or not getter then
      return false
    elseif unsure(item) then
      item.ticket.wanted = true
      return true
    end
    hand(q, getter)
  end
end

local function dismiss(node)
  if node.line then
    line.remove(node)
    core.reply(node.from, node.ref, nil, "timeout")
  end
end

-- Those with a timeout of 0 wait for nothing but to be told what is sure.
local function settle(q)
  if move(q) then
    return
  end
  for i, getter in ipairs(q.hasty) do
    q.hasty[i] = nil
    dismiss(getter)
  end
end

local function newcomer(from, ref, ticket)
  local node = { from = from, ref = ref }
  if type(ticket) == "table" then
    node.ticket, ticket.node = ticket, node
  end
  return node
end

local function put(q, from, ref, x, ticket)
  local putter = newcomer(from, ref, ticket)
  putter.x = x
  line.insert(q.putters, putter)
  settle(q)
  putter.waited = true
  if putter.line == q.putters and putter.ticket and ticket.hasty then
    dismiss(putter)
  end
end

local function get(q, from, ref, ticket)
  local getter = newcomer(from, ref, ticket)
  line.insert(q.getters, getter)
  if getter.ticket and ticket.hasty then
    table.insert(q.hasty, getter)
  end
  settle(q)
  getter.waited = true
end

-- What was given back lies before all that came in after it.
local function put_back(q, item)
  local behind = q.items.first
  while behind and behind.serial < item.serial do
    behind = behind.behind
  end
  line.insert(q.items, item, behind)
end

local function undo(q, ticket)
  local node = ticket.node
  if not node then
    return -- it never came here, or has been undone
  end
  ticket.node = nil
  line.remove(node)
  if node.given then
    put_back(q, node.given)
  end
  settle(q)
end

local function serve(q)
  local function with(fn)
    return function(...)
      return fn(q, ...)
    end
  end
  local clauses = core.clauses {
    { "put", core.is.pid, core.is.ref, with(put) },
    { "get", core.is.pid, core.is.ref, with(get) },
    { "sure", with(settle) },
    { "undo", core.is.table, with(undo) },
    {
      "length",
      core.is.pid,
      core.is.ref,
      function(from, ref)
        core.reply(from, ref, q.items.count)
      end,
    },
  }
  while true do
    core.receive(clauses)
  end
end

-- -- the caller ------------------------------------------------------

local queue = {}
local queue_meta = {
  __index = queue,
  __name = "queue",
  names = { "put", "get", "length", "pid" },
}

function queue_meta.__tostring(q)
  return ("<queue of %s>"):format(tostring(q.pid))
end

-- Errors of these kinds mean that there is nobody to tell.
local needless = { usage = true, noproc = true }

local ticket_meta = {
  __close = function(ticket, err)
    local kind = type(err) == "table" and err.kind
    if not ticket.over and not needless[kind] then
      core.send(ticket.pid, "undo", ticket)
    end
  end,
}

-- What came of a question: nil, "timeout" if its time is over.
local function result(ticket, ok, x, ...)
  if ok then
    ticket.over = true
    return x, ...
  elseif type(x) == "table" and x.kind == "timeout" then
    return nil, "timeout"
  end
  error(x, 0)
end

-- Asks the queue; an error of whichever kind leaves the ticket open.
local function ask(ticket, timeout, method, ...)
  if timeout == nil or ticket.hasty then
    return result(ticket, true, core.ask(ticket.pid, method, ...))
  end
  local pid = ticket.pid
  return result(ticket, pcall(core.ask_timeout, timeout, pid, method, ...))
end

local function ticket_for(q, timeout, call)
  argument.method(call, q, queue_meta, "q")
  if timeout ~= nil then
    argument.check(call, argument.duration, timeout, "timeout")
  end
  local ticket = { pid = q.pid, hasty = timeout == 0, sure = false }
  return setmetatable(ticket, ticket_meta)
end

--- queue([capacity]) -> queue
--- Makes a process that keeps values, first come first served; without a
--- capacity, an integer of at least 1, it holds any number. Its methods are
--- queue:put, queue:get and queue:length, its pid is q.pid. Whoever knows that
--- may also write md.ask(pid, "put", x), md.ask(pid, "get") and md.ask(pid,
--- "length"); who gives up such a question must have passed a table as its
--- last argument and sends ("undo", that table). md.kill(q.pid) ends it with
--- all that it holds. Raises usage for another capacity.
---   local q = md.queue(10)
function m.queue(...)
  local sim, capacity = argument.sim(...)
  if capacity ~= nil then
    argument.check("queue", argument.count, capacity, "capacity")
  end
  local state = {
    capacity = capacity or math.huge,
    items = line.new(),
    putters = line.new(),
    getters = line.new(),
    hasty = {},
    serial = 0,
  }
  local pid = (sim or core.current()):spawn({ name = "queue" }, serve, state)
  return setmetatable({ pid = pid, items = state.items }, queue_meta)
end

--- queue:put(x [, timeout]) -> true, or nil, "timeout"
--- Puts a value of any kind, nil too, at the end, and waits while the queue is
--- full: those who wait are served in the order in which they came. A timeout
--- of 0 does not wait. When put returns true the item is in; when it returns
--- nil or raises (an interrupt, a kill, a limit), it is not, and nobody was
--- given it. Raises {kind="noproc"} when the queue has ended or ends, usage for
--- a wrong timeout and where nothing can block.
---   q:put({ size = 3 }, 5)
function queue:put(x, timeout)
  local ticket <close> = ticket_for(self, timeout, "put")
  local done, why = ask(ticket, timeout, "put", x, ticket)
  if not done then
    return nil, why
  end
  ticket.sure = true
  if ticket.wanted then
    core.send(self.pid, "sure")
  end
  return true
end

--- queue:get([timeout]) -> the value, or nil, "timeout"
--- Takes the first value, and waits while there is none: those who wait are
--- served in the order in which they came. A timeout of 0 does not wait. The
--- second result tells no value from one that is nil. When get raises (an
--- interrupt, a kill, a limit), the value that it was about to return is first
--- in the queue again. Raises {kind="noproc"} when the queue has ended or ends,
--- usage for a wrong timeout and where nothing can block.
---   q:put("tea") print(q:get())
function queue:get(timeout)
  local ticket <close> = ticket_for(self, timeout, "get")
  return ask(ticket, timeout, "get", ticket)
end

--- queue:length() -> integer
--- How many values lie in the queue; it does not block.
---   print(q:length())
function queue:length()
  return self.items.count
end

return m
