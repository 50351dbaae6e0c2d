-- What lies around a simulation and goes on with its image: the files that the
-- model has open, records, the trace, arguments, modules; and what the command
-- line of `moondial resume` and --save-every say.
local image = require "spec.image.support"

local head = 'local md = require "moondial"\n'

-- Saves at run.mdi and exits; what `after` does is done by the resumed alone.
local function cut(before, after)
  return head
    .. before
    .. '\nif md.save "run.mdi" == "saved" then os.exit(0) end\n'
    .. after
end

-- In a folder with that model, which has been run and has saved itself.
local function with(text, fn, options)
  return image.folder(function(f)
    f:write("model.lua", text)
    local run = f:run((options or "") .. " model.lua one 'two words'")
    assert.equal(0, run.status, run.err)
    assert.equal("", run.err)
    return fn(f, run)
  end)
end

local function resumes(expected, f, options)
  local run = f:run("resume " .. (options or "") .. " run.mdi")
  assert.equal("", run.err)
  assert.equal(expected, run.out)
  assert.equal(0, run.status)
end

local function fails(pattern, f, options, status)
  local run = f:run("resume " .. (options or "") .. " run.mdi")
  assert.truthy(run.err:find(pattern), run.err)
  assert.equal(status or 1, run.status)
end

describe("a file that is open", function()
  it("to be read goes on where it stood, in lines and numbers, too", function()
    with(
      cut(
        [[
        local f = io.open("data", "w")
        f:write("one\ntwo\nthree\n4 5 6\n") f:close()
        local a, b = io.open "data", io.lines "data"
        print(a:read(5), b(), b())]],
        'print(a:read(4), b(), a:seek(), a:read("l", "l", "n", "n"))'
      ),
      function(f, run)
        assert.equal("one\nt\tone\ttwo\n", run.out)
        resumes("wo\nt\tthree\t9\three\t4 5 6\tnil\n", f)
      end
    )
  end)

  it("to be written loses what came after the image", function()
    with(head .. [[
      local f = io.open("out", "w")
      f:write "before\n"
      print(md.save "run.mdi")
      f:write(arg[1], "\n")
      f:close()]], function(f)
      assert.equal("before\none\n", f:read "out")
      f:shell "echo more >>out"
      resumes("resumed\n", f)
      assert.equal("before\none\n", f:read "out")
      resumes("resumed\n", f)
      assert.equal("before\none\n", f:read "out")
    end)
  end)

  it("goes on in the middle, to be changed", function()
    with(
      cut(
        [[
        local f = io.open("out", "w") f:write "0123456789" f:close()
        f = io.open("out", "r+")
        f:seek("set", 3) f:write "ab"]],
        'f:write "cd" f:seek("cur", 0) print(f:read(2)) f:close()'
      ),
      function(f)
        assert.equal("012ab56789", f:read "out")
        resumes("78\n", f)
        assert.equal("012abcd789", f:read "out")
      end
    )
  end)

  it("to be appended to is, also behind a seek", function()
    with(
      cut(
        [[
        local f, g = io.open("out", "a"), io.open("out", "a+")
        f:write "one " f:flush() g:write "two " g:flush() g:seek("set", 0)]],
        'print(g:read(4)) g:write "three " g:flush() f:write "four " f:close()'
      ),
      function(f)
        f:shell "echo lost >>out"
        resumes("one \n", f)
        assert.equal("one two three four ", f:read "out")
      end
    )
  end)

  it("may be read or written only if it could before", function()
    local try = [[
      print(f:read(1)) print(a:read(1)) print(f:write "x") print(a:write "x")
      print(r:write "x")]]
    with(
      cut([[
        local f, a = io.open("out", "w"), io.open("app", "a")
        local r = io.open "model.lua"]] .. try, try),
      function(f, run)
        resumes(run.out, f)
        assert.equal("xx", f:read "app")
      end
    )
  end)

  it("is the default output or input", function()
    with(
      cut(
        [[
        local f = io.open("in", "w") f:write "a\nb\nc\n" f:close()
        io.input "in" io.output "out"
        io.write(io.read(), " ")]],
        'io.write(io.read(), "!") io.output(io.stdout) io.write(io.read())'
      ),
      function(f)
        resumes("c", f)
        assert.equal("a b!", f:read "out")
      end
    )
  end)

  it("is found where it was renamed to", function()
    with(
      cut(
        [[
        local f = io.open("a", "w") f:write "1" f:flush()
        os.rename("a", "b")]],
        'f:write "2" f:close()'
      ),
      function(f)
        resumes("", f)
        assert.equal("12", f:read "b")
        assert.is_false(f:exists "a")
      end
    )
  end)

  it("is a closed one when it was closed", function()
    with(
      cut(
        'local f = io.open("a", "w") f:close()',
        "print(f, pcall(f.write, f))"
      ),
      function(f)
        f:shell "rm a"
        resumes("file (closed)\tfalse\tattempt to use a closed file\n", f)
      end
    )
  end)

  local two = cut(
    [[
    local f, g = io.open("a", "w"), io.open("b", "w")
    f:write "12345" g:write "12345" f:flush() g:flush()]],
    'f:write "6" g:write "6"'
  )

  it("and gone is an error, and nothing is cut off", function()
    with(two, function(f)
      f:shell "echo more >>a; rm b"
      fails("run.mdi: the model had .-/b open, .* opened again: No such", f)
      assert.equal("12345more\n", f:read "a")
      assert.is_false(f:exists "b")
    end)
  end)

  it("and shorter is an error, and nothing is cut off", function()
    with(two, function(f)
      f:shell "echo more >>a; echo 1 >b"
      fails("/b open, which had 5 bytes and has 2 now: it is not the file", f)
      assert.equal("12345more\n", f:read "a")
      assert.equal("1\n", f:read "b")
    end)
  end)

  it("and a folder now is an error", function()
    with(two, function(f)
      f:shell "rm b; mkdir b"
      fails("/b open, which cannot be opened again: Is a directory", f)
    end)
  end)
end)

