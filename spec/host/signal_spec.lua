-- Signals: what md.pull gives.
local md = require "moondial"
local support = require "spec.host.support"

-- Each signal as a line: time, kind, the pid's name, and the other process.
local function lines(sim, names, filter)
  local told = {}
  local function name(pid)
    return pid and (names[pid] or tostring(pid)) or "-"
  end
  for s in sim:pull(filter) do
    local words = { ("%g"):format(s.time), s.kind, name(s.pid) }
    for _, field in ipairs { "child", "to", "from", "of" } do
      if s[field] then
        words[#words + 1] = field .. " " .. name(s[field])
      end
    end
    told[#told + 1] = table.concat(words, " ")
  end
  return told
end

-- A sim, and a function that spawns a process under its name.
local function new(options)
  local sim, names = md.sim(options), {}
  return sim,
    names,
    function(name, fn, ...)
      local pid = sim:spawn({ name = name }, fn, ...)
      names[pid] = name
      return pid
    end
end

local function kinds(sim, filter)
  local list = {}
  for s in sim:pull(filter) do
    list[#list + 1] = s.kind
  end
  return table.concat(list, " ")
end

describe("4.3 pull", function()
  it("gives each kind with its process, the other one and the time", function()
    local sim, names, spawn = new()
    local server = spawn("server", function()
      local from, ref = md.wait "ask"
      md.sleep(1)
      md.reply(from, ref)
      md.wait "never"
    end)
    spawn("client", function()
      md.ask(server, "ask")
      md.send(server, "stays")
      pcall(md.wait_timeout, 1, "x")
      md.kill(server)
      pcall(md.join, server)
      md.send(server, "to the dead")
    end)
    sim:after(9, function() end)
    sim:run()
    assert.same({
      "0 SPAWN - child server",
      "0 SPAWN - child client",
      "0 START server",
      "0 START client",
      "0 SEND client to server",
      "0 RECEIVE server from client",
      "1 SEND server to client",
      "1 RECEIVE client from server",
      "1 SEND client to server",
      "1 QUEUE client to server",
      "2 TIMEOUT client",
      "2 KILL client to server",
      "2 JOIN client of server",
      "2 DROP client to server",
      "2 FAIL server",
      "2 SEND client to server",
      "2 DROP client to server",
      "2 STOP client",
      "9 CALL -",
    }, lines(sim, names))
  end)

  it("gives BACKOFF, QUEUE, INTERRUPT and the DROP of a full inbox", function()
    local sim, names, spawn = new()
    local slow = sim:spawn({ name = "slow", inbox = 1 }, function()
      md.sleep(1)
      md.wait()
      md.wait()
    end)
    names[slow] = "slow"
    local lossy = sim:spawn(
      { name = "lossy", inbox = 1, on_full = "drop" },
      function()
        pcall(md.sleep, 5)
        md.wait(1)
      end
    )
    names[lossy] = "lossy"
    sim:run(0)
    kinds(sim)
    spawn("sender", function()
      md.send(slow, 1)
      md.send(slow, 2)
      md.send(lossy, 1)
      md.send(lossy, 2)
      md.interrupt(lossy)
    end)
    sim:run()
    assert.same({
      "0 SPAWN - child sender",
      "0 START sender",
      "0 SEND sender to slow",
      "0 QUEUE sender to slow",
      "0 SEND sender to slow",
      "0 BACKOFF sender to slow",
      "1 QUEUE sender to slow",
      "1 RECEIVE slow from sender",
      "1 RECEIVE slow from sender",
      "1 STOP slow",
      "1 SEND sender to lossy",
      "1 QUEUE sender to lossy",
      "1 SEND sender to lossy",
      "1 DROP sender to lossy",
      "1 INTERRUPT sender to lossy",
      "1 STOP sender",
      "1 RECEIVE lossy from sender",
      "1 STOP lossy",
    }, lines(sim, names))
  end)

  it("gives a whole run that nobody had asked for before", function()
    local sim = md.sim()
    for i = 1, 100 do
      sim:spawn({ at = i }, md.sleep, 1)
    end
    sim:run()
    local count, last = 0, 0
    for s in sim:pull() do
      count = count + 1
      assert.equal(count, s.seq)
      assert.is_true(s.time >= last)
      last = s.time
    end
    assert.equal(300, count)
  end)

  it("takes away what it has given, and goes on after a break", function()
    local sim = md.sim()
    sim:spawn(md.sleep, 1)
    sim:run()
    assert.equal("SPAWN", sim:pull()().kind)
    assert.equal("START STOP", kinds(sim))
    assert.equal("", kinds(sim))
    sim:spawn(md.sleep, 1)
    assert.equal("SPAWN", kinds(sim))
  end)

  it("breaks between a message sent and the same received", function()
    local sim = md.sim()
    local pid = sim:spawn(md.wait)
    sim:run()
    kinds(sim)
    sim:send(pid, "x")
    assert.equal("SEND", sim:pull()().kind)
    assert.equal("RECEIVE", kinds(sim))
  end)

  it("names a process that has ended, whoever has its slot now", function()
    local sim, names, spawn = new()
    local inbox = spawn("inbox", function()
      md.sleep(2)
      md.wait()
    end)
    for _, name in ipairs { "a", "b", "c" } do
      spawn(name, function()
        if name == "a" then
          md.send(inbox, "from a")
        end
      end)
      sim:run(sim:now() + 0.5)
    end
    sim:run()
    assert.same({
      "0 SEND a to inbox",
      "2 RECEIVE inbox from a",
    }, lines(sim, names, { kind = { "SEND", "RECEIVE" } }))
  end)

  it("gives only what was there when it was called", function()
    local sim = md.sim()
    local pid = sim:spawn(md.sleep, 1)
    local count = 0
    for _ in sim:pull() do
      sim:send(pid, "again")
      count = count + 1
    end
    assert.equal(1, count)
    assert.equal("SEND QUEUE", kinds(sim))
  end)

  it("gives times as md.now does", function()
    for precision, kind in pairs { [0] = "integer", [9] = "float" } do
      local sim = md.sim { precision = precision }
      sim:spawn({ at = 3 }, md.sleep, 1)
      sim:run()
      for s in sim:pull { kind = "START" } do
        assert.same({ 3, kind }, { s.time, math.type(s.time) })
      end
    end
  end)

  it("works in a process, and as md.pull on its sim", function()
    local told = support.story(function(say)
      md.send(md.self(), "x")
      for s in md.pull() do
        say(s.kind)
      end
    end)
    assert.same({ "0 SPAWN", "0 START", "0 SEND", "0 QUEUE" }, told)
  end)
end)

describe("a filter of pull", function()
  local function run()
    local sim, names, spawn = new()
    local pids = {}
    for _, name in ipairs { "a", "b" } do
      pids[name] = spawn(name, function()
        md.send(md.self(), 1)
        md.wait()
        md.sleep(1)
      end)
    end
    sim:run(0.5)
    return sim, pids, names
  end

  it("takes a kind, a list of kinds, and a pid or a name", function()
    assert.equal("START START", kinds(run(), { kind = "START" }))
    local sim, pids = run()
    sim:register("bee", pids.b)
    local filter = { kind = { "SEND", "RECEIVE" }, pid = "bee" }
    assert.equal("SEND RECEIVE", kinds(sim, filter))
    sim, pids = run()
    assert.equal("START SEND QUEUE RECEIVE", kinds(sim, { pid = pids.a }))
    sim, pids = run()
    sim:run()
    assert.equal("STOP", kinds(sim, { pid = pids.a, kind = "STOP" }))
  end)

  it("takes away what it leaves out", function()
    local sim = run()
    kinds(sim, { kind = "KILL" })
    assert.equal("", kinds(sim))
  end)

  for what, text in pairs {
    ["{ kind = 'SEN' }"] = "there is no kind 'SEN'; did you mean 'SEND'?",
    ["{ kind = 'receive' }"] = "there is no kind 'receive'; did you mean "
      .. "'RECEIVE'?",
    ["{ kind = { 'SEND', 7 } }"] = "expected a kind or a list of kinds as "
      .. 'kind, got 7; md.pull{kind = "SEND"}',
    ["{ kind = 'WAKE' }"] = "WAKE is not kept, as it follows from the others; "
      .. "--trace tells it",
    ["{ kinds = 'SEND' }"] = "there is no option 'kinds'; did you mean 'kind'?",
    ["{ pid = 7 }"] = "expected a pid or a registered name as argument 1, got "
      .. "7; md.spawn returns a pid",
    ["'SEND'"] = "expected a filter, got 'SEND'; md.pull{kind = \"SEND\"}",
  } do
    it("is an error at the caller's line: " .. what, function()
      local chunk = assert(
        load("local sim = ... sim:pull(" .. what .. ")", "=model.lua", "t")
      )
      local ok, err = pcall(chunk, md.sim())
      assert.same({ false, "usage" }, { ok, err.kind })
      assert.equal("model.lua:1: pull: " .. text, err.message)
    end)
  end
end)

describe("signals that nobody pulls", function()
  it("are forgotten beyond the last 65536, and LOST says how many", function()
    local sim = md.sim()
    local pid = sim:spawn(md.sleep, 1)
    for i = 1, 70000 do
      sim:send(pid, i)
    end
    local first, count = nil, 0
    for s in sim:pull { kind = "DROP" } do
      first = first or s
      count = count + 1
    end
    assert.same({ kind = "LOST", count = 2 * (70000 - 65536) + 1 }, first)
    assert.equal(1, count)
    sim:run()
    count = 0
    for s in sim:pull() do
      if s.kind == "LOST" then
        count = count + s.count
      else
        count = count + 1
      end
    end
    assert.equal(70002, count)
  end)

  it("cost no memory that grows", function()
    local got = support.run(
      [[
local md = require "moondial"
md.spawn(function()
  for i = 1, 300000 do
    md.send(md.self(), i)
    md.wait()
  end
end)
]],
      { options = "--memory 2500k" }
    )
    assert.same({ "", 0 }, { got.err, got.status })
  end)

  it("are as many as there is room for", function()
    local got = support.run(
      [[
local md = require "moondial"
md.spawn(function()
  for i = 1, 300000 do
    md.send(md.self(), i)
    md.wait()
  end
end)
md.run()
local first
for s in md.pull() do
  first = first or s
end
print(first.kind, first.count > 600000)
]],
      { options = "--memory 1M" }
    )
    assert.same({ "LOST\ttrue\n", "", 0 }, { got.out, got.err, got.status })
  end)
end)

describe("the hash", function()
  it("does not depend on pulling", function()
    local model = [[
local md = require "moondial"
local look = ...
local pid = md.spawn(function()
  for i = 1, 20 do
    md.wait()
  end
end)
md.spawn(function()
  for i = 1, 20 do
    md.sleep(1)
    md.send(pid, i)
    if look then for _ in md.pull() do end end
  end
end)
md.run()
print(md.hash())
]]
    local plain = support.run(model).out
    assert.equal(17, #plain)
    assert.equal(plain, support.run(model, { args = "pull" }).out)
    assert.equal(plain, support.run(model, { options = "--trace t" }).out)
  end)

  it("4.4 tells of a use", function()
    local sim = md.sim()
    local pid = sim:spawn(function()
      assert(md.use(math.max, 1, 2) == 2)
    end)
    sim:run()
    local seen = {}
    for signal in sim:pull { kind = "USE" } do
      seen[#seen + 1] = signal.kind .. " " .. tostring(signal.pid == pid)
    end
    assert.same({ "USE true" }, seen)
  end)
end)
