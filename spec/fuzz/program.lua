-- Random programs as data, and what runs one on a simulator. A program is a
-- list of bodies, a body a list of operations {name, ...}; a process is named
-- by its number, in order of spawning. The log is a list of lines.
local m = {}

local MOST = 24 -- processes of a program

-- Numerical Recipes' generator: not math.random, which is the sim's.
function m.generator(seed)
  local state = (seed * 2654435761 + 12345) & 0xffffffff
  return function(n)
    state = (state * 1664525 + 1013904223) & 0xffffffff
    return ((state >> 8) * n >> 24) + 1
  end
end

local durations = { 0, 0, 1, 1, 1, 2, 2, 3, 0.5, 1.5 }
local tags = { "a", "b", "ask" }

-- What an operation is given: d a duration, p a process, t a tag, b a body,
-- i a small number, o operations under a limit.
local shapes = {
  sleep = "d",
  yield = "",
  spawn = "b",
  send = "pti",
  send_after = "dpti",
  wait = "",
  wait_tag = "t",
  wait_timeout = "d",
  wait_tag_timeout = "dt",
  ask = "p",
  ask_timeout = "dp",
  serve = "d",
  kill = "p",
  exit = "i",
  interrupt = "p",
  join = "p",
  join_timeout = "pd",
  at_send = "dpti",
  at_kill = "dp",
  at_interrupt = "dp",
  at_spawn = "db",
  cancel = "i",
  inbox = "p",
  timeout = "do",
}

local often = {
  sleep = 6,
  spawn = 3,
  send = 8,
  wait = 3,
  wait_tag = 2,
  wait_timeout = 3,
  ask = 2,
  ask_timeout = 3,
  serve = 4,
  interrupt = 2,
  timeout = 2,
}

