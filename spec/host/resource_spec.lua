-- Resources, mutexes and semaphores: who has units, in which order, for how
-- long, and who loses them.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("resource_spec.lua:%d+: " .. pattern, err.message)
end

-- Spawns processes that acquire at 0.1, 0.2, ..., hold for so long, and tell.
local function line(say, r, requests, hold)
  for i, o in ipairs(requests) do
    md.spawn({ after = i / 10 }, function()
      local unit <close> = r:acquire(o)
      say(i, unit.n)
      md.sleep(hold)
    end)
  end
end

describe("a resource (1.11)", function()
  it("serves in order of arrival; a large request is not overtaken", function()
    assert.same(
      { "0.1 1 2", "1.1 2 3", "2.1 3 1", "2.1 4 1" },
      story(function(say)
        local r = md.resource { capacity = 3 }
        line(say, r, { { n = 2 }, { n = 3 }, { n = 1 }, { n = 1 } }, 1)
      end)
    )
  end)

  it("serves the last first, if it is said", function()
    assert.same(
      { "0.1 1 1", "1.1 4 1", "2.1 3 1", "3.1 2 1" },
      story(function(say)
        local r = md.resource { discipline = "lifo" }
        line(say, r, { {}, {}, {}, {} }, 1)
      end)
    )
  end)

  it("serves by priority, the lower first, equals in order", function()
    assert.same(
      { "0.1 1 1", "1.1 4 1", "2.1 3 1", "3.1 5 1", "4.1 2 1" },
      story(function(say)
        local r = md.resource { discipline = "priority" }
        local function p(n)
          return { priority = n }
        end
        line(say, r, { p(9), p(2), p(0), p(-1), p(0) }, 1)
      end)
    )
  end)

  it("gives nil and why when the time is over, which <close> takes", function()
    assert.same(
      { "2 nil timeout", "2 0", "3 false" },
      story(function(say)
        local r = md.mutex()
        md.spawn(function()
          local _ <close> = r:acquire()
          md.sleep(3)
        end)
        md.yield()
        do
          local unit <close>, why = r:acquire { timeout = 2 }
          say(unit, why)
        end
        say(r.queue_length)
        md.sleep(1)
        local unit <close> = r:acquire { timeout = 0 }
        say(not unit)
      end)
    )
  end)

  it("has who holds and who waits", function()
    story(function()
      local r = md.resource { capacity = 2, name = "tills" }
      local a = md.spawn(function()
        r:acquire { n = 2 }
        md.sleep(1)
      end)
      local b = md.spawn(r.acquire, r)
      md.yield()
      assert.same({ a }, r.holders)
      assert.same({ b }, r.waiting)
      assert.same({ 2, 2, 0, 1, "tills" }, {
        r.capacity,
        r.used,
        r.available,
        r.queue_length,
        r.name,
      })
      md.join(a)
      md.yield()
      assert.same({ 0, 0 }, { r.used, r.queue_length })
    end)
  end)

  it("may get more units and fewer", function()
    assert.same(
      { "0.1 1 1", "0.5 2 1", "0.5 3 1", "2.5 4 1" },
      story(function(say)
        local r = md.resource()
        line(say, r, { {}, {}, {}, {} }, 1)
        md.sleep(0.5)
        r:set_capacity(3)
        md.sleep(0.1)
        r:set_capacity(0)
        assert.equal(3, r.used)
        md.sleep(1.9)
        r:set_capacity(1)
      end)
    )
  end)

  it("has back what a process held, however it ends (3.15)", function()
    local endings = {
      returns = function() end,
      error = function()
        error("oh", 0)
      end,
      exit = md.exit,
      kill = function()
        md.sleep(9)
      end,
      become = function()
        md.become(md.sleep, 0)
      end,
    }
    for name, ending in pairs(endings) do
      local told = story({ on_error = "stop" }, function(say)
        local r = md.resource { capacity = 3 }
        local pid = md.spawn(function()
          r:acquire { n = 2 }
          r:acquire()
          md.sleep(1)
          ending()
        end)
        md.yield()
        md.spawn(function()
          local unit <close> = r:acquire { n = 3 }
          say(r.used, unit.n)
        end)
        md.spawn(pcall, md.join, pid)
        md.sleep(1)
        if name == "kill" then
          md.kill(pid)
        end
        md.sleep(1)
        say(r.used)
      end)
      assert.same({ "1 3 3", "2 0" }, told, name)
    end
  end)

  it(
    "is closed with the block: error, kill, interrupt, limit (3.15)",
    function()
      local function try(how)
        return story(function(say)
          local r = md.mutex()
          local pid = md.spawn(function()
            local ok = pcall(function()
              local _ <close> = closer(md.sleep, 1)
              local _ <close> = r:acquire()
              if how == "error" then
                md.sleep(1)
                error "oh"
              end
              if how == "limit" then
                md.timeout(1, md.sleep, 5)
              end
              md.sleep(5)
            end)
            say("ok", ok)
          end)
          md.sleep(1)
          if md[how] then
            md[how](pid)
          end
          say(r:acquire().held, r.used)
        end)
      end
      assert.same({ "1 true 1" }, try "kill")
      for _, how in ipairs { "error", "limit", "interrupt" } do
        local told = try(how)
        assert.same({ "1 true 1", "2 ok false" }, told, how)
      end
    end
  )

  it("has a unit released once, by anybody", function()
    assert.same(
      { "0 true 1", "0 true", "0 false false 0", "1 true 0" },
      story(function(say)
        local r = md.semaphore(1)
        local unit = r:acquire()
        say(unit.held, r.used)
        say(unit:release())
        say(unit:release(), unit.held, r.used)
        local other = r:acquire()
        md.spawn(other.release, other)
        md.sleep(1)
        say(r.available == 1, r.used)
      end)
    )
  end)
end)

