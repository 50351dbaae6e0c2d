-- To 'options' of a child came "did you mean 'id'?", and to md.stats.nope
-- "'compare'?": what is far from all names is answered by the names, if few.
local md = require "moondial"

local function refused(text, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  assert.matches(text, err.message, 1, true)
end

describe("a name that is like none", function()
  it("is answered by all", function()
    local all = "'patience'; there are priority, n and timeout"
    refused("acquire: there is no option " .. all, function()
      md.resource():acquire { patience = 3 }
    end)
    refused("there is no 'nope'; there are batch_means, compare,", function()
      return md.stats.nope
    end)
    refused("'patience'; there are name, at, after, priority,", function()
      md.spawn({ patience = 3 }, print)
    end)
    refused("there is no option 'from'; there are start and count", function()
      md.every(1, { from = 3 })
    end)
  end)

  it("is answered by the likest, if it is like one", function()
    refused("did you mean 'start'?", md.every, 1, { strat = 3 })
    refused("did you mean 'start'?", md.every, 1, { start_at = 3 })
    refused("did you mean 'priority'?", md.spawn, { prioirty = 3 }, print)
    refused("did you mean 'exponential'?", function()
      return md.rng("x").expo
    end)
  end)
end)

describe("after in a clause", function()
  it("is sent to its place", function()
    local text = "receive: 'after' is in clause 1; it stands beside them"
    refused(text, md.clauses, { { "x", print, after = { 5 } } })
  end)
end)