local names = {}
for name in pairs(shapes) do
  for _ = 1, often[name] or 1 do
    names[#names + 1] = name
  end
end
table.sort(names)

function m.random(seed)
  local pick = m.generator(seed)
  local bodies = 2 + pick(4)
  local operation

  local function argument(letter, depth)
    if letter == "d" then
      return durations[pick(#durations)]
    elseif letter == "t" then
      return tags[pick(2)]
    elseif letter == "b" then
      return pick(bodies)
    elseif letter == "o" then
      local list = {}
      for i = 1, pick(3) do
        list[i] = operation(depth + 1)
      end
      return list
    end
    return pick(letter == "p" and 12 or 6)
  end

  function operation(depth)
    local name = names[pick(#names)]
    if name == "exit" and pick(4) > 1 or name == "timeout" and depth > 1 then
      name = "sleep"
    end
    local op = { name }
    for letter in shapes[name]:gmatch "." do
      op[#op + 1] = argument(letter, depth)
    end
    return op
  end

  local program = { seed = seed }
  for b = 1, bodies do
    local body = {}
    for i = 1, 2 + pick(8) do
      body[i] = operation(0)
    end
    local inbox = pick(3) == 1 and pick(2) or nil
    local policies = { "block", "block", "drop", "error" }
    body.options = {
      inbox = inbox,
      on_full = inbox and policies[pick(4)],
      priority = pick(4) == 1 and pick(3) - 2 or nil,
      after = pick(5) == 1 and durations[pick(#durations)] or nil,
    }
    program[b] = body
  end
  return program
end

-- -- running ------------------------------------------------------------

--- run(program, api) -> the log
--- api: the functions of md, and now and run of the simulator.
function m.run(program, api)
  local log, pids, numbers, timers = {}, {}, {}, {}
  local operations, body_of = {}, {}

  local function show(value)
    if numbers[value] then
      return "p" .. numbers[value]
    elseif type(value) == "table" and value.asker then
      return "ref"
    elseif type(value) == "table" then
      return tostring(value.kind or "?") .. ":" .. tostring(value.cause)
    elseif type(value) == "userdata" then
      return "ref"
    end
    return tostring(value)
  end

  local function note(who, ...)
    local line = table.pack(...)
    for i = 1, line.n do
      line[i] = show(line[i])
    end
    local what = table.concat(line, " ")
    log[#log + 1] = ("%.1f p%s %s"):format(api.now(), who, what)
  end

  local function process(k)
    return pids[(k - 1) % #pids + 1]
  end

  local function perform(list, me)
    for _, op in ipairs(list) do
      local name = op[1]
      local results = table.pack(api.pcall(operations[name], me, op))
      note(me, name, table.unpack(results, 1, results.n))
    end
  end

  local function body(number, list)
    local closed <close> = setmetatable({}, {
      __close = function()
        note(number, "closed")
      end,
    })
    note(number, "starts")
    perform(list, number)
    note(number, "ends", closed and #list)
    return number, #list
  end

  local function spawn(b)
    if #pids == MOST then
      return "enough"
    end
    local number, list = #pids + 1, program[b]
    local pid = api.spawn(list.options, body, number, list)
    pids[number], numbers[pid], body_of[pid] = pid, number, list
    return pid
  end

  local function answer(first, from, ref, n)
    if first == "ask" then
      api.reply(from, ref, n + 100)
    end
    return first, from, first == "ask" and "ref" or ref, n
  end

  local function remember(timer)
    timers[#timers + 1] = timer
  end

  -- A callback may not wait for room, and must not fail.
  local function unbounded(pid)
    local options = body_of[pid].options
    return not options.inbox or options.on_full == "drop"
  end

  function operations.sleep(_, op)
    api.sleep(op[2])
  end

  function operations.yield()
    api.yield()
  end

  function operations.spawn(_, op)
    return spawn(op[2])
  end

  function operations.send(me, op)
    return api.send(process(op[2]), op[3], me, op[4])
  end

  function operations.send_after(me, op)
    local to = process(op[3])
    if body_of[to].options.on_full ~= "error" then
      remember(api.send_after(op[2], to, op[4], me, op[5]))
    end
  end

  function operations.wait()
    return answer(api.wait())
  end

  function operations.wait_tag(_, op)
    return api.wait(op[2])
  end

  function operations.wait_timeout(_, op)
    return answer(api.wait_timeout(op[2]))
  end

  function operations.wait_tag_timeout(_, op)
    return api.wait_timeout(op[2], op[3])
  end

  function operations.ask(me, op)
    local to = process(op[2])
    return numbers[to] ~= me and api.ask(to, "ask", me)
  end

  function operations.ask_timeout(me, op)
    local to = process(op[3])
    return numbers[to] ~= me and api.ask_timeout(op[2], to, "ask", me)
  end

  function operations.serve(_, op)
    local from, ref, n = api.wait "ask"
    if op[2] > 1 then
      api.sleep(op[2])
    end
    api.reply(from, ref, n + 200)
    return from, n
  end

  function operations.kill(_, op)
    return api.kill(process(op[2]), "killed")
  end

  function operations.exit(_, op)
    if op[2] % 2 == 0 then
      api.exit()
    end
    api.exit "reason"
  end

  function operations.interrupt(me, op)
    local to = process(op[2])
    return numbers[to] ~= me and api.interrupt(to, me)
  end

  function operations.join(me, op)
    local to = process(op[2])
    if numbers[to] ~= me then
      return api.join(to)
    end
  end

  function operations.join_timeout(me, op)
    local to = process(op[2])
    if numbers[to] ~= me then
      return api.join(to, op[3])
    end
  end

  function operations.at_send(me, op)
    local to = process(op[3])
    remember(api.at(api.now() + op[2], function()
      note(0, "sends to", to)
      if unbounded(to) then
        api.send(to, op[4], me, op[5])
      end
    end))
  end

  function operations.at_kill(_, op)
    local to = process(op[3])
    remember(api.at(api.now() + op[2], function()
      note(0, "kills", to, api.kill(to))
    end))
  end

  function operations.at_interrupt(_, op)
    local to = process(op[3])
    remember(api.at(api.now() + op[2], function()
      note(0, "interrupts", to, api.interrupt(to, "timer"))
    end))
  end

  function operations.at_spawn(_, op)
    remember(api.at(api.now() + op[2], function()
      note(0, "spawns", (spawn(op[3])))
    end))
  end

  function operations.cancel(_, op)
    if #timers > 0 then
      return timers[(op[2] - 1) % #timers + 1].cancel()
    end
  end

  function operations.inbox(_, op)
    return api.inbox(process(op[2]))
  end

  function operations.timeout(me, op)
    return api.timeout(op[2], perform, op[3], me)
  end

  for b = 1, #program do
    spawn(b)
  end
  note(0, "over", api.run())
  return log
end

return m
