-- The page for those who come from SimPy: what is below each of SimPy's calls
-- can be pasted, and the differences it tells of are there.
local md = require "moondial"
local program = os.getenv "MOONDIAL" or "build/moondial"

local function page()
  local pipe = assert(io.popen(program .. " help simpy"))
  local text = pipe:read "a"
  pipe:close()
  return text
end

-- A list of {python=, lua=}: lines of SimPy, and what stands below them, which
-- is indented by eight.
local function pairs_of(text)
  local list, entry = {}, { lua = "" }
  for line in text:match("^(.-)What is not the same"):gmatch "([^\n]*)\n" do
    local lua, python = line:match "^        (.*)", line:match "^  (.*)"
    if lua then
      entry.lua = entry.lua .. lua .. "\n"
    elseif python and entry.lua == "" and entry.python then
      entry.python = entry.python .. "\n" .. python
    elseif python then
      entry = { python = python, lua = "" }
      list[#list + 1] = entry
    end
  end
  return list
end

-- What the page says that the letters stand for. The events happen, unless the
-- snippet has them happen.
local function letters()
  local names = { md = md, print = function() end, s = md.store() }
  names.e, names.e2 = md.event(), md.event()
  names.r, names.c = md.resource(), md.container { level = 50 }
  names.f, names.g = function() end, function() end
  names.p = md.spawn(pcall, md.sleep, 1)
  md.after(1, function()
    for _, event in ipairs { names.e, names.e2 } do
      if not event.triggered then
        event:succeed "news"
      end
    end
  end)
  return setmetatable(names, { __index = _G })
end

local function run_as_process(text)
  local sim = md.sim()
  local pid = sim:spawn(function()
    assert(load(text, "=snippet", "t", letters()))()
  end)
  sim:run(100)
  assert.equal("done", sim:status(pid))
end

-- Only the script may run a sim, here another one than its default.
local function of_script(text)
  return text:find "md%.run" or text:find ":step"
end

local function run_as_script(text)
  local sim = md.sim()
  local own = { print = function() end, p = sim:spawn(md.sleep, 1) }
  own.md = setmetatable({}, { __index = md })
  for _, name in ipairs { "run", "spawn" } do
    own.md[name] = function(...)
      return sim[name](sim, ...)
    end
  end
  function own.md.current()
    return sim
  end
  assert(load(text, "=snippet", "t", setmetatable(own, { __index = _G })))()
end

describe("help simpy", function()
  local entries = pairs_of(page())

  it("has what SimPy's users call", function()
    assert.is_true(#entries > 35)
    local text = page()
    for _, name in ipairs {
      "env.process",
      "env.timeout",
      "e.succeed",
      "e.fail",
      "AllOf",
      "AnyOf",
      "simpy.Resource",
      "PriorityResource",
      "PreemptiveResource",
      "r.request",
      "Container",
      "simpy.Store",
      "FilterStore",
      "PriorityStore",
      "interrupt",
      "until=",
      "env.now",
      "active_process",
      "callbacks",
      "RealtimeEnvironment",
    } do
      assert.is_truthy(text:find(name, 1, true), name)
    end
  end)

  for _, entry in ipairs(entries) do
    if not entry.lua:find "^moondial " then
      it("can be pasted: " .. entry.python:match "[^\n]*", function()
        assert.is_true(entry.lua ~= "", "there is nothing below it")
        if of_script(entry.lua) then
          run_as_script(entry.lua)
        else
          run_as_process(entry.lua)
        end
      end)
    end
  end

  it("tells the truth of until: events of that time have happened", function()
    local sim, happened = md.sim(), false
    sim:at(100, function()
      happened = true
    end)
    sim:run(100)
    assert.is_true(happened)
  end)

  it("tells the truth of what is free: no other goes first", function()
    local sim, order = md.sim(), {}
    local r = sim:resource()
    sim:spawn(function()
      local unit <close> = r:acquire()
      table.insert(order, unit.held and "a")
    end)
    sim:spawn(function()
      table.insert(order, "b")
    end)
    sim:run()
    assert.same({ "a", "b" }, order)
  end)

  it("tells the truth of losers: an item is not lost with a limit", function()
    local sim = md.sim()
    local s = sim:store()
    sim:spawn(function()
      assert.is_nil((s:get(nil, 1)))
      md.sleep(1)
      s:put "late"
    end)
    sim:run()
    assert.equal(1, s.count)
  end)

  it("tells the truth of failures: one that nobody awaits is quiet", function()
    local sim = md.sim()
    sim:spawn(function()
      md.event():fail "unheard"
    end)
    assert.equal("done", (sim:run()))
  end)

  it("tells the truth of the dead: an interrupt returns false", function()
    local sim, returned = md.sim(), nil
    local pid = sim:spawn(function() end)
    sim:at(1, function()
      returned = md.interrupt(pid, "rain")
    end)
    sim:run()
    assert.is_false(returned)
  end)

  it("tells the truth of preemption: the cause is a text", function()
    local sim, cause = md.sim(), nil
    local r = sim:resource { preemptive = true }
    sim:spawn(function()
      local unit <close> = r:acquire()
      local _, err = pcall(md.sleep, 3)
      cause = unit and err.cause
    end)
    sim:spawn({ after = 1 }, function()
      r:acquire({ priority = -1 }):release()
    end)
    sim:run()
    assert.equal("preempted", cause)
  end)
end)
