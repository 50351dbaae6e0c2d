-- The ring of the trace forgot what did not fit, without a word.
local support = require "spec.host.support"

describe("--trace", function()
  it("says how many records of an event it leaves out", function()
    local got = support.run(
      [[
local md = require "moondial"
md.spawn(function()
  for i = 1, 40000 do md.send(md.self(), i) end
end)
]],
      { options = "--trace -" }
    )
    assert.equal(0, got.status)
    assert.matches("^%d+ records of one event are left out\n", got.out)
  end)
end)
