-- A process that was interrupted at the very time at which it had been handed
-- a reply put it into its inbox, with values that were not in it.
local md = require "moondial"

describe("a reply that meets an interrupt", function()
  it("is dropped as any late reply", function()
    local sim, left = md.sim(), nil
    local server = sim:spawn(function()
      local from, ref = md.wait "get"
      md.sleep(1)
      md.reply(from, ref, 42)
    end)
    local client = sim:spawn(function()
      local ok, err = pcall(md.ask, server, "get")
      assert.is_false(ok)
      assert.equal("interrupt", err.kind)
      left = md.inbox()
    end)
    sim:spawn(function()
      md.sleep(0.5)
      md.sleep(0.5)
      md.interrupt(client)
    end)
    assert.equal("done", (sim:run()))
    assert.equal(0, left)
  end)
end)
