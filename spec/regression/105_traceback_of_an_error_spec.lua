-- The report of an uncaught error lost the traceback, and called the error of
-- a run that cannot go on a callback's.
local run = require("spec.host.support").run

describe("the report of an uncaught error", function()
  it("has the model's frames, whatever the error is", function()
    for _, raise in ipairs {
      "error 'text'",
      "error {}",
      "md.sleep 'x'",
      "error(setmetatable({}, {__name = 'mine', __index = error}))",
    } do
      local got = run(([[
local md = require "moondial"
local function inner() %s end
md.spawn(function() inner() end)
]]):format(raise))
      assert.matches(
        "\nstack traceback:\n\tmodel.lua:2: [^\n]*\n" .. "\tmodel.lua:3: ",
        got.err
      )
    end
  end)

  it("names no callback when there is none", function()
    local got = run [[
local md = require "moondial"
md.spawn(function() while true do md.yield() end end)
]]
    assert.is_nil(got.err:find "in a callback")
  end)
end)
