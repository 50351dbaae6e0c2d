-- Message types and protocols: what is checked at the sender's line.
local md = require "moondial"
local support = require "spec.host.support"
local story, run = support.story, support.run

local function refused(fn, ...)
  local ok, why = pcall(fn, ...)
  assert(not ok, "nothing was raised")
  return why.kind .. " " .. why.message:gsub("^[^:]+:%d+: ", "")
end

local Ping =
  md.message("ping", { from = md.is.pid, n = md.is.integer }, "hello")
local whole = "ping{from = md.is.pid, n = md.is.integer}"

describe("a message type", function()
  it("4.27 tells its name, fields and doc", function()
    assert.equal("ping", Ping.name)
    assert.equal(md.is.integer, Ping.fields.n)
    assert.equal("hello", Ping.doc)
    assert.equal(whole, tostring(Ping))
  end)

  it("0.23 checks the types of fields as a record is made", function()
    assert.equal(
      "usage ping: expected md.is.integer as the field 'n' of ping, got 'x'",
      refused(Ping, { n = "x" })
    )
    assert.equal(
      "usage ping has no field 'm'; it is " .. whole,
      refused(Ping, { m = 1 })
    )
    assert.equal(
      "usage ping: expected a table of its fields, got 4; ping{...}",
      refused(Ping, 4)
    )
    assert.equal("ping{n = 1}", tostring(Ping { n = 1 }))
  end)

  it(
    "0.23 has an incomplete or wrong record refused where it is sent",
    function()
      local told = story(function(say)
        local me = md.self()
        local lacks = "usage %s: ping lacks the field 'from', md.is.pid; it is "
          .. whole
        local server = md.spawn(function()
          local from, ref = md.wait "x"
          md.reply(from, ref)
        end)
        say(refused(md.send, me, Ping { n = 1 }) == lacks:format "send")
        say(refused(md.send, me, "deep", Ping { n = 1 }) == lacks:format "send")
        say(refused(md.send_after, 1, me, Ping {}) == lacks:format "send_after")
        say(refused(md.ask, server, "x", Ping {}) == lacks:format "ask")
        local ping = Ping { n = 1, from = me }
        ping.n = "changed"
        say(refused(md.send, me, ping))
        ping.n = nil
        say(refused(md.send, me, ping))
        md.ask(server, "x", Ping { n = 1, from = me })
        say(md.inbox())
      end)
      assert.same({
        "0 true",
        "0 true",
        "0 true",
        "0 true",
        "0 usage send: expected md.is.integer as the field 'n' of ping, got "
          .. "'changed'",
        "0 usage send: ping lacks the field 'n', md.is.integer; it is "
          .. whole,
        "0 0",
      }, told)
    end
  )

  it("names the sender's own line", function()
    local result = run [[
      local md = require "moondial"
      local Ping = md.message("ping", { n = md.is.integer })
      md.spawn(function()
        local ping = Ping {}
        md.send(md.self(), ping)
      end)
      md.run()
    ]]
    assert.equal(1, result.status)
    assert.matches("model.lua:5: send: ping lacks the field 'n'", result.err)
  end)

  it("0.4 can be sent, and matches itself and its records", function()
    local told = story(function(say)
      local me = md.self()
      local Stop = md.message("stop", {})
      md.send(me, "first")
      md.send(me, Stop)
      md.send(me, Stop {})
      md.send(me, { n = 1 })
      say(md.wait(Stop) == Stop, tostring(md.wait(Stop)), md.inbox())
    end)
    assert.same({ "0 true stop{} 2" }, told)
  end)

  it("matches by the fields that a record in a pattern gives", function()
    local told = story(function(say)
      local me = md.self()
      local Other = md.message("ping", { from = md.is.pid, n = md.is.integer })
      md.send(me, Other { from = me, n = 3 })
      for n = 1, 3 do
        md.send(me, Ping { from = me, n = n })
      end
      say(md.wait(Ping { n = 3 }).n, md.wait(Ping).n, md.wait({ n = 3 }) ~= nil)
      say(md.inbox())
    end)
    assert.same({ "0 3 1 true", "0 1" }, told)
  end)

  it("nests: a field may be a record, a table, or a where", function()
    local told = story(function(say)
      local Box = md.message("box", {
        ping = Ping,
        at = { x = md.is.number },
        even = md.where(function(n)
          return n % 2 == 0
        end),
      })
      local me = md.self()
      local ping = Ping { from = me, n = 1 }
      md.send(me, Box { ping = ping, at = { x = 1 }, even = 2 })
      say(md.wait(Box { ping = Ping { n = 1 } }).even)
      say(refused(Box, { even = 3 }))
      say(refused(Box, { at = {} }))
      say(refused(Box, { ping = {} }))
    end)
    local expected = "0 usage box: expected %s as the field '%s' of box, got %s"
    assert.same({
      "0 2",
      expected:format("md.where(...)", "even", "3"),
      expected:format("a table", "at", "a table"),
      expected:format("ping", "ping", "a table"),
    }, told)
  end)

  it("is refused with a wrong declaration", function()
    assert.equal(
      "usage message: expected a name as argument 1, got nil; "
        .. 'md.message("ping", {n = md.is.integer})',
      refused(md.message)
    )
    assert.equal(
      "usage message: expected a table of fields as argument 2, got 'x'; "
        .. 'md.message("ping", {n = md.is.integer})',
      refused(md.message, "ping", "x")
    )
    assert.equal(
      "usage message: fields are named, got the key 1; "
        .. 'md.message("ping", {n = md.is.integer})',
      refused(md.message, "ping", { md.is.pid })
    )
    assert.equal(
      "usage message: expected a pattern as the field 'n', got a function; "
        .. "md.where(fn) matches where fn(value) is true",
      refused(md.message, "ping", { n = print })
    )
  end)
end)

