-- What the specs of md.stats share.
local assert = require "luassert"
local md = require "moondial"

local m = {}

--- near(expected, got, bound): off by no more than the bound, relatively.
function m.near(expected, got, bound)
  local off = math.abs(got - expected)
  if off > bound * math.abs(expected) then
    local text = "expected %.17g, got %.17g, off by %.3g"
    error(text:format(expected, got, off / math.abs(expected)), 2)
  end
end

--- refuses(text, fn): fn raises usage with that text, at a line of the spec.
function m.refuses(expected, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  local file = debug.getinfo(fn, "S").short_src
  assert.equal(file, (err.message:match "^(.-):%d+: "))
  assert.equal(expected, (err.message:gsub("^.-:%d+: ", "")))
end

--- stream(name) -> numbers that are the same in every run
function m.stream(name)
  return md.sim({ seed = 1 }):rng(name)
end

m.not_a_number = "add: expected a finite number, got nan; nan often comes from "
  .. "0/0, and no figure could be told after it"
m.infinite = "add: expected a finite number, got inf; all that is told after "
  .. "it would be infinite, so leave it out"

return m