describe("a preemptive resource (1.11)", function()
  it("takes a unit from the least urgent, who is interrupted", function()
    assert.same(
      {
        "1 low false preempted",
        "1 low false false",
        "1 high true",
        "3 low again",
      },
      story(function(say)
        local r = md.resource { preemptive = true }
        md.spawn(function()
          local unit = r:acquire { priority = 5 }
          local ok, err = pcall(md.sleep, 9)
          say("low", ok, err.cause)
          say("low", unit.held, unit:release())
          local _ <close> = r:acquire { priority = 5 }
          say "low again"
        end)
        md.sleep(1)
        local unit <close> = r:acquire { priority = 1 }
        md.yield()
        say("high", unit.held)
        md.sleep(2)
      end)
    )
  end)

  it("takes none from its equals", function()
    assert.same(
      { "2 true 0" },
      story(function(say)
        local r = md.resource { preemptive = true }
        md.spawn(function()
          local _ <close> = r:acquire { priority = 1 }
          md.sleep(2)
        end)
        md.yield()
        say(r:acquire({ priority = 1 }).held, r.preempted)
      end)
    )
  end)

  it(
    "takes as many as are asked for, the least urgent and last first",
    function()
      assert.same(
        { "1 c", "1 b", "1 4 2" },
        story(function(say)
          local r = md.resource { capacity = 4, preemptive = true }
          for name, o in pairs { a = 2, b = 4, c = 5 } do
            md.spawn(function()
              r:acquire { priority = o, n = o == 2 and 2 or 1 }
              if not pcall(md.sleep, 5) then
                say(name)
              end
            end)
          end
          md.sleep(1)
          local _ <close> = r:acquire { priority = 3, n = 2 }
          md.yield()
          say(r.used, r.preempted)
          md.sleep(1)
        end)
      )
    end
  )

  it("takes none when that would not be enough", function()
    assert.same(
      { "0 nil timeout", "0 0" },
      story(function(say)
        local r = md.resource { capacity = 2, preemptive = true }
        r:acquire { priority = 0 }
        r:acquire { priority = 9 }
        say(r:acquire { priority = 5, n = 2, timeout = 0 })
        say(r.preempted)
      end)
    )
  end)

  it("interrupts a holder wherever it waits", function()
    assert.same(
      { "1 get false preempted 0", "1 limit false interrupt" },
      story(function(say)
        local r = md.resource { capacity = 2, preemptive = true }
        local s = md.store()
        md.spawn(function()
          r:acquire { priority = 5 }
          local ok, err = pcall(s.get, s)
          say("get", ok, err.cause, s.getting_length)
        end)
        md.spawn(function()
          r:acquire { priority = 4 }
          local ok, err = pcall(md.timeout, 9, md.sleep, 8)
          say("limit", ok, err.kind)
        end)
        md.sleep(1)
        local _ <close> = r:acquire { priority = 1, n = 2 }
        md.sleep(1)
      end)
    )
  end)

  it("preempts who has just been granted, at its next wait", function()
    assert.same(
      { "1 mid false", "1 mid preempted", "1 high" },
      story(function(say)
        local r = md.resource { preemptive = true }
        local unit = r:acquire { priority = 0 }
        md.spawn(function()
          local mid = r:acquire { priority = 5 }
          say("mid", mid.held)
          say("mid", select(2, pcall(md.sleep, 1)).cause)
        end)
        md.spawn({ after = 1 }, function()
          unit:release()
        end)
        md.spawn({ after = 1 }, function()
          local _ <close> = r:acquire { priority = 1 }
          say "high"
        end)
        md.sleep(2)
      end)
    )
  end)
end)

