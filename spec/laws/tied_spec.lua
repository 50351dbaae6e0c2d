-- The matrix of ties: each thing that can be waited for, and each way in which
-- a wait ends, at exactly the time of the grant, in both orders, some turns
-- apart, alone and within any and all. Each wait ends by one cause, what
-- follows sleeps its time, and what the first does not get the next one has.
local md = require "moondial"
local support = require "spec.host.support"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local SEEDS = long and 20 or 2
local TURNS = long and 4 or 2

-- A thing: `make` at 0, `call` blocks (with a timeout, or none) and returns
-- nil, "timeout" or whatever, `aw` its awaitable form, `grant` at 5 lets one
-- go on, `free` gives back what was got, `rest` is nil when all is as it
-- should be at the end. `shape`: "one" may go on by a grant, or "all" who wait.
local things = {}

local function thing(name, t)
  t.name = name
  things[#things + 1] = t
end

local function resource(make)
  return {
    shape = "one",
    make = function()
      local r = make()
      return { r = r, units = { r:acquire(), r.capacity > 1 and r:acquire() } }
    end,
    call = function(e, timeout)
      return e.r:acquire { timeout = timeout }
    end,
    aw = function(e)
      return e.r:acquiring()
    end,
    grant = function(e)
      e.units[1]:release()
    end,
    free = function(_, unit)
      unit:release()
    end,
    rest = function(e)
      if e.units[2] then
        e.units[2]:release()
      end
      return e.r.used ~= 0 and "used " .. e.r.used or nil
    end,
  }
end

thing("resource", resource(md.resource))
thing(
  "resource by priority",
  resource(function()
    return md.resource { preemptive = true }
  end)
)
thing("mutex", resource(md.mutex))
thing(
  "semaphore",
  resource(function()
    return md.semaphore(2)
  end)
)

local function store(options, predicate)
  return {
    shape = "one",
    make = function()
      return { s = md.store(options), got = {}, n = 0 }
    end,
    call = function(e, timeout)
      return e.s:get(predicate, timeout)
    end,
    aw = function(e)
      return e.s:getting(predicate)
    end,
    grant = function(e)
      e.n = e.n + 1
      e.s:put(e.n)
    end,
    free = function(e, item)
      e.got[#e.got + 1] = item
    end,
    rest = function(e)
      local got = table.concat(e.got, " ")
      local all = e.n == 1 and "1" or "1 2"
      if got ~= all or e.s.count ~= 0 then
        return ("got %s of %s, %d are left"):format(got, all, e.s.count)
      end
    end,
  }
end

thing("store, get", store())
thing("store by priority, get", store { order = "priority" })
thing(
  "store, get with a predicate",
  store(nil, function(x)
    return x > 0
  end)
)

thing("store, put", {
  shape = "one",
  make = function()
    local s = md.store { capacity = 1 }
    s:put "first"
    return { s = s, put = 1, got = 0 }
  end,
  call = function(e, timeout)
    return e.s:put("item", timeout)
  end,
  aw = function(e)
    return e.s:putting "item"
  end,
  grant = function(e)
    e.s:get()
    e.got = e.got + 1
  end,
  free = function(e)
    e.put = e.put + 1
  end,
  rest = function(e)
    if e.put - e.got ~= e.s.count or e.s.count > 1 then
      return ("put %d, got %d, left %d"):format(e.put, e.got, e.s.count)
    end
  end,
})

local function container(level, call, granting)
  local amount = { get = -0.1, put = 0.1 }
  return {
    shape = "one",
    make = function()
      return {
        c = md.container { capacity = 0.1, level = level },
        level = level,
      }
    end,
    call = function(e, timeout)
      return e.c[call](e.c, 0.1, timeout)
    end,
    aw = function(e)
      return e.c[call .. "ting"](e.c, 0.1)
    end,
    grant = function(e)
      e.c[granting](e.c, 0.1)
      e.level = e.level + amount[granting]
    end,
    free = function(e)
      e.level = e.level + amount[call]
    end,
    rest = function(e)
      if math.abs(e.level - e.c.level) > 1e-12 then
        return ("level %s, not %s"):format(e.c.level, e.level)
      end
    end,
  }
end

thing("container, get", container(0, "get", "put"))
thing("container, put", container(0.1, "put", "get"))

local function condition(shape, grant, predicate)
  return {
    shape = shape,
    make = function()
      return { c = md.condition(), open = false }
    end,
    call = function(e, timeout)
      return e.c:wait(predicate and function()
        return e.open
      end, timeout)
    end,
    aw = function(e)
      return e.c:waiting(predicate and function()
        return e.open
      end)
    end,
    grant = function(e)
      e.open = true
      e.c[grant](e.c)
    end,
    rest = function(e)
      return e.c.waiting_length > 0 and "somebody waits" or nil
    end,
  }
end

thing("condition, notify", condition("one", "notify"))
thing("condition, notify_all", condition("all", "notify_all"))
thing("condition with a predicate", condition("one", "notify", true))

local function happening(make, call, grant)
  return {
    shape = "all",
    make = make,
    call = function(e, timeout)
      return md.await(call(e), timeout)
    end,
    aw = call,
    grant = grant,
  }
end

thing(
  "event",
  happening(function()
    return { x = md.event() }
  end, function(e)
    return e.x
  end, function(e)
    e.x:succeed "value"
  end)
)
thing(
  "timer",
  happening(function()
    return { x = md.timer(5, "value") }
  end, function(e)
    return e.x
  end, function() end)
)

local function flag(call)
  return happening(
    function()
      return { x = md.flag() }
    end,
    call,
    function(e)
      e.x:toggle()
      e.x:toggle()
    end
  )
end

thing(
  "flag, a change",
  flag(function(e)
    return e.x
  end)
)
thing(
  "flag:is",
  flag(function(e)
    return e.x:is(true)
  end)
)

local join = happening(function()
  return {
    x = md.spawn(function()
      md.wait "end"
      return "value"
    end),
  }
end, function(e)
  return e.x
end, function(e)
  md.send(e.x, "end")
end)
join.call = function(e, timeout)
  return md.join(e.x, timeout)
end
thing("join", join)

thing("barrier", {
  shape = "round",
  make = function()
    return { b = md.barrier(3) }
  end,
  call = function(e, timeout)
    return e.b:arrive(timeout)
  end,
  aw = function(e)
    return e.b:arriving()
  end,
  grant = function(e)
    md.spawn(e.b.arrive, e.b)
  end,
  rest = function(e)
    return e.b.arrived > 0 and "somebody waits" or nil
  end,
})

-- What raises at its end gives nil, "timeout" as the others do.
local function raising(call, limited)
  return function(e, timeout)
    if not timeout then
      return call(e)
    end
    local results = table.pack(pcall(limited, e, timeout))
    if results[1] then
      return table.unpack(results, 2, results.n)
    end
    if results[2].kind ~= "timeout" then
      error(results[2], 0)
    end
    return nil, "timeout"
  end
end

thing("mailbox, wait", {
  shape = "own",
  keeps = "inbox",
  make = function()
    return {}
  end,
  call = raising(function()
    return md.wait(md.bind "x")
  end, function(_, timeout)
    return md.wait_timeout(timeout, md.bind "x")
  end),
  grant = function(e)
    md.send(e.victim, "x")
  end,
  after = function(_, outcome)
    if md.inbox() ~= (outcome == "done" and 0 or 1) then
      return outcome .. ", messages: " .. md.inbox()
    end
  end,
})
thing("mailbox, receive", {
  shape = "own",
  keeps = "inbox",
  make = function()
    return {}
  end,
  call = function(_, timeout)
    return md.receive {
      { md.bind "x" },
      after = timeout and {
        timeout,
        function()
          return nil, "timeout"
        end,
      },
    }
  end,
  grant = function(e)
    md.send(e.victim, "x")
  end,
  after = things[#things].after,
})
thing("mailbox, receiving", {
  shape = "own",
  keeps = "inbox",
  make = function()
    return {}
  end,
  call = function(_, timeout)
    return md.await(md.receiving(md.bind "x"), timeout)
  end,
  aw = function()
    return md.receiving(md.bind "x")
  end,
  grant = function(e)
    md.send(e.victim, "x")
  end,
  after = things[#things].after,
})
thing("mailbox, ask", {
  shape = "own",
  keeps = "dropped",
  make = function()
    return {
      server = md.spawn(function()
        for _ = 1, 2 do
          local from, ref = md.wait("ask", md.is.pid, md.is.ref)
          md.wait "now"
          md.reply(from, ref, "answer")
        end
      end),
    }
  end,
  call = raising(function(e)
    return md.ask(e.server, "ask")
  end, function(e, timeout)
    return md.ask_timeout(timeout, e.server, "ask")
  end),
  grant = function(e)
    md.send(e.server, "now")
  end,
  after = function(e)
    md.send(e.server, "now")
    if md.ask(e.server, "ask") ~= "answer" or md.inbox() ~= 0 then
      return "the late reply came"
    end
  end,
})

-- How a thing is wrapped up; each gives what call gives.
local wraps = {
  plain = function(t, e)
    return function(timeout)
      return t.call(e, timeout)
    end
  end,
}

local function over(shape, pick)
  return function(t, e)
    return t.aw
      and function(timeout)
        local results = table.pack(md.await(shape(t.aw(e)), timeout))
        if results[2] == "timeout" and results[1] == nil then
          return nil, "timeout"
        end
        return pick(table.unpack(results, 1, results.n))
      end
  end
end

local never = md.sim():event() -- replaced in each sim
wraps["any"] = over(function(x)
  return md.any { never, x, never }
end, function(_, value)
  return value
end)
wraps["all"] = over(function(x)
  return md.all { x, md.timer(0) }
end, function(list)
  return list[1]
end)
wraps["any of all"] = over(function(x)
  return (never & md.timer(9)) | (x & md.timer(1)) | never
end, function(_, index, list)
  return index == 2 and list[1] or nil
end)

-- The ways in which the victim's wait ends at 5; true and the value if by the
-- grant.
local ends = {}

function ends.resume(call)
  return true, call()
end

function ends.timeout(call)
  local value, why = call(5)
  return why ~= "timeout", value
end

ends["md.timeout"] = function(call)
  return pcall(md.timeout, 5, call)
end

function ends.cancel(_, t, e)
  local aw = t.aw and t.aw(e)
  if not aw then
    return ends.timeout(function(timeout)
      return t.call(e, timeout)
    end)
  end
  local index, value = md.await(md.any { aw, md.timer(5) })
  return index == 1, value
end

function ends.interrupt(call)
  return pcall(call)
end

ends.kill = ends.interrupt

local function turns(n)
  for _ = 1, n do
    md.yield()
  end
end

-- One cell of the matrix; returns "done" or "broken", and what is wrong.
local function cell(t, wrap, by, o)
  local sim = md.sim { order = o.order, seed = o.seed }
  local outcome, wrong, heir_at
  local function complain(first, ...)
    wrong = wrong or first and table.concat({ first, ... }, " ")
  end
  local e

  local function victim()
    never = md.event()
    local call = wraps[wrap](t, e)
    local _ <close> = setmetatable({}, {
      __close = function()
        if outcome then
          return
        end
        outcome = "broken"
        local from = md.now()
        md.sleep(1)
        if from ~= 5 or md.now() ~= 6 then
          complain("closed from", from, "to", md.now())
        end
      end,
    })
    local got, value = ends[by](call, t, e)
    outcome = got and "done" or "broken"
    local from = md.now()
    md.sleep(2)
    if from ~= 5 or md.now() ~= 7 then
      complain("woke at", from, "slept to", md.now())
    end
    if got and t.free then
      t.free(e, value)
    end
    if t.after then
      complain(t.after(e, outcome))
    end
  end

  local function heir()
    local value = t.call(e)
    heir_at = md.now()
    if t.free then
      t.free(e, value)
    end
  end

  local function breaks_off()
    md.sleep_until(5)
    turns(o.break_turns)
    if not outcome and by == "interrupt" then
      md.interrupt(e.victim, "now")
    elseif not outcome and by == "kill" then
      md.kill(e.victim)
    end
  end

  local function grants()
    md.sleep_until(5)
    turns(o.grant_turns)
    t.grant(e)
  end

  sim:spawn(function()
    e = t.make()
    if o.grant_first then
      md.spawn(grants)
    end
    md.spawn(breaks_off)
    e.victim = md.spawn({ name = "victim" }, victim)
    if not o.grant_first then
      md.spawn(grants)
    end
    if t.shape ~= "own" then
      md.spawn({ name = "heir", after = 1 }, heir)
    end
    md.sleep(9)
    if t.shape == "round" then
      if not heir_at and outcome == "broken" then
        t.grant(e)
        md.sleep(1)
      end
      if not heir_at then
        complain "the heir waits"
      end
    elseif t.shape ~= "own" then
      if not heir_at and outcome == "done" and t.shape == "one" then
        t.grant(e)
      end
      md.sleep(1)
      local late = outcome == "done" and t.shape == "one"
      if not heir_at or (heir_at == 5) == late then
        complain("the heir at", tostring(heir_at))
      end
    end
    complain(t.rest and t.rest(e))
  end)
  local why = sim:run()
  if not outcome then
    complain "the victim waits"
  end
  for _, p in ipairs(sim:waiting()) do
    if
      why ~= "done"
      and p.name
      and (p.name == "heir" or p.name == "victim")
    then
      complain(p.name, "waits for", p.waiting)
    end
  end
  return outcome, wrong, { heir_at = heir_at }
end

local function each(fn)
  for _, order in ipairs { "fifo", "lifo", "random" } do
    for seed = 1, order == "random" and SEEDS or 1 do
      for grant_turns = 0, TURNS do
        for break_turns = 0, TURNS do
          for _, grant_first in ipairs { true, false } do
            fn {
              order = order,
              seed = seed,
              grant_turns = grant_turns,
              break_turns = break_turns,
              grant_first = grant_first,
            }
          end
        end
      end
    end
  end
end

describe("the matrix of ties (part 2, 12):", function()
  for _, t in ipairs(things) do
    for _, by in ipairs {
      "resume",
      "timeout",
      "md.timeout",
      "cancel",
      "interrupt",
      "kill",
    } do
      it(t.name .. " x " .. by .. " (1.11)", function()
        local seen = {}
        for _, wrap in ipairs { "plain", "any", "all", "any of all" } do
          local fits = wrap == "plain" or (t.aw and by ~= "cancel")
          each(function(o)
            if not fits then
              return
            end
            local outcome, wrong = cell(t, wrap, by, o)
            seen[outcome or "none"] = true
            if wrong then
              error(
                ("%s, %s: order %s %d, grant %s, turns %d and %d: %s"):format(
                  wrap,
                  tostring(outcome),
                  o.order,
                  o.seed,
                  o.grant_first and "first" or "second",
                  o.grant_turns,
                  o.break_turns,
                  wrong
                ),
                0
              )
            end
          end)
        end
        -- both ways out are met, or the cell shows nothing
        assert.is_true(seen.done)
        assert.equal(by ~= "resume" or nil, seen.broken)
      end)
    end
  end
end)

-- -- the table of the help page `ties` ----------------------------------

-- What becomes of what is granted first, when the end comes in the same
-- instant, before the process has had its turn.
local function fate(t, by)
  local o = {
    order = "fifo",
    seed = 1,
    grant_turns = 0,
    break_turns = 0,
    grant_first = true,
  }
  local outcome, wrong, state = cell(t, "plain", by, o)
  assert(not wrong, wrong)
  if outcome == "done" then
    return "had"
  elseif t.shape == "one" then
    return state.heir_at == 5 and "next" or "lost"
  elseif t.shape == "own" then
    return by ~= "kill" and t.keeps or "gone"
  end
  return "over" -- the others have it all the same
end

local columns = { "timeout", "cancel", "md.timeout", "interrupt", "kill" }

local function generated()
  local form = "  %-29s" .. (" %-10s"):rep(#columns)
  local lines = { form:format("", table.unpack(columns)) }
  for _, t in ipairs(things) do
    local row = {}
    for i, by in ipairs(columns) do
      row[i] = fate(t, by)
    end
    -- a grant that takes a turn of another process is behind a deadline
    if row[1] == "had" then
      lines[#lines + 1] = form:format(t.name, table.unpack(row))
    end
  end
  for i, line in ipairs(lines) do
    lines[i] = line:gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

describe("the help page on ties", function()
  it("has the table that the matrix gives", function()
    local pipe = assert(io.popen(support.program .. " help ties"))
    local text = pipe:read "a"
    pipe:close()
    local table_ = generated()
    assert(text:find(table_, 1, true), "the table is:\n" .. table_)
  end)
end)
