-- An order that outlives the machine it is handled on. The signals of an
-- instance are kept; after a crash another one is replayed from them. What was
-- done for money is not done again, a step whose result is known is not even
-- run, and where the record ends the order goes on, live.
local md = require "moondial"

local function charge(order) -- the outside world
  print("  charged " .. order.total)
  return "receipt 17"
end

local function pick(item)
  print("  somebody looks for the " .. item)
  return item .. " from " .. md.select("found", item)
end

local function fulfil(order)
  local receipt, picks, found = md.use(charge, order), {}, {}
  for i, item in ipairs(order) do
    picks[i] = md.child({ forward = true }, pick, item)
  end
  for i, pid in ipairs(picks) do
    found[i] = md.join(pid)
  end
  md.emit("parcel", receipt)
  md.sleep(24)
  return table.concat(found, ", ")
end

local order = { total = 80, "book", "lamp", "rug" }
local sim, log, results

local function create(entrypoint)
  sim = md.sim()
  return sim:template({ name = "order", entrypoint = entrypoint }):create(order)
end

local function keep(instance)
  log, results = {}, {}
  for signal in instance:pull() do
    log[#log + 1] = signal
    results[signal.pid] = signal.kind == "STOP" and signal.result or nil
  end
end

local function recall(record)
  return {
    signals = function()
      return coroutine.wrap(function()
        for _, signal in ipairs(record) do
          coroutine.yield(signal)
        end
      end)
    end,
    results = function(signal)
      local known = results[signal.pid]
      if signal.kind == "START" and known then
        return true, known[1]
      end
    end,
  }
end

print "Monday"
local p = create(fulfil):start()
p:push("found", "lamp", "shelf 3")
p:push("found", "pen", "shelf 1") -- nobody wants it
p:push("found", "book", "shelf 8")
keep(p)

print "Tuesday, after a crash"
p = create(fulfil):replay(recall(log))
p:push("found", "rug", "the cellar")
print("  " .. p:join(), sim:now() .. " h")

print "Wednesday, with a shorter record"
keep(p)
local compacted = md.compact(log)
print("  " .. #log .. " signals, compacted " .. #compacted)
print("  " .. create(fulfil):replay(recall(compacted)):join())

print "Thursday, with a changed program, all of which runs again"
results = {}
p = create(function(...)
  md.emit "a word beforehand"
  return fulfil(...)
end)
local _, err = pcall(p.replay, p, recall(log))
print("  " .. err.message:match "signal.-%)")
print("  " .. err.message:match "now.-%)")

--[[ output
Monday
  charged 80
  somebody looks for the book
  somebody looks for the lamp
  somebody looks for the rug
Tuesday, after a crash
  somebody looks for the rug
  book from shelf 8, lamp from shelf 3, rug from the cellar	24.0 h
Wednesday, with a shorter record
  23 signals, compacted 11
  book from shelf 8, lamp from shelf 3, rug from the cellar
Thursday, with a changed program, all of which runs again
  signal 2 was USE of <pid 1> ('receipt 17')
  now it is SEND of <pid 1> ('a word beforehand')
]]
