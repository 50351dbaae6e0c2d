-- A join whose end, time limit, interrupt and kill come at one time.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

-- What happens to a joiner at the time 1, in every order of three: the end it
-- waits for, its own limit, and `third`. It sleeps after that.
local function at_once(order, third)
  local outcome
  story(function(_, sim)
    local p, joiner
    local makers = {
      ["end"] = function()
        p = md.spawn(function()
          md.sleep(1)
          return "end"
        end)
        md.sleep(0) -- its event of the time 1 is made now
      end,
      limit = function()
        joiner = md.spawn(function()
          while not p do
            md.sleep(0)
          end
          outcome = table.pack(pcall(md.join, p, 1))
          outcome.slept = pcall(md.sleep, 10)
          assert.equal(outcome.slept and 11 or 1, md.now())
        end)
        md.sleep(0)
      end,
      third = function()
        sim:at(1, function()
          third(joiner)
        end)
      end,
    }
    for _, name in ipairs(order) do
      makers[name]()
    end
  end)
  return outcome
end

describe("at equal times", function()
  it("the end goes before a limit that was set later", function()
    local got = at_once({ "end", "limit" })
    assert.same({ true, "end", n = 2, slept = true }, got)
  end)

  it("a limit goes before an end that was made later", function()
    local told = story(function(say)
      local p = md.spawn(function()
        md.sleep(0.5)
        md.sleep(0.5)
        return "end"
      end)
      say(md.join(p, 1))
      md.sleep(10)
      say(md.join(p))
    end)
    assert.same({ "1 nil timeout", "11 end" }, told)
  end)

  it("an interrupt meets the join, or the sleep after its limit", function()
    local function interrupt(joiner)
      md.interrupt(joiner, "c")
    end
    for _, order in ipairs {
      { "end", "limit", "third" },
      { "end", "third", "limit" },
      { "third", "end", "limit" },
      { "limit", "third", "end" },
    } do
      local got = at_once(order, interrupt)
      assert.is_false(got[1])
      assert.equal("c", got[2].cause)
      assert.is_true(got.slept)
    end
    assert.same(
      { true, nil, "timeout", n = 3, slept = false },
      at_once({ "limit", "end", "third" }, interrupt)
    )
  end)

  it("a killed joiner is told nothing more, and the joined is free", function()
    for _, order in ipairs {
      { "end", "limit", "third" },
      { "end", "third", "limit" },
      { "third", "end", "limit" },
      { "limit", "third", "end" },
    } do
      assert.is_nil(at_once(order, function(joiner)
        assert.is_true(md.kill(joiner))
      end))
    end
  end)
end)
