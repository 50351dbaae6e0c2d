-- `moondial repl`, by its input and output: a prompt whose input is a file
-- shows it, so that what it prints is the session as a person would see it.
local image = require "spec.image.support"
local prompt = require "spec.app.prompt"
local program = require("spec.host.support").program

local has = prompt.has

local bank = [[
  local md = require "moondial"
  served = 0
  desk = md.resource { capacity = 1, name = "desk" }
  for i = 1, 3 do
    md.spawn({ name = "c" .. i }, function(...)
      for k = 1, 4 do
        md.sleep(i)
        local unit <close> = desk:acquire()
        md.sleep(0.5)
        served = served + 1
        md.log("served", { who = i, k = k })
      end
    end)
  end
  print(md.run())
  print("hash " .. md.hash())
]]

local function session(f, lines, text, options)
  return prompt.session(f, lines, text or bank, options)
end

local function try(lines, text)
  return prompt.try(lines, text or bank)
end

describe("the prompt", function()
  it("stops at time 0, before the first run", function()
    local out, status = try { ":time" }
    assert.equal(0, status)
    has(out, "0> :time\ntime  events  next  hash\n0.0   0       0.0 ")
  end)

  it("lets time pass, and shows what there is", function()
    local out =
      try { ":run 2", "served", ":run +1", "served", ":step 2", "1+1" }
    has(out, "0> :run 2\ntime 2.0, ")
    has(out, "2> served\n1\n")
    has(out, "2> :run +1\ntime 3.0, ")
    has(out, "\n2\n")
  end)

  it("is no part of the run: what it looks at changes nothing", function()
    local plain = image.folder(function(f)
      f:write("model.lua", bank)
      return f:run("model.lua").out
    end)
    local lines = { ":ps", ":tree", ":where c1", "md.info(md.processes()[1])" }
    for _, line in ipairs {
      ":run 3",
      ":signals",
      ":stats",
      ":inbox c1",
      "md.records 'served'",
      "? md.spawn(print)",
      "? served = 1000",
      ":watch served",
      ":back 2",
      ":run until served > 5",
      ":goto 1",
      ":first served == 2",
      ":run",
      ":plot served.k",
      ":checkpoints",
      ":time",
    } do
      lines[#lines + 1] = line
    end
    local out = try(lines)
    local hash = plain:match "hash %x+"
    has(out, hash)
    has(out, "? served = 1000\n")
  end)

  it("executes what changes something, and keeps it as the session", function()
    local out = try {
      ":run 2",
      "served = 100",
      ":run +1",
      "served",
      "md.spawn(print, 'here')",
      ":run +0",
      ":session",
    }
    has(out, "> served\n102\n")
    has(out, "here\n")
    has(out, "served = 100\n")
  end)

  it("goes back and forth", function()
    local out = try {
      ":run 4",
      "served",
      ":back 3",
      ":goto 2",
      "served",
      ":goto 4",
      "served",
      ":back +3",
      ":time",
    }
    local four, two, again =
      out:match "4> served\n(%d)\n.-2[%d.]*> served\n(%d)\n.-4> served\n(%d)\n"
    assert.same({ "4", "1", "4" }, { four or out, two, again })
  end)

  it(
    "finds the first time that something was so, across its own lines",
    function()
      local out = try {
        ":run 3",
        "served = 100",
        ":run",
        ":first served == 102",
        ":first served == 2",
        ":first served == 5000",
      }
      has(out, "first: served == 102\ntime ")
      has(out, "first: served == 2\ntime 2.")
      has(out, "it was never so")
    end
  )

  it("stops where a breakpoint says", function()
    local out = try {
      ":break served >= 3",
      ":break process c3",
      ":run",
      ":run",
      ":break clear 2",
      ":run",
      "served",
      ":break clear",
      ":run",
      ":break signal NOTHING(",
    }
    has(out, "stopped: process c3")
    has(out, "stopped: served >= 3")
    has(out, "> served\n3\n")
    has(out, "done")
  end)

  it("lets one see an error, and what was just before", function()
    local out = try(
      { ":run", ":back 1", "n", ":run", ":run", ":time" },
      [[
      local md = require "moondial"
      n = 0
      md.spawn({ name = "bad" }, function()
        for i = 1, 10 do
          md.sleep(1)
          n = i
          if i == 4 then error "four" end
        end
      end)
      md.run()]]
    )
    has(out, "model.lua:7: four")
    has(out, "the run stands still")
    has(out, "> n\n3\n")
  end)

  it("says what is wrong in a line, and goes on", function()
    local out, status = try {
      "foo(",
      ")",
      "x +",
      "= 1",
      "error('e', 0)",
      "nil + 1",
      ":nothing",
      ":run 1 2 3",
      ":inbox nobody",
      ":goto x",
      "served",
    }
    assert.equal(0, status)
    has(out, "attempt to call a nil value (global 'foo')")
    has(out, "there is no command ':nothing'; :help lists them")
    has(out, "there is no living process 'nobody'")
    has(out, "expected a time, got 'x'")
    has(out, "> served\n0\n")
  end)

  it("reads chunks of several lines", function()
    local out =
      try { "for i = 1, 2 do", "  print('line', i)", "end", "[[a", "b]]" }
    has(out, "0> for i = 1, 2 do\n... ")
    has(out, "line\t1\nline\t2\n")
    has(out, '"a\\nb"')
  end)

  it("prints tables, cycles, records and long texts", function()
    local out = try {
      "t = { 1, 'two', { x = 1.5 }, nil, true } t.self = t",
      "t",
      "{ { a = 1, b = 'x' }, { a = 2, b = 'y' } }",
      "('x'):rep(1000)",
      "(function() local t = {} for i = 1, 100 do t[i] = i end return t end)()",
    }
    has(out, '{ 1, "two", { x = 1.5 }, [5] = true, self = (above) }')
    has(out, "a  b\n1  x\n2  y\n")
    has(out, "... 1000 bytes")
    has(out, "... 60 more")
  end)

  it("saves, loads, restarts, and takes another seed", function()
    image.folder(function(f)
      local out = session(f, {
        ":run 2",
        ":save run.mdi",
        ":run",
        ":load run.mdi",
        "served",
        ":time",
      })
      has(out, "saved: moondial repl run.mdi")
      has(out, "2> served\n1\n")
      local more =
        session(f, { ":run 2", ":restart", "served", ":seed 9", ":seed" })
      has(more, "0> served\n0\n")
      has(more, "0> :seed\n9\n")
    end)
  end)

  it("saves its session as input", function()
    image.folder(function(f)
      local out = session(f, {
        ":run 2",
        "served = 50",
        ":run 5",
        "served = served * 2",
        ":run 6",
        "served",
        ":session save lines",
      })
      local last = out:match "6> served\n(%d+)"
      local again =
        session(f, { (f:read "lines"):gsub("\n$", ""), ":run 6", "served" })
      has(again, "6> served\n" .. last .. "\n")
    end)
  end)

  it("reloads the model's file", function()
    image.folder(function(f)
      local text = [[
        local md = require "moondial"
        local function step() return 1 end
        n = 0
        md.spawn(function() while true do md.sleep(1) n = n + step() end end)
        md.run()]]
      f:write("new.lua", (text:gsub("return 1", "return 100")))
      local out = session(f, {
        ":run 3.5",
        "os.rename('new.lua', 'model.lua')",
        ":reload",
        ":run 5.5",
        "n",
      }, text)
      has(out, "reload of model.lua: 1 function changed")
      has(out, "5.5> n\n203\n")
    end)
  end)

  it("runs one line with -e, and needs no model", function()
    image.folder(function(f)
      local run = f:run "repl -e '1 + 1'"
      assert.equal("2\n", run.out)
      assert.equal(0, f:run("repl </dev/null").status)
    end)
  end)

  it(
    "leads through a first session: each step of the tutorial works",
    function()
      image.folder(function(f)
        local function run(lines)
          f:write("input", table.concat(lines, "\n") .. "\n")
          f:shell(("timeout 60 %s repl <input >out 2>&1"):format(program))
          return f:read "out"
        end
        local lines = { ":tutorial" }
        for _ = 1, 11 do
          lines[#lines + 1] = ":tutorial"
        end
        local shown = run(lines)
        has(shown, "Step 10 of 10.")
        has(shown, "that was the last step")
        lines = { ":tutorial" }
        for line in shown:gmatch "\n  ([:%w][^\n]*)" do
          lines[#lines + 1] = line
        end
        assert.truthy(#lines > 15)
        local out = run(lines)
        for _, part in ipairs {
          "10> :ps",
          "waits for",
          "time 10.0, ",
          "first: clerk.queue_length == 3",
          "reload of tutorial.lua",
          "saved: moondial repl tutorial.mdi",
          "saved: moondial repl tutorial.lua < tutorial.txt",
          "•",
        } do
          has(out, part)
        end
        has(out, "\n10> :run 60\n") -- behind :goto 10
        for _, bad in ipairs {
          "attempt to",
          "expected",
          "has failed",
          "branch:",
        } do
          assert.falsy(out:find(bad, 1, true), out)
        end
        -- the README's session
        f:write(
          "input",
          [[
:run until clerk.queue_length >= 5
:back 1
minutes = 1
:branch 60 #md.records "served"
]]
        )
        f:shell("rm tutorial.lua; echo :tutorial | cat - input > both")
        f:shell(("timeout 60 %s repl <both >out 2>&1"):format(program))
        local readme = io.open "README.md"
        local text = readme:read("a"):match "```console\n(0> .-)```"
        readme:close()
        has(f:read "out", text)
        local again = f:run "repl -e ':time' tutorial.mdi"
        assert.equal(0, again.status, again.err)
      end)
    end
  )

  it(
    "keeps its lines in a journal, and forgets those it went back before",
    function()
      image.folder(function(f)
        local out = session(f, {
          ":run 3",
          "served = 100",
          ":run +2",
          "md.spawn(print, 'extra')",
          ":run 7",
          ":goto 4",
          "served = 50",
          "run(6)",
          "md.spawn(print, 'more')",
          "error 'no'",
          ":run",
        }, bank, "--journal run.mdj")
        has(out, "more")
        local again = f:run "replay run.mdj"
        assert.equal(0, again.status, again.err)
        has(again.err, "replay: alike in all")
        has(again.out, "more")
        assert.falsy(again.out:find "extra", again.out)
        assert.equal(out:match "hash (%x+)", again.out:match "hash (%x+)")
      end)
    end
  )

  it("shows messages, signals, a branch, and how fast it is", function()
    local out = try(
      {
        ":trace SEND",
        ":run 2",
        ":trace off",
        ":chart 8",
        ":branch 10 now()",
        ":bench 100",
        ":signals 2",
        ":run +1",
        ":time",
        ":chart x",
        ":branch x",
      },
      [[
      local md = require "moondial"
      local server = md.spawn({ name = "server" }, function()
        while true do
          local from, ref, x = md.wait "square"
          md.sleep(0.25)
          md.reply(from, ref, x * x)
        end
      end)
      for i = 1, 2 do
        md.spawn({ name = "client" .. i }, function()
          while true do
            md.sleep(i)
            md.ask(server, "square", i)
          end
        end)
      end
      md.run(50)]]
    )
    has(out, "1.25  SEND  server   to client1")
    has(out, "client1")
    has(out, "──────────▶")
    has(out, "> :branch 10 now()\n12.0\n")
    has(out, " events in ")
    has(out, "expected a duration and an expression, got 'x'")
  end)

  it("completes names, methods, commands, processes", function()
    image.folder(function(f)
      f:write("model.lua", bank)
      f:write("input", "md.chec\t\n:che\t\ndesk:acq\t\n:where c\t1\nserv\t\n\4")
      local command = "cat input | HOME=. TERM=xterm timeout 20 script -qec "
        .. "'%s repl model.lua' /dev/null >out 2>&1"
      f:shell(command:format(program))
      -- what the terminal is told to add to what was typed
      local out = f:read "out"
      for _, word in ipairs { "kpoint", "ckpoints", "uir", "ed" } do
        has(out, word)
      end
    end)
  end)
end)
