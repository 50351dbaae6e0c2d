-- The <close> variables of killed processes.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function killed(pid, reason)
  local ok, err = pcall(md.join, pid)
  assert.is_false(ok)
  assert.equal("killed", err.kind)
  assert.equal(reason, err.reason)
  assert.equal("failed", md.status(pid))
  return err
end

describe("closers of the killed", function()
  it("run inner first, also those of generators", function()
    assert.same(
      { "1 3", "1 2", "1 1" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(say, 1)
          for _ in
            coroutine.wrap(function()
              local _ <close> = closer(say, 2)
              coroutine.resume(coroutine.create(function()
                local _ <close> = closer(say, 3)
                md.sleep(10)
              end))
            end)
          do
          end
        end)
        md.sleep(1)
        md.kill(p)
      end)
    )
  end)

  it("may block, send, ask and catch errors of their own", function()
    local told = story(function(say)
      local server = md.spawn(function()
        local from, ref = md.wait "bye"
        md.reply(from, ref, "good bye")
      end)
      local p = md.spawn(function()
        local _ <close> = closer(function()
          md.sleep(2)
          say(md.ask(server, "bye"))
          say(pcall(error, "mine", 0))
          say(pcall(md.timeout, 1, md.sleep, 5) == false)
        end)
        md.sleep(10)
      end)
      md.sleep(1)
      md.kill(p)
      killed(p)
      say "joined"
    end)
    assert.same({ "3 good bye", "3 false mine", "4 true", "4 joined" }, told)
  end)

  it("that raise give the join their error", function()
    local object = {}
    for _, how in ipairs { "plain", "pcall", "wrap", "resume" } do
      story(function()
        local p = md.spawn(function()
          local function body()
            local _ <close> = closer(error, object)
            md.sleep(10)
          end
          if how == "plain" then
            body()
          elseif how == "pcall" then
            pcall(body)
          elseif how == "wrap" then
            coroutine.wrap(body)()
          else
            coroutine.resume(coroutine.create(body))
          end
          error "went on"
        end)
        md.at(1, md.kill, p)
        assert.equal(object, select(2, pcall(md.join, p)), how)
      end)
    end
  end)

  it("meet no interrupt that came before or after", function()
    assert.same(
      { "1 closing", "3 closed" },
      story(function(say)
        local p = md.spawn(function()
          local _ <close> = closer(function()
            say "closing"
            md.sleep(2)
            say "closed"
          end)
          md.sleep(10)
        end)
        md.sleep(1)
        assert.is_true(md.interrupt(p, 1))
        assert.is_true(md.interrupt(p, 2))
        assert.is_true(md.kill(p))
        assert.is_false(md.interrupt(p, 3))
        md.sleep(1)
        assert.is_false(md.interrupt(p, 4))
      end)
    )
  end)
end)
