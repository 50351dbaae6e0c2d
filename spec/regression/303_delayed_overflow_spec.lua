-- A message sent for later to a full inbox with on_full = "error" ended the
-- whole run: its sender is not there to be told, so it is dropped.
local md = require "moondial"

describe("send_after to a full inbox whose policy is error", function()
  it("drops the message", function()
    local s = md.sim()
    local left
    s:spawn({ name = "full", inbox = 1, on_full = "error" }, function()
      md.sleep(5)
      left = md.inbox()
    end)
    s:spawn(function()
      local full = s:processes()[1]
      md.send(full, 1)
      md.send_after(1, full, 2)
    end)
    assert.same({ "done", 5.0 }, { s:run() })
    assert.equal(1, left)
  end)
end)
