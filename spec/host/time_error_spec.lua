-- What is refused as a time or a duration, and how.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function fails(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(pattern, tostring(err))
  return err
end

describe("what is no time", function()
  local calls = {
    sleep = md.sleep,
    sleep_until = md.sleep_until,
    every = md.every,
    at = function(t)
      return md.at(t, print)
    end,
    after = function(t)
      return md.after(t, print)
    end,
    wait_timeout = md.wait_timeout,
    timeout = function(t)
      return md.timeout(t, print)
    end,
    spawn = function(t)
      return md.spawn({ after = t }, print)
    end,
    send_after = function(t)
      return md.send_after(t, md.self(), "x")
    end,
  }
  local wrong = {
    [-1] = "time never runs backwards",
    [math.huge] = "got inf",
    [-math.huge] = "got %-inf",
    [1e10] = "too distant: the clock ends at 9223372036.854775807",
    [math.maxinteger] = "too distant",
    [math.mininteger] = "time never runs backwards",
    ["5"] = "got '5'",
  }
  for name, call in pairs(calls) do
    it("is refused by " .. name .. ", and changes nothing", function()
      story(function()
        for value, pattern in pairs(wrong) do
          local err = fails(pattern, call, value)
          assert.equal("usage", err.kind)
        end
        fails("nan; NaN often comes from 0/0", call, 0 / 0)
        fails("got a table", call, {})
        fails("got true", call, true)
        assert.equal(0, md.now())
      end)
    end)
  end

  it("is an error at the line of the caller", function()
    story(function()
      local line
      local _, err = pcall(function()
        line = debug.getinfo(1, "l").currentline + 1
        md.sleep(-1)
      end)
      assert.matches(
        "^time_error_spec.lua:" .. line .. ": sleep",
        err.message:match("[^/]*$")
      )
      assert.equal(0, err.time)
      assert.equal("process 1", err.process)
    end)
  end)

  it("a sum past the end of the clock is refused, too", function()
    story({ precision = 0 }, function()
      md.sleep_until(math.maxinteger - 5)
      fails("too distant", md.sleep, 6)
      fails("too distant", md.after, 6, print)
      fails("delay", md.delay, 6)
      md.sleep(5)
    end)
  end)
end)
