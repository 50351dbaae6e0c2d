-- A closer of a killed process never got the reply that it asked for.
local md = require "moondial"

describe("a closer of a killed process", function()
  it("gets the reply that it asks for, and no other message", function()
    local sim, answer, left = md.sim(), nil, nil
    local server = sim:spawn(function()
      local from, ref = md.wait "bye"
      md.sleep(1)
      md.send(from, "noise")
      md.reply(from, ref, "good bye")
    end)
    local pid = sim:spawn(function()
      local _ <close> = setmetatable({}, {
        __close = function()
          answer = md.ask(server, "bye")
          left = md.inbox()
        end,
      })
      md.sleep(50)
    end)
    sim:at(1, md.kill, pid)
    assert.same({ "done", 2.0 }, { sim:run() })
    assert.equal("good bye", answer)
    assert.equal(0, left)
  end)
end)
