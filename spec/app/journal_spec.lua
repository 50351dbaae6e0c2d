-- `--journal` and `moondial replay`.
local image = require "spec.image.support"

-- Counts in a file how often it was really called.
local counting = [[
  local md = require "moondial"
  local function outside(...)
    local f = io.open "count"
    local n = f and f:read "n" or 0
    if f then f:close() end
    f = io.open("count", "w")
    f:write(n + 1)
    f:close()
    return n, { deep = { 1, "two", 3.5, true }, ... }
  end
]]

local model = counting
  .. [[
  local a = md.spawn({ name = "a" }, function()
    for _ = 1, 20 do md.sleep((md.wait())) end
  end)
  md.spawn({ name = "b" }, function()
    for i = 1, 20 do
      local n, t = md.use(outside, i)
      print(md.now(), n, t.deep[2], t[1])
      md.send(a, md.rng():exponential(2))
      md.sleep(1)
    end
  end)
  print(md.run())
  print(md.hash(), ...)
]]

local function record(f, text, options)
  f:write("model.lua", text)
  local run =
    f:run("--journal run.mdj " .. (options or "") .. " model.lua one 2")
  return run
end

describe("a journal", function()
  it("answers md.use, and finds the run alike (2.17)", function()
    image.folder(function(f)
      local run = record(f, model, "--seed 7")
      assert.equal(0, run.status, run.err)
      assert.equal("20", f:read "count")
      local again = f:run "replay run.mdj"
      assert.equal(0, again.status, again.err)
      assert.equal(run.out, again.out)
      assert.equal("20", f:read "count")
      assert.truthy(
        again.err:find("alike in all of its %d+ signals"),
        again.err
      )
    end)
  end)

  it("does not change the run", function()
    image.folder(function(f)
      local run = record(f, model, "--seed 7")
      f:shell "rm count"
      local plain = f:run "--seed 7 model.lua one 2"
      assert.equal(plain.out, run.out)
    end)
  end)

  it("keeps errors of md.use", function()
    image.folder(function(f)
      local run = record(f, counting .. [[
        md.spawn(function()
          print(pcall(md.use, function() outside() error("bad", 0) end))
          local ok, e = pcall(md.use, function()
            outside()
            error { code = 5 }
          end)
          print(ok, e.code)
          local ok, e = pcall(md.use, function()
            outside()
            md.wait_timeout(1)
          end)
          print(ok, e.kind, e)
        end)
        md.run()]])
      assert.equal("false\tbad\nfalse\t5\n", run.out:match "^[^\n]+\n[^\n]+\n")
      local count = f:read "count"
      local again = f:run "replay run.mdj"
      assert.equal(run.out, again.out, again.err)
      assert.equal(0, again.status, again.err)
      -- the one that let time pass is called again
      assert.equal(count + 1, tonumber(f:read "count"))
    end)
  end)

  it("refuses results that are not plain, at the model's line", function()
    image.folder(function(f)
      local run = record(
        f,
        [[
        local md = require "moondial"
        print(pcall(md.use, function() return 1, { f = { print } } end))]]
      )
      assert.truthy(
        run.out:find("model.lua:2: use: result 2.f[1] is a function", 1, true),
        run.out .. run.err
      )
    end)
  end)

  it("names the first difference, with both sides", function()
    image.folder(function(f)
      record(f, model)
      f:write(
        "model.lua",
        (model:gsub("md.sleep%(1%)", "md.sleep(i < 9 and 1 or 2)"))
      )
      local run = f:run "replay run.mdj"
      assert.equal(1, run.status)
      assert.truthy(run.err:find "signal %d+ is another one", run.err)
      local then_, now = run.err:match "the journal: +(%S+) .-now: +(%S+) "
      assert.equal("9", then_)
      assert.truthy(tonumber(now) > 9, run.err)
    end)
  end)

  it("sees that a message says something else", function()
    image.folder(function(f)
      record(f, model)
      f:write(
        "model.lua",
        (model:gsub("exponential%(2%)", "exponential(2) + 0"))
      )
      assert.equal(0, f:run("replay run.mdj").status)
      f:write("model.lua", (model:gsub("exponential%(2%)", "exponential(2.5)")))
      local run = f:run "replay run.mdj"
      assert.equal(1, run.status)
      assert.truthy(run.err:find "messages say different things", run.err)
    end)
  end)

  it("sees that the run ends earlier or later, and otherwise", function()
    image.folder(function(f)
      record(f, model)
      f:write("model.lua", (model:gsub("md.run%(%)", "md.run(10)")))
      local run = f:run "replay run.mdj"
      assert.equal(1, run.status)
      assert.truthy(run.err:find "now: +the run is over", run.err)
      record(f, (model:gsub("md.run%(%)", "md.run(10)")))
      f:write("model.lua", model)
      run = f:run "replay run.mdj"
      assert.equal(1, run.status)
      assert.truthy(run.err:find "journal: +the run is over", run.err)
      f:write(
        "model.lua",
        (model:gsub("md.run%(%)", "md.run(10)")) .. "error 'x'"
      )
      run = f:run "replay run.mdj"
      assert.equal(1, run.status)
      assert.truthy(run.err:find "status 1, and with 0", run.err)
    end)
  end)

  it("sees a md.use that was not, and one that is no more", function()
    image.folder(function(f)
      record(f, model)
      f:write(
        "model.lua",
        (model:gsub("md.use%(outside, i%)", "0, {deep = {}}"))
      )
      local run = f:run "replay run.mdj"
      assert.equal(1, run.status, run.err)
      record(f, (model:gsub("md.use%(outside, i%)", "0, {deep = {}}")))
      f:write("model.lua", model)
      run = f:run "replay run.mdj"
      assert.equal(1, run.status, run.err)
    end)
  end)

  it("keeps the options on which a run depends", function()
    image.folder(function(f)
      local run = record(f, model, "--seed 42 --order lifo --to 12 --unchecked")
      local again = f:run "replay run.mdj"
      assert.equal(0, again.status, again.err)
      assert.equal(run.out, again.out)
      assert.truthy(run.out:find "one\t2")
    end)
  end)

  it("goes no further than --to", function()
    image.folder(function(f)
      local run = record(f, model)
      local again = f:run "replay --to 6 run.mdj"
      assert.equal(0, again.status, again.err)
      assert.equal(run.out:sub(1, #again.out), again.out)
      assert.truthy(again.out:find "\n6%.0\t", again.out)
      assert.falsy(again.out:find "\n7%.0\t", again.out)
    end)
  end)

  it("is replayed from another folder", function()
    image.folder(function(f)
      local run = record(f, model)
      f:shell "mkdir other"
      local status = f:shell(
        ("cd other && %s replay ../run.mdj >../out 2>../err"):format(
          require("spec.host.support").program
        )
      )
      assert.equal(0, status, f:read "err")
      assert.equal(run.out, f:read "out")
    end)
  end)

  it("that was cut off replays to its last whole record", function()
    image.folder(function(f)
      local run = record(f, model)
      local text = f:read "run.mdj"
      local seen = {}
      for n = 0, #text - 1, 61 do
        f:write("cut.mdj", text:sub(1, n))
        local again = f:run "replay cut.mdj"
        seen[again.status] = true
        if again.status == 0 then
          assert.truthy(again.err:find "cut off after signal", again.err)
          assert.equal(run.out:sub(1, #again.out), again.out)
        else
          assert.truthy(again.err:find "is no journal, or its head is damaged")
        end
      end
      assert.same({ [0] = true, [1] = true }, seen)
    end)
  end)

  it("is whole up to what a killed run has flushed", function()
    image.folder(function(f)
      local run = record(f, counting .. [[
        md.spawn(function()
          for i = 1, 10 do md.sleep(1) md.use(outside) end
          io.stdout:flush()
          md.use(os.execute, "kill -9 $PPID")
        end)
        md.run()]])
      assert.not_equal(0, run.status)
      local again = f:run "replay run.mdj"
      assert.equal(0, again.status, again.err)
      assert.truthy(again.err:find "cut off after signal", again.err)
      assert.equal("10", f:read "count")
    end)
  end)

  it("that is damaged in the middle replays up to there", function()
    image.folder(function(f)
      record(f, model)
      local text = f:read "run.mdj"
      for n = #text // 2, #text, 37 do
        local byte = string.char(text:byte(n) ~ 1)
        f:write("bad.mdj", text:sub(1, n - 1) .. byte .. text:sub(n + 1))
        local again = f:run "replay bad.mdj"
        assert.truthy(again.status == 0, again.err)
      end
    end)
  end)

  it("refuses what is no journal", function()
    image.folder(function(f)
      f:write("text.mdj", "hello")
      for _, name in ipairs { "text.mdj", "missing.mdj", "." } do
        local run = f:run("replay " .. name)
        assert.equal(1, run.status)
        assert.truthy(run.err:find "journal", run.err)
      end
      f:write("model.lua", "print(1)")
      local run = f:run "--journal no/such/run.mdj model.lua"
      assert.equal(2, run.status)
      assert.truthy(run.err:find "cannot write the journal", run.err)
    end)
  end)

  it("goes on when an image is resumed", function()
    image.folder(function(f)
      local text = counting
        .. [[
        md.spawn(function()
          for i = 1, 10 do
            md.sleep(1)
            print(md.now(), (md.use(outside)))
            if i == 4 then print(md.save "run.mdi") end
          end
        end)
        md.run()]]
      local run = record(f, text)
      assert.equal(0, run.status, run.err)
      assert.equal(0, f:run("replay run.mdj").status)
      local resumed = f:run "resume run.mdi"
      assert.equal(0, resumed.status, resumed.err)
      assert.truthy(resumed.out:find "^resumed", resumed.out)
      local again = f:run "replay run.mdj"
      assert.equal(0, again.status, again.err)
      assert.truthy(again.out:find "\nresumed\n", again.out)
      assert.equal(resumed.out, again.out:sub(-#resumed.out))
    end)
  end)

  it("holds several sims, rewinds and branches", function()
    image.folder(function(f)
      local run = record(
        f,
        [[
        local md = require "moondial"
        local other = md.sim { seed = 3 }
        other:spawn(function()
          for _ = 1, 5 do md.sleep(md.rng():uniform(0, 1)) end
        end)
        md.spawn(function() for _ = 1, 50 do md.sleep(1) end end)
        local state, n = md.checkpoint "start"
        md.run(5)
        if (n or 0) < 3 then md.rewind("start", (n or 0) + 1) end
        print(md.branch(function() md.run(20) return md.now() end))
        print(md.run(10), other:run(), md.hash(), other:hash())]]
      )
      assert.equal(0, run.status, run.err)
      local again = f:run "replay run.mdj"
      assert.equal(0, again.status, again.err)
      assert.equal(run.out, again.out)
    end)
  end)

  it("has the texts that md.reload read, and the one before", function()
    image.folder(function(f)
      local text = [[
        local md = require "moondial"
        local part = require "part"
        local function step() return 1 end
        md.spawn(function()
          for i = 1, 6 do
            md.sleep(part.pause())
            print(md.now(), step())
            if i == 3 then
              local copy = "cp part2.lua part.lua; cp model2.lua model.lua"
              md.use(os.execute, copy)
              md.reload "part"
              md.reload "model.lua"
            end
          end
        end)
        md.run()]]
      f:write("part.lua", "return { pause = function() return 1 end }")
      f:write("part2.lua", "return { pause = function() return 5 end }")
      f:write("model2.lua", (text:gsub("return 1 end", "return 2 end")))
      local run = record(f, text)
      assert.equal(0, run.status, run.err)
      assert.truthy(run.out:find "18.0\t2\n$", run.out)
      for _, now in ipairs { "as it is", "rm part2.lua model2.lua" } do
        local again = f:run "replay run.mdj"
        assert.equal(0, again.status, again.err)
        assert.equal(run.out, again.out)
        f:shell(now .. " 2>.err")
      end
      f:write("part.lua", "return { pause = function() return 3 end }")
      local again = f:run "replay run.mdj"
      assert.equal(1, again.status)
      assert.truthy(again.err:find("the model is not what it was", 1, true))
      assert.truthy(again.err:find "signal %d+ is another one", again.err)
    end)
  end)
end)
