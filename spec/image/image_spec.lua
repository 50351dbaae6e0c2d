-- md.save and moondial resume: what the call gives and refuses, and where it
-- can be called. What the image keeps of the program around it is in
-- outside_spec.lua, that it goes on the same in matrix_spec.lua.
local image = require "spec.image.support"

local head = 'local md = require "moondial"\n'

-- Runs a model that saves itself to run.mdi, and resumes that, twice.
local function saved(text, options)
  return image.folder(function(f)
    f:write("model.lua", head .. text)
    local first = f:run((options or "") .. " model.lua")
    local second = f:run "resume --audit run.mdi"
    local third = f:run "resume --lazy run.mdi"
    assert.equal(second.out, third.out)
    assert.equal(second.err, third.err)
    return first, second
  end)
end

-- It prints `before`, and after it `first` or, resumed, `second`.
local function prints(before, first, second, text)
  local run, resumed = saved(text)
  assert.equal("", run.err .. resumed.err)
  assert.equal(before .. first, run.out)
  assert.equal(second, resumed.out)
  assert.equal(0, resumed.status)
end

-- Saves nowhere, and says why; nothing is left of it.
local function refuses(pattern, text, options)
  image.folder(function(f)
    f:write("model.lua", head .. text)
    local run = f:run((options or "") .. " model.lua")
    assert.truthy(run.out:find(pattern), run.out .. run.err)
    assert.equal(0, run.status, run.err)
    assert.is_false(f:exists "run.mdi")
    assert.equal("model.lua\n", (f:says "ls"))
  end)
end

describe("md.save returns twice", function()
  it("in the script", function()
    prints(
      "a\n",
      "saved\nb\n",
      "resumed\nb\n",
      [[
      print "a"
      print(md.save "run.mdi")
      print "b"]]
    )
  end)

  it("in the script, in the middle of its runs", function()
    prints(
      "1\ntime\t1.5\n",
      "saved\n2\n3\ndone\t3.0\n",
      "resumed\n2\n3\ndone\t3.0\n",
      [[
      md.spawn(function() for i = 1, 3 do md.sleep(1) print(i) end end)
      print(md.run(1.5))
      print(md.save "run.mdi")
      print(md.run())]]
    )
  end)

  it("in a process, in its turn", function()
    prints(
      "",
      "saved\t1.0\nnext\ndone\n",
      "resumed\t1.0\nnext\ndone\n",
      [[
      md.spawn(function()
        md.sleep(1)
        print(md.save "run.mdi", md.now())
      end)
      md.spawn(function() md.sleep(1) print "next" end)
      print((md.run()))]]
    )
  end)

  it("in a generator of a generator", function()
    prints(
      "1\n",
      "saved\n2\nend\n",
      "resumed\n2\nend\n",
      [[
      local function numbers()
        coroutine.yield(1)
        print(md.save "run.mdi")
        coroutine.yield(2)
      end
      local function outer()
        for i in coroutine.wrap(numbers) do coroutine.yield(i) end
      end
      md.spawn(function()
        for i in coroutine.wrap(outer) do print(i) end
        print "end"
      end)]]
    )
  end)

  it("in pcall, xpcall, metamethods, iterators and closers", function()
    prints(
      "",
      "true saved\ntrue resumed? saved\nsaved\nout\n",
      "true resumed\ntrue resumed? resumed\nresumed\nout\n",
      [[
      local got
      local t = setmetatable({}, {
        __index = function() return select(2, pcall(md.save, "run.mdi")) end,
        __close = function() print(got) end,
      })
      md.spawn(function()
        do
          local c <close> = t
          local ok, e = pcall(function() got = t.x return got end)
          print(tostring(ok) .. " " .. e)
          print((select(2, xpcall(function()
            return "true resumed? " .. got
          end, print))))
        end
        print "out"
      end)]]
    )
  end)

  it("as often as it is called, each image being of its own time", function()
    image.folder(function(f)
      f:write("model.lua", head .. [[
        md.spawn(function()
          for i = 1, 3 do
            md.sleep(1)
            print(i, md.save(i .. ".mdi"))
          end
        end)]])
      local run = f:run "model.lua"
      assert.equal("1\tsaved\n2\tsaved\n3\tsaved\n", run.out)
      assert.equal(
        "1\tresumed\n2\tsaved\n3\tsaved\n",
        f:run("resume 1.mdi").out
      )
      assert.equal("2\tresumed\n3\tsaved\n", f:run("resume 2.mdi").out)
      assert.equal("3\tresumed\n", f:run("resume 3.mdi").out)
    end)
  end)

  it("and does not change the run", function()
    image.folder(function(f)
      local text = head
        .. [[
        md.spawn(function()
          for i = 1, 5 do
            md.sleep(md.rng "x":exponential(1))
            if i == 3 and SAVE then md.save "run.mdi" end
          end
        end)
        print(md.run()) print(md.hash())]]
      f:write("with.lua", (text:gsub("SAVE", "true")))
      f:write("without.lua", (text:gsub("SAVE", "false")))
      local without = f:run "without.lua"
      assert.equal(without.out, f:run("with.lua").out)
      assert.equal(without.out, f:run("resume run.mdi").out)
    end)
  end)
end)

