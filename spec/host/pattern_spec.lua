-- Patterns that look into a message: tables, where, bind, guards; select and
-- filter, which take them.
local md = require "moondial"
local story = require("spec.host.support").story

-- What a message matches: tried at once, and dropped if it does not.
local function matches(message, ...)
  md.send(md.self(), table.unpack(message))
  local result = table.pack(pcall(md.wait_timeout, 0, ...))
  md.flush()
  return table.unpack(result, 1, result[1] and result.n or 1)
end

local function even(n)
  return n % 2 == 0
end

describe("a pattern", function()
  it("that is a table matches a table by its named fields", function()
    local told = story(function(say)
      local order = { item = "tea", count = 2, of = { name = "Ann" } }
      say((matches({ order }, { item = "tea" })))
      say((matches({ order }, { item = "tea", count = md.is.integer })))
      say((matches({ order }, { of = { name = md.is.string } })))
      say((matches({ order }, {})))
      say((matches({ order }, { item = "milk" })))
      say((matches({ order }, { sugar = md._ })))
      say((matches({ order }, { of = { name = "Bob" } })))
      say((matches({ order }, { of = 2 })))
      say((matches({ "order" }, {})))
      say(select(2, matches({ order }, { count = 2 })) == order)
      say((matches({ { 1, 2 } }, { md.is.integer, 2 })))
    end)
    assert.same({
      "0 true",
      "0 true",
      "0 true",
      "0 true",
      "0 false",
      "0 true",
      "0 false",
      "0 false",
      "0 false",
      "0 true",
      "0 true",
    }, told)
  end)

  it("looks at raw fields, without metamethods", function()
    local told = story(function(say)
      local ghost = setmetatable({}, {
        __index = function()
          error "asked"
        end,
      })
      say((matches({ ghost }, { n = 1 })))
      say((matches({ ghost }, { n = nil })))
    end)
    assert.same({ "0 false", "0 true" }, told)
  end)

  it("of md.where matches what its function says, at any depth", function()
    local told = story(function(say)
      say(matches({ "n", 4, "rest" }, "n", md.where(even)))
      say(matches({ "n", 3 }, "n", md.where(even)))
      say((matches({ { n = 4 } }, { n = md.where(even) })))
      say((matches({ { n = 3 } }, { n = md.where(even) })))
      say((matches({ 4 }, md.where(even), md.where(even))))
    end)
    assert.same(
      { "0 true 4 rest", "0 false", "0 true", "0 false", "0 false" },
      told
    )
  end)

  it("of md.bind captures what a literal would strip", function()
    local told = story(function(say)
      say(matches({ "a", 1 }, md.bind "a", md._))
      say(matches({ "b", 1 }, md.bind "a"))
      say(matches({ "a", 1 }, md.bind(md.is.string), 1))
      say(matches({ nil, 1 }, md.bind(nil)))
      say(matches({ 4 }, md.bind(md.where(even))))
      say(tostring(md.bind "a"), tostring(md.where(even)))
    end)
    assert.same({
      "0 true a 1",
      "0 false",
      "0 true a",
      "0 true nil 1",
      "0 true 4",
      "0 md.bind('a') md.where(...)",
    }, told)
  end)

  it("is tried on a message that is sent to one who waits with it", function()
    local told = story(function(say)
      local me = md.self()
      md.spawn(function()
        md.sleep(1)
        md.send(me, "n", { of = 3 })
        md.send(me, "n", { of = 4 }, "rest")
      end)
      say(md.wait("n", md.bind({ of = md.where(even) }), md.bind "rest"))
      say(md.inbox())
    end)
    assert.matches("^1 table: 0x%x+ rest$", told[1])
    assert.equal("1 1", told[2])
  end)

  it("that contains itself is refused", function()
    local told = story(function(say)
      local loop, value = {}, {}
      loop.loop, value.loop = loop, value
      md.send(md.self(), value)
      say(select(2, pcall(md.wait, loop)))
    end)
    assert.matches(
      "a pattern is nested more than 100 deep; does it contain itself%?",
      told[1]
    )
  end)
end)

