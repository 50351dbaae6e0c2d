-- Children: they end with their parent, and may get what it gets.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function ended(p)
  local ok, err = pcall(md.join, p)
  if ok then
    return "returned"
  end
  return tostring(type(err) == "table" and err.kind or err)
end

local function refusal(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err.kind .. ": " .. err.message:gsub("^[%w%p]*:%d+: ", "")
end

-- A child that says its name when it is closed, which takes d.
local function mortal(say, name, d, options)
  return md.child(options or {}, function()
    local _ <close> = closer(function()
      md.sleep(d or 0)
      say(name)
    end)
    md.sleep(100)
  end)
end

describe("children cannot outlive the parent (4.7)", function()
  local ends = {
    ["returns"] = { "returned", function() end },
    ["exits"] = { "returned", md.exit },
    ["exits for a reason"] = { "killed", md.exit, "why" },
    ["fails"] = { "broken", error, "broken", 0 },
    ["is killed"] = {
      "killed",
      function()
        md.at(1, md.kill, md.self())
        md.sleep(9)
      end,
    },
  }
  for name, case in pairs(ends) do
    it("when that " .. name, function()
      local told = story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(say, "parent's own")
          mortal(say, "oldest", 3)
          mortal(say, "middle")
          mortal(say, "youngest")
          md.sleep(1)
          case[2](table.unpack(case, 3))
        end)
        say(ended(p))
      end)
      assert.same({
        "1 parent's own",
        "1 youngest",
        "1 middle",
        "4 oldest",
        "4 " .. case[1],
      }, told)
    end)
  end

  it("nor their grandparents", function()
    assert.same(
      { "1 child", "2 grandchild", "5 grand-grandchild", "5 returned" },
      story(function(say)
        local p = md.spawn(function()
          md.child(function()
            md.child(function()
              mortal(say, "grand-grandchild", 3)
              local _ <close> = closer(function()
                md.sleep(1)
                say "grandchild"
              end)
              md.sleep(100)
            end)
            local _ <close> = closer(say, "child")
            md.sleep(100)
          end)
          md.sleep(1)
        end)
        say(ended(p))
      end)
    )
  end)

  it("and those that have not started never do", function()
    assert.same(
      { "0 returned" },
      story(function(say)
        local now, later
        local p = md.spawn(function()
          now = md.child(say, "never")
          later = md.child({ at = 5 }, say, "never")
        end)
        say(ended(p))
        for _, child in ipairs { now, later } do
          local ok, err = pcall(md.join, child)
          assert.is_false(ok)
          assert.same({ "killed", "shutdown" }, { err.kind, err.reason })
        end
      end)
    )
  end)

  it("in a chain of 1000", function()
    story(function()
      local last, gone = nil, 0
      local function body(n)
        local _ <close> = closer(function()
          gone = gone + 1
        end)
        if n < 1000 then
          last = md.child(body, n + 1)
        end
        md.sleep(n == 1 and 1 or 9)
      end
      md.join(md.spawn(body, 1))
      assert.same({ 1000, 1.0, "failed" }, { gone, md.now(), md.status(last) })
      assert.equal(1, #md.processes())
    end)
  end)

  it("with 10 000 brothers", function()
    story(function()
      local n = 10000
      md.join(md.spawn(function()
        for _ = 1, n do
          md.child(md.sleep, 9)
        end
        md.sleep(1)
      end))
      assert.equal(1, #md.processes())
      assert.equal(1, md.now())
    end)
  end)

  it("with those that a dying parent's closer makes", function()
    assert.same(
      { "1 closer", "2 late", "2 killed" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(function()
            mortal(say, "late", 1)
            md.sleep(0)
            say "closer"
          end)
          md.sleep(9)
        end)
        md.at(1, md.kill, p)
        say(ended(p))
      end)
    )
  end)

  it("with those that a child makes while it dies with its parent", function()
    assert.same(
      { "1 child", "3 late", "3 returned" },
      story(function(say)
        local p = md.spawn(function()
          md.child(function()
            local _ <close> = closer(function()
              mortal(say, "late", 2)
              md.sleep(0)
              say "child"
            end)
            md.sleep(9)
          end)
          md.sleep(1)
        end)
        say(ended(p))
      end)
    )
  end)

  it("even if a child kills it in its closer", function()
    assert.same(
      { "1 false false", "1 closed", "1 killed" },
      story(function(say)
        local p = md.spawn(function()
          local parent = md.self()
          md.child(function()
            local _ <close> = closer(function()
              say(md.kill(parent), md.interrupt(parent))
            end)
            md.sleep(9)
          end)
          mortal(say, "closed")
          md.sleep(9)
        end)
        md.sleep(0)
        md.at(1, md.kill, p)
        say(ended(p))
      end)
    )
  end)

  it("nor can it be seen to have ended before", function()
    assert.same(
      { "1 waiting", "1 the end of its children", "3 noproc", "3 down normal" },
      story(function(say)
        local p = md.spawn(function()
          md.register("parent", md.self())
          mortal(tostring, "", 2)
          md.sleep(1)
          return 7
        end)
        local ref = md.monitor(p)
        md.sleep(0)
        md.sleep(1)
        say(md.status(p))
        say(md.info(p).waiting)
        assert.equal(p, md.whereis "parent")
        assert.is_false(md.kill(p))
        local ok, err = pcall(md.ask, p, "question")
        assert.is_false(ok)
        say(err.kind)
        say("down", select(2, md.wait("down", ref)))
        assert.equal(7, md.join(p))
        assert.is_nil(md.whereis "parent")
      end)
    )
  end)

  it("and messages that it gets meanwhile are lost", function()
    story(function()
      local p = md.spawn(function()
        mortal(tostring, "", 2)
      end)
      md.sleep(1)
      md.send(p, "late")
      assert.equal(0, md.inbox(p))
    end)
  end)
end)

