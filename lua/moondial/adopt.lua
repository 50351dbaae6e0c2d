-- What a module keeps, and what it takes, of the tables that its text makes
-- when it runs again. Two tables are the same one when the module returns them,
-- when main's locals of one name have them, when they are fields of that name
-- in two that are the same, or their metatables. The old one stays as it is;
-- the new one gives it functions that it has not, and all other fields as well
-- if it is the module's own or has functions of the text itself: a class.
local inside = require "moondial.inside"

local m = {}
m.__index = m

local reload = inside.reload
local is_fresh = reload.walk.fresh

-- new{walk =, node_of =, map =, graft =} -> adoption
-- node_of gives the node of a function that the text has made. `added` becomes
-- a list of {to =, key =, value =, name =, line =}.
function m.new(it)
  return setmetatable({
    walk = it.walk,
    node_of = it.node_of,
    map = it.map,
    graft = it.graft,
    added = {},
    seen = {},
  }, m)
end

-- Is the function new in the text, and not only in the table?
function m:is_new(fn)
  local node = self.node_of[fn]
  return node ~= nil and node.old == nil
end

function m:is_class(made)
  for name, value in next, made do
    if type(name) == "string" and self.node_of[value] then
      return true
    end
  end
  return false
end

function m:add(to, name, value)
  local node = self.node_of[value]
  table.insert(self.added, {
    to = to,
    key = name,
    value = value,
    name = node and node.name or name,
    line = node and node.line,
  })
  if node then
    node.held = true
  end
end

-- takes(all, value) -> boolean
-- Does a table that has nothing under its name get the value?
function m:takes(all, value)
  if self.node_of[value] then
    return self:is_new(value)
  end
  return all
end

-- same(kept, made)
function m:same(kept, made)
  if type(kept) ~= "table" or type(made) ~= "table" or kept == made then
    return
  elseif self.seen[made] or not is_fresh(self.walk, made) then
    return
  end
  self.seen[made] = true
  self.map[made] = kept
  local all = kept == self.module or self:is_class(made)
  for name, value in next, made do
    if type(name) == "string" then
      local there = rawget(kept, name)
      if there ~= nil then
        self:same(there, value)
      elseif self:takes(all, value) then
        self:add(kept, name, value)
      end
    end
  end
  self:same(getmetatable(kept), getmetatable(made))
end

-- What the module was, and is now.
function m:returned(kept, made)
  self.module = type(kept) == "table" and kept or nil
  self:same(kept, made)
end

-- Locals of the main chunk that both had captured.
function m:locals()
  local graft = self.graft
  for name, new in pairs(graft.new_tops) do
    local old = graft.tops[name]
    if old and not old.several and not new.several then
      self:same(old.value, new.value)
    end
  end
end

-- What the run has put into tables that were there: {table, key, value, ...}.
-- Globals, and what belongs to other modules that were loaded by it, stay.
function m:additions(list, open)
  for i = 1, #list, 3 do
    local to, key, value = list[i], list[i + 1], list[i + 2]
    if open[to] == "whole" then
      rawset(to, key, value)
    elseif type(key) == "string" then
      if self:takes(open[to] or to == self.module, value) then
        self:add(to, key, value)
      end
    end
  end
end

-- Where a function is put that is declared as a.b.c or c: the table, the key;
-- nil when there is no such table.
function m:path(label, env)
  local root, rest = label:match "^([%a_][%w_]*)([%w_.]*)$"
  local top = root and self.graft.tops[root]
  local to, key = env, root
  if top then
    to, key = top.value, nil
  end
  for name in (rest or ""):gmatch "[^.]+" do
    if key then
      to = rawget(to, key)
    end
    key = name
    if type(to) ~= "table" then
      return nil
    end
  end
  return key and to, key
end

-- declare(root, env)
-- Where nothing runs again: functions that the main chunk declares in no block,
-- and that can be made by themselves, get their place unless it is taken.
function m:declare(root, env)
  for _, node in ipairs(root) do
    if not node.old and node.plain and node.bound and not node.is_local then
      local to, key = self:path(node.label, env)
      if to and rawget(to, key) == nil and self.graft:possible(node, {}) then
        local fn = self.graft:make(node)
        self.graft.made[node] = fn
        self.node_of[fn] = node
        self:add(to, key, fn)
      end
    end
  end
end

-- place(): the old tables get what is added.
function m:place()
  for _, it in ipairs(self.added) do
    local value = it.value
    if self.map[value] ~= nil then
      value = self.map[value]
    end
    rawset(it.to, it.key, value)
  end
end

return m
