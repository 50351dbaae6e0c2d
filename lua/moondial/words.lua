-- The words of a text in Lua: names, keywords, strings, numbers and signs,
-- without blanks and comments. The text is one that Lua has compiled.
local m = {}

local keywords = {}
for word in
  (
    "and break do else elseif end false for function goto if in local nil not "
    .. "or repeat return then true until while"
  ):gmatch "%a+"
do
  keywords[word] = true
end

-- The last character of what begins with a long bracket at `at`, if it does.
local function long_last(text, at)
  local level = text:match("^%[(=*)%[", at)
  if level then
    return (select(2, text:find("]" .. level .. "]", at, true)))
  end
end

local function quoted_last(text, at)
  local quote = text:sub(at, at)
  repeat
    at = text:find("[\\" .. quote .. "]", at + 1)
    local escaped = text:sub(at, at) == "\\"
    at = escaped and at + 1 or at
  until not escaped
  return at
end

local function number_last(text, at)
  local hex = text:find("^0[xX]", at)
  local digits = hex and "^0[xX][%x.]*" or "^[%d.]+"
  local exponent = hex and "^[pP][+-]?%d+" or "^[eE][+-]?%d+"
  local _, last = text:find(digits, at)
  return select(2, text:find(exponent, last + 1)) or last
end

local function sign_last(text, at)
  for _, pattern in ipairs { "^%.%.+", "^[=~<>]=", "^::" } do
    local _, last = text:find(pattern, at)
    if last then
      return last
    end
  end
  return at
end

-- The last character of the word at `at`, and its kind.
local function word_at(text, at)
  local _, last = text:find("^[%a_][%w_]*", at)
  if last then
    return last, keywords[text:sub(at, last)] and "keyword" or "name"
  elseif text:find("^[\"']", at) then
    return quoted_last(text, at), "string"
  elseif text:find("^%.?%d", at) then
    return number_last(text, at), "number"
  end
  last = long_last(text, at)
  if last then
    return last, "string"
  end
  return sign_last(text, at), "sign"
end

-- list(text) -> list of {text =, kind =, first =, last =}
function m.list(text)
  local list, at = {}, text:find "%S"
  while at do
    local last
    if text:find("^%-%-", at) then
      last = long_last(text, at + 2) or text:find("\n", at, true) or #text
    else
      local kind
      last, kind = word_at(text, at)
      local word = text:sub(at, last)
      list[#list + 1] = { text = word, kind = kind, first = at, last = last }
    end
    at = text:find("%S", last + 1)
  end
  return list
end

return m