describe("a child", function()
  it("has arguments, children of its own, and is joined (4.5)", function()
    story(function()
      local function total(from, to)
        if from == to then
          md.sleep(1)
          return from
        end
        local middle = (from + to) // 2
        local low = md.child(total, from, middle)
        local high = md.child({ name = "high" }, total, middle + 1, to)
        return md.join(low) + md.join(high)
      end
      assert.equal(5050, md.join(md.child(total, 1, 100)))
      assert.equal(1, md.now())
    end)
  end)

  it("that ends by itself is no burden to its parent", function()
    assert.same(
      { "1 done", "2 returned" },
      story(function(say)
        local p = md.spawn(function()
          local c = md.child(function()
            md.sleep(1)
            return "done"
          end)
          say(md.join(c))
          md.sleep(1)
        end)
        say(ended(p))
      end)
    )
  end)

  it("that fails on its own is uncaught like any process", function()
    local told = story({ failing = true }, function()
      md.child(function()
        md.sleep(1)
        error("broken", 0)
      end)
      md.sleep(9)
    end)
    assert.same({ "1 (broken)" }, told)
  end)

  it("in an isolated sim fails alone, and dies with its parent", function()
    local run = support.run [[
      local md = require "moondial"
      local sim = md.sim { on_error = "isolate" }
      sim:spawn({ name = "parent" }, function()
        md.child({ name = "one" }, error, "one broken", 0)
        md.child({ name = "two" }, function()
          local _ <close> = setmetatable({}, { __close = function()
            print("two closes", md.now())
          end })
          md.sleep(9)
        end)
        md.sleep(1)
        error("parent broken", 0)
      end)
      print(sim:run())
    ]]
    assert.equal("two closes\t1.0\ndone\t1.0\n", run.out)
    assert.equal(
      "moondial: 'one' failed: one broken\n"
        .. "moondial: 'parent' failed: parent broken\n",
      run.err
    )
  end)

  it("is made by spawn as well, linked and watched if need be", function()
    story(function()
      local p = md.spawn(function()
        md.trap_exit(true)
        local c, ref = md.spawn(
          { child = true, link = true, monitor = true, name = "c" },
          md.exit,
          "x"
        )
        assert.same({ c, "x" }, { md.wait "exit" })
        assert.same({ ref, c, "x" }, { md.wait "down" })
        md.child { name = "d" }
      end)
      local ok, err = pcall(md.join, p)
      assert.is_false(ok)
      assert.matches("child: expected a function as argument 2", err.message)
    end)
  end)
end)

