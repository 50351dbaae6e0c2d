-- Instances of templates that are recorded in a sim of their own, and replays
-- of their records in another: for the specs of both.
local assert = require "luassert"
local md = require "moondial"
local same = require "moondial.same"
local replayed = require "spec.fuzz.replayed"

local m = {}

-- The signals of an instance since the last time.
function m.pulled(p)
  local list = {}
  for s in p:pull() do
    list[#list + 1] = s
  end
  return list
end

-- The kinds of a list of signals, in one line.
function m.kinds(list)
  local words = {}
  for i, s in ipairs(list) do
    words[i] = s.kind
  end
  return table.concat(words, " ")
end

-- That two lists of signals are the same, if one begins so much later.
function m.assert_same(expected, list, late)
  local map = same.new(md.sim())
  assert.equal(m.kinds(expected), m.kinds(list))
  for i, a in ipairs(expected) do
    local b = list[i]
    assert.equal(a.seq, b.seq)
    assert.is_true(math.abs(a.time + (late or 0) - b.time) < 1e-9)
    for field, value in pairs(a) do
      local skip = field == "time" or field == "at"
      assert.is_true(skip or map:same(value, b[field]), i .. " " .. field)
    end
  end
end

-- The first n signals of a list, as replay takes them.
function m.signals(list, n)
  return { signals = replayed.signals(list, n or #list) }
end

-- A list with some fields of its nth signal changed.
function m.changed(list, n, changes)
  local new, signal = table.move(list, 1, #list, 1, {}), {}
  for _, fields in ipairs { list[n], changes } do
    for field, value in pairs(fields) do
      signal[field] = value
    end
  end
  new[n] = signal
  return new
end

-- Runs a body as an instance in a sim of its own, while act(p, sim) does what
-- comes from outside; its record, and the template.
function m.record(body, act, ...)
  local sim = md.sim()
  local t = { name = "t", entrypoint = body }
  local p = sim:template(t):create(...):start()
  if act then
    act(p, sim)
  end
  sim:run()
  return m.pulled(p), t
end

-- Another instance of it, in another sim.
function m.again(t, ...)
  return md.sim():template(t):create(...)
end

-- What a replay of the list says is different, and the instance.
function m.difference(t, list, ...)
  local p = m.again(t, ...)
  local ok, err = pcall(p.replay, p, m.signals(list))
  assert.is_false(ok)
  assert.equal("journal", err.kind)
  return (err.message:gsub("^[%w%p]*:%d+: ", "")), p
end

-- Says hello to so many, as they come.
function m.greet(count)
  for i = 1, count do
    md.emit(("greeting #%d: Hello %s!"):format(i, md.wait()))
  end
  return "bye"
end

-- The record of greet, after two of three.
function m.greeted()
  return m.record(m.greet, function(p)
    p:push "Alice"
    p:push "Bob"
  end, 3)
end

return m
