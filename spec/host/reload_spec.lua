-- md.reload: what takes up the new code, and what is kept.
local reload = require "spec.host.reload_support"

local module = reload.module

local function prints(expected, ...)
  assert.equal(expected, (module(...)))
end

describe("a function of a module that is reloaded", function()
  local texts = {
    [[local M = {}
      local n = 0
      function M.f() n = n + 1; return "old", n end
      function M:method() return "old method", self.n end
      M.field = function() return "old field" end
      local function helper() return "old helper" end
      function M.call() return helper() end
      M.__index = M
      return M]],
    [[local M = {}
      -- another line
      local n = 100
      function M.f() n = n + 1; return "new", n end
      function M:method() return "new method", self.n end
      M.field = function() return "new field" end
      local function helper() return "new helper" end
      function M.call() return helper() end
      M.__index = M
      return M]],
  }

  it("is the new one through a local, with what it had captured", function()
    prints(
      "old\t1\nnew\t2",
      texts,
      [[local f = require "mod".f
        print(f())
        turn(2)
        print(f())]]
    )
  end)

  it("is the new one through fields, upvalues and metatables", function()
    prints(
      "new field\nnew helper\nnew method\t7\nnew\t1\nnew\t2",
      texts,
      [[local mod = require "mod"
        local object = setmetatable({ n = 7 }, mod)
        local f = mod.f
        local function through() return f() end
        local packed = { deep = { [1] = mod.f } }
        turn(2)
        print(mod.field())
        print(mod.call())
        print(object:method())
        print(through())
        print(packed.deep[1]())]]
    )
  end)

  it("is the new one as a key, also of weak tables", function()
    prints(
      "strong\tnil\tweak\t1",
      texts,
      [[local mod = require "mod"
        local old = { mod.f, key = { [mod.f] = "strong" },
          weak = setmetatable({ [mod.f] = "weak" }, { __mode = "k" }) }
        local text = tostring(mod.f)
        turn(2)
        local n = 0
        for _ in pairs(old.key) do n = n + 1 end
        print(old.key[mod.f], tostring(mod.f) == text or nil,
          old.weak[mod.f], n)]]
    )
  end)

  it("is the same one wherever it was the same one", function()
    prints(
      "true\ttrue",
      texts,
      [[local mod = require "mod"
        local f, g = mod.f, { mod.f }
        turn(2)
        print(f == mod.f, g[1] == f)]]
    )
  end)

  it("is the new one in messages, timers and things that wait", function()
    prints(
      "at\tnew\t1\ninbox\tnew\t2\narg\tnew\t3\nspawned\tnew\t4\n"
        .. "stored\tnew\t5\nevery\tnew\t6",
      texts,
      [[local mod = require "mod"
        local function say(what, f) print(what, f()) end
        md.at(1, say, "at", mod.f)
        local pid = md.spawn(function()
          md.sleep(2)
          say("inbox", md.wait())
        end)
        md.send(pid, mod.f)
        md.spawn({ at = 3 }, say, "arg", mod.f)
        md.spawn({ at = 4 }, function(f) say("spawned", f) end, mod.f)
        local store = md.store()
        md.spawn(function()
          store:put(mod.f)
          md.sleep(5)
          say("stored", store:get())
        end)
        md.spawn(function()
          local f = mod.f
          for _ in md.every(6) do
            say("every", f)
            md.stop()
          end
        end)
        md.at(0.5, function() turn(2) end)
        md.run(10)]]
    )
  end)

  it("keeps its place in coroutines that stand still", function()
    prints(
      "old\t1\nnew\t2\nnew\t3\nnew\t4\nnew field",
      texts,
      [[local mod = require "mod"
        local generator = coroutine.wrap(function(f, ...)
          local rest = { ... }
          while true do coroutine.yield(f()) end
        end)
        print(generator(mod.f))
        local unborn = coroutine.create(mod.f)
        local varargs = coroutine.wrap(function(...)
          coroutine.yield()
          return (...)()
        end)
        varargs(mod.f)
        local after = coroutine.wrap(function()
          local f <const> = mod.field
          coroutine.yield()
          print(f())
        end)
        after()
        turn(2)
        print(generator())
        print(select(2, coroutine.resume(unborn)),
          select(2, nil, "x") and 3)
        print(varargs())
        after()]]
    )
  end)

  it("shows its new line in errors", function()
    prints(
      "false\tfalse\tmod.lua:2: no",
      {
        "return { f = function() error 'no' end }",
        "return {\n  f = function() error 'no' end }",
      },
      [[local mod = require "mod"
        turn(2)
        try(mod.f)]]
    )
  end)

  it("may be vararg, recursive, or call one declared later", function()
    prints(
      "3\t6\tfalse\n1\n3\t24\tfalse\n2",
      {
        [[local M = {}
          function M.count(...) return select("#", ...) end
          local function fact(n) return n < 2 and 1 or n * fact(n - 1) end
          local odd
          local function even(n) return n == 0 and 1 or n > 0 and odd(n - 1) end
          function odd(n) return n > 0 and even(n - 1) end
          M.fact, M.even = fact, even
          function M.odd(n) return odd(n) end
          return M]],
        [[local M = {}
          function M.count(...) return select("#", ...) end
          local function fact(n) return n < 2 and 4 or n * fact(n - 1) end
          local odd
          local function even(n) return n == 0 and 2 or n > 0 and odd(n - 1) end
          function odd(n) return n > 0 and even(n - 1) end
          M.fact, M.even = fact, even
          function M.odd(n) return odd(n) end
          return M]],
      },
      [[local mod = require "mod"
        print(mod.count(1, nil, nil), mod.fact(3), mod.even(3))
        print(mod.odd(3))
        turn(2)
        print(mod.count(1, nil, nil), mod.fact(3), mod.even(3))
        print(mod.odd(3))]]
    )
  end)

  it("may be the module itself", function()
    prints(
      "old\t1\nnew\t2",
      {
        "local n = 0 return function() n = n + 1 return 'old', n end",
        "local n = 0 return function() n = n + 1 return 'new', n end",
      },
      [[local mod = require "mod"
        print(mod())
        turn(2)
        print(require "mod"())]]
    )
  end)
end)

