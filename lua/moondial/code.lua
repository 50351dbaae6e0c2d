-- One of a file's texts as functions: its outline, joined with what Lua has
-- made of it. A node of the outline gets its `line` and `last` line, the names
-- of its `upvalues`, and `captured`: for each its place among those of the
-- function around it, or false when it is a local there.
local inside = require "moondial.inside"
local outline = require "moondial.outline"

local reload = inside.reload
local dump = reload.dump

local m = {}

-- new(text, fn, number) -> code
-- fn is the main function of the text, which is that number of its file's.
function m.new(text, fn, number)
  local code = { number = number, dump = dump.open(fn), count = 0, lines = {} }
  local function join(node, parent)
    code.count = code.count + 1
    node.code, node.place = code, code.count
    local around
    around, node.line, node.last, node.upvalues, node.captured =
      dump.about(code.dump, node.place)
    assert(around == parent, "the outline is not that of Lua")
    local key = node.line << 32 | node.last
    code.lines[key] = code.lines[key] or {}
    table.insert(code.lines[key], node)
    for _, child in ipairs(node) do
      join(child, node.place)
    end
  end
  code.root = outline.read(text)
  join(code.root, 0)
  assert(code.count == dump.count(code.dump), "the outline is not that of Lua")
  return code
end

-- alike(a, b) -> boolean
-- They lead to the same function of the new text, or to equal ones.
local function alike(a, b)
  return a.new ~= nil and b.new ~= nil and a.new.text == b.new.text
end

-- find(code, fn, line, last) -> node, unsure
-- What fn is made of, nil if it does not come from this text. Functions that
-- share their lines are told apart by their instructions; unsure when that is
-- not enough.
function m.find(code, fn, line, last)
  local first, unsure
  for _, node in ipairs(code.lines[line << 32 | last] or {}) do
    if dump.same(code.dump, node.place, fn) then
      unsure = unsure or first ~= nil and not alike(first, node)
      first = first or node
    end
  end
  return first, unsure
end

-- declared(node, i) -> node or nil
-- Whose local the i-th upvalue is; nil: it comes from outside of the text.
function m.declared(node, i)
  while true do
    local place = node.captured[i]
    node = node.parent
    if not node or not place then
      return node
    end
    i = place
  end
end

-- make(node) -> function
-- A new function of the node, whose upvalues are to be joined.
function m.make(node)
  node.maker = node.maker or dump.maker(node.code.dump, node.place)
  return node.maker()
end

-- -- which is which --------------------------------------------------

local function by_label(node)
  local groups = {}
  for _, child in ipairs(node) do
    local list = groups[child.label] or {}
    groups[child.label] = list
    list[#list + 1] = child
  end
  return groups
end

local function stay(node, why)
  node.why = why
  for _, child in ipairs(node) do
    stay(child, why)
  end
end

-- The only one of the list with that text, nil when there is another.
local function with_text(list, text)
  local found
  for _, node in ipairs(list) do
    if node.text == text then
      if found then
        return nil
      end
      found = node
    end
  end
  return found
end

local function partner(node, old, new)
  if not new then
    return nil, "the new text has no such function"
  elseif #old == #new then
    for i, other in ipairs(old) do
      if other == node then
        return new[i]
      end
    end
  end
  local same = with_text(old, node.text) and with_text(new, node.text)
  local text = "of this name there were %d functions, and now there are %d"
  return same, not same and text:format(#old, #new) or nil
end

-- pair(old, new)
-- Which functions of the new text are those of the old one: `new` and `old` of
-- their nodes say so, or `why` not. They are paired by what they are called in
-- functions that are paired themselves.
function m.pair(old, new)
  old.new, new.old = new, old
  local before, after = by_label(old), by_label(new)
  for _, child in ipairs(old) do
    local list = after[child.label]
    local other, why = partner(child, before[child.label], list)
    if other then
      m.pair(child, other)
    else
      stay(child, why)
    end
  end
end

return m
