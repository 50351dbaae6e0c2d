-- The end of a warm-up: what a sim has kept of itself begins anew.
local argument = require "moondial.argument"
local core = require "moondial.core"
local inside = require "moondial.inside"

local m = {}

local kept = { ["md.resource"] = true, ["md.store"] = true }
kept["md.container"] = true

-- The objects of md.stats among the values, which are `all` or nothing.
local function resettable(values)
  local list = {}
  for name, value in pairs(values) do
    local meta = getmetatable(value)
    local is = type(meta) == "table" and meta.resets
    local what = "a tally or another object of md.stats as " .. tostring(name)
    argument.expect("reset_statistics", is, what, value)
    list[#list + 1] = value
  end
  return list
end

--- reset_statistics([values])
--- All that resources, stores, containers and inboxes have kept of themselves
--- is forgotten, as at the end of a warm-up: means over time begin now, and
--- counts at 0. What they hold stays, and a wait that has begun counts whole
--- when it is over. `values` are tallies, levels and others of md.stats that
--- are reset as well, as report takes them; x:reset() resets one of all these
--- alone, but for an inbox. Raises usage for a value that is none of them.
---   local sim = md.sim() sim:after(100, sim.reset_statistics, sim)
function m.reset_statistics(...)
  local sim, values = argument.sim(...)
  sim = sim or core.current()
  if values ~= nil then
    argument.check("reset_statistics", argument.table, values, "values")
    argument.values("reset_statistics", values)
  end
  for _, value in ipairs(resettable(values or {})) do
    value:reset()
  end
  for _, thing in pairs(inside.things(sim)) do
    if kept[getmetatable(thing).__name] then
      thing:reset()
    end
  end
  inside.reset_inboxes(sim)
end

return m
