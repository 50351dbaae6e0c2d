-- Deadlines: wait_timeout, ask_timeout, timeout, also where they meet what they
-- wait for at the same instant; and that no message is ever lost by them.
local md = require "moondial"
local story = require("spec.host.support").story

local orders = { "fifo", "lifo", "random" }

local function kind(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local err = results[2]
  return type(err) == "table" and err.kind or err
end

-- A value that says "closed" when its block is left.
local function closing(say, d)
  return setmetatable({}, {
    __close = function(_, err)
      if d then
        md.sleep(d)
      end
      say("closed", err ~= nil)
    end,
  })
end

describe("wait_timeout", function()
  it("raises at exactly now + d (0.11)", function()
    local told = story(function(say)
      say(kind(md.wait_timeout, 2.5, "x"))
      local ok, err = pcall(md.wait_timeout, 0, "x")
      say(ok, err.kind, err.time)
      assert.matches("wait_timeout: no message came in time$", err.message)
    end)
    assert.same({ "2.5 timeout", "2.5 false timeout 2.5" }, told)
  end)

  it("takes what waits already, even with no time at all", function()
    local told = story(function(say)
      md.send(md.self(), "x", 1)
      say(md.wait_timeout(0, "x"))
    end)
    assert.same({ "0 1" }, told)
  end)
end)

describe("timeout", function()
  it("returns what the function returns, and passes its errors on", function()
    local told = story(function(say)
      say(md.timeout(2, function(...)
        md.sleep(1)
        return ...
      end, 1, nil, 3))
      local mine = {}
      local ok, err = pcall(md.timeout, 2, error, mine)
      say(ok, rawequal(err, mine))
      md.sleep(5)
      say "no limit is left"
    end)
    assert.same({ "1 1 nil 3", "1 false true", "6 no limit is left" }, told)
  end)

  it("passes through pcall and xpcall inside of it", function()
    local told = story(function(say)
      say(kind(md.timeout, 2, function()
        while true do
          pcall(md.sleep, 9)
          xpcall(md.sleep, say, 9)
          say "caught"
        end
      end))
      md.sleep(1)
      say "goes on"
    end)
    assert.same({ "2 timeout", "3 goes on" }, told)
  end)

  it("closes what is open, inner first, also when that takes time", function()
    local told = story(function(say)
      say(kind(md.timeout, 2, function()
        local _ <close> = closing(say)
        local _ <close> = closing(say, 3)
        md.wait "never"
      end))
    end)
    assert.same({ "5 closed true", "5 closed true", "5 timeout" }, told)
  end)

  it("nests: the inner one first, the outer one through it", function()
    local told = story(function(say)
      say(kind(md.timeout, 5, function()
        say(kind(md.timeout, 1, md.sleep, 9))
        say(kind(md.timeout, 9, md.sleep, 8))
        say "never"
      end))
      say(kind(md.timeout, 2, md.timeout, 2, md.sleep, 9))
    end)
    assert.same({ "1 timeout", "5 timeout", "7 timeout" }, told)
  end)

  it("reaches into generators", function()
    local told = story(function(say)
      local turns = coroutine.wrap(function()
        local _ <close> = closing(say)
        coroutine.yield(1)
        md.sleep(9)
      end)
      turns()
      say(kind(md.timeout, 2, turns))
    end)
    assert.same({ "2 closed true", "2 timeout" }, told)
  end)

  it("gives way to a kill", function()
    local told = story(function(say)
      local p = md.spawn(md.timeout, 5, function()
        local _ <close> = closing(say, 9)
        md.wait "never"
      end)
      md.sleep(1)
      md.kill(p, "now")
      local _, err = pcall(md.join, p)
      say(err.kind, err.reason)
    end)
    assert.same({ "10 closed true", "10 killed now" }, told)
  end)
end)

describe("a deadline that meets its grant", function()
  it("takes the message that was sent first, in all orders", function()
    for _, order in ipairs(orders) do
      for seed = 1, 5 do
        local told = story({ order = order, seed = seed }, function(say)
          local waiter = md.spawn(function()
            local ok, err = pcall(md.wait_timeout, 2, "x")
            md.sleep(0.5)
            say(ok and "granted" or err.kind, md.inbox())
          end)
          md.sleep(2)
          md.send(waiter, "x")
        end)
        local granted = told[1] == "2.5 granted 0"
        assert.is_true(granted or told[1] == "2.5 timeout 1", told[1])
      end
    end
  end)

  it("never gives both the reply and the timeout", function()
    for _, order in ipairs(orders) do
      for seed = 1, 5 do
        local told = story({ order = order, seed = seed }, function(say)
          local server = md.spawn(function()
            local from, ref = md.wait("x", md._, md._)
            md.sleep(2)
            md.reply(from, ref, "granted")
          end)
          say(kind(md.ask_timeout, 2, server, "x"))
          md.sleep(1)
          say(md.inbox())
        end)
        assert.is_true(told[1] == "2 granted" or told[1] == "2 timeout")
        assert.equal("3 0", told[2])
      end
    end
  end)

  it(
    "of timeout puts a message that was not taken back in its place",
    function()
      for _, order in ipairs(orders) do
        local told = story({ order = order }, function(say)
          local me = md.self()
          md.send_after(2, me, "a", 1)
          md.send_after(2, me, "b", 2)
          local got = kind(md.timeout, 2, md.wait, "a")
          md.sleep(1)
          say(got == 1 or got == "timeout")
          if got == "timeout" then
            say(md.wait "a")
          else
            say(1)
          end
          say(md.wait())
        end)
        assert.same({ "3 true", "3 1", "3 b 2" }, told)
      end
    end
  )
end)

describe("messages", function()
  -- A way to take one message that gives its number, or nothing.
  local ways = {
    function()
      return md.wait "m"
    end,
    function()
      return md.wait_timeout(1, "m", md._)
    end,
    function()
      return select(2, md.timeout(1, md.wait, md._, md.is.integer))
    end,
    function()
      return md.receive { { "m", md._ }, after = { 1 } }
    end,
  }

  -- Receivers that are interrupted, killed and timed out at the instants of
  -- delivery. Returns how often each message was seen: taken, left or dropped.
  local function conserve(order, seed)
    local sim = md.sim { order = order, seed = seed }
    local plan, pids, seen, sent = sim:rng "plan", {}, {}, 0
    local function see(n)
      seen[n] = (seen[n] or 0) + 1
    end
    for i = 1, 4 do
      pids[i] = sim:spawn(function()
        while true do
          local ok, n = pcall(ways[plan:integer(1, 4)])
          if ok and n then
            see(n)
          end
        end
      end)
    end
    local dropped = 0
    sim:spawn(function()
      for turn = 1, 300 do
        local to = pids[plan:integer(1, 4)]
        if plan:bernoulli(0.8) then
          sent = sent + 1
          if not md.info(to).where or md.status(to) == "failed" then
            dropped = dropped + 1
          end
          md.send(to, "m", turn)
        end
        if plan:bernoulli(0.4) then
          md.interrupt(to, "now")
        end
        if turn == 200 then
          md.kill(pids[1])
          dropped = dropped + md.inbox(pids[1])
        end
        if plan:bernoulli(0.5) then
          md.sleep(plan:integer(0, 2) / 2)
        end
      end
    end)
    sim:run(400)
    local left = 0
    for i = 2, 4 do
      left = left + sim:inbox(pids[i])
    end
    return sent, seen, left, dropped
  end

  it("are taken, left or dropped with the dead, never lost or twice", function()
    for _, order in ipairs(orders) do
      for seed = 1, 12 do
        local sent, seen, left, dropped = conserve(order, seed)
        local taken = 0
        for _, times in pairs(seen) do
          assert.equal(1, times)
          taken = taken + 1
        end
        assert.equal(sent, taken + left + dropped, order .. " " .. seed)
      end
    end
  end)
end)
