-- A line of tables in their order, any of which may leave it at any time. Each
-- step costs the same, however long the line is. What stands in a line has the
-- fields `line`, `before` and `behind`, which are the line's.
local m = {}

-- new() -> line
-- An empty line: `first`, `last` and `count`.
function m.new()
  return { count = 0 }
end

-- insert(line, node, behind)
-- Puts the node before `behind`, which stands in it; at the end without.
function m.insert(line, node, behind)
  local before = line.last
  if behind then
    before = behind.before
    behind.before = node
  else
    line.last = node
  end
  if before then
    before.behind = node
  else
    line.first = node
  end
  node.line, node.before, node.behind = line, before, behind
  line.count = line.count + 1
end

-- remove(node)
-- Takes the node out of the line that it stands in, if any.
function m.remove(node)
  local line, before, behind = node.line, node.before, node.behind
  if not line then
    return
  end
  if before then
    before.behind = behind
  else
    line.first = behind
  end
  if behind then
    behind.before = before
  else
    line.last = before
  end
  node.line, node.before, node.behind = nil, nil, nil
  line.count = line.count - 1
end

-- pop(line) -> node or nil
-- Takes the first out.
function m.pop(line)
  local node = line.first
  if node then
    m.remove(node)
  end
  return node
end

return m
