-- md.checkpoint and md.rewind: the past of the whole program, in memory.
local image = require "spec.image.support"
local models = require "spec.image.models"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local head = 'local md = require "moondial"\n'

local function run(text, options)
  return image.folder(function(f)
    f:write("model.lua", head .. text)
    return f:run((options or "") .. " model.lua")
  end)
end

local function prints(expected, text, options)
  local r = run(text, options)
  assert.equal("", r.err)
  assert.equal(expected, r.out)
  assert.equal(0, r.status)
end

local function fails(pattern, text, options)
  local r = run(text, options)
  assert.truthy((r.out .. r.err):find(pattern), r.out .. r.err)
  assert.equal(1, r.status)
end

describe("a checkpoint", function()
  it("returns taken, and rewound with what rewind was given", function()
    prints(
      "taken\nback\trewound\t1\tb\ttrue\tnil\t2.5\n",
      [[
      local function show(...)
        print((...) == "taken" and "taken" or "back\t" ..
          table.concat({ tostring(...) , select(2, ...) }, "\t"))
      end
      local t = table.pack(md.checkpoint "x")
      if t[1] == "taken" then
        print(t[1])
        md.rewind("x", 1, "b", true, nil, 2.5)
      end
      print("back", table.unpack(t, 1, t.n))]]
    )
  end)

  it("takes back variables, tables, globals, upvalues and time", function()
    prints(
      "3\t2.0\t1\tb\nrewound\t3.0\t1\tnil\tnil\n",
      [[
      local n, t = 0, { 1 }
      md.spawn(function() while true do md.sleep(1) n = n + 1 end end)
      md.run(3)
      local s = md.checkpoint()
      if s == "taken" then
        g, t[2] = "b", 2
        md.run(5)
        print(n - 2, md.now() - 3, t[1], g)
        md.rewind(3)
      end
      print(s, md.now(), t[1], t[2], g)]]
    )
  end)

  it("can be come back to as often as one likes", function()
    prints(
      "0\n1\n2\n3\n",
      [[
      local _, n = md.checkpoint "x"
      print(n or 0)
      if (n or 0) < 3 then md.rewind("x", (n or 0) + 1) end]]
    )
  end)

  it("carries plain values, also tables that hold themselves", function()
    prints(
      "true\ttrue\t1\tdeep\t<pid 1>\n1\n",
      [[
      local p = md.spawn(print, 1)
      local s, t, u = md.checkpoint "x"
      if s == "taken" then
        local a = { 1, x = { y = { "deep" } }, p = p }
        a.self = a
        md.rewind("x", a, a)
      end
      print(t == u, t.self == t, t[1], t.x.y[1], "<pid 1>")
      assert(t.p == p)]]
    )
  end)

  it(
    "is found by the newest of a name; what came later is forgotten",
    function()
      prints("first\nsecond\nrewound\nno\n", [[
      local s, why = md.checkpoint "a"
      if s == "rewound" then
        print(why)
        print(pcall(md.rewind, "b") and "yes" or "no")
        return
      end
      print "first"
      local t = md.checkpoint "a"
      if t == "taken" then
        print "second"
        md.checkpoint "b"
        md.rewind "a"
      end
      print(t)
      print(pcall(md.rewind, "b") and "yes" or "no")
      ]] .. "", "--quiet")
    end
  )

  it("says which there are when there is none of that name", function()
    fails(
      "2: rewind: there is no checkpoint 'warm'; md.checkpoint%(\"warm\"%)",
      'md.rewind "warm"'
    )
    fails(
      "rewind: there is no checkpoint 'wram'; did you mean 'warm'%?",
      'md.checkpoint "cold" md.checkpoint "warm" md.rewind "wram"'
    )
    fails(
      "rewind: there is no checkpoint at or before 0.5; md.checkpoint%(%)",
      [[md.spawn(md.sleep, 1) md.run() md.checkpoint "x" md.rewind(0.5)]]
    )
  end)

  it("refuses what is no name, no time, no plain value", function()
    fails("checkpoint: expected a name, got 1", "md.checkpoint(1)")
    fails(
      "rewind: expected a checkpoint's name or a time, got nothing",
      "md.rewind()"
    )
    fails("rewind: expected a .- or a time, got a table", "md.rewind{}")
    fails(
      "rewind: expected a time of at least 0, got %-1",
      "md.checkpoint() md.rewind(-1)"
    )
    for value, said in pairs {
      ["print"] = "value 1 is a function",
      ["{ a = { print } }"] = "value 1.a%[1%] is a function",
      ["1, io.stdout"] = "value 2 is a FILE%*",
      ["setmetatable({}, {})"] = "value 1 is a table with a metatable",
      ["coroutine.create(print)"] = "value 1 is a thread",
      ["{ [{}] = 1 }"] = false,
    } do
      local text = 'if md.checkpoint "x" == "taken" then md.rewind("x", '
        .. value
        .. ") end"
      if said then
        fails("rewind: " .. said .. ", and only plain data can go back", text)
      else
        prints("", text)
      end
    end
  end)

  it("is not where a run cannot be left", function()
    local try = [[
      local function try()
        print(pcall(md.checkpoint, "x")) print(pcall(md.rewind, "x"))
      end
      md.checkpoint "x"
    ]]
    for _, where in ipairs {
      "md.at(1, try) md.run()",
      "table.sort({ 2, 1 }, function(a, b) try() return a < b end)",
      "md.spawn(function() local s = md.sim() s:spawn(try) s:run() end)",
    } do
      local r = run(try .. where)
      local _, n = r.out:gsub("false\t[^\n]*model.lua:%d: %a+[ :]", "")
      assert.equal(2, n, r.out .. r.err)
    end
  end)
end)

