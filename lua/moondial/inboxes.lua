-- The inboxes of a sim in its report: those in which something has lain.
local inside = require "moondial.inside"

local m = {}

local MOST <const> = 1000 -- rows of a report: the fullest ones
local SHOWN <const> = 20 -- of them in its text

-- The inboxes of ended processes, by name, and last those of the others.
local function add_ended(rows, ended)
  local names = {}
  for name in pairs(ended) do
    names[#names + 1] = name or nil
  end
  table.sort(names)
  for _, name in ipairs(names) do
    ended[name].name = name
    rows[#rows + 1] = ended[name]
  end
  if ended[false] then
    ended[false].name = "others"
    rows[#rows + 1] = ended[false]
  end
end

--- rows(sim) -> list of tables
--- Those of the living in the order of their slots, then those of the ended;
--- each is known by its name, too. `more` is how many are left out.
function m.rows(sim)
  local rows, all = inside.inboxes(sim, MOST)
  rows.more = all - #rows
  add_ended(rows, inside.ended_inboxes(sim))
  for _, row in ipairs(rows) do
    rows[row.name] = rows[row.name] or row
  end
  return rows
end

-- What a text calls it.
local function title(row)
  if not row.ended then
    return row.name
  elseif row.ended == 1 then
    return row.name .. ", ended"
  end
  return ("%s, %d ended"):format(row.name, row.ended)
end

--- fullest(rows) -> list of tables, how many more there are
--- So many as a text has room for, in the order in which they were.
function m.fullest(rows)
  local order, chosen, list = {}, {}, {}
  for i = 1, #rows do
    order[i] = i
  end
  table.sort(order, function(a, b)
    local x, y = rows[a].mean_level, rows[b].mean_level
    return x > y or (x == y and a < b)
  end)
  for k = 1, math.min(SHOWN, #order) do
    chosen[order[k]] = true
  end
  for i, row in ipairs(rows) do
    if chosen[i] then
      list[#list + 1] = setmetatable({ name = title(row) }, { __index = row })
    end
  end
  return list, #rows - #list + rows.more
end

return m
