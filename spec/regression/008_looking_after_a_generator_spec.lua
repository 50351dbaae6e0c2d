-- md.info of a process that runs looked at the coroutine in which it had last
-- waited, though that one might have been collected since.
local md = require "moondial"

describe("info of the process that runs", function()
  it("does not look at a generator that is gone", function()
    local sim, where = md.sim(), nil
    sim:at(0.5, function() end)
    sim:spawn(function()
      coroutine.wrap(function()
        local big = {}
        for i = 1, 100 do
          big[i] = i
        end
        md.sleep(1)
        return #big
      end)()
      collectgarbage()
      local filler = {}
      for i = 1, 1000 do
        filler[i] = ("x"):rep(i)
      end
      where = md.info(md.self()).where
      assert.equal(1000, #filler)
    end)
    assert.equal("done", (sim:run()))
    assert.matches("008_looking_after_a_generator_spec.lua:%d+", where)
  end)
end)
