-- Which lines only look: expressions that call nothing but what is known not to
-- change a thing. Such a line is executed in a copy, all others for real.
local m = {}

local harmless = {}
for name in
  ([[now info status inbox waiting processes registered whereis records hash
  events seed precision peek deadlock help tostring tonumber type select next
  ipairs pairs rawget rawlen rawequal sub rep format upper lower find match len
  byte char reverse concat unpack pack abs ceil floor max min sqrt exp sin
  cos tointeger ult mean variance sd quantile ci report name holders
  ]]):gmatch "%a+"
do
  harmless[name] = true
end

-- A line without its strings and comments.
local function bare(text)
  text = text:gsub("%-%-[^\n]*", " ")
  text = text:gsub([[\.]], " ")
  return (text:gsub("(['\"]).-%1", "0"))
end

-- Whether the function that is called so, "a.b:name", is the model's own: its
-- names may be ours by chance.
local function own(path)
  local value = nil
  for word in path:gmatch "[%a_][%w_]*" do
    if value == nil then
      value = rawget(_G, word)
    elseif type(value) == "table" then
      local found = rawget(value, word)
      local meta = getmetatable(value)
      local index = type(meta) == "table" and rawget(meta, "__index")
      if found == nil and type(index) == "table" then
        found = rawget(index, word)
      end
      value = found
    else
      return false
    end
    if value == nil then
      return false -- of md, or an error
    end
  end
  if type(value) ~= "function" then
    return false
  end
  local source = debug.getinfo(value, "S").source
  return source ~= "=[C]" and not source:find "^=%[md"
end

--- Whether the text is such a line.
function m.only(text)
  if not load("return " .. text, "=prompt", "t", {}) then
    return false
  end
  local code = " " .. bare(text)
  if code:find "%f[%w]function%f[%W]" or code:find "%[=*%[" then
    return false
  end
  -- a name before an argument: ( { or what was a string
  for path in code:gmatch "([%w_.:]+)%s*%f[({0][({0]" do
    local name = path:match "[%w_]*$"
    local word = name:match "^%a"
    local operator = ({ ["and"] = 1, ["or"] = 1, ["not"] = 1 })[name]
    if word and not operator and (not harmless[name] or own(path)) then
      return false
    end
  end
  return not code:find "[%])]%s*[({]"
end

return m
