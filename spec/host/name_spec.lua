-- Registered names.
local md = require "moondial"
local support = require "spec.host.support"
local story = support.story

local function fails(pattern, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(pattern, tostring(err))
  return err
end

describe("a name", function()
  it("stands for its pid wherever one is taken", function()
    assert.same(
      { "0 hello", "0 1 2", "0 done" },
      story(function(say)
        local p = md.spawn(function()
          say(md.wait())
          return 1, 2
        end)
        md.register("server", p)
        assert.equal(p, md.whereis "server")
        assert.equal("ready", md.status "server")
        assert.equal(p, md.info("server").pid)
        assert.equal(0, md.inbox "server")
        md.send("server", "hello")
        say(md.join "server")
        say(md.status "server")
      end)
    )
  end)

  it("of the dead is free again, and means its last owner", function()
    story(function()
      local p = md.spawn(function()
        error "gone"
      end)
      md.register("x", p)
      pcall(md.join, p)
      assert.is_nil(md.whereis "x")
      assert.equal("failed", md.status "x")
      assert.equal("failed", md.info("x").status)
      fails("gone", md.join, "x")
      md.send("x", "nobody hears it")
      assert.is_false(md.kill "x")
      md.register("x", md.self())
      assert.equal(md.self(), md.whereis "x")
      fails("whereis: expected a string as argument 1, got 3", md.whereis, 3)
    end)
  end)

  it("is taken once, and may be given twice to the same", function()
    story(function()
      local p = md.spawn(md.sleep, 1)
      md.register("a", p)
      md.register("a", p)
      md.register("b", p)
      fails("the name 'a' is taken by <pid", md.register, "a", md.self())
      fails("string as argument 1", md.register, 5, p)
      fails("living process as argument 2", md.register, "c", 5)
      md.join(p)
      fails("living process as argument 2", md.register, "c", p)
      local err = fails("no process is registered as 'c'", md.send, "c", 1)
      assert.equal("noproc", err.kind)
    end)
  end)

  it("is listed while its process lives, in order", function()
    story(function()
      for _, name in ipairs { "zoe", "adam", "mia" } do
        md.register(name, md.spawn(md.sleep, name == "mia" and 1 or 2))
      end
      assert.same({ "adam", "mia", "zoe" }, md.registered())
      md.sleep(1.5)
      assert.same({ "adam", "zoe" }, md.registered())
    end)
    assert.same({}, md.sim():registered())
  end)
end)
