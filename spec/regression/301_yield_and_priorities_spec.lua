-- yield let only those of the same or a more urgent priority go first, where
-- the contract says every other process that is due.
local md = require "moondial"

local function order_of(order)
  local s, said = md.sim { order = order, seed = 1 }, {}
  s:spawn({ priority = -1 }, function()
    md.sleep(1)
    said[#said + 1] = "urgent"
    md.yield()
    said[#said + 1] = "urgent again"
  end)
  for i = 1, 2 do
    s:spawn({ priority = i }, function()
      md.sleep(1)
      said[#said + 1] = "priority " .. i
    end)
  end
  s:run()
  return said
end

describe("yield", function()
  it("lets the less urgent that are due go first", function()
    assert.same(
      { "urgent", "priority 1", "priority 2", "urgent again" },
      order_of "fifo"
    )
    assert.equal("urgent again", order_of("random")[4])
  end)

  it("comes back at once under lifo", function()
    assert.same(
      { "urgent", "urgent again", "priority 1", "priority 2" },
      order_of "lifo"
    )
  end)
end)