describe("the standard streams", function()
  it("are those of the program that resumes", function()
    with(
      cut(
        [[
        io.stdout:setvbuf "full"
        io.write "printed before\n"
        local out, err, input = io.stdout, io.stderr, io.stdin
        print(io.read())]],
        [[
        print(io.read(), input:read()) out:write "out\n" err:write "err\n"
        print(io.type(out), out == io.stdout, io.output() == out)]]
      ),
      function(f, run)
        assert.equal("printed before\nnil\n", run.out)
        f:shell("printf 'a\\nb\\n' | " .. f.program .. " resume run.mdi >o 2>e")
        assert.equal("a\tb\nout\nfile\ttrue\ttrue\n", f:read "o")
        assert.equal("err\n", f:read "e")
      end
    )
  end)
end)

describe("a resumed program", function()
  it("has the arguments, and finds modules, from any folder", function()
    with(
      cut("", 'print(arg[0], ...) print(arg[2], require "mine")'),
      function(f)
        f:write("mine.lua", 'return "mine of " .. ...')
        resumes(
          "model.lua\tone\ttwo words\ntwo words\tmine of mine\tmine.lua\n",
          f
        )
        f:shell "mkdir sub"
        local out = f:says(("cd sub && %s resume ../run.mdi"):format(f.program))
        assert.truthy(out:find "model.lua\tone\ttwo words\ntwo words\tmine of")
      end
    )
  end)

  it("is the same with another environment, other addresses", function()
    with(
      cut(
        "local t = {} for i = 1, 9 do t[{}] = i t['k' .. i] = i end",
        [[
        for k, v in pairs(t) do io.write(type(k), v, " ") end
        print(tostring(t), ("x"):rep(3), next(t))]]
      ),
      function(f)
        local run = f:run "resume --state-hash run.mdi"
        local environment = "env X=" .. ("y"):rep(5000) .. " "
        local other = f:run("resume --state-hash run.mdi", environment)
        local fixed = f:run("resume --state-hash run.mdi", "setarch -R")
        assert.equal(run.out .. run.err, other.out .. other.err)
        assert.equal(run.out .. run.err, fixed.out .. fixed.err)
        assert.truthy(run.err:find "^state %x+\n$")
      end
    )
  end)

  it("reads the environment, and the time is its own", function()
    with(
      cut(
        "md.spawn(function() md.sleep(1.5) end) md.run()",
        "print(os.getenv 'WHO', os.time(), md.now())"
      ),
      function(f)
        local run = f:run("resume run.mdi", "env WHO=me ")
        assert.equal("me\t1\t1.5\n", run.out)
      end
    )
  end)

  local ticks = cut(
    [[
    md.spawn(function() for i = 1, 5 do md.sleep(1) print(i) end end)
    md.run(2)]],
    "print(md.run())"
  )

  it("goes as far as --to says", function()
    with(ticks, function(f)
      resumes("3\n4\n5\ndone\t5.0\n", f)
      resumes("3\n4\ntime\t4.5\n", f, "--to 4.5")
      resumes("time\t2.0\n", f, "--to 1")
    end)
  end)

  it("takes options behind its image, and nothing else", function()
    with(ticks, function(f)
      assert.equal("3\ntime\t3.5\n", f:run("resume run.mdi --to 3.5").out)
      for said, words in pairs {
        ["nothing but options behind run.mdi, got 'more'"] = "run.mdi more",
        ["no option '%-%-lasy'; did you mean '%-%-lazy'"] = "run.mdi --lasy",
        ["no image is given: moondial resume run.mdi"] = "--lazy",
      } do
        local r = f:run("resume " .. words)
        assert.truthy(r.err:find(said), r.err)
        assert.equal(2, r.status)
      end
    end)
  end)

  it("has the --to that it was run with, unless told", function()
    with(ticks, function(f)
      resumes("3\ntime\t3.0\n", f)
      resumes("3\n4\ntime\t4.0\n", f, "--to 4")
    end, "--to 3")
  end)

  it("is held to --memory and --instructions", function()
    with(
      cut(
        "local t = {} for i = 1, 2e4 do t[i] = { i } end",
        "for i = 1, 1e6 do t[i] = { i } end print(#t)"
      ),
      function(f)
        resumes("1000000\n", f)
        fails("out of memory: the model needs more", f, "--memory 10M")
        fails(
          "run.mdi needs %d+ bytes, and %-%-memory allows 500000; raise it",
          f,
          "--memory 500000"
        )
        fails(
          "the script has run 10000 instructions",
          f,
          "--instructions 10000"
        )
      end
    )
  end)

  it("keeps --strict", function()
    with(cut("md.spawn(function() md.wait() end)", ""), function(f)
      fails("1 process waits", f, "", 3)
    end, "--strict")
  end)

  it("can be saved and resumed again", function()
    with(head .. [[
      md.spawn(function()
        for i = 1, 3 do
          md.sleep(1)
          print(i)
          if md.save "run.mdi" == "saved" then os.exit(0) end
        end
        print(md.now())
      end)]], function(f)
      resumes("2\n", f)
      resumes("3\n", f)
      resumes("3.0\n", f)
      resumes("3.0\n", f)
    end)
  end)
end)

