-- await, any and all: several things at once, nested, and what becomes of those
-- that lose.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("await_spec.lua:%d+: " .. pattern, err.message)
end

describe("any (1.11)", function()
  it("gives the winner's index and values", function()
    assert.same(
      { "1 2 b 2" },
      story(function(say)
        say(md.await(md.any { md.timer(2, "a", 1), md.timer(1, "b", 2) }))
      end)
    )
  end)

  it("takes the first of the list among those that are over", function()
    assert.same(
      { "0 2 y" },
      story(function(say)
        local x, y, z = md.event(), md.event(), md.event()
        z:succeed "z"
        y:succeed "y"
        say(md.await(md.any { x, y, z }))
      end)
    )
  end)

  it("gives back what a loser took, and its place", function()
    assert.same(
      { "1 2 nil", "1 0 0", "1 tea" },
      story(function(say)
        local s, r = md.store(), md.mutex()
        local unit = r:acquire()
        md.spawn(function()
          say(md.await(md.any { s:getting(), md.timer(1), r:acquiring() }), nil)
          say(s.getting_length, r.queue_length)
          unit:release()
          s:put "tea"
          say(s:get())
        end)
        md.sleep(2)
      end)
    )
  end)

  it("loses nothing of ten messages against ten limits (1.11)", function()
    story(function()
      local s, got = md.store(), {}
      md.spawn(function()
        while #got < 10 do
          local which, item = md.await(s:getting() | md.timer(1))
          if which == 1 then
            got[#got + 1] = item
          end
        end
      end)
      for i = 1, 10 do
        md.sleep(1)
        s:put(i)
      end
      md.sleep(2)
      assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, got)
    end)
  end)

  it("raises what fails first in it", function()
    assert.same(
      { "1 false broken", "1 0" },
      story(function(say)
        local e, s = md.event(), md.store()
        md.after(1, e.fail, e, "broken")
        say(pcall(md.await, e | s:getting() | md.timer(3)))
        say(s.getting_length)
      end)
    )
  end)
end)

