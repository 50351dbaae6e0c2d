-- Scopes: a block waits for its processes, and their errors are its own.
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

-- A process of the scope that says its name when it is closed, after d.
local function mortal(scope, say, name, d)
  return scope:spawn(function()
    local _ <close> = closer(function()
      md.sleep(d or 0)
      say(name)
    end)
    md.sleep(100)
  end)
end

describe("a scope (4.5, 4.7)", function()
  it("waits for its processes at the end of its block", function()
    assert.same(
      { "0 end of block", "1 short", "3 long", "3 left" },
      story(function(say)
        do
          local s <close> = md.scope()
          s:spawn(function()
            md.sleep(3)
            say "long"
          end)
          s:spawn({ name = "short", after = 1 }, say, "short")
          say "end of block"
        end
        say "left"
      end)
    )
  end)

  it("gives the pid, the ref and the results of its processes", function()
    story(function()
      local s <close> = md.scope()
      local p = s:spawn(function(...)
        md.sleep(1)
        return ...
      end, 1, nil, 3)
      assert.same({ 1, nil, 3 }, { md.join(p) })
      local q, ref = s:spawn({ monitor = true, name = "q" }, function() end)
      assert.same({ ref, q, "normal" }, { md.wait "down" })
      assert.equal(md.self(), md.info(s:spawn(md.sleep, 1)).parent)
    end)
  end)

  it(
    "that is empty ends at once, and others may be left by return and break",
    function()
      story(function()
        local function body()
          local s <close> = md.scope()
          for i = 1, 2 do
            local t <close> = md.scope()
            t:spawn(md.sleep, 1)
            if i == 1 then
              break
            end
          end
          assert.equal(1, md.now())
          s:spawn(md.sleep, 1)
          return "returned"
        end
        do
          local _ <close> = md.scope()
        end
        assert.same({ "returned", 2.0 }, { body(), md.now() })
      end)
    end
  )

  it("joins its processes without being left", function()
    assert.same(
      { "2 joined", "3 left" },
      story(function(say)
        do
          local s <close> = md.scope()
          s:spawn(md.sleep, 1)
          s:spawn(md.sleep, 2)
          s:join()
          say "joined"
          s:join()
          s:spawn(md.sleep, 1)
        end
        say "left"
      end)
    )
  end)

  it("cancels its processes, newest first, and goes on", function()
    assert.same(
      { "1 b", "1 a", "1 killed enough", "4 left" },
      story(function(say)
        do
          local s <close> = md.scope()
          local a = mortal(s, say, "a")
          mortal(s, say, "b")
          md.sleep(1)
          s:cancel "enough"
          s:join()
          local _, err = pcall(md.join, a)
          say(err.kind, err.reason)
          s:cancel()
          s:spawn(md.sleep, 3)
        end
        say "left"
      end)
    )
  end)

  it("may be cancelled by one of its processes, and by a callback", function()
    assert.same(
      { "1 one", "1 other", "1 left", "2 third", "2 left" },
      story(function(say)
        do
          local s <close> = md.scope()
          s:spawn(function()
            local _ <close> = closer(say, "one")
            md.sleep(1)
            pcall(s.cancel, s)
            say "never"
          end)
          mortal(s, say, "other")
        end
        say "left"
        do
          local s <close> = md.scope()
          mortal(s, say, "third")
          md.after(1, s.cancel, s)
        end
        say "left"
      end)
    )
  end)
end)

