-- What the prompt says to somebody who is new to it: values that tell what they
-- are, and words that are not quite right.
local prompt = require "spec.app.prompt"
local support = require "spec.image.support"

local has = prompt.has

local shop = [[
local md = require "moondial"
clerk = md.resource { capacity = 2, name = "clerk" }
ready, line, mean = md.event(), md.queue(), md.stats.tally()
desks = md.semaphore(3)
md.spawn({ name = "door" }, function()
  for i = 1, 3 do
    md.spawn({ name = "guest " .. i }, function()
      local unit <close> = clerk:acquire()
      md.sleep(1)
      md.log("served", { size = i, by = "clerk" })
    end)
    md.sleep(2)
  end
end)
md.run(100)
]]

local function try(lines)
  return prompt.try(lines, shop)
end

describe("a value at the prompt", function()
  it("is told by its name, with what it tells of itself", function()
    local out = try {
      ":run 0.5",
      "clerk",
      "{ clerk, ready }",
      "md.processes()",
      "ready | md.timer(2)",
      "line",
      "md.rng()",
      "md.rng 'x'",
      "resource",
      ":where guest",
      ":where guest 1",
    }
    has(out, "> clerk\n<resource 'clerk'>\n  used          1\n")
    has(out, "\n  capacity      2\n")
    has(out, "\n  holders       { <pid 3 'guest 1'> }\n")
    assert.falsy(out:find("utilization", 1, true))
    has(out, "{ <resource 'clerk'>, <event #2> }")
    has(out, "{ <pid 1 'queue'>, <pid 2 'door'>, <pid 3 'guest 1'> }")
    has(out, "<any of 2 to await>")
    has(out, "<queue of <pid 1>>")
    has(out, "> md.rng 'x'\n<random stream>\n")
    has(out, "> resource\nfunction md.resource\n")
    has(out, "unit = <unit, held>")
  end)

  it("may be a process of another sim, or one that cannot say it", function()
    local out = try {
      "md.sim():spawn({ name = 'far' }, print)",
      "{ whose = setmetatable({}, { __tostring = error }) }",
      "-- a comment",
      ":session",
    }
    has(out, "> md.sim():spawn({ name = 'far' }, print)\n<pid 1 'far'>\n")
    has(out, "{ whose = a table whose __tostring raises }")
    assert.falsy(out:find("       0  -- a comment", 1, true))
  end)

  it("has the columns of records in the order of files", function()
    local out = try { ":run 4", "records 'served'" }
    has(out, "time  process  by     size\n 1.0  guest 1  clerk     1\n")
  end)

  it("that is none has a hint where another was meant", function()
    local out = try { "md.slep", "slep", "x", "nosuch", "clerk.usd" }
    has(out, "> md.slep\nnil\ndid you mean md.sleep? :help sleep tells of it\n")
    has(out, "> slep\nnil\ndid you mean md.sleep?")
    has(out, "> x\nnil\n0> nosuch\nnil\n0> clerk.usd\n")
    has(out, "resource: there is no 'usd'; did you mean 'used'?")
  end)
end)

describe("a line at the prompt", function()
  it("is help or exit as elsewhere", function()
    local out = try { "help", "exit", "1 + 1" }
    has(out, "> help\ncommand\n:back ")
    assert.falsy(out:find("1 + 1", 1, true))
  end)

  it("is told how time passes", function()
    local out = try { "sleep(3)", "ready:wait()", "? run(15)", ":time" }
    has(out, "sleep blocks, and a line at the prompt cannot; :run lets time")
    has(out, "event: there is no 'wait'; md.await(event) waits for it")
    has(out, "run: where a line only looks no time passes; :branch d expr")
    has(out, "\n0.0   0       0.0   ")
  end)

  it("is told that a name is no address", function()
    local out = try { "send('door', 1)", "send('nobody', 1)" }
    has(out, "registered as 'door'; one is named so, which makes it no addr")
    has(out, "registered as 'nobody'; md.register(name, pid) registers one")
  end)
end)

describe("a command", function()
  it("refuses what it does not take", function()
    local out = try {
      ":time 5",
      ":signals abc",
      ":chart -1",
      ":stats now",
      ":session s.txt",
      ":step x",
      ":tutorial two",
      ":quit now",
    }
    has(out, ":time takes nothing, got '5'")
    has(out, "expected a number of signals, got 'abc'")
    has(out, "expected a number of messages, got '-1'")
    has(out, ":stats takes nothing, got 'now'")
    has(out, "expected save and a file, got 's.txt'")
    has(out, "expected a number of events, got 'x'")
    has(out, "expected a step, got 'two'")
    has(out, ":quit takes nothing, got 'now'")
  end)

  it("has the names that others have for it, and no wrong guess", function()
    local out = try { ":continue 1", ":next", ":report", ":relod", ":x" }
    has(out, "> :continue 1\ntime 1.0, ")
    has(out, "> :report\ntime ")
    has(out, "no command ':relod'; did you mean ':reload'? :help lists them")
    has(out, "no command ':x'; :help lists them")
  end)

  it("knows what processes were called that have ended", function()
    local out = try {
      ":break process guest 2",
      ":break process nobody",
      ":run",
      ":break off",
      ":run 7",
      ":signals 30",
    }
    has(out, "> :run 7\ntime 7.0, 11 events, ") -- the run is to end at 100
    has(out, "no process is called 'guest 2' yet")
    has(out, "stopped: process guest 2\ntime 2.0")
    has(out, "STOP   guest 1")
    has(out, "STOP   guest 3")
    assert.falsy(out:find("STOP   <pid", 1, true))
  end)

  it("exports as --out does", function()
    support.folder(function(f)
      local out = prompt.session(f, {
        ":export all.db",
        ":run 3",
        ":export served one.csv",
        ":export all.jsonl",
        ":export servd x.csv",
        ":export served x.txt",
      }, shop)
      has(out, "2 records of 'served' in one.csv")
      has(out, "2 records of all in all.jsonl")
      has(out, "there are no records of 'servd'; did you mean 'served'?")
      has(out, "its ending names no known format")
      local text = f:read "one.csv"
      f:shell(("%s run --to 3 --out two.csv model.lua"):format(f.program))
      assert.equal(f:read "two.csv", text)
    end)
  end)

  it("reloads the modules that have changed", function()
    support.folder(function(f)
      f:write("lib.lua", "return { say = function() return 'old' end }")
      f:write("new.lua", "return { say = function() return 'new' end }")
      local out = prompt.session(f, {
        "lib.say()",
        "os.execute 'cp new.lua lib.lua'",
        ":reload",
        "lib.say()",
      }, "lib = require 'lib'")
      has(out, "reload of lib.lua: 1 function")
      has(out, "reload of model.lua: ")
      has(out, '> lib.say()\n"new"')
    end)
  end)

  it("leaves somebody's own tutorial.lua alone", function()
    support.folder(function(f)
      f:write("tutorial.lua", "print 'mine'")
      f:write("input", ":tutorial\n")
      f:shell(("%s repl <input >out 2>&1"):format(f.program))
      has(f:read "out", "there is a tutorial.lua here that is not the tutorial")
      f:shell(("%s repl tutorial.lua <input >out 2>&1"):format(f.program))
      has(f:read "out", "there is a tutorial.lua here that is not the tutorial")
      assert.equal("print 'mine'", f:read "tutorial.lua")
    end)
  end)
end)
