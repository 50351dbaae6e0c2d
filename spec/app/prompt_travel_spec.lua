-- Where the prompt goes when the script has come to its end, or an image is
-- where it began.
local prompt = require "spec.app.prompt"
local support = require "spec.image.support"

local has = prompt.has

local counter = [[
local md = require "moondial"
n = 0
md.spawn({ name = "a" }, function()
  while true do
    md.sleep(1)
    n = n + 1
  end
end)
md.run(100)
print "the end"
]]

describe("the prompt behind the end of the script", function()
  it("goes back to where it was, and no further", function()
    local out = prompt.try(
      { ":run", ":run 200", ":back 1", ":back +50", ":goto 120", ":goto 20" },
      counter
    )
    has(out, "200> :back 1\ntime 199.0, 200 events, next at 200.0\n")
    has(out, "199> :back +50\ntime 149.0, 150 events, next at 150.0\n")
    has(out, "149> :goto 120\ntime 120.0, 121 events, next at 121.0\n")
    has(out, "120> :goto 20\ntime 20.0, 21 events, next at 21.0\n")
  end)

  it("looks ahead", function()
    local out = prompt.try(
      { ":run", ":run until n >= 120", ":branch 2.5 now()", ":watch n for 1" },
      counter
    )
    has(out, "stopped: n >= 120\ntime 120.0, 121 events, next at 121.0\n")
    has(out, "> :branch 2.5 now()\n122.5\n")
    has(out, "121.0  121\n")
  end)
end)

describe("a long run", function()
  local endless = counter:gsub("md.run%(100%)", "md.run()")

  it("keeps a state of shortly before its end, to come back to", function()
    local out = prompt.try({
      ":run +40000",
      ":run 90000 events",
      ":checkpoints",
      ":back 1",
      ":goto 60000",
      ":checkpoints",
      "n",
    }, endless)
    has(out, "\n 39375.0   39376\n128976.0  128977\n130000> :back 1\n")
    has(out, "time 129999.0, 130000 events, next at 130000.0\n")
    has(out, "\n58976.0   58977\n60000> n\n60000\n")
  end)

  it("ends where it would, whatever was kept on the way", function()
    local function hash(lines)
      lines[#lines + 1] = "hash()"
      return prompt.try(lines, endless):match '"(%x+)"\n$'
    end
    local whole = hash { ":run 50000" }
    assert.equal(16, #whole)
    assert.equal(whole, hash { ":run 20000", ":back 7000", ":run 50000" })
    assert.equal(whole, hash { ":run 50001 events" })
  end)
end)

describe("a condition", function()
  it("that is an error is said to be one, and nothing runs", function()
    local out = prompt.try({
      ":run until nn > 5",
      ":break nosuch.x",
      ":first nosuch.x",
      ":branch -5 n",
      ":time",
    }, counter)
    has(out, "attempt to compare number with nil")
    has(out, "> :break nosuch.x\nprompt:1: attempt to index a nil value")
    has(out, "> :first nosuch.x\nprompt:1: attempt to index a nil value")
    has(out, "expected a duration and an expression, got '-5 n'")
    has(out, "\n0.0   0       0.0 ")
  end)

  it("stops where it becomes true, and not while it is", function()
    local out =
      prompt.try({ ":break n > 3", ":run", ":run", ":break off" }, counter)
    has(
      out,
      "stopped: n > 3\ntime 4.0, 5 events, next at 5.0\n4> :run\nthe end\n"
    )
    has(out, "no breakpoints")
  end)
end)

describe("an error in a process", function()
  it("is shown with its process, its time and its calls", function()
    local out = prompt.try(
      { ":run", ":where worker" },
      [[
local md = require "moondial"
local function helper(t) return t.x + 1 end
md.spawn({ name = "worker" }, function()
  md.sleep(1)
  local sum = helper { y = 1 }
  print(sum)
end)
]]
    )
    has(out, "model.lua:2: attempt to perform arithmetic on a nil value")
    has(out, "  in 'worker' at time 1\nstack traceback:\n")
    has(out, "model.lua:5: in the function at line 3\n")
    has(out, "'worker' failed at time 1; :back 1 goes to just before\n")
  end)
end)

describe("an image at the prompt", function()
  it("goes no further than it is told, from the first command on", function()
    support.folder(function(folder)
      folder:write("model.lua", counter)
      local function session(words, lines)
        folder:write("input", table.concat(lines, "\n") .. "\n")
        return folder:says(
          ("timeout 20 %s repl %s <input 2>&1"):format(folder.program, words)
        )
      end
      session("model.lua", { ":run 10", ":save iv.mdi" })
      has(
        session("iv.mdi", { ":step", ":step" }),
        "time 11.0, 12 events, next at 12.0\n"
          .. "11> :step\ntime 12.0, 13 events, next at 13.0\n"
      )
      has(session("iv.mdi", { ":branch 5 n" }), ":branch 5 n\n15\n")
      has(
        session("iv.mdi", { ":run until n >= 20" }),
        "stopped: n >= 20\ntime 20.0, 21 events, next at 21.0\n"
      )
      has(session("iv.mdi", { ":reload" }), "reload of model.lua: ")
    end)
  end)
end)