describe("a resource's figures (part 3, 4)", function()
  it("are those computed by hand", function()
    story(function()
      local r = md.resource { capacity = 2 }
      local function hold(at, n, d)
        md.spawn({ at = at }, function()
          local _ <close> = r:acquire { n = n }
          md.sleep(d)
        end)
      end
      hold(0, 1, 4) -- 0 to 4
      hold(1, 1, 2) -- 1 to 3
      hold(2, 1, 3) -- waits 1, 3 to 6
      md.sleep(10)
      local close = function(a, b)
        assert.near(a, b, 1e-12)
      end
      close(9 / 10, r.mean_used)
      close(9 / 20, r.utilisation)
      close(1 / 10, r.mean_queue)
      close(1 / 3, r.mean_wait)
      close(1, r.max_wait)
      assert.equal(3, r.served)
      assert.equal(0, r.preempted)
    end)
  end)

  it("count what was had, not what was given back", function()
    story(function()
      local r = md.mutex()
      local unit = r:acquire()
      local pid = md.spawn(r.acquire, r)
      md.sleep(1)
      unit:release()
      md.kill(pid)
      md.sleep(1)
      assert.equal(1, r.served)
      assert.near(0.5, r.mean_queue, 1e-12)
    end)
  end)

  it("follow the capacity", function()
    story(function()
      local r = md.resource()
      r:acquire()
      md.sleep(1)
      r:set_capacity(3)
      md.sleep(1)
      assert.near(2 / 4, r.utilisation, 1e-12)
    end)
  end)

  it("are none if nobody observes", function()
    story(function()
      local r = md.resource { observe = false }
      r:acquire()
      md.sleep(1)
      assert.same({ 0, 0, 1 }, { r.served, r.mean_wait, r.used })
    end)
  end)
end)

describe("a resource that is taken for another simulator's", function()
  it("says where release and request are, and that nothing is set", function()
    local r = md.resource()
    local function refuses(expected, fn)
      local ok, err = pcall(fn)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches(expected, err.message, 1, true)
    end
    refuses("there is no 'release'; unit:release() gives back", function()
      r:release()
    end)
    refuses("there is no 'request'; r:acquire() waits for a unit", function()
      r:request()
    end)
    refuses("resource: 'used' cannot be set; its fields tell", function()
      r.used = 3
    end)
    refuses("store: 'level' cannot be set", function()
      md.store().level = 3
    end)
  end)
end)

describe("two mutexes and two processes", function()
  it("wait for each other in a circle, and are shown", function()
    local sim = md.sim()
    local a, b = sim:mutex(), sim:mutex()
    local function both(first, second)
      return function()
        local _ <close> = first:acquire()
        md.sleep(1)
        local _ <close> = second:acquire()
      end
    end
    local p = sim:spawn({ name = "p" }, both(a, b))
    local q = sim:spawn({ name = "q" }, both(b, a))
    assert.equal("idle", (sim:run()))
    assert.matches("1 unit of a resource %(1 of 1 used%)", sim:info(p).waiting)
    assert.same({ { q }, { p } }, { a.waiting, b.waiting })
  end)
end)

describe("what is wrong of a resource", function()
  it("is said at the caller's line", function()
    refused(
      "resource: there is no option 'capactiy'; did you mean 'capacity'",
      md.resource,
      { capactiy = 1 }
    )
    refused(
      "resource: expected an integer of at least 0 as capacity, got %-1",
      md.resource,
      { capacity = -1 }
    )
    refused(
      'resource: expected "fifo", "lifo" or "priority" as discipline, got',
      md.resource,
      { discipline = "x" }
    )
    refused(
      "resource: expected a boolean as preemptive, got 1",
      md.resource,
      { preemptive = 1 }
    )
    refused("resource: expected a table of options, got 3", md.resource, 3)
    refused(
      "semaphore: expected an integer of at least 0, got nothing;",
      md.semaphore
    )
    story(function()
      local r = md.resource()
      refused(
        "acquire: expected an integer of at least 1 as n, got 0",
        r.acquire,
        r,
        { n = 0 }
      )
      refused(
        "acquire: expected an integer as priority, got 'x'",
        r.acquire,
        r,
        { priority = "x" }
      )
      refused(
        "acquire: expected a table of options, got 2; r:acquire{",
        r.acquire,
        r,
        2
      )
      refused("acquire: expected a duration", r.acquire, r, { timeout = -1 })
      refused("acquire: expected a resource", r.acquire)
      refused(
        "set_capacity: expected an integer of at least 0, got 1.5",
        r.set_capacity,
        r,
        1.5
      )
      refused(
        "release: expected a unit, got nothing; unit:release%(%)",
        r:acquire().release
      )
    end)
    refused("acquire blocks, and only a process can", function()
      md.resource():acquire()
    end)
    local other = md.sim():resource()
    story(function()
      refused(
        "acquire: the process belongs to another sim",
        other.acquire,
        other
      )
    end)
  end)
end)
