-- Line plots, as exact text.
local md = require "moondial"
local refuses = require("spec.stats.support").refuses
local plot = md.stats.plot

describe("md.stats.plot", function()
  it("draws a list from left to right", function()
    assert.equal(
      [[
10 ┤      ⣠⠞⠙⠲⢤⣀
   │    ⣠⠞⠁    ⠈⠙⠲⢤⣀
   │  ⣠⠞⠁
 0 ┤⣠⠞⠁
   └────────────────
    1              3]],
      plot({ 0, 10, 5 }, { width = 20, height = 4 })
    )
  end)

  it("draws a flat line, and a single value", function()
    assert.equal(
      [[
  │
3 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
  └─────────────────
   1               2]],
      plot({ 3, 3 }, { width = 20, height = 2 })
    )
    assert.equal(
      [[
  │
3 ┤⡀
  └─────────────────
   1               1]],
      plot({ 3 }, { width = 20, height = 2 })
    )
  end)

  it("is at most as wide as is asked, whatever the numbers", function()
    local list = {}
    for i = 1, 5000 do
      list[i] = i % 97 * -1.23456789e-200
    end
    for _, width in ipairs { 20, 33, 80 } do
      local text = plot(list, { width = width })
      local _, lines = text:gsub("\n", "")
      assert.equal(11, lines)
      for line in text:gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= width, line)
        assert.is_nil(line:find " $")
      end
    end
  end)

  it("is refused at the model's line when the call is wrong", function()
    refuses("plot: expected at least one value, got 0", function()
      plot {}
    end)
    refuses("plot: expected a list of numbers, got 'a'", function()
      plot "a"
    end)
    refuses(
      "plot: expected a finite number as item 3, got nan; nan often comes from "
        .. "0/0, and no figure could be told after it",
      function()
        plot { 1, 2, 0 / 0 }
      end
    )
    refuses(
      "plot: there is no option 'widht'; did you mean 'width'?",
      function()
        plot({ 1 }, { widht = 30 })
      end
    )
    refuses(
      "plot: expected an integer from 20 to 80 as width, got 100",
      function()
        plot({ 1 }, { width = 100 })
      end
    )
  end)
end)
