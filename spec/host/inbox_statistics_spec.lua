-- What inboxes keep of themselves without being asked: in info and in a report,
-- off with observe = false; and the end of a warm-up.
local md = require "moondial"

local function inboxes(sim)
  return sim:report({ print = false }).inboxes
end

-- A process that is handed a message at 1, and in whose inbox others lie.
local function busy(sim, options)
  local pid = sim:spawn(options, function()
    md.wait() -- handed over at 1
    md.sleep(3)
    md.wait() -- came at 2, taken at 4
    md.wait() -- came at 3, taken at 4
    md.filter "z" -- drops what comes at 4 and 5
    md.flush()
    md.sleep(4)
  end)
  sim:spawn(function()
    for i = 1, 5 do
      md.sleep(1)
      md.send(pid, i)
    end
    md.sleep(1)
    md.send(pid, "z")
    md.send(pid, "y")
  end)
  return pid
end

describe("an inbox", function()
  it("tells throughput, level, waits and what was dropped", function()
    local sim = md.sim()
    local pid = busy(sim, { name = "p" })
    sim:run(8)
    local expected = {
      level = 0,
      mean_level = 3 / 8,
      max_level = 2,
      taken = 4,
      rate = 0.5,
      dropped = 3,
      mean_wait = 3 / 4,
      max_wait = 2.0,
    }
    assert.same(expected, sim:info(pid).statistics)
    local row = inboxes(sim).p
    assert.equal(pid, row.pid)
    for name, value in pairs(expected) do
      assert.equal(value, row[name], name)
    end
  end)

  it("keeps nothing with observe = false", function()
    local sim = md.sim()
    local pid = busy(sim, { name = "p", observe = false })
    sim:run(8)
    assert.is_nil(sim:info(pid).statistics)
    assert.same({ 0, 0 }, { #inboxes(sim), inboxes(sim).more })
  end)

  it("runs alike whatever it keeps", function()
    local function hash(observe)
      local sim = md.sim()
      busy(sim, { name = "p", observe = observe })
      sim:run()
      return sim:hash()
    end
    assert.equal(hash(nil), hash(true))
    assert.equal(hash(nil), hash(false))
  end)

  it("counts from when its process was made", function()
    local sim = md.sim()
    local first = sim:spawn(md.wait, "never")
    sim:at(6, function()
      local pid = md.spawn(md.sleep, 100)
      md.send(pid, "x")
      md.after(4, function()
        assert.equal(1.0, md.info(pid).statistics.mean_level)
      end)
    end)
    sim:at(7, sim.send, sim, first, "x")
    sim:run(10)
    assert.equal(0.3, sim:info(first).statistics.mean_level)
  end)

  it("is no line of the report unless something lay in it", function()
    local sim = md.sim()
    local pid = sim:spawn({ name = "p" }, function()
      md.wait()
      md.wait()
    end)
    sim:at(1, sim.send, sim, pid, "x")
    sim:run()
    assert.is_nil(inboxes(sim).p)
    assert.equal(1, sim:info(pid).statistics.taken)
    assert.equal(1, sim:info(pid).statistics.rate)
    sim:spawn({ name = "q", observe = true }, md.wait, "never")
    sim:run()
    assert.equal(0, inboxes(sim).q.taken)
  end)

  it("counts what is dropped because it is full", function()
    local sim = md.sim()
    local options = { name = "p", inbox = 2, on_full = "drop" }
    local pid = sim:spawn(options, md.sleep, 10)
    for _ = 1, 5 do
      sim:send(pid, "x")
    end
    sim:run(5)
    local statistics = sim:info(pid).statistics
    assert.same({ 3, 2, 0 }, {
      statistics.dropped,
      statistics.max_level,
      statistics.taken,
    })
  end)

  it("counts who comes in from the line before it", function()
    local sim = md.sim()
    local pid = sim:spawn({ name = "p", inbox = 1 }, function()
      for _ = 1, 3 do
        md.sleep(1)
        md.wait()
      end
      md.wait "never"
    end)
    sim:spawn(function()
      for i = 1, 3 do
        md.send(pid, i)
      end
    end)
    sim:run()
    local statistics = sim:info(pid).statistics
    assert.same({ 3, 1, 1.0, 1.0 }, {
      statistics.taken,
      statistics.max_level,
      statistics.mean_wait,
      statistics.mean_level,
    })
  end)

  it("counts what receiving takes and gives back", function()
    local sim = md.sim()
    sim:spawn({ name = "p" }, function()
      local me = md.self()
      md.send_at(1, me, "a")
      md.await((md.receiving "a" & md.event()) | md.timer(2))
      md.sleep(2)
      md.wait()
    end)
    sim:run()
    local row = inboxes(sim).p
    assert.same({ 1, 0.5, 2.0 }, { row.taken, row.mean_level, row.mean_wait })
  end)

  it("counts what an interrupt gives back once", function()
    local sim = md.sim()
    local pid = sim:spawn({ name = "p" }, function()
      pcall(md.wait)
      md.sleep(2)
      md.wait()
      md.wait "never"
    end)
    sim:at(1, function()
      md.send(pid, "x")
      md.interrupt(pid)
    end)
    sim:run()
    local statistics = sim:info(pid).statistics
    assert.same({ 1, 2.0 }, { statistics.taken, statistics.max_wait })
  end)
end)

describe("the inbox of a process that has ended", function()
  it("stands still", function()
    local sim = md.sim()
    local pid = sim:spawn({ name = "p", inbox = 1 }, md.sleep, 2)
    sim:send(pid, "x")
    sim:run()
    sim:at(6, function() end)
    sim:run()
    local row = inboxes(sim).p
    assert.same({ 1.0, 0, 1, 1 }, {
      row.mean_level,
      row.level,
      row.dropped,
      row.ended,
    })
  end)

  it("is one with those of its name", function()
    local sim = md.sim()
    for i = 1, 3 do
      local pid = sim:spawn({ name = "p" }, function()
        md.sleep(i)
        md.wait()
      end)
      sim:send(pid, "x")
      local other = sim:spawn(md.sleep, 1)
      sim:send(other, "y")
    end
    sim:run()
    local report = sim:report { print = false }
    local row, others = report.inboxes.p, report.inboxes.others
    assert.same({ 3, 3, 2.0, 3.0, 1.0, 0.5 }, {
      row.ended,
      row.taken,
      row.mean_wait,
      row.max_wait,
      row.mean_level,
      row.rate,
    })
    assert.same({ 3, 0, 3 }, { others.ended, others.taken, others.dropped })
    assert.matches("\n  p, 3 ended  ", tostring(report))
    assert.matches("\n  others, 3 ended  ", tostring(report))
  end)

  it("is told apart for a thousand names", function()
    local sim = md.sim()
    for i = 1, 1005 do
      sim:send(sim:spawn({ name = "p" .. i }, md.sleep, 1), "x")
    end
    sim:run()
    local rows = inboxes(sim)
    assert.equal(1001, #rows)
    assert.equal(5, rows.others.ended)
  end)
end)

describe("a report of many inboxes", function()
  it("shows the fullest, and says how many more there are", function()
    local sim = md.sim()
    local pids = {}
    for i = 1, 1200 do
      pids[i] = sim:spawn({ name = "p" .. i }, md.sleep, 10)
      for _ = 1, i == 700 and 2 or 1 do
        sim:send(pids[i], "x")
      end
    end
    sim:run(5)
    local report = sim:report { print = false }
    assert.same({ 1000, 200 }, { #report.inboxes, report.inboxes.more })
    assert.is_nil(report.inboxes.p1200)
    local text = tostring(report)
    assert.matches("\n  p700 ", text)
    assert.matches("\n  p19 ", text)
    assert.is_nil(text:find "\n  p20 ")
    assert.matches("\n  and 1180 more\n", text)
  end)
end)

describe("reset_statistics", function()
  local function shop(sim)
    local till = sim:resource { name = "till" }
    local shelf = sim:store { name = "shelf" }
    local tank = sim:container { name = "tank", level = 5 }
    local pid = sim:spawn({ name = "p" }, function()
      local _ <close> = till:acquire()
      shelf:put "a"
      tank:get(1)
      md.sleep(4)
      md.wait()
      md.sleep(4)
    end)
    local ended = sim:spawn({ name = "ended" }, md.sleep, 1)
    sim:spawn(md.sleep, 20)
    sim:send(pid, "x")
    sim:send(pid, "y")
    sim:send(ended, "z")
    return till, shelf, tank, pid
  end

  it("has all that a sim has kept begin anew", function()
    local sim = md.sim()
    local till, shelf, tank, pid = shop(sim)
    sim:run(2)
    assert.same({ 1, 1, 1 }, { till.served, shelf.puts, tank.served })
    assert.equal(1, inboxes(sim).ended.dropped)
    sim:reset_statistics()
    assert.same({ 0, 0, 0 }, { till.served, shelf.puts, tank.served })
    assert.same({ 1, 1, 4 }, { till.used, shelf.count, tank.level })
    assert.is_nil(inboxes(sim).ended)
    sim:run(6)
    local statistics = sim:info(pid).statistics
    -- two lay there for 2, one for 2 more; the wait that ended counts whole
    assert.equal((2 * 2 + 2) / 4, statistics.mean_level)
    assert.same({ 1, 2, 4.0, 0.25 }, {
      statistics.taken,
      statistics.max_level,
      statistics.max_wait,
      statistics.rate,
    })
    assert.equal(1.0, till.utilisation)
  end)

  it("forgets what was handed over", function()
    local sim = md.sim()
    local pid = sim:spawn(function()
      while true do
        md.wait()
      end
    end)
    sim:at(1, sim.send, sim, pid, 1)
    sim:at(3, sim.send, sim, pid, 2)
    sim:run(2)
    sim:reset_statistics()
    sim:run(4)
    local statistics = sim:info(pid).statistics
    assert.same({ 1, 0.5 }, { statistics.taken, statistics.rate })
  end)

  it("takes the values of a report along", function()
    local sim = md.sim()
    local stats = md.stats
    local values = {
      wait = stats.tally(),
      line = stats.level(sim),
      bins = stats.histogram { lo = 0, hi = 9, bins = 3 },
      all = stats.quantiles {},
      means = stats.batch_means { size = 1 },
    }
    for _, value in pairs(values) do
      value:add(3)
    end
    sim:reset_statistics(values)
    for name, value in pairs(values) do
      if name ~= "line" then
        assert.equal(0, value.count)
      end
    end
    assert.equal(3, values.line.value)
  end)

  it("changes nothing of the run", function()
    local function hash(reset)
      local sim = md.sim()
      shop(sim)
      sim:run(2)
      if reset then
        sim:reset_statistics()
      end
      sim:run()
      return sim:hash()
    end
    assert.equal(hash(false), hash(true))
  end)

  it("acts on the sim of the process that calls", function()
    local sim = md.sim()
    local r = sim:resource()
    sim:spawn(function()
      r:acquire()
      md.reset_statistics()
    end)
    sim:run()
    assert.equal(0, r.served)
  end)

  it("refuses what cannot be reset, and resets nothing then", function()
    local sim = md.sim()
    local tally = md.stats.tally()
    tally:add(1)
    for _, wrong in ipairs { "x", 4, { 1 }, { wait = {} } } do
      local ok, err = pcall(sim.reset_statistics, sim, wrong)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
    end
    local ok, err = pcall(sim.reset_statistics, sim, { a = tally, b = {} })
    assert.is_false(ok)
    assert.matches("of md.stats as b, got a table", err.message)
    assert.equal(1, tally.count)
  end)
end)
