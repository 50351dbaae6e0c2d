-- What was none of what is asked for was taken without a word: 0 and "false" as
-- a flag's value were true, the priority nan put a store into disorder, and an
-- option that nobody reads was lost.
local md = require "moondial"

local function refused(text, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches(text, err.message, 1, true)
end

describe("a flag", function()
  it("is true or false, and nothing else", function()
    local open = md.flag()
    refused("flag: expected true or false, got 0", md.flag, 0)
    refused("set: expected true or false, got 'false'", open.set, open, "false")
    refused("is: expected true or false, got 1", open.is, open, 1)
    assert.is_false(open.value)
    assert.is_true(open:set().value)
    assert.is_false(open:set(false).value)
  end)
end)

describe("a store by priority", function()
  it("refuses nan", function()
    local s = md.store { order = "priority" }
    local said
    md.spawn(function()
      said = { pcall(s.put, s, { priority = 0 / 0 }) }
    end)
    md.run()
    assert.is_false(said[1])
    assert.matches("a number as field priority; got nan", said[2].message)
    assert.equal(0, #s.items)
  end)
end)

describe("a container", function()
  it("does not call an infinite amount too small", function()
    local c = md.container()
    refused("putting: expected a finite amount above 0, got inf", function()
      c:putting(math.huge)
    end)
  end)
end)

describe("options that nobody reads", function()
  it("are refused", function()
    local r = md.resource()
    local late = { timeout = 2 }
    refused("give it to what does: md.await(r:acquiring(), 5)", function()
      return r:acquiring(late)
    end)
    refused("mutex: it has no options, got a table", md.mutex, { name = "m" })
    refused('md.resource{capacity = n, name = "m"}', md.semaphore, 2, {})
    refused("tally: expected nothing, got a table", md.stats.tally, {})
  end)
end)
