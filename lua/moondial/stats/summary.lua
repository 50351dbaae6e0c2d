-- The summary that quantiles keep of their values.
--
-- The summary is a list of values in order, with two numbers each:
--
--     gap[i]     rank of value i, at least, less that of value i - 1
--     slack[i]   how far its rank may lie above that
--
-- A value that comes in between two gets the upper one's gap + slack - 1 as its
-- slack. Neighbours are put together as long as gap + slack <= ERROR * n: that
-- is the bound on the rank of whatever lies between two values. Those whose
-- rank is within ENDS of an end are not put together and so are exact. On the
-- usual data some 2500 values are kept, and four times that on the worst that
-- was tried. (A bound in proportion to the distance from the ends, as in
-- Cormode and others, ICDE 2005, has inputs on which nearly all are kept.)
local m = {}

local ERROR <const> = 0.001
local ENDS <const> = 500

-- new() -> an empty summary
function m.new()
  return { size = 0, count = 0, value = {}, gap = {}, slack = {} }
end

-- Merges n values in order into the summary `from`; the outcome is `into`.
function m.merge(from, values, n, into)
  local value, gap, slack = from.value, from.gap, from.slack
  local value_to, gap_to, slack_to = into.value, into.gap, into.slack
  local i, k, size = 1, 0, from.size
  for j = 1, n do
    local x = values[j]
    while i <= size and value[i] <= x do
      k = k + 1
      value_to[k], gap_to[k], slack_to[k] = value[i], gap[i], slack[i]
      i = i + 1
    end
    k = k + 1
    value_to[k], gap_to[k] = x, 1
    slack_to[k] = i <= size and gap[i] + slack[i] - 1 or 0
  end
  table.move(value, i, size, k + 1, value_to)
  table.move(gap, i, size, k + 1, gap_to)
  table.move(slack, i, size, k + 1, slack_to)
  into.size, into.count = size + n, from.count + n
end

-- Two summaries as one. How far a value's rank may be off is what it was in its
-- own, and what it is between two values of the other: no more than ERROR * n.
function m.unite(a, b)
  local into, i, j = m.new(), 1, 1
  into.size, into.count = a.size + b.size, a.count + b.count
  for k = 1, into.size do
    local first = j > b.size or (i <= a.size and a.value[i] <= b.value[j])
    local own, at, other, next = a, i, b, j
    if not first then
      own, at, other, next = b, j, a, i
    end
    local within = next > 1 and next <= other.size
    local more = within and other.gap[next] + other.slack[next] - 1 or 0
    into.value[k], into.gap[k] = own.value[at], own.gap[at]
    into.slack[k] = own.slack[at] + more
    i, j = first and i + 1 or i, first and j or j + 1
  end
  return into
end

-- Puts neighbours together from the right, as far as the bound allows.
function m.compress(s)
  local value, gap, slack = s.value, s.gap, s.slack
  local count, size = s.count, s.size
  local most = ERROR * count
  local rank, k = count, size -- k is the last that is kept, and this its rank
  for i = size - 1, 1, -1 do
    local below = rank - gap[k] -- the rank of i, at least
    local inner = below > ENDS and below <= count - ENDS
    if inner and gap[i] + gap[k] + slack[k] <= most then
      gap[k] = gap[k] + gap[i]
    else
      rank, k = below, k - 1
      value[k], gap[k], slack[k] = value[i], gap[i], slack[i]
    end
  end
  s.size = size - k + 1
  table.move(value, k, size, 1)
  table.move(gap, k, size, 1)
  table.move(slack, k, size, 1)
end

return m
