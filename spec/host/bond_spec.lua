-- Links, monitors, exit signals: who is told of an end, and who ends with it.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

-- A process that sleeps for d and ends as fn(...) does.
local function after(d, fn, ...)
  return md.spawn(function(...)
    md.sleep(d)
    return fn(...)
  end, ...)
end

-- The same, watched, so that its error ends no run: a trap beside it.
local function tended(d, fn, ...)
  local pid = after(d, fn, ...)
  md.spawn(function()
    md.trap_exit(true)
    md.link(pid)
    md.wait "exit"
  end)
  return pid
end

local function ended(p)
  local ok, err = pcall(md.join, p)
  if ok then
    return "returned"
  end
  return tostring(type(err) == "table" and err.kind or err), err
end

-- The text of the usage error that fn(...) raises, without its place.
local function refusal(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err.kind .. ": " .. err.message:gsub("^[%w%p]*:%d+: ", "")
end

describe("an exit signal (4.29)", function()
  -- how it ends, and the reason that is told
  local table_reason = { code = 7 }
  local ends = {
    ["a return"] = { "normal", function() end },
    ["exit()"] = { "normal", md.exit },
    ["exit('normal')"] = { "normal", md.exit, "normal" },
    ["exit(reason)"] = { "tired", md.exit, "tired" },
    ["exit(table)"] = { table_reason, md.exit, table_reason },
    ["an error"] = { "broken", error, "broken", 0 },
    ["a table as error"] = { table_reason, error, table_reason },
    ["error(nil)"] = { nil, error },
    ["a kill without a reason"] = {
      "killed",
      function()
        md.kill(md.self())
      end,
    },
    ["a kill"] = {
      "why",
      function()
        md.kill(md.self(), "why")
      end,
    },
    ["a kill for 'normal'"] = {
      "normal",
      function()
        md.kill(md.self(), "normal")
      end,
    },
  }
  for name, case in pairs(ends) do
    it(
      "after " .. name .. " comes to who traps it, and to a monitor",
      function()
        local reason = case[1]
        story(function()
          md.trap_exit(true)
          local pid = after(1, table.unpack(case, 2))
          md.link(pid)
          local ref = md.monitor(pid)
          local from, got = md.wait "exit"
          assert.equal(pid, from)
          assert.equal(reason, got)
          local got_ref, down, why = md.wait "down"
          assert.equal(ref, got_ref)
          assert.equal(pid, down)
          assert.equal(reason, why)
          assert.equal(1, md.now())
          assert.equal(0, md.inbox())
        end)
      end
    )

    it("after " .. name .. " ends who does not trap it, or does not", function()
      local reason = case[1]
      story(function()
        local pid = tended(1, table.unpack(case, 2))
        local linked = md.spawn(function()
          md.link(pid)
          md.sleep(5)
        end)
        local how, err = ended(linked)
        if reason == "normal" then
          assert.equal("returned", how)
          assert.equal(5, md.now())
        else
          assert.equal("killed", how)
          assert.equal(reason, err.reason)
          assert.equal(1, md.now())
          assert.equal("failed", md.status(linked))
        end
      end)
    end)
  end

  it("of a kill cannot be trapped by the killed", function()
    story(function()
      local pid = md.spawn(function()
        md.trap_exit(true)
        md.sleep(9)
      end)
      md.sleep(1)
      assert.is_true(md.kill(pid, "out"))
      local how, err = ended(pid)
      assert.same({ "killed", "out" }, { how, err.reason })
    end)
  end)

  it("goes through a chain of links, with its reason", function()
    assert.same(
      { "1 closed 3", "1 closed 2", "1 closed 1", "1 exit last" },
      story(function(say)
        md.trap_exit(true)
        local before = md.self()
        for i = 1, 3 do
          local to = before
          before = md.spawn(function()
            local _ <close> = closer(say, "closed", i)
            md.link(to)
            md.sleep(i == 3 and 1 or 9)
            md.exit "last"
          end)
        end
        local _, reason = md.wait "exit"
        say("exit", reason)
      end)
    )
  end)

  it("ends a circle of 1000 processes, each once", function()
    story(function()
      local n, members, gone = 1000, {}, 0
      for i = 1, n do
        members[i] = md.spawn(function()
          local _ <close> = closer(function()
            gone = gone + 1
          end)
          md.link(members[i % n + 1])
          md.sleep(i == 500 and 1 or 9)
          md.exit "round"
        end)
      end
      md.trap_exit(true)
      for i = 1, n do
        local how, err = ended(members[i])
        assert.same({ "killed", "round" }, { how, err.reason })
      end
      assert.same({ n, 1.0 }, { gone, md.now() })
    end)
  end)

  it("reaches in the order in which links and monitors were made", function()
    assert.same(
      { "1 a exit", "1 b down", "1 c exit", "1 d down" },
      story(function(say)
        local pid = after(1, md.exit, "x")
        local function watcher(name, bond)
          md.spawn(function()
            md.trap_exit(true)
            bond(pid)
            say(name, (md.receive {
              {
                "exit",
                function()
                  return "exit"
                end,
              },
              {
                "down",
                function()
                  return "down"
                end,
              },
            }))
          end)
        end
        watcher("a", md.link)
        watcher("b", md.monitor)
        watcher("c", md.link)
        watcher("d", md.monitor)
      end)
    )
  end)

  it("of two that fail in one instant comes from the first", function()
    story(function()
      md.trap_exit(true)
      local a, b
      a = after(1, error, "a", 0)
      b = md.spawn(function()
        md.link(a)
        md.sleep(1)
        error("b", 0)
      end)
      md.link(a)
      md.link(b)
      local how, err = ended(a)
      assert.same({ "a", "a" }, { how, err })
      how, err = ended(b)
      assert.same({ "killed", "a" }, { how, err.reason })
    end)
  end)

  it(
    "is gone with the link, and comes when both meet in one instant",
    function()
      assert.same(
        { "1 unlinked", "2 killed late" },
        story(function(say)
          local early, late =
            tended(1, md.exit, "early"), tended(2, md.exit, "late")
          md.sleep(0)
          local p = md.spawn(function()
            md.link(early)
            md.sleep(0.5)
            md.unlink(early)
            md.link(late)
            md.sleep(0.5)
            say "unlinked"
            md.sleep(1) -- due when the other ends, behind it
            say "never"
          end)
          local how, err = ended(p)
          say(how, err.reason)
        end)
      )
    end
  )

  it(
    "does not touch one that unwinds already, with closers that block",
    function()
      assert.same(
        { "1 a closes", "1 b closes", "3 a own", "4 b own" },
        story(function(say)
          local a, b
          local function body(name, d)
            return function(other)
              local _ <close> = closer(function()
                say(name, "closes")
                md.sleep(d)
              end)
              md.link(other())
              md.sleep(9)
            end
          end
          a = md.spawn(body("a", 2), function()
            return b
          end)
          b = md.spawn(body("b", 3), function()
            return a
          end)
          md.at(1, function()
            md.kill(a, "own")
            md.kill(b, "own")
          end)
          say("a", select(2, ended(a)).reason)
          say("b", select(2, ended(b)).reason)
        end)
      )
    end
  )

  it("comes as a message with shutdown, or kills for that reason", function()
    story(function()
      local trapping = md.spawn(function()
        md.trap_exit(true)
        return md.wait "exit"
      end)
      local plain = md.spawn(md.sleep, 9)
      md.sleep(1)
      assert.is_true(md.shutdown(trapping))
      assert.is_true(md.shutdown(plain, "normal"))
      md.sleep(1)
      assert.equal("sleeping", md.status(plain))
      assert.is_true(md.shutdown(plain))
      assert.is_false(md.shutdown(plain))
      local from, reason = md.join(trapping)
      assert.same({ md.self(), "shutdown" }, { from, reason })
      local how, err = ended(plain)
      assert.same({ "killed", "shutdown" }, { how, err.reason })
      assert.is_false(md.shutdown(plain, "again"))
    end)
  end)

  it("of shutdown names nobody when a callback sends it", function()
    story(function()
      md.trap_exit(true)
      local self = md.self()
      md.at(1, function()
        md.shutdown(self, "hello")
      end)
      local from, reason = md.wait "exit"
      assert.is_nil(from)
      assert.equal("hello", reason)
    end)
  end)

  it("may be sent to oneself", function()
    assert.same(
      { "0 normal", "0 closed" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(say, "closed")
          md.shutdown(md.self(), "normal")
          say "normal"
          pcall(md.shutdown, md.self(), "own")
          say "never"
        end)
        assert.equal("own", select(2, ended(p)).reason)
      end)
    )
  end)
end)

