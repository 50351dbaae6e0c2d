-- A reply to an ask that was over was dropped when the asker did something
-- else, but handed to its next md.wait() when it waited for any message.
local md = require "moondial"

describe("a late reply", function()
  it("is not given to a wait for any message", function()
    local sim, asked, got = md.sim {}, nil, nil
    local server = sim:spawn(function()
      local from, ref = md.wait "slow"
      md.sleep(2)
      md.reply(from, ref, "late")
    end)
    sim:spawn(function()
      asked = pcall(md.ask_timeout, 1, server, "slow")
      got = table.pack(pcall(md.wait_timeout, 5))
    end)
    assert.equal("done", (sim:run()))
    assert.is_false(asked)
    assert.is_false(got[1])
    assert.equal("timeout", got[2].kind)
  end)

  it("is dropped when an interrupt comes before its asker's turn", function()
    local sim, left = md.sim {}, nil
    local asker
    local server = sim:spawn(function()
      local from, ref = md.wait "now"
      md.reply(from, ref, "answer")
      md.interrupt(asker, "enough")
    end)
    asker = sim:spawn(function()
      assert(not pcall(md.ask, server, "now"))
      left = md.inbox()
    end)
    assert.equal("done", (sim:run()))
    assert.equal(0, left)
  end)
end)
