-- receiving: messages among other things to wait for. Who loses gives back.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function sends(pid, t, ...)
  md.send_at(t, pid, ...)
end

describe("receiving (1.11)", function()
  it("gives what wait gives", function()
    assert.same(
      { "0 3 4", "0 milk 1", "0 ", "0 7 x" },
      story(function(say)
        local me = md.self()
        md.send(me, "tea", 3, 4)
        say(md.await(md.receiving("tea", md._)))
        md.send(me, "milk", 1)
        say(md.await(md.receiving(md._, md.is.number)))
        md.send(me, "end")
        say(md.await(md.receiving "end"))
        md.send(me, 7, "x")
        say(md.await(md.receiving(function(n, text)
          return n == 7 and text == "x"
        end)))
      end)
    )
  end)

  it("takes what is there, in order of arrival, and leaves the rest", function()
    assert.same(
      { "0 1", "0 2", "0 1", "0 b" },
      story(function(say)
        local me = md.self()
        md.send(me, "b")
        md.send(me, "a", 1)
        md.send(me, "a", 2)
        say(md.await(md.receiving("a", md._)))
        say(md.await(md.receiving("a", md._)))
        say(md.inbox())
        say(md.await(md.receiving()))
      end)
    )
  end)

  it("waits with a timeout, and takes nothing when that is over", function()
    assert.same(
      { "2 nil timeout", "4 9", "4 0" },
      story(function(say)
        sends(md.self(), 4, "x", 9)
        say(md.await(md.receiving "x", 2))
        say(md.await(md.receiving "x", 2))
        say(md.inbox())
      end)
    )
  end)

  it("gives back what it took, to where it was, when another wins", function()
    assert.same(
      { "3 2", "3 3", "3 first", "3 a 1", "3 last" },
      story(function(say)
        local me = md.self()
        sends(me, 1, "first")
        sends(me, 1, "a", 1)
        sends(me, 2, "last")
        local both = md.receiving "a" & md.receiving "b"
        say((md.await(both | md.timer(3))))
        say(md.inbox())
        for _ = 1, 3 do
          say(md.wait())
        end
      end)
    )
  end)

  it("lets each of several have its own", function()
    assert.same(
      { "2 1 2 x", "2 0" },
      story(function(say)
        local me = md.self()
        sends(me, 1, "a", 1)
        sends(me, 2, "a", 2)
        md.send(me, "c", "x")
        local list = md.await(md.all {
          md.receiving "a",
          md.receiving "a",
          md.receiving "c",
        })
        say(list[1], list[2], list[3])
        say(md.inbox())
      end)
    )
  end)

  it("gives what it gives back to another place of the process", function()
    assert.same(
      { "2 1" },
      story(function(say)
        sends(md.self(), 1, "a", 1)
        local held = (md.receiving "a" & md.event()) | md.timer(2)
        say(md.await(held & md.receiving "a")[2])
      end)
    )
  end)

  it("loses nothing of ten messages against ten limits", function()
    local got = story(function(say)
      local me, n = md.self(), 0
      for i = 1, 10 do
        sends(me, i, "item", i)
      end
      while n < 10 do
        local index, item = md.await(md.receiving "item" | md.timer(1))
        if index == 1 then
          n = n + 1
          say(item)
        end
      end
    end)
    assert.equal(10, #got)
  end)

  it("is of the process that awaits it", function()
    assert.same(
      { "1 other 5" },
      story(function(say)
        local x = md.receiving "x"
        local other = md.spawn(function()
          say("other", md.await(x))
        end)
        sends(other, 1, "x", 5)
        md.send(md.self(), "x", 6)
        md.sleep(2)
      end)
    )
  end)

  it("is handed a message past a full inbox, and looks at the line", function()
    for _, policy in ipairs { "block", "drop", "error" } do
      assert.same(
        { "1 x 1", "1 1 2", "1 full" },
        story(function(say)
          local options = { inbox = 1, on_full = policy }
          local pid = md.spawn(options, function()
            say("x", md.await(md.receiving "x" | md.timer(9)))
            say(md.inbox(), 2)
            say(md.wait())
          end)
          md.send(pid, "full")
          md.sleep(1)
          md.send(pid, "x")
        end)
      )
    end
    assert.same(
      { "0 1 2", "0 1" },
      story(function(say)
        local pid = md.spawn({ inbox = 1, after = 0 }, function()
          md.yield()
          say(md.await(md.receiving("x", md._) | md.timer(9)))
          say(md.inbox())
        end)
        md.send(pid, "full")
        md.send(pid, "x", 2)
      end)
    )
  end)

  it("raises what its pattern raises, and leaves the message", function()
    local told = story(function(say)
      local me = md.self()
      sends(me, 1, "x")
      local bad = md.where(function()
        error("bad", 0)
      end)
      say(pcall(md.await, md.receiving(bad) | md.timer(2)))
      say(md.inbox())
      say(pcall(md.await, md.receiving(bad)))
      say(md.wait())
    end)
    assert.same({ "1 false bad", "1 1", "1 false bad", "1 x" }, told)
  end)

  it("gives back after an interrupt, and before a kill drops it", function()
    assert.same(
      { "1 false", "1 x" },
      story(function(say)
        local pid = md.spawn(function()
          say((pcall(md.await, md.receiving "x" | md.event())))
          say(md.wait())
        end)
        md.sleep(1)
        md.send(pid, "x")
        md.interrupt(pid, "now")
      end)
    )
  end)

  it("serves closers, also those of a killed process", function()
    assert.same(
      { "3 1 bye" },
      story(function(say)
        local pid = md.spawn(function()
          local _ <close> = setmetatable({}, {
            __close = function()
              say(md.await(md.receiving "bye" | md.timer(9)))
            end,
          })
          md.sleep(100)
        end)
        md.sleep(1)
        md.kill(pid)
        md.sleep(2)
        md.send(pid, "bye", "bye")
      end)
    )
  end)

  it("refuses what is no pattern, and a place that is no process", function()
    story(function()
      local ok, err = pcall(md.receiving, "a", print)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches("receiving: ", err.message)
    end)
    local ok, err = pcall(md.sim().receiving, md.sim(), "x")
    assert.is_false(ok)
    assert.matches("only a process has an inbox", err.message)
  end)
end)
