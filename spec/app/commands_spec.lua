-- The commands of the prompt: what they say of a model that asks and answers.
local image = require "spec.image.support"
local prompt = require "spec.app.prompt"

local has = prompt.has

local model = [[
local md = require "moondial"
asked = 0
-- Twice as much.
local function double(x)
  return 2 * x
end
twice = double
local server = md.spawn({ name = "server" }, function()
  while true do
    local from, ref, job = md.wait "double"
    asked = asked + 1
    md.sleep(0.25)
    md.reply(from, ref, double(job.size))
    md.log("done", { size = job.size })
  end
end)
for i = 1, 3 do
  md.spawn({ name = "client" .. i }, function()
    while true do
      md.sleep(i)
      md.ask(server, "double", { size = i, parts = { { 1, { i } } } })
    end
  end)
end
md.run(50)
]]

local function try(lines)
  return prompt.try(lines, model)
end

describe("a command of the prompt", function()
  it("stops where a message is sent that a pattern matches", function()
    local out = try {
      ':break message "double", md._, md._, { size = 3 }',
      ":run",
      "asked",
      ":break clear",
      ":break message 'nothing of the kind'",
      ":run 10",
      ":break message",
      ":break message (",
    }
    has(out, 'stopped: message "double", md._, md._, { size = 3 }\ntime 3.0')
    has(out, "10> :break message\n")
    has(out, "time 10.0")
    has(out, "expected more behind 'message'")
    has(out, "unexpected symbol")
  end)

  it("traces kinds and processes that there are", function()
    local out = try { ":trace SNED", ":trace send client1", ":trace nobody" }
    has(out, "no kind of signal and no process called 'SNED'")
    has(out, "did you mean 'SEND'?")
    has(out, "trace is send client1")
    has(out, "no process called 'nobody'")
  end)

  it("stops at a time, and knows its own kinds", function()
    local out = try {
      ":break time 4",
      ":run",
      ":break signal SND",
      ":break clear 9",
      ":break error",
      "time = 3",
      ":run until time == 3",
    }
    has(out, "stopped: time 4\ntime 4.0")
    has(out, "there is no kind 'SND'; did you mean 'SEND'?")
    has(out, "there is no breakpoint 9")
    has(out, "an error always stops a run")
    has(out, "stopped: time == 3")
  end)

  it("tells since when a process sleeps or waits", function()
    local out = try { ":run 2.1", ":ps" }
    has(out, "  1  server   sleeping    2.0      0  time 2.25\n")
    has(out, "  3  client2  waiting     2.0      0  a reply from 'server'\n")
    has(out, "  4  client3  sleeping    0.0      0  time 3.0\n")
  end)

  it("tells it of waits that have a limit, too", function()
    local out = prompt.try(
      { ":run 10", ":ps" },
      [[
      local md = require "moondial"
      local desk = md.resource { name = "desk" }
      md.spawn({ name = "holder" }, function()
        local unit <close> = desk:acquire()
        md.sleep_until(100)
      end)
      local function starts(name, at, body, ...)
        return md.spawn({ name = name, at = at }, body, ...)
      end
      starts("queuer", 1, desk.acquire, desk, { timeout = 50 })
      starts("reader", 2, md.wait_timeout, 40, "x")
      local server = starts("server", 3, md.receive, { { "never" }, after = {
        30,
        print,
      } })
      starts("asker", 4, md.ask_timeout, 30, server, "q")
      starts("other", 5, md.ask, server, "q")
      starts("joiner", 6, md.join, server)
      starts("follower", 7, md.join, server, 60)
      md.run()
      ]]
    )
    local since = {}
    for name, time in out:gmatch "\n *%d+  (%l+) +%l+ +([%d.]*) +%d  " do
      since[name] = time
    end
    assert.same({
      holder = "0.0",
      queuer = "1.0",
      reader = "2.0",
      server = "3.0",
      asker = "4.0",
      other = "5.0",
      joiner = "6.0",
      follower = "7.0",
    }, since)
  end)

  it("tells it of a process in C", function()
    local out = prompt.try(
      { ":run 3", ":ps" },
      [[
      local md, ffi = require "moondial", require "moondial.ffi"
      local lib = ffi.compile("#include <moondial.h>\nvoid nap(md_process *p) {"
        .. "MD_BEGIN(p); MD_SLEEP(p, 1.5);\nMD_SLEEP(p, 10.0); MD_END(p); }")
      ffi.cdef "void nap(struct md_process *);"
      md.spawn_native(lib.nap)
      md.run()
      ]]
    )
    has(out, "  1        sleeping    1.5      0  time 11.5\n")
  end)

  it("shows all that a frame sees", function()
    local out = try {
      ":run 2.1",
      ":locals server",
      ":locals client2",
      ":locals server 7",
      ":locals serve",
      ":locals",
      ":where server",
    }
    has(out, "job = { parts = { { 1, { 2 } } }, size = 2 }")
    has(out, "double (upvalue) = function model.lua:4")
    has(out, "i (upvalue) = 2\n")
    has(out, "expected a frame from 1 to 1, got 7")
    has(out, "there is no living process 'serve', perhaps 'server'")
    has(out, "expected a process, by its name or number")
    has(out, "  1  model.lua:12  in ")
  end)

  it("helps with values and names", function()
    local out = try {
      "help(md.send)",
      "help(md.rng('x').normal)",
      "help(twice)",
      "help(print)",
      "help(md.stats.histogram { lo = 0, hi = 1, bins = 2 })",
      ":help :step",
      ":help :st",
      ":help md.sned",
      ":help",
      ":hlp",
    }
    has(out, 'md.send(pid, "hello", 42)')
    has(out, "rng:normal(mean, sd) -> number")
    has(out, "-- Twice as much.\n")
    has(out, "'print' is Lua's own")
    has(out, "stats.histogram{lo =, hi =, bins =} -> histogram")
    has(out, ":step [n]\n")
    has(out, "':st' could be :stats, :step")
    has(out, "there is no help on 'md.sned'; did you mean")
    has(out, "there is no command ':hlp'; did you mean ':help'?")
    for line in out:gmatch "[^\n]+" do
      assert.truthy(utf8.len(line) <= 80, line)
    end
  end)

  it("draws a distribution and a series", function()
    local out = try {
      "h = md.stats.histogram { lo = 0, hi = 3, bins = 3 }",
      "for x = 0, 2 do h:add(x) end",
      "h",
      ":plot h",
      "{ 1, 4, 2, 8, 5, 7, 1, 2 }",
      "{ 1, 4, 2 }",
      ":plot nothing",
      ":plot",
    }
    local _, bars = out:gsub("1  █", "")
    assert.equal(6, bars, out)
    has(out, "8 ┤")
    has(out, "> { 1, 4, 2 }\n{ 1, 4, 2 }\n0>")
    has(out, "expected a list of numbers, got nil")
  end)

  it("shows the line of an error", function()
    local out = prompt.try(
      { ":run" },
      'local md = require "moondial"\n'
        .. "md.spawn(function()\n  error 'no' -- here\nend)\nmd.run()"
    )
    has(out, "     3 │   error 'no' -- here\n")
  end)

  it("reloads files that have changed, if asked", function()
    image.folder(function(f)
      f:write("new.lua", (model:gsub("asked %+ 1", "asked + 100")))
      local out = prompt.session(f, {
        ":run 2.5",
        "os.rename('new.lua', 'model.lua')",
        "asked",
        ":reload auto on",
        "f = io.open('model.lua', 'a') f:write('\\n') f:close()",
        "asked",
        ":run 8",
        "asked",
        ":reload auto",
        ":reload auto off",
      }, model)
      local _, times = out:gsub("model.lua has changed", "")
      assert.equal(1, times, out)
      has(out, "1 file is looked at before each line")
      has(out, "reload of model.lua: 1 function changed")
      has(out, "it is on")
    end)
  end)

  it("shows families", function()
    local out = prompt.try(
      { ":run 1", ":tree", ":tree inner" },
      [[
      local md = require "moondial"
      md.spawn({ name = "outer" }, function()
        md.spawn({ name = "inner" }, function()
          md.spawn({ name = "leaf" }, md.sleep, 9)
          md.sleep(9)
        end)
        md.spawn({ name = "other" }, md.sleep, 9)
        md.sleep(9)
      end)
      md.run()]]
    )
    has(out, "├─ inner")
    has(out, "│  └─ leaf")
    has(out, "└─ other")
    has(out, "> :tree inner\ninner")
  end)

  it("marks supervisors while they live", function()
    local out = prompt.try(
      { ":run 1", ":tree", "md.kill(md.processes()[1])", ":run +1", ":tree" },
      [[
      local md = require "moondial"
      local function idle()
        md.sleep(9)
      end
      local inner = { children = { { id = "b", start = idle, name = "b" } } }
      md.supervisor {
        name = "top",
        strategy = "one_for_all",
        children = {
          { id = "a", start = idle, name = "a" },
          { id = "inner", supervisor = inner, name = "inner" },
        },
      }
      md.spawn({ name = "stays" }, md.sleep, 9)
      md.run()]]
    )
    has(out, "waiting, a supervisor, one_for_all\n├─ a")
    has(out, "waiting, a supervisor, one_for_one\n   └─ b")
    local _, marks = out:gsub("a supervisor", "")
    assert.equal(2, marks, out)
    has(out, ":tree\nstays")
  end)
end)