describe("an error in a scope's process", function()
  it(
    "is raised, unchanged, where the block blocks, and ends the others",
    function()
      local object = {}
      assert.same(
        { "1 block", "3 other", "3 left true" },
        story(function(say)
          local ok, err = pcall(function()
            local s <close> = md.scope()
            local _ <close> = closer(say, "block")
            mortal(s, say, "other", 2)
            s:spawn(function()
              md.sleep(1)
              error(object)
            end)
            md.sleep(50)
            say "never"
          end)
          assert.is_false(ok)
          say("left", rawequal(err, object))
        end)
      )
    end
  )

  it("reaches every blocking call", function()
    local calls = {
      function()
        md.sleep(9)
      end,
      function()
        md.wait "never"
      end,
      function()
        md.receive { { "never" }, after = { 9 } }
      end,
      function()
        md.join(md.spawn(md.sleep, 9))
      end,
      function(s)
        s:join()
      end,
      function()
        md.ask(md.spawn(md.sleep, 9), "question")
      end,
      function()
        local full = md.spawn({ inbox = 1 }, md.sleep, 9)
        md.send(full, 1)
        md.send(full, 2)
      end,
      function()
        for _ in md.every(4) do
        end
      end,
      function()
        md.timeout(9, md.sleep, 10)
      end,
      function()
        error(select(2, coroutine.resume(coroutine.create(md.sleep), 9)), 0)
      end,
      function()
        local t <close> = md.scope()
        t:spawn(md.sleep, 9)
      end,
    }
    for i, call in ipairs(calls) do
      story(function()
        local ok, err = pcall(function()
          local s <close> = md.scope()
          s:spawn({ after = 1 }, error, "broken", 0)
          call(s)
          error "never"
        end)
        assert.is_false(ok)
        assert.equal("broken", err, "call " .. i)
        assert.equal(1, md.now(), "call " .. i)
      end)
    end
  end)

  it("is raised at the end if the block does not block", function()
    assert.same(
      { "1 body", "1 broken" },
      story(function(say)
        local _, err = pcall(function()
          local s <close> = md.scope()
          s:spawn({ after = 1 }, error, "broken", 0)
          pcall(md.sleep, 1)
          say "body"
        end)
        say(err)
        md.sleep(1) -- it has been raised, and is not again
      end)
    )
  end)

  it("is raised at the end when it comes there", function()
    story(function()
      local ok, err = pcall(function()
        local s <close> = md.scope()
        s:spawn(md.sleep, 5)
        s:spawn({ after = 1 }, error, "broken", 0)
      end)
      assert.same({ false, "broken", 1.0 }, { ok, err, md.now() })
      md.sleep(1)
    end)
  end)

  it("is raised at the end even if the body swallows it", function()
    story(function()
      local ok, err = pcall(function()
        local s <close> = md.scope()
        s:spawn({ after = 1 }, error, "broken", 0)
        assert.is_false(pcall(md.sleep, 5))
        md.sleep(2)
        assert.is_false(pcall(s.join, s))
        local p = s:spawn(error, "never starts")
        assert.equal("failed", md.status(p))
        md.sleep(1)
      end)
      assert.same({ false, "broken", 4.0 }, { ok, err, md.now() })
    end)
  end)

  it(
    "waits until the block, interrupted by another thing, has seen that",
    function()
      story(function()
        local self = md.self()
        local ok, err = pcall(function()
          local s <close> = md.scope()
          s:spawn(function()
            md.sleep(1)
            md.interrupt(self, "first")
            error("broken", 0)
          end)
          local _, why = pcall(md.sleep, 9)
          assert.equal("interrupt", why.kind)
          _, why = pcall(md.sleep, 9)
          assert.equal("broken", why)
          md.sleep(1)
        end)
        assert.same({ false, "broken", 2.0 }, { ok, err, md.now() })
      end)
    end
  )

  it("may be nil, false, or an error of the library", function()
    story(function()
      for _, case in ipairs { { nil }, { false } } do
        local ok, err = pcall(function()
          local s <close> = md.scope()
          s:spawn(error, case[1])
          md.sleep(1)
        end)
        assert.is_false(ok)
        assert.equal(case[1], err)
        ok, err = pcall(function()
          local s <close> = md.scope()
          s:spawn(error, case[1])
        end)
        assert.is_false(ok)
        assert.equal(case[1], err)
      end
      local _, err = pcall(function()
        local s <close> = md.scope()
        s:spawn(md.wait_timeout, 1, "never")
        md.sleep(9)
      end)
      assert.equal("timeout", err.kind)
    end)
  end)

  it("is the first of several", function()
    story(function()
      local _, err = pcall(function()
        local s <close> = md.scope()
        for i = 1, 3 do
          s:spawn(function()
            local _ <close> = closer(error, "closer " .. i, 0)
            md.sleep(1)
            error("body " .. i, 0)
          end)
        end
        md.sleep(9)
      end)
      assert.equal("closer 1", err)
    end)
  end)

  it("goes to those who join it as well", function()
    story(function()
      local told = {}
      local _, err = pcall(function()
        local s <close> = md.scope()
        local p = s:spawn({ after = 1 }, error, "broken", 0)
        md.spawn(function()
          told[1] = ended(p)
        end)
        told[2] = ended(p)
        told[3] = ended(p)
      end)
      md.sleep(0)
      assert.same({ "broken", "broken", "broken" }, told)
      assert.equal("broken", err)
    end)
  end)

  it("after it became another function is one, too", function()
    story(function()
      local _, err = pcall(function()
        local s <close> = md.scope()
        s:spawn(md.become, md.become, error, "broken", 0)
      end)
      assert.equal("broken", err)
    end)
  end)

  it("is said nowhere in an isolated sim", function()
    local run = support.run [[
      local md = require "moondial"
      local sim = md.sim { on_error = "isolate" }
      sim:spawn(function()
        print(pcall(function()
          local s <close> = md.scope()
          s:spawn(error, "broken", 0)
        end))
      end)
      print(sim:run())
    ]]
    assert.same({ "false\tbroken\ndone\t0.0\n", "" }, { run.out, run.err })
  end)

  it("is none if it was killed deliberately, or exited", function()
    story(function()
      do
        local s <close> = md.scope()
        local p = s:spawn(md.sleep, 9)
        s:spawn(md.exit, "own reason")
        md.sleep(1)
        md.kill(p, "enough")
        md.sleep(1)
      end
      assert.equal(2, md.now())
    end)
  end)
end)

