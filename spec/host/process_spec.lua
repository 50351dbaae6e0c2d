-- How processes begin and end, what they are called, what is known of them.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function fails(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(pattern, tostring(err))
  return err
end

describe("spawn", function()
  it("passes arguments, nils included", function()
    assert.same(
      { "0 1 nil 3 nil 4" },
      story(function(say)
        md.spawn(function(...)
          say(...)
          say = nil
          assert.equal(4, select("#", ...) - 1)
        end, 1, nil, 3, nil, 4)
      end)
    )
  end)

  it("works inside of a process, at any time, and in a child (0.22)", function()
    assert.same(
      { "2 grandchild 2", "3 child 3", "3 true true" },
      story(function(say)
        md.sleep(1)
        local child = md.spawn(function(parent)
          md.sleep(1)
          local grandchild = md.spawn(function()
            say("grandchild", md.now())
          end)
          md.send(parent, "born", grandchild) -- before it has begun
          md.sleep(1)
          say("child", md.now())
        end, md.self())
        local grandchild = md.wait("born", md.is.pid)
        md.join(child)
        local parent = md.info(md.spawn(md.yield)).parent
        say(grandchild ~= child, parent == md.self())
      end)
    )
  end)

  it("leaves it to the functions to find their process (0.14)", function()
    assert.same(
      { "0.5 a true 0.5", "1.5 b true 1.5" },
      story(function(say)
        local function deep(n, name, pid)
          if n > 0 then
            return deep(n - 1, name, pid)
          end
          local _, d = md.wait(name, md.is.number), md.now()
          say(name, md.self() == pid(), d)
        end
        local pids = {}
        for _, name in ipairs { "a", "b" } do
          pids[name] = md.spawn(deep, 20, name, function()
            return pids[name]
          end)
        end
        md.send_after(0.5, pids.a, "a", 1)
        md.send_after(1.5, pids.b, "b", 1)
      end)
    )
  end)

  it("starts at a time, or after a duration", function()
    assert.same(
      { "0 now", "3 at", "4 after" },
      story(function(say)
        md.spawn({ at = 3 }, say, "at")
        md.spawn({ after = 4 }, say, "after")
        md.spawn({}, say, "now")
      end)
    )
  end)

  it("takes anything that can be called", function()
    local callable = setmetatable({}, {
      __call = function(_, say, x)
        say(x)
      end,
    })
    assert.same(
      { "0 5", "1 6" },
      story(function(say)
        md.spawn(callable, say, 5)
        md.spawn({ at = 1 }, callable, say, 6)
      end)
    )
  end)

  it("gives each a stream by its name, not by the order of spawning", function()
    local function draws(names)
      local drawn = {}
      local sim = md.sim { seed = 7 }
      for _, name in ipairs(names) do
        sim:spawn({ name = name }, function()
          drawn[name] = md.rng():uniform()
        end)
      end
      sim:run()
      return drawn
    end
    assert.same(draws { "a", "b" }, draws { "b", "a" })
    assert.are_not.equal(draws({ "a" }).a, draws({ "b" }).b)
  end)

  it("shares the stream that is asked for", function()
    story(function()
      local first, second
      md.join(md.spawn({ stream = "s" }, function()
        first = md.rng():uniform()
      end))
      md.join(md.spawn({ stream = "s" }, function()
        second = md.rng():uniform()
      end))
      local sim = md.sim()
      sim:spawn(function()
        local s = md.rng "s"
        assert.same({ first, second }, { s:uniform(), s:uniform() })
      end)
      sim:run()
    end)
  end)

  it("refuses what it cannot start, and says what is the matter", function()
    story(function()
      fails("expected a function as argument 1, got nothing", md.spawn)
      fails("not md.spawn%(f%(a, b%)%)", md.spawn, 5)
      fails("expected a function as argument 2", md.spawn, {})
      fails("did you mean 'name'", md.spawn, { nmae = "x" }, print)
      fails("string as name", md.spawn, { name = 1 }, print)
      fails("integer as priority", md.spawn, { priority = 1.5 }, print)
      fails("as inbox", md.spawn, { inbox = 0 }, print)
      fails("as inbox", md.spawn, { inbox = 2 ^ 32 }, print)
      fails("as on_full", md.spawn, { on_full = "wait" }, print)
      fails("as on_full", md.spawn, { on_full = true }, print)
      fails("string as stream", md.spawn, { stream = 1 }, print)
      md.sleep(1)
      fails("in the past", md.spawn, { at = 0.5 }, print)
      assert.equal(1, #md.processes())
    end)
  end)
end)

describe("a pid", function()
  it("is unique, even where a slot is used again (0.5, 2.6)", function()
    story(function()
      local seen, shown = {}, {}
      for _ = 1, 1000 do
        local p = md.spawn(function() end)
        assert.is_nil(seen[p])
        assert.is_nil(shown[tostring(p)])
        seen[p], shown[tostring(p)] = true, true
        md.join(p)
      end
      for p in pairs(seen) do
        assert.equal("done", md.status(p))
      end
    end)
  end)

  it("prints itself, and is equal to itself only (0.5, 0.15)", function()
    story(function()
      local me = md.self()
      assert.matches("^<pid %d+%.?%d*>$", tostring(me))
      assert.equal(me, md.this())
      assert.are_not.equal(me, md.spawn(function() end))
      md.send(me, me)
      assert.equal(me, md.wait(md.is.pid))
    end)
  end)

  it("is refused by another sim, and where it is none", function()
    local sim = md.sim()
    local p = sim:spawn(function() end)
    story(function()
      fails("belongs to another sim", md.send, p, 1)
      fails("belongs to another sim", md.join, p)
      fails("expected a pid or a registered name", md.kill, 5)
      fails("expected a pid or a registered name", md.status, nil)
    end)
    fails("this is no process", md.self)
  end)
end)

describe("exit", function()
  it("ends the process from any depth, and pcall does not stop it", function()
    assert.same(
      { "0 inner", "0 outer", "0 joined" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = support.closer(say, "outer")
          pcall(function()
            local _ <close> = support.closer(say, "inner")
            xpcall(md.exit, say)
          end)
          say "never"
        end)
        assert.equal(0, select("#", md.join(p)))
        say "joined"
        assert.equal("done", md.status(p))
      end)
    )
  end)

  it("with a reason raises it in a join", function()
    story(function()
      local reason = {}
      local p = md.spawn({ name = "quitter" }, md.exit, reason)
      local err = fails("'quitter' was killed", md.join, p)
      assert.equal("killed", err.kind)
      assert.equal(reason, err.reason)
      assert.equal("failed", md.status(p))
    end)
  end)

  it("normal is an end like any other", function()
    story(function()
      local p = md.spawn(md.exit, "normal")
      md.join(p)
      assert.equal("done", md.status(p))
    end)
  end)

  it("lets closers wait, and a second exit changes nothing", function()
    assert.same(
      { "0 closing", "2 closed", "2 joined" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = support.closer(function()
            say "closing"
            md.sleep(2)
            say "closed"
            md.exit "again"
          end)
          md.exit()
        end)
        md.join(p)
        say "joined"
      end)
    )
  end)

  it("outside of a process is refused", function()
    fails("ends the process that calls it", md.exit)
  end)
end)

