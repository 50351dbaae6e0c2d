-- An interrupt that had come before a kill was raised in the closers of the
-- killed process, and ended the run.
local md = require "moondial"

describe("the closers of a process", function()
  it("meet no interrupt from before its end", function()
    for _, last in ipairs { "kill", "exit" } do
      local sim, closed = md.sim(), nil
      local pid = sim:spawn(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            md.sleep(1)
            closed = md.now()
          end,
        })
        pcall(md.sleep, 5)
        if last == "exit" then
          md.exit()
        end
        md.sleep(5)
      end)
      sim:at(1, function()
        md.interrupt(pid, "first")
        md.interrupt(pid, "second")
        if last == "kill" then
          md.kill(pid)
        end
      end)
      assert.equal("done", (sim:run()))
      assert.equal(2, closed)
    end
  end)
end)
