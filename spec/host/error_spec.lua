-- Errors of processes: what the user reads, and what reaches pcall and join.
local md = require "moondial"
local support = require "spec.host.support"
local run, story = support.run, support.story

-- Runs the text and compares the status and all of stderr.
local function fails(text, status, said, options)
  local got = run(text, options)
  assert.equal(said, got.err)
  assert.equal(status, got.status)
  return got
end

-- A process that fails at 2 in a function of its own.
local function failing(value)
  return ([[
local md = require "moondial"
local function inner() error(%s) end
md.spawn({name = "clerk"}, function()
  md.sleep(2)
  inner()
end)
]]):format(value)
end

local place = [[
  in 'clerk' at time 2
stack traceback:
	model.lua:2: in upvalue 'inner'
	model.lua:5: in the function at line 3
]]

describe("an uncaught error", function()
  it("names its line, the process, the time and the model's frames", function()
    fails(failing '"boom"', 1, "moondial: model.lua:2: boom\n" .. place)
  end)

  it("may be any value", function()
    local failing_text = "the error's value is a table whose __tostring fails"
    local text = 'setmetatable({}, {__tostring = function() return "text" end})'
    local raise = 'setmetatable({}, {__tostring = function() error "x" end})'
    local values = {
      ["{}"] = "the error's value is a table without a text",
      ["nil"] = "the error's value is nil",
      ["42"] = "the error's value is a number without a text",
      [text] = "text",
      [raise] = failing_text,
      ["setmetatable({}, {__tostring = 7})"] = failing_text,
    }
    for value, said in pairs(values) do
      fails(failing(value), 1, "moondial: " .. said .. "\n" .. place)
    end
  end)

  it("may come from a closer", function()
    fails(
      [[
local md = require "moondial"
md.spawn(function()
  local _ <close> = setmetatable({}, {__close = function() error "late" end})
  md.sleep(1)
end)
]],
      1,
      [[
moondial: model.lua:3: late
  in process 1 at time 1
stack traceback:
	model.lua:3: in metamethod 'close'
	model.lua:5: in the function at line 2
]]
    )
  end)

  it("may come from a callback, whose run has no process", function()
    fails(
      [[
local md = require "moondial"
md.at(3, function() error "called" end)
]],
      1,
      [[
moondial: model.lua:2: called
  in a callback at time 3
stack traceback:
	model.lua:2: in the function at line 2
]]
    )
  end)

  it("of the script has the script's frames", function()
    fails(
      [[
local md = require "moondial"
local function f() md.sleep(1) end
f()
]],
      1,
      [[
moondial: model.lua:2: sleep blocks, and only a process can; put it into ]]
        .. [[one: md.spawn(function() ... end), then md.run()
stack traceback:
	model.lua:2: in local 'f'
	model.lua:3: in the main chunk
]]
    )
  end)

  it("in a finalizer is a warning, and the run goes on", function()
    local got = fails(
      [[
local md = require "moondial"
md.spawn(function()
  setmetatable({}, {__gc = function() error "unseen" end})
  setmetatable({}, {__gc = function() md.sleep(1) end})
  collectgarbage()
  md.sleep(1)
  print "on"
end)
]],
      0,
      [[
moondial: warning: error in __gc (model.lua:4: sleep cannot block inside a ]]
        .. [[finalizer (__gc); let it send a message to a process that does it)
moondial: warning: error in __gc (model.lua:3: unseen)
]]
    )
    assert.equal("on\n", got.out)
  end)

  it('ends only its process with on_error = "isolate"', function()
    local got = fails(
      [[
local md = require "moondial"
local sim = md.sim{on_error = "isolate"}
local bad = sim:spawn({name = "bad"}, function() error "boom" end)
sim:spawn(function()
  md.sleep(2)
  print(md.status(bad), pcall(md.join, bad))
end)
print(sim:run())
]],
      0,
      "moondial: 'bad' failed: model.lua:3: boom\n"
    )
    assert.equal("failed\tfalse\tmodel.lua:3: boom\ndone\t2.0\n", got.out)
  end)
end)