describe("status and info", function()
  it("tell every state", function()
    story(function()
      local me = md.self()
      assert.equal("running", md.status(me))
      local sleeper = md.spawn(md.sleep, 5)
      assert.equal("ready", md.status(sleeper))
      local later = md.spawn({ at = 3 }, function() end)
      assert.equal("sleeping", md.status(later))
      local waiter = md.spawn(md.wait, "x")
      local loser = md.spawn(error, "lost")
      pcall(md.join, loser)
      assert.equal("sleeping", md.status(sleeper))
      assert.equal("waiting", md.status(waiter))
      assert.equal("failed", md.status(loser))
      md.send(waiter, "x")
      assert.equal("ready", md.status(waiter))
      md.sleep(6)
      for _, p in ipairs { sleeper, later, waiter } do
        assert.equal("done", md.status(p))
      end
    end)
  end)

  it("show what a process is and where it stands", function()
    story(function()
      local me = md.self()
      local p = md.spawn({ name = "a", priority = 3 }, function()
        local function deep()
          md.wait("ping", md._)
        end
        deep()
      end)
      md.send(p, "other")
      md.sleep(1)
      local info = md.info(p)
      assert.equal("a", info.name)
      assert.equal(p, info.pid)
      assert.equal("waiting", info.status)
      assert.equal("a message that begins with 'ping', md._", info.waiting)
      assert.equal(1, info.inbox)
      assert.equal(3, info.priority)
      assert.equal(me, info.parent)
      assert.same({ p }, md.info(me).children)
      assert.matches("process_spec.lua:%d+", info.where)
      assert.matches("deep", info.traceback)
      md.kill(p)
    end)
  end)

  it("look at one that runs in a generator that is gone", function()
    story(function()
      for _ in
        coroutine.wrap(function()
          md.spawn(md.sleep, 1)
          md.sleep(1)
          coroutine.yield(1)
        end)
      do
        collectgarbage()
      end
      for _ = 1, 100 do
        coroutine.wrap(function() end)()
      end
      collectgarbage()
      assert.matches("process_spec.lua", md.info(md.self()).traceback)
    end)
  end)
end)
