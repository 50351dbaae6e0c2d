-- receive: clauses, compiled or not, and what a selective receive costs.
local md = require "moondial"
local story = require("spec.host.support").story

describe("receive", function()
  it("tries messages in order of arrival, each against all clauses", function()
    local told = story(function(say)
      local me = md.self()
      md.send(me, "x")
      md.send(me, "b", 1)
      md.send(me, "a", 2)
      for _ = 1, 2 do
        md.receive {
          {
            "a",
            function(...)
              say("first clause", ...)
            end,
          },
          {
            "b",
            function(...)
              say("second clause", ...)
            end,
          },
        }
      end
      say(md.wait())
    end)
    assert.same({ "0 second clause 1", "0 first clause 2", "0 x" }, told)
  end)

  it(
    "gives captures and the rest to the function, returns its values",
    function()
      local told = story(function(say)
        local me = md.self()
        md.send(me, "put", 7, "tail", nil)
        say(md.receive {
          {
            "put",
            md.is.number,
            function(...)
              return select("#", ...), ...
            end,
          },
        })
      end)
      assert.same({ "0 3 7 tail nil" }, told)
    end
  )

  it("returns the captures of a clause without a function", function()
    local told = story(function(say)
      md.send(md.self(), "put", 7, 8)
      say(md.receive { { "put", md._ } })
    end)
    assert.same({ "0 7 8" }, told)
  end)

  it("lets the function block and receive again", function()
    local told = story(function(say)
      local me = md.self()
      md.send(me, "outer")
      md.send_after(3, me, "inner", 5)
      say(md.receive {
        {
          "outer",
          function()
            md.sleep(1)
            return md.receive { { "inner", md._ } }
          end,
        },
      })
    end)
    assert.same({ "3 5" }, told)
  end)

  it("matches literals of every type, and tells 0.5 from its bits", function()
    local box = io.stdout -- an object, equal to itself alone
    local told = story(function(say)
      local me = md.self()
      local long = ("x"):rep(99)
      local values = { 1, 2.0, 0.5, true, false, "s", long, box, me }
      local function which(value, ...)
        md.send(me, value, ...)
        local found = "none"
        local clauses = { after = { 0 } }
        for i, literal in ipairs(values) do
          clauses[i] = {
            literal,
            function()
              found = i
            end,
          }
        end
        md.receive(clauses)
        md.flush()
        return found
      end
      say(which(1.0), which(2), which(0.5), which(true), which(false))
      say(which "s", which(("x"):rep(99)), which(box), which(me))
      say(
        which(4602678819172646912),
        which(io.stderr),
        which(nil),
        which(0 / 0)
      )
    end)
    assert.same({ "0 1 2 3 4 5", "0 6 7 8 9", "0 none none none none" }, told)
  end)

  it("waits no longer than `after` says and returns what it returns", function()
    local told = story(function(say)
      say(md.receive {
        { "x" },
        after = {
          2,
          function()
            return "late"
          end,
        },
      })
      say(md.receive { { "x" }, after = { 0 } })
      md.send_after(1, md.self(), "x", 1)
      say(md.receive { { "x" }, after = { 2, error } })
      say(md.receive {
        after = {
          1,
          function()
            return "slept"
          end,
        },
      })
    end)
    assert.same({ "2 late", "2 ", "3 1", "4 slept" }, told)
  end)

  it("takes compiled clauses, again and again, in several processes", function()
    local told = story(function(say)
      local clauses = md.clauses {
        {
          "get",
          md.is.pid,
          function(from)
            md.send(from, "got")
          end,
        },
        after = {
          5,
          function()
            return "idle"
          end,
        },
      }
      local function serve()
        repeat
          local why = md.receive(clauses)
        until why == "idle"
      end
      local a, b = md.spawn(serve), md.spawn(serve)
      for _ = 1, 3 do
        md.send(a, "get", md.self())
        md.send(b, "get", md.self())
      end
      for _ = 1, 6 do
        md.wait "got"
      end
      md.join(a)
      say(md.inbox())
    end)
    assert.same({ "5 0" }, told)
  end)

  it("raises the error of the function at its own line", function()
    local told = story(function(say)
      md.send(md.self(), "x")
      say(pcall(md.receive, {
        {
          "x",
          function()
            error({}, 0)
          end,
        },
      }))
      md.send(md.self(), "x")
      say(select(
        2,
        pcall(md.receive, {
          {
            "x",
            function()
              error "mine"
            end,
          },
        })
      ))
    end)
    assert.matches("^0 false table", told[1])
    assert.matches("clauses_spec.lua:%d+: mine$", told[2])
  end)

  it("holds a hundred clauses", function()
    local told = story(function(say)
      local clauses = {}
      for i = 1, 100 do
        clauses[i] = {
          "n" .. i,
          function(x)
            return i + x
          end,
        }
      end
      for _, i in ipairs { 100, 1, 57 } do
        md.send(md.self(), "n" .. i, 0.5)
        say(md.receive(clauses))
      end
    end)
    assert.same({ "0 100.5", "0 1.5", "0 57.5" }, told)
  end)
end)

describe("a selective receive", function()
  it("finds a ref among 100 000 messages, each time", function()
    local sim, order = md.sim(), {}
    sim:spawn(function()
      local me, refs = md.self(), {}
      for i = 1, 100000 do
        refs[i] = md.ref()
        md.send(me, refs[i], i)
      end
      for i = 100000, 1, -1 do
        local n = i % 2 == 0 and md.wait(refs[i])
          or md.receive { { refs[i], md._ }, { "never" } }
        order[#order + 1] = n
      end
      assert.equal(0, md.inbox())
    end)
    assert.equal("done", sim:run())
    assert.equal(100000, #order)
    for i = 1, 100000 do
      assert(order[i] == 100001 - i)
    end
  end)

  it("keeps the order of equal first values, taken from anywhere", function()
    local told = story(function(say)
      local me = md.self()
      for i = 1, 300 do
        md.send(me, i % 3, i)
      end
      say(md.wait(0), md.wait(0), md.wait(2), md.wait(1, md.is.integer))
      say(md.wait(1, 298) or "", md.wait(2), md.wait(0))
      say(md.wait())
    end)
    assert.same({ "0 3 6 2 1", "0  5 9", "0 1 4" }, told)
  end)

  it("takes the first of all its clauses, tried by tags or not", function()
    for more = 0, 5 do
      local told = story(function(say)
        local me, clauses = md.self(), {}
        for i = 1, 200 do
          md.send(me, i % 4, i)
        end
        clauses[1] = { 2, md.is.integer }
        clauses[2] = { 1, 1, "never" }
        clauses[3] = { 1, md.is.integer }
        for i = 1, more do
          clauses[3 + i] = { "more", i }
        end
        local taken = {}
        for i = 1, 6 do
          taken[i] = md.receive(clauses)
        end
        say(table.concat(taken, " "), md.inbox())
      end)
      assert.same({ "0 1 2 5 6 9 10 194" }, told)
    end
  end)
end)
