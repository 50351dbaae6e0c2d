-- The order of what is due at one time: ties, priorities, instants without
-- end.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

-- The order in which n processes spawned at once have their turns.
local function turns(options, n)
  local order = {}
  local sim = md.sim(options)
  for i = 1, n do
    sim:spawn({ at = 1 }, function()
      order[#order + 1] = i
    end)
  end
  sim:run()
  return order
end

describe("equal times", function()
  it("go in the order of scheduling by default (1.8, 2.8)", function()
    local expected = {}
    for i = 1, 500 do
      expected[i] = i
    end
    assert.same(expected, turns({}, 500))
    assert.same(expected, turns({ order = "fifo" }, 500))
  end)

  it("go last first with lifo (3.10)", function()
    local expected = {}
    for i = 1, 500 do
      expected[i] = 501 - i
    end
    assert.same(expected, turns({ order = "lifo" }, 500))
  end)

  it("go in an order of the seed's with random (3.10, 3.12)", function()
    local function random(seed)
      return turns({ order = "random", seed = seed }, 50)
    end
    local one, two = random(1), random(2)
    assert.same(one, random(1))
    assert.are_not.same(one, two)
    for _, order in ipairs { one, two } do
      local seen = {}
      for _, i in ipairs(order) do
        seen[i] = true
      end
      assert.equal(50, #seen)
    end
  end)

  it("with random take every order of three in time (3.12)", function()
    local seen, kinds = {}, 0
    for seed = 1, 200 do
      local order = table.concat(turns({ order = "random", seed = seed }, 3))
      if not seen[order] then
        seen[order] = true
        kinds = kinds + 1
      end
    end
    assert.equal(6, kinds)
  end)

  it("never let a random tie reorder times", function()
    local last = 0
    local sim = md.sim { order = "random", seed = 3 }
    for i = 1, 1000 do
      sim:at(i % 10, function()
        assert.is_true(sim:now() >= last)
        last = sim:now()
      end)
    end
    sim:run()
    assert.equal(9, last)
  end)
end)

describe("a process just spawned", function()
  local function spawning(order)
    return story({ order = order }, function(say)
      md.spawn(say, "older")
      md.spawn(function()
        say "maker"
        md.spawn(say, "child")
        say "still maker"
        md.sleep(0)
        say "maker again"
      end)
      md.spawn(say, "younger")
    end)
  end

  it(
    "comes after what is due with fifo; spawn returns at once (3.11, 2.10)",
    function()
      assert.same({
        "0 older",
        "0 maker",
        "0 still maker",
        "0 younger",
        "0 child",
        "0 maker again",
      }, spawning "fifo")
    end
  )

  it("comes next with lifo, once its maker blocks", function()
    assert.same({
      "0 younger",
      "0 maker",
      "0 still maker",
      "0 maker again",
      "0 child",
      "0 older",
    }, spawning "lifo")
  end)

  it("runs none of its body before its maker blocks (1.4)", function()
    for _, order in ipairs { "fifo", "lifo", "random" } do
      story({ order = order }, function()
        local ran = false
        local p = md.spawn(function()
          ran = true
        end)
        assert.is_false(ran)
        md.join(p)
        assert.is_true(ran)
      end)
    end
  end)
end)

describe("yield", function()
  it("lets all that is due go first, in turn (3.11)", function()
    assert.same(
      { "0 b", "0 c", "0 a", "0 b again", "0 a again" },
      story(function(say)
        md.spawn(function()
          say "b"
          md.yield()
          say "b again"
        end)
        md.spawn(say, "c")
        md.yield()
        say "a"
        md.yield()
        say "a again"
      end)
    )
  end)

  it("comes back at once with lifo", function()
    assert.same(
      { "0 a", "0 b" },
      story({ order = "lifo" }, function(say)
        md.spawn(say, "b")
        md.yield()
        say "a"
      end)
    )
  end)

  it("alone does not end, but returns", function()
    assert.same(
      { "0 back" },
      story(function(say)
        for _ = 1, 1000 do
          md.yield()
        end
        say "back"
      end)
    )
  end)
end)

describe("a priority", function()
  it("puts lower numbers first among equal times", function()
    assert.same(
      { "1 -5", "1 first 0", "1 second 0", "1 3", "1 7" },
      story(function(say)
        for _, priority in ipairs { 7, -5, 3 } do
          md.spawn({ at = 1, priority = priority }, say, priority)
        end
        md.spawn({ at = 1 }, say, "first 0")
        md.spawn({ at = 1, priority = 0 }, say, "second 0")
      end)
    )
  end)

  it("never overrules time", function()
    assert.same(
      { "1 late", "2 urgent" },
      story(function(say)
        md.spawn({ at = 2, priority = math.mininteger }, say, "urgent")
        md.spawn({ at = 1, priority = math.maxinteger }, say, "late")
      end)
    )
  end)

  it("holds for each later wake-up as well", function()
    assert.same(
      { "1 hi", "1 lo", "2 hi", "2 lo" },
      story(function(say)
        for _, p in ipairs { { "lo", 2 }, { "hi", 1 } } do
          md.spawn({ priority = p[2] }, function()
            md.sleep(1)
            say(p[1])
            md.sleep(1)
            say(p[1])
          end)
        end
      end)
    )
  end)

  it("made in the middle of an instant keeps the order of others", function()
    assert.same(
      { "1 a", "1 urgent", "1 b", "1 c", "1 last" },
      story(function(say)
        md.at(1, function()
          say "a"
          md.spawn({ priority = -1 }, say, "urgent")
          md.spawn({ priority = 1 }, say, "last")
        end)
        md.at(1, say, "b")
        md.at(1, say, "c")
      end)
    )
  end)
end)

describe("an instant without end", function()
  it("ends the run with an error that names the busiest (0.12)", function()
    for _, order in ipairs { "fifo", "lifo", "random" } do
      local sim = md.sim { zeno = 5000, order = order }
      sim:spawn({ name = "idler" }, md.sleep, 100)
      sim:spawn({ name = "ping" }, function()
        md.sleep(2)
        while true do
          md.yield()
        end
      end)
      local ok, err = pcall(sim.run, sim)
      assert.is_false(ok)
      assert.matches("too many events at the time 2", tostring(err))
      assert.matches("'ping' %(%d+%)", tostring(err))
      assert.is_nil(tostring(err):find("idler", 1, true))
      assert.equal(2, sim:now())
    end
  end)

  it("counts the events of one time only, and all kinds", function()
    local sim = md.sim { zeno = 100 }
    sim:spawn(function()
      for _ = 1, 1000 do
        for _ = 1, 50 do
          md.yield()
        end
        md.sleep(1)
      end
    end)
    assert.equal("done", (sim:run()))
    sim = md.sim { zeno = 100 }
    local function again()
      sim:after(0, again)
    end
    sim:after(1, again)
    assert.is_false(pcall(sim.run, sim))
  end)

  it("may have any number of events without a bound", function()
    for _, zeno in ipairs { false, math.huge } do
      local sim = md.sim { zeno = zeno }
      sim:spawn(function()
        for _ = 1, 1100000 do
          md.yield()
        end
      end)
      assert.equal("done", (sim:run()))
    end
  end)
end)
