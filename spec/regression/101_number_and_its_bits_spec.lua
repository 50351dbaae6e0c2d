-- A literal 0.5 took the integer that has the same bits, and NaN took NaN:
-- numbers were compared by their tags.
local md = require "moondial"

describe("a number in a pattern", function()
  it("takes what is equal to it, and nothing else", function()
    local sim, taken = md.sim(), {}
    sim:spawn(function()
      for i, case in ipairs {
        { 0.5, 4602678819172646912 },
        { 0 / 0, 0 / 0 },
        { 2.0, 2 },
      } do
        md.send(md.self(), case[2])
        taken[2 * i - 1] = pcall(md.wait_timeout, 0, case[1])
        md.flush()
        md.send(md.self(), case[2])
        taken[2 * i] = md.receive {
          {
            case[1],
            function()
              return true
            end,
          },
          after = {
            0,
            function()
              return false
            end,
          },
        }
        md.flush()
      end
    end)
    sim:run()
    assert.same({ false, false, false, false, true, true }, taken)
  end)
end)