describe("link", function()
  it("twice, or with oneself, is one link or none", function()
    story(function()
      md.trap_exit(true)
      local p = after(1, md.exit, "x")
      md.link(p)
      md.link(p)
      md.link(md.self())
      assert.same({ p }, md.info(md.self()).links)
      assert.same({ md.self() }, md.info(p).links)
      md.sleep(2)
      assert.equal(1, md.inbox())
    end)
  end)

  it("from both sides is one link, and unlink from either ends it", function()
    story(function()
      local self = md.self()
      local p = md.spawn(function()
        md.link(self)
        md.wait "end"
        md.exit "x"
      end)
      md.link(p)
      md.sleep(1)
      assert.equal(1, #md.info(p).links)
      md.unlink(p)
      md.unlink(p)
      assert.same({}, md.info(p).links)
      md.send(p, "end")
      md.sleep(1)
    end)
  end)

  it("to a dead pid is a message to who traps exits", function()
    story(function()
      local p = md.spawn(function() end)
      md.join(p)
      assert.is_false(md.trap_exit(true))
      md.link(p)
      local pid, reason = md.wait "exit"
      assert.same({ p, "noproc" }, { pid, reason })
      assert.is_true(md.trap_exit(false))
    end)
  end)

  it("to a dead pid raises noproc to any other", function()
    story(function()
      local p = md.spawn(function() end)
      md.join(p)
      assert.equal(
        "noproc: link: the process has ended, so nothing can be linked with "
          .. "it; after md.trap_exit(true) that is a message, "
          .. '("exit", pid, "noproc")',
        refusal(md.link, p)
      )
    end)
  end)

  it("to one that unwinds gets its reason when that is done", function()
    story(function()
      md.trap_exit(true)
      local p = md.spawn(function()
        local _ <close> = closer(md.sleep, 2)
        md.sleep(9)
      end)
      md.sleep(1)
      md.kill(p, "slow")
      md.link(p)
      local _, reason = md.wait "exit"
      assert.same({ "slow", 3.0 }, { reason, md.now() })
    end)
  end)

  it("is made by spawn, before the new one starts", function()
    story(function()
      md.trap_exit(true)
      local p = md.spawn({ link = true }, error, "at once", 0)
      local pid, reason = md.wait "exit"
      assert.same({ p, "at once" }, { pid, reason })
      local q, ref = md.spawn({ link = true, monitor = true }, function() end)
      assert.same({ q, "normal" }, { md.wait "exit" })
      assert.same({ ref, q, "normal" }, { md.wait "down" })
    end)
  end)

  it("takes registered names, which are free after the end", function()
    story(function()
      md.trap_exit(true)
      local p = after(1, md.exit, "x")
      md.register("till", p)
      md.link "till"
      local ref = md.monitor "till"
      assert.same({ p, "x" }, { md.wait "exit" })
      assert.same({ ref, p, "x" }, { md.wait "down" })
      assert.is_nil(md.whereis "till")
      md.link "till"
      assert.same({ p, "noproc" }, { md.wait "exit" })
      local q = md.spawn(md.sleep, 1)
      md.register("till", q)
      md.link "till"
      assert.same({ q }, md.info(md.self()).links)
      md.unlink "till"
    end)
  end)

  it("with who asks: the ask ends with noproc, the asker with it", function()
    assert.same(
      { "2 noproc", "2 exit broken", "2 killed broken" },
      story(function(say)
        local function server()
          return tended(2, error, "broken", 0)
        end
        md.trap_exit(true)
        local a, b = server(), server()
        md.link(a)
        local q = md.spawn(function()
          md.link(b)
          pcall(md.ask, b, "price")
          say "never"
        end)
        local ok, err = pcall(md.ask, a, "price")
        assert.is_false(ok)
        say(err.kind)
        local _, reason = md.wait "exit"
        say("exit", reason)
        local _, why = ended(q)
        say(why.kind, why.reason)
      end)
    )
  end)

  it("brings its message past a full inbox, and in its place", function()
    story(function()
      local p = md.spawn({ inbox = 1, on_full = "drop" }, function()
        md.trap_exit(true)
        md.link(after(1, md.exit, "x"))
        md.monitor(after(1, md.exit, "y"))
        md.sleep(3)
        assert.equal(3, md.inbox())
        assert.equal("first", (md.wait()))
        assert.equal("exit", (md.wait()))
        assert.equal("down", (md.wait()))
      end)
      md.send(p, "first")
      md.send(p, "dropped")
      md.join(p)
    end)
  end)
end)

describe("an error", function()
  it("is not uncaught when who traps is linked, over others too", function()
    assert.same(
      { "1 near", "2 far" },
      story(function(say)
        md.trap_exit(true)
        md.link(after(1, error, "near", 0))
        local _, reason = md.wait "exit"
        say(reason)
        md.spawn({ link = true }, function()
          md.link(after(1, error, "far", 0))
          md.sleep(9)
        end)
        _, reason = md.wait "exit"
        say(reason)
      end)
    )
  end)

  it("is uncaught when nobody traps, for all its links and monitors", function()
    local told = story({ failing = true }, function(say)
      local p = after(1, error, "alone", 0)
      md.monitor(p)
      md.link(p)
      md.sleep(2)
      say "never"
    end)
    assert.same({ "1 (alone)" }, told)
  end)

  it("in an isolated sim ends those that are linked, not the run", function()
    local run = support.run [[
      local md = require "moondial"
      local sim = md.sim { on_error = "isolate" }
      sim:spawn({ name = "watch" }, function()
        local p, ref = md.spawn({ monitor = true, name = "worker" }, function()
          md.spawn({ link = true, name = "helper" }, function()
            md.sleep(1)
            error("broken", 0)
          end)
          md.sleep(9)
        end)
        print(select(2, md.wait "down") == p, md.now())
      end)
      print(sim:run())
    ]]
    assert.equal("true\t1.0\ndone\t1.0\n", run.out)
    assert.equal("moondial: 'helper' failed: broken\n", run.err)
  end)

  it("of a trap's own is as any other's", function()
    local told = story({ failing = true }, function(say)
      md.trap_exit(true)
      md.spawn({ link = true }, md.sleep, 9)
      error("own", 0)
    end)
    assert.same({ "0 (own)" }, told)
  end)
end)

describe("a monitor", function()
  it("gives a ref of its own each time, and a message for each", function()
    story(function()
      local p = after(1, md.exit, "x")
      local a, b = md.monitor(p), md.monitor(p)
      assert.are_not.equal(a, b)
      assert.are_not.equal(tostring(a), tostring(b))
      assert.same({ p, p }, md.info(md.self()).monitors)
      assert.same({ a, p, "x" }, { md.wait "down" })
      assert.same({ b, p, "x" }, { md.wait "down" })
      assert.same({}, md.info(md.self()).monitors)
    end)
  end)

  it("on one that has ended, even long ago, tells so at once", function()
    story(function()
      local p = md.spawn(function() end)
      md.join(p)
      local a, b = md.monitor(p), md.monitor(p)
      assert.are_not.equal(a, b)
      assert.equal(2, md.inbox())
      assert.same({ a, p, "noproc" }, { md.wait "down" })
      assert.same({ b, p, "noproc" }, { md.wait "down" })
    end)
  end)

  it("on oneself does nothing", function()
    story(function()
      local p = md.spawn(function()
        local ref = md.monitor(md.self())
        assert.same({ md.self() }, md.info(md.self()).monitors)
        md.demonitor(ref)
        md.monitor(md.self())
      end)
      md.join(p)
    end)
  end)

  it("ends with demonitor, in the instant of the end too", function()
    story(function()
      local p, q = after(1, md.exit, "x"), after(1, md.exit, "y")
      local a, b = md.monitor(p), md.monitor(q)
      md.demonitor(a)
      md.sleep(0)
      md.sleep(1) -- until after their end
      assert.equal(1, md.inbox())
      md.demonitor(b)
      assert.equal(1, md.inbox())
      md.demonitor(a, "flush")
      assert.equal(1, md.inbox())
      md.demonitor(b, "flush")
      assert.equal(0, md.inbox())
      local r = md.spawn(md.exit, "z")
      local c = md.monitor(r)
      md.demonitor(c, "flush")
      md.sleep(1)
      assert.equal(0, md.inbox())
    end)
  end)

  it("is not ended by another's demonitor, nor by another ref", function()
    story(function()
      local p = after(1, md.exit, "x")
      local ref = md.monitor(p)
      md.join(md.spawn(function()
        md.demonitor(ref, "flush")
        md.demonitor(md.ref(), "flush")
      end))
      md.demonitor(md.ref())
      assert.same({ ref, p, "x" }, { md.wait "down" })
      md.demonitor(ref, "flush")
    end)
  end)

  it("is matched by its ref like any value", function()
    story(function()
      local refs, pids = {}, {}
      for i = 1, 50 do
        pids[i] = after(1, md.exit, i)
        refs[i] = md.monitor(pids[i])
      end
      md.sleep(2)
      for i = 50, 1, -1 do
        assert.same({ pids[i], i }, { md.wait("down", refs[i]) })
      end
    end)
  end)

  it("ends with who watches", function()
    story(function()
      local p = md.spawn(md.sleep, 9)
      md.join(md.spawn(function()
        md.monitor(p)
        md.link(p)
      end))
      assert.same({}, md.info(p).links)
    end)
  end)

  it("tells a closer that waits for it, with a message like any", function()
    assert.same(
      { "1 down x", "1 down noproc" },
      story(function(say)
        local helper = md.spawn(function()
          md.wait "go"
          md.exit "x"
        end)
        local p = md.spawn(function()
          local _ <close> = closer(function()
            for _ = 1, 2 do
              md.monitor(helper)
              md.send(helper, "go")
              say("down", select(3, md.wait "down"))
            end
          end)
          md.sleep(9)
        end)
        md.at(1, md.kill, p)
      end)
    )
  end)

  it("costs the same with 100 000 others", function()
    story(function()
      local n = 100000
      local one = md.spawn(md.wait, "end")
      local refs = {}
      for i = 1, n do
        refs[i] = md.monitor(one)
      end
      for i = n, 2, -2 do
        md.demonitor(refs[i])
      end
      md.send(one, "end")
      md.join(one)
      assert.equal(n / 2, md.inbox())
      assert.same({ one, "normal" }, { md.wait("down", refs[99]) })
      md.flush()
      local links = {}
      for i = 1, n / 10 do
        links[i] = md.spawn({ link = true }, md.wait, "end")
        md.link(links[i])
      end
      for i = 1, n / 10, 2 do
        md.unlink(links[i])
      end
      md.trap_exit(true)
      for i = 1, n / 10 do
        md.send(links[i], "end")
      end
      md.sleep(1)
      assert.equal(n / 20, md.inbox())
    end)
  end)
end)

describe("a wrong call", function()
  local outside = ": only a process has links and monitors, and this is none; "
    .. "call it inside md.spawn(function() ... end)"

  it("outside of a process says so", function()
    for _, name in ipairs { "link", "unlink", "monitor", "demonitor" } do
      assert.equal("usage: " .. name .. outside, refusal(md[name], 1))
    end
    assert.equal("usage: trap_exit" .. outside, refusal(md.trap_exit, true))
    assert.equal(
      "usage: spawn: link is between the process that calls and the new one, "
        .. "and this is no process; call it inside "
        .. "md.spawn(function() ... end)",
      refusal(md.spawn, { link = true }, print)
    )
  end)

  it("with what is no boolean, ref or option says what came", function()
    story(function()
      assert.equal(
        "usage: trap_exit: expected true or false as argument 1, got 1",
        refusal(md.trap_exit, 1)
      )
      assert.equal(
        "usage: trap_exit: expected true or false as argument 1, got nothing",
        refusal(md.trap_exit)
      )
      assert.equal(
        "usage: demonitor: expected a ref as argument 1, got 'x'; md.monitor "
          .. "returns one",
        refusal(md.demonitor, "x")
      )
      assert.equal(
        'usage: demonitor: expected "flush" or nothing as argument 2, got '
          .. "'flsh'",
        refusal(md.demonitor, md.ref(), "flsh")
      )
      assert.equal(
        "usage: spawn: there is no option 'lnik'; did you mean 'link'?",
        refusal(md.spawn, { lnik = true }, print)
      )
      assert.equal(
        "usage: spawn: expected true or false as monitor, got 1",
        refusal(md.spawn, { monitor = 1 }, print)
      )
      for _, name in ipairs { "link", "unlink", "monitor", "shutdown" } do
        assert.equal(
          "usage: "
            .. name
            .. ": expected a pid or a registered name as argument 1, got nil; "
            .. "md.spawn returns a pid",
          refusal(md[name], nil)
        )
      end
    end)
  end)

  it("with a process of another sim is refused", function()
    local there = md.sim():spawn(md.sleep, 1)
    story(function()
      for _, name in ipairs { "link", "unlink", "monitor", "shutdown" } do
        assert.matches("another sim", refusal(md[name], there))
      end
    end)
    local sim = md.sim()
    story(function()
      assert.matches("only a process", refusal(sim.monitor, sim, there))
    end)
  end)
end)

describe("info", function()
  it("knows links, monitors and traps", function()
    story(function()
      local p = md.spawn(md.sleep, 1)
      local info = md.info(md.self())
      assert.same({ {}, {}, false }, { info.links, info.monitors, info.traps })
      md.trap_exit(true)
      md.link(p)
      md.monitor(p)
      info = md.info(md.self())
      assert.same({ { p }, { p }, true }, {
        info.links,
        info.monitors,
        info.traps,
      })
    end)
  end)
end)
