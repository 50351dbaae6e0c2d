-- What a reload has done, as a list that prints.
local inside = require "moondial.inside"

local m = {}

local meta = { __name = "reload" }

local most <const> = 10 -- of what is active is printed

-- "counter (line 5)"
local function place_of(it)
  return it.line and ("%s (line %d)"):format(it.name, it.line) or it.name
end

local function add(lines, what, it, more)
  local many = (it.count or 1) > 1 and (", %d of it"):format(it.count) or ""
  lines[#lines + 1] = ("  %-9s %s%s%s"):format(what, place_of(it), many, more)
end

function meta:__tostring()
  local unchanged = 0
  local lines = { "" }
  for _, it in ipairs(self.replaced) do
    if it.changed then
      add(lines, "replaced", it, "")
    else
      unchanged = unchanged + 1
    end
  end
  for _, it in ipairs(self.added) do
    add(lines, "added", it, "")
  end
  for _, it in ipairs(self.kept) do
    add(lines, "kept", it, ": " .. it.reason)
  end
  local last = #lines == 1 and 0 or math.min(#self.active, most)
  for i = 1, last do -- they matter where something has changed
    local it = self.active[i]
    local who = it.process and " in " .. it.process or ""
    add(lines, "active", it, who .. ": it ends with its old code")
  end
  if last > 0 and #self.active > last then
    lines[#lines + 1] = ("  active    %d more"):format(#self.active - last)
  end
  local changed = #self.replaced - unchanged
  local text = "reload of %s: %d function%s changed, %d as before"
  local plural = changed == 1 and "" or "s"
  lines[1] = text:format(self.file, changed, plural, unchanged)
  return table.concat(lines, "\n")
end

-- -- making it -------------------------------------------------------

local function in_order(list)
  for place, it in ipairs(list) do
    it.place = place
  end
  table.sort(list, function(a, b)
    if (a.line or 0) ~= (b.line or 0) then
      return (a.line or 0) < (b.line or 0)
    elseif a.name ~= b.name then
      return a.name < b.name
    end
    return a.place < b.place
  end)
  for _, it in ipairs(list) do
    it.place = nil
  end
  return list
end

-- One entry for each function, with how many there are of it.
local function count(list, entries, key, entry)
  local there = entries[key]
  if there then
    there.count = there.count + 1
  else
    entry.count = 1
    entries[key] = entry
    list[#list + 1] = entry
  end
end

local function replaced_and_kept(change)
  local replaced, kept, by_node, by_why = {}, {}, {}, {}
  for _, old in ipairs(change.old) do
    local node, new = old.node, old.node.new
    if change.map[old.fn] then
      count(replaced, by_node, new, {
        name = new.name,
        line = new.line,
        changed = new.text ~= node.text,
      })
    elseif node.parent then
      by_why[node] = by_why[node] or {}
      local why = old.why or "nothing of the new text takes its place"
      count(kept, by_why[node], why, {
        name = node.name,
        line = node.line,
        reason = why,
      })
    end
  end
  return replaced, kept
end

local function active(change)
  local list, names, pids = {}, nil, nil
  for i = 1, #change.frames, 3 do
    if not names then
      names, pids = inside.reload.threads()
    end
    local thread, fn, line = table.unpack(change.frames, i, i + 2)
    local node = change:node(fn)
    if node then
      list[#list + 1] = {
        name = node.name,
        line = line,
        process = names[thread],
        pid = pids[thread],
      }
    end
  end
  return list
end

-- All that the new functions hold of what the module has made.
local function reach(change)
  local roots = {}
  for _, old in ipairs(change.old) do
    roots[#roots + 1] = change.map[old.fn]
  end
  for _, it in ipairs(change.adoption.added) do
    roots[#roots + 1] = rawget(it.to, it.key)
  end
  inside.reload.walk.reach(change.walk, roots)
end

-- Functions that are new in the text: what has become of them.
local function newcomers(change, added, kept)
  reach(change)
  for _, fresh in ipairs(change.fresh) do
    local node = fresh.node
    node.held = node.held or inside.reload.walk.held(change.walk, fresh.fn)
  end
  for _, node in ipairs(change.code.root) do
    if not node.old and (node.held or node.brought) then
      added[#added + 1] = { name = node.name, line = node.line }
    elseif not node.old then
      kept[#kept + 1] = {
        name = node.name,
        line = node.line,
        reason = "new, and nothing that is kept leads to it",
      }
    end
  end
end

-- The module itself is what it was.
local function module_of(change, kept)
  local was, is = type(change.kept), type(change.made)
  if change.module and was == "table" and is ~= "table" then
    local text = "it is a table, and the new text returns a %s; it stays one"
    kept[#kept + 1] = { name = change.module, reason = text:format(is) }
  end
end

function m.new(change)
  local replaced, kept = replaced_and_kept(change)
  module_of(change, kept)
  local added = {}
  for _, it in ipairs(change.adoption.added) do
    if not it.line then -- no function
      added[#added + 1] = { name = it.name }
    end
  end
  newcomers(change, added, kept)
  return setmetatable({
    file = change.file,
    replaced = in_order(replaced),
    kept = in_order(kept),
    added = in_order(added),
    active = active(change),
  }, meta)
end

return m
