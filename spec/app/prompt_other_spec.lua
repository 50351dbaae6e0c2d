-- The prompt with models that branch, go back, run other sims, fail and go on.
local prompt = require "spec.app.prompt"
local support = require "spec.image.support"

local has, try = prompt.has, prompt.try

-- A branch in a process: n counts the whole units of time.
local branching = [[
local md = require "moondial"
n = 0
md.spawn({ name = "q" }, function()
  for i = 1, 20 do
    md.sleep(1)
    n = n + md.branch(function() md.sleep(0.5) return 1 end)
  end
end)
md.run()
]]

describe("a model that branches", function()
  it("runs to where it was told, and stands in no branch", function()
    local out = try({ ":run 2", ":run +8", ":back 1", "n" }, branching)
    has(out, "time 2.0, 3 events, next at 3.0\n")
    has(out, "time 10.0, 11 events, next at 11.0\n")
    has(out, "9> n\n9\n")
  end)

  it("is looked at ahead, and from its past", function()
    local out = try({
      ":run 2",
      ":watch n for 2",
      ":run until n == 7",
      ":break n == 9",
      ":run",
      ":break off",
      ":first n == 4",
      ":goto 6",
      ":branch 3 n",
    }, branching)
    has(out, " 2.0  2\n 3.0  3\n 4.0  4\n2> ")
    has(out, "stopped: n == 7\ntime 7.0, 8 events")
    has(out, "stopped: n == 9\ntime 9.0, 10 events")
    has(out, "first: n == 4\ntime 4.0, 5 events")
    has(out, "6> :branch 3 n\n9\n")
  end)
end)

describe("a model that goes back", function()
  local back = [[
local md = require "moondial"
n = 0
md.spawn({ name = "q" }, function()
  md.sleep(3)
  local s, k = md.checkpoint "c"
  for i = 1, 4 do md.sleep(1) n = n + 1 end
  if (k or 0) < 2 then md.rewind("c", (k or 0) + 1) end
  md.sleep(1)
end)
print(md.run())
]]

  it("runs on to where it was told", function()
    has(try({ ":run 20" }, back), "done\t8.0\ntime 8.0, 7 events")
  end)

  it("is looked at as far as to there", function()
    local out = try({ ":run until n == 2", ":watch n", "n" }, back)
    has(out, "stopped: n == 2\ntime 5.0")
    has(out, "the run goes back in time (md.rewind), and what looks ahead")
    has(out, "5> n\n2\n")
  end)
end)

describe("a model with another sim", function()
  it("stands where the default sim does", function()
    local out = try(
      { ":run 6", ":back 1", "m", ":step", ":run until m == 30" },
      [[
local md = require "moondial"
m = 0
local s2 = md.sim()
s2:spawn(function() for i = 1, 50 do md.sleep(1) m = m + 1 end end)
md.spawn(function() for i = 1, 20 do md.sleep(1) end end)
md.run(4)  s2:run(30)  md.run()
]]
    )
    has(out, "6> :back 1\ntime 5.0, 6 events, next at 6.0\n5> m\n30\n")
    has(out, "> :step\ntime 6.0, 7 events, next at 7.0\n")
  end)

  it("that a process runs goes on when it has stood still", function()
    local model = [[
local md = require "moondial"
md.spawn(function()
  md.sleep(1)
  local s2 = md.sim()
  s2:spawn(md.sleep, 3)
  assert(s2:run { to = 10, when = function() return false end } == "done")
  for i = 1, 20 do md.sleep(1) end
end)
print(md.run(8))
]]
    has(
      try({ ":run 2", ":run" }, model),
      "time 2.0, 3 events, next at 3.0\n2> :run\ntime\t8.0\n"
    )
    support.folder(function(f)
      f:write("model.lua", model)
      for _, words in ipairs {
        "--save-every 1 --save x.mdi",
        "--checkpoint-every 1",
        "",
      } do
        local run = f:run(words .. " model.lua")
        assert.same({ "time\t8.0\n", 0 }, { run.out, run.status })
      end
    end)
  end)
end)

