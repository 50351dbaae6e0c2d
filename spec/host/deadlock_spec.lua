-- Deadlocks: who waits for whom, and the cycles in that.
local md = require "moondial"
local support = require "spec.host.support"

-- Runs fn as the process 'main' of a sim, to the end, which is idle; returns
-- the sim.
local function idle(fn, ...)
  local sim = md.sim()
  sim:spawn({ name = "main" }, fn, ...)
  assert.equal("idle", (sim:run()))
  return sim
end

-- The names in the deadlock, in its order, in one line.
local function cycle(sim)
  local list = sim:deadlock()
  if not list then
    return nil
  end
  local names = {}
  for i, entry in ipairs(list) do
    names[i] = entry.name
    assert.equal(list[i % #list + 1].pid, entry.on)
  end
  return table.concat(names, " ")
end

-- Whom the processes of the sim wait for, by name.
local function waits(sim)
  local names, list = {}, {}
  for _, entry in ipairs(sim:waiting()) do
    names[entry.pid] = entry.name
  end
  for i, entry in ipairs(sim:waiting()) do
    local on = entry.on and (names[entry.on] or "somebody who has ended")
    list[i] = entry.name .. " on " .. (on or "nobody known")
  end
  return list
end

local function spawn(name, fn, ...)
  return md.spawn({ name = name }, fn, ...)
end

describe("who waits, waits on (model 9)", function()
  it("the one asked, joined, with the full inbox", function()
    local sim = idle(function()
      local desk = md.spawn({ name = "desk", inbox = 1 }, md.wait, "never")
      spawn("anna", md.ask, desk, "price")
      spawn("ben", md.send, desk, "more")
      spawn("carl", md.join, desk)
    end)
    assert.same({
      "'desk' on nobody known",
      "'anna' on 'desk'",
      "'ben' on 'desk'",
      "'carl' on 'desk'",
    }, waits(sim))
    assert.is_nil(sim:deadlock())
  end)

  it("the one whose pid its patterns hold, or a monitor's ref", function()
    local sim = idle(function()
      local desk = spawn("desk", md.wait, "never")
      local gone = spawn("gone", print, "")
      spawn("a", md.wait, "put", desk)
      spawn("b", md.wait, md._, desk, 3)
      spawn("c", function()
        md.wait("down", md.monitor(desk))
      end)
      spawn("d", md.wait, "put", gone)
      spawn("e", md.wait, "put", md._, md.ref())
      spawn("f", function()
        md.wait("put", md.self())
      end)
    end)
    assert.same({
      "'desk' on nobody known",
      "'a' on 'desk'",
      "'b' on 'desk'",
      "'c' on 'desk'",
      "'d' on somebody who has ended",
      "'e' on nobody known",
      "'f' on nobody known",
    }, waits(sim))
    local list = sim:waiting()
    assert.equal(
      "a message that begins with 'put', the pid of 'desk'",
      list[2].waiting
    )
    assert.matches(
      "^a message that begins with 'put', <pid %d+>$",
      list[5].waiting
    )
  end)

  it("the one whose pid all of its clauses hold", function()
    local sim = idle(function()
      local desk, other = spawn("desk", md.wait, "x"), spawn("o", md.wait, "x")
      spawn("a", md.receive, { { "put", desk }, { md._, desk, print } })
      spawn("b", md.receive, { { "put", desk }, { "put", other } })
      spawn("c", md.receive, { { "put", desk }, { "stop" } })
      spawn("d", md.filter, "put", desk)
      spawn("e", md.select, function()
        return false
      end)
      spawn("f", md.receive, {})
    end)
    assert.same({
      "'desk' on nobody known",
      "'o' on nobody known",
      "'a' on 'desk'",
      "'b' on nobody known",
      "'c' on nobody known",
      "'d' on 'desk'",
      "'e' on nobody known",
      "'f' on nobody known",
    }, waits(sim))
    assert.equal(
      "a message that begins with one of its clauses, all with the pid of "
        .. "'desk'",
      sim:waiting()[3].waiting
    )
  end)

  it("its only child, at its end or a scope's", function()
    local sim = idle(function()
      local function parent(n, scoped)
        local s <close> = scoped and md.scope()
        for i = 1, n do
          local name = { name = "child " .. i }
          local function child()
            local _ <close> = support.closer(md.wait, "never")
            md.wait "never"
          end
          if s then
            s:spawn(name, child)
          else
            md.child(name, child)
          end
        end
        md.sleep(1)
      end
      spawn("one", parent, 1)
      spawn("two", parent, 2)
      spawn("scope", parent, 1, true)
    end)
    local known = {}
    for _, text in ipairs(waits(sim)) do
      known[text] = true
    end
    assert.is_true(known["'one' on 'child 1'"])
    assert.is_true(known["'two' on nobody known"])
    assert.is_true(known["'scope' on 'child 1'"])
  end)
end)

describe("a deadlock (model 9)", function()
  it("is nil where none waits for another in a circle", function()
    local sim = md.sim()
    assert.is_nil(sim:deadlock())
    sim:run()
    assert.is_nil(sim:deadlock())
    sim = idle(function()
      local before = md.self()
      for i = 1, 100 do
        before = spawn("p" .. i, md.join, before)
      end
      md.wait "never"
    end)
    assert.is_nil(sim:deadlock())
  end)

  it("of two that ask each other", function()
    local sim = idle(function()
      local me = md.self()
      md.ask(spawn("other", md.ask, me, "what"), "what")
    end)
    assert.equal("'main' 'other'", cycle(sim))
  end)

  it("goes through replies, ends, room, patterns and children", function()
    local sim = idle(function()
      local a = md.self()
      local b = md.spawn({ name = "b", inbox = 1 }, function()
        md.wait "go"
        local c
        c = spawn("c", function()
          local d = spawn("d", function()
            md.child({ name = "e" }, function()
              local _ <close> = support.closer(md.wait, "put", a)
              md.wait "never"
            end)
            md.sleep(1)
          end)
          md.sleep(1)
          md.join(d)
        end)
        md.sleep(0)
        md.receive { { "x", c }, { "y", c } }
      end)
      md.send(b, "go")
      md.sleep(1)
      md.send(b, "first")
      md.send(b, "second")
    end)
    assert.equal("'main' 'b' 'c' 'd' 'e'", cycle(sim))
  end)

  it("leaves out those that only lead to it", function()
    local sim = idle(function()
      local a, b, c
      spawn("tail", function()
        md.sleep(1)
        md.join(c)
      end)
      a = spawn("a", function()
        md.join(b)
      end)
      b = spawn("b", function()
        md.join(c)
      end)
      c = spawn("c", md.join, a)
      spawn("late", md.join, b)
    end)
    assert.equal("'a' 'b' 'c'", cycle(sim))
  end)

  it("is the one of several with the lowest process, from that on", function()
    local sim = idle(function()
      local pids = {}
      local function joins(other)
        return function()
          md.join(pids[other])
        end
      end
      -- 1 leads to 5 and 6; 2 and 4 wait for each other; 3 leads to that
      for i, other in ipairs { 5, 4, 2, 2, 6, 5 } do
        pids[i] = spawn("p" .. i, joins(other))
      end
    end)
    assert.equal("'p2' 'p4'", cycle(sim))
  end)

  it("does not have one that waits for itself", function()
    local sim = idle(function()
      local me = md.self()
      local _, err = pcall(md.join, me)
      assert.equal("usage", err.kind)
      _, err = pcall(md.ask, me, "x")
      assert.equal("usage", err.kind)
      md.wait("put", me)
    end)
    assert.is_nil(sim:deadlock())
    assert.is_nil(sim:waiting()[1].on)
  end)

  it("does not have one whose wait has a limit", function()
    local sim = md.sim()
    sim:spawn(function()
      local me = md.self()
      local other = spawn("other", md.join, me)
      pcall(md.ask_timeout, 5, other, "x")
      pcall(md.timeout, 5, md.join, other)
      md.join(other)
    end)
    sim:run(3)
    assert.is_nil(sim:deadlock())
    sim:run(8)
    assert.is_nil(sim:deadlock())
    sim:run(12)
    assert.equal(2, #sim:deadlock())
  end)

  it("does not have one that goes on at this instant", function()
    local sim = md.sim()
    sim:spawn(function()
      local me = md.self()
      local other = spawn("other", md.ask, me, "x")
      local from, ref = md.wait "x"
      md.reply(from, ref)
      assert.equal(other, from)
      assert.is_nil(md.deadlock())
      md.join(other)
    end)
    assert.equal("done", (sim:run()))
  end)

  it("is found among 100 000 that wait, at once", function()
    local n = 100000
    local sim = md.sim { zeno = 1e7 }
    local pids = {}
    for i = 1, n do
      pids[i] = sim:spawn(function()
        md.join(pids[i % n + 1])
      end)
    end
    assert.equal("idle", (sim:run()))
    assert.equal(n, #sim:deadlock())
  end)

  it("is nobody's business: looking changes nothing", function()
    local function hash(look)
      local sim = md.sim()
      sim:spawn(function()
        local me = md.self()
        local other = spawn("other", md.join, me)
        md.sleep(1)
        if look then
          md.deadlock()
        end
        md.join(other)
      end)
      sim:run()
      return sim:hash()
    end
    assert.equal(hash(true), hash(false))
  end)
end)

describe("a run that is idle (model 9)", function()
  local model = [[
local md = require "moondial"
local b
local a = md.spawn({ name = "anna" }, function() md.ask(b, "key") end)
b = md.spawn({ name = "ben" }, function() md.wait("door", a) end)
md.spawn({ name = "carl" }, function() md.join(a) end)
]]
  local list = [[
moondial: idle at 0: nothing is scheduled, and 3 processes wait:
  model.lua:3: 'anna' waits for a reply from 'ben'
  model.lua:4: 'ben' waits for a message that begins with 'door', ]] .. [[
the pid of 'anna'
  model.lua:5: 'carl' waits for the end of 'anna'
]]
  local told = list
    .. [[
deadlock: each of these waits for the next, the last for the first:
  'anna' waits for a reply from 'ben'
  'ben' waits for a message that begins with 'door', the pid of 'anna'
]]

  it("ends what it says with the deadlock", function()
    local got = support.run(model)
    assert.same({ told, 0 }, { got.err, got.status })
    got = support.run(model, { options = "--strict" })
    assert.same({ told, 3 }, { got.err, got.status })
    assert.equal("", support.run(model, { options = "--quiet" }).err)
  end)

  it("says nothing of one that is not there", function()
    local got = support.run((model:gsub('md.wait%("door", a%)', "md.wait(1)")))
    assert.is_nil(got.err:find("deadlock", 1, true))
    assert.truthy(got.err:find("3 processes wait", 1, true))
  end)

  it("tells the first 20 of a long one", function()
    local got = support.run [[
      local md = require "moondial"
      local pids = {}
      for i = 1, 25 do
        pids[i] = md.spawn(function() md.join(pids[i % 25 + 1]) end)
      end
    ]]
    assert.matches(
      "  %.%.%. and 5 more\ndeadlock: [^\n]*\n  process 1 waits for the end "
        .. "of process 2\n",
      got.err
    )
    assert.matches(
      "process 20 waits for the end of process 21\n  %.%.%. and 5 more\n$",
      got.err
    )
  end)
end)
