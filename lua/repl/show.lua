-- Values as a person wants to see them.
local md = require "moondial"
local session = require "moondial.session"
local source = require "repl.source"
local thing = require "repl.thing"

local m = {}

local most_entries <const>, most_depth <const> = 40, 4
local most_text <const>, most_cell <const> = 400, 60

-- -- colours -----------------------------------------------------------------

local function colour(code)
  return function(text)
    if not session.colour then
      return text
    end
    return ("\27[%sm%s\27[0m"):format(code, text)
  end
end

m.faint, m.bold = colour "2", colour "1"
m.red, m.green = colour "31", colour "32"
m.blue, m.yellow = colour "36", colour "33"

-- -- values -------------------------------------------------------------------

--- A number, in as few digits as tell it apart.
function m.number(x)
  if math.type(x) == "integer" then
    return ("%d"):format(x)
  end
  local text = ("%.14g"):format(x)
  if x == math.floor(x) and math.abs(x) <= 2 ^ 53 then
    return ("%.1f"):format(x)
  end
  return text
end

--- A time, to its last tick.
function m.time(x)
  local digits = 15
  while digits < 17 and tonumber(("%." .. digits .. "g"):format(x)) ~= x do
    digits = digits + 1
  end
  local whole = x == math.floor(x) and math.abs(x) <= 2 ^ 53
  return (whole and "%.1f" or "%." .. digits .. "g"):format(x)
end

--- A text that goes to a terminal: what is no character, or controls it, is as
--- Lua would write it.
function m.plain(text)
  local parts, at = {}, 1
  while at <= #text do
    local n = utf8.len(text, at, at) and utf8.offset(text, 2, at) - at
    local piece = text:sub(at, at + (n or 1) - 1)
    local bad = not n or piece:find "%c"
    parts[#parts + 1] = bad and ("\\x%02x"):format(piece:byte()) or piece
    at = at + #piece
  end
  return (table.concat(parts):gsub("\\x0a", "\\n"):gsub("\\x09", "\\t"))
end

local function string_of(text)
  local cut = #text > most_text and text:sub(1, most_text) or text
  local quoted = '"' .. m.plain(cut:gsub('[\\"]', "\\%0")) .. '"'
  local more = #text > most_text and (" ... %d bytes"):format(#text) or ""
  return m.green(quoted) .. more
end

local function function_of(fn)
  local info = debug.getinfo(fn, "S")
  for name, each in next, md do
    if rawequal(each, fn) then
      return m.blue("function md." .. name)
    end
  end
  if info.what == "C" then
    return m.blue "function (C)"
  end
  return m.blue(("function %s:%d"):format(info.short_src, info.linedefined))
end

local value_of

local function key_of(key, seen, depth)
  local word = type(key) == "string" and key:find "^[%a_][%w_]*$"
  if word and load("local " .. key) then
    return key
  end
  return "[" .. value_of(key, seen, depth) .. "]"
end

local function by_name(a, b)
  local x, y = type(a), type(b)
  if x ~= y then
    return x < y
  elseif x == "string" or x == "number" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

--- The keys of a table behind its list part of n, in an order that is always
--- the same.
function m.keys(t, n)
  local keys = {}
  for key in next, t do
    local listed = math.type(key) == "integer" and key >= 1 and key <= n
    if not listed then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, by_name)
  return keys
end

