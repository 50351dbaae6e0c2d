-- The queue that is a process: its order, its bounds, and that nothing is lost
-- or doubled when a call is broken off in the instant in which it is served.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function kind(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local err = results[2]
  return type(err) == "table" and err.kind or err
end

-- Runs fn(say) in a sim whose queues are left waiting at its end.
local function told(fn)
  local texts = story(fn)
  assert.equal("(idle)", texts[#texts]:match "%(idle%)$")
  texts[#texts] = nil
  return texts
end

describe("a queue (0.20)", function()
  it("gives what was put, first come first served", function()
    assert.same(
      { "0 1 2 3", "0 0" },
      told(function(say)
        local q = md.queue()
        q:put(1)
        q:put(2)
        q:put(3)
        say(q:get(), q:get(), q:get())
        say(q:length())
      end)
    )
  end)

  it("makes who gets wait while it is empty, in line", function()
    assert.same(
      { "1 anna a", "2 ben b", "3 carl c" },
      told(function(say)
        local q = md.queue()
        for i, name in ipairs { "anna", "ben", "carl" } do
          md.spawn({ after = i / 10 }, function()
            say(name, q:get())
          end)
        end
        for _, item in ipairs { "a", "b", "c" } do
          md.sleep(1)
          q:put(item)
        end
      end)
    )
  end)

  it("makes who puts wait while it is full, in line", function()
    assert.same(
      { "0 put a", "2 got a", "2 put b", "4 got b", "4 put c", "6 got c" },
      told(function(say)
        local q = md.queue(1)
        for _, item in ipairs { "a", "b", "c" } do
          md.spawn(function()
            assert.is_true(q:put(item))
            say("put", item)
          end)
        end
        for _ = 1, 3 do
          md.sleep(2)
          say("got", q:get())
        end
      end)
    )
  end)

  it("keeps values of every kind, nil and false too", function()
    told(function()
      local q, t = md.queue(), {}
      local values = table.pack(nil, false, 0, "", t, print, md.self(), nil)
      for i = 1, values.n do
        q:put(values[i])
      end
      for i = 1, values.n do
        local got = table.pack(q:get(i % 2 == 0 and 1 or nil))
        assert.equal(1, got.n)
        assert.equal(values[i], got[1])
        assert.equal(values.n - i, q:length())
      end
    end)
  end)

  it("gives nil and why when the time is over", function()
    assert.same(
      { "0 true", "3 nil timeout", "3 a", "7 nil timeout", "7 0" },
      told(function(say)
        local q = md.queue(1)
        say(q:put "a")
        say(q:put("b", 3))
        say(q:get(5))
        say(q:get(4))
        say(q:length())
      end)
    )
  end)

  it("of a timeout of 0 takes what is there, and does not wait", function()
    assert.same(
      { "0 nil timeout", "0 true", "0 nil timeout", "0 a", "0 nil timeout" },
      told(function(say)
        local q = md.queue(1)
        say(q:get(0))
        say(q:put("a", 0))
        say(q:put("b", 0))
        say(q:get(0))
        say(q:get(0))
      end)
    )
  end)

  it("of a timeout of 0 is not behind one who waits", function()
    assert.same(
      { "1 nil timeout", "2 a" },
      told(function(say)
        local q = md.queue()
        md.spawn(function()
          say(q:get())
        end)
        md.sleep(1)
        say(q:get(0))
        md.sleep(1)
        q:put "a"
      end)
    )
  end)

  it("that is killed raises noproc in all who wait, and later", function()
    assert.same(
      { "1 noproc", "1 noproc", "1 noproc", "2 noproc noproc" },
      story(function(say)
        local q, empty = md.queue(1), md.queue()
        q:put "a"
        for _ = 1, 2 do
          md.spawn(function()
            say(kind(q.put, q, "b"))
          end)
        end
        md.spawn(function()
          say(kind(empty.get, empty, 5))
        end)
        md.sleep(1)
        md.kill(q.pid)
        md.kill(empty.pid)
        md.sleep(1)
        say(kind(q.put, q, "b"), (kind(empty.get, empty)))
      end)
    )
  end)

  it("serves whoever knows its pid by plain questions", function()
    assert.same(
      { "0 true 1 tea 0", "1 late" },
      told(function(say)
        local pid = md.queue(2).pid
        local put = md.ask(pid, "put", "tea")
        local length = md.ask(pid, "length")
        say(put, length, md.ask(pid, "get"), md.ask(pid, "length"))
        md.send_after(1, pid, "put", md.self(), md.ref(), "late")
        say(md.ask(pid, "get"))
      end)
    )
  end)

  it("takes back what a plain question with a ticket was given", function()
    assert.same(
      { "1 timeout", "3 tea 0" },
      told(function(say)
        local pid = md.queue().pid
        local ticket = {}
        say(kind(md.ask_timeout, 1, pid, "get", ticket))
        md.sleep(1)
        md.ask(pid, "put", "tea") -- goes to who has given up
        md.sleep(1)
        md.send(pid, "undo", ticket)
        md.send(pid, "undo", ticket)
        say(md.ask(pid, "get"), md.ask(pid, "length"))
      end)
    )
  end)

  it("takes out what a plain question with a ticket has put", function()
    assert.same(
      { "0 1 2", "0 1 0" },
      told(function(say)
        local pid = md.queue().pid
        local tickets = { {}, {} }
        for i = 1, 2 do
          md.ask(pid, "put", i, tickets[i])
        end
        say(1, md.ask(pid, "length"))
        md.send(pid, "undo", tickets[2])
        local first = md.ask(pid, "get")
        md.send(pid, "undo", tickets[1]) -- too late: somebody has it
        say(first, md.ask(pid, "length"))
      end)
    )
  end)

  it("does not give to the dead who had no ticket", function()
    assert.same(
      { "2 tea" },
      told(function(say)
        local pid = md.queue().pid
        local dead = md.spawn(md.ask, pid, "get")
        md.sleep(1)
        md.kill(dead)
        md.sleep(1)
        md.ask(pid, "put", "tea")
        say(md.ask(pid, "get"))
      end)
    )
  end)

  it("is made in a sim by its method", function()
    local sim = md.sim()
    local q = sim:queue(1)
    local got
    sim:spawn(function()
      q:put "a"
      got = q:get()
    end)
    sim:run()
    assert.equal("a", got)
    assert.equal(0, q:length())
  end)

  it("refuses what is no capacity and no timeout, at the caller", function()
    local function refused(pattern, fn, ...)
      local ok, err = pcall(fn, ...)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches("queue_spec.lua:%d+: " .. pattern, err.message)
    end
    local count = "queue: expected an integer of at least 1 as capacity, got "
    refused(count .. "0$", function()
      md.queue(0)
    end)
    refused(count .. "1.5$", function()
      md.queue(1.5)
    end)
    refused(count .. "'ten'$", function()
      md.queue "ten"
    end)
    told(function()
      local q = md.queue()
      local duration = "expected a duration of at least 0 as timeout, got "
      refused("get: " .. duration .. "%-1$", function()
        q:get(-1)
      end)
      refused("put: " .. duration .. "'x'$", function()
        q:put(1, "x")
      end)
      refused("get: expected the queue before .*; write q:get%(", function()
        q.get(5)
      end)
    end)
    refused("ask blocks, and only a process can", function()
      md.queue():get()
    end)
  end)
end)

-- -- ties ------------------------------------------------------------

-- The ways in which a call is broken off at the time 5.
local breaks = {
  timeout = function(call)
    return call(5)
  end,
  ["md.timeout"] = function(call)
    return md.timeout(5, call)
  end,
  interrupt = function(call)
    return call()
  end,
  kill = function(call)
    return call()
  end,
}

-- Lets so many turns of the others pass at this time.
local function turns(n)
  for _ = 1, n do
    md.yield()
  end
end

-- The victim calls `call` at 0; `grant` makes it come through at 5, behind
-- `delay` turns, and so does what breaks it off. One of them is scheduled
-- first. Returns "done" if the call came through.
local function tie(o, call, grant)
  local outcome = "broken"
  local function victim()
    local ok, result, why = pcall(breaks[o.by], call)
    if ok and why ~= "timeout" then
      outcome = "done"
    end
    return result
  end
  local function grants()
    md.sleep_until(5)
    turns(o.grant_delay)
    grant()
  end
  local pid
  local function breaks_off()
    md.sleep_until(5)
    turns(o.break_delay)
    if o.by == "interrupt" then
      md.interrupt(pid, "now")
    elseif o.by == "kill" then
      md.kill(pid)
    end
  end
  if o.grant_first then
    md.spawn(grants)
  end
  md.spawn(breaks_off)
  pid = md.spawn(victim)
  if not o.grant_first then
    md.spawn(grants)
  end
  md.sleep(6)
  return outcome
end

-- Every case: who breaks off, in which order, how many turns apart.
local function each_tie(by, fn)
  for _, order in ipairs { "fifo", "lifo", "random" } do
    for seed = 1, order == "random" and 5 or 1 do
      for grant_delay = 0, 4 do
        for break_delay = 0, 4 do
          for _, grant_first in ipairs { true, false } do
            fn({ order = order, seed = seed }, {
              by = by,
              grant_first = grant_first,
              grant_delay = grant_delay,
              break_delay = break_delay,
            })
          end
        end
      end
    end
  end
end

-- Takes all that is left in the queue.
local function rest(q, list)
  while q:length() > 0 do
    list[#list + 1] = q:get()
  end
  return list
end

local function nobody_waits_in_vain(sim, q)
  for _, p in ipairs(sim:waiting()) do
    assert(p.pid == q.pid, p.name .. " waits for " .. p.waiting)
  end
end

describe("a queue in the instant of the grant (0.20)", function()
  for _, by in ipairs { "timeout", "md.timeout", "interrupt", "kill" } do
    it("gives each item to one getter: " .. by, function()
      local seen = {}
      each_tie(by, function(options, o)
        local got, outcome, left = {}, nil, nil
        local _, sim = story(options, function(_, sim)
          local q = md.queue()
          outcome = tie(o, function(timeout)
            local x, why = q:get(timeout)
            if why ~= "timeout" then
              got[#got + 1] = x
            end
            return x, why
          end, function()
            q:put "first"
            q:put "second"
          end)
          left = rest(q, {})
          md.sleep(1)
          nobody_waits_in_vain(sim, q)
          md.kill(q.pid)
        end)
        assert.equal("done", (sim:run()))
        seen[outcome] = true
        if outcome == "done" then
          assert.same({ { "first" }, { "second" } }, { got, left })
        else
          assert.same({ {}, { "first", "second" } }, { got, left })
        end
      end)
      assert.same({ true, true }, { seen.done, seen.broken })
    end)

    it("has an item if and only if put says so: " .. by, function()
      local seen = {}
      each_tie(by, function(options, o)
        local got, outcome = {}, nil
        local _, sim = story(options, function(_, sim)
          local q = md.queue(1)
          q:put "first"
          local function get()
            local x = q:get() -- got may grow meanwhile
            got[#got + 1] = x
          end
          outcome = tie(o, function(timeout)
            return q:put("second", timeout)
          end, function()
            md.spawn(get)
            md.spawn(get) -- stands by for what may be withdrawn
          end)
          if outcome == "broken" then
            q:put "third"
          end
          md.sleep(1)
          rest(q, got)
          nobody_waits_in_vain(sim, q)
          md.kill(q.pid)
        end)
        assert.equal("done", (sim:run()))
        seen[outcome] = true
        table.sort(got) -- lifo wakes the first getter last
        local last = outcome == "done" and "second" or "third"
        assert.same({ "first", last }, got)
      end)
      assert.same({ true, true }, { seen.done, seen.broken })
    end)
  end

  it("keeps the order of what several getters give back", function()
    for break_delay = 0, 6 do
      local got = {}
      story(function()
        local q, victims = md.queue(), {}
        for i = 1, 3 do
          victims[i] = md.spawn(pcall, q.get, q)
        end
        md.spawn(function()
          md.sleep(1)
          turns(break_delay)
          for i = 1, 3 do
            md.interrupt(victims[i])
          end
        end)
        md.sleep(1)
        for i = 1, 5 do
          q:put(i)
        end
        md.sleep(1)
        rest(q, got)
        md.kill(q.pid)
      end)
      for i = 2, #got do
        assert.equal(got[i - 1] + 1, got[i])
      end
      assert.equal(5, got[#got])
    end
  end)
end)

-- -- chance ----------------------------------------------------------

-- Putters and getters with timeouts of few whole numbers, so that all happens
-- in a few instants; some are interrupted or killed. Returns what was put by
-- a call that came through, and what was got, in their orders.
local function melee(sim, capacity, n)
  local rng = md.rng "melee"
  local q, put, got, pids = md.queue(capacity), {}, {}, {}
  local function limited(fn, ...)
    if rng:bernoulli(0.3) then
      return md.timeout(rng:integer(0, 2), fn, ...)
    end
    return fn(...)
  end
  local function timeout()
    return rng:bernoulli(0.5) and rng:integer(0, 3) or nil
  end
  local function putter(i)
    if limited(q.put, q, i, timeout()) then
      put[#put + 1] = i
    end
  end
  local function getter()
    local x, why = limited(q.get, q, timeout())
    if why ~= "timeout" then
      got[#got + 1] = x
    end
  end
  for i = 1, n do
    local body = rng:bernoulli(0.5) and putter or getter
    pids[i] = md.spawn({ after = rng:integer(0, 9) }, pcall, body, i)
    if rng:bernoulli(0.4) then
      local act = rng:bernoulli(0.5) and md.kill or md.interrupt
      md.after(rng:integer(0, 12), act, pids[i])
    end
  end
  md.sleep(30)
  local length = q:length()
  local waiting = 0
  for _, p in ipairs(sim:waiting()) do
    waiting = waiting + (p.pid ~= q.pid and 1 or 0)
  end
  local full = length >= (capacity or math.huge)
  assert(waiting == 0 or length == 0 or full, "somebody waits in vain")
  for _, pid in ipairs(pids) do
    md.kill(pid)
  end
  md.sleep(1)
  rest(q, got)
  md.kill(q.pid)
  return put, got
end

describe("a queue among many who give up (0.20)", function()
  for _, capacity in ipairs { 1, 2, 5, false } do
    it("loses and doubles nothing, capacity " .. tostring(capacity), function()
      for seed = 1, 150 do
        local order = ({ "fifo", "lifo", "random" })[seed % 3 + 1]
        local put, got
        story({ seed = seed, order = order }, function(_, sim)
          put, got = melee(sim, capacity or nil, 40)
        end)
        table.sort(put)
        table.sort(got)
        assert.same(put, got)
      end
    end)
  end

  -- How many KB a few waves of processes leave that call fn(timeout) and give
  -- up or are killed: what is kept of the dead is the same for any fn.
  local function left_by(make)
    local grown
    story(function()
      local fn, pid = make()
      local function wave()
        for i = 1, 1000 do
          local victim = md.spawn(pcall, fn, i % 2 == 0 and 1 or nil)
          md.after(0.5 + i % 3, md.kill, victim)
        end
        md.sleep(5)
        collectgarbage()
        collectgarbage()
        return collectgarbage "count"
      end
      wave()
      local before = wave()
      for _ = 1, 5 do
        wave()
      end
      grown = wave() - before
      md.kill(pid)
    end)
    return grown
  end

  it("keeps nothing of those who gave up or ended", function()
    local plain = left_by(function()
      return function(timeout)
        return nil, timeout and md.sleep(timeout) or md.wait "never"
      end,
        md.spawn(md.wait)
    end)
    local getters = left_by(function()
      local q = md.queue()
      return function(timeout)
        return q:get(timeout)
      end, q.pid
    end)
    local putters = left_by(function()
      local q = md.queue(1)
      q:put "first"
      return function(timeout)
        return q:put("more", timeout)
      end,
        q.pid
    end)
    assert(getters - plain < 100, getters - plain .. " KB more")
    assert(putters - plain < 100, putters - plain .. " KB more")
  end)
end)
