-- Images that the program saves by itself.
local image = require "spec.image.support"
local program = require("spec.host.support").program

local crash = [[
  local md = require "moondial"
  local file = io.open("notes", "w")
  local n = 0
  md.spawn({ name = "worker" }, function()
    for i = 1, 1000 do
      md.sleep(0.5)
      n = n + 1
      if i %% 50 == 0 then
        file:write(i, "\n")
        print(i)
      end
      if i == %d then
        file:write "last\n"
        error("crash " .. n)
      end
    end
  end)
  md.spawn(function() while true do md.sleep(0.25) end end)
  md.run(1000)
]]

describe("--save-on-error", function()
  it("saves the state just before the event that fails", function()
    image.folder(function(f)
      for _, at in ipairs { 1, 2, 99, 321 } do
        f:write("model.lua", crash:format(at))
        local run = f:run "--save-on-error model.lua"
        assert.equal(1, run.status)
        local text = f:read "notes"
        assert.truthy(run.err:find("resume model.mdi", 1, true), run.err)
        local again = f:run "resume model.mdi"
        assert.equal(1, again.status)
        assert.equal("", again.out)
        assert.equal(run.err:match "^.-\nstack", again.err:match "^.-\nstack")
        assert.equal(text, f:read "notes")
      end
    end)
  end)

  it("does not change the run", function()
    image.folder(function(f)
      f:write("model.lua", crash:format(500))
      local plain = f:run "--json model.lua"
      local run = f:run "--json --save-on-error model.lua"
      assert.equal(plain.out, run.out)
      assert.equal(plain.err, run.err:match "^[^\n]+\n")
    end)
  end)

  it("says why there is none when no event has failed", function()
    image.folder(function(f)
      f:write("model.lua", "error 'at once'")
      local run = f:run "--save-on-error model.lua"
      assert.equal(1, run.status)
      assert.truthy(run.err:find("no image from before the error", 1, true))
      assert.falsy(f:exists "model.mdi")
    end)
  end)

  it("saves nothing when there was no error", function()
    image.folder(function(f)
      f:write("model.lua", crash:format(5000))
      assert.equal(0, f:run("--save-on-error model.lua").status)
      assert.falsy(f:exists "model.mdi")
    end)
  end)
end)

describe("--save-on-interrupt", function()
  it("saves what there is when Ctrl-C ends the run", function()
    image.folder(function(f)
      f:write(
        "model.lua",
        [[
        local md = require "moondial"
        md.spawn(function()
          while not io.open "stop" do md.sleep(1) end
          print "stopped"
        end)
        print(md.run())]]
      )
      local status = f:shell(
        "timeout --foreground --preserve-status -s INT 0.3 "
          .. program
          .. " --save-on-interrupt --save run.mdi model.lua >out 2>err"
      )
      assert.equal(130, status)
      assert.truthy(f:read("err"):find("resume run.mdi", 1, true), f:read "err")
      f:write("stop", "")
      local again = f:run "resume run.mdi"
      assert.equal(0, again.status, again.err)
      assert.truthy(again.out:find "^stopped\ndone", again.out)
    end)
  end)
end)