describe("a protocol", function()
  local protocol = md.protocol {
    Ping,
    ping = { md.is.pid, md.is.ref },
    add = { md.is.integer },
    stop = {},
  }
  local accepts = "add(md.is.integer), ping(md.is.pid, md.is.ref), "
    .. whole
    .. ", stop()"

  local function clerk(body)
    return md.spawn({ name = "clerk", accepts = protocol }, body)
  end

  it("says what it accepts", function()
    assert.equal(accepts, tostring(protocol))
  end)

  it("0.23 has every send checked at the sender's line", function()
    local told = story(function(say)
      local to = clerk(function()
        md.sleep(1)
        say(md.inbox())
      end)
      say(refused(md.send, to, "pong"))
      say(refused(md.send, to, "stop", 1))
      say(refused(md.send, to, "add"))
      say(refused(md.send, to, "add", 1.5))
      say(refused(md.send, to))
      say(refused(md.send, to, { n = 1 }))
      say(refused(md.ask, to, "add", 1))
      say(refused(md.send_at, 5, to, "pong"))
      md.send(to, "add", 1)
      md.send(to, "stop")
      md.send(to, Ping { n = 1, from = md.self() })
      md.send_after(0.5, to, "stop")
    end)
    local function says(call, rest)
      return "0 usage " .. call .. ": 'clerk' " .. rest
    end
    assert.same({
      says("send", "accepts " .. accepts .. "; got 'pong'"),
      says(
        "send",
        "takes 0 values after 'stop', got 1; it accepts " .. accepts
      ),
      says("send", "takes 1 value after 'add', got 0; it accepts " .. accepts),
      says(
        "send",
        "expects md.is.integer as value 2 of 'add', got 1.5; it accepts "
          .. accepts
      ),
      says("send", "accepts " .. accepts .. "; got an empty message"),
      says("send", "accepts " .. accepts .. "; got a table"),
      says("ask", "takes 1 value after 'add', got 3; it accepts " .. accepts),
      says("send_at", "accepts " .. accepts .. "; got 'pong'"),
      "1 4",
    }, told)
  end)

  it("lets asks and replies pass", function()
    local told = story(function(say)
      local other = md.spawn(function()
        local from, ref = md.wait "price"
        md.reply(from, ref, 5)
      end)
      local to = clerk(function()
        local from, ref = md.wait("ping", md.is.pid, md.is.ref)
        md.reply(from, ref, md.ask(other, "price"))
      end)
      say(md.ask(to, "ping"))
    end)
    assert.same({ "0 5" }, told)
  end)

  it("takes a message type by name as well", function()
    local told = story(function(say)
      local named = md.protocol { ping = Ping }
      local to = md.spawn({ accepts = named }, function()
        say(md.wait("ping").n)
        say(md.wait(Ping).n)
      end)
      md.send(to, "ping", Ping { n = 1, from = to })
      md.send(to, Ping { n = 2, from = to })
      say((refused(md.send, to, "ping", 5):gsub("^.*; ", "")))
    end)
    assert.same({ "0 got 'ping' with other values", "0 1", "0 2" }, told)
  end)

  it("is refused when it is none", function()
    local expected = "usage protocol: expected {pattern, ...} or a message "
      .. "type for %s, got %s; md.protocol{ping = {md.is.pid}, stop = {}}"
    assert.equal(expected:format("'a'", "1"), refused(md.protocol, { a = 1 }))
    assert.equal(
      expected:format("1", "a table"),
      refused(md.protocol, { { md._ } })
    )
    assert.equal(
      expected:format("'a'", "a function"),
      refused(md.protocol, { a = { print } })
    )
    assert.equal(
      "usage protocol: expected a table of rules, got nil; "
        .. "md.protocol{ping = {md.is.pid}, stop = {}}",
      refused(md.protocol)
    )
    assert.equal(
      "usage spawn: expected a protocol as accepts, got a table; "
        .. "md.protocol{ping = {md.is.pid}} makes one",
      refused(md.spawn, { accepts = {} }, print)
    )
  end)

  it("and types check nothing with --unchecked", function()
    local model = [[
      local md = require "moondial"
      local Ping = md.message("ping", { n = md.is.integer })
      local p = md.spawn({ accepts = md.protocol { ping = {} } }, function()
        print(md.wait(), md.wait())
      end)
      md.spawn(function()
        md.send(p, Ping { n = "x", m = 2 })
        md.send(p, "pong")
      end)
      md.run()
    ]]
    assert.equal(1, run(model).status)
    local result = run(model, { options = "--unchecked" })
    assert.equal("", result.err)
    assert.equal("ping{n = 'x'}\tpong\n", result.out)
  end)
end)

describe("a second reply to an ask", function()
  it("is refused, a late one is lost", function()
    local told = story(function(say)
      local server = md.spawn(function()
        local from, ref = md.wait "a"
        md.reply(from, ref, 1)
        say(refused(md.reply, from, ref, 2))
        say(refused(md.send, from, ref, 2))
        from, ref = md.wait "b"
        md.sleep(5)
        md.reply(from, ref, 3)
        say "the late one"
      end)
      say(md.ask(server, "a"))
      say((pcall(md.ask_timeout, 1, server, "b")))
      md.sleep(9)
      say(md.inbox())
    end)
    local twice = ": process 1 has had a reply to this ask; an ask takes one, "
      .. "and md.send(pid, ...) sends what else there is to say"
    assert.same({
      "0 usage reply" .. twice,
      "0 usage send" .. twice,
      "0 1",
      "1 false",
      "5 the late one",
      "10 0",
    }, told)
  end)
end)
