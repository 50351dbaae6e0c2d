-- Killing a process in every state it can be in.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function killed(pid, reason)
  local ok, err = pcall(md.join, pid)
  assert.is_false(ok)
  assert.equal("killed", err.kind)
  assert.equal(reason, err.reason)
  assert.equal("failed", md.status(pid))
  return err
end

-- What a victim does when it is killed at the time 1.
local victims = {
  ["that sleeps"] = function()
    md.sleep(10)
  end,
  ["that waits for a message"] = function()
    md.wait("never", md._)
  end,
  ["that waits with a time limit"] = function()
    md.wait_timeout(10, "never")
  end,
  ["that receives by clauses"] = function()
    md.receive { { "never" }, after = { 10 } }
  end,
  ["that asks"] = function()
    md.ask(md.spawn(md.sleep, 10), "question")
  end,
  ["that joins"] = function()
    md.join(md.spawn(md.sleep, 10))
  end,
  ["that joins with a time limit"] = function()
    md.join(md.spawn(md.sleep, 10), 5)
  end,
  ["that waits for room"] = function()
    local full = md.spawn({ inbox = 1 }, md.sleep, 10)
    md.send(full, 1)
    md.send(full, 2)
  end,
  ["in a turn of every"] = function()
    for _ in md.every(4) do
    end
  end,
  ["in a pcall"] = function()
    pcall(md.sleep, 10)
    error "caught its own end"
  end,
  ["in pcalls in a loop"] = function()
    while true do
      pcall(md.sleep, 10)
    end
  end,
  ["in an xpcall"] = function()
    xpcall(md.sleep, function()
      error "a handler saw it"
    end, 10)
    error "caught its own end"
  end,
  ["in a time limit"] = function()
    pcall(md.timeout, 5, md.timeout, 6, md.sleep, 10)
    error "caught its own end"
  end,
  ["in a generator"] = function()
    for _ in
      coroutine.wrap(function()
        md.sleep(10)
      end)
    do
    end
  end,
  ["in a coroutine in a pcall in a coroutine"] = function()
    coroutine.resume(coroutine.create(function()
      pcall(coroutine.wrap(function()
        md.sleep(10)
      end))
      error "caught its own end"
    end))
    error "caught its own end"
  end,
  ["in a metamethod"] = function()
    return setmetatable({}, {
      __index = function()
        md.sleep(10)
      end,
    }).x
  end,
  ["that is due at that very time"] = function()
    md.sleep(1)
    error "had its turn"
  end,
}

describe("a process", function()
  for name, body in pairs(victims) do
    it(name .. " is killed, with its closers", function()
      local told = story(function(say)
        local p
        md.at(1, function()
          assert.is_true(md.kill(p, "why"))
          assert.equal("failed", md.status(p))
          assert.is_false(md.kill(p, "again"))
        end)
        p = md.spawn(function()
          local _ <close> = closer(say, "closed")
          body()
        end)
        killed(p, "why")
        say "joined"
      end)
      assert.same({ "1 closed", "1 joined" }, told)
    end)
  end

  it("that has not started never does", function()
    assert.same(
      { "0 joined", "0 joined" },
      story(function(say)
        local now = md.spawn(say, "started")
        local later = md.spawn({ at = 5 }, say, "started")
        assert.is_true(md.kill(now))
        assert.is_true(md.kill(later, 7))
        killed(now, nil)
        say "joined"
        killed(later, 7)
        say "joined"
      end)
    )
  end)

  it("may kill itself", function()
    assert.same(
      { "0 closed" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(say, "closed")
          pcall(md.kill, md.self(), "tired")
          say "never"
        end)
        killed(p, "tired")
      end)
    )
  end)

  it("that is dead is not killed", function()
    story(function()
      local p = md.spawn(function()
        return 5
      end)
      assert.equal(5, md.join(p))
      assert.is_false(md.kill(p))
      assert.equal(5, md.join(p))
      assert.equal("done", md.status(p))
    end)
  end)

  it("keeps any reason, a table too", function()
    story(function()
      local reason = { code = 3 }
      local p = md.spawn(md.sleep, 1)
      md.kill(p, reason)
      killed(p, reason)
    end)
  end)

  it("that nobody joins ends without harm to the run", function()
    assert.same(
      { "1 end" },
      story(function(say)
        md.kill(md.spawn(md.sleep, 5), "why")
        md.sleep(1)
        say "end"
      end)
    )
  end)

  it("that is killed takes no message, and gives none away", function()
    story(function()
      local p = md.spawn({ inbox = 1 }, function()
        local _ <close> = closer(md.sleep, 2)
        md.sleep(10)
      end)
      md.send(p, 1)
      local sender = md.spawn(md.send, p, 2)
      md.sleep(1)
      assert.equal("waiting", md.status(sender))
      md.kill(p)
      md.send(p, 3)
      local ok, err = pcall(md.ask, p, "x")
      assert.is_false(ok)
      assert.equal("noproc", err.kind)
      assert.equal(3, md.now())
      md.sleep(0)
      assert.equal("done", md.status(sender))
    end)
  end)

  it("gives up its place in a line", function()
    story(function()
      local got = {}
      local p = md.spawn({ inbox = 1 }, function()
        md.sleep(2)
        for i = 1, 2 do
          got[i] = md.wait()
        end
        assert.equal(0, md.inbox())
      end)
      md.send(p, 1)
      local loser = md.spawn(md.send, p, 2)
      local winner = md.spawn(md.send, p, 3)
      md.sleep(1)
      md.kill(loser)
      md.join(winner)
      md.join(p)
      assert.same({ 1, 3 }, got)
    end)
  end)
end)
