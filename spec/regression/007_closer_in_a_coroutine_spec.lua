-- What a closer raised in a coroutine of a killed process was lost.
local md = require "moondial"

describe("the error of a closer", function()
  it("in a coroutine of a killed process arrives at the join", function()
    local sim, object, got = md.sim(), {}, nil
    local pid = sim:spawn(function()
      coroutine.resume(coroutine.create(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            error(object)
          end,
        })
        md.sleep(50)
      end))
    end)
    sim:at(1, md.kill, pid)
    sim:spawn(function()
      got = select(2, pcall(md.join, pid))
    end)
    assert.same({ "done", 1.0 }, { sim:run() })
    assert.equal(object, got)
  end)
end)