describe("md.save refuses", function()
  local usage = '.-; md%.save%("run%.mdi"%)'

  it("what is no path", function()
    for what, said in pairs {
      [""] = "nil",
      ["nil"] = "nil",
      ["3"] = "3",
      ["{}"] = "a table",
      ["''"] = "''",
      ["'a\\0b'"] = "'a'",
    } do
      refuses(
        "usage\tmodel%.lua:2: save: expected a path, got " .. said .. usage,
        ("_, e = pcall(function() md.save(%s) end) print(e.kind, e)"):format(
          what
        )
      )
    end
  end)

  it("where the run cannot be left", function()
    local try = [[
      local function try()
        local ok, e = pcall(md.save, "run.mdi")
        print(ok, ok or e.kind, e)
      end
    ]]
    local where = {
      callback = "md.at(1, try) md.run()",
      guard = [[
        md.spawn(function()
          md.send(md.self(), 1)
          md.receive { { md._, when = function() try() return true end,
            function() end } }
        end)
        md.run()]],
      comparator = [[
        table.sort({ 2, 1 }, function(a, b) try() return a < b end)]],
      gsub = "md.spawn(function() ('x'):gsub('.', try) end) md.run()",
      ["nested run"] = [[
        md.spawn(function() md.sim():spawn(try) end)
        md.spawn(function() local s = md.sim() s:spawn(try) s:run() end)
        md.run()]],
    }
    for name, text in pairs(where) do
      refuses(
        "^false\t%a+\tmodel%.lua:%d+: save[ :]",
        try .. text .. " -- " .. name
      )
    end
  end)

  it("in a finalizer", function()
    refuses(
      "save cannot block inside a finalizer",
      [[
      setmetatable({}, { __gc = function()
        print(pcall(md.save, "run.mdi")) end })
      collectgarbage()]]
    )
  end)

  it("in a branch", function()
    refuses(
      "image\tmodel.lua:2: save: a branch cannot be saved",
      [[
      print(md.branch(function() local _, e = pcall(md.save, "run.mdi")
        return e.kind, tostring(e) end))]]
    )
  end)

  it("while a pipe is open, and names it", function()
    refuses(
      "image\tmodel.lua:3: save: cannot save: a pipe",
      [[
      local p = io.popen "cat >/dev/null"
      local _, e = pcall(md.save, "run.mdi") print(e.kind, e)]]
    )
  end)

  it("while a nameless or deleted file is open", function()
    refuses(
      "save: cannot save: a temporary or deleted file is open",
      [[
      local f = io.tmpfile()
      print(pcall(md.save, "run.mdi"))]]
    )
    refuses(
      "save: cannot save: a temporary or deleted file is open",
      [[
      local f = io.open("x", "w")
      os.remove "x"
      print(pcall(md.save, "run.mdi"))]]
    )
  end)

  it("but not when they are closed, or collected", function()
    prints(
      "",
      "saved\n",
      "resumed\n",
      [[
      local p, f = io.popen "true", io.tmpfile()
      p:close() f:close()
      io.tmpfile()
      collectgarbage()
      print(md.save "run.mdi")]]
    )
  end)

  it("with a C library loaded, and names that", function()
    local library = io.popen(
      "ls /usr/lib/x86_64-linux-gnu/lua/5.4/lfs.so"
        .. " /usr/lib/*/lua/5.4/*.so 2>/dev/null"
    ):read "l"
    if not library then
      return pending "no Lua library in C is installed"
    end
    refuses(
      "image\tmodel.lua:3: save: the model has loaded the C library '"
        .. library:gsub("%p", "%%%0"),
      ([[
      assert(package.loadlib(%q, "*"))
      local _, e = pcall(md.save, "run.mdi") print(e.kind, e)]]):format(
        library
      )
    )
  end)

  it("paths where nothing can be written, and says what to do", function()
    local try = "print(pcall(md.save, %q))"
    refuses(
      "cannot write the image none/run.mdi: No such file or directory: make",
      try:format "none/run.mdi"
    )
    refuses(
      "cannot write the image %.: Is a directory: name a file",
      try:format "."
    )
    refuses("/dev/null: it is no regular file", try:format "/dev/null")
    refuses("/dev/full: it is no regular file", try:format "/dev/full")
    refuses("File name too long: choose a shorter", try:format(("x"):rep(300)))
  end)
end)