describe("a failure that the script catches", function()
  it("is behind the prompt when the run has gone on", function()
    local out = try(
      {
        ":run",
        ":run 5",
        ":run 5000 events",
        ":back 10",
        ":goto 4000",
        ":back 1",
        ":goto 3",
      },
      [[
local md = require "moondial"
md.spawn({ name = "ok" }, function() while true do md.sleep(1) end end)
md.spawn({ name = "bad" }, function() md.sleep(3.5) error "bad one" end)
pcall(md.run, 10)
md.run(100000)
]]
    )
    has(out, "in 'bad' at time 3.5")
    has(out, "> :run 5\ntime 5.0, 8 events, next at 6.0\n")
    has(out, "time 5005.0, 5008 events")
    has(out, "time 4995.0, 4998 events")
    has(out, "time 4000.0, 4003 events")
    has(out, "time 3999.0, 4002 events")
    has(out, "time 3.0, 5 events")
  end)
end)

describe("more signals than are kept", function()
  it("are shown by their last, also when the run has gone back", function()
    local out = try(
      { ":run", ":signals 2", ":trace on", ":back 5", ":run +1" },
      [[
local md = require "moondial"
md.spawn({ name = "gen" }, function()
  for i = 1, 25000 do
    md.spawn({ name = "c" .. i }, md.sleep, 0.5)
    md.sleep(1)
  end
end)
md.run()
]]
    )
    has(out, "24999.5  STOP  c25000\n25000.0  STOP  gen\n")
    has(out, "START  c25000\ntime 24999.0, ")
  end)
end)

describe("a session that is saved", function()
  it("stands at the same times when it is done again", function()
    support.folder(function(f)
      local model = [[
local md = require "moondial"
md.spawn({ name = "p" }, function() for t in md.every(7) do end end)
md.run(100)
]]
      local out = prompt.session(f, {
        ":run 10",
        "md.after(1, function() print('fires at', md.now()) end)",
        "x = 1",
        ":run 20",
        "run(30)",
        "y = 2",
        ":run 2 events",
        "z = 3",
        ":save model.lua",
        ":session save model.lua",
        ":session save again.txt",
        ":session save again.txt",
        "hash()",
      }, model)
      has(out, "fires at\t11.0")
      local saved = "saved: moondial repl model.lua < again.txt\n"
      local _, twice = out:gsub(saved, "")
      assert.equal(2, twice)
      has(out, "model.lua is there, and no image; it is left as it is")
      has(out, "model.lua is no session; it is left as it is")
      assert.equal(model, f:read "model.lua")
      f:shell(
        "echo 'hash()' >> again.txt;"
          .. f.program
          .. " repl model.lua <again.txt >done 2>&1"
      )
      has(f:read "done", "fires at\t11.0")
      assert.equal(out:match '"%x+"\n$', (f:read("done"):match '"%x+"\n$'))
    end)
  end)
end)

describe("a line that is executed", function()
  it("is not taken for one that only looks by its name", function()
    local out = try(
      {
        "status()",
        "cart:pack()",
        "n",
        "md.log('r', { a = 1 })",
        ":export x.csv",
      },
      [[
n = 0
function status() n = n + 1 end
cart = { pack = function() n = n + 10 end }
]]
    )
    has(out, "> n\n11\n")
    has(out, "1 record of all in x.csv")
  end)
end)

describe("-e", function()
  it("may be given again, and ends with 1 when something failed", function()
    support.folder(function(f)
      f:write("model.lua", branching)
      local run = f:run "repl -e ':run 3' -e n model.lua"
      assert.same({ "3\n", 0 }, { run.out:match "\n(.*)", run.status })
      assert.equal(1, f:run("repl -e nosuch.x model.lua").status)
      assert.equal(1, f:run("repl -e :bogus model.lua").status)
    end)
  end)
end)