describe("an error value", function()
  it("of the model reaches pcall and join unchanged", function()
    local told = story(function(say)
      local mine = { code = 1 }
      local function raise()
        error(mine)
      end
      for _, f in ipairs {
        raise,
        function()
          md.sleep(1)
          raise()
        end,
        function()
          coroutine.wrap(raise)()
        end,
        function()
          md.timeout(9, raise)
        end,
      } do
        local _, caught = pcall(f)
        local p = md.spawn(f)
        local _, joined = pcall(md.join, p)
        local _, again = pcall(md.join, p)
        say(
          rawequal(mine, caught),
          rawequal(mine, joined),
          rawequal(mine, again)
        )
      end
      local _, text = pcall(md.join, md.spawn(error, "plain"))
      say(text)
      say(select("#", pcall(md.join, md.spawn(error))))
    end)
    assert.same({
      "0 true true true",
      "2 true true true",
      "2 true true true",
      "2 true true true",
      "2 plain",
      "2 2",
    }, told)
  end)

  it("of ours has kind, message, time, process and traceback", function()
    local sim, err = md.sim()
    sim:spawn({ name = "clerk" }, function()
      md.sleep(2)
      local function f()
        md.wait_timeout(1, "x")
      end
      local _
      _, err = pcall(f)
    end)
    sim:run()
    assert.equal("timeout", err.kind)
    assert.equal(3.0, err.time)
    assert.equal("clerk", err.process)
    assert.equal(err.message, tostring(err))
    assert.matches(
      "^spec/host/error_spec.lua:%d+: wait_timeout: no message "
        .. "came in time$",
      err.message
    )
    assert.matches(
      "^stack traceback:\n\tspec/host/error_spec.lua:%d+: in ",
      err.traceback
    )
    assert.is_nil(err.traceback:find("[C]", 1, true))
    assert.is_nil(err.traceback:find("[md", 1, true))
  end)

  it("is raised by run, and the script may catch it", function()
    local got = run([[
local md = require "moondial"
md.spawn(function() error {code = 5} end)
local ok, err = pcall(md.run)
print(ok, err.code, md.run())
]])
    assert.equal("false\t5\tdone\t0.0\n", got.out)
    assert.equal(0, got.status)
  end)
end)

describe("a blocking call where none can be", function()
  local function said(f)
    local text
    local sim = md.sim()
    sim:spawn(function()
      local _, err = pcall(f)
      text = tostring(err)
    end)
    sim:run()
    return (text:gsub("^[^:]+:%d+: ", ""))
  end

  local function inside(name)
    return "sleep cannot block inside '"
      .. name
      .. "', which is a C function "
      .. "that must return first; take the blocking call out of the function "
      .. "given to '"
      .. name
      .. "'"
  end

  it("is refused inside table.sort, string.gsub and tostring", function()
    assert.equal(
      inside "sort",
      said(function()
        table.sort({ 1, 2, 3 }, function(a, b)
          md.sleep(1)
          return a < b
        end)
      end)
    )
    assert.equal(
      inside "gsub",
      said(function()
        return (
          string.gsub("abc", "b", function()
            md.sleep(1)
          end)
        )
      end)
    )
    assert.equal(
      inside "tostring",
      said(function()
        local text = tostring(setmetatable({}, {
          __tostring = function()
            md.sleep(1)
            return "never"
          end,
        }))
        return text
      end)
    )
  end)

  it("blames no pcall between", function()
    assert.equal(
      inside "sort",
      said(function()
        table.sort({ 1, 2, 3 }, function()
          local _, err = pcall(md.sleep, 1)
          error(err, 0)
        end)
      end)
    )
  end)

  it("is refused inside a C function without a name", function()
    assert.equal(
      "sleep cannot block here, inside a C function that must "
        .. "return first; do it in the process itself",
      said(function()
        local _, err = pcall(table.sort, { 1, 2, 3 }, function()
          md.sleep(1)
        end)
        error(err, 0)
      end)
    )
  end)

  it("is refused in a callback", function()
    local sim, err = md.sim()
    sim:at(1, function()
      local _
      _, err = pcall(md.sleep, 1)
    end)
    sim:run()
    assert.equal(
      "sleep blocks, and a callback cannot; let the callback spawn "
        .. "a process: md.spawn(function() ... end)",
      err.message:match ": (.*)$"
    )
  end)
end)
