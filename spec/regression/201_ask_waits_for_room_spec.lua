-- A question that waits for room in the server's inbox may be answered before
-- its asker has heard that there was room: the answer was taken for a late one
-- and dropped, and the asker waited for ever.
local md = require "moondial"

local function server()
  while true do
    local from, ref, n = md.wait "square"
    md.reply(from, ref, n * n)
  end
end

describe("an ask to a full inbox", function()
  it("gets the answer that comes in the instant there is room", function()
    local sim, answers = md.sim {}, {}
    local pid = sim:spawn({ inbox = 1 }, server)
    for n = 1, 4 do
      sim:spawn(function()
        answers[n] = md.ask(pid, "square", n)
      end)
    end
    sim:run()
    assert.same({ 1, 4, 9, 16 }, answers)
    assert.equal(1, #sim:waiting()) -- the server
  end)

  it("leaves no answer behind when it is interrupted", function()
    local sim, left = md.sim {}, nil
    local pid = sim:spawn({ inbox = 1 }, server)
    local asker
    sim:spawn(md.ask, pid, "square", 1)
    sim:spawn(md.ask, pid, "square", 2)
    asker = sim:spawn(function()
      local ok, problem = pcall(md.ask, pid, "square", 3)
      assert(not ok and problem.kind == "interrupt")
      left = md.inbox()
    end)
    -- after the server has answered, before the asker has its turn
    sim:at(0, function()
      sim:at(0, md.interrupt, asker, "enough")
    end)
    sim:run()
    assert.equal(0, left)
  end)
end)
