-- What things tell of themselves: who was served, who gave up, who waits, since
-- the beginning or a reset; and names that are no fields.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("figures_spec.lua:%d+: " .. pattern, err.message)
end

describe("the figures of a resource", function()
  it("count those who gave up apart from those who were served", function()
    story(function()
      local r = md.resource()
      local unit = r:acquire()
      md.spawn(function()
        assert.is_nil((r:acquire { timeout = 2 }))
      end)
      local interrupted = md.spawn(function()
        assert.is_false(pcall(r.acquire, r))
      end)
      md.spawn(function()
        md.await(r:acquiring() | md.timer(6))
      end)
      md.spawn(function()
        r:acquire()
        md.sleep(1)
      end)
      md.sleep(4)
      md.interrupt(interrupted, "now")
      md.sleep(6)
      unit:release()
      md.sleep(5)
      assert.equal(2, r.served)
      assert.equal(5, r.mean_wait)
      assert.equal(10, r.max_wait)
      assert.equal(3, r.reneged)
      assert.equal(4, r.mean_reneged)
      assert.equal(0, r.queue_length)
      assert.equal(4, r.max_queue)
    end)
  end)

  it("count one who gave up what it was granted, and had no turn", function()
    story(function()
      local r = md.resource()
      local unit = r:acquire()
      local pid = md.spawn(function()
        pcall(r.acquire, r)
      end)
      md.sleep(1)
      unit:release()
      md.interrupt(pid, "now")
      md.sleep(1)
      assert.same({ 1, 1, 0 }, { r.served, r.reneged, r.used })
    end)
  end)

  it("account for all who asked", function()
    story(function(_, sim)
      local r, asked = md.resource { capacity = 2 }, 0
      local rng = sim:rng "asks"
      for _ = 1, 300 do
        md.sleep(rng:exponential(1))
        asked = asked + 1
        md.spawn(function()
          local _ <close> = r:acquire { timeout = rng:exponential(2) }
          md.sleep(rng:exponential(2.5))
        end)
      end
      md.yield()
      assert.equal(asked, r.served + r.reneged + r.queue_length)
      assert.is_true(r.reneged > 10)
    end)
  end)

  it("begin anew at a reset, with the state as it is", function()
    story(function()
      local r = md.resource { capacity = 2 }
      local unit = r:acquire { n = 2 }
      md.spawn(r.acquire, r)
      md.sleep(10)
      r:reset()
      assert.same({ 0, 0, 0 }, { r.served, r.reneged, r.preempted })
      assert.same({ 2, 1, 1 }, { r.used, r.queue_length, r.max_queue })
      md.sleep(2)
      unit:release()
      md.sleep(2)
      assert.equal(1, r.served)
      assert.equal(12, r.mean_wait)
      assert.equal(1.0, r.mean_used)
      assert.equal(0.5, r.utilisation)
      assert.equal(0.5, r.mean_queue)
    end)
  end)
end)

describe("the figures of stores and containers", function()
  it("are of gets and of puts", function()
    story(function()
      local s = md.store { capacity = 1, name = "shelf" }
      md.spawn(function()
        s:get()
        s:get(nil, 1)
      end)
      md.sleep(2)
      s:put "a"
      s:put "b"
      md.sleep(2)
      s:put("c", 3)
      s:put("d", 3)
      assert.same({ 2, 0, 3, 1 }, {
        s.served,
        s.reneged,
        s.puts,
        s.puts_reneged,
      })
      assert.same({ "shelf", 1, 2, 1 }, {
        s.name,
        s.mean_wait,
        s.max_wait,
        s.max_level,
      })
      s:reset()
      assert.same({ 0, 0, 1 }, { s.served, s.puts_reneged, s.count })
    end)
    story(function()
      local c = md.container { capacity = 10, level = 5, name = "tank" }
      c:get(5)
      assert.is_nil((c:get(1, 2)))
      c:put(10)
      assert.is_nil((c:put(1, 3)))
      assert.same({ 1, 1, 1, 1 }, {
        c.served,
        c.reneged,
        c.puts,
        c.puts_reneged,
      })
      assert.same({ "tank", 10, 6 }, { c.name, c.max_level, c.mean_level })
      c:reset()
      assert.same({ 0, 10 }, { c.served, c.level })
    end)
  end)
end)

describe("what nobody could be given", function()
  it("is refused at the model's line", function()
    story(function()
      local r = md.resource { capacity = 2 }
      refused("acquire: expected up to 2 units", function()
        r:acquire { n = 3 }
      end)
      refused("acquiring: expected up to 2 units", function()
        r:acquiring { n = 3 }
      end)
      refused("acquire: expected up to 1 unit,", function()
        md.mutex():acquire { n = 2 }
      end)
    end)
  end)

  it("may be waited for where there was or will be as much", function()
    assert.same(
      { "1 3 of 3", "3 1 of 1" },
      story(function(say)
        local r = md.resource { capacity = 2, grows = true }
        md.after(1, r.set_capacity, r, 3)
        local unit = r:acquire { n = 3 }
        say(r.used, "of", r.capacity)
        unit:release()
        local night = md.resource { capacity = 0 }
        md.after(2, night.set_capacity, night, 1)
        night:acquire()
        say(night.used, "of", night.capacity)
        local shrunk = md.resource { capacity = 2 }
        shrunk:set_capacity(1)
        md.spawn(shrunk.acquiring, shrunk, { n = 2 })
      end)
    )
  end)
end)

describe("a name that is no field", function()
  it("is refused, with the nearest", function()
    story(function()
      local things = {
        [md.resource()] = { "resource", "queue_lenght", "queue_length" },
        [md.store()] = { "store", "mean_levle", "mean_level" },
        [md.container()] = { "container", "levle", "level" },
        [md.event()] = { "event", "trigered", "triggered" },
        [md.flag()] = { "flag", "vlaue", "value" },
        [md.barrier(1)] = { "barrier", "arived", "arrived" },
        [md.condition()] = { "condition", "notfy", "notify" },
        [md.resource():acquire()] = { "unit", "relaese", "release" },
      }
      for thing, words in pairs(things) do
        local said = "%s: there is no '%s'; did you mean '%s'"
        refused(said:format(table.unpack(words)), function()
          return thing[words[2]]
        end)
      end
      refused("resource: there is no field 1", function()
        return md.resource()[1]
      end)
      refused("timer: there is no 'triggerd'", function()
        return md.timer(1).triggerd
      end)
    end)
  end)

  it("is not what a field is that has no value yet", function()
    local e = md.event()
    assert.is_nil(e.value)
    assert.is_nil(e.ok)
    assert.is_nil(md.resource().name)
  end)
end)

describe("an error about a thing", function()
  it("says what it is", function()
    story(function()
      refused("sleep: .* got a resource", md.sleep, md.resource())
      refused("sleep: .* got an event", md.sleep, md.event())
      refused("sleep: .* got a unit", md.sleep, md.mutex():acquire())
      refused("sleep: .* got something to await", md.sleep, md.receiving "x")
      refused("sleep: .* got several things", md.sleep, md.all {})
      refused("sleep: .* got a file", md.sleep, io.stdout)
      refused("release: .* got a store", function()
        md.mutex():acquire().release(md.store())
      end)
    end)
  end)
end)
