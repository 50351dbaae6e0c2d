-- Of two columns of one name the first one's values were lost.
local md = require "moondial"

describe("a recorder with a column twice", function()
  it("is refused", function()
    local ok, err = pcall(md.recorder, "sales", { "n", "price", "n" })
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    assert.matches("column 3 is 'n', as is column 1", err.message, 1, true)
  end)
end)
