-- Sums of fractions that were promised and taken back left a rest, for which a
-- put waited that had room.
local md = require "moondial"
local story = require("spec.host.support").story

describe("a container's room", function()
  it("is whole again when all promises are off", function()
    local told = story(function(say)
      local c = md.container { capacity = 0.6, level = 0.6 }
      local pids = {}
      for i = 1, 3 do
        pids[i] = md.spawn(c.put, c, i / 10)
      end
      md.yield()
      c:get(0.6)
      for i = 1, 3 do
        md.kill(pids[i])
      end
      md.sleep(1)
      say(c:put(0.6, 0), c.level)
    end)
    assert.same({ "1 0.6 0.6" }, told)
  end)

  it("and its amount, too", function()
    local told = story(function(say)
      local c = md.container { capacity = 0.6 }
      local pids = {}
      for i = 1, 3 do
        pids[i] = md.spawn(c.get, c, i / 10)
      end
      md.yield()
      c:put(0.6)
      for i = 3, 1, -1 do
        md.kill(pids[i])
      end
      md.sleep(1)
      say(c:get(0.6, 0), c.level)
    end)
    assert.same({ "1 0.6 0" }, told)
  end)
end)
