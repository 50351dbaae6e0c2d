-- What bounds a run: instructions, events at one instant, memory; and how it
-- ends when nothing is left to happen.
local support = require "spec.host.support"
local run = support.run

local function fails(text, status, said, options)
  local got = run(text, options)
  assert.equal(said, got.err)
  assert.equal(status, got.status)
  return got
end

local function busy(name, line)
  return "moondial: model.lua:"
    .. line
    .. ": "
    .. name
    .. " has run 50000 "
    .. "instructions without a blocking call; let its loop sleep or wait, or "
    .. "raise --instructions\n"
end

describe("--instructions", function()
  local options = { options = "--instructions 50000" }

  it("ends a process that never blocks (0.12)", function()
    fails(
      [[
local md = require "moondial"
md.spawn({name = "loop"}, function()
  md.sleep(1)
  while true do end
end)
]],
      1,
      busy("'loop'", 4)
        .. [[
  in 'loop' at time 1
stack traceback:
	model.lua:4: in the function at line 2
]],
      options
    )
  end)

  it("lets a process run that blocks in time", function()
    local got = run(
      [[
local md = require "moondial"
md.spawn(function()
  for _ = 1, 20 do
    for _ = 1, 20000 do end
    md.sleep(1)
  end
  print "done"
end)
]],
      options
    )
    assert.equal("done\n", got.out)
    assert.equal("", got.err)
  end)

  -- Ways to keep an error from getting out; each loops for ever.
  local keepers = {
    pcall = "while true do pcall(function() while true do end end) end",
    xpcall = [[while true do
      xpcall(function() while true do end end, function() return 1 end)
    end]],
    resume = [[while true do
      coroutine.resume(coroutine.create(function() while true do end end))
    end]],
    wrap = [[while true do
      pcall(coroutine.wrap(function() while true do end end))
    end]],
    load = "while true do load(function() while true do end end) end",
    close = [[while true do
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, {__close = function()
          while true do end
        end})
        coroutine.yield()
      end)
      coroutine.resume(co)
      coroutine.close(co)
    end]],
    closer = [[
      local _ <close> = setmetatable({}, {__close = function()
        while true do pcall(function() while true do end end) end
      end})
      while true do end]],
    timeout = "md.timeout(1, function() while true do end end)",
  }

  for name, body in pairs(keepers) do
    it("cannot be caught by " .. name, function()
      local got = run(
        ([[
local md = require "moondial"
md.spawn(function() %s end)
print(pcall(md.run))
print "never"
]]):format(body),
        options
      )
      assert.equal(1, got.status)
      assert.equal("", got.out)
      assert.matches(
        "has run 50000 instructions without a blocking call",
        got.err
      )
    end)
  end

  it("counts for the script and for callbacks, too", function()
    fails("while true do end", 1, busy("the script", 1) .. [[
stack traceback:
	model.lua:1: in the main chunk
]], options)
    local got = run(
      [[
local md = require "moondial"
md.at(1, function() while true do end end)
]],
      options
    )
    assert.equal(1, got.status)
    assert.matches("in a callback at time 1\n", got.err)
  end)
end)

describe("an instant without end", function()
  it("names the busiest processes", function()
    fails(
      [[
local md = require "moondial"
md.spawn({name = "a"}, function() while true do md.yield() end end)
md.spawn({name = "b"}, function() while true do md.sleep(0) end end)
md.spawn(function() md.sleep(10) end)
]],
      1,
      "moondial: too many events at the time 0 and no end: processes or "
        .. "callbacks go on without letting time pass; the busiest of the "
        .. "last events: 'a' (50000), 'b' (50000); let them sleep, or raise "
        .. "md.sim{zeno = n}\n"
    )
  end)

  it("is as long as zeno allows", function()
    local got = run([[
local md = require "moondial"
local sim = md.sim{zeno = 1000}
sim:spawn(function() for _ = 1, 900 do md.yield() end end)
print(sim:run())
sim:spawn(function() for _ = 1, 1100 do md.yield() end end)
print(pcall(sim.run, sim))
]])
    assert.matches("^done\t0.0\nfalse\t", got.out)
    assert.matches("too many events at the time 0", got.out)
  end)
end)

