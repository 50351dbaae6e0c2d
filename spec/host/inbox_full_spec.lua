-- What a full inbox does with one message more: policies, and bad options.
local md = require "moondial"
local story = require("spec.host.support").story

local function kind(f, ...)
  local ok, err = pcall(f, ...)
  return not ok and type(err) == "table" and err.kind
end

-- A process that lets its inbox fill until d, then says what comes.
local function slow(say, d, n)
  return function()
    md.sleep(d)
    for _ = 1, n do
      say("took", md.wait())
    end
  end
end

describe("a full inbox that drops", function()
  it("drops the message that arrives", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 2, on_full = "drop" }, slow(say, 1, 2))
      for i = 1, 5 do
        md.send(to, i)
      end
      say "never waits"
    end)
    assert.same({ "0 never waits", "1 took 1", "1 took 2" }, told)
  end)
end)

describe("a full inbox that is an error", function()
  it("raises overflow at the sender", function()
    local told = story(function(say)
      local to = md.spawn(
        { inbox = 1, on_full = "error", name = "desk" },
        slow(say, 1, 1)
      )
      md.send(to, 1)
      local ok, err = pcall(md.send, to, 2)
      say(ok, err.kind, kind(md.ask, to, "x"))
      assert.matches(
        "inbox_full_spec.lua:%d+: send: the inbox of 'desk' is full "
          .. "%(1 message%); ",
        err.message
      )
    end)
    assert.same({ "0 false overflow overflow", "1 took 1" }, told)
  end)
end)

describe("spawn", function()
  it("refuses a capacity or a policy that is none", function()
    for _, case in ipairs {
      { { inbox = 0 }, "an integer from 1 to 4294967295 as inbox, got 0" },
      { { inbox = 1.5 }, "an integer from 1 to 4294967295 as inbox, got 1.5" },
      {
        { inbox = 1 << 32 },
        "an integer from 1 to 4294967295 as inbox, got 4294967296",
      },
      { { inbox = "3" }, "an integer from 1 to 4294967295 as inbox, got '3'" },
      {
        { inbox = 1, on_full = {} },
        '"block", "drop" or "error" as on_full, got a table',
      },
      {
        { inbox = 1, on_full = "burst" },
        '"block", "drop" or "error" as on_full, got \'burst\'',
      },
    } do
      local _, err = pcall(md.sim().spawn, md.sim(), case[1], print)
      assert.equal(
        "spawn: expected " .. case[2],
        err.message:match "spawn: .*$"
      )
    end
  end)
end)
