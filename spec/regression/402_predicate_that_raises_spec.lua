-- A predicate that raised at once took those who waited out of the line; one
-- that raised later did so in who put something in, and the store served nobody
-- from then on.
local md = require "moondial"
local story = require("spec.host.support").story

local function field(x)
  return x.field
end

describe("a predicate that raises", function()
  it("leaves those in line who wait already", function()
    assert.same(
      { "0 false", "1 tea" },
      story(function(say)
        local s = md.store()
        md.spawn(function()
          say(s:get(function(x)
            return x == "tea"
          end))
        end)
        md.yield()
        s:put(1)
        say((pcall(s.get, s, field)))
        md.sleep(1)
        s:put "tea"
      end)
    )
  end)

  it("does so in its own process, alone or in an any", function()
    for _, how in ipairs { "get", "await" } do
      local told = story(function(say)
        local s = md.store()
        local function get()
          if how == "get" then
            return s:get(field)
          end
          return md.await(md.timer(9) | s:getting(field))
        end
        md.spawn({ name = "picky" }, function()
          say(pcall(get))
        end)
        md.sleep(1)
        say(s:put(7), s.count)
        md.sleep(1)
        say(s:get())
      end)
      assert.equal("1 true 1", told[1])
      assert.matches("^1 false .*attempt to index a number value", told[2])
      assert.equal("2 7", told[3])
    end
  end)

  it("does so in who waits for a condition, not in who notifies", function()
    local told = story(function(say)
      local c, x = md.condition(), {}
      md.spawn(function()
        say(pcall(c.wait, c, function()
          return x.y.z and x.field
        end))
      end)
      md.spawn(function()
        say("second", c:wait())
      end)
      x.y = { z = false }
      md.sleep(1)
      x.y = 1
      say(c:notify())
    end)
    assert.same({ "1 1", "1 second true" }, { told[1], told[3] })
    assert.matches("^1 false .*attempt to index a number", told[2])
  end)

  it("is who waits for md.self()", function()
    story(function()
      local s = md.store()
      local pid, seen
      pid = md.spawn(function()
        s:get(function()
          seen = md.self()
          return true
        end)
      end)
      md.sleep(1)
      s:put(1)
      assert.equal(pid, seen)
    end)
  end)
end)
