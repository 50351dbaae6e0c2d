-- moondial trace, and --trace-only.
local support = require "spec.host.support"

-- A strict reader of JSON; raises where the text is none.
local function read_json(text)
  local value

  local function fail(at, what)
    error(("JSON: expected %s at byte %d"):format(what, at), 0)
  end

  local function skip(at)
    return text:find("[^ \n\r\t]", at) or #text + 1
  end

  local function read_string(at)
    local parts = {}
    at = at + 1
    while true do
      local plain, stop = text:match('^([^"\\%c]*)()', at)
      parts[#parts + 1] = plain
      local c = text:sub(stop, stop)
      if c == '"' then
        return table.concat(parts), stop + 1
      end
      local escape = text:match('^\\(["\\/bfnrt])', stop)
      if not escape then
        fail(stop, "a character of a string")
      end
      parts[#parts + 1] = escape
      at = stop + 2
    end
  end

  local function read_list(at, close, item)
    local list = {}
    at = skip(at + 1)
    if text:sub(at, at) == close then
      return list, at + 1
    end
    while true do
      at = skip(item(list, at))
      local c = text:sub(at, at)
      if c == close then
        return list, at + 1
      elseif c ~= "," then
        fail(at, "a comma or " .. close)
      end
      at = skip(at + 1)
    end
  end

  local function add(list, at)
    list[#list + 1], at = value(at)
    return at
  end

  local function set(object, at)
    if text:sub(at, at) ~= '"' then
      fail(at, "a name")
    end
    local name
    name, at = read_string(at)
    at = skip(at)
    if text:sub(at, at) ~= ":" then
      fail(at, "a colon")
    end
    assert.is_nil(object[name])
    object[name], at = value(skip(at + 1))
    return at
  end

  function value(at)
    local c = text:sub(at, at)
    if c == "{" then
      return read_list(at, "}", set)
    elseif c == "[" then
      return read_list(at, "]", add)
    elseif c == '"' then
      return read_string(at)
    end
    local number, stop = text:match("^(-?%d+%.?%d*)()", at)
    if not number then
      fail(at, "a value")
    end
    return tonumber(number), stop
  end

  local result, at = value(skip(1))
  if skip(at) <= #text then
    fail(at, "the end")
  end
  return result
end

-- Reads a chart for Perfetto and holds it to what each such chart keeps: times
-- that never fall, threads with names, slices that end, each flow's start and
-- its end, on a thread that has a slice open. Returns the events and names.
local function read_chrome(text)
  local chart = read_json(text)
  local last, names, open, flows = 0, {}, {}, {}
  assert.equal("ms", chart.displayTimeUnit)
  for _, e in ipairs(chart.traceEvents) do
    assert.equal(1, e.pid)
    if e.ph == "M" then
      if e.name == "thread_name" then
        assert.is_nil(names[e.tid])
        names[e.tid] = e.args.name
        open[e.tid] = 0
      end
    else
      assert.is_true(e.ts >= last, "time falls")
      last = e.ts
      assert.is_truthy(names[e.tid], "a thread without a name")
    end
    if e.ph == "B" then
      open[e.tid] = open[e.tid] + 1
    elseif e.ph == "E" then
      open[e.tid] = open[e.tid] - 1
      assert.is_true(open[e.tid] >= 0, "an end without a beginning")
    elseif e.ph == "s" then
      assert.is_nil(flows[e.id])
      assert.is_true(open[e.tid] > 0, "a flow from nowhere")
      flows[e.id] = 1
    elseif e.ph == "f" then
      assert.equal(1, flows[e.id])
      assert.equal("e", e.bp)
      flows[e.id] = 2
    else
      assert.is_truthy(e.ph == "M" or (e.ph == "i" and e.s == "t"), e.ph)
    end
  end
  for _, n in pairs(open) do
    assert.equal(0, n)
  end
  for _, n in pairs(flows) do
    assert.equal(2, n)
  end
  return chart.traceEvents, names
end

-- Holds each line of a chart for Mermaid to its grammar.
local function check_mermaid(text)
  local known = {}
  local function is_known(id)
    assert.is_true(known[id], id .. " is no participant")
    return true
  end
  local lines = text:gmatch "([^\n]*)\n"
  assert.equal("sequenceDiagram", lines())
  for line in lines do
    local plain = '[^;#%%"<>&:$\\{}]+$'
    local from, to, label = line:match "^    (p%d+)%-%-?[%)x>]+(p%d+): (.+)$"
    local id, name = line:match "^    c?r?e?a?t?e? ?participant (p%d+) as (.+)$"
    local a, b, note = line:match "^    Note over (p%d+),?(p?%d*): (.+)$"
    local gone = line:match "^    destroy (p%d+)$"
    assert.is_truthy(
      from and is_known(from) and is_known(to)
        or id
        or a and is_known(a) and (b == "" or is_known(b))
        or gone and is_known(gone),
      line
    )
    if id then
      known[id] = true
    end
    local words = (label or name or note or "x"):gsub("#%d+;", "x")
    assert.matches("^" .. plain, words)
  end
end

-- Runs `moondial trace` and returns what it did, and the chart.
local function trace(model, kind, options, args)
  local got = support.run(model, {
    options = "trace " .. (options or ""),
    args = (args or "") .. " -o t." .. kind,
    read = { "t." .. kind },
  })
  return got, got.files["t." .. kind]
end

local ping = [[
local md = require "moondial"
local pong = md.spawn({ name = "pong" }, function()
  for _ = 1, 2 do
    local from, n = md.wait("ping")
    md.sleep(1.5)
    md.send(from, "pong", n)
  end
end)
md.spawn({ name = "ping" }, function()
  for n = 1, 2 do
    md.send(pong, "ping", md.self(), n)
    md.wait("pong")
  end
  local helper = md.spawn({ name = "helper" }, md.wait, "never")
  pcall(md.wait_timeout, 1, "x")
  md.kill(helper)
  md.send(pong, "too late")
  print(md.now(), md.hash(), {}, print)
end)
]]

-- Much of what can happen.
local busy = [[
local md = require "moondial"
local slow = md.spawn({ name = "slow", inbox = 1 }, function()
  for _ = 1, 3 do
    md.sleep(1)
    md.wait()
  end
end)
local lossy = md.spawn({ inbox = 1, on_full = "drop" }, function()
  pcall(md.sleep, 50)
  md.wait()
end)
for i = 1, 3 do
  md.spawn({ at = i / 2 }, function()
    md.send(slow, "from", i)
    md.send(lossy, i)
    pcall(md.join, md.spawn(error, { "x" }))
    md.sleep(0.25)
    md.sleep(0.25)
  end)
end
md.spawn(function()
  md.ask_timeout(100, md.spawn({ name = "desk" }, function()
    local from, ref = md.wait "open"
    md.send_after(2, md.self(), "tick")
    md.wait "tick"
    md.reply(from, ref)
  end), "open")
  md.interrupt(lossy, "now")
  md.send(slow, "never taken")
end)
md.after(4, print, "called")
md.send_at(5, slow, "nobody")
local unborn = md.spawn({ at = 60 }, md.sleep, 1)
md.after(7, md.kill, unborn)
md.spawn({ at = 80 }, md.wait)
print(md.run(70))
print(md.hash())
]]

describe("moondial trace", function()
  it("4.3 writes a sequence chart for Mermaid", function()
    local got, chart = trace(ping, "mmd")
    assert.same({ "", 0 }, { got.err, got.status })
    assert.equal(
      [[
sequenceDiagram
    participant p1 as pong
    participant p2 as ping
    p2-)p1: ping, ping, 1
    Note over p1,p2: time 1.5
    p1-)p2: pong, 1
    p2-)p1: ping, ping, 2
    Note over p1,p2: time 3
    p1-)p2: pong, 2
    destroy p1
    p1-xp1: ends
    create participant p3 as helper
    p2->>p3: spawn
    Note over p1,p3: time 4
    Note over p2: the time of ping is over
    Note over p2,p3: ping kills helper
    p2-xp1: too late
    destroy p2
    p2-xp2: ends
    destroy p3
    p3-xp3: fails
]],
      chart
    )
    check_mermaid(chart)
  end)

  it("4.3 writes a sequence chart for PlantUML", function()
    local got, chart = trace(ping, "puml")
    assert.same({ "", 0 }, { got.err, got.status })
    assert.equal(
      [[
@startuml
participant "pong" as p1
participant "ping" as p2
p2 ->> p1 : ping, ping, 1
== time 1.5 ==
p1 ->> p2 : pong, 1
p2 ->> p1 : ping, ping, 2
== time 3 ==
p1 ->> p2 : pong, 2
destroy p1
create participant "helper" as p3
p2 -> p3 : spawn
== time 4 ==
note over p2 : the time of ping is over
note over p2, p3 : ping kills helper
p2 ->x p1 : too late
destroy p2
note over p3 : fails
destroy p3
@enduml
]],
      chart
    )
  end)

  it("4.3 writes a chart for Perfetto, with lives, waits and flows", function()
    local got, chart = trace(ping, "json")
    assert.same({ "", 0 }, { got.err, got.status })
    local events, names = read_chrome(chart)
    assert.same(
      { [0] = "script", [1] = "pong", [2] = "ping", [3] = "helper" },
      names
    )
    local told = {}
    for _, e in ipairs(events) do
      if e.ph ~= "M" and (e.tid == 2 or e.name == "pong, 2") then
        told[#told + 1] = ("%g %s %s"):format(e.ts / 1e6, e.ph, e.name or "")
      end
    end
    assert.same({
      "0 B ping",
      "0 s ping, ping, 1",
      "0 B waits for pong",
      "1.5 f pong, 1",
      "1.5 E ",
      "1.5 s ping, ping, 2",
      "1.5 B waits for pong",
      "3 s pong, 2",
      "3 f pong, 2",
      "3 E ",
      "3 i spawns helper",
      "3 B waits for x",
      "4 E ",
      "4 i the time of ping is over",
      "4 i ping kills helper",
      "4 i drop: too late",
      "4 E ",
    }, told)
  end)

  it("leaves output, hash and addresses as they are", function()
    for _, model in ipairs { ping, busy } do
      local plain = support.run(model)
      assert.equal(0, plain.status)
      for _, kind in ipairs { "json", "mmd", "puml" } do
        local got = trace(model, kind, "--out a.csv --trace words --quiet")
        assert.equal(plain.out, got.out)
      end
    end
  end)

  it("has sound charts of all that can happen", function()
    local _, chart = trace(busy, "json")
    read_chrome(chart)
    for _, to in ipairs { "0", "0.5", "1", "2.6", "7" } do
      _, chart = trace(busy, "json", "--to " .. to)
      read_chrome(chart)
    end
    _, chart = trace(busy, "mmd")
    check_mermaid(chart)
    for _, words in ipairs {
      "\n    p%d+%-%-%)p1: from, 2\n",
      "\n    Note over p%d+,p%d+: process %d+ waits for room in",
      "\n    Note over p1: takes from, 2\n",
      "\n    p%d+%-xp2: 2\n",
      "\n    Note over p%d+,p%d+: process %d+ waits for the end",
      "\n    Note over p%d+,p2: process %d+ interrupts process 2\n",
      "\n    p%d+%-%-%)p%d+: open\n",
      "\n    p%d+%-%)p%d+: a reply\n",
      "\n    Note over p%d+: starts\n",
    } do
      assert.matches(words, chart)
    end
  end)

  it("shows a sleep that nobody else's turn comes into", function()
    local _, chart = trace(
      [[
local md = require "moondial"
md.spawn(function()
  for _ = 1, 3 do md.sleep(2) end
end)
]],
      "json"
    )
    local slept = 0
    for _, e in ipairs((read_chrome(chart))) do
      slept = slept + (e.name == "sleeps" and 1 or 0)
    end
    assert.equal(3, slept)
  end)

  it("counts the sim's unit as what it is called", function()
    for unit, microseconds in pairs {
      ns = 0.003,
      us = 3,
      ms = 3000,
      s = 3e6,
      min = 180e6,
      h = 3 * 36e8,
      d = 3 * 864e8,
      epoch = 3e6,
    } do
      local _, chart = trace(
        ([[
local sim = require "moondial".sim { unit = "%s" }
sim:spawn({ at = 3 }, print)
sim:run()
]]):format(unit),
        "json",
        "--quiet"
      )
      local events = read_chrome(chart)
      assert.equal(microseconds, events[#events].ts)
    end
  end)
end)

describe("a message's label in a chart", function()
  it("is its first values, with what would be syntax escaped", function()
    local model = [==[
local md = require "moondial"
local Order = md.message("order", { n = md.is.integer })
local p = md.spawn({ name = "a;b#\"%c\n<i>" }, function()
  while true do md.wait() end
end)
md.run()
md.send(p, 1, 2.0, 1 / 3, -0.0, 0 / 0, math.huge, true, nil, p)
md.send(p, {}, print, md.is.string, Order { n = 1 }, coroutine.create(print))
md.send(p, "a;b#c\"d%e\nf\\g<h>&i:j$k{}--l\0m")
md.send(p, ("x"):rep(50), ("y"):rep(39) .. "\u{fc}", "\xff\u{fc}\xc3")
md.send(p, ("z"):rep(30), ("z"):rep(30), ("z"):rep(30), "not shown")
md.send(p)
md.send(p, md.ref())
md.send(p, "ask", p, md.ref(), 7)
]==]
    local _, chart = trace(model, "mmd")
    check_mermaid(chart)
    local name = "a#59;b#35;#34;#37;c #60;i#62;"
    local lines = {}
    for line in chart:gmatch "%-%)p1: ([^\n]*)\n" do
      lines[#lines + 1] = line
    end
    assert.same({
      "1, 2.0, 0.33333333333333, -0.0, nan, inf, true, nil, " .. name,
      "table, function, _, order, thread",
      "a#59;b#35;c#34;d#37;e f#92;g#60;h#62;#38;i#58;j#36;k#123;#125;--l m",
      ("x"):rep(40) .. "..., " .. ("y"):rep(39) .. "..., ?\u{fc}...",
      ("z"):rep(30) .. ", " .. ("z"):rep(30) .. ", " .. ("z"):rep(28) .. "...",
      "nothing",
      "a reply",
      "ask, 7",
    }, lines)
    assert.matches("participant p1 as " .. name .. "\n", chart)
    _, chart = trace(model, "puml")
    assert.is_truthy(
      chart:find(
        'participant "a<U+003B>b<U+0023><U+0022><U+0025>c <U+003C>i<U+003E>"',
        1,
        true
      )
    )
    assert.is_truthy(
      chart:find(
        ": a<U+003B>b<U+0023>c<U+0022>d<U+0025>e f<U+005C>g<U+003C>h<U+003E>"
          .. "<U+0026>i:j<U+0024>k{}-<U+002D>l m\n",
        1,
        true
      )
    )
    _, chart = trace(model, "json")
    local _, names = read_chrome(chart)
    assert.equal('a;b#"%c <i>', names[1])
  end)
end)

describe("a long chart", function()
  local model = [[
local md = require "moondial"
local p = md.spawn({ name = "p" }, function()
  while true do md.wait() end
end)
md.spawn({ name = "q" }, function()
  for i = 1, 2500 do md.send(p, i) md.sleep(1) end
end)
]]

  local function count(text, what)
    return select(2, text:gsub(what, ""))
  end

  it("stops after 2000 messages, or --messages, and says so", function()
    local options = "--quiet "
    local _, chart = trace(model, "mmd", options)
    assert.equal(2000, count(chart, "%-%)p1"))
    assert.matches(
      "\n    Note over p1,p2: 500 more messages %(%-%-messages n shows more%)"
        .. "\n$",
      chart
    )
    _, chart = trace(model, "puml", options .. "--messages 2499")
    assert.equal(2499, count(chart, "%->> p1"))
    assert.matches(": 1 more message %(", chart)
    _, chart = trace(model, "mmd", options .. "--messages=2500")
    assert.equal(2500, count(chart, "%-%)p1"))
    assert.is_nil(chart:find "more message")
    _, chart = trace(model, "json", options)
    read_chrome(chart)
    assert.equal(2500, count(chart, '"ph":"s"'))
  end)
end)

describe("moondial trace -o -", function()
  it(
    "4.11 has stdout for the chart, and the model's words go to stderr",
    function()
      local got = support.run("print 'said'", {
        options = "trace --format puml -o -",
      })
      assert.same(
        { "@startuml\n@enduml\n", "said\n", 0 },
        { got.out, got.err, got.status }
      )
      got = support.run("print(...)", {
        options = "trace",
        args = "a --format=mmd b -o - --seed -- -o x",
      })
      assert.same(
        { "sequenceDiagram\n", "a\tb\t--seed\t-o\tx\n", 0 },
        { got.out, got.err, got.status }
      )
    end
  )
end)

describe("moondial trace of a model that fails", function()
  it("has what happened until then, and ends with 1", function()
    local model = ping:gsub("md.kill%(helper%)", "error 'broken'")
    for _, kind in ipairs { "json", "mmd", "puml" } do
      local got, chart = trace(model, kind)
      assert.equal(1, got.status)
      assert.matches("^moondial: model.lua:16: broken\n  in 'ping'", got.err)
      assert.matches("pong, 2", chart)
    end
    local _, chart = trace(model, "json")
    read_chrome(chart)
    _, chart = trace(model, "mmd")
    assert.matches("destroy p2\n    p2%-xp2: fails\n$", chart)
  end)

  it("and of one that exits, or is missing", function()
    local got, chart = trace(
      [[
local md = require "moondial"
md.spawn({ name = "a" }, function()
  md.send(md.self(), "x")
  os.exit(7)
end)
]],
      "mmd"
    )
    assert.equal(7, got.status)
    assert.matches("\n    p1%-%-%)p1: x\n", chart)
    got = support.run("", { options = "trace missing.lua -o t.json" })
    assert.same(
      { "moondial: cannot open 'missing.lua': No such file or directory\n", 1 },
      { got.err, got.status }
    )
  end)

  it("4.11 says when it leaves out other sims", function()
    local got, chart = trace(
      [[
local md = require "moondial"
for i = 1, 3 do
  local sim = md.sim()
  sim:spawn({ name = "p" .. i }, md.sleep, 1)
  sim:run()
end
]],
      "mmd"
    )
    assert.equal(
      "moondial: trace: the chart is of the first sim that ran; 8 records of "
        .. "others are left out\n",
      got.err
    )
    assert.equal(0, got.status)
    assert.matches("participant p1 as p1\n", chart)
    assert.is_nil(chart:find("p2", 1, true))
  end)
end)

describe("a wrong command line of trace", function()
  local of = "expected a file that ends in .json, .mmd or .puml, got "
  for options, text in pairs {
    ["trace"] = "trace: say where to: -o file.json, .mmd or .puml; or -o - "
      .. "with --format",
    ["trace -o x.txt"] = "trace: "
      .. of
      .. "'x.txt'; --format says what is in another",
    ["trace -o json"] = "trace: "
      .. of
      .. "'json'; --format says what is in another",
    ["trace -o -"] = "trace: -o - needs --format json, mmd or puml",
    ["trace --format svg -o x"] = "--format: expected json, mmd or puml, got "
      .. "'svg'",
    ["trace --messages 0 -o x.mmd"] = "--messages: expected a positive whole "
      .. "number, got '0'",
    ["trace -o missing/x.mmd"] = "trace: cannot write 'missing/x.mmd': No such "
      .. "file or directory",
    ["-o x.mmd"] = "-o, --format and --messages are of moondial trace",
    ["run --messages 3"] = "-o, --format and --messages are of moondial trace",
    ["--trace-only SEND"] = "--trace-only needs --trace file (- for stdout)",
    ["--trace - --trace-only SEND,RECIVE"] = "--trace-only: there is no kind "
      .. "'RECIVE'; did you mean 'RECEIVE'? moondial help trace lists them",
    ["--trace - --trace-only send"] = "--trace-only: there is no kind 'send'; "
      .. "did you mean 'SEND'? moondial help trace lists them",
  } do
    it("ends with 2 and says what: " .. options, function()
      local got = support.run("print 'ran'", { options = options })
      assert.same(
        { "", "moondial: " .. text .. "\n", 2 },
        { got.out, got.err, got.status }
      )
    end)
  end

  it("may lack the value of -o, behind the model", function()
    local got = support.run("print 'ran'", { options = "trace", args = "-o" })
    assert.same(
      { "moondial: -o needs a value: -o file\n", 2 },
      { got.err, got.status }
    )
  end)

  it("ends with 1 when the chart does not fit on the disk", function()
    local got =
      support.run(ping, { options = "trace --format mmd -o /dev/full" })
    assert.equal("moondial: trace: cannot write '/dev/full'\n", got.err)
    assert.equal(1, got.status)
  end)
end)

describe("--trace-only", function()
  it("tells the kinds that it names", function()
    local got = support.run(ping, {
      options = "--trace words --trace-only TIMEOUT,KILL,WAKE",
      read = { "words" },
    })
    assert.equal(
      [[
           0  'pong' goes on: a message came
         1.5  'pong' goes on: its time has come
         1.5  'ping' goes on: a message came
         1.5  'pong' goes on: a message came
           3  'pong' goes on: its time has come
           3  'ping' goes on: a message came
           4  'ping' goes on: its time has come
           4  the time of 'ping' is over
           4  'ping' kills 'helper'
           4  'helper' goes on: it unwinds
]],
      got.files.words
    )
  end)
end)