describe("a forwarding child (4.6)", function()
  local function collector(say, name)
    return function()
      while true do
        say(name, md.wait())
      end
    end
  end

  it("gets what its parent gets, and what lies unread, for its own", function()
    assert.same(
      {
        "1 child old 1",
        "1 child old 2",
        "2 parent new",
        "2 child new",
        "3 parent old 1",
        "3 parent old 2",
      },
      story(function(say)
        local p = md.spawn(function()
          md.sleep(1)
          md.child({ forward = true }, collector(say, "child"))
          md.wait "new"
          say("parent", "new")
          md.sleep(1)
          say("parent", md.wait())
          say("parent", md.wait())
        end)
        md.send(p, "old", 1)
        md.send(p, "old", 2)
        md.sleep(2)
        md.send(p, "new")
      end)
    )
  end)

  it("gets the very values, nil too, and in its order of arrival", function()
    story(function()
      local object = {}
      local p = md.spawn(function()
        local c = md.child({ forward = true }, function()
          md.sleep(2)
          local got = table.pack(md.wait())
          assert.same({ 3, true, true }, {
            got.n,
            got[1] == object,
            rawequal(got[2], nil),
          })
          assert.equal("b", (md.wait "x"))
          assert.equal("a", (md.wait "y"))
          return "fine"
        end)
        assert.equal("fine", md.join(c))
        assert.equal(3, md.inbox())
      end)
      md.sleep(1)
      md.send(p, object, nil, 3)
      md.send(p, "y", "a")
      md.send(p, "x", "b")
      md.join(p)
    end)
  end)

  it("gets what stands in line before a full inbox", function()
    assert.same(
      { "0 child 1", "0 child 2", "0 child 3", "1 parent 1", "1 parent 2" },
      story(function(say)
        local p = md.spawn({ inbox = 1 }, function()
          md.sleep(0)
          md.child({ forward = true, inbox = 1 }, collector(say, "child"))
          md.sleep(1)
          say("parent", md.wait())
          say("parent", md.wait())
        end)
        for i = 1, 2 do
          md.spawn(md.send, p, i)
        end
        md.sleep(0)
        md.sleep(0)
        md.spawn(md.send, p, 3)
      end)
    )
  end)

  it("does not get what its parent does not: drops and overflows", function()
    story(function()
      for _, policy in ipairs { "drop", "error" } do
        local child
        local p = md.spawn({ inbox = 1, on_full = policy }, function()
          child = md.child({ forward = true }, md.wait, "never")
          md.sleep(5)
        end)
        md.sleep(1)
        md.send(p, 1)
        assert.equal(policy == "drop", (pcall(md.send, p, 2)))
        assert.same({ 1, 1 }, { md.inbox(p), md.inbox(child) })
        md.join(p)
      end
    end)
  end)

  it("does not get the replies to what its parent asks", function()
    story(function()
      local server = md.spawn(function()
        while true do
          local method, from, ref = md.wait()
          md.sleep(1)
          md.reply(from, ref, method)
        end
      end)
      local p = md.spawn(function()
        local c = md.child({ forward = true }, md.wait, "never")
        assert.equal("price", md.ask(server, "price"))
        assert.equal(0, md.inbox(c))
        pcall(md.ask_timeout, 0.5, server, "late")
        md.sleep(2)
        assert.equal(0, md.inbox(c))
        md.send(md.self(), md.ref())
        assert.equal(1, md.inbox(c))
      end)
      md.join(p)
      md.kill(server)
    end)
  end)

  it("gets a question to its parent, and may be the one who answers", function()
    story(function()
      local p = md.spawn(function()
        md.child({ forward = true }, function()
          local method, from, ref = md.wait()
          md.reply(from, ref, "child on " .. method)
        end)
        md.sleep(5)
      end)
      md.sleep(1)
      assert.equal("child on tea", md.ask(p, "tea"))
      assert.equal(1, md.inbox(p))
    end)
  end)

  it("forwards to its own, in the order of a tree", function()
    assert.same(
      { "1 root", "1 a", "1 a1", "1 a2", "1 b", "1 b1" },
      story(function(say)
        local function node(name, children)
          return function()
            for _, child in ipairs(children or {}) do
              md.child({ forward = true }, table.unpack(child))
            end
            while true do
              md.wait()
              say(name)
            end
          end
        end
        local p = md.spawn(node("root", {
          { node("a", { { node "a1" }, { node "a2" } }) },
          { node("b", { { node "b1" } }) },
        }))
        md.sleep(1)
        md.send(p, "x")
        md.sleep(0)
        md.kill(p)
      end)
    )
  end)

  it("forwards down a chain of 2000 without a deep stack", function()
    story(function()
      local count = 0
      local function body(n)
        if n < 2000 then
          md.child({ forward = true }, body, n + 1)
        end
        md.wait "x"
        count = count + 1
        md.wait "never"
      end
      local p = md.spawn(body, 1)
      md.sleep(1)
      md.send(p, "x")
      md.sleep(1)
      assert.equal(2000, count)
      md.kill(p)
      md.sleep(1)
      assert.equal(1, #md.processes())
    end)
  end)

  it("is one of several, and its brothers may not forward", function()
    story(function()
      local p = md.spawn(function()
        local plain = md.child(md.wait, "never")
        local heir = md.child({ forward = true }, md.wait, "never")
        local short = md.child({ forward = true }, md.wait, "x")
        md.wait "x"
        assert.same({ 0, 1 }, { md.inbox(plain), md.inbox(heir) })
        assert.is_true(md.kill(heir))
        md.sleep(1)
        assert.equal("done", md.status(short))
        md.wait "x"
        assert.equal(0, md.inbox(plain))
      end)
      md.sleep(1)
      md.send(p, "x", 1)
      md.sleep(1)
      md.send(p, "x", 2)
      md.join(p)
    end)
  end)

  it("gets what was sent for later, and what its parent is told", function()
    story(function()
      local p = md.spawn(function()
        local c = md.child({ forward = true }, md.wait, "never")
        local d = md.spawn(md.sleep, 2)
        md.monitor(d)
        md.wait "down"
        assert.equal(2, md.inbox(c))
      end)
      md.send_after(1, p, "tick")
      md.join(p)
    end)
  end)
end)

describe("a wrong call", function()
  it("of child outside of a process says so", function()
    local text = ": a child ends with the process that makes it, and this is "
      .. "none; use md.spawn here, or make it inside md.spawn(function() ... "
      .. "end)"
    assert.equal("usage: child" .. text, refusal(md.child, print))
    assert.equal(
      "usage: spawn" .. text,
      refusal(md.spawn, { child = true }, print)
    )
    local sim, other, told = md.sim(), md.sim(), nil
    sim:at(0, function()
      told = refusal(md.child, print)
    end)
    sim:spawn(function()
      assert.equal("usage: child" .. text, refusal(other.child, other, print))
    end)
    sim:run()
    assert.equal("usage: child" .. text, told)
  end)

  it("with another option, value or function says what came", function()
    story(function()
      assert.equal(
        "usage: child: there is no option 'forwards'; did you mean 'forward'?",
        refusal(md.child, { forwards = true }, print)
      )
      assert.equal(
        "usage: child: expected true or false as forward, got 'yes'",
        refusal(md.child, { forward = "yes" }, print)
      )
      assert.equal(
        "usage: spawn: forward is for a child; say child = true, too, or "
          .. "md.child({ forward = true }, fn, ...)",
        refusal(md.spawn, { forward = true }, print)
      )
      assert.equal(
        "usage: child: expected a function as argument 1, got 5; pass the "
          .. "function itself and its arguments after it: md.child(f, a, b), "
          .. "not md.child(f(a, b))",
        refusal(md.child, 5)
      )
      assert.equal(
        "usage: child: expected an integer from 1 to 4294967295 as inbox, got "
          .. "0",
        refusal(md.child, { inbox = 0 }, print)
      )
      assert.equal(1, #md.processes())
    end)
  end)
end)
