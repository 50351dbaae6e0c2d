-- New functions in the place of old ones. Each old one gets one of its own,
-- which shares its upvalues by name. An upvalue that the old one has not is
-- looked for among the others that captured the same local; then among the
-- functions that the module has made when it ran again; or, where nothing runs
-- again, it is a local function that can be made by itself.
local inside = require "moondial.inside"
local code = require "moondial.code"

local m = {}
m.__index = m

local reload = inside.reload

-- -- who has captured what -------------------------------------------

-- Notes that the i-th upvalue of fn is the local of that name.
local function note(locals, name, fn, i)
  local there = locals[name]
  local _, id, value = reload.upvalue(fn, i)
  if not there then
    locals[name] = { fn = fn, i = i, id = id, value = value }
  elseif there.id ~= id then
    there.several = true
  end
end

function m:look(fn, node, locals)
  for i, name in ipairs(node.upvalues) do
    local declared = code.declared(node, i)
    if not declared then
      self.outer[name] = self.outer[name] or { fn = fn, i = i }
    elseif not declared.parent then
      note(locals, name, fn, i)
    elseif locals == self.tops then
      local _, id = reload.upvalue(fn, i)
      local sharing = self.sharing[id] or {}
      self.sharing[id] = sharing
      sharing[#sharing + 1] = { fn = fn, node = node, by = declared }
    end
  end
end

-- new{old =, fresh =, code =, main =, runs =} -> graft
-- Of old functions {fn =, node =}, those that the module has made now, the new
-- code and its main function; runs: it has run.
function m.new(it)
  local self = setmetatable(it, m)
  self.outer, self.sharing = {}, {}
  self.tops, self.new_tops = {}, {} -- locals of the main chunk
  self.map, self.cells = {}, {}
  self.made = {} -- by node; false where there are several
  for _, old in ipairs(self.old) do
    self:look(old.fn, old.node, self.tops)
  end
  for _, fresh in ipairs(self.fresh) do
    self:look(fresh.fn, fresh.node, self.new_tops)
  end
  return self
end

-- -- where an upvalue comes from -------------------------------------

-- Another function of the same call of the declaring function, as a local of
-- that which both have captured shows, that captured this one.
function m:sibling(old, name, declared)
  local found
  for i = 1, #old.node.upvalues do
    local _, id = reload.upvalue(old.fn, i)
    for _, other in ipairs(self.sharing[id] or {}) do
      for k, its in ipairs(other.node.upvalues) do
        if its == name and code.declared(other.node, k) == other.by then
          if other.by.new == declared then
            found = found or {}
            note(found, name, other.fn, k)
          end
        end
      end
    end
  end
  return found and found[name]
end

-- The function of the main chunk that the new text declares by that name.
function m:declaration(name)
  local found
  for _, node in ipairs(self.code.root) do
    if node.plain and node.is_local and node.label == name then
      if found then
        return nil
      end
      found = node
    end
  end
  return found
end

-- Can the function be made without running the text? `asked` are the local
-- functions that are being looked at.
function m:possible(node, asked)
  for i, name in ipairs(node.upvalues) do
    local there = self.tops[name]
    if there and there.several then
      return false
    elseif code.declared(node, i) and not there and not asked[name] then
      local other = self:declaration(name)
      asked[name] = true
      if not other or not self:possible(other, asked) then
        return false
      end
    end
  end
  return true
end

-- A local function of the main chunk, made without running it.
function m:bring(name)
  if not self.cells[name] then
    local node = self:declaration(name)
    if not node or not self:possible(node, { [name] = true }) then
      return nil
    end
    local value
    local function cell()
      return value
    end
    self.cells[name] = { fn = cell, i = 1 }
    node.brought = true
    value = self:make(node)
  end
  return self.cells[name]
end

local function known(place)
  return place and not place.several and place or nil
end

function m:top(name)
  local place = self.tops[name] or self.new_tops[name]
  return place or not self.runs and self:bring(name) or nil
end

-- The places of a node's upvalues, by their names.
local function places_of(node)
  if not node.places then
    node.places = {}
    for i, name in ipairs(node.upvalues) do
      node.places[name] = i
    end
  end
  return node.places
end

-- Where the i-th upvalue of a new function comes from, when the old one has not
-- got it, or nil and why not.
function m:source(node, i, old)
  local name = node.upvalues[i]
  local declared = code.declared(node, i)
  if not declared then
    return self.outer[name] or { fn = self.main, i = 1 }
  end
  local place
  if not declared.parent then
    place = self:top(name)
  elseif old then
    place = self:sibling(old, name, declared)
  end
  if known(place) then
    return place
  end
  local text = place
      and "it captures the local '%s', of which there are several"
    or "it captures the local '%s', which no function had captured"
  return nil, text:format(name)
end

-- -- making them -----------------------------------------------------

-- make(node [, old]) -> function, or nil and why not
function m:make(node, old)
  local own, others = old and places_of(old.node) or {}, nil
  for i, name in ipairs(node.upvalues) do
    if not own[name] then
      local place, why = self:source(node, i, old)
      if not place then
        return nil, why
      end
      others = others or {}
      others[i] = place
    end
  end
  local fn = code.make(node)
  for i, name in ipairs(node.upvalues) do
    if own[name] then
      reload.join(fn, i, old.fn, own[name])
    else
      reload.join(fn, i, others[i].fn, others[i].i)
    end
  end
  return fn
end

-- Those that the module has made see the old state, and are themselves the new
-- ones wherever there is just one of both.
function m:settle()
  local counts = {}
  for _, fresh in ipairs(self.fresh) do
    counts[fresh.node] = (counts[fresh.node] or 0) + 1
  end
  for _, fresh in ipairs(self.fresh) do
    local node = fresh.node
    for i, name in ipairs(node.upvalues) do
      local declared = code.declared(node, i)
      local place = declared and not declared.parent and known(self.tops[name])
      if place then
        reload.join(fresh.fn, i, place.fn, place.i)
      end
    end
    if self.made[node] and counts[node] == 1 and not node.parent.parent then
      self.map[fresh.fn] = self.made[node]
    end
  end
end

-- all() -> {old = new}
-- Makes the new functions; an old one that stays old gets `why`.
function m:all()
  local made = self.made
  for _, old in ipairs(self.old) do
    local node = old.node.new
    old.why = old.why or old.node.why
    if node and node.parent and not old.why then
      local fn, why = self:make(node, old)
      old.why = why
      self.map[old.fn] = fn
      made[node] = made[node] == nil and fn or false
    end
  end
  self:settle()
  return self.map
end

return m
