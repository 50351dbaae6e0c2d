-- The command: its options, its words, its exit status.
local support = require "spec.host.support"
local run = support.run

-- Runs the program with these words and no model; what it said on both ways
-- out, and its status.
local function words(text)
  local pipe = io.popen(support.program .. " " .. text .. " 2>&1; echo $?")
  local said, status = pipe:read("a"):match "^(.-)(%d+)\n$"
  pipe:close()
  return said, tonumber(status)
end

-- A model whose two processes are due at once, at 1, 2 and 3.
local ties = [[
local md = require "moondial"
for turn = 1, 3 do
  for _, name in ipairs {"a", "b", "c", "d"} do
    md.spawn({at = turn}, function() io.write(name) end)
  end
end
]]

describe("a usage error", function()
  local cases = {
    {
      "--sed 1",
      "there is no option '--sed'; did you mean '--seed'? "
        .. "moondial help lists them",
    },
    { "-x", "there is no option '-x'; moondial help lists them" },
    {
      "--sede 3",
      "there is no option '--sede'; did you mean '--seed'? moondial help "
        .. "lists them",
    },
    { "--seed x", "--seed: expected a whole number, got 'x'" },
    { "--seed 1.5", "--seed: expected a whole number, got '1.5'" },
    { "--to -1", "--to: expected a number of at least 0, got '-1'" },
    { "--to nan", "--to: expected a number of at least 0, got 'nan'" },
    { "--to inf", "--to: expected a number of at least 0, got 'inf'" },
    { "--to ''", "--to: expected a number of at least 0, got ''" },
    { "--order x", "--order: expected fifo, lifo or random, got 'x'" },
    { "--memory x", "--memory: expected a size such as 512M or 4G, got 'x'" },
    { "--memory 0", "--memory: expected a size such as 512M or 4G, got '0'" },
    { "--memory 5Q", "--memory: expected a size such as 512M or 4G, got '5Q'" },
    {
      "--instructions 0",
      "--instructions: expected a positive whole number, got '0'",
    },
    { "--pace 0", "--pace: expected a positive number, got '0'" },
    { "--strict=1", "--strict takes no value" },
    {
      "--trace missing/x",
      "--trace: cannot write 'missing/x': No such file " .. "or directory",
    },
  }
  for _, case in ipairs(cases) do
    it("ends with 2 and says what: " .. case[1], function()
      local got = run("print 'ran'", { options = case[1] })
      assert.equal("moondial: " .. case[2] .. "\n", got.err)
      assert.equal("", got.out)
      assert.equal(2, got.status)
    end)
  end

  it("may be that no model is given, or no value", function()
    local said, status = words "--strict"
    assert.equal("moondial: no model is given: moondial model.lua\n", said)
    assert.equal(2, status)
    said, status = words "replay --strict"
    assert.equal(
      "moondial: no journal is given: moondial replay run.mdj\n",
      said
    )
    assert.equal(2, status)
    said, status = words "--seed"
    assert.equal("moondial: --seed needs a value: --seed n\n", said)
    assert.equal(2, status)
    said, status = words "help nothing"
    assert.matches(
      "^moondial: there is no help on 'nothing'; "
        .. "moondial help lists the topics\n$",
      said
    )
    assert.equal(2, status)
  end)

  it("without any word shows the usage", function()
    local said, status = words ""
    assert.matches("^usage: moondial %[run%] %[options%] model.lua", said)
    assert.equal(2, status)
  end)
end)

describe("version and help", function()
  it("say what there is", function()
    for _, word in ipairs { "version", "--version" } do
      local out, status = words(word)
      assert.matches("^moondial %d[%w.-]*, Lua 5%.4[%d.]*\n$", out)
      assert.equal(0, status)
    end
    for _, word in ipairs { "help", "--help", "-h" } do
      local out, status = words(word)
      assert.matches("^usage: moondial ", out)
      assert.matches("\n  %-%-seed +n +seed of the default sim", out)
      assert.matches("\nTopics %(moondial help TOPIC%):\n", out)
      assert.equal(0, status)
    end
  end)

  it("explain a topic, with or without md.", function()
    for _, topic in ipairs { "spawn", "md.spawn" } do
      local out, status = words("help " .. topic)
      assert.matches("^spawn%(", out)
      assert.equal(0, status)
    end
  end)
end)