describe("functions inside of functions", function()
  local counter = [[
    local M = {}
    function M.make(n)
      return {
        up = function() n = n + %s return n end,
        now = function() return n end,
      }
    end
    return M]]

  it("are replaced one by one, each with its own upvalues", function()
    prints(
      "M.make M.make/return.up*5000 M.make/return.now*5000\nM.make/return.up\n"
        .. "true",
      { counter:format "1", counter:format "1000" },
      [[local mod = require "mod"
        local all = {}
        for i = 1, 5000 do all[i] = mod.make(i) end
        local list = turn(2)
        print(names(list.replaced))
        for _, it in ipairs(list.replaced) do
          if it.changed and it.count > 1 then print(it.name) end
        end
        local good = true
        for i = 1, 5000 do
          good = good and all[i].up() == i + 1000 and all[i].now() == i + 1000
        end
        print(good)]]
    )
  end)

  it("are known by the functions around them", function()
    local text = [[
      local M = {}
      function M.a() local function inner() return %q end return inner end
      function M.b() local function inner() return %q end return inner end
      return M]]
    prints(
      "a2\tb2\ta2",
      { text:format("a1", "b1"), text:format("a2", "b2") },
      [[local mod = require "mod"
        local a, b = mod.a(), mod.b()
        turn(2)
        print(a(), b(), mod.a()())]]
    )
  end)

  it("see what another of the same call had captured", function()
    prints(
      "1\t10\n2\t20\nkept: make/seen/0",
      {
        [[local M = {}
          function M.make(n)
            local secret, lost = n * 10, 5
            return function() return n end, function() return n, secret end
          end
          return M]],
        [[local M = {}
          function M.make(n)
            local secret, lost = 0, 6
            return function() return n, secret end,
              function() return n, secret end
          end
          return M]],
      },
      [[local mod = require "mod"
        local one, other = mod.make(1), mod.make(2)
        local keep = { mod.make(1) }
        local a, b = mod.make(1)
        local c, d = mod.make(2)
        local list = turn(2)
        print(a())
        print(c())
        print("kept: make/seen/" .. (#list.kept - 1))]]
    )
  end)

  it("stay old when they capture what no function had", function()
    prints(
      "1\nM.make/return: it captures the local 'lost', which no function had "
        .. "captured\n1\n2\t6",
      {
        [[local M = {}
          function M.make(n)
            local lost = 5
            return function() return n end
          end
          return M]],
        [[local M = {}
          function M.make(n)
            local lost = 6
            return function() return n, lost end
          end
          return M]],
      },
      [[local mod = require "mod"
        local f = mod.make(1)
        local list = turn(2)
        print(#list.kept)
        print(list.kept[1].name .. ": " .. list.kept[1].reason)
        print(f())
        print(mod.make(2)())]]
    )
  end)
end)

describe("what is told of functions", function()
  it("that are gone: they stay old", function()
    prints(
      "M.gone (6): the new text has no such function\nstill here",
      {
        "local M = {}\n\n\n\n\nfunction M.gone() return 'still here' end "
          .. "return M",
        "local M = {}\nfunction M.named() return 'new' end\nreturn M",
      },
      [[local mod = require "mod"
        local it = turn(2).kept[1]
        print(("%s (%d): %s"):format(it.name, it.line, it.reason))
        print(mod.gone())]]
    )
  end)

  it("that are just like others of their line", function()
    prints(
      "1 of: other functions of its line are just like it\nx\tx",
      {
        "local M = {} M.a = function() return 'x' end "
          .. "M.b = function() return 'x' end return M",
        "local M = {} M.a = function() return 'a' end "
          .. "M.b = function() return 'b' end return M",
      },
      [[local mod = require "mod"
        local list = turn(2)
        print(#list.kept .. " of: " .. list.kept[1].reason)
        print(mod.a(), mod.b())]]
    )
  end)

  it("of one line that are not alike: both are replaced", function()
    prints(
      "a\tb",
      {
        "local M = {} M.a = function() return 'x' end "
          .. "M.b = function() return 'y' end return M",
        "local M = {} M.a = function() return 'a' end "
          .. "M.b = function() return 'b' end return M",
      },
      [[local mod = require "mod"
        turn(2)
        print(mod.a(), mod.b())]]
    )
  end)

  it("of one name, when there are others of it now", function()
    prints(
      "of this name there were 1 functions, and now there are 2",
      {
        "local function add(f) list = { f } end "
          .. "add(function() return 1 end)",
        "local function add(f) list = { f } end "
          .. "add(function() return 2 end) add(function() return 3 end)",
      },
      [[local mod = require "mod"
        for _, it in ipairs(turn(2).kept) do
          if it.reason:find "name" then print(it.reason) end
        end]]
    )
  end)

  it("in words, by print", function()
    prints(
      [[
reload of mod.lua: 1 function changed, 1 as before
  replaced  M.f (line 3)
  added     M.new (line 4)
  kept      M.gone (line 4): the new text has no such function
  active    M.run (line 3) in runner: it ends with its old code]],
      {
        "local M = {}\nlocal md = require 'moondial'\n"
          .. "function M.run(f) md.sleep(5) return f() end\n"
          .. "function M.gone() end\nfunction M.f() return 1 end\nreturn M",
        "local M = {}\nlocal md = require 'moondial'\n"
          .. "function M.f() return 2 end\nfunction M.new() end\n"
          .. "function M.run(f) md.sleep(5) return f() end\nreturn M",
      },
      [[local mod = require "mod"
        md.spawn({ name = "runner" }, mod.run, mod.f)
        md.run(1)
        print(turn(2))]]
    )
  end)
end)