local function entries_of(t, seen, depth)
  local parts, n = {}, rawlen(t)
  for i = 1, math.min(n, most_entries) do
    parts[i] = value_of(rawget(t, i), seen, depth + 1)
  end
  local keys = m.keys(t, n)
  for i = 1, math.min(#keys, most_entries - #parts) do
    local key = keys[i]
    parts[#parts + 1] = key_of(key, seen, depth + 1)
      .. " = "
      .. value_of(rawget(t, key), seen, depth + 1)
  end
  local left = n + #keys - #parts
  if left > 0 then
    parts[#parts + 1] = ("... %d more"):format(left)
  end
  return parts
end

-- How wide it is on a terminal.
local function width_of(text)
  return utf8.len((text:gsub("\27%[[%d;]*m", ""))) or #text
end

--- A text of no more columns than that; colours take none.
function m.cut(text, width)
  if width_of(text) <= width then
    return text
  end
  local kept, n, at = {}, 0, 1
  while at <= #text do
    local escape = text:match("^\27%[[%d;]*m", at)
    local piece = escape or text:match("^[^\128-\191][\128-\191]*", at)
    n = n + (escape and 0 or 1)
    if escape or n < width then
      kept[#kept + 1] = piece
    end
    at = at + #(piece or " ")
  end
  return table.concat(kept) .. "…"
end

local function table_of(t, seen, depth)
  if seen[t] then
    return m.faint "(above)"
  elseif depth > most_depth then
    return "{...}"
  end
  seen[t] = true
  local parts = entries_of(t, seen, depth)
  seen[t] = nil
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #parts == 0 then
    return "{}"
  elseif width_of(line) + 2 * depth <= session.width - 2 then
    return line
  end
  local indent = ("  "):rep(depth + 1)
  return "{\n"
    .. indent
    .. table.concat(parts, ",\n" .. indent)
    .. "\n"
    .. ("  "):rep(depth)
    .. "}"
end

function value_of(x, seen, depth)
  local kind = type(x)
  if kind == "string" then
    return string_of(x)
  elseif kind == "number" then
    return m.yellow(m.number(x))
  elseif kind == "function" then
    return function_of(x)
  elseif kind == "table" then
    local meta = getmetatable(x)
    if x == md then
      return m.blue "the library md"
    elseif type(meta) == "table" and meta.__tostring then
      return thing.name(x)
    end
    return table_of(x, seen, depth)
  end
  return thing.name(x)
end

--- The text of a value.
function m.value(x)
  return value_of(x, {}, 0)
end

-- -- tables ---------------------------------------------------------------

--- Prints rows under a heading, each column as wide as it must be; the last
--- one is cut at the terminal's edge.
function m.table(heading, rows, right)
  local widths = {}
  for _, row in ipairs { heading, table.unpack(rows) } do
    for i, cell in ipairs(row) do
      row[i] = i < #row and m.cut(cell, most_cell) or cell
      widths[i] = math.max(widths[i] or 0, width_of(row[i]))
    end
  end
  local function line(row, paint)
    local cells = {}
    for i, cell in ipairs(row) do
      local room = (" "):rep(widths[i] - width_of(cell))
      local last = i == #row and not (right and right[i])
      cells[i] = right and right[i] and room .. cell
        or cell .. (last and "" or room)
    end
    local text = table.concat(cells, "  "):gsub(" +$", "")
    text = m.cut(text, session.width)
    print(paint and paint(text) or text)
  end
  line(heading, m.bold)
  for _, row in ipairs(rows) do
    line(row)
  end
end

-- -- errors ----------------------------------------------------------------

--- An error's value with the model's frames.
function m.handler(err)
  if type(err) == "table" then
    return err
  end
  return tostring(err)
end

--- Prints what else may have been meant by the name in an error's message.
function m.hint(text)
  local hint = session.hint(text)
  if hint then
    print((hint:gsub("moondial help", ":help")))
  end
end

function m.fault(err)
  session.plan("failed", "")
  local plain = type(err) == "string" or debug.getmetatable(err)
  local text = plain and tostring(err) or "error: " .. m.value(err)
  local line = source.line(text)
  print(m.red(text))
  if line then
    print(m.cut(line, session.width))
  end
  m.hint(text)
  local trace = type(err) == "table" and rawget(err, "traceback")
  if type(trace) == "string" and trace:find "\n" then
    print(m.faint(trace))
  end
end

return m