describe("arguments", function()
  it("are ... and arg", function()
    local got = run(
      [[
print(select("#", ...), ...)
print(#arg, arg[0], arg[1], arg[2], arg[3], arg[-1])
]],
      { args = "one 'two words' --seed", options = "--seed 5" }
    )
    assert.equal(
      "3\tone\ttwo words\t--seed\n3\tmodel.lua\tone\ttwo words\t"
        .. "--seed\tnil\n",
      got.out
    )
  end)

  it("are noted when they are options, and the model reads none", function()
    local note = "moondial: --seed stands behind the model and is given to it, "
      .. "which reads no arguments; options stand before: moondial --seed ... "
      .. "model.lua\n"
    assert.equal(note, run("print 'x'", { args = "--seed=5" }).err)
    assert.equal(note, run("x = 1", { args = "a --seed 5" }).err)
    assert.equal("", run("print(...)", { args = "--seed 5" }).err)
    assert.equal("", run("print(arg[1])", { args = "--seed 5" }).err)
    assert.equal("", run("print 'x'", { args = "-- --seed 5" }).err)
    assert.equal("", run("print 'x'", { args = "--sed 5 seed" }).err)
  end)

  it("follow `run`, `--` and a model with the name of a command", function()
    local got =
      run("print(...)", { options = "run --", name = "help", args = "--to" })
    assert.equal("--to\n", got.out)
  end)
end)

describe("a script", function()
  it("that leaves events and never calls run has it run", function()
    assert.equal("abcdabcdabcd", run(ties).out)
  end)

  it("that has called run is over when it ends", function()
    local got = run(ties .. "md.run(1)")
    assert.equal("abcd", got.out)
    assert.equal(0, got.status)
    assert.equal("", got.err)
  end)

  it("without events just ends", function()
    local got = run("print 'hello'")
    assert.same({ "hello\n", "", 0 }, { got.out, got.err, got.status })
  end)
end)

describe("--to", function()
  it("bounds every run of the default sim, and no other", function()
    assert.equal("abcdabcd", run(ties, { options = "--to 2.5" }).out)
    local got = run(
      [[
local md = require "moondial"
md.spawn(md.sleep, 9)
local other = md.sim()
other:spawn(other.sleep, 9)
print(md.run()) print(md.run(8)) print(other:run())
]],
      { options = "--to=3" }
    )
    assert.equal("time\t3.0\ntime\t3.0\ndone\t9.0\n", got.out)
  end)
end)

describe("--order and --seed", function()
  it("set the default sim's", function()
    assert.equal("abcdabcdabcd", run(ties, { options = "--order fifo" }).out)
    assert.equal("dcbadcbadcba", run(ties, { options = "--order lifo" }).out)
    local seen = {}
    for seed = 1, 3 do
      local options = { options = "--order random --seed " .. seed }
      local out = run(ties, options).out
      assert.equal(out, run(ties, options).out)
      seen[out] = true
    end
    assert.is_true(next(seen, next(seen)) ~= nil)
    local got = run(
      "print(require('moondial').current():seed())",
      { options = "--seed -7" }
    )
    assert.equal("-7\n", got.out)
  end)
end)

describe("--json", function()
  it("says how the run ended, on stderr", function()
    local got = run(ties, { options = "--json" })
    assert.matches(
      '^{"status":0,"outcome":"done","time":3,"events":12,'
        .. '"hash":"%x+"}\n$',
      got.err
    )
    got = run(ties .. "md.spawn(md.wait, 'x')", { options = "--json --strict" })
    assert.matches('^{"status":3,"outcome":"idle",', got.err)
    assert.equal(3, got.status)
    got = run("error 'a \"quoted\"\\tword'", { options = "--json" })
    assert.equal(
      [[{"status":1,"outcome":"error","error":"model.lua:1: a ]]
        .. [[\"quoted\"\u0009word"}]]
        .. "\n",
      got.err
    )
    got = run("print(", { options = "--json" })
    assert.matches(
      '^{"status":1,"outcome":"error","error":"model.lua:1: ',
      got.err
    )
  end)

  it("names the process and the time of an error", function()
    local got = run(
      [[
local md = require "moondial"
md.spawn({name = "clerk"}, function() md.sleep(2) error {} end)
]],
      { options = "--json" }
    )
    assert.matches(
      '"outcome":"error","time":2,.*"process":"clerk"}\n$',
      got.err
    )
  end)
end)

describe("--trace", function()
  it("tells the trace between the lines that a model prints", function()
    local result = support.run(
      [[
      local md = require "moondial"
      md.spawn(function()
        for i = 1, 2 do
          print("turn", i)
          md.sleep(1)
        end
      end)
      md.run()]],
      { options = "--trace -" }
    )
    assert.equal(
      "turn\t1\n"
        .. "           0  the script spawns process 1\n"
        .. "           0  process 1 starts\n"
        .. "turn\t2\n"
        .. "           1  process 1 goes on: its time has come\n"
        .. "           2  process 1 goes on: its time has come\n"
        .. "           2  process 1 ends\n",
      result.out
    )
  end)

  it("tells what happens, in words", function()
    local got = run(
      [[
local md = require "moondial"
local p = md.spawn({name = "p"}, function() md.wait "x" end)
md.spawn(function() md.sleep(1) md.send(p, "x") end)
]],
      { options = "--trace -" }
    )
    assert.equal(
      [[
           0  the script spawns 'p'
           0  the script spawns process 2
           0  'p' starts
           0  process 2 starts
           1  process 2 goes on: its time has come
           1  process 2 sends to 'p'
           1  'p' receives a message from process 2
           1  process 2 ends
           1  'p' goes on: a message came
           1  'p' ends
]],
      got.out
    )
  end)
end)

describe("--sandbox", function()
  it("leaves no io, and of os only the time", function()
    local got = run(
      [[
print(io, debug, dofile, loadfile, package.loadlib)
local names = {}
for name in pairs(os) do names[#names + 1] = name end
table.sort(names)
print(table.concat(names, " "))
print(pcall(require, "io"), #package.cpath)
]],
      { options = "--sandbox" }
    )
    assert.matches(
      "^nil\tnil\tnil\tnil\tnil\nclock date difftime time\n" .. "false\t",
      got.out
    )
  end)
end)

describe("--pace and --quiet", function()
  it("change nothing of what happens", function()
    local out = run(ties).out
    assert.equal(out, run(ties, { options = "--pace 1000 --quiet" }).out)
  end)
end)

describe("check", function()
  it("runs the model twice and compares", function()
    local got = run(ties, { options = "check" })
    assert.matches(
      "^the two runs are alike: %d+ signals, 12 bytes of " .. "output\n$",
      got.out
    )
    assert.equal(0, got.status)
    got =
      run("print(io.open('/proc/self/stat'):read 'a')", { options = "check" })
    assert.equal(
      "the runs print different things from line 1 of their output " .. "on\n",
      got.out
    )
    assert.equal(1, got.status)
    got = run("error 'x'", { options = "check" })
    assert.equal("both runs fail, alike\n", got.out)
    assert.equal(1, got.status)
  end)
end)

describe("os.exit", function()
  it("gives the status, from the script and from a process", function()
    for call, status in pairs {
      ["os.exit(7)"] = 7,
      ["os.exit(true)"] = 0,
      ["os.exit(false)"] = 1,
      ["os.exit()"] = 0,
    } do
      assert.equal(status, run("io.write 'x' " .. call).status)
      local got = run(
        "local md = require 'moondial' md.spawn(function() "
          .. "io.write 'x' pcall(function() "
          .. call
          .. " end) end)"
      )
      assert.equal(status, got.status)
      assert.equal("x", got.out)
    end
  end)
end)
