-- How md.stats writes: numbers, tables whose columns stand below one another,
-- and bars of block characters.
local argument = require "moondial.argument"

local m = {}

-- number(x) -> text: six digits; an integer has all of its own; "-" is none.
function m.number(x)
  if x == nil then
    return "-"
  elseif math.type(x) == "integer" then
    return ("%d"):format(x)
  end
  return ("%.6g"):format(x)
end

local function pad(text, width, left)
  local gap = (" "):rep(width - utf8.len(text))
  return left and text .. gap or gap .. text
end

-- columns(rows, left) -> text
-- Rows are lists of texts, as many in each. The first `left` columns are flush
-- left, the others flush right; no line ends in a blank.
function m.columns(rows, left)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(cell))
    end
  end
  for i, row in ipairs(rows) do
    local cells = {}
    for k, cell in ipairs(row) do
      cells[k] = pad(cell, widths[k], k <= left)
    end
    lines[i] = table.concat(cells, "  "):gsub(" +$", "")
  end
  return table.concat(lines, "\n")
end

m.pad = pad

-- bar(x) -> text: a bar x characters long, to an eighth of one.
function m.bar(x)
  local eighths = math.floor(x * 8 + 0.5)
  local rest = eighths % 8
  local last = rest > 0 and utf8.char(0x2590 - rest) or ""
  return ("█"):rep(eighths // 8) .. last
end

-- Plots are so many columns wide, labels and all.
local columns = {
  "an integer from 20 to 80",
  function(x)
    return math.type(x) == "integer" and x >= 20 and x <= 80
  end,
}
m.columns_kind = columns

-- width(call, width) -> the columns that a plot may have, 72 by default.
function m.width(call, width)
  if width ~= nil then
    argument.check(call, columns, width, "width")
  end
  return width or 72
end

return m
