-- md.reload of the main file, which is not run again; of one text after
-- another; and what it may not be asked for.
local reload = require "spec.host.reload_support"
local support = require "spec.host.support"

local module = reload.module

local function prints(expected, ...)
  assert.equal(expected, (module(...)))
end

describe("the main file", function()
  local function main(expected, first, second)
    assert.equal(expected, (reload.main(first, second)))
  end

  it("gets new functions, keeps its globals, and spawns nothing", function()
    main(
      "old 1\nnew 2\nnew local 3\n1\tnil",
      [[total = 0
        limit = 1
        function tell() total = total + 1 print("old " .. total) end
        local function deep() tell() print "old local" end
        md.spawn(function()
          tell()
          md.sleep(2)
          tell()
          deep()
        end)
        md.run(1)
        reload()
        md.run()
        print(limit, more)]],
      [[total = 100
        limit = 2
        more = 3
        print "never"
        function tell() total = total + 1 print("new " .. total) end
        local function deep() total = total + 1 print("new local " .. total) end
        md.spawn(function() print "never" tell() deep() end)]]
    )
  end)

  it("gets the functions that it declares, where they can be made", function()
    main(
      "ask: again, twice\tmethod\tfield\n5\ntrue\ttrue\ttrue\ttrue",
      [[local state = { n = 5 }
        Class = {}
        local function ask() return state.n end
        reload()
        print(ask())
        print(state.n)
        print(kept == nil, block == nil, Class.other == nil, Nothing == nil)]],
      [[local state = { n = 100 }
        Class = {}
        local value = 7
        local function last() return "twice" end
        local function helper(n) return n > 0 and helper(n - 1) or last() end
        function shout() return "again, " .. helper(1) end
        function state.field() return "field" end
        function Class:method() return "method" end
        function Class.other() return value end
        function kept() return value end
        if Class then function block() end end
        function Nothing.at.all() end
        local function ask()
          return "ask: " .. shout() .. "\t" .. Class:method() .. "\t"
            .. state.field()
        end]]
    )
  end)

  it("says what stays old, and which calls are under way", function()
    main(
      [[
reload of model.lua: 1 function changed, 0 as before
  replaced  tell (line 5)
  added     more (line 4)
  kept      never (line 6): new, and nothing that is kept leads to it
  kept      use (line 10): it captures the local 'fresh', which no function ]]
        .. [[
had captured
  active    main chunk (line 12) in the script: it ends with its old code]],
      [[local seen = {}
        function tell() return 1 end
        function use() return seen end
        local list =
          reload()
        for i, it in ipairs(list.kept) do if it.name == "reload" then
          table.remove(list.kept, i) end end
        print((tostring(list):gsub("  kept      reload[^\n]*\n", "")))]],
      [[local fresh, seen = {}, 1


        function more() return 1 end
        function tell() return 2 end
        function never() return fresh end
        function use() return fresh end]]
    )
  end)

  it("calls its global migrate, and takes back what that does", function()
    local first = [[
      n = 1
      function which() return "old", n end
      print(pcall(reload))
      print(which())]]
    local second = [[
      function which() return "new", n end
      function reload() end
      function migrate(globals) globals.n = 2 %s end]]
    local out = reload.main(first, second:format "")
    assert.truthy(out:find("\nnew\t2$"), out)
    out = reload.main(first, second:format "error 'no'")
    assert.equal("false\tmodel.lua:3: no\nold\t1", out)
  end)

  it("may be given by its path, also from another folder", function()
    local text = [[
      local md = require "moondial"
      local function f() return "old" end
      local path = %s
      local text = io.open(arg[0]):read "a"
      local out = io.open(arg[0], "w")
      out:write((text:gsub('"ol' .. 'd"', '"new"')))
      out:close()
      print(#md.reload(path).replaced, f())]]
    for _, path in ipairs { "arg[0]", "'model.lua'", "'./model.lua'" } do
      local result = support.run(text:format(path), { under = "a/b" })
      assert.equal("1\tnew\n", result.err .. result.out)
    end
  end)
end)

describe("a file that dofile or loadfile has loaded", function()
  it("gets new functions, and is not run again", function()
    prints(
      "run\nold\nnew\nnew",
      {
        "print 'run' function f() return 'old' end",
        "print 'run' function f() return 'new' end",
      },
      [[dofile "mod.lua"
        local mine = loadfile "mod.lua"
        print(f())
        become(text_of(2))
        md.reload "mod.lua"
        print(f())
        become(text_of(2))
        md.reload "mod.lua"
        print(f())]]
    )
  end)

  it("is told apart from what the same file was before", function()
    prints(
      "a2\tb2",
      {
        "return function() return 'a1' end",
        "\nreturn function() return 'a2' end",
        "return function() return 'b1' end, 5",
      },
      [[local a = dofile "mod.lua"
        become(text_of(3))
        local b = dofile "mod.lua"
        assert(a() == "a1" and b() == "b1")
        become(text_of(2))
        md.reload "mod.lua"
        print(a(), (b():gsub("a", "b")))]]
    )
  end)
end)

describe("where md.reload is called", function()
  local texts = {
    "local n = 0 return function() n = n + 1 return 'old', n end",
    "local n = 0 return function() n = n + 1 return 'new', n end",
  }

  it("may be a process, a callback, a generator, or the whole body", function()
    prints(
      "old\t1\nnew\t2\nold\t3\nnew\t4\nold\t5\nnew\t6",
      texts,
      [[local f = require "mod"
        print(f())
        become(text_of(2))
        md.spawn(md.reload, "mod")
        md.run()
        print(f())
        become(text_of(1))
        md.after(1, md.reload, "mod")
        md.run()
        print(f())
        coroutine.wrap(function() turn(2) end)()
        print(f())
        become(text_of(1))
        md.spawn(coroutine.wrap(md.reload), "mod")
        md.run()
        print(f())
        md.sim():reload "mod"
        md.current():reload "mod"
        become(text_of(2))
        local sim = md.sim()
        sim:spawn(function() md.reload "mod" end)
        sim:run()
        print(f())]]
    )
  end)

  it("may be a model whose instructions are counted", function()
    prints(
      "new\t5000",
      {
        "return function(n) return function() return 'old', n end end",
        "return function(n) return function() return 'new', n end end",
      },
      [[local make, all = require "mod", {}
        for i = 1, 5000 do all[i] = make(i) end
        turn(2)
        print(all[5000]())]],
      { options = "--instructions 100000" }
    )
  end)

  it("counts those of the module's text", function()
    local out = module(
      { "return {}", "while true do end" },
      [[require "mod"
        print(pcall(turn, 2))]],
      { options = "--instructions 100000" }
    )
    assert.truthy(out:find("the script has run 100000 instructions", 1, true))
  end)

  it("may have another environment", function()
    prints(
      "old\nnew\tmore\tnil",
      {
        "function f() return tostring 'old' end",
        "function f() return 'new', more() end "
          .. "function more() return 'more' end",
      },
      [[local own = setmetatable({}, { __index = _G })
        loadfile("mod.lua", "t", own)()
        print(own.f())
        become(text_of(2))
        md.reload "mod.lua"
        local a, b = own.f()
        print(a, b, rawget(_G, "more"))]]
    )
  end)
end)

describe("one reload after another", function()
  local function text(word)
    return (
      "local n = 0 local M = {} function M.f() n = n + 1 "
      .. "return %q, n end function M.make() return function() n = n + 1 "
      .. "return %q, n end end return M"
    ):format(word, word)
  end

  it("goes on from where the last one was, and back", function()
    prints(
      "a\t1\nb\t2\nb\t3\nc\t4\na\t5\na\t6\n7",
      { text "a", text "b", "\n\n" .. text "c" },
      [[local mod = require "mod"
        local f = mod.f
        print(f())
        turn(2)
        local inner = mod.make()
        print(f())
        print(inner())
        turn(3)
        print(f())
        turn(1)
        print(f())
        print(inner())
        for _ = 1, 100 do turn(1) turn(2) end
        print(select(2, inner()))]]
    )
  end)

  it("knows functions whatever they capture, and from where", function()
    local captures = [[
      local a, b, c, d = 1, 2, 3, 4
      local M = {}
      function M.f() return "%s", d, b end
      function M.g()
        return function() return "%s", c, function() return a end end
      end
      return M]]
    prints(
      "x\t4\t2\tx\t3\t1\ny\t4\t2\ty\t3\t1\nz\t4\t2\tz\t3\t1",
      {
        captures:format("x", "x"),
        "\n" .. captures:format("y", "y"),
        "local e = 5 " .. captures:format("z", "z"),
      },
      [[local mod = require "mod"
        local f, g = mod.f, mod.g()
        local function show()
          local a, b, c = f()
          local d, e, h = g()
          print(a, b, c, d, e, h())
        end
        show()
        turn(2)
        show()
        turn(3)
        show()]]
    )
  end)

  it("survives every collector, with much garbage between", function()
    prints(
      "true",
      {
        [[local M = { all = {} }
          function M.make(i) local n = i
            return function() n = n + 1 return n, "a" end,
              function() return n end
          end
          return M]],
        [[local M = { all = {} }
          function M.make(i) local n = i
            return function() n = n + 1 return n, "b" end,
              function() return n, {} end
          end
          return M]],
      },
      [[local mod = require "mod"
        local ok = true
        local list = {}
        for i = 1, 2000 do list[i] = { mod.make(i) } end
        for round = 1, 12 do
          local mode = round % 3
          if mode == 0 then collectgarbage "generational"
          elseif mode == 1 then collectgarbage "incremental" end
          local which = round % 2 == 1 and "b" or "a"
          turn(round % 2 + 1)
          for i = 1, 2000 do
            local n, word = list[i][1]()
            ok = ok and n == i + round and word == which
              and list[i][2]() == i + round
            if i % 100 == round then list[i] = { mod.make(i + round) } end
          end
          collectgarbage()
        end
        print(ok)]]
    )
  end)

  it("finds what an old call has made since", function()
    prints(
      "old made\nnewest made",
      {
        [[local md = require "moondial"
          local M = {}
          function M.run()
            md.sleep(1)
            M.made = function() return "old made" end
            md.sleep(1)
          end
          return M]],
        [[local md = require "moondial"
          local M = {}

          function M.run()
            md.sleep(1)
            M.made = function() return "new made" end
            md.sleep(1)
          end
          return M]],
        [[local md = require "moondial"
          local M = {}
          function M.run() M.made = function() return "newest made" end end
          return M]],
      },
      [[local mod = require "mod"
        md.spawn(mod.run)
        md.run(0.5)
        turn(2)
        md.run(1.5)
        print(mod.made())
        turn(3)
        print(mod.made())]]
    )
  end)

  it("does not hoard the texts that nobody comes from", function()
    prints(
      "true",
      { text "a", text "b" },
      [[local mod = require "mod"
        for _ = 1, 10 do turn(1) turn(2) end
        collectgarbage()
        local before = collectgarbage "count"
        for _ = 1, 50 do turn(1) turn(2) end
        collectgarbage()
        print(collectgarbage "count" - before < 8)]]
    )
  end)
end)

describe("what md.reload is given", function()
  it("must have been loaded from a file beside the script", function()
    prints(
      "false\tusage\tmodel.lua:22: reload: nothing called 'mud' was loaded "
        .. "from a file beside the script; give a module that require has "
        .. "loaded, or a file; did you mean 'mod'?",
      { "return {}" },
      [[require "mod"
        try(md.reload, "mud")]]
    )
  end)

  it("must be a name, and a file that is there", function()
    prints(
      "reload: expected a string as argument 1, got nil\n"
        .. "reload: cannot open 'mod.lua': No such file or directory",
      { "return {}" },
      [[require "mod"
        local function why(...)
          local _, e = pcall(md.reload, ...)
          print((e.message:gsub("^model.lua:%d+: ", "")))
        end
        why()
        os.remove "mod.lua"
        why "mod"]]
    )
  end)

  it("is refused inside a guard", function()
    local out = module(
      { "return {}" },
      [[require "mod"
        local pid = md.spawn(function()
          md.receive { { md._, when = function() md.reload "mod" end } }
        end)
        md.send(pid, 1)
        md.run()]]
    )
    assert.truthy(out:find("reload: a guard only looks at a message", 1, true))
  end)

  it("may be a module in a folder, or an init.lua", function()
    prints(
      "old\told\nnew\tnew",
      { "return {}" },
      [[os.execute "mkdir lib"
        for _, file in ipairs { "lib/a.lua", "lib/init.lua" } do
          become("return function() return 'old' end", file)
        end
        local a, b = require "lib.a", require "lib"
        print(a(), b())
        become("return function() return 'new' end", "lib/a.lua")
        become("return function() return 'new' end", "lib/init.lua")
        md.reload "lib.a"
        md.reload "lib"
        print(a(), b())]]
    )
  end)

  it("works with --sandbox, for what was loaded already", function()
    local result = support.run(
      "local md = require 'moondial' local mod = require 'mod' "
        .. "md.reload 'mod' print(mod.f(), (pcall(md.reload, 'other')))",
      {
        options = "--sandbox",
        files = {
          ["mod.lua"] = "return { f = function() return 'f' end }",
          ["other.lua"] = "return {}",
        },
      }
    )
    assert.equal("f\tfalse\n", result.err .. result.out)
  end)
end)

describe("the signal RELOAD", function()
  local texts = {
    "local md = require 'moondial' local M = {} function M.f() md.sleep(1) end "
      .. "function M.run() for _ = 1, 9 do M.f() end end return M",
    "local md = require 'moondial' local M = {} function M.f() md.sleep(2) end "
      .. "function M.run() for _ = 1, 9 do M.f() end end return M",
  }
  local model = [[
    local mod = require "mod"
    md.spawn({ name = "runner" }, mod.run)
    md.spawn({ name = "changer" }, function()
      md.sleep(3)
      turn(2)
    end)
    %s
    md.run()
    for s in md.pull { kind = "RELOAD" } do
      print(s.kind, s.time, s.pid)
    end
    print(md.now(), md.hash())]]

  it("tells when, and which process did it", function()
    local out = module(texts, model:format "")
    assert.truthy(out:find "^RELOAD\t3.0\t<pid 2>\n15.0\t", out)
  end)

  it("leaves runs alike, whatever the collector does", function()
    local first = module(texts, model:format "")
    for _, mode in ipairs {
      "",
      'collectgarbage "generational"',
      'collectgarbage("incremental", 1000, 1)',
      'collectgarbage "stop"',
    } do
      assert.equal(first, (module(texts, model:format(mode))))
    end
  end)

  it("leaves the collector as it was", function()
    prints(
      "true\tfalse\tgenerational",
      texts,
      [[require "mod"
        turn(2)
        local before = collectgarbage "isrunning"
        collectgarbage "stop"
        turn(1)
        local after = collectgarbage "isrunning"
        collectgarbage "restart"
        collectgarbage "generational"
        turn(2)
        print(before, after, collectgarbage "incremental")]]
    )
  end)

  it("is in the trace, in words", function()
    local out = module(texts, model:format "", {
      options = "--trace - --trace-only RELOAD",
    })
    assert.truthy(out:find("'changer' takes new code", 1, true), out)
  end)

  it("differs for another text", function()
    local one = module(texts, model:format "")
    local other = module({ texts[1], texts[2] .. " " }, model:format "")
    assert.are_not.equal(one:match "%x+$", other:match "%x+$")
  end)
end)

describe("a reload in a large model", function()
  it("takes less than a second with 5000 processes, 500000 tables", function()
    local out = module(
      {
        [[local md = require "moondial"
          local M = {}
          local function make(i) return function() return i, "old" end end
          function M.run(i)
            local f = make(i)
            while true do md.sleep(1) M.last, M.word = f() end
          end
          return M]],
        [[local md = require "moondial"
          local M = {}
          local function make(i) return function() return i, "new" end end
          function M.run(i)
            local f = make(i)
            while true do md.sleep(1) M.last, M.word = f() end
          end
          return M]],
      },
      [[local mod = require "mod"
        local all = {}
        for i = 1, 500000 do all[i] = { id = i, before = all[i - 1] } end
        for i = 1, 5000 do md.spawn(mod.run, i) end
        md.run(1)
        local function clock()
          return io.open("/proc/uptime"):read "n"
        end
        local before = clock()
        local list = turn(2)
        local seconds = clock() - before
        md.run(2)
        print(#list.active, mod.word, mod.last)
        print(seconds)]]
    )
    local text, seconds = out:match "^(.*)\n([%d.]+)$"
    assert.equal("5000\tnew\t5000", text)
    local fast = not os.getenv("MOONDIAL"):find "asan"
    assert.is_true(not fast or tonumber(seconds) < 1.5, seconds)
  end)
end)
