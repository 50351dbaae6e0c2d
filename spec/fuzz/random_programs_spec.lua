-- Random programs, run by moondial and by the reference: what happens, and in
-- which order, must be the same line by line.
local md = require "moondial"
local programs = require "fuzz.program"
local reference = require "fuzz.reference"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local COUNT = long and 10000 or 1000

local function by_moondial(program, order)
  local sim = md.sim { order = order, seed = program.seed }
  local api = {
    pcall = pcall,
    spawn = function(...)
      return sim:spawn(...)
    end,
    now = function()
      return sim:now()
    end,
    run = function()
      local _, time = sim:run()
      return time
    end,
    inbox = function(pid)
      return sim:inbox(pid)
    end,
  }
  local function timer(call)
    return function(...)
      local t = call(...)
      return {
        cancel = function()
          return t:cancel()
        end,
      }
    end
  end
  api.at, api.send_after = timer(md.at), timer(md.send_after)
  return programs.run(program, setmetatable(api, { __index = md }))
end

local function by_reference(program, order)
  return programs.run(program, reference(order))
end

-- The number of the first line that differs, nil when there is none.
local function difference(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then
      return i
    end
  end
end

local function differs(program, order)
  local ran, a = pcall(by_moondial, program, order)
  if not ran then
    return 1, { tostring(a) }, {}
  end
  local b = by_reference(program, order)
  return difference(a, b), a, b
end

-- Drops operations for as long as a difference is left.
local function shrink(program, order)
  local function shorten(list, from)
    for i = #list, from, -1 do
      local op = table.remove(list, i)
      if not differs(program, order) then
        table.insert(list, i, op)
        if op[1] == "timeout" then
          shorten(op[3], 1)
        end
      end
    end
  end
  for b = 1, #program do
    shorten(program[b], 1)
  end
end

local function show(op)
  local words = {}
  for i, word in ipairs(op) do
    words[i] = tostring(word)
    if type(word) == "table" then
      local inner = {}
      for k, x in ipairs(word) do
        inner[k] = show(x)
      end
      words[i] = "{" .. table.concat(inner, ", ") .. "}"
    end
  end
  return table.concat(words, " ")
end

local function report(program, order)
  shrink(program, order)
  local at, a, b = differs(program, order)
  local text = { ("seed %d, %s"):format(program.seed, order) }
  for n, body in ipairs(program) do
    local o = body.options
    text[#text + 1] = ("body %d: inbox %s %s priority %s after %s: %s"):format(
      n,
      tostring(o.inbox),
      tostring(o.on_full),
      tostring(o.priority),
      tostring(o.after),
      show { "", body }
    )
  end
  text[#text + 1] = "line: moondial | reference"
  for i = math.max(1, at - 8), at + 2 do
    local line = "%s %d: %s | %s"
    local mark = i == at and ">" or " "
    text[#text + 1] = line:format(mark, i, tostring(a[i]), tostring(b[i]))
  end
  return table.concat(text, "\n")
end

describe("random programs", function()
  for _, order in ipairs { "fifo", "lifo" } do
    it("do the same as in the reference in order " .. order, function()
      for seed = 1, COUNT do
        local program = programs.random(seed)
        if differs(program, order) then
          error(report(program, order), 0)
        end
      end
    end)
  end

  it("are repeated to the line in order random, and time goes on", function()
    for seed = 1, COUNT do
      local program = programs.random(seed)
      local log = by_moondial(program, "random")
      local again = difference(log, by_moondial(program, "random"))
      assert(not again, "seed " .. seed)
      local last = 0
      for _, line in ipairs(log) do
        local time = tonumber(line:match "^%S+")
        assert(time >= last, "seed " .. seed .. ": " .. line)
        last = time
      end
    end
  end)
end)
