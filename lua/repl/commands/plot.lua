local md = require "moondial"
local picture = require "repl.picture"
local session = require "moondial.session"
local show = require "repl.show"

local height <const> = 12

-- The points of the last records with a numeric field, or of a list.
local function points_of(text)
  local name, field = text:match "^([%w_]+)%.([%w_]+)$"
  local points = {}
  if name and #md.records(name) > 0 then
    local known = {}
    for _, r in ipairs(md.records(name)) do
      for key, each in pairs(r) do
        known[key] = known[key] or type(each) == "number"
      end
    end
    if not known[field] then
      local said = known[field] == nil and "'%s' has no field '%s'"
        or "'%s' has no number in '%s'"
      return nil, said:format(name, field)
    end
    for _, r in ipairs(md.records(name)) do
      if type(r[field]) == "number" then
        points[#points + 1] = { r.time, r[field] }
      end
    end
    return points
  end
  local fn, why = session.load(text)
  if not fn then
    return nil, why
  end
  local ok, value = pcall(fn)
  local drawn = ok and picture.of(value)
  local object = ok and debug.getmetatable(value)
  if drawn and object then
    return nil, drawn
  elseif not ok or type(value) ~= "table" or object then
    return nil,
      ok and "expected a list of numbers, got " .. show.value(value) or value
  end
  for i, y in ipairs(value) do
    if type(y) ~= "number" then
      return nil, ("expected numbers, item %d is %s"):format(i, show.value(y))
    end
    points[#points + 1] = { i, y }
  end
  return points
end

-- Without what has no place in a picture, and how many those were.
local function finite(points)
  local list = {}
  for _, p in ipairs(points) do
    if math.abs(p[2]) < 1e300 then -- nor is nan
      list[#list + 1] = p
    end
  end
  return list, #points - #list
end

local function draw(points, width)
  local least, most = math.huge, -math.huge
  for _, p in ipairs(points) do
    least, most = math.min(least, p[2]), math.max(most, p[2])
  end
  local first, last = points[1][1], points[#points][1]
  local span, range = last - first, most - least
  local rows = {}
  for _, p in ipairs(points) do
    local x = span == 0 and 1
      or 1 + math.floor((p[1] - first) / span * (width - 1))
    local y = range == 0 and 1
      or 1 + math.floor((p[2] - least) / range * (height - 1) + 0.5)
    rows[y] = rows[y] or {}
    rows[y][x] = true
  end
  for y = height, 1, -1 do
    local cells = {}
    for x = 1, width do
      cells[x] = rows[y] and rows[y][x] and "•" or " "
    end
    local label = y == height and show.number(most)
      or y == 1 and show.number(least)
      or ""
    local line = table.concat(cells):gsub("%s+$", "")
    print(("%12.12s │%s"):format(label, line))
  end
  print((" "):rep(13) .. "└" .. ("─"):rep(width))
  local right = show.number(last)
  print(
    (" "):rep(14)
      .. show.number(first)
      .. (" "):rep(math.max(1, width - #show.number(first) - #right))
      .. right
  )
end

return {
  name = "plot",
  usage = ":plot record.field | list | distribution",
  help = [[A field of the records of a name over time, a list of numbers, or
what md.stats has gathered.
  :plot served.wait]],
  run = function(rest)
    if rest == "" then
      return print "expected records and their field, as in :plot served.wait"
    end
    local points, why = points_of(rest)
    if not points then
      return print(why)
    end
    local left
    points, left = finite(points)
    if #points == 0 then
      return print "there is nothing to plot"
    elseif left > 0 then
      print(show.faint(("without %d that are no finite numbers"):format(left)))
    end
    draw(points, math.max(20, math.min(session.width, 120) - 16))
  end,
}
