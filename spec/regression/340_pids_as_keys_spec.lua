-- Lua finds a light userdata in a table by the lower half of its bits, which
-- was the same for each 256th process of a slot: tables by pid, such as that of
-- the results, took a time quadratic in the processes there had been.
local md = require "moondial"

local function lower_half(value)
  return ("%p"):format(value):sub(-8)
end

describe("pids and monitors' refs that follow each other in a slot", function()
  it("differ where Lua looks, and are themselves again", function()
    local sim = md.sim {}
    local pids, refs = {}, {}
    local n, wrong = 0, 0
    sim:spawn(function()
      for i = 1, 20000 do
        local pid, ref = md.spawn({ monitor = true }, md.now)
        md.wait("down", ref)
        local key, other = lower_half(pid), lower_half(ref)
        n = n + (pids[key] and 0 or 1) + (refs[other] and 0 or 1)
        pids[key], refs[other] = i, i
        if
          tostring(pid) ~= (i == 1 and "<pid 2>" or "<pid 2." .. i - 1 .. ">")
        then
          wrong = wrong + 1
        end
        if i % 1000 == 0 then
          md.sleep(1)
        end
      end
    end)
    sim:run()
    assert.equal(0, wrong)
    assert.equal(40000, n)
  end)
end)
