-- Dispatchers: a message goes to one of many (4.28).
local md = require "moondial"
local story = require("spec.host.support").story

-- Runs fn(say) in a sim where processes are left waiting at the end.
local function told(fn)
  local texts = story(fn)
  assert.equal("(idle)", texts[#texts]:match "%(idle%)$")
  texts[#texts] = nil
  return texts
end

-- A worker that takes d for each job, and replies with its number.
local function worker(number)
  while true do
    local from, ref, d = md.wait("job", md.is.pid, md.is.ref)
    md.sleep(d)
    md.reply(from, ref, number)
  end
end

-- Asks for jobs of these lengths, all at once; says who did each.
local function jobs(say, pid, lengths)
  for _, d in ipairs(lengths) do
    md.spawn(function()
      say(d, "by", md.ask(pid, "job", d))
    end)
  end
end

describe("a dispatcher (4.28)", function()
  it("goes round its workers, who reply to who asked", function()
    assert.same(
      { "2 2 by 1", "3 3 by 2", "4 4 by 3", "7 5 by 1", "9 6 by 2" },
      told(function(say)
        local d = md.dispatcher { workers = 3, worker = worker }
        jobs(say, d, { 2, 3, 4, 5, 6 })
      end)
    )
  end)

  it("hands on whole messages of any kind", function()
    assert.same(
      { "0 1 a nil 3 nil", "0 1 nil", "0 2" },
      told(function(say)
        local function listener(number)
          while true do
            say(number, md.wait())
          end
        end
        local d = md.dispatcher { workers = 2, worker = listener }
        md.send(d, "a", nil, 3, nil)
        md.send(d)
        md.send(d, nil)
      end)
    )
  end)

  it("chooses who has least to do, of equals the first", function()
    assert.same(
      { "1 1 by 2", "2 1 by 2", "9 9 by 1", "10 1 by 1", "11 1 by 1" },
      told(function(say)
        local d = md.dispatcher {
          workers = 2,
          worker = worker,
          by = "least_loaded",
        }
        jobs(say, d, { 9 })
        for _ = 1, 3 do
          md.yield()
        end
        jobs(say, d, { 1, 1, 1 })
        for _ = 1, 3 do
          md.yield()
        end
        jobs(say, d, { 1 })
      end)
    )
  end)

  it("sends equal keys to one worker, and uses them all", function()
    told(function()
      local d = md.dispatcher {
        workers = 4,
        worker = function(number)
          while true do
            local from, ref = md.wait "who"
            md.reply(from, ref, number)
          end
        end,
        by = function(method, from, ref, key)
          return key
        end,
      }
      local used = {}
      local keys = { true, false, 0.5, -1, 1 << 40, "", "x", "1", 1, md.self() }
      for i = 1, 100 do
        keys[#keys + 1] = "key " .. i
        keys[#keys + 1] = i
      end
      for _, key in ipairs(keys) do
        local who = md.ask(d, "who", key)
        used[who] = (used[who] or 0) + 1
        assert.equal(who, md.ask(d, "who", key))
      end
      assert.equal(md.ask(d, "who", 1), md.ask(d, "who", 1.0))
      for number = 1, 4 do
        assert(used[number] and used[number] > 30, "few for " .. number)
      end
    end)
  end)

  it("gives a key the same worker in every run", function()
    local function run(options)
      local who = {}
      story(options, function()
        local function answer(number)
          while true do
            local from, ref = md.wait "who"
            md.reply(from, ref, number)
          end
        end
        local d = md.dispatcher {
          workers = 5,
          worker = answer,
          by = function(_, _, _, key)
            return key
          end,
        }
        for i = 1, 20 do
          who[i] = md.ask(d, "who", "key " .. i)
        end
      end)
      return table.concat(who)
    end
    local expected = run { seed = 1 }
    assert.equal(expected, run { seed = 2, order = "lifo" })
    assert.equal("31552231424552343143", expected)
  end)

  it("takes pids and registered names, and tells who they are", function()
    assert.same(
      { "1 1 by a", "1 1 by b" },
      told(function(say)
        local a, b = md.spawn(worker, "a"), md.spawn(worker, "b")
        md.register("b", b)
        local d, list = md.dispatcher { workers = { a, "b" } }
        assert.same({ a, b }, list)
        jobs(say, d, { 1, 1 })
      end)
    )
  end)

  it("has instances of a server as its workers", function()
    assert.same(
      { "1 adder 1 3", "1 adder 2 7" },
      told(function(say)
        local s = md.server()
        s:handle("add", function(from, ref, a, b)
          md.sleep(1)
          md.reply(from, ref, md.info(md.self()).name, a + b)
        end)
        local d = md.dispatcher { workers = 2, worker = s, name = "adder" }
        md.spawn(function()
          say(md.ask(d, "add", 1, 2))
        end)
        md.yield()
        say(md.ask(d, "add", 3, 4))
      end)
    )
  end)

  it("passes over workers that have ended", function()
    for _, by in ipairs { "round_robin", "least_loaded", tostring } do
      told(function()
        local d, list = md.dispatcher {
          workers = 3,
          worker = worker,
          by = by,
        }
        md.kill(list[1])
        md.kill(list[3])
        for _ = 1, 3 do
          assert.equal(2, md.ask(d, "job", 1))
        end
      end)
    end
  end)

  it("raises noproc at the next message when all have ended", function()
    local sim = md.sim()
    local d, list = sim:dispatcher { workers = 2, worker = worker }
    sim:run(1)
    for _, pid in ipairs(list) do
      sim:kill(pid)
    end
    assert.equal("idle", (sim:run()))
    sim:send(d, "job")
    local ok, err = pcall(sim.run, sim)
    assert.same({ false, "noproc" }, { ok, err.kind })
    assert.equal(
      "dispatcher: a message came, and all its workers (2) have ended",
      err.message
    )
  end)

  it("takes along the workers that it made, and no others", function()
    assert.same(
      { "1 failed failed waiting" },
      told(function(say)
        local other = md.spawn(worker)
        local a, made = md.dispatcher { workers = 2, worker = worker }
        local b = md.dispatcher { workers = { other } }
        md.sleep(1)
        md.kill(a)
        md.kill(b)
        md.yield()
        md.yield()
        say(md.status(made[1]), md.status(made[2]), md.status(other))
      end)
    )
  end)

  it("waits with a message for a worker whose inbox is full", function()
    assert.same(
      { "0 1", "2 1", "4 1", "6 1" },
      told(function(say)
        local s = md.server { inbox = 1 }
        s:handle("job", function()
          say(1)
          md.sleep(2)
        end)
        local d = md.dispatcher { workers = 1, worker = s }
        for _ = 1, 4 do
          md.send(d, "job")
        end
      end)
    )
  end)
end)

describe("a wrong call of dispatcher", function()
  local function refused(text, o)
    it("says: " .. text:gsub("%%", ""), function()
      local ok, err = pcall(function()
        md.dispatcher(o)
      end)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      local pattern = "dispatcher_spec.lua:%d+: dispatcher: "
      assert.matches(pattern .. text, err.message)
    end)
  end

  refused("expected a list of pids, or .* as workers, got nil", nil)
  refused("expected a list of pids, or .* as workers, got 0", { workers = 0 })
  refused("expected a list of pids, or .*, got a table", { workers = {} })
  refused("expected a pid or a registered name as worker 1, got 'ann'", {
    workers = { "ann" },
  })
  refused("expected a function or a server as worker, got nil", { workers = 2 })
  refused("expected a function or a server as worker, got a table", {
    workers = 2,
    worker = {},
  })
  refused("worker is the body of new workers", {
    workers = { "x" },
    worker = print,
  })
  refused('expected "round_robin", .* as by, got .robin', {
    workers = 2,
    worker = print,
    by = "robin",
  })
  refused("there is no option 'wrokers'; did you mean 'workers'%?", {
    wrokers = 2,
  })

  it("or of its key names the function that gave it", function()
    local sim = md.sim()
    local d = sim:dispatcher {
      workers = 1,
      worker = worker,
      by = function()
        return {}
      end,
    }
    sim:send(d, "job")
    local ok, err = pcall(sim.run, sim)
    assert.is_false(ok)
    assert.matches(
      "expected a string, a number, a boolean or a pid as key from the "
        .. "function at .*dispatcher_spec.lua:%d+, got a table",
      err.message
    )
  end)
end)
