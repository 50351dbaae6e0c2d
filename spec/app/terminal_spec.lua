-- The prompt at a terminal: keys that are typed, and what is seen then.
local image = require "spec.image.support"
local terminal = require "spec.app.terminal"
local program = require("spec.host.support").program

local model = [[
  local md = require "moondial"
  served = 0
  desk = md.resource { capacity = 1, name = "desk" }
  for i = 1, 3 do
    md.spawn({ name = "c" .. i }, function()
      while true do
        md.sleep(i)
        served = served + 1
      end
    end)
  end
  function spin() while true do end end
  md.run()
]]

-- Calls fn with a terminal in which the prompt waits.
local function prompt(fn, text, options)
  image.folder(function(f)
    f:write("model.lua", text or model)
    local command = ("%s repl %s model.lua"):format(program, options or "")
    terminal.open(f, command, function(t)
      t:await "0> "
      fn(t, f, command)
    end)
  end)
end

local function has(screen, part)
  assert.truthy(
    screen:find(part, 1, true),
    ("%s\nis not in\n%s"):format(part, screen)
  )
end

describe("the prompt at a terminal", function()
  it("completes names, methods, commands, processes", function()
    prompt(function(t)
      t:type "md.chec"
      t:keys "Tab"
      t:await "md.checkpoint"
      t:keys("C-u", "C-l")
      t:type "desk:cap"
      t:keys "Tab"
      t:await "desk:capacity"
      t:keys "C-u"
      t:type "md.stats.h"
      t:keys "Tab"
      t:await "md.stats.histogram"
      t:keys "C-u"
      t:type ":checkp"
      t:keys "Tab"
      t:await ":checkpoints"
      t:keys "C-u"
      t:type ":where c"
      t:keys "Tab"
      t:keys "Tab"
      local screen = t:await "c3"
      has(screen, "c2")
      t:type "1"
      t:keys "Enter"
      t:await "it has not started"
    end)
  end)

  it("recalls lines where no history can be kept", function()
    image.folder(function(f)
      f:write("model.lua", model)
      local command = ("HOME=nowhere %s repl model.lua"):format(program)
      terminal.open(f, command, function(t)
        t:await "0> "
        t:line "20 + 1"
        t:await "21"
        t:line "30 + 2"
        t:await "32"
        t:keys("Up", "Up", "Enter")
        t:await("32.*21", false)
      end)
    end)
  end)

  it("recalls a chunk of several lines as one, also the next day", function()
    prompt(function(t, f, command)
      t:line "for i = 1, 2 do"
      t:await "... "
      t:line "  print('turn', i)"
      t:line "end"
      t:await("turn%s+2", false)
      t:keys "Up"
      t:keys "Enter"
      t:await("turn%s+1.*turn%s+2.*turn%s+1.*turn%s+2", false)
      t:line ":quit"
      t:await "status 0"
      has(f:read ".moondial_history", "turn")
      terminal.open(f, command, function(again)
        again:await "0> "
        again:keys("Up", "Up", "Enter")
        again:await("turn%s+1.*turn%s+2", false)
      end)
    end)
  end)

  it("stops at Ctrl-C, and is as it was", function()
    prompt(function(t)
      t:line ":run"
      os.execute "sleep 0.5"
      t:keys "C-c"
      t:await "stopped by Ctrl-C"
      t:line "served > 0"
      t:await "true"
      t:line "spin()"
      os.execute "sleep 0.5"
      t:keys "C-c"
      t:await "interrupted by Ctrl-C"
      t:line "? spin()"
      os.execute "sleep 0.5"
      t:keys "C-c"
      t:line "'still' .. ' here'"
      t:await('"still here"\n[%d.]+>', false)
      -- what is typed right behind it is not lost
      for i = 1, 5 do
        t:type "half a line"
        t:keys "C-c"
        t:line(("'and ' .. 'here %d'"):format(i))
        t:await(('"and here %d"\n[%%d.]+>'):format(i), false)
      end
    end)
  end)

  it("stops a process that never blocks", function()
    prompt(
      function(t)
        t:line ":run"
        os.execute "sleep 0.5"
        t:keys "C-c"
        t:await "in the middle of the turn of 'busy'"
        t:line ":where busy"
        t:await "n ="
        t:line "1 + 1"
        t:await "\n2"
        t:line ":run +1"
        os.execute "sleep 0.5"
        t:keys "C-c"
        t:line "'and ' .. 'here'"
        t:await '"and here"'
      end,
      [[
      local md = require "moondial"
      md.spawn({ name = "busy" }, function()
        local n = 0
        md.sleep(1)
        while true do n = n + 1 end
      end)
      md.run()]]
    )
  end)

  it("takes a paste of 200 lines", function()
    prompt(function(t)
      local lines = {}
      for i = 1, 200 do
        lines[i] = "total = (total or 0) + " .. i
      end
      t:paste(table.concat(lines, "\n") .. "\n")
      t:line "'total ' .. total"
      t:await '"total 20100"'
      lines = { "function pasted()", "  local n = 0" }
      for i = 1, 200 do
        lines[#lines + 1] = "  n = n + " .. i
      end
      t:paste(table.concat(lines, "\n") .. "\n  return n\nend\n")
      t:line "'sum ' .. pasted()"
      t:await '"sum 20100"'
    end)
  end)

  it("reads UTF-8", function()
    prompt(function(t)
      t:line "name = 'Grüße, 世界'"
      t:line "'<' .. name .. '>'"
      t:await '"<Grüße, 世界>"'
      t:type "'äö"
      t:keys "BSpace"
      t:line "' == '\\u{e4}'"
      t:await "true"
    end)
  end)

  it("reads a line of 100 000 characters", function()
    prompt(function(t)
      t:paste("#'" .. ("x"):rep(100000) .. "'\n")
      t:await("\n100000")
    end)
  end)

  it("follows a terminal that changes its size", function()
    prompt(function(t)
      t:resize(40, 24)
      t:line ":ps"
      local narrow = t:await "c3"
      assert.falsy(narrow:find("waits for", 1, true), narrow)
      for line in narrow:match(":ps\n(.*)$"):gmatch "[^\n]+" do
        assert.truthy(utf8.len(line) <= 40, line)
      end
      t:resize(120, 24)
      t:line ":ps"
      t:await "waits for"
    end)
  end)

  it("leaves at the end of the input, also in a chunk", function()
    prompt(function(t)
      t:line "for i = 1, 2 do"
      t:await "... "
      t:keys "C-d"
      t:await "'end' expected"
      t:keys "C-d"
      t:await "status 0"
    end)
    prompt(function(t)
      t:keys "C-d"
      t:await "status 0"
    end)
  end)
end)
