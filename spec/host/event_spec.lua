-- Events and timers: what happens once, and who waits for it.
local md = require "moondial"
local story = require("spec.host.support").story

local function refused(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches("event_spec.lua:%d+: " .. pattern, err.message)
end

describe("an event", function()
  it(
    "has who awaits it wait, and all go on with its values (1.5, 1.6)",
    function()
      assert.same(
        { "2 1 a b nil", "2 2 a b nil", "2 3 a b nil" },
        story(function(say)
          local e = md.event()
          for i = 1, 3 do
            md.spawn(function()
              say(i, md.await(e))
            end)
          end
          md.sleep(2)
          assert.equal(e, e:succeed("a", "b", nil))
        end)
      )
    end
  )

  it("that has happened gives its values at once (1.7)", function()
    assert.same(
      { "0 7 8", "0 true true 7", "0 1 7 8", "0 7" },
      story(function(say)
        local e = md.event():succeed(7, 8)
        say(md.await(e))
        say(e.triggered, e.ok, e.value)
        say(md.await(md.any { e }))
        say(md.await(md.all { e })[1])
      end)
    )
  end)

  it("may happen without a value", function()
    story(function()
      local e = md.event()
      assert.is_false(e.triggered)
      assert.is_nil(e.ok)
      assert.is_nil(e.value)
      e:succeed()
      assert.equal(0, select("#", md.await(e)))
      assert.is_nil(e.value)
    end)
  end)

  it("that fails raises its error, as it is, now and later", function()
    local err = {}
    story(function()
      local e, seen = md.event(), 0
      for _ = 1, 2 do
        md.spawn(function()
          local ok, what = pcall(md.await, e)
          assert.is_false(ok)
          assert.equal(err, what)
          seen = seen + 1
        end)
      end
      md.sleep(1)
      e:fail(err)
      md.sleep(1)
      assert.equal(2, seen)
      assert.equal(err, select(2, pcall(md.await, e)))
      assert.same({ true, false, err }, { e.triggered, e.ok, e.value })
    end)
  end)

  it("wakes a hundred thousand in their order", function()
    story(function()
      local e, n = md.event(), 0
      for i = 1, 100000 do
        md.spawn(function()
          local one = md.await(e)
          n = n + one
          assert(n == i)
        end)
      end
      md.sleep(1)
      collectgarbage()
      e:succeed(1)
      md.sleep(1)
      assert.equal(100000, n)
    end)
  end)

  it("may be made to happen by a callback, or by the script", function()
    local sim = md.sim()
    local e, got = sim:event(), nil
    sim:spawn(function()
      got = md.await(e)
    end)
    sim:run()
    assert.equal("idle", (sim:run()))
    e:succeed "script"
    assert.equal("done", (sim:run()))
    assert.equal("script", got)
  end)

  it("lives as long as somebody waits for it", function()
    local sim = md.sim()
    local weak = setmetatable({}, { __mode = "v" })
    sim:spawn(function()
      local e = md.event()
      weak[1] = e
      md.after(1, function()
        collectgarbage()
        weak[1]:succeed "kept"
      end)
      assert.equal("kept", md.await(e))
      collectgarbage()
    end)
    assert.equal("done", (sim:run()))
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
  end)

  it("happens once, and says so", function()
    local e = md.event():succeed()
    refused(
      "succeed: the event has succeeded already; an event happens once",
      function()
        e:succeed()
      end
    )
    local f = md.event():fail "x"
    refused("fail: the event has failed already; ", function()
      f:fail "y"
    end)
    refused(
      'fail: expected what is raised in those who wait, got nil; e:fail%("',
      function()
        md.event():fail()
      end
    )
    refused(
      "succeed: expected an event before the arguments, got 1; write x:succeed",
      function()
        e.succeed(1)
      end
    )
  end)
end)

describe("a timer", function()
  it("is an event that succeeds at its time (1.9)", function()
    assert.same(
      { "2.5 tea 1 false", "3 tea true" },
      story(function(say)
        local t, u = md.timer(2.5, "tea", 1), md.timer(3)
        local tea, n = md.await(t)
        say(tea, n, u.triggered)
        md.await(u)
        say(md.await(t), u.triggered)
      end)
    )
  end)

  it("keeps no run from its end when nobody waits", function()
    local _, sim = story(function(say)
      local unused = md.timer(100)
      say(md.await(md.any { md.timer(1), md.timer(50), unused }))
    end)
    assert.equal(1, sim:now())
  end)

  it("may be awaited by several", function()
    assert.same(
      { "1 a", "1 b" },
      story(function(say)
        local t = md.timer(1)
        for _, name in ipairs { "a", "b" } do
          md.spawn(function()
            md.await(t)
            say(name)
          end)
        end
      end)
    )
  end)

  it("refuses what is no duration", function()
    refused("timer: expected a duration, a number of at least 0", md.timer, -1)
    refused("timer: expected a duration", md.timer, "x")
  end)
end)
