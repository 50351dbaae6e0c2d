-- Replays of families in which processes have ended, which need not run again.
local md = require "moondial"
local recorded = require "spec.host.recorded"

local pulled = recorded.pulled
local kinds = recorded.kinds
local signals = recorded.signals
local record = recorded.record
local again = recorded.again

describe("4.17 a process that has ended", function()
  local ran

  local function work(name, d)
    ran[#ran + 1] = name
    md.sleep(d)
    md.send("boss", name, "is done")
    return name .. "'s", d
  end

  local function boss()
    md.register("boss", md.self())
    local a = md.child({ monitor = true }, work, "a", 1)
    local b = md.child(work, "b", 3)
    local results = { md.join(a) } -- its name and d
    results[3] = select(3, md.wait "down")
    results[4] = md.wait(md._, "is done")
    results[5], results[6] = md.join(b)
    return results
  end

  local function results_of(list)
    local known = {}
    for _, s in ipairs(list) do
      known[s.pid] = s.kind == "STOP" and s.result or known[s.pid]
    end
    return function(s)
      if s.kind == "START" and known[s.pid] then
        return true, table.unpack(known[s.pid], 1, known[s.pid].n)
      end
    end
  end

  it("is not run again; its signals and its result are there", function()
    ran = {}
    local log, t = record(boss)
    assert.same({ "a", "b" }, ran)
    for n = 0, #log do
      ran = {}
      local options = signals(log, n)
      options.results = results_of(table.move(log, 1, n, 1, {}))
      local p = again(t):replay(options)
      local result = p:join()
      assert.same({ "a's", 1, "normal", "a", "b's", 3 }, result)
      local list = pulled(p)
      assert.equal(kinds(log), kinds(list))
      for i, s in ipairs(log) do
        assert.equal(s.time, list[i].time)
      end
      if n == #log then
        assert.same({}, ran)
      end
    end
  end)

  it("may have returned nothing, nil, or several values", function()
    local function child(...)
      md.sleep(1)
      return ...
    end
    local log, t = record(function()
      return table.pack(md.join(md.spawn(child))).n,
        table.pack(md.join(md.spawn(child, nil))).n,
        table.pack(md.join(md.spawn(child, nil, { 1 }, nil))).n
    end)
    local options = signals(log)
    options.results = results_of(log)
    local p = again(t):replay(options)
    -- the root is known as well
    assert.same({ 0, 1, 3 }, { p:join() })
    options.results = function(s)
      return s.pid ~= log[1].pid and s.kind == "START"
    end
    local q = again(t)
    local ok, err = pcall(q.replay, q, options)
    assert.is_false(ok)
    assert.matches(
      "STOP of <pid %d+> %(0, 1, 3%) .* STOP of <pid %d+> %(0, 0, 0%)",
      err.message
    )
  end)

  it("4.31 stands for all that it had spawned", function()
    ran = {}
    local function leaf(name)
      ran[#ran + 1] = name
      md.sleep(1)
      return name
    end
    local function middle(name)
      ran[#ran + 1] = name
      local pids = { md.child(leaf, name .. "1"), md.spawn(leaf, name .. "2") }
      md.spawn(md.send, md.self(), "hello")
      md.wait "hello"
      return md.join(pids[1]) .. md.join(pids[2])
    end
    local log, t = record(function()
      local a = md.spawn(middle, "a")
      local result = md.join(a)
      md.wait "go"
      return result
    end)
    assert.same({ "a", "a1", "a2" }, ran)
    ran = {}
    local options = signals(log)
    options.results = results_of(log)
    local p = again(t):replay(options)
    assert.same({}, ran)
    assert.equal(kinds(log), kinds(pulled(p)))
    p:push "go"
    assert.equal("a1a2", p:join())
  end)

  it("is run again while something that it has spawned goes on", function()
    ran = {}
    local function leaf()
      ran[#ran + 1] = "leaf"
      md.wait "end"
      return "leaf"
    end
    local log, t = record(function()
      local pid = md.join(md.spawn(function()
        ran[#ran + 1] = "middle"
        return (md.spawn(leaf))
      end))
      md.wait "go"
      md.send(pid, "end")
      return md.join(pid)
    end)
    ran = {}
    local options = signals(log)
    options.results = results_of(log)
    local p = again(t):replay(options)
    assert.same({ "middle", "leaf" }, ran)
    p:push "go"
    assert.equal("leaf", p:join())
  end)

  it("tells who watches it, and who is linked with it", function()
    local log, t = record(function()
      md.trap_exit(true)
      local parent = md.self()
      local own = md.spawn(function()
        md.link(parent)
        md.sleep(1)
        return 1
      end)
      local ref = select(2, md.spawn({ monitor = true }, md.sleep, 2))
      local pid, reason = md.wait "exit"
      return pid == own, reason, (select(2, md.wait("down", ref)))
    end)
    local options = signals(log)
    options.results = function(s)
      if s.kind == "START" and s.pid ~= log[1].pid then
        return true, 1
      end
    end
    local p = again(t):replay(options)
    assert.same({ true, "normal", "normal" }, { p:join() })
  end)

  it("that was killed, or failed, below one that has ended", function()
    local log, t = record(function()
      local function fail()
        md.sleep(1)
        error("broken", 0)
      end
      return md.join(md.spawn(function()
        local a, b = md.spawn(fail), md.child(md.sleep, 9)
        local ok, err = pcall(md.join, a)
        md.kill(b, "why")
        return ok, err, (pcall(md.join, b))
      end))
    end)
    local options = signals(log, #log - 1)
    options.results = results_of(log)
    local p = again(t):replay(options)
    assert.same({ false, "broken", false }, { p:join() })
    assert.equal(kinds(log), kinds(pulled(p)))
  end)
end)

describe("4.22 one that a compacted record has no more", function()
  it("is not run again, whatever has come since", function()
    local children
    local list, t = record(function()
      md.spawn(function()
        children = { md.spawn(md.wait), md.self() }
        return "gone"
      end)
      md.sleep(4.5)
      md.sleep(0.5)
      md.yield()
      md.send_after(0, md.self(), "later")
      md.emit(md.wait "later")
    end, function(_, sim)
      sim:run(4)
      sim:at(5, function()
        sim:kill(children[1])
      end)
    end)
    local at = {}
    for i, s in ipairs(list) do
      at[s.kind] = i
    end
    assert.equal(children[1], list[at.FAIL].pid)
    local again_and_again = md.compact(table.move(list, 1, at.FAIL, 1, {}))
    table.move(list, at.FAIL + 1, #list, #again_and_again + 1, again_and_again)
    for i, s in ipairs(again_and_again) do
      if s.data == "later" and s.at then -- it ends with what comes at once
        local given = md.compact(table.move(again_and_again, 1, i, 1, {}))
        local p = again(t):replay(signals(given))
        assert.equal("done", p.status)
      end
    end
  end)
end)

describe("4.22 a message that was dropped", function()
  it("is kept when another like it was there", function()
    local list, t = record(function()
      md.child(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            md.sleep(2)
            md.emit "closing"
            md.sleep(2)
          end,
        })
        md.wait "nothing"
      end)
      md.sleep(1) -- and waits for the end of the child
    end, function(p, sim)
      p:push "x"
      sim:run(2)
      p:push "x" -- this one
    end)
    assert.matches("ARRIVE .*ARRIVE DROP SEND", kinds(list))
    list = md.compact(table.move(list, 1, #list - 2, 1, {}))
    assert.equal("closing", list[#list].data)
    local p = again(t):replay(signals(list))
    assert.equal(kinds(list), kinds(pulled(p)))
  end)
end)

describe("4.25 one that had ended before the last transition", function()
  local function after(...)
    local said = {}
    for i, pid in ipairs { ... } do
      local got = table.pack(pcall(md.join, pid))
      got[2] = type(got[2]) == "table" and got[2].reason or got[2]
      said[i] = table.concat(got, " ", 2, got.n)
    end
    md.emit(md.status(...))
    local another = md.wait()
    return table.concat(said, ", ") .. ", " .. md.join(md.join(another))
  end

  -- A root that has made four others, of which one is in a message to it and
  -- one more in what that has returned, and has become `after`.
  local function body()
    local a = md.spawn(function()
      return "returned", 7
    end)
    local b = md.spawn({ monitor = true }, error, "failed", 0)
    local c = md.spawn(md.wait)
    local own = md.self()
    local d = md.spawn(function()
      local e = md.spawn(function()
        return "far away"
      end)
      md.join(e)
      return e
    end)
    md.spawn(function()
      md.send(own, d)
    end)
    md.wait "down"
    md.kill(c, "killed")
    md.sleep(1)
    md.become(after, a, b, c)
  end

  local function compacted(n)
    local sim = md.sim { on_error = "isolate" }
    local p = sim:template({ entrypoint = body }):create():start()
    sim:run()
    local list = pulled(p)
    return md.compact(table.move(list, 1, n or #list, 1, {})), list
  end

  local expected = "returned 7, failed, killed, far away"

  it("can be joined, if the record names it, and had its result", function()
    local list, all = compacted()
    assert.equal("TRANSITION", list[2].kind) -- the first is in the inbox
    for n = 2, #list do
      local p = again({ entrypoint = body })
      p:replay(signals(list, n))
      assert.equal(expected, p:join())
      assert.same(all[#all].result, pulled(p)[#list].result)
    end
  end)

  it("can be joined when the record was compacted again", function()
    local list = md.compact((compacted()))
    local p = again({ entrypoint = body }):replay(signals(list, 2))
    assert.equal(expected, p:join())
  end)

  it("is not in the record when nothing names it", function()
    local function last()
      md.wait "nothing"
    end
    local list = record(function()
      md.join(md.spawn(function()
        return "much"
      end))
      md.become(last, "nobody")
    end)
    list = md.compact(list)
    assert.same({ "TRANSITION", 0 }, { list[1].kind, #list[1].ended })
  end)
end)

describe("a question whose end is that of whom it asked", function()
  -- An instance that asks, and meanwhile sends by a callback.
  local function body(server)
    md.after(1, md.send, md.self(), "from a callback")
    local ok, err = pcall(md.ask, server, "who")
    md.emit(md.now(), ok, err.kind)
  end

  -- A sim, and one outside who ends at that time.
  local function world(time)
    local sim = md.sim()
    return sim, sim:spawn(time > 0 and md.sleep or function() end, time)
  end

  local function made()
    local sim, server = world(2)
    local t = { entrypoint = body }
    local p = sim:template(t):create(server):start()
    sim:run()
    return pulled(p), t
  end

  it("is over when it was, by the record", function()
    local list, t = made()
    local sim, server = world(9)
    local p = sim:template(t):create(server):replay(signals(list))
    assert.equal("done", p.status)
    assert.equal(kinds(list), kinds(pulled(p)))
  end)

  it("is over when it comes to that behind the record", function()
    local list, t = made()
    for _, time in ipairs { 0, 2, 5 } do
      local sim, server = world(time)
      if time == 0 then
        sim:run()
      end
      local p = sim:template(t):create(server):replay(signals(list, 4))
      assert.equal("SEND", list[4].kind) -- that of the callback
      p:join()
      assert.equal(kinds(list), kinds(pulled(p)))
      assert.equal(math.max(time, 1), sim:now())
    end
  end)

  it("is noticed in the order in which they asked", function()
    local sim, server = world(2)
    local function ask(name)
      pcall(md.ask, server, "who")
      md.emit(name)
    end
    local t = {
      entrypoint = function()
        md.spawn(ask, "first")
        md.spawn(function()
          md.emit "between"
          ask "second"
        end)
        md.sleep(3)
      end,
    }
    local p = sim:template(t):create():start()
    sim:run()
    local list = pulled(p)
    for n = 3, #list do
      sim, server = world(2)
      p = sim:template(t):create():replay(signals(list, n))
      sim:run()
      local said = {}
      for _, s in ipairs(pulled(p)) do
        said[#said + 1] = s.kind == "SEND" and s.to == nil and s.data or nil
      end
      assert.same({ "between", "first", "second" }, said)
    end
  end)

  it("wakes all who had asked at once", function()
    for _, order in ipairs { "fifo", "lifo" } do
      local function ask(whom, name)
        pcall(md.ask, whom, "who")
        md.after(0, md.send, md.self(), "later")
        md.emit(name)
        md.emit(md.wait "later")
      end
      local t = {
        entrypoint = function(whom)
          md.spawn(ask, whom, "one")
          md.spawn(ask, whom, "other")
          md.sleep(3)
        end,
      }
      local function outside()
        local sim = md.sim { order = order }
        return sim, sim:spawn(md.sleep, 2)
      end
      local sim, server = outside()
      local p = sim:template(t):create(server):start()
      sim:run()
      local list = pulled(p)
      for n = 3, #list do
        sim, server = outside()
        p = sim:template(t):create(server):replay(signals(list, n))
        sim:run()
        local text = order .. ", cut at " .. n
        assert.equal(kinds(list), kinds(pulled(p)), text)
      end
    end
  end)

  it("can be asked behind a blow to one that is not run again", function()
    local sim, server = world(2)
    local t = {
      entrypoint = function(whom)
        local child = md.spawn(function()
          pcall(md.sleep, 5)
          return 1
        end)
        md.sleep(1)
        md.interrupt(child, "why")
        md.emit((pcall(md.ask, whom, "who")))
        md.sleep(5)
      end,
    }
    local p = sim:template(t):create(server):start()
    sim:run()
    local list = pulled(p)
    sim, server = world(0)
    sim:run()
    local options = signals(list)
    options.results = function(s)
      if s.kind == "START" and s.pid ~= list[1].pid then
        return true, 1
      end
    end
    p = sim:template(t):create(server):replay(options)
    assert.equal(kinds(list), kinds(pulled(p)))
  end)
end)
