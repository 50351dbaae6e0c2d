-- The report of a run: what things have kept, values, and who has not finished.
local md = require "moondial"
local support = require "spec.host.support"

local function shop()
  local sim = md.sim()
  local wait = md.stats.tally()
  sim:spawn({ name = "shop" }, function()
    local till = md.resource { name = "till" }
    local shelf = md.store { name = "shelf", capacity = 1 }
    local tank = md.container { name = "tank", level = 4 }
    for i = 1, 4 do
      md.spawn({ name = "customer " .. i }, function()
        local unit <close> = till:acquire { timeout = 5 }
        if unit then
          wait:add(md.now())
          md.sleep(3)
          shelf:put(i)
        end
      end)
    end
    tank:get(1)
  end)
  sim:run(20)
  return sim, wait
end

describe("report", function()
  it("has the things with a name, though nobody refers to them", function()
    local sim, wait = shop()
    local report = sim:report { print = false, values = { wait = wait } }
    assert.same({ 2, 2, 1 }, {
      report.resources.till.served,
      report.resources.till.reneged,
      #report.stores[1].thing.items,
    })
    assert.same({ "shelf", 1, 1 }, {
      report.stores[1].name,
      report.stores.shelf.puts,
      report.stores.shelf.putting_length,
    })
    assert.equal(3, report.containers.tank.level)
    assert.same({ 20, "idle" }, { report.time, report.outcome })
    assert.equal(1, report.unfinished.waiting)
    assert.equal("room in 'shelf'", report.unfinished.waits[1].waiting)
    assert.equal(wait, report.values[1].value)
  end)

  it("is a text, which it prints", function()
    local told = support.run([[
      local md = require "moondial"
      local till = md.resource { capacity = 2, name = "till" }
      local l, t = md.stats.level(), md.stats.tally()
      md.spawn({ name = "last" }, function()
        till:acquire { n = 2 }
        l:set(2)
        t:add(1)
        t:add(2)
        md.sleep(4)
        md.wait "never"
      end)
      md.spawn({ name = "first", observe = true }, till.acquire, till)
      md.run(8)
      md.report { values = { inside = l, time = t } }
    ]])
    assert.equal("", told.err)
    assert.equal(
      [[
time 8 s, idle

resources  units  used  busy  served  wait  longest  gave up  line  mean
  till         2     2     1       1     0        0        0     1     1

inboxes  messages  mean  max  taken  a unit  dropped  wait  longest
  first         0     0    0      0       0        0     0        0

tallies  count  mean      sd  min  max
  time       2   1.5  0.7071    1    2

levels    value  mean  sd  min  max
  inside      2     2   0    0    2

unfinished: 2 (2 waiting, 0 sleeping, 0 ready or running)
  'last' waits for a message that begins with 'never'
  'first' waits for 1 unit of 'till' (2 of 2 used)
]],
      told.out
    )
  end)

  it("groups those who wait for the same", function()
    local sim = md.sim()
    sim:spawn(function()
      local never = md.event()
      for _ = 1, 4 do
        md.spawn({ name = "guest" }, md.await, never)
      end
    end)
    sim:run()
    assert.matches(
      "'guest.*' and 3 more wait for an event",
      tostring(sim:report { print = false })
    )
  end)

  it("changes nothing of the run", function()
    local function hash(look)
      local sim = shop()
      if look then
        sim:report { print = false }
      end
      sim:run(30)
      return sim:hash()
    end
    assert.equal(hash(false), hash(true))
  end)

  it("tells of an empty sim, and refuses another option", function()
    local text = tostring(md.sim():report { print = false })
    assert.equal("time 0 s\n\nunfinished: nobody", text)
    local ok, err = pcall(md.report, { vlaues = {} })
    assert.is_false(ok)
    assert.matches("did you mean 'values'", err.message)
  end)
end)
