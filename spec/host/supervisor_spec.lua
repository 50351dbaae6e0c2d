-- Supervisors: who is started and stopped, in which order, at which time.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

-- Runs fn(say) in a sim where a supervisor is left waiting at the end.
local function told(options, fn)
  if not fn then
    options, fn = {}, options
  end
  local texts = story(options, fn)
  assert.equal("(idle)", texts[#texts]:match "%(idle%)$")
  texts[#texts] = nil
  return texts
end

-- A child that tells of its starts and ends. Its n-th life lasts for lives[n],
-- a time, and then ends as the function behind it does, with its arguments;
-- without, it waits.
local function child(say, id, lives, spec)
  local n = 0
  spec = spec or {}
  spec.id = id
  spec.start = function()
    n = n + 1
    say("+" .. id)
    local _ <close> = closer(say, "-" .. id)
    local life = lives and lives[n]
    if not life then
      md.wait "never"
    end
    md.sleep(life[1])
    return life[2](table.unpack(life, 3))
  end
  return spec
end

local function fail()
  error("failed", 0)
end

local function supervise(children, options)
  options = options or {}
  options.children = children
  return md.supervisor(options)
end

-- a, b and c, of which b fails at 1.
local function three(strategy)
  return told(function(say)
    supervise({
      child(say, "a"),
      child(say, "b", { { 1, fail } }),
      child(say, "c"),
    }, { strategy = strategy })
  end)
end

describe("a supervisor (4.29)", function()
  it("starts its children in order, at once", function()
    assert.same(
      { "0 +a", "0 +b", "0 +c" },
      told(function(say)
        supervise { child(say, "a"), child(say, "b"), child(say, "c") }
      end)
    )
  end)

  it("one_for_one starts the one that ended again", function()
    local trace = { "0 +a", "0 +b", "0 +c", "1 -b", "1 +b" }
    assert.same(trace, three "one_for_one")
    assert.same(trace, three(nil))
  end)

  it("one_for_all stops the others, newest first, and starts all", function()
    assert.same({
      "0 +a",
      "0 +b",
      "0 +c",
      "1 -b",
      "1 -c",
      "1 -a",
      "1 +a",
      "1 +b",
      "1 +c",
    }, three "one_for_all")
  end)

  it("rest_for_one does so with those behind it", function()
    assert.same(
      { "0 +a", "0 +b", "0 +c", "1 -b", "1 -c", "1 +b", "1 +c" },
      three "rest_for_one"
    )
  end)

  -- what is done after so long, and the name of it
  local ends = {
    { "returns", function() end },
    { "exits", md.exit },
    { "shuts down", md.exit, "shutdown" },
    { "shuts down with a word", md.exit, { "shutdown", "for a reason" } },
    { "exits tired", md.exit, "tired" },
    { "exits with a table", md.exit, { code = 7 } },
    { "fails", fail },
    {
      "is killed",
      function()
        md.kill(md.self())
      end,
    },
  }
  local again = {
    permanent = {
      ["returns"] = true,
      ["exits"] = true,
      ["shuts down"] = true,
      ["shuts down with a word"] = true,
      ["exits tired"] = true,
      ["exits with a table"] = true,
      ["fails"] = true,
      ["is killed"] = true,
    },
    transient = {
      ["exits tired"] = true,
      ["exits with a table"] = true,
      ["fails"] = true,
      ["is killed"] = true,
    },
    temporary = {},
  }
  for _, kind in ipairs { "permanent", "transient", "temporary" } do
    for _, case in ipairs(ends) do
      local name = case[1]
      local is = again[kind][name] and "is started again" or "is not started"
      it(("'s %s child that %s %s"):format(kind, name, is), function()
        local trace = { "0 +a", "1 -a" }
        trace[3] = again[kind][name] and "1 +a" or nil
        assert.same(
          trace,
          told(function(say)
            local lives = { { 1, table.unpack(case, 2) } }
            supervise { child(say, "a", lives, { restart = kind }) }
          end)
        )
      end)
    end
  end

  it("never starts a temporary child again, for no sibling", function()
    for _, strategy in ipairs { "one_for_all", "rest_for_one" } do
      assert.same(
        { "0 +a", "0 +b", "0 +c", "1 -a", "1 -c", "1 -b", "1 +a", "1 +c" },
        told(function(say)
          supervise({
            child(say, "a", { { 1, fail } }),
            child(say, "b", nil, { restart = "temporary" }),
            child(say, "c", nil, { restart = "transient" }),
          }, { strategy = strategy })
        end)
      )
    end
  end)

  it(
    "starts a transient child that is done again, with its siblings",
    function()
      assert.same(
        { "0 +a", "0 +b", "1 -a", "2 -b", "2 +a", "2 +b" },
        told(function(say)
          supervise({
            child(say, "a", { { 1, print } }, { restart = "transient" }),
            child(say, "b", { { 2, fail } }),
          }, { strategy = "one_for_all" })
        end)
      )
    end
  )

  it("gives a child its arguments, nil too, at each start", function()
    assert.same(
      { "0 1 nil x nil", "1 1 nil x nil" },
      told(function(say)
        local args = { 1, nil, "x", nil, n = 4 }
        local lives = 0
        supervise {
          {
            start = function(...)
              say(...)
              lives = lives + 1
              if lives > 1 then
                md.wait()
              end
              md.sleep(1)
            end,
            args = args,
          },
        }
        args[1] = "changed"
      end)
    )
  end)

  it("takes over the options as they are when it is called", function()
    assert.same(
      { "0 +a", "1 -a", "1 +a" },
      told(function(say)
        local spec = child(say, "a", { { 1, fail } })
        local options = { children = { spec } }
        md.supervisor(options)
        options.children[1], options.strategy = nil, "none"
        spec.start, spec.restart = nil, nil
      end)
    )
  end)

  it("spawns children with their options", function()
    told(function()
      local seen
      local sup = supervise {
        {
          id = "clerk",
          name = "anna",
          priority = 3,
          inbox = 2,
          on_full = "drop",
          stream = "shared",
          accepts = md.protocol { add = { md.is.integer } },
          start = function()
            seen = md.rng():integer(1, 1 << 40)
            md.wait "never"
          end,
        },
        { id = "ben", start = md.wait },
        { start = md.wait },
      }
      md.sleep(1)
      local anna, ben, third
      for _, entry in ipairs(md.ask(sup, "which_children")) do
        anna, ben, third = ben, third, entry.pid
      end
      local info = md.info(anna)
      assert.same({ "anna", 3 }, { info.name, info.priority })
      assert.same({ sup }, { info.parent })
      assert.same({ sup }, info.links)
      for i = 1, 3 do
        md.send(anna, "add", i)
      end
      assert.equal(2, md.inbox(anna))
      local ok, err = pcall(md.send, anna, "sub", 1)
      assert.same({ false, "usage" }, { ok, err.kind })
      assert.equal(seen, md.sim():rng("shared"):integer(1, 1 << 40))
      assert.equal("ben", md.info(ben).name)
      assert.is_nil(md.info(third).name)
      assert.equal("supervisor", md.info(sup).name)
    end)
  end)

  it("is a method of a sim, and has a name", function()
    local sim, seen = md.sim { precision = 1 }, nil
    local pid = sim:supervisor {
      name = "top",
      children = {
        {
          start = function()
            seen = md.current() == sim
            md.wait()
          end,
        },
      },
    }
    assert.equal("idle", (sim:run()))
    assert.is_true(seen)
    assert.equal("top", sim:info(pid).name)
  end)

  it("without children only waits", function()
    assert.same(
      { "0 0" },
      told(function(say)
        local sup = md.supervisor {}
        say(md.ask(sup, "count_children").specs)
      end)
    )
  end)

  it("keeps the errors of its children from ending the run", function()
    for _, on_error in ipairs { "stop", "isolate" } do
      assert.same(
        { "0 +a", "1 -a", "2 here" },
        told({ on_error = on_error }, function(say)
          local spec = { restart = "temporary" }
          supervise { child(say, "a", { { 1, fail } }, spec) }
          md.sleep(2)
          say "here"
        end)
      )
    end
  end)

  it("lets one of its children look another up by name anew", function()
    assert.same(
      { "0.5 1", "0.5 2", "1 lost", "1.5 1", "1.5 2" },
      told(function(say)
        local function counter()
          md.register("counter", md.self())
          local count = 0
          while true do
            local from, ref = md.wait "add"
            count = count + 1
            if md.now() == 1 and count == 3 then
              say "lost"
              error "lost count"
            end
            md.reply(from, ref, count)
          end
        end
        supervise { { id = "counter", start = counter } }
        md.sleep(0.5)
        local first = md.whereis "counter"
        say(md.ask("counter", "add"))
        say(md.ask("counter", "add"))
        md.sleep(0.5)
        assert.is_false((pcall(md.ask, "counter", "add")))
        md.sleep(0.5)
        assert.not_equal(first, md.whereis "counter")
        say(md.ask("counter", "add"))
        say(md.ask("counter", "add"))
      end)
    )
  end)

  it("has a new stream for each life of a child", function()
    local function drawn(seed)
      local list = {}
      told({ seed = seed }, function()
        local lives = 0
        local function draw()
          lives = lives + 1
          list[lives] = md.rng():integer(1, 1 << 40)
          md.sleep(lives > 2 and 100 or 1)
          if lives > 2 then
            md.wait()
          end
        end
        supervise { { id = "a", start = draw } }
      end)
      return list
    end
    local one = drawn(1)
    assert.equal(3, #one)
    assert.not_equal(one[1], one[2])
    assert.not_equal(one[2], one[3])
    assert.same(one, drawn(1))
  end)

  it("tells who waits for a child's end of it, under every order", function()
    for _, order in ipairs { "fifo", "lifo", "random" } do
      for seed = 1, 5 do
        assert.same(
          { "1 false failed", "3 done true" },
          told({ order = order, seed = seed }, function(say)
            local lives = { { 1, fail }, { 1, fail } }
            local sup = supervise { child(function() end, "a", lives) }
            md.sleep(0.5)
            local pid = md.ask(sup, "which_children")[1].pid
            say(pcall(md.join, pid))
            md.sleep(2)
            -- it was started again, so what became of it is forgotten
            say(md.status(pid), (pcall(md.join, pid)))
          end)
        )
      end
    end
  end)

  it("needs no more memory for more restarts", function()
    local sim, started = md.sim(), 0
    local rng = sim:rng "failures"
    local list = {}
    for i = 1, 100 do
      list[i] = {
        name = "worker",
        start = function()
          started = started + 1
          md.sleep(rng:exponential(1))
          error("failed", 0)
        end,
      }
    end
    sim:supervisor {
      children = list,
      strategy = "rest_for_one",
      max_restarts = 1000000,
      within = 1,
    }
    local function kept(restarts)
      sim:run {
        when = function()
          return started > restarts
        end,
      }
      collectgarbage()
      return collectgarbage "count"
    end
    local before = kept(20000)
    assert.is_true(kept(100000) - before < 64)
  end)

  it("has the same trace twice, with everything in it", function()
    local function hash(order)
      local sim = md.sim { seed = 5, order = order }
      sim:spawn(function()
        local rng = md.rng "failures"
        local function work()
          md.sleep(rng:exponential(3))
          if rng:bernoulli(0.5) then
            error "unlucky"
          end
        end
        local function list(n)
          local specs = {}
          for i = 1, n do
            local kind = i % 2 == 0 and "transient" or "permanent"
            specs[i] = { id = "w" .. i, start = work, restart = kind }
          end
          return specs
        end
        md.supervisor {
          strategy = "rest_for_one",
          max_restarts = 1000,
          children = {
            {
              id = "below",
              supervisor = {
                children = list(5),
                strategy = "one_for_all",
                max_restarts = 5,
              },
            },
            { id = "beside", supervisor = { children = list(3) } },
            table.unpack(list(4)),
          },
        }
      end)
      sim:run(20)
      return sim:hash()
    end
    assert.equal(hash "fifo", hash "fifo")
    assert.equal(hash "random", hash "random")
    assert.not_equal(hash "random", hash "fifo")
  end)
end)

describe("the intensity of a supervisor (4.29, 4.30)", function()
  -- A child fails at these times, counted from the last start.
  local function restarts(lives, max_restarts, within, options)
    local n = 0
    local why
    local function body()
      n = n + 1
      if not lives[n] then
        md.wait()
      end
      md.sleep(lives[n])
      error("failed", 0)
    end
    local sim = md.sim(options or {})
    local sup = sim:supervisor {
      children = { { start = body } },
      max_restarts = max_restarts,
      within = within,
    }
    sim:spawn(function()
      local ok, err = pcall(md.join, sup)
      why = ok or err.reason
    end)
    sim:run()
    return n, why
  end

  it("allows exactly max_restarts, and ends at one more", function()
    assert.same({ 4 }, { restarts({ 1, 1, 1 }, 3, 5) })
    assert.same({ 4, "shutdown" }, { restarts({ 1, 1, 1, 1 }, 3, 5) })
    assert.same({ 4, "shutdown" }, { restarts { 1, 1, 1, 1 } })
  end)

  it("with max_restarts = 0 starts none again", function()
    assert.same({ 1, "shutdown" }, { restarts({ 1 }, 0, 5) })
    assert.same({ 1 }, { restarts({}, 0, 5) })
  end)

  it(
    "counts one that is as old as the window, and none that is older",
    function()
      assert.same({ 2, "shutdown" }, { restarts({ 1, 5 }, 1, 5) })
      assert.same({ 3 }, { restarts({ 1, 5.000000001 }, 1, 5) })
      assert.same({ 3, "shutdown" }, { restarts({ 1, 2, 3 }, 2, 5) })
      assert.same({ 4 }, { restarts({ 1, 2, 4 }, 2, 5) })
    end
  )

  it("measures the window in ticks, not in sums of decimals", function()
    -- 0.8 - 0.1 is a little more than 0.7
    assert.same({ 2, "shutdown" }, { restarts({ 0.1, 0.7 }, 1, 0.7) })
    assert.same({ 3 }, { restarts({ 0.1, 0.7 }, 1, 0.699999999) })
    assert.same(
      { 2, "shutdown" },
      { restarts({ 3, 7 }, 1, 7, { precision = 0 }) }
    )
    assert.same({ 3 }, { restarts({ 3, 8 }, 1, 7, { precision = 0 }) })
  end)

  it("with a window of 0 counts those of one instant", function()
    assert.same({ 3 }, { restarts({ 1, 0.1 }, 1, 0) })
    assert.same({ 3, "shutdown" }, { restarts({ 1, 0.1, 0 }, 1, 0) })
  end)

  it("with a window without end counts them all", function()
    assert.same({ 3, "shutdown" }, { restarts({ 1, 1e6, 1e6 }, 2, math.huge) })
    assert.same({ 3, "shutdown" }, { restarts({ 1, 1e6, 1e6 }, 2, 1e300) })
  end)

  it("slides: at no time are there more in the window", function()
    local lives = {}
    for i = 1, 200 do
      lives[i] = 2
    end
    assert.same({ 201 }, { restarts(lives, 3, 5) })
    assert.same({ 3, "shutdown" }, { restarts(lives, 2, 5) })
  end)

  it("counts restarts of all children, and one for a whole strategy", function()
    for strategy, trace in pairs {
      one_for_one = { "0 +a", "0 +b", "1 -a", "1 +a", "2 -b", "2 -a" },
      one_for_all = {
        "0 +a",
        "0 +b",
        "1 -a",
        "1 -b",
        "1 +a",
        "1 +b",
        "3 -b",
        "3 -a",
      },
    } do
      assert.same(
        trace,
        told(function(say)
          local sup = supervise({
            child(say, "a", { { 1, fail } }),
            child(say, "b", { { 2, fail }, { 2, fail } }),
          }, { strategy = strategy, max_restarts = 1 })
          pcall(md.join, sup)
          md.wait()
        end)
      )
    end
  end)

  it("takes no restart that a person asks for into account", function()
    assert.same(
      { "0 +a", "0 -a", "0 +a", "0 -a", "0 +a" },
      told(function(say)
        local sup = supervise({ child(say, "a") }, { max_restarts = 0 })
        for _ = 1, 2 do
          md.sleep(0)
          md.sleep(0)
          md.ask(sup, "terminate_child", "a")
          md.ask(sup, "restart_child", "a")
        end
      end)
    )
  end)

  it("gives up in a storm: children that fail at one instant", function()
    assert.same(
      {
        "1 -1",
        "1 -2",
        "1 -3",
        "1 -4",
        "1 -5",
        "1 +1",
        "1 +2",
        "1 -2",
        "1 -1",
        "1 shutdown",
      },
      told(function(say)
        local list = {}
        local function later(...)
          if md.now() > 0 then
            say(...)
          end
        end
        for i = 1, 5 do
          list[i] = child(later, i, { { 1, fail } })
        end
        local sup = supervise(list)
        local _, err = pcall(md.join, sup)
        say(err.reason)
        md.wait()
      end)
    )
  end)

  it("outlives a storm of 2000 children, of one instant", function()
    for _, strategy in ipairs { "one_for_one", "one_for_all" } do
      local n, started = 2000, 0
      told({ zeno = 1e7 }, function()
        local list = {}
        for i = 1, n do
          list[i] = {
            start = function()
              started = started + 1
              if md.now() == 0 then
                md.sleep(1)
                error("failed", 0)
              end
              md.wait()
            end,
          }
        end
        local sup = supervise(list, { strategy = strategy, max_restarts = n })
        md.sleep(2)
        assert.equal(n, md.ask(sup, "count_children").active)
      end)
      assert.equal(2 * n, started)
    end
  end)

  it("ends a child that fails at its start for ever, in an instant", function()
    assert.same({ 101, "shutdown" }, {
      restarts(
        setmetatable({}, {
          __index = function()
            return 0
          end,
        }),
        100,
        5
      ),
    })
  end)
end)
