-- The same model does the same, whatever surrounds it.
local support = require "spec.host.support"

-- All that could differ from run to run, and then what a model does.
local everything = [[
  local md = require "moondial"
  print(print, {}, function() end, coroutine.create(print), io.stdout)
  print(coroutine.running())
  print(math.random(), math.random(1000), os.time(), os.clock())
  print(os.date(), os.date "%c", collectgarbage "count")
  local t = {}
  for i = 1, 50 do
    t[{}], t["key" .. i], t[function() end], t[i * 1.5] = i, i, i, i
  end
  t[print], t[string.format], t[io.stdout], t[coroutine.create(print)] =
    1, 2, 3, 4
  for k, v in pairs(t) do
    io.write(tostring(v), " ")
  end
  print()
  for k in pairs(_G) do
    io.write(k, " ")
  end
  print()
  local list = {}
  for i = 1, 5000 do
    list[i] = { key = i % 7, i = i }
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  for i = 1, 5000, 97 do
    io.write(list[i].i, " ")
  end
  print()
  local weak = setmetatable({}, { __mode = "k" })
  setmetatable({}, { __gc = function() print "collected" end })
  for i = 1, 20000 do
    weak[{}] = i
  end
  local left = 0
  for _ in pairs(weak) do
    left = left + 1
  end
  print(left)
  local server = md.spawn({ name = "server" }, function()
    for _ in md.every(1, { count = 20 }) do
      while md.inbox() > 0 do
        local from, x = md.wait()
        md.send(from, x, md.rng():exponential(3))
      end
    end
  end)
  for i = 1, 30 do
    md.spawn(function()
      md.sleep(md.rng():uniform() * 5)
      md.send(server, md.self(), {})
      print(md.now(), md.self(), pcall(md.wait_timeout, 3))
      print(os.clock(), math.random(), collectgarbage "count")
    end)
  end
  print(md.run())
  print(md.hash(), md.events(), md.seed(), #arg, ...)
  print(collectgarbage "count", {})
]]

local first = support.run(everything)

local function same(options)
  local run = support.run(everything, options)
  assert.equal("", run.err)
  assert.equal(0, run.status)
  assert.is_true(first.out == run.out, "what is printed differs")
end

describe("a model", function()
  it("runs at all, and draws and hashes", function()
    assert.equal("", first.err)
    assert.equal(0, first.status)
    assert.matches("\n%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x\t", first.out)
  end)

  it("does the same twice", function()
    same()
  end)

  it("does the same in another folder, under a longer path", function()
    same { under = "a/folder/with a longer name/than before" }
  end)

  it("does the same under another environment", function()
    same {
      env = "A=1 HOME=/nowhere LUA_PATH=x LUA_INIT=error LANG=C "
        .. "TZ=Asia/Tokyo LC_ALL=C.UTF-8 FILLER="
        .. ("x"):rep(5000),
    }
    same { env = "-i" }
  end)

  it("does the same with another standard input", function()
    same { stdin = ("line\n"):rep(1000) }
  end)

  it("does the same while it is traced, recorded and bounded", function()
    same { options = "--trace trace.json" }
    same { options = "--out out.csv" }
    same { options = "--quiet" }
    same { options = "--to 20" }
    same { options = "--memory 500M" }
    same { options = "--instructions 100000000" }
  end)

  it("does the same with the seed that it has anyway", function()
    same { options = "--seed 0" }
  end)

  it("does something else with another seed", function()
    local run = support.run(everything, { options = "--seed 1" })
    assert.equal(0, run.status)
    assert.are_not.equal(first.out, run.out)
    local again = support.run(everything, { options = "--seed=1" })
    assert.equal(again.out, run.out)
  end)

  it("does the same wherever the machine lays out its memory", function()
    if not os.execute "setarch -R true 2>/dev/null" then
      return pending "the machine does not let us choose"
    end
    same { env = "setarch -R" }
  end)
end)

describe("looking at a run", function()
  it("leaves its hash as it is", function()
    local model = [[
      local md = require "moondial"
      local look = ...
      local p = md.spawn(function()
        for i = 1, 10 do
          md.sleep(1)
          if look then
            md.info(md.self())
            md.current():waiting()
            md.peek()
            md.status(md.self())
            md.inbox()
            md.registered()
            md.processes()
            md.hash()
          end
        end
      end)
      md.run(5)
      if look then
        md.info(p)
        md.current():waiting()
        md.peek()
      end
      md.run()
      print(md.hash())
    ]]
    assert.equal(
      support.run(model).out,
      support.run(model, { args = "look" }).out
    )
  end)
end)

describe("moondial check", function()
  local function check(model)
    return support.run(model, { options = "check" })
  end

  it("finds two runs of a model alike", function()
    local run = check(everything)
    assert.matches("the two runs are alike: %d+ signals, %d+ bytes", run.out)
    assert.equal(0, run.status)
  end)

  it("says where runs differ that look at the environment", function()
    local run = check [[
      local md = require "moondial"
      md.spawn(function()
        print "same"
        md.sleep(1)
        if os.getenv "MOONDIAL_CHECK" then
          md.sleep(1)
        end
        md.sleep(3)
      end)
    ]]
    assert.matches("the runs differ from signal 4 on", run.out)
    assert.matches("the first run: .*tick 4000000000, process 1", run.out)
    assert.matches("the second run: .*tick 2000000000, process 1", run.out)
    assert.equal(1, run.status)
  end)

  it("says which line of the output differs", function()
    local run = check [[
      print "same"
      print(io.open("/proc/self/stat"):read "n")
    ]]
    assert.matches("different things from line 2", run.out)
    assert.equal(1, run.status)
  end)

  it("says that one run goes on where the other has ended", function()
    local run = check [[
      local md = require "moondial"
      md.spawn(function()
        md.sleep(1)
        if os.getenv "MOONDIAL_CHECK" then
          md.sleep(1)
        end
      end)
    ]]
    assert.matches("the runs differ", run.out)
    assert.equal(1, run.status)
  end)

  it("fails for a model that fails, alike in both runs", function()
    local run = check "error 'broken'"
    assert.matches("both runs fail, alike", run.out)
    assert.equal(1, run.status)
  end)
end)
