-- A missing argument of a distribution was shown as the text that described
-- it: "got 'a positive mean'".
local md = require "moondial"

describe("a missing argument", function()
  it("is nothing", function()
    local rng = md.sim():rng "x"
    for _, call in ipairs { "exponential", "gamma", "poisson", "normal" } do
      local _, err = pcall(rng[call], rng)
      assert.matches("as argument 1, got nothing$", err.message)
    end
  end)
end)
