-- ask and reply: whose answer it is, and what becomes of it when one dies.
local md = require "moondial"
local story = require("spec.host.support").story

-- Runs f with the arguments; "kind" of its error, or its values.
local function kind(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local err = results[2]
  return type(err) == "table" and err.kind or err
end

-- A server that answers "add" after d.
local function adder(d)
  return function()
    while true do
      local from, ref, a, b = md.wait("add", md.is.pid, md.is.ref)
      md.sleep(d)
      md.reply(from, ref, a + b, nil, "end")
    end
  end
end

describe("ask", function()
  it("returns all that follows the ref (0.10)", function()
    local told = story(function(say)
      local server = md.spawn(adder(2))
      say(md.ask(server, "add", 1, 2))
      say(md.ask(server, "add", 3, 4))
      md.kill(server)
    end)
    assert.same({ "2 3 nil end", "4 7 nil end" }, told)
  end)

  it("takes its own answer and leaves other messages (0.6)", function()
    local told = story(function(say)
      local server = md.spawn(adder(2))
      md.send_after(1, md.self(), "other")
      say(md.ask(server, "add", 1, 2))
      say(md.wait())
      md.kill(server)
    end)
    assert.same({ "2 3 nil end", "2 other" }, told)
  end)

  it("raises noproc when the process has ended or ends", function()
    local told = story(function(say)
      local gone = md.spawn(function() end)
      md.sleep(1)
      say(kind(md.ask, gone, "add"))
      local ends = md.spawn(md.sleep, 2)
      say(kind(md.ask, ends, "add"))
      local killed = md.spawn(md.sleep, 9)
      md.after(1, md.kill, killed)
      say(kind(md.ask, killed, "add"))
      say(kind(md.ask_timeout, 5, gone, "add"))
    end)
    assert.same({ "1 noproc", "3 noproc", "4 noproc", "4 noproc" }, told)
  end)

  it("of a dying process raises noproc at its end", function()
    local told = story(function(say)
      local dying = md.spawn(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            md.sleep(5)
          end,
        })
        md.wait "never"
      end)
      md.sleep(1)
      md.kill(dying)
      say(kind(md.ask, dying, "add"))
    end)
    assert.same({ "6 noproc" }, told)
  end)

  it("gets a reply that was sent before the death, in all orders", function()
    for _, order in ipairs { "fifo", "lifo", "random" } do
      local told = story({ order = order }, function(say)
        local server = md.spawn(function()
          local from, ref = md.wait("add", md._, md._)
          md.sleep(1)
          md.reply(from, ref, "last words")
        end)
        say(md.ask(server, "add"))
      end)
      assert.same({ "1 last words" }, told)
    end
  end)

  it("does not take the late reply to an earlier ask (0.11)", function()
    local told = story(function(say)
      local server = md.spawn(adder(2))
      say(kind(md.ask_timeout, 1, server, "add", 1, 1))
      say(md.ask(server, "add", 2, 2))
      say(md.inbox())
      md.kill(server)
    end)
    assert.same({ "1 timeout", "4 4 nil end", "4 0" }, told)
  end)

  it("that is interrupted as the reply comes leaves nothing behind", function()
    for _, order in ipairs { "fifo", "lifo", "random" } do
      local told = story({ order = order }, function(say)
        local server = md.spawn(adder(2))
        local asker = md.spawn(function()
          say(kind(md.ask, server, "add", 1, 2))
          pcall(md.sleep, 1)
          say("left", md.inbox())
          say(md.ask(server, "add", 3, 4))
        end)
        md.spawn(function()
          md.sleep(2) -- the reply may have come, may be on its way
          md.interrupt(asker, "now")
        end)
        md.join(asker)
        md.kill(server)
      end)
      assert.is_true(told[1] == "2 interrupt" or told[1] == "2 3 nil end")
      assert.matches("left 0$", told[2])
      assert.matches("7 nil end$", told[3])
    end
  end)

  it("can be killed while it waits, and the server goes on", function()
    local told = story(function(say)
      local server = md.spawn(adder(2))
      local asker = md.spawn(md.ask, server, "add", 1, 2)
      md.after(1, md.kill, asker, "enough")
      local ok, err = pcall(md.join, asker)
      say(ok, err.kind, err.reason)
      say(md.ask(server, "add", 1, 1))
      md.kill(server)
    end)
    assert.same({ "1 false killed enough", "4 2 nil end" }, told)
  end)

  it("keeps to the process that a name meant when it began", function()
    local told = story(function(say)
      local function named(answer)
        return function()
          local from, ref = md.wait("who", md._, md._)
          md.sleep(1)
          md.reply(from, ref, answer)
        end
      end
      local first = md.spawn({ inbox = 1 }, named "first")
      md.register("clerk", first)
      md.send(first, "filler")
      md.spawn(function()
        say(md.ask("clerk", "who"))
      end)
      md.sleep(0.5)
      md.join(first)
      md.register("clerk", md.spawn(named "second"))
      say(md.ask("clerk", "who"))
    end)
    assert.same({ "1 first", "2 second" }, told)
  end)

  it("refuses itself, and an ask without a method", function()
    local told = story(function(say)
      say(select(2, pcall(md.ask, md.self(), "x")))
      say(select(2, pcall(md.ask, md.spawn(md.yield))))
      say(select(2, pcall(md.reply, md.self(), "x")))
    end)
    assert.matches(
      "ask: a process that asks itself waits for ever; call the "
        .. "function instead$",
      told[1]
    )
    assert.matches("ask: expected a method after the pid", told[2])
    assert.matches("reply: expected a ref as argument 2, got 'x'", told[3])
  end)
end)
