-- Lua's coroutine library as a model meets it: in a process, and in a
-- generator that blocks, it gives what plain Lua 5.4 gives.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

-- What plain Lua 5.4 returns for each text.
local plain = {
  {
    "true 1 nil 3",
    [[
    local c = co.create(function(...) return ... end)
    return co.resume(c, 1, nil, 3)]],
  },
  {
    "true true false cannot resume dead coroutine",
    [[
    local c = co.create(function(a) return (co.yield(a + 1)) end)
    return co.resume(c, 1), co.resume(c, 5), co.resume(c)]],
  },
  {
    "suspended true dead",
    [[
    local c = co.create(function() end)
    return co.status(c), co.resume(c), co.status(c)]],
  },
  { "false t:1: x", "return co.resume(co.create(function() error 'x' end))" },
  {
    "table dead false",
    [[
    local c = co.create(function() error {} end)
    local _, e = co.resume(c)
    return type(e), co.status(c), (co.close(c))]],
  },
  { "false nil", "return co.resume(co.create(error))" },
  { "false t:1: x", "return pcall(co.wrap(function() error 'x' end))" },
  {
    "false cannot resume dead coroutine",
    [[
    local w = co.wrap(function() end)
    w()
    return pcall(w)]],
  },
  {
    "true false cannot resume non-suspended coroutine",
    [[
    local c
    c = co.create(function() return co.resume(c) end)
    return co.resume(c)]],
  },
  {
    "true true normal false cannot resume non-suspended coroutine",
    [[
    local a, b
    a = co.create(function() return co.resume(b) end)
    b = co.create(function() return co.status(a), co.resume(a) end)
    return co.resume(a)]],
  },
  {
    "true dead true",
    [[
    local c = co.create(function() co.yield() end)
    co.resume(c)
    return co.close(c), co.status(c), co.close(c)]],
  },
  {
    "true false cannot close a running coroutine",
    [[
    local c
    c = co.create(function() return pcall(co.close, c) end)
    return co.resume(c)]],
  },
  {
    "false closing nil",
    [[
    local c = co.create(function()
      local _ <close> = setmetatable({}, { __close = function(_, e)
        error("closing " .. tostring(e), 0)
      end })
      co.yield()
    end)
    co.resume(c)
    return co.close(c)]],
  },
  {
    "boom false boom resumed,boom",
    [[
    local log = {}
    local c = co.create(function()
      local _ <close> = setmetatable({}, { __close = function(_, e)
        log[#log + 1] = e
      end })
      error("boom", 0)
    end)
    local _, e = co.resume(c)
    log[#log + 1] = "resumed"
    local ok, again = co.close(c)
    return e, ok, again, table.concat(log, ",")]],
  },
  {
    "true true false",
    [[
    local c = co.create(function()
      return co.isyieldable(), select(2, co.running())
    end)
    return co.resume(c)]],
  },
  {
    "1 false e",
    [[
    local w = co.wrap(function()
      return pcall(function() co.yield(1) error("e", 0) end)
    end)
    return w(), w()]],
  },
  {
    "1 false e!",
    [[
    local w = co.wrap(function()
      return xpcall(function() co.yield(1) error("e", 0) end, function(m)
        return m .. "!"
      end)
    end)
    return w(), w()]],
  },
  {
    "add 5",
    [[
    local w = co.wrap(function()
      return setmetatable({}, { __add = function()
        return co.yield "add"
      end }) + 1
    end)
    return w(), w(5)]],
  },
  {
    "2 3",
    [[
    local w = co.wrap(function() return select("#", co.yield(nil, nil)) end)
    return select("#", w()), w(nil, nil, nil)]],
  },
  {
    "false attempt to yield across a C-call boundary",
    [[
    return co.resume(co.create(function()
      table.sort({ 3, 2, 1 }, function() co.yield() end)
    end))]],
  },
  {
    "true true true 1 2",
    [[
    local c = co.create(function()
      local _ <close> = setmetatable({}, { __close = function()
        co.yield "closing"
      end })
      return 1, 2
    end)
    return true, co.resume(c), co.resume(c)]],
  },
  {
    "bottom",
    [[
    local function rec(n)
      return n == 0 and "bottom" or co.wrap(rec)(n - 1)
    end
    return rec(50)]],
  },
  {
    "false C stack overflow",
    [[
    local function rec() return co.wrap(rec)() end
    local ok, e = pcall(rec)
    return ok, (e:match "C stack overflow")]],
  },
  {
    "true 201",
    [[
    local c = co.create(function() co.yield(table.unpack({}, 1, 200)) end)
    return true, select("#", co.resume(c))]],
  },
  {
    "true 1 nil 3",
    "return xpcall(function(...) return ... end, print, " .. "1, nil, 3)",
  },
  {
    "false hx",
    [[
    return xpcall(error, function(e) return "h" .. e end, "x")]],
  },
  {
    "false bad argument #1 to 'pcall' (value expected)",
    "return pcall(pcall)",
  },
  {
    "2 1",
    [[
    return select("#", pcall(error)), select("#", pcall(function() end))]],
  },
}

local function shown(...)
  local values = table.pack(...)
  for i = 1, values.n do
    values[i] = tostring(values[i])
  end
  return table.concat(values, " ")
end

local environment = setmetatable({ co = coroutine }, { __index = _G })

-- The lines of the texts do not count: an error's is always 1.
local function compiled(text)
  return assert(load(text:gsub("\n", " "), "=t", "t", environment))
end

describe("the coroutine library", function()
  for i, case in ipairs(plain) do
    local expected = case[1]
    it("gives what plain Lua gives, case " .. i, function()
      assert.equal(expected, shown(compiled(case[2])()))
      story(function()
        assert.equal(expected, shown(compiled(case[2])()))
      end)
    end)
    it("also in a generator that blocks, case " .. i, function()
      story(function()
        md.spawn(function()
          for _ in md.every(0.5, { count = 5 }) do
          end
        end)
        for got in
          coroutine.wrap(function()
            md.sleep(1)
            coroutine.yield(shown(compiled(case[2])()))
            md.sleep(1)
          end)
        do
          assert.equal(expected, got)
        end
      end)
    end)
  end

  it("takes the script for the main coroutine", function()
    local run = support.run [[
      print(select(2, coroutine.running()), coroutine.isyieldable())
      coroutine.wrap(function()
        print(select(2, coroutine.running()), coroutine.isyieldable())
      end)()
      print(pcall(coroutine.yield))
    ]]
    assert.matches("^true\tfalse\nfalse\ttrue\nfalse\t", run.out)
  end)

  it("refuses a yield that nobody resumed, and says what to do", function()
    story(function()
      local ok, err = pcall(coroutine.yield, 1)
      assert.is_false(ok)
      assert.matches("outside of a generator", err.message)
      assert.matches("md.yield", err.message)
      assert.is_false(coroutine.isyieldable())
    end)
  end)

  it("does not let others touch one that is blocked in a process", function()
    assert.same(
      { "0.5 ok", "2 1" },
      story(function(say)
        local c = coroutine.create(function()
          md.sleep(2)
          return 1
        end)
        local p = md.spawn(function()
          say(select(2, coroutine.resume(c)))
        end)
        md.sleep(0.5)
        assert.equal("normal", coroutine.status(c))
        local ok, err = coroutine.resume(c)
        assert.is_false(ok)
        assert.matches("waits in a process", err)
        ok, err = pcall(coroutine.close, c)
        assert.is_false(ok)
        assert.matches("cannot close", err)
        say "ok"
        md.join(p)
        assert.equal("dead", coroutine.status(c))
      end)
    )
  end)

  it("does not let the coroutine of a process be resumed", function()
    story(function()
      local own = coroutine.running()
      assert.is_false(coroutine.resume(own))
      md.join(md.spawn(function()
        assert.is_false(coroutine.resume(own))
        assert.is_false(pcall(coroutine.close, own))
      end))
      assert.is_false(pcall(coroutine.wrap(function()
        assert(coroutine.resume(own))
      end)))
      md.sleep(1)
      assert.equal(1, md.now())
    end)
  end)

  it("4.33 lets a generator go from process to process", function()
    assert.same(
      { "1 a 1", "3 b 2", "6 a 3" },
      story(function(say)
        local w = coroutine.wrap(function()
          for i = 1, 3 do
            md.sleep(i)
            coroutine.yield(i)
          end
        end)
        say("a", w())
        md.join(md.spawn(function()
          say("b", w())
        end))
        say("a", w())
      end)
    )
  end)
end)
