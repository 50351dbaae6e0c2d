-- A predicate may look at a process while its place in line is being given up:
-- there was no place any more where its description was looked for.
local md = require "moondial"

describe("a place that is being given up", function()
  it("is none any more to who asks then what its process waits for", function()
    local sim = md.sim {}
    local store = sim:store { capacity = 1 }
    local seen, armed = {}, false
    sim:spawn(store.put, store, "x")
    local first = sim:spawn(function()
      store:get(function()
        return false
      end)
    end)
    sim:spawn(function()
      store:get(function()
        if armed then
          seen[#seen + 1] = md.info(first).waiting
        end
        return false
      end)
    end)
    sim:spawn(function()
      md.sleep(1)
      armed = true
      md.kill(first)
    end)
    sim:run()
    assert.same({ "what it gives up" }, seen)
  end)
end)
