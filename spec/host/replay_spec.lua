-- Replays: a recorded family is executed again, compared with its record, and
-- goes on live where that ends.
local md = require "moondial"
local recorded = require "spec.host.recorded"

local pulled = recorded.pulled
local kinds = recorded.kinds
local assert_same = recorded.assert_same
local signals = recorded.signals
local changed = recorded.changed
local record = recorded.record
local again = recorded.again
local greet = recorded.greet
local greeted = recorded.greeted

describe("4.16 a replay", function()
  it("does what was done, from the signals alone", function()
    local log, t = greeted()
    local p = again(t, 3):replay(signals(log))
    assert_same(log, pulled(p))
    assert.equal("waiting", p.status)
  end)

  it("4.21 goes on live where the record ends, without a gap", function()
    local log, t = greeted()
    local p = again(t, 3):replay(signals(log))
    p:push "Carol"
    assert.equal("bye", p:join())
    local list = pulled(p)
    for i, s in ipairs(list) do
      assert.equal(i, s.seq)
    end
    assert.equal(
      "ARRIVE RECEIVE SEND STOP",
      kinds(table.move(list, #log + 1, #list, 1, {}))
    )
    assert.equal("greeting #3: Hello Carol!", list[#list - 1].data)
  end)

  it("of an empty record starts", function()
    local p = again({ entrypoint = greet }, 1):replay(signals {})
    p:push "Alice"
    assert.equal("bye", p:join())
  end)

  it("of a record that has ended gives its result, or its error", function()
    local log, t = record(function(x)
      md.sleep(2)
      return x, nil
    end, nil, 7)
    local p = again(t, 7):replay(signals(log))
    assert.same({ "done", 2.0 }, { p.status, p.template.sim:now() })
    assert.same({ 7, nil, n = 2 }, table.pack(p:join()))
    local sim = md.sim()
    local q = sim:template({ entrypoint = error }):create("broken", 0)
    assert.is_false(pcall(q.start, q))
    local r = again({ entrypoint = error }, "broken", 0)
    r:replay(signals(pulled(q)))
    assert.equal("failed", r.status)
    assert.same({ false, "broken" }, { pcall(r.join, r) })
  end)

  it("goes on after errors and stops that the record has", function()
    local sim = md.sim()
    local t = {
      entrypoint = function()
        md.spawn(error, "first", 0)
        md.sleep(1)
        md.current():stop()
        md.sleep(1)
        md.emit "end"
      end,
    }
    local p = sim:template(t):create()
    assert.is_false(pcall(p.start, p))
    assert.equal("stopped", (sim:run()))
    sim:run()
    local log = pulled(p)
    assert.equal("START SPAWN START FAIL SEND STOP", kinds(log))
    assert_same(log, pulled(again(t):replay(signals(log))))
  end)

  it("keeps back what it sends outside, now and for later", function()
    local sim = md.sim()
    local got = {}
    local outside = sim:spawn(function()
      while true do
        got[#got + 1] = md.wait()
      end
    end)
    local t = sim:template {
      entrypoint = function()
        md.send(outside, "now")
        md.send_after(1, outside, "later")
        md.sleep(1.5)
        md.send_after(1, outside, "much later")
        md.sleep(0.5)
        md.emit "end"
      end,
    }
    local p = t:create():start()
    p:join()
    local log = pulled(p)
    sim:run()
    assert.same({ "now", "later", "much later" }, got)
    local q = t:create():replay(signals(log))
    assert.same({ "now", "later", "much later" }, got)
    assert.equal("done", q.status)
    sim:run() -- this had not come yet where the record ends
    assert.same({ "now", "later", "much later", "much later" }, got)
  end)

  it("asks the outside nothing: the answer is on record", function()
    local asked = 0
    local function serve()
      while true do
        local from, ref, x = md.wait "double"
        asked = asked + 1
        md.sleep(1)
        md.reply(from, ref, x * 2)
      end
    end
    local function new()
      local sim = md.sim()
      local server = sim:spawn(serve)
      return sim
        :template({
          entrypoint = function(to)
            local a = md.ask(to, "double", 1)
            return a + md.ask(to, "double", a)
          end,
        })
        :create(server)
    end
    local p = new():start()
    assert.equal(6, p:join())
    local log = pulled(p)
    local q = new():replay(signals(log))
    assert.same({ 6, 2 }, { q:join(), asked })
    -- cut before the second question, it is asked
    local r = new():replay(signals(log, 4))
    assert.same({ 6, 3 }, { r:join(), asked })
  end)

  it("asks in vain again whom it had asked in vain", function()
    local sim = md.sim()
    local mortal = sim:spawn(md.sleep, 1)
    local t = sim:template {
      entrypoint = function()
        return (pcall(md.ask, mortal, "price"))
      end,
    }
    local p = t:create():start()
    assert.is_false(p:join())
    local log = pulled(p)
    assert.equal("START SEND DOWN STOP", kinds(log))
    local q = t:create():replay(signals(log))
    assert.is_false(q:join())
    assert_same(log, pulled(q), 1)
  end)

  it("is another's, too: two instances that talk", function()
    local sim = md.sim()
    local t = sim:template {
      entrypoint = function(partner)
        local to = partner or md.wait(md.is.pid)
        if partner then
          md.send(to, 1)
        end
        for _ = 1, 3 do
          local i = md.wait(md.is.number)
          md.emit("got", i)
          md.send(to, i + 1)
        end
      end,
    }
    local a = t:create():start()
    local b = t:create(a.pid):start()
    a:push(b.pid)
    sim:run()
    local log = pulled(a)
    local q = t:create():replay(signals(log))
    assert_same(log, pulled(q))
    assert.same({ "done", "done" }, { b.status, q.status })
  end)

  it("stands for a process outside that is another by now", function()
    local got = {}
    local function new()
      local sim = md.sim()
      local to = sim:spawn(function()
        while true do
          got[#got + 1] = md.wait()
        end
      end)
      return sim
        :template({
          entrypoint = function(other)
            md.send(other, "x")
            local from = md.wait()
            md.send(from, "y")
            md.send(other, "z")
          end,
        })
        :create(to),
        sim
    end
    local p, sim = new()
    p:start():push(sim:spawn(md.sleep, 9))
    local log = pulled(p)
    assert.equal("START SEND ARRIVE RECEIVE SEND SEND STOP", kinds(log))
    got = {}
    local q = new():replay(signals(log, 5))
    assert.equal("done", q.status)
    assert.same({ "z" }, got) -- what had been sent before is not sent again
  end)
end)

describe("4.20, 4.23 the host's functions", function()
  local function family()
    return record(function()
      local function child(x)
        md.sleep(x)
        return md.use(math.max, x, 2)
      end
      local a, b = md.spawn(child, 1), md.spawn(child, 3)
      return md.join(a) + md.join(b)
    end)
  end

  it("give the signals of each process, the root first", function()
    local log, t = family()
    local asked = {}
    local p = again(t):replay {
      signals = function(pid)
        asked[#asked + 1] = tostring(pid)
        local own = {}
        for _, s in ipairs(log) do
          if s.pid == (pid or log[1].pid) then
            own[#own + 1] = s
          end
        end
        return signals(own).signals()
      end,
    }
    assert.equal(5, p:join())
    assert.same(
      { "nil", tostring(log[2].child), tostring(log[3].child) },
      asked
    )
    assert_same(log, pulled(p))
  end)

  it("may be iterators of any kind, and in any order of signals", function()
    local log, t = family()
    local p = again(t):replay {
      signals = function(pid)
        return coroutine.wrap(function(list)
          coroutine.yield(pid and list[#list] or list[1])
          for i = #list, 1, -1 do
            coroutine.yield(list[i])
          end
        end),
          log
      end,
    }
    assert.equal(5, p:join())
    assert_same(log, pulled(p))
  end)

  it("4.4 give the result of a use, which is not called again", function()
    local calls = 0
    local log, t = record(function()
      return md.use(function()
        calls = calls + 1
        return calls
      end)
    end)
    local p = again(t):replay(signals(log))
    assert.same({ 1, 1 }, { p:join(), calls })
    -- a record without it, and a host that knows
    local asked = {}
    local list = changed({ log[1], log[2] }, 2, {})
    list[2].result, list[2].data = nil, nil
    local options = signals(list)
    function options.results(s)
      asked[#asked + 1] = s.kind
      return s.kind == "USE", 41
    end
    assert.equal(41, again(t):replay(options):join())
    assert.same({ "START", "USE" }, asked)
    -- nobody knows: it is called
    assert.equal(2, again(t):replay(signals(list)):join())
  end)

  it("4.32 have names that say what they give", function()
    local t = md.sim():template { entrypoint = greet }
    for options, text in pairs {
      [{}] = "replay: expected a function as signals, got nil",
      [{ signals = 5 }] = "replay: expected a function as signals, got 5",
      [{ signals = print, handler = print }] = "replay: there is no option "
        .. "'handler'; there are signals and results",
      [{ signals = type }] = "replay: expected an iterator from signals(pid), "
        .. "got 'nil'",
      [{
        signals = function()
          return ipairs { { kind = "START" } }
        end,
      }] = "replay: expected a signal, {kind=, seq=, time=, pid=, ...}, got 1",
    } do
      local p = t:create(1)
      local ok, err = pcall(p.replay, p, options)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.is_truthy(err.message:find(text, 1, true), err.message)
    end
  end)

  it("are no process's: replay runs the sim", function()
    local sim = md.sim()
    local t = sim:template { entrypoint = greet }
    sim:spawn(function()
      t:create():replay(signals {})
    end)
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok)
    assert.matches(
      "replay: it runs the sim, so it belongs outside of processes",
      err.message
    )
  end)
end)

describe("md.use in a replay", function()
  it("that waited is not called, and waits as long", function()
    local calls = 0
    local log, t = record(function()
      local other = md.spawn(function()
        md.sleep(1)
        md.emit "between"
        md.sleep(3)
        md.emit "after"
      end)
      md.use(function()
        calls = calls + 1
        md.sleep(2)
      end)
      md.emit "used"
      md.join(other)
    end)
    local p = again(t):replay(signals(log))
    assert_same(log, pulled(p))
    assert.equal(1, calls)
  end)

  it("that was under way where the record ends is called again", function()
    local calls = 0
    local log, t = record(function()
      md.spawn(function()
        md.sleep(1)
        md.emit "between"
      end)
      return md.use(function()
        calls = calls + 1
        md.sleep(3)
        return calls
      end)
    end)
    assert.equal("START SPAWN START SEND STOP USE STOP", kinds(log))
    local p = again(t):replay(signals(log, 5))
    assert.equal(2, calls)
    assert.equal(2, p:join())
    assert.equal(4.0, p.template.sim:now()) -- three from where the record ends
  end)

  it("takes the messages that were taken meanwhile", function()
    local log, t = record(function()
      local x = md.use(function()
        md.sleep(1)
        return (md.wait "in use")
      end)
      return x, (md.wait "after"), md.inbox()
    end, function(p)
      p:push("other", 1)
      p:push("after", 2)
      p:push("in use", 3)
    end)
    assert.same({ 3, 2, 1, n = 3 }, log[#log].result)
    local p = again(t):replay(signals(log))
    assert.same({ 3, 2, 1 }, { p:join() })
    assert_same(log, pulled(p))
  end)

  it("is a child's as well, and raises again", function()
    local calls = 0
    local log, t = record(function()
      return md.join(md.child(function()
        return pcall(md.use, function()
          calls = calls + 1
          error { why = calls }
        end)
      end))
    end)
    local p = again(t):replay(signals(log))
    assert.same({ { false, { why = 1 } }, 1 }, { { p:join() }, calls })
  end)

  it("that was interrupted is so again, killed as well", function()
    local log, t = record(function()
      local ok, err = pcall(md.use, md.sleep, 9)
      md.emit(ok, err.cause)
      md.use(md.sleep, 9)
    end, function(p, sim)
      sim:run(1)
      sim:interrupt(p.pid, "x")
      sim:run(2)
      sim:kill(p.pid)
    end)
    assert.equal("START INTERRUPT USE SEND KILL FAIL", kinds(log))
    for n = 0, #log do
      local p = again(t):replay(signals(log, n))
      if n >= 2 then
        assert.same({ false, "x", n = 2 }, pulled(p)[4].message)
      end
    end
  end)
end)
