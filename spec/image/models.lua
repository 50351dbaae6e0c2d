-- Models that block in every kind of place, for spec/image/matrix_spec.lua.
-- Each is the body of a script in which `md` is the library and `say` prints
-- the time with what it is given.
local file <close> = assert(io.open "spec/native/bodies.c")
local bodies = file:read "a"

return {
  ["processes in C"] = [=[
    local c = require("moondial.ffi").compile [==[]=] .. bodies .. [=[]==]
    local till = md.spawn_native({ name = "till" }, c.till)
    local relay = md.spawn_native(c.relay, till)
    for i = 1, 5 do
      md.spawn_native(c.draws, 4)
      md.spawn(function()
        md.sleep(i / 3)
        say(i, md.ask(i % 2 == 0 and till or relay, "serve", i / 4, {}))
      end)
    end
    local owner = md.spawn(function()
      while true do say(md.wait()) end
    end)
    local guarded = md.spawn_native(c.guarded, owner)
    md.after(9, md.kill, md.spawn_native(c.guarded, owner))
    md.after(3, md.interrupt, guarded, { "cause" })
    md.spawn(function()
      say(md.join(md.spawn_native(c.customer, till, 1, 3)))
      say(md.join(md.spawn_native(c.nap, 2)))
      say(pcall(md.join, md.spawn({ after = 1 }, c.wrong, 11)))
      for _, r in ipairs(md.records "drawn") do say(r.time, r.x, r.left) end
    end)]=],

  ["calls and loops"] = [[
    local function down(n)
      if n == 0 then md.sleep(0.7) return 1 end
      local mine = n * 2
      local got = down(n - 1)
      say("up", n, mine)
      return got + 1
    end
    for i = 1, 3 do
      md.spawn(function(...)
        for k = 1, 4 do say(i, k, down(5 + k), select("#", ...)) end
      end, i, "more", {})
    end]],

  ["protected calls"] = [[
    md.spawn(function()
      for i = 1, 6 do
        say(pcall(function()
          md.sleep(1)
          local ok, e = pcall(function()
            md.sleep(0.5)
            error("inner " .. i, 0)
          end)
          md.sleep(0.25)
          if i % 2 == 0 then error({ code = i }) end
          return ok, e
        end))
        say(xpcall(function() md.sleep(0.1) error "x" end,
          function(e) return "handled " .. e end))
      end
    end)]],

  ["generators"] = [[
    local function numbers(n)
      return coroutine.wrap(function()
        for i = 1, n do
          md.sleep(0.5)
          coroutine.yield(i, md.now())
        end
      end)
    end
    local function doubled(n)
      return coroutine.wrap(function()
        for i in numbers(n) do
          md.sleep(0.25)
          coroutine.yield(i * 2)
        end
      end)
    end
    for p = 1, 2 do
      md.spawn(function() for x in doubled(7) do say(p, x) end end)
    end
    local co = coroutine.create(function(a)
      local b = coroutine.yield(a + 1)
      md.sleep(3)
      return b * 2
    end)
    md.spawn(function()
      say(coroutine.resume(co, 1)) say(coroutine.resume(co, 21))
      say(coroutine.resume(co))
    end)]],

  ["iterators"] = [[
    md.spawn(function() for t in md.every(0.5, { count = 9 }) do say(t) end end)
    md.spawn(function()
      local function slow(s, i)
        if i < s then md.sleep(0.3) return i + 1 end
      end
      for i in slow, 8, 0 do say("slow", i) end
    end)]],

  ["metamethods"] = [[
    local slow = setmetatable({ v = 1 }, {
      __index = function(_, k) md.sleep(0.1) return k end,
      __newindex = function(t, k, v) md.sleep(0.1) rawset(t, k, v) end,
      __add = function(a) md.sleep(0.1) return 7 end,
      __concat = function() md.sleep(0.1) return "joined" end,
      __eq = function() md.sleep(0.1) return true end,
      __lt = function() md.sleep(0.1) return true end,
      __le = function() md.sleep(0.1) return false end,
      __len = function() md.sleep(0.1) return 42 end,
      __call = function(_, x) md.sleep(0.1) return x + 1 end,
      __unm = function() md.sleep(0.1) return "minus" end,
    })
    local other = setmetatable({}, getmetatable(slow))
    for p = 1, 2 do
      md.spawn(function()
        for i = 1, 3 do
          say(p, slow.field, slow + 1, slow .. "x", slow == other, slow < other)
          slow["k" .. p .. i] = i
          say(p, slow <= other, #slow, slow(i), -slow, "a" .. slow)
        end
      end)
    end]],

  ["closers"] = [[
    local function closer(name)
      return setmetatable({}, { __close = function(_, e)
        md.sleep(0.5)
        say("closed", name, e)
      end })
    end
    local victim = md.spawn(function()
      local a <close> = closer "a"
      for i = 1, 100 do
        local b <close> = closer("b" .. i)
        md.sleep(1)
      end
    end)
    md.spawn(function()
      local ok, e = pcall(function()
        local c <close> = closer "c"
        md.sleep(2)
        error("out", 0)
      end)
      say(ok, e)
      md.kill(victim, "enough")
      say(pcall(md.join, victim))
      say(pcall(md.timeout, 1.25, function()
        local d <close> = closer "d"
        md.sleep(10)
      end))
    end)]],

  ["messages"] = [[
    local server = md.spawn({ name = "server" }, function()
      while true do
        md.receive {
          { "add", md.is.pid, md.is.ref, md._, md._, function(from, ref, a, b)
            md.sleep(0.2)
            md.reply(from, ref, a + b)
          end },
          { "stop", function() md.exit() end },
          after = { 5, function() say "nothing to do" end },
        }
      end
    end)
    local box = md.spawn({ inbox = 2, on_full = "block" }, function()
      for _ = 1, 10 do md.sleep(0.7) say("box", md.wait()) end
    end)
    for p = 1, 3 do
      md.spawn(function()
        for i = 1, 4 do
          say(p, md.ask(server, "add", p, i))
          md.send(box, p, { i = i })
          md.send_after(1.5, box, "later", p)
          say(pcall(md.wait_timeout, 0.4, "never"))
        end
      end)
    end
    md.at(30, function() md.send(server, "stop") end)]],

  ["joins, links and kills"] = [[
    local workers = {}
    for i = 1, 5 do
      workers[i] = md.spawn(function()
        md.sleep(i)
        if i == 3 then md.exit "bad luck" end
        return i, { i }
      end)
    end
    md.spawn(function()
      md.trap_exit(true)
      md.link(workers[4])
      local ref = md.monitor(workers[5])
      for i = 1, 3 do say(pcall(md.join, workers[i])) end
      say(md.wait()) say(select("#", md.wait()))
      say(md.join(md.spawn(function() md.sleep(2) return "late" end), 1))
    end)
    local sleeper = md.spawn(function()
      for _ = 1, 3 do say(pcall(md.sleep, 10)) end
    end)
    md.spawn(function()
      for i = 1, 3 do md.sleep(1.5) md.interrupt(sleeper, "wake " .. i) end
    end)]],

  ["resources"] = [[
    local r = md.resource { capacity = 2, name = "desk" }
    local p = md.resource { preemptive = true }
    local store = md.store { capacity = 2 }
    local tank = md.container { capacity = 10 }
    local gate, flag = md.event(), md.flag()
    local barrier = md.barrier(3)
    for i = 1, 4 do
      md.spawn({ name = "user " .. i }, function()
        for k = 1, 3 do
          local unit <close> = r:acquire()
          md.sleep(0.5 + i * 0.1)
          store:put(i * 10 + k)
        end
      end)
      md.spawn(function()
        md.sleep(i)
        say(pcall(function()
          local unit <close> = p:acquire { priority = -i }
          md.sleep(1.5)
        end))
      end)
    end
    md.spawn(function() for _ = 1, 12 do md.sleep(0.4) say(store:get()) end end)
    md.spawn(function() for i = 1, 5 do md.sleep(1) tank:put(2) end end)
    md.spawn(function() tank:get(7) say "tank" flag:set(true) end)
    md.spawn(function()
      say(md.await(md.any { gate, flag }))
      gate:succeed(5)
    end)
    for i = 1, 3 do
      md.spawn(function() md.sleep(i) barrier:arrive() say("over", i) end)
    end]],

  ["scopes and children"] = [[
    md.spawn(function()
      do
        local s <close> = md.scope()
        for i = 1, 3 do s:spawn(function() md.sleep(i) say("in", i) end) end
        say "waits"
      end
      say "left"
      say(pcall(function()
        local s <close> = md.scope()
        s:spawn(function() md.sleep(9) say "never" end)
        s:spawn(function() md.sleep(1) error("fails", 0) end)
        md.sleep(5)
      end))
      local child = md.child({ forward = true }, function()
        while true do say("child has", md.wait()) end
      end)
      for _ = 1, 3 do say("parent has", md.wait "x") end
    end)
    local first = md.processes()[1]
    for i = 1, 3 do md.send_after(8 + i, first, "x", i) end]],

  ["supervisors"] = [[
    local top = md.supervisor { strategy = "one_for_all", max_restarts = 50,
      children = {
        { id = "a", restart = "permanent", start = function()
          for i = 1, 3 do md.sleep(1) say("a", i) end
          error("a fails", 0)
        end },
        { id = "b", restart = "permanent", start = function()
          for i = 1, 100 do md.sleep(0.7) say("b", i) end
        end },
      } }
    md.at(11, function() md.kill(top, "shutdown") end)]],

  ["servers and queues"] = [[
    local s = md.server()
    local total = 0
    s:handle("add", function(n) md.sleep(0.3) total = total + n say(total) end)
    s:otherwise(function(...) say("what?", ...) end)
    local pid = s:spawn { name = "counter" }
    local q = md.queue(2)
    md.spawn(function() for i = 1, 8 do q:put(i) md.send(pid, "add", i) end end)
    md.spawn(function() for i = 1, 8 do md.sleep(0.5) say(q:get()) end end)
    md.at(3, function()
      s:handle("add", function(n) total = total + 100 * n say("new", total) end)
    end)
    md.at(7, function() md.send(pid, "huh", 1) md.kill(pid) end)]],

  ["transitions"] = [[
    local function state(n, log)
      log[#log + 1] = n
      md.sleep(0.5)
      if n < 12 then return md.become(state, n + 1, log) end
      say(table.concat(log, " "))
    end
    md.spawn(state, 1, {})
    md.spawn(state, 5, {})]],

  ["chance and records"] = [[
    local wait = md.recorder("wait", { "who", "d" })
    local rng = md.rng "shared"
    local tally = md.stats.tally()
    for i = 1, 3 do
      md.spawn({ name = "p" .. i }, function()
        for k = 1, 20 do
          local d = rng:exponential(1)
          md.sleep(d)
          wait("p" .. i, d)
          tally:add(d)
          md.log("step", { k = k, r = math.random(100) })
        end
      end)
    end
    md.at(15, function() say(#md.records "wait", tally.mean) end)]],

  ["statistics"] = [[
    local rng, stats = md.rng "shared", md.stats
    local tally, level = stats.tally(), stats.level(2)
    local bins = stats.histogram { lo = 0, hi = 3, bins = 6 }
    local all, means = stats.quantiles {}, stats.batch_means { size = 7 }
    local line = md.spawn({ name = "line" }, function()
      for i = 1, 90 do md.sleep(0.3) md.wait() end
    end)
    md.spawn(function()
      for i = 1, 90 do
        local d = rng:exponential(0.3)
        md.sleep(d)
        md.send(line, i)
        tally:add(d) level:set(i % 7) bins:add(d) all:add(d) means:add(d)
      end
    end)
    for t = 5, 20, 5 do
      md.at(t, function()
        say(tally) say(level) say(bins) say(all) say(means.mean)
        say(level:plot())
        local own = md.info(line).statistics
        say(own.taken, own.mean_level, own.max_level, own.mean_wait)
        if t == 15 then md.reset_statistics { tally, level, bins, all } end
      end)
    end]],

  ["loaded code and finalizers"] = [[
    local chunk = load [=[local md, say = ...
      for i = 1, 4 do md.sleep(1) say(i) end]=]
    md.spawn(chunk, md, say)
    local weak = setmetatable({}, { __mode = "v" })
    local gone = 0
    for p = 1, 3 do
      md.spawn(function()
        for i = 1, 30 do
          local object = { i = i, ("x"):rep(i * 20) }
          weak[i] = setmetatable(object, { __gc = function()
            gone = gone + 1
          end })
          md.sleep(0.1)
        end
        collectgarbage()
        say("gone", gone, next(weak) == nil)
      end)
    end]],

  ["hooks"] = [[
    local count = 0
    md.spawn(function()
      debug.sethook(function() count = count + 1 end, "", 100)
      for i = 1, 10 do
        for k = 1, 500 do local _ = k * i end
        md.sleep(1)
      end
      debug.sethook()
      say(count > 0)
    end)]],

  ["several sims"] = [[
    local other = md.sim { seed = 7, precision = 3, name = "other" }
    other:spawn(function() for i = 1, 5 do md.sleep(0.25) say("o", i) end end)
    md.spawn(function() for i = 1, 5 do md.sleep(1) say("m", i) end end)
    print(md.run(2)) print(other:run(1)) print(md.run()) print(other:run())
    print(other:hash())]],

  ["a script in the middle"] = [[
    local seen = {}
    md.spawn(function()
      for i = 1, 20 do md.sleep(1) seen[#seen + 1] = i end
    end)
    local runs = coroutine.wrap(function()
      for t = 5, 15, 5 do
        md.run(t)
        coroutine.yield(#seen)
      end
    end)
    print(runs()) print(runs()) print(pcall(runs))
    local when = 0
    print(md.run { when = function() when = when + 1 return #seen >= 18 end })
    print(md.run { events = 1 }, md.step(), when)]],

  ["reloaded code"] = [[
    local n = 0
    local function step() n = n + 1 md.sleep(1) return n end
    for p = 1, 3 do
      md.spawn(function() for i = 1, 8 do say(p, i, step()) end end)
    end
    md.at(3.5, function() say(#md.reload("model.lua").replaced > 0) end)]],

  ["templates"] = [[
    local t = md.template { name = "ping", entrypoint = function(n)
      for i = 1, n do
        local x = md.wait "go"
        md.sleep(0.5)
        say("template", i, x)
      end
      return "fin"
    end }
    local p = t:create(4)
    p:start()
    for i = 1, 4 do md.at(i * 2, function() md.send(p.pid, "go", i) end) end]],
}
