-- md.time: durations with units, and what a unit of time is.
local md = require "moondial"

describe("a duration with a unit", function()
  it("is read in the sim's unit, of which run runs so many (0.13)", function()
    local sim, seen = md.sim { unit = "ms" }, {}
    sim:spawn(function()
      for _, text in ipairs { "1 s", "250us", "1min" } do
        md.sleep(md.time(text))
        seen[#seen + 1] = md.now()
      end
    end)
    sim:run(2000)
    assert.equal(2000, sim:now())
    assert.same({ 1000, 1000.25 }, seen)
    sim:run()
    assert.same({ 1000, 1000.25, 61000.25 }, seen)
  end)

  it("may be several, and blanks do not count", function()
    assert.equal(150, md.time "2min 30s")
    assert.equal(150, md.time " 2 min30 s ")
    assert.equal(0.00025, md.time "250us")
    assert.equal(5400, md.time "1.5h")
    assert.equal(7, md.time(7))
  end)

  it("is refused when it is none, or the sim's unit is none", function()
    local function refused(pattern, fn, ...)
      local ok, err = pcall(fn, ...)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches(pattern, err.message)
    end
    refused("expected numbers with units %(ns, .*got 'soon'", md.time, "soon")
    refused("expected numbers with units %(ns, .*got ' '", md.time, " ")
    refused("got '5 apples'", md.time, "5 apples")
    refused('expected a text such as "250us", got a nil', md.time, nil)
    local sim = md.sim { unit = "epoch" }
    refused("unit 'epoch' is no unit of time", sim.time, sim, "1s")
    assert.equal(3, sim:time(3))
  end)
end)
