-- Interrupting a process in every state it can be in.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function cause(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("interrupt", err.kind)
  return err.cause
end

-- What blocks when it is interrupted at the time 1.
local blocked = {
  sleep = function()
    md.sleep(10)
  end,
  sleep_until = function()
    md.sleep_until(10)
  end,
  wait = function()
    md.wait("never", md._)
  end,
  wait_timeout = function()
    md.wait_timeout(5, "never")
  end,
  receive = function()
    md.receive { { "never" }, { "nor this", print } }
  end,
  ask = function()
    md.ask(md.spawn(md.sleep, 3), "question")
  end,
  join = function()
    md.join(md.spawn(md.sleep, 3))
  end,
  ["join with a time limit"] = function()
    md.join(md.spawn(md.sleep, 3), 2)
  end,
  ["a send to a full inbox"] = function()
    local full = md.spawn({ inbox = 1 }, md.sleep, 3)
    md.send(full, 1)
    md.send(full, 2)
  end,
  ["a turn of every"] = function()
    md.every(4)()
  end,
  ["a time limit"] = function()
    md.timeout(5, md.timeout, 6, md.sleep, 10)
  end,
  ["a generator"] = function()
    coroutine.wrap(function()
      md.sleep(10)
    end)()
  end,
  ["a coroutine, which catches nothing"] = function()
    local ok, err = coroutine.resume(coroutine.create(md.sleep), 10)
    assert.is_false(ok)
    error(err, 0)
  end,
  ["a metamethod"] = function()
    return setmetatable({}, {
      __add = function()
        md.sleep(10)
      end,
    }) + 1
  end,
  ["what would end at that very time"] = function()
    md.sleep(1)
  end,
  ["a wait whose time is over at that very time"] = function()
    md.wait_timeout(1, "never")
  end,
  ["a join whose end comes at that very time"] = function()
    local p = md.spawn(md.sleep, 1)
    md.join(p)
  end,
}

describe("interrupt", function()
  for name, body in pairs(blocked) do
    it("is raised in " .. name, function()
      assert.same({ "1 closed", "1 pow", "2 on" }, story(function(say)
        local p
        md.at(1, function()
          assert.is_true(md.interrupt(p, "pow"))
          assert.equal("ready", md.status(p))
        end)
        p = md.spawn(function()
          say(cause(function()
            local _ <close> = closer(say, "closed")
            body()
          end))
          md.sleep(1)
          say "on"
        end)
      end))
    end)
  end

  it("keeps any cause, and says who was interrupted and where", function()
    story(function()
      local object = {}
      local p = md.spawn({ name = "victim" }, function()
        local ok, err = pcall(md.sleep, 5)
        assert.is_false(ok)
        assert.equal(object, err.cause)
        assert.equal(2, err.time)
        assert.matches("victim", err.process)
        assert.matches("interrupted", err.message)
        assert.is_nil(cause(md.sleep, 5))
        assert.equal("text", cause(md.sleep, 5))
      end)
      md.sleep(2)
      md.interrupt(p, object)
      md.sleep(1)
      md.interrupt(p)
      md.sleep(1)
      md.interrupt(p, "text")
    end)
  end)

  it("of several at one instant are raised one by one, in order", function()
    assert.same({ "1 a", "1 b", "1 c", "3 on" }, story(function(say)
      local p = md.spawn(function()
        for _ = 1, 3 do
          say(cause(md.sleep, 5))
        end
        md.sleep(2)
        say "on"
      end)
      md.sleep(1)
      for _, c in ipairs { "a", "b", "c" } do
        assert.is_true(md.interrupt(p, c))
      end
    end))
  end)

  it("before the start is raised at the first wait", function()
    assert.same({ "0 started", "0 early", "1 on" }, story(function(say)
      local p = md.spawn(function()
        say "started"
        say(cause(md.sleep, 1))
        md.sleep(1)
        say "on"
      end)
      assert.is_true(md.interrupt(p, "early"))
    end))
  end)

  it("of itself is refused, of the dead does nothing", function()
    story(function()
      local ok, err = pcall(md.interrupt, md.self(), 1)
      assert.is_false(ok)
      assert.matches("cannot interrupt itself", err.message)
      local p = md.spawn(function() end)
      md.join(p)
      assert.is_false(md.interrupt(p, 1))
    end)
  end)

  it("that nobody catches ends its process, and the run", function()
    local told = story({ failing = true }, function()
      local p = md.spawn({ name = "v" }, md.sleep, 5)
      md.sleep(1)
      md.interrupt(p, "why")
    end)
    assert.equal(1, #told)
    assert.matches("^1 %(.*interrupted: 'why'%)$", told[1])
  end)

  it("wakes one that waits after a time limit was over", function()
    assert.same({ "2 x" }, story(function(say)
      local p = md.spawn(function()
        pcall(md.timeout, 1, md.wait)
        say(cause(md.wait))
      end)
      md.sleep(2)
      md.interrupt(p, "x")
    end))
  end)

  it("raised in a closer lets the closers further out run", function()
    assert.same({ "2 outer", "2 cause" }, story(function(say)
      local p = md.spawn(function()
        say(cause(function()
          local _ <close> = closer(say, "outer")
          local _ <close> = closer(md.sleep, 5)
          error "first"
        end))
      end)
      md.sleep(2)
      md.interrupt(p, "cause")
    end))
  end)
end)

describe("what the interrupted had been handed", function()
  -- Receives m2 by `take` at the very time at which it is interrupted.
  local function handed(take)
    local order = {}
    story(function()
      local p = md.spawn(function()
        md.sleep(1)
        assert.equal("now", cause(take))
        for i = 1, md.inbox() do
          order[i] = table.concat({ md.wait() }, " ")
        end
      end)
      md.send(p, "other", 1)
      md.sleep(2)
      md.send(p, "wanted", 2, 3, "rest")
      md.send(p, "other", 4)
      md.interrupt(p, "now")
      md.send(p, "other", 5)
    end)
    assert.same(
      { "other 1", "wanted 2 3 rest", "other 4", "other 5" },
      order
    )
  end

  it("lies in its place in the inbox again", function()
    handed(function()
      md.wait("wanted", 2)
    end)
    handed(function()
      md.wait("wanted", md._, 3)
    end)
    handed(function()
      md.wait_timeout(5, md.is.string, 2, md.is.integer)
    end)
    handed(function()
      md.receive {
        { "never", print },
        { "wanted", md.is.integer, 3, error },
      }
    end)
    handed(function()
      md.receive { { md._, 2, error }, after = { 1, error } }
    end)
    handed(coroutine.wrap(function()
      md.wait "wanted"
    end))
  end)

  it("is dropped when it was the reply to an ask", function()
    story(function()
      local server = md.spawn(function()
        local from, ref = md.wait "get"
        md.sleep(1)
        md.reply(from, ref, 42)
      end)
      local p = md.spawn(function()
        assert.equal("now", cause(md.ask, server, "get"))
        assert.equal(0, md.inbox())
        assert.is_false(pcall(md.wait_timeout, 1))
      end)
      md.sleep(1)
      md.interrupt(p, "now")
    end)
  end)

  it("is not sent at all when it stood in a line", function()
    story(function()
      local full = md.spawn({ inbox = 1 }, function()
        md.sleep(2)
        assert.equal(1, md.wait())
        assert.equal(0, md.inbox())
      end)
      md.send(full, 1)
      local p = md.spawn(function()
        assert.equal("now", cause(md.send, full, 2))
      end)
      md.sleep(1)
      md.interrupt(p, "now")
    end)
  end)
end)
