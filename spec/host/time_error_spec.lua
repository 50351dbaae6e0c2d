-- Times that are none, and spawns of what is no function: the exact texts.
local md = require "moondial"

-- Every call that takes a duration or a time, with the value v.
local durations = {
  sleep = function(v) md.sleep(v) end,
  after = function(v) md.after(v, print) end,
  every = function(v) md.every(v) end,
  send_after = function(v) md.send_after(v, md.self(), "x") end,
  timeout = function(v) md.timeout(v, print) end,
  wait_timeout = function(v) md.wait_timeout(v, "x") end,
  receive = function(v) md.receive { after = { v } } end,
  join = function(v) md.join(md.spawn(md.sleep, 1), v) end,
}
local times = {
  at = function(v) md.at(v, print) end,
  send_at = function(v) md.send_at(v, md.self(), "x") end,
  sleep_until = function(v) md.sleep_until(v) end,
  spawn = function(v) md.spawn({ at = v }, print) end,
}

-- What the calling process is told at its own line, without the place.
local function said(f, ...)
  local ok, err
  local sim = md.sim()
  sim:spawn(function(...)
    md.sleep(0.5)
    ok, err = pcall(f, ...)
  end, ...)
  sim:run()
  assert.is_false(ok)
  assert.equal("usage", err.kind)
  local line, text = err.message:match "^spec/host/time_error_spec.lua:(%d+): (.*)$"
  assert.is_truthy(line)
  return text
end

local got = {
  { -1, "-1; time never runs backwards" },
  { -0.5, "-0.5; time never runs backwards" },
  { 0 / 0, "nan; NaN often comes from 0/0 or log(-1)" },
  { math.huge, "inf; to wait without end, wait for a message: md.wait()" },
  { -math.huge, "-inf; time never runs backwards" },
  { "3", "'3'; md.time(\"250us\") reads a text with a unit" },
  { {}, "a table" },
  { true, "true" },
}

describe("a time that is none", function()
  for _, row in ipairs(got) do
    it("is refused: " .. row[2], function()
      for call, f in pairs(durations) do
        assert.equal(call .. ": expected a duration, a number of at least 0, "
          .. "got " .. row[2], said(f, row[1]))
      end
      for call, f in pairs(times) do
        assert.equal(call .. ": expected a time, a number of at least 0, got "
          .. row[2], said(f, row[1]))
      end
    end)
  end

  it("is refused when it is too distant", function()
    for _, list in ipairs { durations, times } do
      for call, f in pairs(list) do
        assert.equal(call .. ": 1e+30 is too distant: the clock ends at "
          .. "9223372036.854775807; take a larger unit of time or a lower "
          .. "precision: md.sim{precision = 6}", said(f, 1e30))
      end
    end
    assert.matches("^sleep: 9223372036 is too distant", said(function()
      md.sleep(1)
      md.sleep(9223372036)
    end))
  end)

  it("is refused when it is past", function()
    for call, f in pairs(times) do
      assert.equal(call .. ": 0.25 is in the past, the time is 0.5; use a "
        .. "time from now on: md.now() + d", said(f, 0.25))
    end
  end)

  it("is refused when it is missing", function()
    assert.equal("sleep: expected a duration, a number of at least 0, got "
      .. "nothing", said(function() md.sleep() end))
    assert.equal("every: expected a period of at least one tick, got 0",
      said(function() md.every(0) end))
  end)

  it("is refused by delay, which counts ticks", function()
    for _, v in ipairs { -1, 1.5, "3", 1e30 } do
      local shown = type(v) == "string" and "'3'" or tostring(v)
      assert.equal("delay: expected a whole number of ticks of at least 0, "
        .. "got " .. shown .. "; md.sleep(d) takes units of time",
        said(function() md.delay(v) end))
    end
  end)

  it("is refused by run", function()
    local sim = md.sim()
    for _, row in ipairs(got) do
      if type(row[1]) ~= "table" then
        local _, err = pcall(function() sim:run(row[1]) end)
        assert.equal("run: expected a time, a number of at least 0, got "
          .. row[2], err.message:gsub("^[^:]+:%d+: ", ""))
        _, err = pcall(function() sim:run { to = row[1] } end)
        assert.equal("run: expected a time, a number of at least 0, got "
          .. row[2], err.message:gsub("^[^:]+:%d+: ", ""))
      end
    end
  end)
end)

describe("a spawn of what is no function", function()
  local hint = "; pass the function itself and its arguments after it: "
    .. "md.spawn(f, a, b), not md.spawn(f(a, b))"

  it("is refused, whatever it is", function()
    local function f() end
    assert.equal("spawn: expected a function as argument 1, got nothing"
      .. hint, said(function() md.spawn(f()) end))
    assert.equal("spawn: expected a function as argument 1, got nil" .. hint,
      said(function() md.spawn(nil) end))
    assert.equal("spawn: expected a function as argument 1, got 7" .. hint,
      said(function() md.spawn(7) end))
    assert.equal("spawn: expected a function as argument 2, got nothing"
      .. hint, said(function() md.spawn {} end))
    assert.equal("spawn: expected a function as argument 2, got 'f'" .. hint,
      said(function() md.spawn({ name = "x" }, "f") end))
  end)

  it("does not take a table that can be called for one", function()
    local called
    local sim = md.sim()
    sim:spawn(setmetatable({}, { __call = function(_, x) called = x end }), 5)
    sim:run()
    assert.equal(5, called)
  end)
end)

describe("an unknown option", function()
  it("is refused with the nearest one that there is", function()
    assert.equal("spawn: there is no option 'pirority'; did you mean "
      .. "'priority'?", said(function() md.spawn({ pirority = 1 }, print) end))
    assert.equal("sim: there is no option 'sed'; did you mean 'seed'?",
      said(function() md.sim { sed = 1 } end))
    assert.equal("every: there is no option 'cout'; did you mean 'count'?",
      said(function() md.every(1, { cout = 1 }) end))
    assert.equal("run: there is no option 'event'; did you mean 'events'?",
      said(function() md.sim():run { event = 1 } end))
    assert.equal("receive: there is no option 'afer'; did you mean 'after'?",
      said(function() md.receive { { "x" }, afer = { 1 } } end))
    assert.equal("spawn: options are named fields, got the key 1",
      said(function() md.spawn({ "x" }, print) end))
  end)
end)