describe("all (1.11)", function()
  it("gives a list of the first values, when the last is over", function()
    assert.same(
      { "3 a b nil c" },
      story(function(say)
        local e = md.event():succeed()
        local list = md.await(md.all {
          md.timer(3, "a", 1),
          md.timer(1, "b"),
          e,
          md.spawn(function()
            md.sleep(2)
            return "c"
          end),
        })
        say(list[1], list[2], list[3], list[4])
      end)
    )
  end)

  it("of nothing is over at once", function()
    assert.same(
      { "0 0", "0 1" },
      story(function(say)
        say(#md.await(md.all {}))
        say((md.await(md.any { md.all {}, md.timer(1) })))
      end)
    )
  end)

  it("raises what fails, and gives back what it had", function()
    assert.same(
      { "1 false broken", "1 0 0" },
      story(function(say)
        local r, e, s = md.mutex(), md.event(), md.store()
        md.after(1, e.fail, e, "broken")
        say(pcall(md.await, r:acquiring() & e & s:getting()))
        say(r.used, s.getting_length)
      end)
    )
  end)

  it("has of the same thing as many as it asks for", function()
    assert.same(
      { "1 1 2 0" },
      story(function(say)
        local s = md.store()
        md.after(1, function()
          md.spawn(function()
            s:put(1)
            s:put(2)
          end)
        end)
        local list = md.await(s:getting() & s:getting())
        say(list[1], list[2], s.count)
      end)
    )
  end)
end)

describe("nested at will (1.11)", function()
  it("gives values at each level", function()
    assert.same(
      { "2 1 2 c", "2 2 2 y" },
      story(function(say)
        local function t(d, x)
          return md.timer(d, x)
        end
        local i, list = md.await((t(2, "b") & t(1, "c")) | t(3))
        say(i, #list, list[2])
        local k, inner, value = md.await(md.any {
          t(1),
          md.any { t(2), t(0, "y") },
        })
        say(k, inner, value)
      end)
    )
  end)

  it("an any in an all gives its index", function()
    assert.same(
      { "1 2 x" },
      story(function(say)
        local list = md.await((md.timer(9) | md.timer(1)) & md.timer(0, "x"))
        say(list[1], list[2])
      end)
    )
  end)

  it("to a depth of a hundred, and says so beyond", function()
    story(function()
      local x = md.timer(1, "deep")
      for _ = 1, 100 do
        x = md.any { x }
      end
      local results = table.pack(md.await(x))
      assert.equal("deep", results[results.n])
      assert.equal(101, results.n)
      x = md.any { md.any { x } }
      refused("await: things are nested more than 100 deep", md.await, x)
    end)
  end)
end)

describe("functions in any and all (1.11)", function()
  it("are children, and what they return their values", function()
    assert.same(
      { "2 2 b 7", "2 1 2" },
      story(function(say)
        local function after(d, ...)
          local values = table.pack(...)
          return function()
            md.sleep(d)
            return table.unpack(values)
          end
        end
        say(md.await(md.any { after(3, "a"), after(2, "b", 7) }))
        local list = md.await(md.all { after(0, 1), after(0, 2) })
        say(list[1], list[2])
      end)
    )
  end)

  it("that lose are killed, and close their variables", function()
    assert.same(
      { "1 closing", "1 2", "2 closed" },
      story(function(say)
        say((md.await(md.any {
          function()
            local _ <close> = closer(function()
              say "closing"
              md.sleep(1)
              say "closed"
            end)
            md.sleep(5)
            say "never"
          end,
          md.timer(1),
        })))
      end)
    )
  end)

  it("that fail raise there, and end the others", function()
    assert.same(
      { "1 closed", "1 false oh" },
      story(function(say)
        say(pcall(
          md.await,
          md.all {
            function()
              local _ <close> = closer(say, "closed")
              md.sleep(5)
            end,
            function()
              md.sleep(1)
              error("oh", 0)
            end,
          }
        ))
      end)
    )
  end)

  it("end with the await that is interrupted, killed or over", function()
    for _, how in ipairs { "interrupt", "kill", "timeout", "md.timeout" } do
      local told = story(function(say)
        local any = md.all {
          function()
            local _ <close> = closer(say, "closed")
            md.sleep(5)
            say "never"
          end,
          md.timer(9),
        }
        local pid = md.spawn(function()
          if how == "md.timeout" then
            pcall(md.timeout, 1, md.await, any)
          else
            pcall(md.await, any, how == "timeout" and 1 or nil)
          end
        end)
        md.sleep(1)
        if md[how] and how ~= "timeout" then
          md[how](pid)
        end
      end)
      assert.same({ "1 closed" }, told)
    end
  end)
end)

describe("await", function()
  it("of a pid is its end", function()
    assert.same(
      { "1 a b", "1 1 a b", "1 false oh", "2 nil timeout" },
      story(function(say)
        local function f()
          md.sleep(1)
          return "a", "b"
        end
        local pid = md.spawn(f)
        say(md.await(pid))
        say(md.await(md.any { pid }))
        local bad = md.spawn(error, "oh", 0)
        say(pcall(md.await, md.any { bad, md.timer(1) }))
        say(md.await(md.spawn(md.sleep, 5), 1))
      end)
    )
  end)

  it("gives nil and why when the time is over, at that time", function()
    assert.same(
      { "2 nil timeout", "2 nil timeout", "4 nil timeout", "4 0" },
      story(function(say)
        local s = md.store()
        say(md.await(md.event(), 2))
        say(md.await(s:getting(), 0))
        say(md.await(s:getting() & md.timer(0), 2))
        say(s.getting_length)
      end)
    )
  end)

  it("may be given the same request twice", function()
    assert.same(
      { "0 1 2" },
      story(function(say)
        local s = md.store()
        local get = s:getting()
        s:put(1)
        s:put(2)
        say(md.await(get), md.await(get))
      end)
    )
  end)

  it("keeps what it waits for, whatever is collected (2.16)", function()
    story(function()
      md.spawn(function()
        for _ = 1, 3 do
          md.sleep(1)
          collectgarbage()
        end
      end)
      local i, item = md.await(md.any {
        md.store():getting(),
        md.all { md.barrier(2):arriving(), md.event() },
        md.timer(3, { 7 }),
      })
      collectgarbage()
      assert.same({ 3, { 7 } }, { i, item })
    end)
  end)

  it("says what it waits for", function()
    local sim = md.sim { name = "x" }
    local r = sim:resource { name = "tills" }
    local function spawn(name, fn)
      sim:spawn({ name = name }, fn)
    end
    spawn("holder", function()
      r:acquire()
      md.await(md.event())
    end)
    spawn("unit", function()
      r:acquire { n = 1 }
    end)
    spawn("item", function()
      md.store():get()
    end)
    spawn("several", function()
      md.await(md.event() | md.flag())
    end)
    spawn("flag", function()
      md.await(md.flag():is(true))
    end)
    spawn("amount", function()
      md.container():get(2)
    end)
    spawn("barrier", function()
      md.barrier(2):arrive()
    end)
    spawn("condition", function()
      md.condition():wait()
    end)
    assert.equal("idle", (sim:run()))
    local texts = {}
    for i, p in ipairs(sim:waiting()) do
      texts[i] = p.name .. ": " .. p.waiting
    end
    assert.same({
      "'holder': an event",
      "'unit': 1 unit of 'tills' (1 of 1 used)",
      "'item': an item of a store, which has 0",
      "'several': an event, or a change of a flag",
      "'flag': a flag to be set",
      "'amount': 2.0 of a container, which has 0.0",
      "'barrier': a barrier, where 1 of 2 are",
      "'condition': a condition to be notified",
    }, texts)
  end)

  it("says all that it waits for, and what has a name by that", function()
    local sim = md.sim()
    local shelf = sim:store { name = "shelf" }
    local tank = sim:container { name = "tank" }
    local clerk = sim:resource { name = "clerk" }
    local e = sim:event()
    local waits = {
      { shelf:getting() | e, "an item of 'shelf', which has 0, or an event" },
      {
        md.all { clerk:acquiring(), tank:getting(2), e },
        "2.0 of 'tank', which has 0.0, and an event", -- it has the clerk
      },
      {
        md.any { md.all { e, clerk:acquiring() }, e },
        "(an event, and 1 unit of 'clerk' (1 of 1 used)), or an event",
      },
      {
        md.any { e, e, e, e, e },
        "an event, or an event, or an event, or an event, or more",
      },
    }
    local pids = {}
    for i, case in ipairs(waits) do
      pids[i] = sim:spawn(md.await, case[1])
    end
    sim:run()
    for i, case in ipairs(waits) do
      assert.equal(case[2], sim:info(pids[i]).waiting)
    end
  end)

  it("refuses what cannot be awaited", function()
    local expected =
      "expected something to wait for %(an event, timer, flag, pid, any, all, "
    story(function()
      refused("await: " .. expected .. ".*got 7$", md.await, 7)
      refused("await: " .. expected, md.await, print)
      refused("any: " .. expected .. ".*got 'x'$", md.any, { md.event(), "x" })
      refused("all: " .. expected, md.all, { md.store() })
      refused(
        "any: expected a list of things to wait for, which is not empty",
        md.any,
        {}
      )
      refused(
        "all: expected a list of things to wait for, got nil; md.all{a, b}",
        md.all
      )
      refused(
        "await: expected a duration, a number of at least 0",
        md.await,
        md.event(),
        -1
      )
      refused("|: " .. expected, function()
        return md.event() | 1
      end)
    end)
  end)

  it("refuses another sim's things, and to block outside", function()
    local other = md.sim()
    story(function()
      local belongs = "await: what is awaited belongs to another sim"
      refused(belongs, md.await, other:event())
      refused(belongs, md.await, md.any { other:event() })
    end)
    refused(
      "await blocks, and only a process can; put it into one",
      md.await,
      md.event()
    )
    refused("acquire blocks, and only a process can", function()
      md.mutex():acquire()
    end)
  end)
end)
