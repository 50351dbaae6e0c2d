-- Bounded inboxes: what happens to who sends when there is no room.
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

-- A process that lets its inbox fill until d, then says what comes.
local function slow(say, d, n)
  return function()
    md.sleep(d)
    for _ = 1, n do
      say("took", md.wait())
    end
  end
end

describe("a full inbox that blocks", function()
  it("lets the senders in, in their order, as there is room", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 1 }, slow(say, 1, 4))
      for i = 1, 3 do
        md.spawn(function()
          md.send(to, i)
          say("sent", i)
        end)
      end
      md.send(to, 0)
      say("sent", 0)
    end)
    assert.same({
      "0 sent 0",
      "1 took 0",
      "1 took 1",
      "1 took 2",
      "1 took 3",
      "1 sent 1",
      "1 sent 2",
      "1 sent 3",
    }, told)
  end)

  it("is the policy when none is named", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 2, on_full = "block" }, slow(say, 3, 0))
      local other = md.spawn({ inbox = 2 }, slow(say, 3, 0))
      for _, pid in ipairs { to, other } do
        md.send(pid, 1)
        md.send(pid, 2)
      end
      md.send(to, 3)
      say "free"
      md.send(other, 3)
    end)
    assert.same({ "3 free" }, told)
  end)

  it("does not hide a message that the receiver waits for", function()
    for _, order in ipairs(orders) do
      local told = story({ order = order }, function(say)
        local to = md.spawn({ inbox = 1 }, function()
          say("first", md.wait "wanted")
          say("second", md.wait "wanted")
          say("inbox", md.inbox())
          say(md.wait())
        end)
        md.sleep(1)
        md.send(to, "filler")
        md.sleep(1)
        md.send(to, "wanted", 1)
        md.spawn(function()
          md.send(to, "other")
        end)
        md.sleep(1)
        md.send(to, "wanted", 2)
        md.sleep(1)
        md.send(to, "last")
      end)
      assert.same(
        { "2 first 1", "3 second 2", "3 inbox 1", "3 filler" },
        told,
        order
      )
    end
  end)

  it("gives out what stands in line to who looks for it", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 1 }, function()
        md.sleep(1)
        say(md.wait "wanted")
        say(md.receive { { "listed", md._ } })
        say(md.wait())
      end)
      md.send(to, "filler")
      md.spawn(function()
        md.send(to, "wanted", 1)
        say "sent 1"
      end)
      md.spawn(function()
        md.send(to, "listed", 2)
        say "sent 2"
      end)
    end)
    assert.same({ "1 1", "1 2", "1 filler", "1 sent 1", "1 sent 2" }, told)
  end)

  it("forgets the message of who is killed or interrupted in line", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 1 }, slow(say, 5, 2))
      md.send(to, "filler")
      local killed = md.spawn(md.send, to, "of the killed")
      local interrupted = md.spawn(function()
        say(kind(md.send, to, "of the interrupted"))
      end)
      local limited = md.spawn(function()
        say(kind(md.timeout, 2, md.send, to, "of the late"))
      end)
      md.spawn(md.send, to, "good")
      md.sleep(1)
      md.kill(killed)
      md.interrupt(interrupted)
      md.join(limited)
    end)
    assert.same(
      { "1 interrupt", "2 timeout", "5 took filler", "5 took good" },
      told
    )
  end)

  it("frees the senders when the receiver dies", function()
    for _, order in ipairs(orders) do
      local told = story({ order = order }, function(say)
        local to = md.spawn({ inbox = 1 }, md.sleep, 9)
        md.send(to, "filler")
        for i = 1, 3 do
          md.spawn(function()
            md.send(to, i)
            say "free"
          end)
        end
        md.sleep(1)
        md.kill(to)
      end)
      assert.same({ "1 free", "1 free", "1 free" }, told)
    end
  end)

  it("is shown as what the sender waits for", function()
    local _, sim = story(function()
      local to = md.spawn({ inbox = 1, name = "desk" }, md.wait, "x")
      md.send(to, 1)
      md.spawn({ name = "client" }, md.send, to, 2)
    end)
    local waiting = sim:waiting()
    assert.equal("a message that begins with 'x'", waiting[1].waiting)
    assert.equal("room in the inbox of 'desk'", waiting[2].waiting)
  end)

  it("has room for what a callback sends later", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 1 }, slow(say, 5, 3))
      md.send_after(1, to, "a")
      md.send_after(2, to, "b")
      md.send_after(3, to, "c")
    end)
    assert.same({ "5 took a", "5 took b", "5 took c" }, told)
  end)

  it("cannot be waited for by the script or a callback", function()
    local sim = md.sim()
    local to = sim:spawn({ inbox = 1 }, md.wait, "x")
    sim:run()
    sim:send(to, "filler")
    local ok, err = pcall(sim.send, sim, to, "more")
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    assert.matches(
      "send to a full inbox blocks, and only a process can; put "
        .. "it into one: md.spawn%(function%(%) ... end%), then md.run%(%)$",
      err.message
    )
    sim:after(1, function()
      ok, err = pcall(md.send, to, "more")
    end)
    sim:run()
    assert.is_false(ok)
    assert.matches(
      "send to a full inbox blocks, and a callback cannot; let "
        .. "the callback spawn a process",
      err.message
    )
    assert.equal(1, sim:inbox(to))
  end)

  it("takes from the script what its owner waits for", function()
    local sim = md.sim()
    local to = sim:spawn({ inbox = 1 }, function()
      return md.wait "x"
    end)
    sim:run()
    sim:send(to, "filler")
    sim:send(to, "x", 5)
    assert.equal("done", sim:run())
  end)
end)

describe("ask to a full inbox", function()
  local function server(say)
    return function()
      md.sleep(1)
      md.wait "filler"
      for _ = 1, 2 do
        local from, ref, x = md.wait("twice", md._, md._)
        md.reply(from, ref, 2 * x)
      end
      say "served"
    end
  end

  it("waits for room, then for the reply, in all orders", function()
    for _, order in ipairs(orders) do
      local told = story({ order = order }, function(say)
        local to = md.spawn({ inbox = 1 }, server(say))
        md.send(to, "filler")
        for i = 1, 2 do
          md.spawn(function()
            say(md.ask(to, "twice", i))
          end)
        end
      end)
      table.sort(told)
      assert.same({ "1 2", "1 4", "1 served" }, told, order)
    end
  end)

  it("gives its place up when the time is over", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 1 }, slow(say, 5, 1))
      md.send(to, "filler")
      say(kind(md.ask_timeout, 2, to, "twice", 1))
    end)
    assert.same({ "2 timeout", "5 took filler" }, told)
  end)

  it("raises noproc when the process dies before there is room", function()
    local told = story(function(say)
      local to = md.spawn({ inbox = 1 }, md.sleep, 3)
      md.send(to, "filler")
      say(kind(md.ask, to, "twice", 1))
    end)
    assert.same({ "3 noproc" }, told)
  end)
end)
