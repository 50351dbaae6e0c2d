-- A receive reads its clauses in one go, and makes room as it finds them.
local md = require "moondial"

describe("clauses with more patterns than there was room for", function()
  it("are all of them compiled, with guards and functions", function()
    local sim, got = md.sim {}, {}
    local long = {}
    for i = 1, 40 do
      long[i] = i % 2 == 0 and i or md._
    end
    long[41] = function(...)
      got[#got + 1] = select("#", ...)
    end
    local function never()
      return false
    end
    local server = sim:spawn(function()
      for _ = 1, 2 do
        md.receive {
          { "a", when = never },
          long,
          {
            "b",
            md._,
            function(x)
              got[#got + 1] = x
            end,
            when = function(x)
              return x > 1
            end,
          },
          { "c", "d", "e", "f", "g", "h", "i", "j" },
        }
      end
    end)
    local numbers = {}
    for i = 1, 40 do
      numbers[i] = i
    end
    sim:send(server, "b", 1) -- its guard does not want it
    sim:send(server, "a")
    sim:send(server, "b", 2)
    sim:send(server, table.unpack(numbers))
    sim:run()
    assert.same({ 2, 20 }, got)
  end)

  it("give back what was handed to a process that is interrupted", function()
    local sim, got = md.sim {}, {}
    local server
    server = sim:spawn(function()
      pcall(md.receive, {
        { "a", 1, 2.5, true, md._, ("long "):rep(10) },
      })
      got = { md.wait() }
    end)
    sim:spawn(function()
      md.sleep(1)
      md.send(server, "a", 1, 2.5, true, "x", ("long "):rep(10))
      md.interrupt(server, "now")
    end)
    sim:run()
    assert.same("a", got[1])
    assert.same({ 1, 2.5, true, "x" }, { table.unpack(got, 2, 5) })
    assert.equal(50, #got[6])
  end)

  it("name a misspelt option, in whatever order a table was filled", function()
    local clause = {}
    clause.x1, clause.x2, clause.x3, clause.x4 = 1, 2, 3, 4
    clause.x1, clause.x2, clause.x3, clause.x4 = nil, nil, nil, nil
    clause[2] = print
    clause[1] = "a"
    clause.wen = print
    local ok, err = pcall(md.clauses, { clause })
    assert.is_false(ok)
    assert.matches("there is no option 'wen' in clause 1", tostring(err))
  end)
end)
