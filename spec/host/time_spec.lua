-- Virtual time: what the clock shows, and how processes let it pass.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function fails(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(pattern, tostring(err))
  return err
end

describe("the clock", function()
  it("begins at 0 as a float, and as an integer at precision 0", function()
    assert.equal("float", math.type(md.sim():now()))
    local sim = md.sim { precision = 0 }
    assert.equal("integer", math.type(sim:now()))
    assert.equal("integer", math.type(select(2, sim:run(7))))
    assert.equal(7, sim:now())
  end)

  it("shows the decimal that was slept, however often (3.5)", function()
    story(function()
      for i = 1, 10 do
        md.sleep(0.1)
        assert.equal(tonumber(("%.1f"):format(i / 10)), md.now())
      end
      assert.equal(1, md.now())
    end)
  end)

  it("makes 4.5 of three sleeps of 1.5 (3.5)", function()
    assert.same(
      { "4.5 awake" },
      story({ precision = 1 }, function(say)
        for _ = 1, 3 do
          md.sleep(1.5)
        end
        say "awake"
      end)
    )
  end)

  it("finds equal what was reached by different sums", function()
    assert.same(
      { "0.3 a", "0.3 b", "0.3 c" },
      story(function(say)
        md.at(0.3, say, "a")
        md.spawn(function()
          md.sleep(0.1)
          md.sleep(0.2)
          say "b"
        end)
        md.sleep(0.2)
        md.sleep(0.1)
        say "c"
      end)
    )
  end)

  it("keeps up to 15 digits of the unit", function()
    assert.same(
      { "1e-15 end" },
      story({ precision = 15 }, function(say)
        md.delay(1)
        say "end"
      end)
    )
    assert.equal(15, (md.sim({ precision = 15 }):precision()))
  end)

  it("is exact far from 0", function()
    story(function()
      md.sleep_until(9000000000)
      md.sleep(0.000000001)
      md.sleep(0.999999999)
      assert.equal(9000000001, md.now())
    end)
    story({ precision = 0 }, function()
      md.sleep_until(math.maxinteger - 1)
      assert.equal(math.maxinteger - 1, md.now())
      md.sleep(1)
      assert.equal(math.maxinteger, md.now())
    end)
  end)

  it("never reads the time of the world (1.1, 2.1)", function()
    story(function()
      md.sleep(100)
      assert.equal(100, os.time())
      assert.equal("00:01:40", os.date("%H:%M:%S"))
    end)
  end)
end)

describe("sleep", function()
  it("rounds to the nearest tick, halves to the even one", function()
    local function slept(...)
      local ends = {}
      for i, d in ipairs { ... } do
        local sim = md.sim { precision = 0 }
        sim:spawn(md.sleep, d)
        ends[i] = select(2, sim:run())
      end
      return ends
    end
    assert.same({ 0, 1, 2, 2, 2, 3 }, slept(0.5, 0.51, 1.5, 2, 2.5, 2.51))
  end)

  it("of 0 lets what is due go first and moves no time", function()
    assert.same(
      { "0 b", "0 a" },
      story(function(say)
        md.spawn(say, "b")
        md.sleep(0)
        say "a"
      end)
    )
  end)

  it("exact raises what is no whole number of ticks (3.8)", function()
    story({ precision = 1 }, function(say)
      md.sleep(0.2, "exact")
      md.sleep(3, "exact")
      assert.equal(3.2, md.now())
      local err = fails("0.25 is not a whole number of ticks", function()
        md.sleep(0.25, "exact")
      end)
      assert.equal("usage", err.kind)
      assert.equal(3.2, md.now())
      assert.equal(0, md.drift())
      say "done"
    end)
  end)

  it("accumulates its rounding as drift (3.6)", function()
    story({ precision = 0 }, function()
      assert.equal(0, md.drift())
      md.sleep(1.25)
      assert.equal(0.25, md.drift())
      md.sleep(1.25)
      assert.equal(0.5, md.drift())
      md.sleep(0.75)
      assert.equal(0.25, md.drift())
      md.delay(3)
      md.sleep_until(10)
      assert.equal(0.25, md.drift())
    end)
  end)

  it("tracked pays the drift back (3.6)", function()
    story({ precision = 0 }, function()
      for turn = 1, 1000 do
        md.sleep(1.3, "tracked")
        assert.is_true(math.abs(md.now() - turn * 1.3) <= 0.5 + 1e-9)
      end
      assert.equal(1300, md.now())
      assert.is_true(math.abs(md.drift()) < 1e-9)
    end)
  end)

  it("tracked pays back what plain sleeps have left", function()
    story({ precision = 0 }, function()
      md.sleep(1.4)
      md.sleep(1.4)
      assert.equal(2, md.now())
      md.sleep(1.4, "tracked")
      assert.equal(4, md.now())
    end)
  end)

  it("keeps a drift of its own for each process (3.6)", function()
    story({ precision = 0 }, function()
      md.sleep(0.4)
      md.join(md.spawn(function()
        assert.equal(0, md.drift())
        md.sleep(0.3)
        assert.equal(0.3, md.drift())
      end))
      assert.equal(0.4, md.drift())
    end)
  end)

  it("refuses another mode, and drift is for processes only", function()
    story(function()
      fails('expected "exact" or "tracked"', md.sleep, 1, "strict")
      fails('expected "exact" or "tracked"', md.sleep, 1, true)
    end)
    fails("only a process has a drift", md.sim().drift, md.sim())
  end)
end)

describe("delay and sleep_until", function()
  it("delay sleeps whole ticks (3.7)", function()
    assert.same(
      { "0.003 up" },
      story({ precision = 3 }, function(say)
        md.delay(3)
        say "up"
      end)
    )
    story(function()
      fails("whole number of ticks", md.delay, 1.5)
      fails("whole number of ticks", md.delay, -1)
      fails("whole number of ticks", md.delay, "1")
      fails("delay", md.delay, math.maxinteger + 0.0)
      md.delay(2.0)
      assert.equal(0.000000002, md.now())
    end)
  end)

  it("sleep_until reaches its time, also the present one (0.17)", function()
    assert.same(
      { "2.5 a", "2.5 b" },
      story(function(say)
        md.sleep_until(2.5)
        say "a"
        md.sleep_until(2.5)
        say "b"
      end)
    )
  end)

  it("sleep_until refuses the past, with the present time (0.17)", function()
    story(function()
      md.sleep(2)
      local err = fails("1.5 is in the past, the time is 2", function()
        md.sleep_until(1.5)
      end)
      assert.matches("^[^\n]*time_spec.lua:%d+: ", err.message)
    end)
  end)
end)
