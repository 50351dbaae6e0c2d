-- An item that came back to an empty store took the place of its order; two
-- that came back changed places; and the room that an item needed to come back
-- to was given away meanwhile.
local md = require "moondial"
local story = require("spec.host.support").story

local orders = {
  fifo = "fifo",
  priority = "priority",
  by = function(a, b)
    return a < b
  end,
}

describe("what comes back to where it was taken from", function()
  for name, order in pairs(orders) do
    it("has its place, whoever gives up first: " .. name, function()
      for first = 1, 2 do
        local told = story(function(say)
          local s = md.store { order = order }
          local pids = { md.spawn(s.get, s), md.spawn(s.get, s) }
          md.sleep(1)
          for i = 1, 3 do
            s:put(i)
          end
          md.kill(pids[first])
          md.kill(pids[3 - first])
          md.sleep(1)
          s:put(4)
          say(s:get(), s:get(), s:get(), s:get())
        end)
        assert.same({ "2 1 2 3 4" }, told)
      end
    end)
  end

  it("finds room in a store", function()
    local told = story(function(say)
      local s = md.store { capacity = 1 }
      local first = md.spawn(s.get, s)
      md.yield()
      md.spawn(function()
        md.kill(first)
        say("killed", s.count, s.putting_length)
      end)
      md.spawn(function()
        s:put "second"
        say("put", s.count)
      end)
      s:put "first"
      md.sleep(1)
      say(s.count, s:get())
    end)
    assert.same({ "0 killed 1 0", "1 1 first", "1 put 1" }, told)
  end)

  it("finds room in a container", function()
    local told = story(function(say)
      local c = md.container { capacity = 1 }
      local first = md.spawn(c.get, c, 1)
      md.yield()
      md.spawn(function()
        md.kill(first)
        say("killed", c.level, c.putting_length)
      end)
      md.spawn(function()
        c:put(1)
        say("put", c.level)
      end)
      c:put(1)
      md.sleep(1)
      say(c.level, c:get(1))
    end)
    assert.same({ "0 killed 1 0", "1 1 1", "1 put 1" }, told)
  end)
end)
