-- check compared signals and output, and called two runs alike that had
-- recorded different things.
local support = require "spec.host.support"

describe("moondial check", function()
  it("says that the runs record different things", function()
    local got = support.run(
      [[
local md = require "moondial"
md.spawn(function()
  md.log("a", { x = 1 })
  md.log("a", { x = os.getenv("MOONDIAL_CHECK") or "none" })
end)
]],
      { options = "check" }
    )
    assert.equal(1, got.status)
    assert.equal("the runs record different things from record 2 on\n", got.out)
  end)
end)
