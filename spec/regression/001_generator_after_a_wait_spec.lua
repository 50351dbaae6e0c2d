-- A generator made by coroutine.wrap could not be called again once a wait in
-- it had really blocked: it counted as waiting for ever.
local md = require "moondial"

describe("a generator that has blocked", function()
  it("goes on, fails and ends as any other", function()
    local sim, got = md.sim(), {}
    sim:at(0.5, function() end)
    sim:at(1.5, function() end)
    sim:spawn(function()
      local generator = coroutine.wrap(function()
        for i = 1, 2 do
          md.sleep(1)
          coroutine.yield(i)
        end
        md.sleep(0)
        error("its own", 0)
      end)
      got = { generator(), generator(), pcall(generator) }
    end)
    assert.equal("done", (sim:run()))
    assert.same({ 1, 2, false, "its own" }, got)
  end)
end)
