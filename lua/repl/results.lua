-- What a line has given: lists of records as tables, things with what they
-- tell, distributions and series with a small plot.
local picture = require "repl.picture"
local report = require "moondial.report"
local show = require "repl.show"
local thing = require "repl.thing"

local most <const> = 40

-- A list of records with the same named fields.
local function columns_of(list)
  if rawlen(list) < 2 or getmetatable(list) or type(list[1]) ~= "table" then
    return nil
  end
  local all, told = {}, math.min(#list, most)
  for i = 1, told do -- not every record has all
    for key in next, type(list[i]) == "table" and list[i] or {} do
      all[key] = true
    end
  end
  local columns = show.keys(all, 0)
  -- what md.records gives, as in files
  local first = list[1].time and { time = 1, process = 2 } or {}
  table.sort(columns, function(x, y)
    local p, q = first[x] or 3, first[y] or 3
    return p < q or p == q and tostring(x) < tostring(y)
  end)
  for _, key in ipairs(columns) do
    if type(key) ~= "string" then
      return nil
    end
  end
  for i, record in ipairs(list) do
    if type(record) ~= "table" or getmetatable(record) then
      return nil
    end
    for _, key in ipairs(i <= told and columns or {}) do
      if type(record[key]) == "table" then
        return nil
      end
    end
  end
  return #columns > 0 and #columns <= 10 and columns
end

local function show_records(list, columns)
  local rows, right = {}, {}
  for i = 1, math.min(#list, most) do
    rows[i] = {}
    for k, key in ipairs(columns) do
      local value = list[i][key]
      right[k] = right[k] or type(value) == "number"
      rows[i][k] = type(value) == "string" and show.plain(value)
        or type(value) == "number" and show.number(value)
        or value == nil and ""
        or show.value(value)
    end
  end
  show.table(columns, rows, right)
  if #list > most then
    print(("... %d more"):format(#list - most))
  end
end

--- Prints the results of a line.
return function(...)
  local n = select("#", ...)
  local first = ...
  if n == 1 and first ~= nil and first == report.printed then
    return
  elseif n == 1 and type(first) == "userdata" then
    return print(thing.text(first, show.value))
  elseif n == 1 and type(first) == "table" then
    local columns = columns_of(first)
    if columns then
      return show_records(first, columns)
    end
  end
  local texts = {}
  for i = 1, n do
    texts[i] = show.value((select(i, ...)))
  end
  if n > 0 then
    print(table.concat(texts, "\t"))
  end
  local drawn = n == 1 and picture.of(first)
  if drawn then
    print(drawn)
  end
end