describe("a guard", function()
  local function classify(n)
    return md.receive {
      {
        "n",
        md.is.number,
        function(x, ...)
          return "big", x, ...
        end,
        when = function(x)
          return x > 10
        end,
      },
      {
        "n",
        md._,
        function(x)
          return "small", x
        end,
      },
      after = { n or 0 },
    }
  end

  it("gets what the function gets, and decides", function()
    local told = story(function(say)
      for _, n in ipairs { 11, 10 } do
        md.send(md.self(), "n", n, "rest")
        say(classify())
      end
      local me = md.self()
      md.spawn(function()
        md.send(me, "n", 12)
        md.sleep(1)
        md.send(me, "n", 9)
      end)
      say(classify(5))
      say(classify(5))
    end)
    assert.same(
      { "0 big 11 rest", "0 small 10", "0 big 12", "1 small 9" },
      told
    )
  end)

  it("runs as the process that waits, also while another sends", function()
    local told = story(function(say)
      local me = md.self()
      local asked = {}
      md.spawn(function()
        md.send(me, "x")
      end)
      md.wait(md.where(function()
        asked[#asked + 1] = md.self() == me
        return #asked > 0
      end))
      say(#asked, asked[1])
    end)
    assert.same({ "0 1 true" }, told)
  end)

  it("raises its error where the process waits, and keeps all", function()
    local told = story(function(say)
      local me = md.self()
      md.spawn(function()
        md.send(me, "n", 1)
        say "sent"
      end)
      local ok, why = pcall(
        md.wait,
        "n",
        md.where(function(x)
          return x.field
        end)
      )
      say(ok, why:match ":%d+: (.*)")
      say(md.wait "n")
    end)
    assert.same({
      "0 sent",
      "0 false attempt to index a number value (local 'x')",
      "0 1",
    }, told)
  end)

  it("that fails for another keeps the deadline of the wait", function()
    local told = story(function(say)
      local me, calls = md.self(), 0
      md.spawn(function()
        md.sleep(1)
        md.send(me, "x")
      end)
      local ok, why = pcall(
        md.wait_timeout,
        3,
        md.where(function()
          calls = calls + 1
          return calls == 1 and error "once" or false
        end)
      )
      say(ok, why.kind, calls)
    end)
    assert.same({ "3 false timeout 2" }, told)
  end)

  it("changes nothing: every call that would is refused", function()
    local told = story(function(say)
      local me = md.self()
      local function try(fn, ...)
        local arguments = table.pack(...)
        md.send(me, "x")
        local _, why = pcall(
          md.wait,
          md.where(function()
            return fn(table.unpack(arguments, 1, arguments.n))
          end)
        )
        md.flush()
        say(why.kind, (why.message:gsub("^[^:]+:%d+: ", "")))
      end
      try(md.sleep, 1)
      try(md.send, me, "y")
      try(md.kill, me)
      try(md.exit)
      try(md.interrupt, me)
      try(md.flush)
      try(md.run)
      try(md.wait)
    end)
    local looks = ": a guard only looks at a message, and must change nothing; "
      .. "do it in the clause's function"
    local blocks = " cannot block inside a guard, which only looks at a "
      .. "message; do it in the clause's function"
    assert.same({
      "0 usage sleep" .. blocks,
      "0 usage send" .. looks,
      "0 usage kill" .. looks,
      "0 usage exit" .. looks,
      "0 usage interrupt" .. looks,
      "0 usage flush" .. looks,
      "0 usage run" .. looks,
      "0 usage wait" .. blocks,
    }, told)
  end)
end)

describe("select (4.13)", function()
  it("takes what matches and leaves the others, in their order", function()
    local told = story(function(say)
      local me = md.self()
      for id = 100, 102 do
        md.send(me, { id = id })
      end
      for id = 102, 100, -1 do
        local message = md.select(function(m)
          return m.id == id
        end)
        say(message.id, md.inbox())
      end
    end)
    assert.same({ "0 102 2", "0 101 1", "0 100 0" }, told)
  end)

  it("takes patterns, a list of them, or a predicate over all", function()
    local told = story(function(say)
      local me = md.self()
      local function send()
        md.send(me, "a", 1, 2)
      end
      send()
      say(md.select("a", md._))
      send()
      say(md.select { "a", md._ })
      send()
      say(md.select(function(kind, x, y)
        return kind == "a" and x < y
      end))
      md.send(me, { kind = "b" })
      say(md.select({ kind = "b" }).kind)
    end)
    assert.same({ "0 1 2", "0 1 2", "0 a 1 2", "0 b" }, told)
  end)

  it("4.26 returns a record whose shape was checked", function()
    local told = story(function(say)
      local Point = md.message("point", { x = md.is.number })
      md.send(md.self(), { x = "no point" })
      md.send(md.self(), Point { x = 2 })
      say(md.select({ Point }).x)
    end)
    assert.same({ "0 2" }, told)
  end)
end)

describe("filter (4.14)", function()
  it("drops what does not match, in the inbox and as it comes", function()
    local told = story(function(say)
      local me = md.self()
      md.send(me, "junk")
      md.send(me, "junk", 2)
      md.spawn(function()
        md.send(me, "late junk")
        say(md.inbox(me))
        md.send(me, "good", 7)
        md.send(me, "after")
      end)
      say(md.filter("good", md._))
      say(md.wait())
    end)
    assert.same({ "0 0", "0 7", "0 after" }, told)
  end)

  it("takes a predicate, and returns the whole message", function()
    local told = story(function(say)
      local me = md.self()
      for i = 1, 5 do
        md.send(me, "n", i)
      end
      say(md.filter(function(_, n)
        return n == 3
      end))
      say(md.inbox())
    end)
    assert.same({ "0 n 3", "0 2" }, told)
  end)

  it("lets those in who wait for room as it drops", function()
    local told = story(function(say)
      local taker = md.spawn({ inbox = 1 }, function()
        md.sleep(1)
        say(md.filter "good")
      end)
      for i = 1, 3 do
        md.spawn(function()
          md.send(taker, i == 3 and "good" or "junk", i)
          say("sent", i)
        end)
      end
    end)
    assert.same({ "0 sent 1", "1 3", "1 sent 2", "1 sent 3" }, told)
  end)

  it("keeps a message that its predicate fails on", function()
    local told = story(function(say)
      local me = md.self()
      md.spawn(function()
        md.send(me, "x", nil)
      end)
      local ok = pcall(md.filter, function(_, n)
        return n.field
      end)
      say(ok, md.wait())
    end)
    assert.same({ "0 false x nil" }, told)
  end)
end)

describe("what is no pattern", function()
  local function refused(fn, ...)
    local ok, why = pcall(fn, ...)
    assert.is_false(ok)
    return (why.message:gsub("^[^:]+:%d+: ", ""))
  end

  it("is refused with a sentence that says what to do", function()
    local told = story(function(say)
      say(refused(md.wait, print))
      say(refused(md.wait, "a", print))
      say(refused(md.where, "x"))
      say(refused(md.bind))
      say(refused(md.select))
      say(refused(md.filter, "a", print))
      say(refused(md.receive, { { "a", print }, 7 }))
      say(refused(md.receive, { { when = print } }))
      say(refused(md.receive, { { "a", when = 4 } }))
      say(refused(md.receive, { { "a", wen = print } }))
    end)
    assert.same({
      "0 wait: a function is no pattern, as argument 1; md.where(fn) matches a "
        .. "value for which fn(value) is true",
      "0 wait: a function is no pattern, as argument 2; md.where(fn) matches a "
        .. "value for which fn(value) is true",
      "0 where: expected a function, got 'x'; "
        .. "md.where(function(x) return x > 0 end)",
      '0 bind: expected a pattern, got nothing; md.bind("add") or '
        .. "md.bind(md.is.number)",
      "0 select: expected patterns or a predicate, got nothing; "
        .. 'md.select("add", md._)',
      "0 filter: expected a predicate alone, or patterns; got a function among "
        .. "patterns",
      "0 receive: expected clause 2 to be a table of patterns and a function, "
        .. '{"ping", md.is.pid, fn}, got 7',
      "0 receive: clause 1 is empty; {md._, fn} takes any message, and named "
        .. "fields do not count as patterns",
      "0 receive: expected a function as `when` of clause 1, got 4; it gets "
        .. "what the clause's function would get",
      "0 receive: there is no option 'wen' in clause 1, which is a list of "
        .. "patterns and a function; did you mean 'when'?",
    }, told)
  end)

  it("is a clause that an earlier one always goes before", function()
    local told = story(function(say)
      local function hidden(...)
        local ok, why = pcall(md.clauses, { ... })
        say(ok or why.message:match "clause %d can never[^;]*")
      end
      hidden({ md._, print }, { "a", print })
      hidden({ "a", print }, { "a", 1, print })
      hidden({ md.is.number, print }, { md.is.integer, print })
      hidden({ "b" }, { md.is.string, md._ }, { "a", 2 })
      hidden({ "a", print, when = print }, { "a", print })
      hidden({ "a", 1, print }, { "a", print })
      hidden({ md.is.integer, print }, { md.is.number, print })
      hidden({ {}, print }, { { n = 1 }, print })
      hidden({ 1, print }, { 1.0, print })
    end)
    local never = " can never be reached: clause "
    local takes = " takes every message that it matches"
    assert.same({
      "0 clause 2" .. never .. "1" .. takes,
      "0 clause 2" .. never .. "1" .. takes,
      "0 clause 2" .. never .. "1" .. takes,
      "0 clause 3" .. never .. "2" .. takes,
      "0 true",
      "0 true",
      "0 true",
      "0 true",
      "0 clause 2" .. never .. "1" .. takes,
    }, told)
  end)
end)
