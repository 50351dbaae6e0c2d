local again = require "repl.again"
local count = require "repl.count"
local session = require "moondial.session"
local show = require "repl.show"

local file <const> = "tutorial.lua"

local model <const> = [[
-- A bank with one clerk: the model of moondial's tutorial.
local md = require "moondial"

clerk = md.resource { capacity = 1, name = "clerk" }
minutes = 2
local rng = md.rng "bank"

local function serve()
  md.sleep(rng:exponential(minutes))
end

local function customer(number)
  local came = md.now()
  local desk <close> = clerk:acquire()
  local waited = md.now() - came
  serve()
  md.log("served", { number = number, waited = waited })
end

md.spawn({ name = "door" }, function()
  for number = 1, 100 do
    md.spawn({ name = "customer " .. number }, customer, number)
    md.sleep(rng:exponential(2.2))
  end
end)

print(md.run())
]]

-- What each step says, and the lines to type for it.
local steps = {
  {
    "Run. The model stands at time 0, before its run. Let ten minutes pass:",
    ":run 10",
  },
  {
    "Look. Who is there, and what do they wait for? Any Lua shows its value;\n"
      .. "looking never changes the run.",
    ":ps",
    "clerk.queue_length",
    'md.records "served"',
  },
  {
    "Ask ahead. When will five be waiting? The run stops just there.",
    ":run until clerk.queue_length >= 5",
  },
  {
    "Break. A breakpoint stops every :run; here the door lets somebody in.",
    ":break process door",
    ":run",
    ":break clear",
  },
  {
    "Go back, by events or to a time: the whole program is as it was then.",
    ":back 3",
    ":goto 10",
  },
  {
    "Go to the first time that something was so.",
    ":run 60",
    ":first clerk.queue_length == 3",
  },
  {
    "Change what there is. Faster service, from now on; the line is kept with\n"
      .. "the session.",
    "minutes = 1",
    ":run 120",
  },
  {
    "Change the code. Edit serve in "
      .. file
      .. " in another window, then\n"
      .. "reload: functions are new, the state stays.",
    ":reload",
  },
  {
    "Branch. What if service took three minutes from now on? A copy tells how\n"
      .. "many wait at 200, and is gone.",
    "md.branch(function() minutes = 3 md.run(200) "
      .. "return clerk.queue_length end)",
    "clerk.queue_length",
  },
  {
    "See and save. A picture of the waits; the whole run as an image, which\n"
      .. "moondial repl tutorial.mdi opens tomorrow; your lines as a file.",
    ":plot served.waited",
    ":save tutorial.mdi",
    ":session save tutorial.txt",
  },
}

-- The text in lines of the terminal's width; its own breaks are blanks.
local function fill(text)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if line ~= "" and #line + 1 + #word > session.width then
      lines[#lines + 1] = line
      line = ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- Whether the file there is this model, as it is or as somebody has left it;
-- nil: there is none.
local function ours()
  local there = io.open(file)
  local first = there and there:read "l"
  if there then
    there:close()
    return first == model:match "^[^\n]*"
  end
end

local function write()
  local out, why = io.open(file, "w")
  if not out then
    return print(why)
  end
  out:write(model)
  out:close()
  return true
end

local function begin()
  local there = ours()
  if there == false then
    local text = "there is a %s here that is not the tutorial's: "
    return print(text:format(file) .. "begin in another folder")
  elseif there or write() then
    print(
      ("the model is in %s; :tutorial goes on from step to step"):format(file)
    )
    again.with("--first", ":tutorial", file)
  end
end

return {
  name = "tutorial",
  usage = ":tutorial [step]",
  help = [[A first session in ten steps, on a bank: run, look, break, go back,
change the code, reload, branch, plot, save. Each :tutorial shows the next step.
  :tutorial]],
  run = function(rest)
    local next_ =
      count(rest, tonumber(session.get "tutorial" or "") or 1, "a step")
    if not next_ then
      return
    end
    if session.model:match "[^/]*$" ~= file or not ours() then
      return begin()
    end
    local step = steps[math.tointeger(next_)]
    if not step then
      return print "that was the last step; :help lists the commands"
    end
    local heading = ("Step %d of %d."):format(next_, #steps)
    print(show.bold(heading))
    print(fill(step[1]))
    for i = 2, #step do
      print("  " .. show.blue(step[i]))
    end
    session.plan("tutorial", tostring(math.tointeger(next_) + 1))
  end,
}