describe("a rewind", function()
  -- `text` keeps and comes back once; the output after that is that of a run
  -- that was never taken back, and so are the hash and the records.
  local function same(text, ...)
    local names = { ... }
    local r = run(text .. ' print(md.hash()) print(#md.records "n")')
    assert.equal("", r.err)
    local plain = text:gsub("md.rewind%b()", "local _ = 0")
    local p = run(plain .. ' print(md.hash()) print(#md.records "n")')
    assert.equal("", p.err)
    local tail = function(s)
      return s:match "\n(%x+\n%d+\n)$" or s
    end
    assert.equal(p.out:match "[^\n]*\n%d+\n$", r.out:match "[^\n]*\n%d+\n$")
    assert.truthy(tail(r.out) and #names == 0)
    return r
  end

  it("is possible in a process, its wait goes on", function()
    same [[
      md.spawn(function()
        md.sleep(1)
        md.log("n", { n = 1 })
        local s = md.checkpoint "x"
        md.sleep(1)
        md.log("n", { n = 2 })
        if s == "taken" then md.rewind("x") end
        md.sleep(1)
      end)
      md.spawn(function()
        for i = 1, 9 do md.sleep(0.3) md.log("n", { n = i }) end
      end)
      md.run()]]
  end)

  it("goes back from one process to another's point", function()
    prints(
      "a\ttaken\nb\t3.0\na\trewound\tfrom b\nb\t3.0\n",
      [[
      local again
      md.spawn(function()
        md.sleep(1)
        local s, from = md.checkpoint "x"
        print("a", s, from)
        again = s == "rewound"
      end)
      md.spawn(function()
        md.sleep(3)
        print("b", md.now())
        if not again then md.rewind("x", "from b") end
      end)]]
        .. "\nlocal p = print print = function(...) p(table.concat("
        .. "table.pack(...), '\\t')) end"
    )
  end)

  it(
    "is possible in a generator, in pcall, with open <close> variables",
    function()
      prints(
        "1\ttaken\n2\n1\trewound\n2\nclosed\nend\t3.0\n",
        [[
      md.spawn(function()
        local c <close> = setmetatable({}, {
          __close = function() print "closed" end })
        local function gen()
          coroutine.yield(1, md.checkpoint "x")
          md.sleep(1)
          coroutine.yield(2)
        end
        local state
        for i, s in coroutine.wrap(gen) do
          state = s or state
          print(i, s)
          md.sleep(1)
          if i == 2 and state == "taken" then
            print(pcall(function()
              local d <close> = setmetatable({}, { __close = print })
              md.rewind "x"
            end))
          end
        end
      end)
      local p = print
      function print(a, b) if b == nil then p(a) else p(a, b) end end
      md.run()
      print("end", md.now())]]
      )
    end
  )

  it("is possible in the middle of asks, resources and scopes", function()
    same [[
      local r = md.resource { capacity = 1 }
      local server = md.spawn(function()
        while true do
          local from, ref, n = md.wait("sq", md.is.pid, md.is.ref, md._)
          md.sleep(0.4)
          md.reply(from, ref, n * n)
        end
      end)
      for p = 1, 3 do
        md.spawn(function()
          for i = 1, 3 do
            local s <close> = md.scope()
            s:spawn(function()
              local unit <close> = r:acquire()
              md.sleep(0.3)
            end)
            md.log("n", { n = md.ask(server, "sq", i) })
          end
        end)
      end
      md.spawn(function()
        md.sleep(1.1)
        local s = md.checkpoint "x"
        md.sleep(1.3)
        if s == "taken" then md.rewind("x") end
      end)
      md.run()]]
  end)

  it("takes open files back, and what was written to them", function()
    image.folder(function(f)
      f:write("model.lua", head .. [[
        local a = io.open("a", "w") a:write "1"
        local b = io.open "model.lua" b:read(3)
        local s = md.checkpoint "x"
        if s == "taken" then
          a:write "lost" a:close()
          b:read "a"
          io.open("c", "w"):write "stays"
          md.rewind "x"
        end
        a:write "2" a:close()
        print(s, b:read(4), io.type(a))]])
      local r = f:run "model.lua"
      assert.equal("rewound\tal m\tclosed file\n", r.out, r.err)
      assert.equal("12", f:read "a")
      assert.is_true(f:exists "c")
    end)
  end)

  it(
    "to a file that is gone is an error there, and closes the files",
    function()
      prints(
        "false\ttrue\tfile (closed)\tfile (closed)\n2\n",
        [[
      local a, b = io.open("a", "w"), io.open "model.lua"
      local ok, s = pcall(md.checkpoint, "x")
      if ok then os.remove "a" md.rewind "x" end
      local said = s.kind == "image" and s.message:find "/a open, which"
      print(ok, said ~= nil, a, b)
      collectgarbage() collectgarbage()
      a, b = nil, nil
      collectgarbage()
      print(#{ io.open "model.lua", io.open("a", "w") })]]
      )
    end
  )

  it("is refused with a pipe open at the checkpoint only", function()
    fails(
      "checkpoint: cannot keep this: a pipe",
      'local p = io.popen "true" md.checkpoint "x"'
    )
    prints(
      "rewound\n",
      [[
      local s = md.checkpoint "x"
      if s == "taken" then
        local p, f = io.popen "true", io.tmpfile()
        md.rewind "x"
      end
      print(s) collectgarbage()]]
    )
  end)

  it("goes past the end of a run, into the middle of one", function()
    prints(
      "done\t5.0\ntime\t4.0\nend\n",
      [[
      local to
      md.spawn(function()
        md.sleep(2)
        if md.checkpoint "x" == "rewound" then md.stop() end
        md.sleep(3)
      end)
      local how, t = md.run()
      if how == "done" then print(how, t) md.rewind "x" end
      print("time\t4.0") print "end"]]
    )
  end)

  it("undoes errors, deaths and new sims", function()
    prints(
      "false\nrewound\tsleeping\t1\n",
      [[
      local p = md.spawn(function() md.sleep(5) end)
      md.run(1)
      local s = md.checkpoint "x"
      if s == "taken" then
        md.spawn(error, "boom")
        md.kill(p)
        local other = md.sim()
        other:spawn(md.sleep, 9) other:run()
        print((pcall(md.run)))
        md.rewind "x"
      end
      print(s, md.status(p), #md.processes())]]
    )
  end)

  it("is not undone by memory: much can be made and taken back", function()
    prints(
      "20\ttrue\n",
      [[
      local _, n = md.checkpoint "x"
      n = n or 0
      local before = collectgarbage "count"
      local t = {}
      for i = 1, 1e5 do t[i] = { i } end
      if n < 20 then md.rewind("x", n + 1) end
      print(n, before < 2000)]],
      "--memory 40M"
    )
  end)

  it("of a run that is traced shows both, and hashes one", function()
    local text = [[
      md.spawn({ name = "a" }, function()
        local s = md.checkpoint "x"
        md.sleep(1)
        if s == "taken" then md.rewind("x") end
      end)
      md.run() print(md.hash())]]
    local with = run(text, "--trace t.txt")
    assert.equal(run(text).out, with.out)
    same(text)
  end)
end)

describe("--checkpoint-every", function()
  local model = [[
    local seen = 0
    md.spawn(function() for i = 1, 10 do md.sleep(1) seen = seen + i end end)
  ]]

  it("lets one go back to a time", function()
    prints("done\t10.0\t55\ndone\t10.0\t55\tagain\n", model .. [[
      local how, t = md.run()
      print(how, t, seen)
      local ok, e = pcall(md.rewind, 4.5)
      print(how, t, seen, e and "again")]])
  end)

  it("says that it would go in a circle", function()
    fails(
      "usage: .-went back to that time from this very state before",
      model
        .. [[
      md.run()
      local ok, e = pcall(md.rewind, 4.5)
      error(e.kind .. ": " .. e.message, 0)]],
      "--checkpoint-every 1"
    )
  end)

  it("does not mind a model's own points on the way", function()
    prints("taken\t4.0\tnil\nrewound\t4.0\t1\nrewound\t4.0\t2\n", model .. [[
      md.run(4)
      local s, n = md.checkpoint()
      print(s, md.now(), n)
      md.run()
      if (n or 0) < 2 then md.rewind(9, (n or 0) + 1) end]])
  end)

  it("thins out what takes too much memory, and keeps the ends", function()
    local text = [[
      local big = {}
      md.spawn(function()
        for i = 1, 400 do
          md.sleep(1)
          for k = 1, 200 do big[k] = { i, k } end
        end
      end)
      md.run()
      local ok, e = pcall(md.rewind, %s)
      print(ok, e.message:match "[^;,]*")]]
    for _, time in ipairs { "0.5", "200", "399" } do
      prints(
        "false\tmodel.lua:10: rewind: the run went back to that time from this "
          .. "very state before\n",
        text:format(time),
        "--checkpoint-every 1 --checkpoint-memory 2M"
      )
    end
  end)

  it("does not change the run", function()
    local text = model .. "md.run() print(md.hash(), seen)"
    assert.equal(run(text).out, run(text, "--checkpoint-every 0.5").out)
  end)
end)

describe("a random rewind", function()
  local frame = [[
    local function say(...)
      local t = table.pack(md.now(), ...)
      for i = 1, t.n do
        t[i] = type(t[i]) == "table" and "table" or tostring(t[i])
      end
      print(table.concat(t, " ", 1, t.n))
    end
    do %s end
    md.run { events = %d }
    %s
    print(md.run())
    print(md.hash())]]

  local random = 3
  local function choose(most)
    random = random * 6364136223846793005 + 1442695040888963407
    return (random >> 33) % most + 1
  end

  local there_and_back = [[
    print "point"
    local s = md.checkpoint "point"
    if s == "taken" then
      md.run { events = %d }
      md.rewind "point"
    end
    print "point"]]

  local names = {}
  for name in pairs(models) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    -- one of them writes a module and reloads it: files are not taken back
    local outside = models[name]:find("reload", 1, true)
    it("in " .. name .. " changes nothing", function()
      for _ = 1, outside and 0 or long and 20 or 3 do
        local from, more = choose(60), choose(200)
        local mid = there_and_back:format(more)
        local with = run(frame:format(models[name], from, mid))
        local without = run(frame:format(models[name], from, ""))
        assert.equal("", without.err .. with.err)
        local first, last = with.out:match "^(.-)point\n.*point\n(.*)$"
        assert.equal(without.out, first .. last)
      end
    end)
  end
end)
