-- md.is.strng was nil, and a process waited for a nil for ever; a function
-- that is not last in a clause was taken for a literal.
local md = require "moondial"

describe("a misspelt pattern", function()
  it("is an error that lists the kinds", function()
    local ok, err = pcall(function()
      return md.is.strng
    end)
    assert.is_false(ok)
    assert.matches(
      "md.is has no 'strng'; there are number, integer",
      err.message
    )
  end)
end)

describe("a clause whose function is not last", function()
  it("is an error", function()
    local ok, err = pcall(md.clauses, { { "a", print, "b" } })
    assert.is_false(ok)
    assert.matches("the function of clause 1 must come last", err.message)
  end)
end)