describe("the end of a block", function()
  it("by an error of its own ends all, and goes on unchanged", function()
    local object = {}
    assert.same(
      { "1 b", "3 a", "3 left true" },
      story(function(say)
        local _, err = pcall(function()
          local s <close> = md.scope()
          mortal(s, say, "a", 2)
          mortal(s, say, "b")
          md.sleep(1)
          error(object)
        end)
        say("left", rawequal(err, object))
      end)
    )
  end)

  it("by an error in place of one that was swallowed is by that", function()
    story(function()
      local _, err = pcall(function()
        local s <close> = md.scope()
        s:spawn(error, "first", 0)
        local _, first = pcall(md.sleep, 1)
        error("not " .. first, 0)
      end)
      assert.equal("not first", err)
    end)
  end)

  -- what comes from outside, at the time 1
  local blows = {
    ["a kill"] = { "killed", md.kill },
    ["an exit signal"] = { "killed", md.shutdown },
    ["an interrupt"] = { "interrupt", md.interrupt },
  }
  for name, case in pairs(blows) do
    for _, where in ipairs { "in the block", "at its end" } do
      it("by " .. name .. " " .. where .. " ends all first", function()
        assert.same(
          { "1 b", "3 a", "3 left", "3 " .. case[1] },
          story(function(say)
            local p = md.spawn(function()
              local _ <close> = closer(say, "left")
              local s <close> = md.scope()
              mortal(s, say, "a", 2)
              mortal(s, say, "b")
              if where == "in the block" then
                md.sleep(50)
              end
            end)
            md.at(1, case[2], p)
            say(ended(p))
          end)
        )
      end)
    end
  end

  for _, where in ipairs { "in the block", "at its end" } do
    it("by a time limit " .. where .. " ends all first", function()
      assert.same(
        { "1 b", "3 a", "3 timeout", "4 on" },
        story(function(say)
          local _, err = pcall(md.timeout, 1, function()
            local s <close> = md.scope()
            mortal(s, say, "a", 2)
            mortal(s, say, "b")
            if where == "in the block" then
              md.sleep(50)
            end
          end)
          say(err.kind)
          md.sleep(1)
          say "on"
        end)
      )
    end)
  end

  it("takes blow after blow, and the heaviest has the word", function()
    assert.same(
      { "6 a", "6 killed third" },
      story(function(say)
        local p = md.spawn(function()
          pcall(md.timeout, 2, function()
            local s <close> = md.scope()
            mortal(s, say, "a", 5)
          end)
          say "never"
        end)
        md.at(1, md.interrupt, p, "first")
        md.at(3, md.kill, p, "third")
        local _, err = pcall(md.join, p)
        say(err.kind, err.reason)
      end)
    )
  end)

  it("by an interrupt leaves none behind", function()
    story(function()
      local p = md.spawn(function()
        for i = 1, 2 do
          local _, err = pcall(function()
            local s <close> = md.scope()
            s:spawn(md.sleep, 9)
          end)
          assert.same({ "interrupt", i }, { err.kind, err.cause })
        end
        md.sleep(5)
      end)
      md.at(1, md.interrupt, p, 1)
      md.at(2, md.interrupt, p, 2)
      md.join(p)
      assert.equal(7, md.now())
    end)
  end)

  it("by become ends all first", function()
    assert.same(
      { "3 a", "3 new" },
      story(function(say)
        md.spawn(function()
          local s <close> = md.scope()
          mortal(s, say, "a", 2)
          md.sleep(1)
          md.become(say, "new")
        end)
      end)
    )
  end)
end)

