-- md.reload in a model that runs: who takes up the new code, and when.
local reload = require "spec.host.reload_support"

local module = reload.module

local function prints(expected, ...)
  assert.equal(expected, (module(...)))
end

-- A module whose functions tell which text they are of.
local function two(text)
  return { (text:gsub("WHICH", "old")), (text:gsub("WHICH", "new")) }
end

describe("a suspended process", function()
  it("finishes its calls with the old code, and calls the new one", function()
    prints(
      "old step\nnew step\nold end\nM.loop:6 in a",
      two [[
        local md = require "moondial"
        local M = {}
        function M.loop()
          for _ = 1, 2 do
            M.step()
            md.sleep(2)
          end
          print "WHICH end"
        end
        function M.step() print "WHICH step" end
        return M]],
      [[local mod = require "mod"
        md.spawn({ name = "a" }, mod.loop)
        md.run(1)
        local list = turn(2)
        md.run()
        local it = list.active[1]
        print(it.name .. ":" .. it.line .. " in " .. it.process)]]
    )
  end)

  it("switches a loop that calls itself last, at its next turn", function()
    prints(
      "old 0\nold 1\nnew 2\nnew 3",
      two [[
        local md = require "moondial"
        local M = {}
        function M.loop(n)
          print("WHICH " .. n)
          md.sleep(1)
          if n < 3 then return M.loop(n + 1) end
        end
        return M]],
      [[local mod = require "mod"
        md.spawn(mod.loop, 0)
        md.at(1.5, function() assert(#turn(2).active == 1) end)
        md.run()]]
    )
  end)

  it("may be in pcall, a generator, a metamethod or a closer", function()
    prints(
      "old\nnew in pcall\nnew in generator\nnew in index\nnew in close",
      two [[
        local md = require "moondial"
        local M = {}
        function M.say(where) print("WHICH" .. where) end
        local say = M.say
        function M.run()
          say ""
          local index = setmetatable({}, { __index = function(_, f)
            md.sleep(1)
            M.say " in index"
          end })
          local closer <close> = setmetatable({}, { __close = function()
            md.sleep(1)
            say " in close"
          end })
          local generate = coroutine.wrap(function()
            pcall(function() md.sleep(1) M.say " in pcall" end)
            md.sleep(1)
            say " in generator"
          end)
          generate()
          local _ = index.x
        end
        return M]],
      [[md.spawn(require "mod".run)
        md.run(0.5)
        turn(2)
        md.run()]]
    )
  end)

  it("may be the one that reloads, in the module itself", function()
    prints(
      "old before\nM.run\nnew say",
      two [[
        local M = {}
        function M.say() print "WHICH say" end
        function M.run(turn)
          print "WHICH before"
          local list = turn(2)
          print(list.active[1].name)
          M.say()
        end
        return M]],
      [[md.spawn(require "mod".run, turn)
        md.run()]]
    )
  end)
end)

describe("servers, supervisors and callbacks", function()
  it("call new handlers, with their limits and tries", function()
    prints(
      "old ping\nnew ping\nnew slow\nnew other\tx\nnew turn\n2",
      two [[
        local md = require "moondial"
        local M = {}
        local s = md.server { state = function() return { n = 0 } end }
        M.server = s
        s:handle("ping", function()
          s.state.n = s.state.n + 1
          print "WHICH ping"
        end)
        s:handle("slow", function() print "WHICH slow" end, { timeout = 5,
          retry = { times = 1 } })
        s:otherwise(function(x) print("WHICH other", x) end)
        s:every(3, function() if md.now() > 3 then print "WHICH turn" end end)
        s:handle("get", function(from, ref) md.reply(from, ref, s.state.n) end)
        return M]],
      [[local pid = require "mod".server:spawn()
        md.send(pid, "ping")
        md.run(1)
        turn(2)
        md.spawn(function()
          md.send(pid, "ping")
          md.send(pid, "slow")
          md.send(pid, "x")
          md.sleep(6)
          print(md.ask(pid, "get"))
        end)
        md.run(8)]]
    )
  end)

  it("start children again with the new code", function()
    prints(
      "old 0.0\nnew 2.0",
      two [[
        local md = require "moondial"
        local M = {}
        function M.worker()
          print("WHICH " .. md.now())
          md.sleep(2)
          error "ends"
        end
        return M]],
      [[local mod = require "mod"
        md.supervisor { children = { { id = "w", start = mod.worker } },
          max_restarts = 5 }
        md.run(1)
        turn(2)
        md.run(3)]]
    )
  end)

  it("see the new clauses' functions and guards", function()
    prints(
      "new guard\nnew took\t5",
      two [[
        local md = require "moondial"
        local M = {}
        function M.run()
          md.receive { { md.is.number, function(n) print("WHICH took", n) end,
            when = function(n) print "WHICH guard" return true end } }
        end
        return M]],
      [[local pid = md.spawn(require "mod".run)
        md.run(1)
        turn(2)
        md.send(pid, 5)
        md.run()]]
    )
  end)
end)

describe("what a module keeps and takes", function()
  it("keeps its data, and takes new fields, functions and locals", function()
    prints(
      "1\tkept\t2\tnew\nhelped\t7\ntrue\tnil\n5",
      {
        [[local M = { limit = 1, name = "kept", list = { 1, 2 } }
          local seen = {}
          function M.get() return M.limit, M.name, #M.list, "old" end
          function M.see(x) seen[x] = true return seen[x] end
          return M]],
        [[local M = { limit = 10, name = "other", list = { 1, 2, 3 }, more = 5 }
          local seen = {}
          local data = { 7 }
          local function helper() return "helped", data[1] end
          function M.get() return M.limit, M.name, #M.list, "new" end
          function M.help() return helper() end
          function M.see(x) return seen.a, seen.b end
          return M]],
      },
      [[local mod = require "mod"
        mod.see "a"
        turn(2)
        print(mod.get())
        print(mod.help())
        print(mod.see())
        print(mod.more)]]
    )
  end)

  it("gives its classes new methods and metamethods", function()
    prints(
      "old get\nnew get\tput\tadded\t9\ntrue",
      {
        [[local M = {}
          local Class = {}
          Class.__index = Class
          function Class:get() return "old get" end
          function M.new() return setmetatable({}, Class) end
          return M]],
        [[local M = {}
          local Class = { LIMIT = 9 }
          Class.__index = Class
          function Class.__add() return "added" end
          function Class:get() return "new get" end
          function Class:put() return "put" end
          function M.new() return setmetatable({}, Class) end
          return M]],
      },
      [[local mod = require "mod"
        local it = mod.new()
        print(it:get())
        turn(2)
        print(it:get(), it:put(), it + 1, it.LIMIT)
        print(getmetatable(it) == getmetatable(mod.new()))]]
    )
  end)

  it("takes servers, resources and the like that are new", function()
    prints(
      'added s:handle("ping") M.go\nserved\t1\nheld\t1.0\nheld\t2.0',
      {
        "return {}",
        [[local md = require "moondial"
          local M = {}
          local pool = md.resource { capacity = 1 }
          local s = md.server()
          s:handle("ping", function(...) print("served", ...) end)
          function M.go()
            md.send(s:spawn(), "ping", 1)
            for _ = 1, 2 do
              md.spawn(function()
                local unit <close> = pool:acquire()
                md.sleep(1)
                print("held", md.now())
              end)
            end
          end
          return M]],
      },
      [[local mod = require "mod"
        print("added " .. names(turn(2).added))
        collectgarbage()
        mod.go()
        collectgarbage()
        md.run()]]
    )
  end)

  it("is a table still when the new text returns none", function()
    prints(
      "it is a table, and the new text returns a boolean; it stays one",
      { "return { 1 }", "return false" },
      [[require "mod"
        print(turn(2).kept[1].reason)]]
    )
  end)

  it("has a local anew that nothing had captured", function()
    prints(
      "3\ttrue",
      {
        "local M = {} local step = 1 M.n = step "
          .. "function M.f() return M.n end return M",
        "local M = {} local step = 3 "
          .. "function M.f() return step, M == require 'mod' end return M",
      },
      [[local mod = require "mod"
        turn(2)
        print(mod.f())]]
    )
  end)

  it("takes what it requires for the first time, once", function()
    prints(
      "true\tother",
      {
        "return { f = function() end }",
        "local o = require 'other' return { f = function() return o end }",
      },
      [[local mod = require "mod"
        turn(2)
        print(require "other" == mod.f(), mod.f().name)]],
      { files = { ["other.lua"] = "return { name = 'other' }" } }
    )
  end)

  it("defines new globals, and keeps those that there are", function()
    prints(
      "1\tnew\t2\tadded",
      {
        "state = 1 function which() return 'old' end",
        "state = 5 more = 2 function which() return 'new' end "
          .. "function again() return 'added' end",
      },
      [[require "mod"
        turn(2)
        print(state, which(), more, again())]]
    )
  end)

  it("leaves others as they are, whatever its text does to them", function()
    prints(
      "1\t1\tnil\tnil\tbefore\nlen\tnew",
      {
        [[local hub = require "hub"
          hub.count = hub.count + 1
          table.insert(hub.list, function() return "old" end)
          return { f = function() end }]],
        [[local hub = require "hub"
          hub.count = hub.count + 1
          hub.extra = {}
          hub.gone = nil
          setmetatable(hub, {})
          table.insert(hub.list, function() return "new" end)
          function hub.method() return "len" end
          return { f = function() end }]],
      },
      [[local hub = require "hub"
        require "mod"
        turn(2)
        print(hub.count, #hub.list, getmetatable(hub), hub.extra, hub.gone)
        print(hub.method(), hub.list[1]())]],
      {
        files = {
          ["hub.lua"] = "return { count = 0, list = {}, gone = 'before' }",
        },
      }
    )
  end)
end)

describe("migrate", function()
  local function with(migrate)
    return {
      "local M = { n = 1 } function M.f() return 'old', M.n end return M",
      "local M = {} function M.f() return 'new', M.n end "
        .. "function M.migrate(old) "
        .. migrate
        .. " end return M",
    }
  end

  it("gets the module, which has the new code by then", function()
    prints(
      "new\t1\nnew\t2",
      with "print(old.f()) old.n = 2 assert(old == require 'mod')",
      [[local mod = require "mod"
        turn(2)
        print(mod.f())]]
    )
  end)

  it("is not called by a text that has none, though it was there", function()
    local texts = with "old.n = old.n + 1"
    texts[3] = texts[1]
    prints(
      "2\n2",
      texts,
      [[local mod = require "mod"
        turn(2)
        print(mod.n)
        turn(3)
        print(mod.n)]]
    )
  end)

  it("takes all back when it fails", function()
    prints(
      "false\tfalse\tmod.lua:1: no\nold\t1\ttrue\told\nold\t1\nnil\tnil",
      with "old.n = 5 old.deep.er = nil old.more = 1 extra = 1 error 'no'",
      [[local mod = require "mod"
        local f = mod.f
        mod.deep = { er = 1 }
        local co = coroutine.wrap(function(f) coroutine.yield() return f() end)
        co(mod.f)
        local keys = { [mod.f] = "old" }
        try(turn, 2)
        local _, n = mod.f()
        print("old", n, f == mod.f, keys[f])
        print(co())
        print(mod.more, extra)]]
    )
  end)

  it("changes nothing else: no process is spawned, no message sent", function()
    prints(
      "false\tusage\tmod.lua:1: spawn: the text of a module that is reloaded, "
        .. "and its migrate, may change nothing but the module; do it where "
        .. "the module is used",
      with "require 'moondial'.spawn(print)",
      [[require "mod"
        try(turn, 2)]]
    )
  end)
end)

describe("a reload that fails", function()
  local before = [[
    local mod = require "mod"
    local f = mod.f
    local hash = md.hash()
    try(turn, 2)
    print(f == mod.f, f(), hash == md.hash())]]
  local old = "local M = { n = 1 } shared = { 1 } "
    .. "function M.f() return 'old' end return M"

  it("for its syntax says where, and changes nothing", function()
    prints(
      "false\tusage\tmod.lua:2: unexpected symbol near '='\ntrue\told\ttrue",
      { old, "local M = {}\n= 5" },
      before
    )
  end)

  it("for an error when it runs changes nothing", function()
    prints(
      "false\tfalse\tmod.lua:1: in the middle\ntrue\told\ttrue\n1\tnil\tnil",
      {
        old,
        "shared[1] = 2 shared[2] = 3 oops = 1 require 'mod'.n = 7 "
          .. "require('mod').f = nil error 'in the middle'",
      },
      before .. " print(shared[1], shared[2], oops)"
    )
  end)

  it("since its text would wait, send or schedule, too", function()
    for call, name in pairs {
      ["sleep(1)"] = "sleep",
      ["at(1, print)"] = "at",
      ["every(1)()"] = "a turn of every",
      ["spawn(print)"] = "spawn",
      ["reload 'mod'"] = "reload",
    } do
      local out =
        module({ old, "require 'moondial'." .. call .. " return {}" }, before)
      assert.truthy(out:find("mod.lua:1: " .. name .. ":", 1, true), out)
      assert.truthy(out:find "true\told\ttrue$", out)
    end
  end)

  it("leaves no trace when there is no memory, wherever that is", function()
    local text = [[
      local M = { list = {} }
      for i = 1, 300 do M.list[i] = { i } end
      function M.f() return "WHICH" end
      function M.make(n) return function() return n, "WHICH" end end
      return M]]
    local seen = {}
    for limit = 2000, 4600, 100 do
      local out = module(
        two(text),
        [[local mod = require "mod"
          local keys, all = {}, {}
          for i = 1, 2000 do all[i] = mod.make(i) keys[all[i] ] = i end
          local f = mod.f
          local ok = pcall(turn, 2)
          local which = ok and "new" or "old"
          local good = f == mod.f and f() == which
          for i = 1, 2000 do
            local n, word = all[i]()
            good = good and n == i and word == which and keys[all[i] ] == i
          end
          print(which, good)]],
        { options = "--memory " .. limit .. "K" }
      )
      seen[out:match "%a+%s%a+" or out] = true
    end
    assert.truthy(seen["old\ttrue"])
    assert.truthy(seen["new\ttrue"])
    assert.is_nil(seen["old\tfalse"])
    assert.is_nil(seen["new\tfalse"])
  end)
end)
