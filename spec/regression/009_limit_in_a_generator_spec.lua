-- A generator that yielded inside of a time limit left it behind: it ended
-- whatever the process did by then, and the program with it.
local md = require "moondial"

describe("a generator", function()
  it("cannot yield inside of a time limit, and says so", function()
    local sim, err, now = md.sim(), nil, nil
    sim:spawn(function()
      local generator = coroutine.wrap(function()
        err = select(2, pcall(md.timeout, 1, coroutine.yield, "a"))
      end)
      generator()
      md.sleep(5)
      now = md.now()
    end)
    assert.equal("done", (sim:run()))
    assert.equal(5, now)
    assert.equal("usage", err.kind)
    assert.matches("coroutine.yield inside of md.timeout", err.message)
  end)

  it("may be asked for its values inside of one", function()
    local sim, got = md.sim(), {}
    sim:spawn(function()
      local ok, err = pcall(md.timeout, 2.5, function()
        for i in
          coroutine.wrap(function()
            for i = 1, 5 do
              md.sleep(1)
              md.timeout(1, md.sleep, 0)
              coroutine.yield(i)
            end
          end)
        do
          got[i] = md.now()
        end
      end)
      assert.is_false(ok)
      assert.equal("timeout", err.kind)
    end)
    assert.same({ "done", 2.5 }, { sim:run() })
    assert.same({ 1.0, 2.0 }, got)
  end)
end)
