-- A dispatcher: a process that hands each message on to one of its workers.
local argument = require "moondial.argument"
local core = require "moondial.core"
local server = require "moondial.server"

local m = {}

local ended = { done = true, failed = true }

-- -- whose turn it is ------------------------------------------------

-- Each returns the worker for a message, nil if none lives.
local choices = {}

function choices.round_robin(pool)
  for _ = 1, #pool do
    pool.turn = pool.turn % #pool + 1
    local pid = pool[pool.turn]
    if not ended[core.status(pid)] then
      return pid
    end
  end
end

-- A worker has what lies in its inbox, and what it is at unless it waits.
function choices.least_loaded(pool)
  local best, least
  for _, pid in ipairs(pool) do
    local status = core.status(pid)
    local load = core.inbox(pid) + (status == "waiting" and 0 or 1)
    if not ended[status] and (not best or load < least) then
      best, least = pid, load
    end
  end
  return best
end

-- What a key is known by: texts of different keys differ, and hold no address.
local function text_of(key)
  local kind = type(key)
  if kind == "string" then
    return "'" .. key
  elseif kind == "number" then
    return ("%.17g"):format(math.tointeger(key) or key)
  elseif kind == "boolean" or kind == "userdata" and key.kind then
    return tostring(key)
  end
end

-- FNV-1a. Its upper half is folded in, for the lowest bits mix least.
local function hash(text)
  local h = 0xcbf29ce484222325
  for i = 1, #text do
    h = (h ~ text:byte(i)) * 0x100000001b3
  end
  return h ~ h >> 32
end

-- "file:line" of a function of the model's.
local function origin(fn)
  local info = debug.getinfo(fn, "S")
  return info.short_src .. ":" .. info.linedefined
end

-- The worker of the key, or the next one that lives.
local function by_key(key_of)
  return function(pool, ...)
    local key = key_of(...)
    local text = text_of(key)
    if not text then
      local what = "a string, a number, a boolean or a pid as key from the "
        .. "function at "
        .. origin(key_of)
      argument.expect("dispatcher", false, what, key)
    end
    local first = hash(text) % #pool
    for i = 0, #pool - 1 do
      local pid = pool[(first + i) % #pool + 1]
      if not ended[core.status(pid)] then
        return pid
      end
    end
  end
end

-- -- the process -----------------------------------------------------

local pool_meta = {}

-- The workers that it made end with it.
function pool_meta.__close(pool)
  if pool.made then
    for _, pid in ipairs(pool) do
      core.kill(pid, "its dispatcher has ended")
    end
  end
end

local function dispatch(pool, choose)
  local _ <close> = pool
  local function pass(...)
    local pid = choose(pool, ...)
    if not pid then
      local text = "dispatcher: a message came, and all its workers (%d) have "
        .. "ended"
      error(core.failure("noproc", text:format(#pool)), 0)
    end
    core.send(pid, ...)
  end
  while true do
    pass(core.wait())
  end
end

-- -- making one ------------------------------------------------------

local function is_server(x)
  return type(x) == "table" and (getmetatable(x) or {}).__name == "server"
end

local options = {
  {
    "workers",
    {
      "a list of pids, or an integer of at least 1 with a worker,",
      function(x)
        return type(x) == "table" and #x > 0 or argument.count[2](x)
      end,
    },
  },
  {
    "worker",
    {
      "a function or a server",
      function(x)
        return type(x) == "function" or is_server(x)
      end,
    },
  },
  {
    "by",
    {
      '"round_robin", "least_loaded" or a function that gives a key',
      function(x)
        return choices[x] or type(x) == "function"
      end,
    },
  },
  { "name", argument.text },
}

local function make_workers(sim, n, o)
  local pool = { made = true }
  for i = 1, n do
    local named = { name = (o.name or "worker") .. " " .. i }
    if is_server(o.worker) then
      pool[i] = server.spawn_in(sim, o.worker, 2, named)
    else
      pool[i] = sim:spawn(named, o.worker, i)
    end
  end
  return pool
end

local function given_workers(sim, list)
  local pool = {}
  for i, worker in ipairs(list) do
    local pid = type(worker) == "string" and sim:whereis(worker) or worker
    local is_pid = type(pid) == "userdata" and pid.kind == "pid"
    local what = "a pid or a registered name as worker " .. i
    argument.expect("dispatcher", is_pid, what, worker)
    pool[i] = pid
  end
  return pool
end

local function workers_of(sim, o)
  argument.check("dispatcher", options[1][2], o.workers, "workers")
  if type(o.workers) == "number" then
    argument.check("dispatcher", options[2][2], o.worker, "worker")
    return make_workers(sim, o.workers, o)
  elseif o.worker then
    argument.refuse(
      "dispatcher",
      "worker is the body of new workers; give their number as workers, or "
        .. "leave it out"
    )
  end
  return given_workers(sim, o.workers)
end

--- dispatcher{workers =, worker =, by =, name =} -> pid, list of pids
--- Makes a process that hands each message on to one of its workers, as it is:
--- a question reaches the worker as (method, from, ref, ...), which replies to
--- the asker. `workers`: a list of pids, or how many to make, which end with
--- it, of `worker`, a server or a function that gets the worker's number. `by`:
--- "round_robin" (if nil); "least_loaded" (fewest messages in the inbox, and
--- one more unless it waits; of equals the first); or a function that gets the
--- message and returns a key: equal keys go to the same worker. Ended workers
--- are passed over; when all have, the next message raises noproc in the
--- dispatcher. Raises usage for wrong options. Returns the workers, too.
---   local d = md.dispatcher { workers = 2, worker = s, by = "least_loaded" }
function m.dispatcher(...)
  local sim, o = argument.sim(...)
  sim = sim or core.current()
  o = argument.options("dispatcher", o, options)
  local pool = workers_of(sim, o)
  local list = table.move(pool, 1, #pool, 1, {})
  local by = o.by or "round_robin"
  local choose = choices[by] or by_key(by)
  pool.turn = 0
  setmetatable(pool, pool_meta)
  local named = { name = o.name or "dispatcher" }
  return sim:spawn(named, dispatch, pool, choose), list
end

return m
