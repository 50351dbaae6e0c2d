-- Waiting for the end of a process.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

describe("join", function()
  it("returns what the function returned, nils included", function()
    story(function()
      local p = md.spawn(function()
        md.sleep(1)
        return 1, nil, "x", nil
      end)
      local got = table.pack(md.join(p))
      assert.same({ 1, nil, "x", nil, n = 4 }, got)
      assert.equal(1, md.now())
      assert.same(got, table.pack(md.join(p)))
      assert.equal(0, select("#", md.join(md.spawn(function() end))))
    end)
  end)

  it("raises the error unchanged, whatever it is", function()
    local values = {
      "text",
      5,
      false,
      {},
      print,
      setmetatable({}, {
        __tostring = function()
          return "object"
        end,
      }),
    }
    for i = 1, 7 do
      story(function()
        local p = md.spawn(function()
          md.sleep(1)
          error(values[i], 0)
        end)
        for _ = 1, 2 do
          local ok, err = pcall(md.join, p)
          assert.is_false(ok)
          assert.is_true(rawequal(values[i], err))
        end
        assert.equal("failed", md.status(p))
      end)
    end
  end)

  it("works after the end, also in the script", function()
    local sim = md.sim { on_error = "isolate" }
    local good = sim:spawn(function()
      return "result"
    end)
    sim:run()
    assert.equal("result", sim:join(good))
    assert.is_false(pcall(sim.join, sim, sim:spawn(function() end)))
  end)

  it("tells several joiners in the order of their coming", function()
    local told = story(function(say)
      local p = md.spawn(function()
        md.sleep(2)
        return "end"
      end)
      for i = 1, 5 do
        md.spawn(function()
          md.sleep((i % 3) / 10)
          say(i, md.join(p))
        end)
      end
    end)
    assert.same({ "2 3 end", "2 1 end", "2 4 end", "2 2 end", "2 5 end" }, told)
  end)

  it("raises the same error in all of them", function()
    local object, caught = {}, 0
    story(function()
      local p = md.spawn(function()
        md.sleep(2)
        error(object)
      end)
      for _ = 1, 3 do
        md.spawn(function()
          local _, err = pcall(md.join, p)
          assert.equal(object, err)
          caught = caught + 1
        end)
      end
    end)
    assert.equal(3, caught)
  end)

  it("waits for closers as well", function()
    assert.same(
      { "3 joined" },
      story(function(say)
        md.join(md.spawn(function()
          local _ <close> = closer(md.sleep, 2)
          md.sleep(1)
        end))
        say "joined"
      end)
    )
  end)

  it("may be made at the very time of the end", function()
    assert.same(
      { "1 a", "1 b", "1 c" },
      story(function(say)
        local p
        md.at(1, function()
          md.spawn(function()
            say("a", md.join(p))
          end)
        end)
        p = md.spawn(md.sleep, 1)
        md.sleep(1)
        say("b", md.join(p))
        say("c", md.join(p))
      end)
    )
  end)

  it("refuses a process that joins itself", function()
    story(function()
      local ok, err = pcall(md.join, md.self())
      assert.is_false(ok)
      assert.matches("cannot wait for its own end", err.message)
    end)
  end)

  it("chains without end, however many", function()
    story(function()
      local p = md.spawn(function()
        md.sleep(1)
        return 0
      end)
      for _ = 1, 2000 do
        local before = p
        p = md.spawn(function()
          return md.join(before) + 1
        end)
      end
      assert.equal(2000, md.join(p))
    end)
  end)

  it("of one another is a deadlock, which shows who waits", function()
    local sim = md.sim()
    local a, b
    a = sim:spawn({ name = "a" }, function()
      sim:join(b)
    end)
    b = sim:spawn({ name = "b" }, sim.join, sim, a)
    assert.equal("idle", (sim:run()))
    local waiting = sim:waiting()
    assert.equal("the end of 'b'", waiting[1].waiting)
    assert.equal("the end of 'a'", waiting[2].waiting)
  end)
end)

describe("an error that nobody waits for", function()
  it("ends the run, with its value and its time", function()
    local sim, object = md.sim(), {}
    sim:spawn({ name = "faulty", at = 3 }, error, object)
    sim:spawn({ at = 4 }, print, "not yet")
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok)
    assert.equal(object, err)
    assert.equal(3, sim:now())
  end)

  it("ends only its process in a sim that isolates", function()
    local run = support.run [[
      local md = require "moondial"
      local sim = md.sim { on_error = "isolate" }
      local p = sim:spawn({ name = "faulty" }, error, "oops", 0)
      sim:spawn(function()
        md.sleep(1)
        print(md.status(p), pcall(md.join, p))
      end)
      print(sim:run())
    ]]
    assert.equal("failed\tfalse\toops\ndone\t1.0\n", run.out)
    assert.matches("'faulty' failed: oops", run.err)
    assert.equal(0, run.status)
  end)
end)

describe("join with a time limit", function()
  it("returns nil and a word when it is over", function()
    assert.same(
      { "2 nil timeout", "5 result" },
      story(function(say)
        local p = md.spawn(function()
          md.sleep(5)
          return "result"
        end)
        say(md.join(p, 2))
        say(md.join(p, 100))
      end)
    )
  end)

  it("of 0 gives what is due its turn first", function()
    assert.same(
      { "0 nil timeout", "0 7" },
      story(function(say)
        local p = md.spawn(md.sleep, 1)
        local q = md.spawn(function()
          return 7
        end)
        say(md.join(p, 0))
        say(md.join(q, 0))
      end)
    )
  end)

  it("leaves no trace: later sleeps are whole", function()
    assert.same(
      { "1 5", "11 slept" },
      story(function(say)
        local p = md.spawn(function()
          md.sleep(1)
          return 5
        end)
        say(md.join(p, 3))
        md.sleep(10)
        say "slept"
      end)
    )
  end)
end)
