-- Random programs of families: what a template's instance and its descendants
-- do, drawn by a number. Each process draws its own steps, so it does the same
-- in a replay, and touches everything that a record knows of.
local md = require "moondial"

local m = {}

-- A stream of numbers that is no part of any sim.
local function draws(seed)
  local state = (seed * 2654435761 + 12345) % 4294967296
  return function(n)
    state = (state * 1664525 + 1013904223) % 4294967296
    return (state >> 16) % n + 1
  end
end

local live

local function pick(draw, list)
  return list[draw(#list)]
end

-- A duration: one of n, so that many things come at one instant, or none that
-- anything else has.
local function while_of(draw, n)
  local d = draw(n) - 1
  return live.apart and d + draw(30000) / 1000003 + draw(30000) / 1e9 or d
end

local steps = {}

function steps.sleep(draw)
  md.sleep(while_of(draw, 3))
end

function steps.yield()
  if not live.apart then
    md.yield()
  end
end

function steps.send(draw, own)
  md.send(pick(draw, own.pids), pick(draw, own.words), draw(9), { n = draw(9) })
end

function steps.send_self(draw, own)
  md.send(md.self(), pick(draw, own.words), draw(9))
end

function steps.emit(draw)
  md.emit("out", draw(9), { md.self() })
end

function steps.send_outside(draw, own)
  md.send(own.server, "note", draw(9))
end

function steps.later(draw, own)
  local timer = md.send_after(
    while_of(draw, 4),
    pick(draw, own.pids),
    pick(draw, own.words),
    "late"
  )
  if draw(3) == 1 then
    md.sleep(while_of(draw, 2))
    timer:cancel()
  end
end

-- Two that come at one time.
function steps.later_twice(draw, own)
  local d = while_of(draw, 3)
  md.send_after(d, pick(draw, own.pids), pick(draw, own.words), "first")
  md.send_after(d, pick(draw, own.pids), pick(draw, own.words), "second")
end

function steps.later_outside(draw, own)
  md.send_after(while_of(draw, 4), own.server, "note", "late")
end

function steps.wait(draw, own)
  md.wait_timeout(while_of(draw, 5), pick(draw, own.words))
end

function steps.wait_any(draw)
  md.wait_timeout(while_of(draw, 5))
end

function steps.receive(draw, own)
  md.receive {
    { pick(draw, own.words), md._ },
    { md.where(function(x)
      return x == "b"
    end) },
    after = { while_of(draw, 4) },
  }
end

function steps.filter(draw, own)
  md.timeout(while_of(draw, 4), md.filter, pick(draw, own.words))
end

function steps.flush()
  md.flush()
end

function steps.ask_outside(draw, own)
  if own.asks then
    md.ask_timeout(while_of(draw, 3) + 1, own.server, "price", draw(3000))
  end
end

function steps.ask_in_vain(draw, own)
  md.ask_timeout(while_of(draw, 3), own.server, "silence", draw(9))
end

-- Of one who may end, or have ended, and never answers.
function steps.ask_mortal(draw, own)
  md.ask_timeout(while_of(draw, 4) + 1, own.mortal, "alive", draw(9))
end

function steps.ask(draw, own)
  local to = pick(draw, own.pids)
  if to ~= md.self() then
    md.ask_timeout(while_of(draw, 3) + 1, to, "a", draw(9))
  end
end

function steps.answer(draw)
  local from, ref =
    md.wait_timeout(while_of(draw, 4), "a", md.is.pid, md.is.ref)
  md.reply(from, ref, draw(9), { draw(9) })
end

function steps.spawn(draw, own)
  own.spawn(draw, md.spawn, {})
end

function steps.child(draw, own)
  own.spawn(draw, md.child, { forward = draw(3) == 1 })
end

function steps.bounded(draw, own)
  own.spawn(draw, md.child, {
    inbox = draw(2),
    on_full = pick(draw, { "block", "drop", "error" }),
  })
end

function steps.watched(draw, own)
  own.spawn(draw, md.spawn, { monitor = true, link = draw(2) == 1 })
end

function steps.join(draw, own)
  local to = pick(draw, own.pids)
  if to ~= md.self() then
    md.emit("joined", pcall(md.join, to, while_of(draw, 4)))
  end
end

function steps.kill(draw, own)
  local to = pick(draw, own.pids)
  if to ~= own.pids[1] and draw(3) == 1 then
    md.kill(to, "why")
  end
end

function steps.interrupt(draw, own)
  local to = pick(draw, own.pids)
  if to ~= md.self() then
    md.interrupt(to, "cause")
  end
end

function steps.every(draw)
  for _ in md.every(while_of(draw, 2) + 1, { count = draw(3) }) do
    md.send(md.self(), "a", "turn")
  end
end

function steps.await(draw, own)
  local to = pick(draw, own.pids)
  local timer = md.timer(while_of(draw, 3))
  md.await(md.any { timer, to ~= md.self() and to or timer })
end

function steps.queue(draw)
  local queue = md.queue(2)
  for i = 1, 3 do
    md.timeout(while_of(draw, 2), queue.put, queue, i)
  end
  return queue:get()
end

function steps.scope(draw, own)
  local scope <close> = md.scope()
  for i = 1, draw(3) do
    local to, d = pick(draw, own.pids), while_of(draw, 2)
    scope:spawn(function()
      md.sleep(d)
      md.send(to, "b", i)
    end)
  end
end

function steps.trap(draw)
  md.trap_exit(draw(2) == 1)
end

function steps.monitor(draw, own)
  md.monitor(pick(draw, own.pids))
end

function steps.use(draw)
  md.use(function(x)
    if x == 1 then
      error "used"
    end
    return x, { m.counter() }, nil
  end, draw(4))
end

function steps.use_long(draw)
  if live.long then
    -- called again, if the record ends meanwhile, it ends at the same time
    local to = md.now() + draw(3) - 0.95 + draw(900) / 20000
    md.use(function()
      md.sleep_until(math.max(to, md.now()))
      return m.counter()
    end)
  end
end

function steps.limit(draw)
  local d = while_of(draw, 3)
  md.timeout(d, function()
    md.timeout(while_of(draw, 3), md.sleep, while_of(draw, 3))
    md.wait "nothing"
  end)
end

function steps.callbacks(draw, own)
  local d, word = while_of(draw, 3), pick(draw, own.words)
  for i = 1, 2 do
    local to = pick(draw, own.pids)
    md.after(d, function()
      md.send(to, word, i)
      md.after(0, function()
        md.send(to, word, -i)
      end)
    end)
  end
end

function steps.callback(draw, own)
  local to, word = pick(draw, own.pids), pick(draw, own.words)
  md.after(while_of(draw, 3), function()
    md.send(to, word, "from a callback")
  end)
end

function steps.become(draw, own)
  if own.lives < 3 then
    local number, lives = own.number * 31 + draw(100), own.lives + 1
    md.become(own.body, number, lives, own.pids, table.unpack(own.rest))
  end
end

function steps.fail(draw)
  if draw(4) == 1 then
    error("failed", 0)
  end
end

function steps.closed(draw)
  local d = while_of(draw, 3)
  local _ <close> = setmetatable({}, {
    __close = function()
      md.sleep(d)
    end,
  })
  md.sleep(while_of(draw, 3) + 1)
end

local names = {}
for name in pairs(steps) do
  names[#names + 1] = name
end
table.sort(names)

local words = { "a", "b", "c" }

local body
function body(number, lives, pids, depth, server, mortal, asks)
  local draw = draws(number)
  md.trap_exit(false) -- what it was before is not in its arguments
  local own = {
    number = number,
    lives = lives,
    body = body,
    rest = { depth, server, mortal, asks },
    pids = { table.unpack(pids) },
    words = words,
    server = server,
    mortal = mortal,
    asks = asks,
  }
  table.insert(own.pids, md.self())
  function own.spawn(d, how, options)
    if depth < 3 then
      local pid = how(
        options,
        body,
        number * 17 + d(1000),
        1,
        own.pids,
        depth + 1,
        server,
        mortal,
        asks
      )
      table.insert(own.pids, pid)
    end
  end
  local told = {}
  for i = 1, 3 + draw(8) do
    local name = pick(draw, names)
    if name == "become" or name == "fail" then
      steps[name](draw, own)
    else
      local ok, err = pcall(steps[name], draw, own)
      told[i] = name .. " " .. tostring(ok or type(err) == "table" and err.kind)
    end
  end
  return "done", number, #told
end

-- counter() -> a number that no two calls share.
m.count = 0
function m.counter()
  m.count = m.count + 1
  return m.count
end

-- start(log, n)
-- The counter goes on behind what the first n signals of a log have of it.
function m.start(log, n)
  m.count = 0
  for i = 1, n do
    local result = log[i].kind == "USE" and log[i].result or {}
    local last = type(result[2]) == "table" and result[2][1] or result[1]
    m.count = math.max(m.count, last or 0)
  end
end

-- What comes from outside: a list of {time, name, ...}, in order. `after` is
-- the number of events at its time behind which it comes, if not behind all.
function m.schedule(seed)
  local draw, list, time = draws(seed * 7 + 1), {}, 0
  for i = 1, 6 do
    time = time + draw(3) - 1
    local what = draw(9)
    local word, at = pick(draw, words), draw(4)
    if what == 7 then
      list[i] = { time, "interrupt", at }
    elseif what == 8 then
      list[i] = { time, "kill", at + 1 }
    elseif what == 9 then
      list[i] = { time, "bury", at }
    else
      list[i] = { time, "push", at, word, draw(9), { draw(9) } }
    end
    if live.amid then
      list[i].after = draw(6) - 1
    end
  end
  return list
end

-- template(options) -> a function that makes the template for a sim
function m.template(options)
  live = options
  return function(sim)
    return sim:template {
      name = "family",
      entrypoint = function(number, server, mortal)
        return body(number, 1, {}, 1, server, mortal, options.asks)
      end,
    }
  end
end

return m