describe("--memory", function()
  it("gives an error that pcall catches, of kind memory", function()
    local got = run(
      [[
local md = require "moondial"
local function try(f, ...)
  local ok, err = pcall(f, ...)
  print(ok, type(err) == "table" and err.kind)
  collectgarbage()
end
try(string.rep, "x", 1 << 24)
try(function() local t = {} for i = 1, 1e8 do t[i] = i end end)
try(function() local t = {} while true do t = {t, t} end end)
local sim = md.sim()
try(function() while true do sim:spawn(function() end) end end)
sim = nil
collectgarbage()
sim = md.sim()
local p = sim:spawn(print)
try(function() while true do sim:send(p, {}) end end)
sim = nil
collectgarbage()
try(coroutine.wrap(string.rep), "x", 1 << 24)
print(md.now())
]],
      { options = "--memory 8M" }
    )
    assert.equal(("false\tmemory\n"):rep(6) .. "0.0\n", got.out)
    assert.equal(0, got.status)
  end)

  it("reaches who joins, as any error", function()
    local got = run(
      [[
local md = require "moondial"
md.spawn(function()
  local p = md.spawn(string.rep, "x", 1 << 24)
  local ok, err = pcall(md.join, p)
  print(ok, err.kind)
end)
]],
      { options = "--memory 8M" }
    )
    assert.equal("false\tmemory\n", got.out)
    assert.equal(0, got.status)
  end)

  it("says what to do when nobody catches it", function()
    for _, body in ipairs {
      'string.rep("x", 1 << 24)',
      "local t = {} for i = 1, 1e8 do t[i] = i end",
      "while true do md.spawn(md.sleep, 1) end",
    } do
      local got = run(
        ([[
local md = require "moondial"
md.spawn(function() %s end)
]]):format(body),
        { options = "--memory 8M" }
      )
      assert.equal(1, got.status)
      assert.matches(
        "^moondial: out of memory: the model needs more than it "
          .. "may have; raise the limit with %-%-memory, or let the model keep "
          .. "less\n  in process 1 at time 0\n",
        got.err
      )
    end
  end)

  it("too small to begin is said", function()
    local got = run("", { options = "--memory 1" })
    assert.equal(1, got.status)
    assert.equal(
      "moondial: out of memory before the model began; raise " .. "--memory\n",
      got.err
    )
  end)
end)

describe("a run that is idle", function()
  local waits = [[
local md = require "moondial"
local a = md.spawn({name = "a"}, function() md.wait("x", md.is.pid) end)
md.spawn({name = "b"}, function() md.receive{{"y"}} end)
md.spawn(function() md.join(a) end)
md.spawn(function() md.ask(a, "q") end)
md.spawn(function() md.wait() end)
]]
  local said = [[
moondial: idle at 0: nothing is scheduled, and 5 processes wait:
  model.lua:2: 'a' waits for a message that begins with 'x', md.is.pid
  model.lua:3: 'b' waits for a message that begins with one of its clauses
  model.lua:4: process 3 waits for the end of 'a'
  model.lua:5: process 4 waits for a reply from 'a'
  model.lua:6: process 5 waits for any message
]]

  it("lists who waits for what, and is no failure", function()
    fails(waits, 0, said)
  end)

  it("fails with 3 under --strict", function()
    fails(waits, 3, said, { options = "--strict" })
    local got = run(waits .. "print(md.run())", { options = "--strict" })
    assert.equal("idle\t0.0\n", got.out)
    assert.equal(3, got.status)
  end)

  it("says nothing when the script has run it, or with --quiet", function()
    fails(waits .. "md.run()", 0, "")
    fails(waits, 0, "", { options = "--quiet" })
  end)
end)