describe("records", function()
  local model = [[
    md.spawn(function()
      for i = 1, 4 do
        md.sleep(1)
        md.log("n", { n = i })
        if i == 2 and md.save "run.mdi" == "saved" then os.exit(0) end
      end
    end)
    md.run() print(#md.records "n")]]

  it("are written by the program that ends, with those before", function()
    for _, ending in ipairs { "csv", "jsonl" } do
      local out = "out." .. ending
      with(head .. model, function(f)
        local whole = head .. model:gsub("and md.save.-then.-end", "then end")
        f:write("whole.lua", whole)
        f:run("--out whole." .. ending .. " whole.lua")
        local part = f:read(out)
        resumes("4\n", f)
        assert.is_true(#f:read(out) > #part)
        assert.equal(f:read("whole." .. ending), f:read(out))
        resumes("4\n", f, "--out other.csv")
        assert.is_true(f:exists "other.csv")
      end, "--out " .. out)
    end
  end)

  it("are written where they were, from another folder, too", function()
    with(head .. model, function(f)
      f:shell("mkdir sub; cd sub && " .. f.program .. " resume ../run.mdi >o")
      assert.equal("o\n", f:says "ls sub")
      local _, lines = f:read("out.csv"):gsub("\n", "")
      assert.equal(5, lines)
    end, "--out out.csv")
  end)
end)

describe("--trace", function()
  local model = [[
    md.spawn({ name = "anna" }, function()
      for i = 1, 4 do
        md.sleep(1)
        if i == 2 then md.save "run.mdi" end
        md.send(md.self(), i)
      end
    end)]]

  it("goes on in its file, as if nothing had been", function()
    with(head .. model, function(f)
      local whole = f:read "run.txt"
      assert.truthy(whole:find "'anna'")
      resumes("", f)
      assert.equal(whole, f:read "run.txt")
      f:shell "mkdir sub; echo more >>run.txt"
      f:shell("cd sub && " .. f.program .. " resume ../run.mdi")
      assert.equal(whole, f:read "run.txt")
      resumes("", f, "--trace other.txt --trace-only SEND,STOP")
      local rest = f:read "other.txt"
      assert.equal(rest, whole:sub(-#rest))
      f:shell "echo cut >run.txt"
      fails("cannot write '.-/run.txt': it is shorter than it was", f, "", 2)
      assert.equal("cut\n", f:read "run.txt")
    end, "--trace run.txt --trace-only SEND,STOP")
  end)

  it("goes on on stdout", function()
    with(head .. model, function(f, run)
      local rest = f:run("resume run.mdi").out
      assert.truthy(#rest > 0 and rest == run.out:sub(-#rest), rest)
    end, "--trace -")
  end)
end)

describe("--save-every", function()
  local model = [[
    md.spawn(function()
      for i = 1, 7 do md.sleep(1) io.write(i, " ") end
    end)
    md.run() print(md.hash())]]

  local function images(f)
    return (f:says("ls *.mdi 2>/dev/null"):gsub("\n", " "))
  end

  it("saves at each multiple, and keeps the newest", function()
    with(head .. model, function(f, run)
      assert.equal("run-2.mdi run-4.mdi run-6.mdi ", images(f))
      for t = 2, 6, 2 do
        local rest = f:run(("resume run-%d.mdi"):format(t)).out
        assert.equal(run.out, run.out:sub(1, 2 * t) .. rest)
      end
    end, "--save-every 2 --save run.mdi")
    with(head .. model, function(f)
      assert.equal("run-6.mdi ", images(f))
    end, "--save-every 2 --save run.mdi --save-keep 1")
    with(head .. model, function(f)
      assert.equal("run-2.5.mdi run-5.mdi ", images(f))
      f:run "resume --save-every 0.5 --save a.mdi --save-keep 2 run-5.mdi"
      assert.equal("a-5.5.mdi a-6.5.mdi run-2.5.mdi run-5.mdi ", images(f))
    end, "--save-every 2.5 --save run.mdi")
  end)

  it("calls them after the model by itself", function()
    with(head .. model, function(f)
      assert.equal("model-6.mdi ", images(f))
    end, "--save-every 2 --save-keep 1")
  end)

  it("saves nothing in a branch", function()
    with(head .. "md.branch(function() md.run(5) end)\n" .. model, function(f)
      assert.equal("run-6.mdi ", images(f))
    end, "--save-every 3 --save run.mdi --save-keep 1")
    with(head .. model:gsub("md.run()", "md.branch(md.run) %0", 1), function(f)
      assert.equal("run-2.mdi run-4.mdi run-6.mdi ", images(f))
    end, "--save-every 2 --save run.mdi")
  end)

  it("saves again what a rewind has taken back", function()
    with(head .. [[
      md.spawn(function()
        for i = 1, 7 do
          md.sleep(1)
          if i == 5 and md.checkpoint "x" == "rewound" then return end
        end
        md.rewind "x"
      end)]], function(f)
      assert.equal("run-4.mdi run-6.mdi ", images(f))
    end, "--save-every 2 --save run.mdi --save-keep 2")
  end)

  it("goes on when one cannot be saved, and says so", function()
    image.folder(function(f)
      f:write("model.lua", head .. model)
      local run = f:run "--save-every 3 --save none/run.mdi model.lua"
      assert.truthy(
        run.err:find "cannot write the image none/run%-3.mdi: No su"
      )
      assert.truthy(run.err:find "run%-6.mdi")
      assert.truthy(run.out:find "^1 2 3 4 5 6 7 ")
      assert.equal(0, run.status)
    end)
  end)
end)
