-- Supervisors: how children are stopped, and supervisors end; supervisors below
-- supervisors; what they can be asked; what is refused.
local md = require "moondial"
local support = require "spec.host.support"
local story, closer = support.story, support.closer

local function told(options, fn)
  if not fn then
    options, fn = {}, options
  end
  local texts = story(options, fn)
  assert.equal("(idle)", texts[#texts]:match "%(idle%)$")
  texts[#texts] = nil
  return texts
end

local function fail()
  error("failed", 0)
end

-- A child that tells of its starts and ends; stop(), if given, is how it ends
-- when it is asked to: it traps exits.
local function child(say, id, stop, spec)
  spec = spec or {}
  spec.id = id
  spec.start = function()
    say("+" .. id)
    local _ <close> = closer(say, "-" .. id)
    if stop then
      md.trap_exit(true)
      local from, reason = md.wait "exit"
      assert.equal(md.info(md.self()).parent, from)
      say(id, reason)
      return stop()
    end
    md.wait "never"
  end
  return spec
end

-- A child that only fails, at that time.
local function bomb(id, t, spec)
  spec = spec or {}
  spec.id = id
  spec.start = function()
    if md.now() < t then
      md.sleep_until(t)
      error("boom", 0)
    end
    md.wait "never"
  end
  return spec
end

local function supervise(children, options)
  options = options or {}
  options.children = children
  return md.supervisor(options)
end

-- Stops a supervisor of these children at 1, and says when and how it ended.
local function stopping(make, end_it)
  return told(function(say)
    local sup = supervise(make(say))
    md.sleep(1);
    (end_it or md.shutdown)(sup)
    local _, err = pcall(md.join, sup)
    say("end", err and err.reason)
    md.wait "never"
  end)
end

describe("a child that is stopped (4.29)", function()
  it("may trap exits and clean up in time", function()
    assert.same(
      {
        "0 +a",
        "0 +b",
        "1 b shutdown",
        "4 -b",
        "4 -a",
        "4 end shutdown",
      },
      stopping(function(say)
        return {
          child(say, "a"),
          child(say, "b", function()
            md.sleep(3)
          end),
        }
      end)
    )
  end)

  it(
    "is killed if that takes longer than its shutdown, 5 by default",
    function()
      for _, limit in ipairs { 5, 2.5, 0 } do
        local t = ("%.12g "):format(1 + limit)
        local trace = {
          "0 +a",
          "0 +b",
          "1 b shutdown",
          t .. "-b",
          t .. "-a",
          t .. "end shutdown",
        }
        if limit == 0 then
          table.remove(trace, 3) -- it has no turn any more
        end
        assert.same(
          trace,
          stopping(function(say)
            local spec = { shutdown = limit ~= 5 and limit or nil }
            local function slow()
              md.sleep(100)
            end
            return { child(say, "a"), child(say, "b", slow, spec) }
          end)
        )
      end
    end
  )

  it(
    "is killed at the very end of its time: the limit was there first",
    function()
      assert.same(
        { "0 +a", "1 a shutdown", "6 -a", "6 end shutdown" },
        stopping(function(say)
          local function slow()
            md.sleep(5)
            say "not in time"
          end
          return { child(say, "a", slow) }
        end)
      )
    end
  )

  it("has any time with infinity, or a number without end", function()
    for _, limit in ipairs { "infinity", math.huge, 1e300 } do
      assert.same(
        { "0 +a", "1 a shutdown", "1001 -a", "1001 end shutdown" },
        stopping(function(say)
          local function slow()
            md.sleep(1000)
          end
          return { child(say, "a", slow, { shutdown = limit }) }
        end)
      )
    end
  end)

  it("has none with brutal_kill, not even if it traps exits", function()
    assert.same(
      { "0 +a", "0 +b", "1 -b", "1 -a", "1 end shutdown" },
      stopping(function(say)
        local spec = { shutdown = "brutal_kill" }
        return { child(say, "a"), child(say, "b", print, spec) }
      end)
    )
  end)

  it("closes its variables, which a kill does not cut short", function()
    for _, limit in ipairs { 2, "brutal_kill" } do
      assert.same(
        { "0 start", "1 closing", "11 closed", "11 -a", "11 end shutdown" },
        stopping(function(say)
          local function start()
            say "start"
            local _ <close> = closer(function()
              say "closing"
              md.sleep(10)
              say "closed"
            end)
            md.wait "never"
          end
          local function first()
            local _ <close> = closer(say, "-a")
            md.wait "never"
          end
          return {
            { id = "a", start = first },
            { id = "b", start = start, shutdown = limit },
          }
        end)
      )
    end
  end)

  it("may fail in its clean-up, or not have started", function()
    assert.same(
      { "0 +a", "1 a shutdown", "1 -a", "1 end shutdown" },
      stopping(function(say)
        return { child(say, "a", fail) }
      end)
    )
    assert.same(
      { "0 end shutdown" },
      told(function(say)
        local late = { priority = 1 }
        local sup = supervise { child(say, "a", nil, late) }
        md.sleep(0)
        md.shutdown(sup)
        local _, err = pcall(md.join, sup)
        say("end", err.reason)
        md.wait "never"
      end)
    )
  end)

  it("may have ended already, or end while others are stopped", function()
    -- b takes 3 to end, and a ends by itself meanwhile, as c has before
    assert.same(
      { "0 +b", "1 b shutdown", "4 -b", "4 end shutdown" },
      stopping(function(say)
        local function slow()
          md.sleep(3)
        end
        local once = { restart = "transient" }
        return { bomb("a", 2), child(say, "b", slow), bomb("c", 1, once) }
      end)
    )
  end)

  it("may have undone its link", function()
    assert.same(
      { "1 -a", "1 end shutdown" },
      stopping(function(say)
        local function start()
          local _ <close> = closer(say, "-a")
          md.unlink(md.info(md.self()).parent)
          md.wait "never"
        end
        return { { id = "a", start = start } }
      end)
    )
  end)
end)

describe("a sibling that ends while others are stopped (4.29)", function()
  -- b fails at 1, for which c is stopped, which takes until 3; a or d ends at 2
  local function stops(strategy, last)
    return told(function(say)
      local slow = child(say, "c", function()
        md.sleep(2)
      end)
      local list = { bomb("a", last and 99 or 2), bomb("b", 1), slow }
      for i, spec in ipairs(list) do
        local id, start = spec.id, spec.start
        if i < 3 then
          spec.start = function()
            say("+" .. id)
            start()
          end
        end
      end
      supervise(list, { strategy = strategy, max_restarts = 2 })
      md.sleep(10)
    end)
  end

  it("is no further restart if it was to be stopped itself", function()
    assert.same({
      "0 +a",
      "0 +b",
      "0 +c",
      "1 c shutdown",
      "3 -c",
      "3 +a",
      "3 +b",
      "3 +c",
    }, stops "one_for_all")
  end)

  it("is started again after that if it was not", function()
    assert.same({
      "0 +a",
      "0 +b",
      "0 +c",
      "1 c shutdown",
      "3 -c",
      "3 +b", -- c, behind it, is stopped before it starts
      "3 +a",
      "3 +b",
      "3 +c",
    }, stops "rest_for_one")
  end)
end)

describe("a supervisor that gives up (4.29, 4.30)", function()
  it("ends its children, the newest first, and itself by shutdown", function()
    assert.same(
      {
        "0 +a",
        "0 +b",
        "1 b shutdown",
        "3 -b",
        "3 -a",
        "3 exit shutdown",
      },
      told(function(say)
        local sup = supervise({
          child(say, "a"),
          child(say, "b", function()
            md.sleep(2)
          end),
          bomb("c", 1),
        }, { max_restarts = 0 })
        md.trap_exit(true)
        md.link(sup)
        local reason = md.wait("exit", sup)
        say("exit", reason)
        md.wait "never"
      end)
    )
  end)

  local model = [[
local md = require "moondial"
local function body() md.sleep(1.5) error %s end
local options = { name = "top", max_restarts = %s, within = %s }
options.children = { { id = %s, start = body } }
md.supervisor(options)
]]
  local notes = {
    {
      { "'lost count'", 2, 10, "'counter'" },
      "moondial: 'top' gives up at 4.5: more than 2 restarts within 10\n"
        .. "  the last to end was 'counter': model.lua:2: lost count\n",
    },
    {
      { "{}", 1, 5, "7" },
      "moondial: 'top' gives up at 3: more than 1 restart within 5\n"
        .. "  the last to end was 7: a table\n",
    },
    {
      { "(nil)", 0, 2.5, "{}" },
      "moondial: 'top' gives up at 1.5: more than 0 restarts within 2.5\n"
        .. "  the last to end was a table: nil\n",
    },
  }
  it("says so, unless --quiet is given, and ends no run", function()
    for _, case in ipairs(notes) do
      local text = model:format(table.unpack(case[1]))
      local got = support.run(text)
      assert.same({ case[2], "", 0 }, { got.err, got.out, got.status })
      got = support.run(text, { options = "--quiet" })
      assert.same({ "", "", 0 }, { got.err, got.out, got.status })
    end
  end)
end)

describe("the end of a supervisor (4.29)", function()
  it("by shutdown stops the children in order, with that reason", function()
    assert.same(
      { "0 +a", "0 +b", "1 b shutdown", "3 -b", "3 -a", "3 end storm" },
      stopping(function(say)
        local function slow()
          md.sleep(2)
        end
        return { child(say, "a"), child(say, "b", slow) }
      end, function(sup)
        md.shutdown(sup, "storm")
      end)
    )
  end)

  it("by a kill is that of all children at once, the newest first", function()
    assert.same(
      { "0 +a", "0 +b", "0 +c", "1 -c", "1 -b", "1 -a", "1 end nil" },
      stopping(function(say)
        local function slow()
          md.sleep(2)
        end
        return { child(say, "a"), child(say, "b", slow), child(say, "c") }
      end, md.kill)
    )
  end)

  it("by a kill comes even while it waits for a child", function()
    assert.same(
      { "0 +a", "0 +b", "1 b shutdown", "2 -b", "2 -a", "2 end now" },
      stopping(function(say)
        local function slow()
          md.sleep(100)
        end
        local spec = { shutdown = "infinity" }
        return { child(say, "a"), child(say, "b", slow, spec) }
      end, function(sup)
        md.shutdown(sup)
        md.sleep(1)
        md.kill(sup, "now")
      end)
    )
  end)

  it("comes from one that is linked with it, but not by normal", function()
    assert.same(
      { "0 +a", "2 -a", "2 end failed" },
      told(function(say)
        local sup = supervise { child(say, "a") }
        for t, how in ipairs { md.exit, fail } do
          md.spawn(function()
            md.link(sup)
            md.sleep(t)
            if t == 2 then
              md.spawn(function()
                md.trap_exit(true)
                md.link(sup)
                md.wait "exit"
              end)
              md.sleep(0)
            end
            how()
          end)
        end
        local _, err = pcall(md.join, sup)
        say("end", err.reason)
        md.wait "never"
      end)
    )
  end)

  it("does not come from its caller's, and is not its caller's", function()
    assert.same(
      { "0 +a", "1 caller ends", "2 true" },
      told(function(say)
        local sup
        local caller = md.spawn(function()
          sup = supervise { child(say, "a") }
          assert.same({}, md.info(sup).links)
          md.sleep(1)
          say "caller ends"
        end)
        md.join(caller)
        md.sleep(1)
        say(md.ask(sup, "count_children").active == 1)
      end)
    )
  end)
end)

describe("a supervisor below a supervisor (4.29, 4.30)", function()
  it("is stopped whole, and in order, in any time it takes", function()
    assert.same(
      {
        "0 +a",
        "0 +d",
        "0 +b",
        "0 +c",
        "1 -d",
        "1 c shutdown",
        "9 -c",
        "9 -b",
        "9 -a",
        "9 end shutdown",
      },
      stopping(function(say)
        local function slow()
          md.sleep(8)
        end
        local below = {
          children = {
            child(say, "b"),
            child(say, "c", slow, { shutdown = 10 }),
          },
        }
        return {
          child(say, "a"),
          { id = "below", supervisor = below },
          child(say, "d"),
        }
      end)
    )
  end)

  it("is killed with its children if its own shutdown says so", function()
    assert.same(
      { "0 +a", "1 a shutdown", "3 -a", "3 end shutdown" },
      stopping(function(say)
        local function slow()
          md.sleep(8)
        end
        local below = {
          children = { child(say, "a", slow, { shutdown = 10 }) },
        }
        return { { id = "below", supervisor = below, shutdown = 2 } }
      end)
    )
  end)

  -- A child that fails once a unit for three lives, below a supervisor that
  -- gives up at the second.
  local function nested(kind, max_restarts)
    return told(function(say)
      local lives = 0
      local function start()
        lives = lives + 1
        say("life", lives)
        if lives > 3 then
          md.wait "never"
        end
        md.sleep(1)
        error("failed", 0)
      end
      local below = { children = { { start = start } }, max_restarts = 1 }
      local top = supervise(
        { { id = "below", supervisor = below, restart = kind } },
        { max_restarts = max_restarts }
      )
      md.spawn(function()
        local ok, err = pcall(md.join, top)
        say(ok, err.reason)
      end)
      md.sleep(10)
      say(md.status(top))
      md.wait "never"
    end)
  end

  it("that gives up is started again, if it is permanent", function()
    assert.same(
      { "0 life 1", "1 life 2", "2 life 3", "3 life 4", "10 waiting" },
      nested("permanent", 3)
    )
  end)

  it("that gives up once too often ends the one above, too", function()
    assert.same(
      { "0 life 1", "1 life 2", "2 false shutdown", "10 failed" },
      nested("permanent", 0)
    )
  end)

  it("that gives up has ended normally, if it is transient", function()
    for _, kind in ipairs { "transient", "temporary" } do
      assert.same({ "0 life 1", "1 life 2", "10 waiting" }, nested(kind, 0))
    end
  end)

  it("begins with the children that it was given", function()
    assert.same(
      { "0 +a", "1 +b", "2 -b", "2 -a", "2 +a", "3 1" },
      told(function(say)
        local sup = supervise {
          { id = "below", supervisor = { children = { child(say, "a") } } },
        }
        md.sleep(1)
        local below = md.ask(sup, "which_children")[1]
        assert.is_true(below.supervisor)
        md.ask(below.pid, "start_child", child(say, "b"))
        md.sleep(1)
        md.shutdown(below.pid)
        md.sleep(1)
        local again = md.ask(sup, "which_children")[1].pid
        assert.not_equal(below.pid, again)
        say(md.ask(again, "count_children").specs)
      end)
    )
  end)

  it("has the name that it or its child is given", function()
    told(function()
      local below = { children = {} }
      local named = { children = {}, name = "named" }
      local sup = supervise {
        { id = "id", supervisor = below },
        { id = "x", supervisor = named },
        { id = "y", supervisor = named, name = "called" },
        { supervisor = below },
      }
      local names = {}
      for i, entry in ipairs(md.ask(sup, "which_children")) do
        names[i] = md.info(entry.pid).name or "none"
      end
      assert.same({ "id", "named", "called", "none" }, names)
    end)
  end)
end)

describe("a supervisor that is asked (4.29)", function()
  -- Runs fn(ask, sup, say) beside a supervisor with the children a and b.
  local function asking(fn)
    return told(function(say)
      local sup = supervise {
        child(say, "a"),
        child(say, "b", nil, { restart = "temporary" }),
        { id = "c", supervisor = {}, restart = "transient" },
      }
      md.sleep(1)
      fn(function(...)
        return md.ask(sup, ...)
      end, sup, say)
    end)
  end

  it("for which_children tells of them in order", function()
    asking(function(ask)
      local list = ask "which_children"
      for _, entry in ipairs(list) do
        assert.equal("waiting", md.status(entry.pid))
        entry.pid = nil
      end
      assert.same({
        { id = "a", restart = "permanent", supervisor = false },
        { id = "b", restart = "temporary", supervisor = false },
        { id = "c", restart = "transient", supervisor = true },
      }, list)
      ask("terminate_child", "a")
      assert.is_nil(ask("which_children")[1].pid)
    end)
  end)

  it("for count_children counts them", function()
    asking(function(ask)
      local counts = { specs = 3, active = 3, supervisors = 1, workers = 2 }
      assert.same(counts, ask "count_children")
      ask("terminate_child", "a")
      counts.active = 2
      assert.same(counts, ask "count_children")
      ask("terminate_child", "b")
      assert.same(
        { specs = 2, active = 1, supervisors = 1, workers = 1 },
        ask "count_children"
      )
    end)
  end)

  it("for start_child starts one behind the others", function()
    assert.same(
      { "0 +a", "0 +b", "1 +d", "2 -d", "2 -b", "2 -a" },
      asking(function(ask, sup, say)
        local pid = ask("start_child", child(say, "d"))
        assert.equal("waiting", md.status(pid))
        assert.equal(pid, ask("which_children")[4].pid)
        md.sleep(1)
        md.shutdown(sup)
        pcall(md.join, sup)
        md.wait "never"
      end)
    )
  end)

  it("for start_child refuses an id that is there", function()
    asking(function(ask)
      local a = ask("which_children")[1].pid
      assert.same(
        { nil, "already started", a },
        { ask("start_child", { id = "a", start = print }) }
      )
      ask("terminate_child", "a")
      assert.same(
        { nil, "already present" },
        { ask("start_child", { id = "a", start = print }) }
      )
      ask("terminate_child", "b")
      assert.equal(
        "userdata",
        type(ask("start_child", { id = "b", start = md.wait }))
      )
    end)
  end)

  it("for start_child refuses what is no child, and goes on", function()
    asking(function(ask)
      for _, case in ipairs {
        {
          7,
          "start_child: expected a table, {id = ..., start = function}, got 7",
        },
        { { start = print }, "start_child: expected an id, got nil" },
        {
          { id = "x" },
          "start_child: expected a function as start, the child's body; its "
            .. "arguments are args, got nil",
        },
        {
          { id = "x", start = print, restart = "allways" },
          'start_child: expected "permanent", "transient" or "temporary" as '
            .. "restart, got 'allways'",
        },
      } do
        assert.same({ nil, case[2] }, { ask("start_child", case[1]) })
      end
      assert.equal(3, ask("count_children").active)
    end)
  end)

  it("for terminate_child stops it, and forgets a temporary one", function()
    assert.same(
      { "0 +a", "0 +b", "1 -a", "1 -b" },
      asking(function(ask)
        assert.is_true(ask("terminate_child", "a"))
        assert.is_true(ask("terminate_child", "a"))
        assert.is_true(ask("terminate_child", "b"))
        assert.same({ nil, "not found" }, { ask("terminate_child", "b") })
        assert.same({ nil, "not found" }, { ask("terminate_child", "z") })
        assert.equal(2, #ask "which_children")
      end)
    )
  end)

  it("for restart_child starts one that does not run", function()
    assert.same(
      { "0 +a", "0 +b", "1 -a", "1 +a" },
      asking(function(ask)
        assert.same({ nil, "running" }, { ask("restart_child", "a") })
        ask("terminate_child", "a")
        local pid = ask("restart_child", "a")
        assert.equal(pid, ask("which_children")[1].pid)
        assert.same({ nil, "not found" }, { ask("restart_child", "z") })
      end)
    )
  end)

  it("for delete_child forgets one that does not run", function()
    asking(function(ask, _, say)
      assert.same({ nil, "running" }, { ask("delete_child", "a") })
      ask("terminate_child", "a")
      assert.is_true(ask("delete_child", "a"))
      assert.same({ nil, "not found" }, { ask("delete_child", "a") })
      ask("start_child", child(say, "a"))
      assert.equal("a", ask("which_children")[3].id)
    end)
  end)

  it("answers once it is done with what it does", function()
    assert.same(
      { "0 +a", "1 a shutdown", "4 -a", "4 true" },
      told(function(say)
        local sup = supervise {
          child(say, "a", function()
            md.sleep(3)
          end),
        }
        md.sleep(1)
        md.spawn(md.ask, sup, "terminate_child", "a")
        md.sleep(0)
        say(md.ask(sup, "count_children").active == 0)
      end)
    )
  end)

  it("keeps what became of a temporary child for who joins it", function()
    told(function()
      local sup = md.supervisor {}
      local function job(x)
        md.sleep(1)
        return x * 2
      end
      local spec = { restart = "temporary", start = job }
      local pids = {}
      for i = 1, 3 do
        spec.id, spec.args = i, { i }
        pids[i] = md.ask(sup, "start_child", spec)
      end
      md.sleep(2)
      assert.equal(0, md.ask(sup, "count_children").specs)
      for i = 1, 3 do
        assert.equal(2 * i, md.join(pids[i]))
      end
    end)
  end)

  it("for what it does not know refuses it, where it is asked", function()
    asking(function(ask)
      for _, words in ipairs {
        { "which_childs" },
        { "start_child" },
        { "count_children", "of" },
        { "exit", 1, "no" },
      } do
        local ok, err = pcall(ask, table.unpack(words))
        assert.same({ false, "usage" }, { ok, err.kind })
        assert.matches("^spec/host/supervisor_end_spec.lua:", err.message)
      end
      assert.equal(3, ask("count_children").active)
    end)
  end)
end)

describe("a wrong supervisor", function()
  -- The text of the usage error of md.supervisor(...), and its place.
  local function refusal(...)
    local ok, err = pcall(md.supervisor, ...)
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    local place, text = err.message:match "^([%w%p]*:%d+): (.*)$"
    assert.matches("supervisor_end_spec.lua:", place)
    return text
  end

  local function of(options)
    options.children = options.children or {}
    return options
  end

  local function with(spec)
    return { children = { { start = print }, spec } }
  end

  local cases = {
    ["without a table"] = {
      nil,
      "supervisor: expected a table, {children = {{id = ..., start = "
        .. "function}}}, got nil",
    },
    ["of children alone"] = {
      { { start = print } },
      "supervisor: options are named fields, got the key 1",
    },
    ["with an unknown option"] = {
      of { max_restart = 1 },
      "supervisor: there is no option 'max_restart'; did you mean "
        .. "'max_restarts'?",
    },
    ["with another strategy"] = {
      of { strategy = "one_for_some" },
      'supervisor: expected "one_for_one", "one_for_all" or "rest_for_one" '
        .. "as strategy, got 'one_for_some'",
    },
    ["with half a restart"] = {
      of { max_restarts = 1.5 },
      "supervisor: expected an integer of at least 0 as max_restarts, got 1.5",
    },
    ["with fewer than no restarts"] = {
      of { max_restarts = -1 },
      "supervisor: expected an integer of at least 0 as max_restarts, got -1",
    },
    ["with a wrong window"] = {
      of { within = "5s" },
      "supervisor: expected a duration of at least 0 as within, got '5s'",
    },
    ["with a window that is none"] = {
      of { within = 0 / 0 },
      "supervisor: expected a duration of at least 0 as within, got nan",
    },
    ["with a name that is none"] = {
      of { name = 7 },
      "supervisor: expected a string as name, got 7",
    },
    ["with children that are none"] = {
      { children = print },
      "supervisor: expected a table as children, got a function",
    },
    ["with children by name"] = {
      { children = { b = { start = print }, a = { start = print } } },
      "supervisor: children is a list, and 'a' is no place in it",
    },
    ["with a child that is no table"] = {
      with(print),
      "supervisor: child 2: expected a table, {id = ..., start = function}, "
        .. "got a function",
    },
    ["with a child without a start"] = {
      with { id = "a" },
      "supervisor: child 2: expected a function as start, the child's body; "
        .. "its arguments are args, got nil",
    },
    ["with a start that is none"] = {
      with { start = "print" },
      "supervisor: child 2: expected a function as start, the child's body; "
        .. "its arguments are args, got 'print'",
    },
    ["with an unknown option of a child"] = {
      with { start = print, restarts = "permanent" },
      "supervisor: child 2: there is no option 'restarts'; did you mean "
        .. "'restart'?",
    },
    ["with another kind of restart"] = {
      with { start = print, restart = "never" },
      'supervisor: child 2: expected "permanent", "transient" or "temporary" '
        .. "as restart, got 'never'",
    },
    ["with a wrong shutdown"] = {
      with { start = print, shutdown = "soon" },
      'supervisor: child 2: expected a duration of at least 0, "infinity" or '
        .. "\"brutal_kill\" as shutdown, got 'soon'",
    },
    ["with a shutdown before now"] = {
      with { start = print, shutdown = -1 },
      'supervisor: child 2: expected a duration of at least 0, "infinity" or '
        .. '"brutal_kill" as shutdown, got -1',
    },
    ["with a shutdown that is false"] = {
      with { start = print, shutdown = false },
      'supervisor: child 2: expected a duration of at least 0, "infinity" or '
        .. '"brutal_kill" as shutdown, got false',
    },
    ["with wrong arguments"] = {
      with { start = print, args = 1 },
      "supervisor: child 2: expected a table as args, got 1",
    },
    ["with a wrong inbox"] = {
      with { start = print, inbox = 0 },
      "supervisor: child 2: expected an integer of at least 1 as inbox, got 0",
    },
    ["with a wrong on_full"] = {
      with { start = print, on_full = "wait" },
      'supervisor: child 2: expected "block", "drop" or "error" as on_full, '
        .. "got 'wait'",
    },
    ["with a wrong priority"] = {
      with { start = print, priority = "high" },
      "supervisor: child 2: expected an integer as priority, got 'high'",
    },
    ["with something else than a protocol"] = {
      with { start = print, accepts = {} },
      "supervisor: child 2: expected a protocol as accepts, got a table",
    },
    ["with an id that is none"] = {
      with { start = print, id = 0 / 0 },
      "supervisor: child 2: expected an id, got nan",
    },
    ["with two equal ids"] = {
      with { start = print, id = 1 },
      "supervisor: child 2 has the id of child 1, '1'; give it another",
    },
    ["with a child of both kinds"] = {
      with { start = print, supervisor = {} },
      "supervisor: child 2: give either supervisor or start, not both",
    },
    ["with arguments for a supervisor"] = {
      with { args = {}, supervisor = {} },
      "supervisor: child 2: give either supervisor or args, not both",
    },
    ["with a supervisor below that is none"] = {
      with { supervisor = print },
      "supervisor: child 2: expected a table, {children = {{id = ..., start "
        .. "= function}}}, got a function",
    },
    ["that is wrong below"] = {
      with { supervisor = { children = { { start = print, rstart = 1 } } } },
      "supervisor: child 2: child 1: there is no option 'rstart'; did you "
        .. "mean 'start'?",
    },
  }
  for name, case in pairs(cases) do
    it(name .. " says what came", function()
      assert.equal(case[2], refusal(case[1]))
    end)
  end

  it("says so in a process, and as a method", function()
    story(function(_, sim)
      assert.equal(
        "supervisor: expected a string as name, got 7",
        refusal(sim, { name = 7 })
      )
    end)
  end)
end)