describe("the file of an image", function()
  local model = head .. 'print(pcall(md.save, "run.mdi"))'

  it("is the user's alone, even where one that was not stood", function()
    image.folder(function(f)
      f:write("model.lua", model)
      f:shell "umask 0; echo old >run.mdi"
      f:run "model.lua"
      assert.equal("600\n", f:says "stat -c %a run.mdi")
    end)
  end)

  it("is put where a link leads, and the link stays", function()
    image.folder(function(f)
      f:write("model.lua", model)
      f:shell "mkdir sub; echo old >sub/real.mdi; ln -s sub/real.mdi run.mdi"
      assert.equal("true\tsaved\n", f:run("model.lua").out)
      assert.equal("sub/real.mdi\n", f:says "readlink run.mdi")
      assert.equal("true\tresumed\n", f:run("resume sub/real.mdi").out)
      assert.equal("true\tresumed\n", f:run("resume run.mdi").out)
      assert.equal("real.mdi\n", f:says "ls sub")
    end)
  end)

  it("stays as it was when a limit or a full disk stops the next", function()
    image.folder(function(f)
      f:write("model.lua", model)
      f:run "model.lua"
      local old = f:read "run.mdi"
      local run = f:run("model.lua", "ulimit -f 50;")
      assert.truthy(run.out:find "^false\t.*File too large: free some space")
      assert.equal(0, run.status)
      assert.is_true(old == f:read "run.mdi")
      assert.equal("model.lua\nrun.mdi\n", f:says "ls")
      if
        f:shell "mkdir d && mount -t tmpfs -o size=64k none d 2>.mount" ~= 0
      then
        return
      end
      f:write("full.lua", head .. 'print(pcall(md.save, "d/run.mdi"))')
      f:write("d/run.mdi", "old")
      local full = f:run "full.lua"
      local left, names = f:read "d/run.mdi", f:says "ls d"
      f:shell "umount d"
      assert.truthy(full.out:find "^false\t.*No space left on device: free")
      assert.equal("old", left)
      assert.equal("run.mdi\n", names)
    end)
  end)

  it("is a whole one when the program is killed while it saves", function()
    image.folder(function(f)
      f:write("model.lua", head .. [[
        local n, t = 0, {}
        for i = 1, 50000 do t[i] = { i } end
        while true do
          n = n + 1
          if md.save "run.mdi" == "resumed" then break end
        end
        print(#t, n > 0)]])
      for i = 1, 10 do
        f:shell(
          ([[%s model.lua & pid=$!
          while ! test -s run.mdi; do sleep 0.01; done
          sleep 0.0%d; kill -9 $pid; wait $pid 2>/dev/null]]):format(
            f.program,
            i * 7 % 10
          )
        )
        local run = f:run "resume run.mdi"
        assert.equal("50000\ttrue\n", run.out, run.err)
      end
    end)
  end)
end)
