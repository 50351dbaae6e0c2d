-- Userdata: processes, resources and their like, by name and with what they
-- tell of themselves.
local process = require "repl.process"

local m = {}

--- What a value that is no plain one is called: a pid has the name of its
--- process with it.
function m.name(x)
  local good, text = pcall(tostring, x)
  if not good then
    return ("a %s whose __tostring raises"):format(type(x))
  end
  local number = type(x) == "userdata" and text:match "^<pid ([%d.]+)>$"
  local name = number and process.label(x)
  return name and name ~= text and ("<pid %s '%s'>"):format(number, name)
    or text
end

-- Its name stands before them, and one spelling is enough.
local spared <const> = { name = true, utilization = true }

local function fields_of(x)
  local meta = debug.getmetatable(x)
  local index = type(meta) == "table" and rawget(meta, "__index")
  local names, list = nil, {}
  if type(index) == "function" then
    names = select(2, debug.getupvalue(index, 2))
  end
  for name, number in next, type(names) == "table" and names or {} do
    if math.type(number) == "integer" then
      list[#list + 1] = { name = name, number = number }
    end
  end
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  return list
end

--- The same, and below a line for each field: its name, and its value as
--- `value` has it.
function m.text(x, value)
  local lines, width = { m.name(x) }, 0
  local fields = fields_of(x)
  for _, field in ipairs(fields) do
    width = math.max(width, #field.name)
  end
  for _, field in ipairs(fields) do
    local it = x[field.name]
    if it ~= nil and not spared[field.name] then
      local form = "  %-" .. width .. "s  %s"
      lines[#lines + 1] = form:format(field.name, value(it))
    end
  end
  return table.concat(lines, "\n")
end

return m
