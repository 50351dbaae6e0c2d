-- load, whose text came from a function, and coroutine.close returned errors
-- that nobody may catch: a process that never blocks, Ctrl-C, md.exit.
local md = require "moondial"
local run = require("spec.host.support").run

describe("load and coroutine.close", function()
  it("keep no error that ends the run", function()
    for _, keeper in ipairs {
      "load(function() while true do end end)",
      [[local co = coroutine.create(function()
        local _ <close> = setmetatable({}, {__close = function()
          while true do end
        end})
        coroutine.yield()
      end)
      coroutine.resume(co)
      coroutine.close(co)]],
    } do
      local got =
        run(keeper .. " print 'kept'", { options = "--instructions 10000" })
      assert.same({ "", 1 }, { got.out, got.status })
    end
  end)

  it("keep no exit", function()
    local sim, kept = md.sim(), false
    sim:spawn(function()
      load(function()
        md.exit()
      end)
      kept = true
    end)
    sim:run()
    assert.is_false(kept)
  end)

  it("return other errors as Lua does", function()
    local got = run [[
print(load(function() error("mine", 0) end))
local co = coroutine.create(function()
  local _ <close> = setmetatable({}, {__close = function() error("c", 0) end})
  coroutine.yield()
end)
coroutine.resume(co)
print(coroutine.close(co))
]]
    assert.equal("nil\tmine\nfalse\tc\n", got.out)
  end)
end)
