-- The functions of a text, one inside of the other, and what each is called
-- there: local, global, field, method, or what it is an argument of. Their
-- order is that of the text, in which Lua numbers them, too.
local words = require "moondial.words"

local m = {}

local function is(word, text)
  return word ~= nil and word.kind ~= "string" and word.text == text
end

-- -- names before a place --------------------------------------------

-- The place of the bracket that the one at i closes.
local function opening(list, i)
  local depth = 0
  repeat
    local word = list[i]
    if word.kind == "sign" then
      if word.text:find "^[%])}]$" then
        depth = depth + 1
      elseif word.text:find "^[%[({]$" then
        depth = depth - 1
      end
    end
    i = i - 1
  until depth == 0
  return i + 1
end

local function between(list, first, last)
  local texts = {}
  for i = first, last do
    texts[#texts + 1] = list[i].text
  end
  return table.concat(texts)
end

-- The key in brackets from first to last, as a part of a name.
local function key(list, first, last)
  local word = list[first + 1]
  local name = first + 2 == last and word.kind == "string" and word.text
  name = name and name:match "^[\"']([%a_][%w_]*)[\"']$"
  return name and "." .. name or between(list, first, last)
end

-- What ends at i and may be called or assigned to, as a.b:c or a["b"], and the
-- place before it.
local function subject(list, i)
  local name = ""
  while true do
    local word = list[i]
    if is(word, "]") then
      local first = opening(list, i)
      name, i = key(list, first, i) .. name, first - 1
    elseif word and word.kind == "name" then
      name, i = word.text .. name, i - 1
      if not (is(list[i], ".") or is(list[i], ":")) then
        return name, i
      end
      name, i = list[i].text .. name, i - 1
    elseif word and word.kind == "string" then
      return word.text .. name, i - 1
    else
      return name, i
    end
  end
end

-- What is assigned to before the sign at i: names, and whether they are local.
local function targets_of(list, i)
  local targets = {}
  repeat
    i = i - 1
    if is(list[i], ">") then
      i = i - 3 -- <const>
    end
    local name
    name, i = subject(list, i)
    table.insert(targets, 1, name)
  until not is(list[i], ",")
  return targets, is(list[i], "local")
end

-- -- the walk --------------------------------------------------------

-- A walk has a stack of what is open: functions, blocks and brackets. In a
-- function or a block, `targets` are those of the assignment under way, if any,
-- and `item` is the place in its list; in a bracket that is the item, `name`
-- what the bracket belongs to, and `texts` the words so far.
local walk = {}
walk.__index = walk

local brackets = { ["("] = ")", ["{"] = "}", ["["] = "]" }
local blocks = { ["if"] = true, ["do"] = true, ["repeat"] = true }
local ends = { ["end"] = true, ["until"] = true }
local begins = {}
for word in
  (
    "break do else elseif for goto if local repeat return then until "
    .. "while ;"
  ):gmatch "%S+"
do
  begins[word] = true
end

function walk:push(kind, name)
  local open = { kind = kind, name = name, item = 1, texts = {} }
  self.stack[#self.stack + 1] = open
  self.open = open
  return open
end

function walk:pop()
  local closed = table.remove(self.stack)
  self.open = self.stack[#self.stack]
  return closed
end

-- What stands here: a function, or the constructor of a table.
function walk:label(i)
  local open, before = self.open, self.list[i - 1]
  if open.kind == "(" then
    local others = table.concat(open.texts):gsub(",$", ""):gsub(",", ", ")
    return open.name .. "(" .. others .. ")"
  elseif open.kind == "{" and is(before, "=") then
    return open.name .. open.field
  elseif open.kind == "{" or open.kind == "[" then
    return open.name .. "[" .. open.item .. "]"
  elseif open.targets then
    return open.targets[math.min(open.item, #open.targets)]
  end
  return open.returns and "return" .. (open.item > 1 and open.item or "")
    or "function"
end

-- The name behind `function` at i, nil for none, and the place behind it.
local function name_behind(list, i)
  local first, name = i + 1, nil
  while list[first] and list[first].kind == "name" do
    name = (name and name .. "." or "") .. list[first].text
    if not (is(list[first + 1], ".") or is(list[first + 1], ":")) then
      return name, first
    end
    first = first + 2
  end
  return name, i
end

function walk:begin(i)
  local list, open, node = self.list, self.open, self.node
  local name, last = name_behind(list, i)
  local child = {
    label = name or self:label(i),
    first = list[i].first,
    parent = node,
    plain = open.node ~= nil, -- in no block, constructor or call
    bound = name ~= nil or open.targets ~= nil and open.kind ~= "(",
  }
  child.is_local = is(list[i - 1], "local") or not name and open.is_local
  child.bound = child.bound and (open.node or open.kind == "block") ~= nil
  child.name = node.parent and node.name .. "/" .. child.label or child.label
  node[#node + 1] = child
  self:push("function").node = child
  self.node = child
  return last
end

function walk:finish(i)
  local closed = self:pop()
  if closed.node then
    closed.node.text = self.text:sub(closed.node.first, self.list[i].last)
    self.node = closed.node.parent
    table.insert(self.open.texts, "function")
  end
end

-- An opening bracket: a call, a constructor, or neither.
function walk:enter(i)
  local word, name = self.list[i], ""
  local called = subject(self.list, i - 1)
  if called ~= "" and word.text ~= "[" then
    name = called .. (word.text == "{" and "{}" or "")
  elseif word.text == "{" then
    name = self:label(i)
  end
  self:push(word.text, name)
end

function walk:leave(word)
  local closed = self:pop()
  local text = closed.kind .. table.concat(closed.texts) .. word.text
  table.insert(self.open.texts, text)
end

-- The sign "=" at i.
function walk:assign(i)
  local open = self.open
  if open.kind == "{" then
    local before = self.list[i - 1]
    if is(before, "]") then
      open.field = key(self.list, opening(self.list, i - 1), i - 1)
    else
      open.field = "." .. before.text
    end
  elseif not brackets[open.kind] then
    open.targets, open.is_local = targets_of(self.list, i)
    open.item = 1
  end
end

-- A statement begins.
function walk:restate(word)
  local open = self.open
  if not brackets[open.kind] then
    open.targets, open.is_local = nil, nil
    open.returns, open.item = word.text == "return", 1
  end
end

-- Takes the word at i; returns the last place that it has seen to.
function walk:take(i)
  local word, open = self.list[i], self.open
  local text = word.kind ~= "string" and word.text or ""
  if begins[text] then
    self:restate(word)
  end
  if text == "function" then
    return self:begin(i)
  elseif blocks[text] then
    self:push "block"
  elseif ends[text] then
    self:finish(i)
  elseif brackets[text] then
    self:enter(i)
  elseif brackets[open.kind] == text then
    self:leave(word)
  elseif text == "," or (text == ";" and open.kind == "{") then
    open.item = open.item + 1
  elseif text == "=" then
    self:assign(i)
  end
  if not (text == "" and word.kind ~= "string") and brackets[open.kind] then
    if self.open == open and not brackets[text] then
      table.insert(open.texts, word.text)
    end
  end
  return i
end

--- read(text) -> node
--- The main function: its `label`, `name` (that with the functions around it),
--- `text` and `parent`, and the functions inside of it as a list; whether one
--- is `bound` by an assignment or a declaration, there `is_local`, and `plain`:
--- in no block.
function m.read(text)
  local root = { label = "main chunk", name = "main chunk" }
  local self = setmetatable(
    { text = text, list = words.list(text), stack = {}, node = root },
    walk
  )
  self:push("function").node = root
  local i = 1
  while i <= #self.list do
    i = self:take(i) + 1
  end
  return root
end

return m
