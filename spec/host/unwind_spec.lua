-- Ends that meet: kills, exits, time limits and interrupts at one time, and in
-- each other's closers.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

-- How the join of p ends: the kind of its error, and the reason of a kill.
local function ended(p)
  local ok, err = pcall(md.join, p)
  if ok then
    return "returned"
  end
  return err.kind .. " " .. tostring(err.reason)
end

describe("at one time", function()
  it("a kill goes before a limit, whichever came first", function()
    for _, first in ipairs { "kill", "limit" } do
      assert.same(
        { "2 closed", "2 killed x" },
        story(function(say)
          local p
          if first == "kill" then
            md.at(1, function()
              md.kill(p, "x")
            end)
          end
          p = md.spawn(function()
            local _ <close> = closer(function()
              md.sleep(1)
              say "closed"
            end)
            say(pcall(md.timeout, 1, md.sleep, 10))
          end)
          if first == "limit" then
            md.sleep(0)
            md.at(1, md.kill, p, "x")
          end
          say(ended(p))
        end)
      )
    end
  end)

  it("two limits end the outer one", function()
    assert.same(
      { "1 timeout nil" },
      story(function(say)
        say(ended(md.spawn(function()
          md.timeout(1, function()
            pcall(md.timeout, 1, md.sleep, 10)
            say "never"
          end)
        end)))
      end)
    )
  end)

  it("an interrupt waits until a limit has unwound", function()
    assert.same(
      { "1 timeout", "1 interrupt" },
      story(function(say)
        local p = md.spawn(function()
          for _ = 1, 2 do
            local _, err = pcall(md.timeout, 1, md.sleep, 10)
            say(err.kind)
          end
        end)
        md.sleep(0)
        md.at(1, md.interrupt, p, "i")
      end)
    )
  end)
end)

describe("in a closer", function()
  it("of an ended limit, exit ends the process", function()
    assert.same(
      { "1 killed r" },
      story(function(say)
        say(ended(md.spawn(function()
          pcall(md.timeout, 1, function()
            local _ <close> = closer(md.exit, "r")
            md.sleep(10)
          end)
          say "never"
        end)))
      end)
    )
  end)

  it("of an ended limit, a kill unwinds all, inner first", function()
    assert.same(
      { "2 inner", "2 outer", "2 killed k" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(say, "outer")
          pcall(md.timeout, 1, function()
            local _ <close> = closer(function()
              local _ <close> = closer(say, "inner")
              pcall(md.sleep, 3)
              say "never"
            end)
            md.sleep(10)
          end)
          say "never"
        end)
        md.at(2, md.kill, p, "k")
        say(ended(p))
      end)
    )
  end)

  it(
    "of an ended limit, an interrupt is caught and the limit raised",
    function()
      assert.same(
        { "2 interrupt", "2 timeout", "3 on" },
        story(function(say)
          local p = md.spawn(function()
            local _, err = pcall(md.timeout, 1, function()
              local _ <close> = closer(function()
                local _, cause = pcall(md.sleep, 3)
                say(cause.kind)
              end)
              md.sleep(10)
            end)
            say(err.kind)
            md.sleep(1)
            say "on"
          end)
          md.at(2, md.interrupt, p)
        end)
      )
    end
  )

  it("of a killed process, another may be joined and killed", function()
    assert.same(
      { "1 true", "3 c" },
      story(function(say)
        local c = md.spawn(function()
          md.sleep(3)
          return "c"
        end)
        local d = md.spawn(md.sleep, 9)
        local p = md.spawn(function()
          local _ <close> = closer(function()
            say(md.kill(d))
            say(md.join(c))
          end)
          md.sleep(9)
        end)
        md.at(1, md.kill, p)
      end)
    )
  end)

  it("of processes that kill each other, each ends once", function()
    assert.same(
      { "1 a true", "1 b false" },
      story(function(say)
        local a, b
        a = md.spawn(function()
          local _ <close> = closer(function()
            say("a", md.kill(b))
          end)
          md.sleep(9)
        end)
        b = md.spawn(function()
          local _ <close> = closer(function()
            say("b", md.kill(a))
          end)
          md.sleep(9)
        end)
        md.at(1, function()
          md.kill(a)
        end)
      end)
    )
  end)

  it("that coroutine.close runs, exit ends the process", function()
    assert.same(
      { "0 killed r" },
      story(function(say)
        say(ended(md.spawn(function()
          local c = coroutine.create(function()
            local _ <close> = closer(md.exit, "r")
            coroutine.yield()
          end)
          coroutine.resume(c)
          coroutine.close(c)
          say "never"
        end)))
      end)
    )
  end)
end)

describe("a finalizer", function()
  it("may kill and spawn, but cannot block", function()
    local told = story(function(say)
      local p = md.spawn(md.sleep, 10)
      setmetatable({}, {
        __gc = function()
          assert.is_false(pcall(md.sleep, 1))
          md.kill(p, "gc")
          md.spawn(say, "spawned")
        end,
      })
      collectgarbage()
      collectgarbage()
      say(ended(p))
    end)
    table.sort(told)
    assert.same({ "0 killed gc", "0 spawned" }, told)
  end)
end)
