-- md.become: a process goes on as another function.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function refusal(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err.kind .. ": " .. err.message:gsub("^[%w%p]*:%d+: ", "")
end

describe("a process that becomes another function", function()
  it("gives what the last one returns, with its arguments", function()
    story(function()
      local p = md.spawn(function(a)
        md.sleep(1)
        md.become(function(...)
          local got = table.pack(...)
          md.sleep(1)
          md.become(
            setmetatable({}, {
              __call = function(_, n, first, last)
                return n, first, last
              end,
            }),
            got.n,
            got[1],
            got[4]
          )
        end, a, nil, 3, nil)
      end, "a")
      assert.same({ 4, "a" }, { md.join(p) })
      assert.equal(2, md.now())
      assert.equal("done", md.status(p))
    end)
  end)

  it("keeps pid, name, inbox, links, monitors and priority", function()
    story(function()
      local seen
      local p = md.spawn({ name = "worker", priority = 3 }, function()
        md.register("boss", md.self())
        md.sleep(1)
        md.become(function(before)
          assert.equal(before, md.self())
          local info = md.info(md.self())
          seen = { info.name, info.inbox, #info.links, info.priority }
          assert.equal(before, md.whereis "boss")
          assert.equal("letter", (md.wait()))
          md.wait "end"
          md.exit "over"
        end, md.self())
      end)
      md.trap_exit(true)
      md.link(p)
      local ref = md.monitor(p)
      md.send(p, "letter")
      md.sleep(2)
      assert.same({ "worker", 1, 1, 3 }, seen)
      md.send(p, "end")
      assert.same({ p, "over" }, { md.wait "exit" })
      assert.same({ ref, p, "over" }, { md.wait "down" })
    end)
  end)

  it("closes its variables first, inner first, which may block", function()
    assert.same(
      { "1 inner", "3 outer", "3 new" },
      story(function(say)
        md.spawn(function()
          local _ <close> = closer(function()
            md.sleep(2)
            say "outer"
          end)
          local _ <close> = closer(say, "inner")
          md.sleep(1)
          md.become(say, "new")
        end)
      end)
    )
  end)

  it("does so through pcall, time limits and generators", function()
    local ways = {
      pcall,
      function(f)
        xpcall(f, function()
          error "a handler saw it"
        end)
      end,
      function(f)
        pcall(md.timeout, 5, pcall, f)
      end,
      function(f)
        pcall(coroutine.wrap(f))
      end,
      function(f)
        coroutine.resume(coroutine.create(function()
          for _ in coroutine.wrap(f) do
          end
        end))
      end,
      function(f)
        table.sort({ 1, 2, 3 }, f)
      end,
      function(f)
        return setmetatable({}, { __index = f }).x
      end,
      function(f)
        local function deep(n)
          if n == 0 then
            f()
          end
          return 1 + deep(n - 1)
        end
        deep(10000)
      end,
    }
    for i, way in ipairs(ways) do
      local told = story(function(say)
        md.join(md.spawn(function()
          way(function()
            md.become(function()
              md.sleep(9) -- no limit of before is left
              say "new"
            end)
          end)
          say "never"
        end))
      end)
      assert.same({ "9 new" }, told, "way " .. i)
    end
  end)

  it("ends the limits around it, even those over in its closers", function()
    assert.same(
      { "4 closed", "4 timeout", "14 new" },
      story(function(say)
        md.spawn(function()
          md.timeout(2, function()
            local _ <close> = closer(function()
              md.sleep(3)
              say "closed"
              local _, err = pcall(md.timeout, 0, md.sleep, 1)
              say(err.kind)
            end)
            md.sleep(1)
            md.become(function()
              md.sleep(10)
              say "new"
            end)
          end)
        end)
      end)
    )
  end)

  it("loops for ever in constant memory (4.24)", function()
    story(function()
      local most = 0
      local function step(n, object)
        if n % 100000 == 0 then
          collectgarbage()
          most = math.max(most, collectgarbage "count")
        end
        if n == 1000000 then
          return object
        end
        if n % 1000 == 0 then
          md.sleep(1)
        end
        md.become(step, n + 1, object)
      end
      local object = {}
      collectgarbage()
      local before = collectgarbage "count"
      assert.equal(object, md.join(md.spawn(step, 1, object)))
      assert.is_true(most < before + 100, most - before)
      assert.equal(999, md.now())
    end)
  end)

  it("may do so at once, in a tail position, and as its own body", function()
    story(function()
      local function count(n)
        if n == 0 then
          return "zero"
        end
        return md.become(count, n - 1)
      end
      assert.equal("zero", md.join(md.spawn(count, 1000)))
      assert.equal("zero", md.join(md.spawn(md.become, count, 5)))
    end)
  end)

  it("has the errors of its new body", function()
    story(function()
      local err = {}
      local ok, got = pcall(md.join, md.spawn(md.become, error, err))
      assert.is_false(ok)
      assert.equal(err, got)
    end)
  end)

  it("keeps its children, and gets what they are to forward", function()
    assert.same(
      { "1 child one", "2 child two", "2 parent two", "3 end" },
      story(function(say)
        local p = md.spawn(function()
          md.child({ forward = true }, function()
            say("child", md.wait())
            md.become(function()
              say("child", md.wait())
              md.become(md.sleep, 100)
            end)
          end)
          md.wait()
          md.become(function()
            local got = md.wait()
            md.sleep(0)
            say("parent", got)
            md.sleep(1)
          end)
        end)
        md.sleep(1)
        md.send(p, "one")
        md.sleep(1)
        md.send(p, "two")
        md.join(p)
        say "end"
        assert.equal(1, #md.processes())
      end)
    )
  end)

  it("still has an interrupt that had not come through", function()
    assert.same(
      { "1 first", "1 second" },
      story(function(say)
        local p = md.spawn(function()
          local _, err = pcall(md.sleep, 9)
          say(err.cause)
          md.become(function()
            _, err = pcall(md.sleep, 9)
            say(err.cause)
          end)
        end)
        md.sleep(1)
        md.interrupt(p, "first")
        md.interrupt(p, "second")
      end)
    )
  end)
end)

describe("in the closers of one that becomes another", function()
  it("a kill wins, and an exit, an exit signal too", function()
    for i, kill in ipairs { md.kill, md.shutdown } do
      assert.same(
        { "2 killed why" },
        story(function(say)
          local p = md.spawn(function()
            local _ <close> = closer(md.sleep, 5)
            md.become(say, "never")
          end)
          md.at(2, function()
            assert.is_true(kill(p, "why"))
          end)
          local ok, err = pcall(md.join, p)
          say(ok and "returned" or err.kind, err.reason)
        end),
        "way " .. i
      )
    end
    assert.same(
      { "0 killed own" },
      story(function(say)
        local _, err = pcall(
          md.join,
          md.spawn(function()
            local _ <close> = closer(md.exit, "own")
            md.become(say, "never")
          end)
        )
        say(err.kind, err.reason)
      end)
    )
  end)

  it("an error is the process's", function()
    assert.same(
      { "0 outer", "0 broken" },
      story(function(say)
        local _, err = pcall(
          md.join,
          md.spawn(function()
            local _ <close> = closer(say, "outer")
            pcall(function()
              local _ <close> = closer(error, "broken", 0)
              md.become(say, "never")
            end)
            say "never"
          end)
        )
        say(err)
      end)
    )
  end)

  it("the last of several has the word", function()
    assert.same(
      { "0 second" },
      story(function(say)
        md.spawn(function()
          local _ <close> = closer(md.become, say, "second")
          md.become(say, "first")
        end)
      end)
    )
  end)

  it("of a killed one it is no way out", function()
    assert.same(
      { "1 outer", "1 killed" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(say, "outer")
          local _ <close> = closer(md.become, say, "never")
          md.sleep(9)
        end)
        md.at(1, md.kill, p)
        local _, err = pcall(md.join, p)
        say(err.kind)
      end)
    )
  end)
end)

describe("become", function()
  it("is in the trace", function()
    local run = support.run(
      [[
        local md = require "moondial"
        md.spawn(md.become, print, "new")
      ]],
      { options = "--trace -" }
    )
    assert.matches("0  process 1 becomes another function\n", run.out)
  end)

  it("outside of a process is refused", function()
    assert.equal(
      "usage: become: only a process can go on as another function, and this "
        .. "is none; md.spawn(fn, ...) starts one",
      refusal(md.become, print)
    )
    local told
    local sim = md.sim()
    sim:at(0, function()
      told = refusal(md.become, print)
    end)
    sim:run()
    assert.matches("only a process", told)
  end)

  it("with what is no function says what came, and goes on", function()
    story(function()
      assert.equal(
        "usage: become: expected a function as argument 1, got 'stop'; pass "
          .. "the function itself and its arguments after it: "
          .. "md.become(f, a, b), not md.become(f(a, b))",
        refusal(md.become, "stop")
      )
      assert.matches("got nothing", refusal(md.become))
    end)
  end)
end)
