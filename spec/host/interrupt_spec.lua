-- Ctrl-C: the run ends, the model's line and what waits are told, and no pcall
-- keeps it. The models send the signal to themselves, a little later.
local run = require("spec.host.support").run

local signal = [[
io.popen("(sleep 0.2; kill -INT $PPID) >&- &"):close()
]]

local waits = [[
local md = require "moondial"
md.spawn({name = "clerk"}, function() md.wait("job") end)
]]

describe("Ctrl-C", function()
  it("ends a process that never blocks, through every pcall", function()
    local got = run(signal .. waits .. [[
md.spawn({name = "loop"}, function()
  md.sleep(3)
  while true do pcall(function() while true do end end) end
end)
print(pcall(md.run))
]])
    assert.equal(130, got.status)
    assert.equal("", got.out)
    assert.matches(
      "^moondial: model.lua:6: interrupted by Ctrl%-C\n"
        .. "  in 'loop' at time 3\nstack traceback:\n\tmodel.lua:6: ",
      got.err
    )
    assert.matches(
      "\nwhat waits for what:\n  model.lua:3: 'clerk' waits for "
        .. "a message that begins with 'job'\n$",
      got.err
    )
  end)

  it("ends a run of many events", function()
    local got = run(signal .. waits .. [[
md.spawn({name = "loop"}, function()
  while true do pcall(md.sleep, 1) end
end)
]])
    assert.equal(130, got.status)
    assert.matches("^moondial: [^\n]*interrupted by Ctrl%-C\n", got.err)
    assert.matches(
      "what waits for what:\n  model.lua:3: 'clerk' waits for a "
        .. "message that begins with 'job'\n",
      got.err
    )
  end)

  it("ends a script, and closes what is open", function()
    local got = run(signal .. [[
local _ <close> = setmetatable({}, {__close = function() print "closed" end})
while true do pcall(load, "x") end
]])
    assert.equal(130, got.status)
    assert.matches("^moondial: model.lua:3: interrupted by Ctrl%-C\n", got.err)
    assert.is_nil(got.err:find "what waits")
  end)

  it("is 130 in the JSON, too", function()
    local got = run(signal .. "while true do end", { options = "--json" })
    assert.equal(130, got.status)
    assert.equal(
      '{"status":130,"outcome":"error","error":"model.lua:2: '
        .. 'interrupted by Ctrl-C"}\n',
      got.err
    )
  end)

  it("still writes --out", function()
    local got = run(signal .. [[
local md = require "moondial"
md.spawn(function() md.log("r", {x = 1}) while true do end end)
md.run()
]], { options = "--out r.csv", read = { "r.csv" } })
    assert.equal(130, got.status)
    assert.equal("time,process,x\r\n0,process 1,1\r\n", got.files["r.csv"])
    assert.is_nil(got.err:find "what waits")
  end)
end)
