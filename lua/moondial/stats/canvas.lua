-- A curve in braille characters, each of which has two columns of four dots.
-- The curve goes through points from left to right and is kept as the lowest
-- and the highest dot in each column, so it costs no more than its points.
local text = require "moondial.stats.text"

local m = {}

-- Dots of a character, from the lowest row up, left and right.
local dots = {
  { 0x40, 0x04, 0x02, 0x01 },
  { 0x80, 0x20, 0x10, 0x08 },
}

local function extremes(list)
  local min, max = list[1], list[1]
  for _, x in ipairs(list) do
    min, max = math.min(min, x), math.max(max, x)
  end
  return min, max
end

-- scale(min, max, n): a function to 0, ..., n - 1, without rounding.
local function scale(min, max, n)
  local span = max - min
  return function(x)
    return span > 0 and (x - min) / span * (n - 1) or 0
  end
end

local function round(x)
  return math.floor(x + 0.5)
end

-- The line from (x0, y0) to (x1, y1) in all columns of dots that it meets.
local function draw(low, high, x0, y0, x1, y1)
  local from, to = round(x0), round(x1)
  local before = y0
  for column = from, to do
    local part = x1 > x0 and (column + 0.5 - x0) / (x1 - x0) or 1
    local after = y0 + math.max(0, math.min(1, part)) * (y1 - y0)
    local a, b = round(math.min(before, after)), round(math.max(before, after))
    low[column] = math.min(low[column] or a, a)
    high[column] = math.max(high[column] or b, b)
    before = after
  end
end

local function character(low, high, column, row)
  local bits = 0
  for side = 1, 2 do
    local x = 2 * column + side - 1
    for k = 1, 4 do
      local y = 4 * row + k - 1
      if low[x] and low[x] <= y and y <= high[x] then
        bits = bits | dots[side][k]
      end
    end
  end
  return bits > 0 and utf8.char(0x2800 + bits) or " "
end

-- The label of a line: the extremes of y at the ends. And how wide it is.
local function labels(min, max, height)
  local bottom = text.number(min)
  local top = max > min and text.number(max) or ""
  local width = math.max(#top, #bottom)
  return function(row)
    local label = row == 0 and bottom or row == height - 1 and top or ""
    return text.pad(label, width) .. (label ~= "" and " ┤" or " │")
  end,
    width + 2
end

-- The line of x, and its extremes below it, to the left if there is no room.
local function axis(margin, columns, min, max)
  local from, to = text.number(min), text.number(max)
  local line = (" "):rep(margin - 1) .. "└" .. ("─"):rep(columns)
  local width, both = margin + columns, #from + 1 + #to
  if both > width then
    return line, text.pad(to, width)
  end
  local before = math.min(margin, width - both)
  local gap = width - before - #from - #to
  return line, (" "):rep(before) .. from .. (" "):rep(gap) .. to
end

-- curve(xs, ys, width, height) -> text
-- The curve through the points (xs[i], ys[i]), of which the x never fall, with
-- labels, in so many columns and lines of characters (two more for the axis).
function m.curve(xs, ys, width, height)
  local min, max = extremes(ys)
  local from, to = xs[1], xs[#xs]
  local label, margin = labels(min, max, height)
  local columns = width - margin
  local place_x = scale(from, to, 2 * columns)
  local place_y = scale(min, max, 4 * height)
  local low, high, lines = {}, {}, {}
  for i = 1, #xs do
    local k = math.max(1, i - 1)
    local x0, y0 = place_x(xs[k]), place_y(ys[k])
    draw(low, high, x0, y0, place_x(xs[i]), place_y(ys[i]))
  end
  for row = height - 1, 0, -1 do
    local cells = {}
    for column = 0, columns - 1 do
      cells[#cells + 1] = character(low, high, column, row)
    end
    lines[#lines + 1] = label(row) .. table.concat(cells):gsub(" +$", "")
  end
  lines[#lines + 1], lines[#lines + 2] = axis(margin, columns, from, to)
  return table.concat(lines, "\n")
end

return m
