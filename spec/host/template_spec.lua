-- Templates: instances that are fed and watched from outside, their signals,
-- and replays of them.
local md = require "moondial"

local function refused(fn, ...)
  local ok, why = pcall(fn, ...)
  assert(not ok, "nothing was raised")
  return why.kind .. " " .. why.message:gsub("^[^:]+:%d+: ", "")
end

local function log_of(instance, log)
  log = log or {}
  for signal in instance:pull() do
    log[#log + 1] = signal
  end
  return log
end

local function kinds(log)
  local list = {}
  for i, signal in ipairs(log) do
    list[i] = signal.kind
  end
  return table.concat(list, " ")
end

-- The record, for every pid that is asked for.
local function reader(log)
  return function()
    local i = 0
    return function()
      i = i + 1
      return log[i]
    end
  end
end

local function adder(n)
  local sum = 0
  for _ = 1, n do
    sum = sum + md.wait "add"
    md.emit("sum", sum)
  end
  return sum
end

describe("a template", function()
  it("4.27 tells its name, doc and version", function()
    local t = md.template {
      entrypoint = print,
      name = "t",
      doc = "prints",
      version = 3,
    }
    assert.same({ "t", "prints", 3 }, { t.name, t.doc, t.version })
    assert.equal("template t", tostring(t))
  end)

  it("4.10 creates without a start; then start or replay, once", function()
    local sim = md.sim()
    local p = sim:template({ name = "t", entrypoint = md.wait }):create "go"
    local first = "'t' has not started; p:start() or p:replay{...} comes first"
    assert.equal("created", p.status)
    assert.equal("usage push: " .. first, refused(p.push, p))
    assert.equal("usage pull: " .. first, refused(p.pull, p))
    assert.equal("usage join: " .. first, refused(p.join, p))
    assert.equal(
      "usage pid: " .. first,
      refused(function()
        return p.pid
      end)
    )
    p:start()
    assert.equal("waiting", p.status)
    local again = "'t' has started already; make another with t:create(...)"
    assert.equal("usage start: " .. again, refused(p.start, p))
    assert.equal("usage replay: " .. again, refused(p.replay, p, {}))
  end)

  it("4.11 runs as it is pushed, and gives its signals", function()
    local sim = md.sim()
    local p = sim:template({ entrypoint = adder }):create(2):start()
    assert.equal("START", kinds(log_of(p)))
    assert.is_true(p:push("add", 3))
    local log = log_of(p)
    assert.equal("ARRIVE RECEIVE SEND", kinds(log))
    assert.same({ "sum", 3, n = 2 }, log[3].message)
    assert.same({ 4, "sum", p.pid }, { log[3].seq, log[3].data, log[3].pid })
    p:push("add", 4)
    assert.equal(7, p:join())
    assert.equal("ARRIVE RECEIVE SEND STOP", kinds(log_of(p)))
    assert.is_false(p:push("add", 5))
    assert.equal("done", p.status)
  end)

  it("4.8, 4.9, 4.12 routes what it emits", function()
    local sim = md.sim()
    local got = {}
    local sink = sim:spawn(function()
      for i = 1, 2 do
        got[i] = md.wait "hello"
      end
    end)
    local t = sim:template {
      entrypoint = function()
        md.emit("hello", 1)
        md.emit("hello", 2)
      end,
      route = function(_, n)
        return n == 1 and sink or nil
      end,
    }
    local p = t:create():start()
    assert.same({ 1 }, got)
    local log = log_of(p)
    assert.equal("START SEND SEND STOP", kinds(log))
    assert.same({ sink, nil }, { log[2].to, log[3].to })
  end)

  it("4.15 signals BACKOFF when the inbox of an instance is full", function()
    local sim = md.sim()
    local t = sim:template {
      inbox = 1,
      entrypoint = function()
        md.sleep(5)
      end,
    }
    local p = t:create():start()
    assert.is_true(p:push "a")
    assert.is_false(p:push "b")
    assert.equal("START ARRIVE BACKOFF", kinds(log_of(p)))
  end)

  it("4.3 tells of children, joins, limits, filters, uses, ends", function()
    local sim = md.sim()
    local t = sim:template {
      entrypoint = function()
        local child = md.child(function()
          md.sleep(1)
          return 5
        end)
        md.join(child)
        pcall(md.wait_timeout, 1, "x")
        md.use(function()
          return "outside"
        end)
        md.filter "good"
        md.become(function()
          error "the end"
        end)
      end,
    }
    local p = t:create():start()
    p:push "bad"
    pcall(sim.run, sim)
    p:push "worse"
    pcall(p.push, p, "good")
    assert.equal(
      "START SPAWN START ARRIVE STOP JOIN TIMEOUT USE DROP ARRIVE DROP "
        .. "ARRIVE RECEIVE TRANSITION FAIL",
      kinds(log_of(p))
    )
  end)

  it("4.8 checks what it accepts and emits", function()
    local sim = md.sim()
    local t = sim:template {
      name = "t",
      accepts = md.protocol { add = { md.is.number } },
      emits = md.protocol { sum = { md.is.number } },
      entrypoint = function()
        md.wait "add"
        md.emit("sum", "text")
      end,
    }
    local p = t:create():start()
    assert.matches("'t' accepts add%(md.is.number%)", refused(p.push, p, "x"))
    assert.matches("emit: t expects md.is.number", refused(p.push, p, "add", 1))
  end)

  it("is refused with wrong options", function()
    assert.equal(
      "usage template: expected a function as entrypoint, got nil",
      refused(md.template, {})
    )
    assert.equal(
      "usage template: there is no option 'rout'; did you mean 'route'?",
      refused(md.template, { entrypoint = print, rout = print })
    )
    assert.equal(
      "usage emit: only a process that was made from a template has somewhere "
        .. "to emit to; md.send(pid, ...) sends to a process",
      refused(md.emit, "x")
    )
  end)
end)

describe("a replay", function()
  it("4.16, 4.21 goes on live where the record ends", function()
    local t = md.sim():template { entrypoint = adder }
    local p = t:create(3):start()
    p:push("add", 1)
    p:push("add", 2)
    local log = log_of(p)
    for cut = 0, #log do
      local part = table.move(log, 1, cut, 1, {})
      local q = md.sim():template({ entrypoint = adder }):create(3)
      q:replay { signals = reader(part) }
      local pushed = 0
      for _, signal in ipairs(part) do
        pushed = pushed + (signal.kind == "ARRIVE" and 1 or 0)
      end
      for n = pushed + 1, 3 do
        q:push("add", n)
      end
      assert.equal(6, q:join())
      local turn = "ARRIVE RECEIVE SEND "
      assert.equal("START " .. turn:rep(3) .. "STOP", kinds(log_of(q)))
    end
  end)

  -- A record as text: plain values, and pids by their text.
  local function written(value, pids)
    if type(value) == "table" then
      local fields = {}
      for k, v in pairs(value) do
        fields[#fields + 1] = ("[%q]=%s"):format(k, written(v, pids))
      end
      return "{" .. table.concat(fields, ",") .. "}"
    elseif type(value) == "userdata" then
      pids[tostring(value)] = value
      return ("pids[%q]"):format(tostring(value))
    end
    return ("%q"):format(value)
  end

  it("4.1, 4.23, 4.32 reads a record that was kept as text", function()
    local p = md.sim():template({ entrypoint = adder }):create(2):start()
    p:push("add", 1)
    local pids = {}
    local text = "local pids = ... return " .. written(log_of(p), pids)
    local q = md.sim():template({ entrypoint = adder }):create(2)
    q:replay { signals = reader(load(text)(pids)) }
    q:push("add", 5)
    assert.equal(6, q:join())
    assert.matches(
      "experimental",
      md.help
        and io.popen(
          (os.getenv "MOONDIAL" or "build/moondial") .. " help templates"
        )
          :read "a"
    )
  end)

  it("4.18 names the first signal that differs", function()
    local p = md.sim():template({ entrypoint = adder }):create(3):start()
    p:push("add", 1)
    p:push("add", 2)
    local log = log_of(p)
    local function other(n)
      for _ = 1, n do
        md.emit("sum", md.wait "add")
      end
    end
    local q = md.sim():template({ entrypoint = other }):create(3)
    local why = refused(q.replay, q, { signals = reader(log) })
    assert.matches(
      "^journal replay: signal 7 was SEND of <pid 1> %('sum', 3%)",
      why
    )
    assert.matches("and now it is SEND of <pid 1> %('sum', 2%)", why)
  end)

  it("4.4, 4.19, 4.20 answers uses from the record", function()
    local calls = 0
    local function reads()
      local value = md.use(function(x)
        calls = calls + 1
        return x, calls
      end, "file")
      md.emit("read", value)
      md.wait "end"
      return value
    end
    local p = md.sim():template({ entrypoint = reads }):create():start()
    local log = log_of(p)
    local q = md.sim():template({ entrypoint = reads }):create()
    q:replay { signals = reader(log) }
    q:push "end"
    assert.same({ "file", 1 }, { q:join(), calls })
    local r = md.sim():template({ entrypoint = reads }):create()
    log[#log] = nil -- what it emitted depends on the result
    r:replay {
      signals = reader(log),
      results = function(signal)
        return signal.kind == "USE", "cached"
      end,
    }
    r:push "end"
    assert.same({ "cached", 1 }, { r:join(), calls })
  end)

  it(
    "4.17, 4.20, 4.31 does not run again what is known to have ended",
    function()
      local runs = 0
      local function grandchild()
        runs = runs + 1
        md.sleep(1)
        return "g"
      end
      local function child(parent)
        runs = runs + 1
        local g = md.join(md.child(grandchild))
        md.send(parent, "from the child", g)
        return "c"
      end
      local function parent()
        local pid = md.child(child, md.self())
        local said = md.wait "from the child"
        local result = md.join(pid)
        md.wait "end"
        return said, result
      end
      local sim = md.sim()
      local p = sim:template({ entrypoint = parent }):create():start()
      sim:run()
      local log = log_of(p)
      assert.equal(2, runs)
      local started = log[1].pid
      local again = md.sim()
      local q = again:template({ entrypoint = parent }):create()
      q:replay {
        signals = reader(log),
        results = function(signal)
          return signal.kind == "START" and signal.pid ~= started, "c"
        end,
      }
      q:push "end"
      assert.same({ "g", "c" }, { q:join() })
      assert.equal(2, runs)
    end
  )

  it("4.22 does without what compact leaves out", function()
    local function filters()
      local sum = 0
      for _ = 1, 2 do
        sum = sum + md.filter("add", md._)
      end
      return sum
    end
    local p = md.sim():template({ entrypoint = filters }):create():start()
    p:push "junk"
    p:push("add", 1)
    p:push "junk"
    local log = log_of(p)
    local short = md.compact(log)
    assert.equal("START ARRIVE RECEIVE", kinds(short))
    local q = md.sim():template({ entrypoint = filters }):create()
    q:replay { signals = reader(short) }
    q:push("add", 2)
    assert.equal(3, q:join())
  end)

  it("4.24, 4.25 needs only the last transition and what follows", function()
    local function turn(sum)
      sum = sum + md.wait "add"
      md.emit("sum", sum)
      return md.become(turn, sum)
    end
    local p = md.sim():template({ entrypoint = turn }):create(0):start()
    for n = 1, 5 do
      p:push("add", n)
    end
    local short = md.compact(log_of(p))
    assert.equal("TRANSITION", kinds(short))
    local q = md.sim():template({ entrypoint = turn }):create(0)
    q:replay { signals = reader(short) }
    q:push("add", 10)
    local log = log_of(q)
    assert.same({ "sum", 25, n = 2 }, log[#log - 1].message)
  end)
end)
