-- Replays of families in which much is due at one instant: whose turn comes
-- first is on record, whatever the tie rule is and whoever does not run again.
local md = require "moondial"
local recorded = require "spec.host.recorded"

local pulled = recorded.pulled

-- Records a body, of whose sim act(p, sim) does what comes from outside.
local function record(order, body, act)
  local sim = md.sim { order = order, seed = 3 }
  local t = { name = "t", entrypoint = body }
  local p = sim:template(t):create():start()
  act(p, sim)
  repeat
    local over = pcall(sim.run, sim)
  until over
  return pulled(p), t
end

-- What each signal says, without what differs from sim to sim.
local function texts(list)
  local said = {}
  for i, s in ipairs(list) do
    said[i] = ("%s %s %s"):format(
      s.kind,
      s.time,
      type(s.data) == "string" and s.data or "-"
    )
  end
  return said
end

-- Replays the first n signals; all of it, and what comes then.
local function replay(order, t, list, n, results)
  local sim = md.sim { order = order, seed = 5 }
  local options = recorded.signals(list, n)
  options.results = results
  local p = sim:template(t):create():replay(options)
  repeat
    local over = pcall(sim.run, sim)
  until over
  return pulled(p)
end

-- The results of all processes that have returned but those that are asked for.
local function results_of(list)
  local known = {}
  for _, s in ipairs(list) do
    if s.kind == "STOP" then
      known[s.pid] = s.result
    end
  end
  return function(s)
    local result = s.kind == "START" and known[s.pid]
    if result then
      return true, table.unpack(result, 1, result.n)
    end
  end
end

local orders = { "fifo", "lifo", "random" }

-- That a body that is replayed in every way comes to the same.
local function holds(body, act)
  for _, order in ipairs(orders) do
    local list, t = record(order, body, act)
    local expected = texts(list)
    for _, way in ipairs { "plain", "results", "compact" } do
      local given = way == "compact" and md.compact(list) or list
      local results = way == "results" and results_of(list) or nil
      local got = texts(replay(order, t, given, #given, results))
      assert.same(texts(given), got, order .. ", " .. way)
    end
    assert.same(expected, texts(replay(order, t, list, #list)))
  end
end

describe("at one instant", function()
  it("an interrupt comes behind a timer that wakes whom it meets", function()
    local function body()
      md.await(md.timer(2))
      pcall(function()
        for _ in md.every(2) do
          md.emit "turn"
        end
      end)
      md.emit(md.now())
    end
    for _, order in ipairs(orders) do
      local list, t = record(order, body, function(p, sim)
        sim:run(2)
        sim:interrupt(p.pid, "enough")
      end)
      for n = 2, #list do -- the signals from the interrupt on
        assert.same(texts(list), texts(replay(order, t, list, n)))
      end
    end
  end)

  it("a message comes behind the timers that came before it", function()
    local function worker(d)
      pcall(md.timeout, d, md.wait, "never")
      md.emit("over", md.self())
    end
    holds(function()
      local a = md.spawn(worker, 2)
      local b = md.spawn(function()
        md.emit("got", md.wait "word")
      end)
      md.register("b", b)
      md.join(a)
      md.join(b)
    end, function(p, sim)
      sim:run(1)
      sim:at(2, sim.send, sim, p.children[2], "word")
    end)
  end)

  it("a message comes before the timers that came behind it", function()
    holds(function()
      local function worker(name)
        return function()
          pcall(md.timeout, 2, md.wait, "word")
          md.emit(name)
        end
      end
      local a, b = md.spawn(worker "a"), md.spawn(worker "b")
      md.join(a)
      md.join(b)
    end, function(p, sim)
      sim:at(2, function()
        sim:send(p.children[2], "word")
      end)
    end)
  end)

  it("those who do not run again act between the turns of others", function()
    holds(function()
      local function tick(to)
        return function()
          md.sleep(1)
          md.sleep(1)
          md.send(to, "tick")
          md.sleep(1)
          return "ticked"
        end
      end
      local own = md.self()
      for _ = 1, 3 do
        md.spawn(tick(own))
        md.spawn(function()
          md.sleep(2)
          md.send(own, "tock")
          md.yield()
          md.send(own, "tock again")
          md.wait "nothing"
        end)
      end
      for _ = 1, 9 do
        md.emit(md.wait(md._))
      end
    end, function() end)
  end)

  it("messages and callbacks for later come in the order they had", function()
    holds(function()
      local own = md.self()
      for i = 1, 4 do
        md.send_after(1, own, "message " .. i)
        md.after(1, function()
          md.send(own, "callback " .. i)
        end)
      end
      for _ = 1, 8 do
        md.emit(md.wait(md._))
      end
    end, function() end)
  end)

  it("a limit and what it limits come in the order they had", function()
    holds(function()
      for _ = 1, 20 do
        md.emit((pcall(md.timeout, 1, md.sleep, 1)) and "slept" or "late")
      end
    end, function() end)
  end)

  it("what is sent to the outside for then is kept back in time", function()
    local got = 0
    local function serve()
      while true do
        md.wait()
        got = got + 1
      end
    end
    local sim, other = md.sim(), md.sim()
    local t = {
      entrypoint = function(server)
        md.send_after(1, server, "late")
        md.sleep(1)
        md.emit "slept"
        md.sleep(1)
      end,
    }
    local p = sim:template(t):create(sim:spawn(serve)):start()
    sim:run()
    local list = pulled(p)
    assert.equal(1, got)
    p = other:template(t):create(other:spawn(serve))
    p:replay(recorded.signals(list, #list - 1))
    other:run()
    assert.equal(1, got)
  end)

  it("one that is killed in md.use ends when it did", function()
    holds(function()
      local a = md.spawn(function()
        md.use(md.sleep, 9)
      end)
      local function after()
        md.sleep(1)
        md.emit "beside"
      end
      md.spawn(after)
      md.sleep(1)
      md.kill(a, "why")
      md.spawn(after)
      pcall(md.join, a)
      md.emit "killed"
      md.sleep(2)
    end, function() end)
  end)
end)

describe("4.3 a signal", function()
  it("says whose turns there were without one", function()
    local a, b
    local list = record("fifo", function()
      md.after(1, function()
        md.send(a, "from a callback")
      end)
      a = md.spawn(function()
        md.sleep(1)
        md.yield()
        md.emit "yielded"
      end)
      b = md.spawn(md.sleep, 1)
    end, function() end)
    local of, root = {}, list[1].pid
    for _, s in ipairs(list) do
      of[s.kind .. " " .. tostring(s.data)] = s.turns or "none"
      of[s.pid] = s.turns or "none" -- the last, which is its STOP
    end
    assert.same({ { root } }, of["SEND from a callback"])
    assert.same({ a, b }, of[b])
    assert.equal("none", of["SEND yielded"])
    assert.same({ "none", "none" }, { of["CALL 1.0"], of[a] })
  end)
end)
