-- Without memory, join and a spawn raised a text, not an error of the kind
-- "memory".
local run = require("spec.host.support").run

describe("an error for want of memory", function()
  it("is of its kind for spawn, for join and in a generator", function()
    local got = run(
      [[
local md = require "moondial"
local function kind(f, ...)
  local ok, err = pcall(f, ...)
  return not ok and type(err) == "table" and err.kind
end
local big = function() return string.rep("x", 1 << 24) end
md.spawn(function()
  print(kind(md.join, md.spawn(big)), kind(coroutine.wrap(big)),
    select(2, coroutine.resume(coroutine.create(big))).kind)
end)
md.run()
local sim = md.sim()
print(kind(function() while true do sim:spawn(big) end end))
]],
      { options = "--memory 8M" }
    )
    assert.equal("memory\tmemory\tmemory\nmemory\n", got.out)
  end)
end)