describe("nested scopes", function()
  it("are left inner first by an error of the outer", function()
    assert.same(
      { "3 inner", "3 closed", "4 outer", "4 broken" },
      story(function(say)
        local _, err = pcall(function()
          local s <close> = md.scope()
          mortal(s, say, "outer", 3)
          s:spawn({ after = 1 }, error, "broken", 0)
          local _ <close> = closer(say, "closed")
          local t <close> = md.scope()
          mortal(t, say, "inner", 2)
          md.sleep(50)
        end)
        say(err)
      end)
    )
  end)

  it("give an inner error to the inner block, which may catch it", function()
    assert.same(
      { "1 broken", "2 outer ok" },
      story(function(say)
        local s <close> = md.scope()
        s:spawn({ after = 2 }, say, "outer ok")
        local _, err = pcall(function()
          local t <close> = md.scope()
          t:spawn({ after = 1 }, error, "broken", 0)
          md.sleep(9)
        end)
        say(err)
      end)
    )
  end)

  it("go through processes that have scopes of their own", function()
    assert.same(
      { "1 leaf closed", "1 middle closed", "1 broken" },
      story(function(say)
        local _, err = pcall(function()
          local s <close> = md.scope()
          s:spawn(function()
            local _ <close> = closer(say, "middle closed")
            local t <close> = md.scope()
            t:spawn({ after = 1 }, error, "broken", 0)
            mortal(t, say, "leaf closed")
            md.sleep(9)
          end)
          md.sleep(50)
        end)
        say(err)
      end)
    )
  end)

  it("that fail in one instant raise what the block meets first", function()
    assert.same(
      { "1 inner", "1 outer" },
      story(function(say)
        local _, err = pcall(function()
          local s <close> = md.scope()
          local _, inner = pcall(function()
            local t <close> = md.scope()
            t:spawn({ after = 1 }, error, "inner", 0)
            s:spawn({ after = 1 }, error, "outer", 0)
            md.sleep(9)
          end)
          say(inner)
          md.sleep(9)
        end)
        say(err)
      end)
    )
  end)
end)

describe("a scope that is used wrongly", function()
  it("outside of a process is refused", function()
    assert.equal(
      "usage: scope: a scope belongs to a process, and this is none; make it "
        .. "inside md.spawn(function() ... end)",
      refusal(md.scope)
    )
    local other = md.sim()
    story(function()
      assert.matches("this is none", refusal(other.scope, other))
      do
        local s <close> = md.current():scope()
        s:spawn(md.sleep, 1)
      end
      assert.equal(1, md.now())
    end)
  end)

  it("after its block says so", function()
    story(function()
      local kept
      do
        local s <close> = md.scope()
        kept = s
      end
      assert.equal(
        "usage: scope: its block has ended, so spawn has no scope any more; "
          .. "make another, or use md.spawn",
        refusal(kept.spawn, kept, print)
      )
      assert.matches("its block has ended, so join", refusal(kept.join, kept))
      kept:cancel()
    end)
  end)

  it("in another process says whose it is", function()
    story(function()
      local s <close> = md.scope()
      md.join(md.spawn(function()
        assert.equal(
          "usage: scope: it belongs to process 1; only that can spawn in it; "
            .. "make another with md.scope(), or use md.spawn",
          refusal(s.spawn, s, print)
        )
        assert.matches("only that can join in it", refusal(s.join, s))
      end))
      local left = md.join(md.spawn(md.scope))
      assert.matches(
        "a process that has ended",
        refusal(left.spawn, left, print)
      )
    end)
  end)

  it("without <close> fails its process, when others go on in it", function()
    local run = support.run [[
      local md = require "moondial"
      md.spawn(function()
        local s = md.scope()
        s:spawn(md.sleep, 5)
        md.sleep(1)
      end)
    ]]
    assert.equal(1, run.status)
    assert.matches(
      "model.lua:3: scope: its process has returned while processes of it go "
        .. "on; bind it, local s <close> = md.scope%(%), and the end of the "
        .. "block waits for them",
      run.err
    )
  end)

  it("with a dot says what to write", function()
    story(function()
      local s <close> = md.scope()
      assert.equal(
        "usage: scope: expected a scope before the arguments, got a function; "
          .. "write s:spawn(...), with a colon",
        refusal(s.spawn, print)
      )
      assert.matches("function as argument 1, got 5", refusal(s.spawn, s, 5))
      assert.matches(
        "no option 'nmae'",
        refusal(s.spawn, s, { nmae = 1 }, print)
      )
      assert.equal(1, #md.processes())
    end)
  end)

  it("in a coroutine that cannot wait leaves nobody behind", function()
    assert.same(
      { "1 a", "1 killed" },
      story(function(say)
        local p = md.spawn(function()
          coroutine.wrap(function()
            local s <close> = md.scope()
            mortal(s, say, "a")
            md.sleep(50)
          end)()
        end)
        md.at(1, md.kill, p)
        say(ended(p))
        assert.equal(1, #md.processes())
      end)
    )
  end)

  it("in a coroutine that a time limit ends says so", function()
    assert.same(
      { "1 scope", "3 a", "3 returned" },
      story(function(say)
        local p = md.spawn(function()
          local _, err = pcall(md.timeout, 1, function()
            coroutine.wrap(function()
              local s <close> = md.scope()
              mortal(s, say, "a", 2)
              md.sleep(50)
            end)()
          end)
          assert.equal("usage", err.kind)
          say(err.message:match "scope")
        end)
        say(ended(p))
      end)
    )
  end)

  it("in a coroutine that another process ends says so", function()
    story(function()
      local function body()
        local s <close> = md.scope()
        s:spawn(md.sleep, 50)
        coroutine.yield()
      end
      local co
      md.spawn(function()
        co = coroutine.wrap(body)
        co()
        pcall(md.sleep, 2)
      end)
      md.sleep(1)
      assert.matches("where its processes cannot be waited", refusal(co))
      md.sleep(0)
      assert.equal(2, #md.processes())
    end)
  end)
end)

describe("scopes in numbers", function()
  it("leave no memory behind, nor held values", function()
    story(function()
      local function rounds(n)
        for i = 1, n do
          local s <close> = md.scope()
          s:spawn(md.sleep, 1)
          s:spawn({ after = i % 3 }, md.exit)
          s:spawn({ monitor = true, link = true }, md.become, md.sleep, 1)
          md.wait "down"
        end
        collectgarbage()
        return collectgarbage "count"
      end
      local before = rounds(100)
      local after = rounds(5000)
      assert.is_true(after < before + 50, after - before)
    end)
  end)

  it("wait for 10 000 processes as for one", function()
    story(function()
      do
        local s <close> = md.scope()
        for _ = 1, 10000 do
          s:spawn(md.sleep, 1)
        end
      end
      assert.equal(1, md.now())
      pcall(function()
        local s <close> = md.scope()
        for _ = 1, 10000 do
          s:spawn(md.sleep, 9)
        end
        s:spawn({ after = 1 }, error, "broken")
      end)
      assert.equal(2, md.now())
    end)
  end)
end)
