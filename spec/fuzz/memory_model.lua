-- A little of everything, for the spec of failing allocations. Errors that
-- come out of it are those that nothing here catches.
local md = require "moondial"
local sim = md.sim { seed = 5, name = "broad" }

-- pcall, but for want of memory.
local function try(...)
  local results = table.pack(pcall(...))
  local problem = results[2]
  if type(problem) == "table" and problem.kind == "memory" then
    error(problem, 0)
  end
  return table.unpack(results, 1, results.n)
end

local served = sim:recorder("served", { "who", "wait" })

local function server()
  while true do
    local method, from, ref, n = md.wait(md._)
    if method == "stop" then
      return n
    end
    md.sleep(md.rng():exponential(1))
    md.reply(from, ref, method .. n)
  end
end

local station = sim:spawn({ name = "station", inbox = 2 }, server)

local function client(n)
  local came <close> = setmetatable({}, {
    __close = function()
      md.log("left", { who = n, at = md.now() })
    end,
  })
  local _, answer = try(md.ask, station, "question", n)
  served(n, md.now())
  local long = ("x"):rep(n)
  md.log("answered", { who = n, answer = tostring(answer), long = long })
  return came and answer
end

local clients = {}
for n = 1, 12 do
  clients[n] = sim:spawn({ after = n / 2, priority = n % 3 }, client, n)
end

local reader = sim:spawn(function()
  local got = 0
  while got < 6 do
    md.receive {
      {
        "number",
        md.is.number,
        function()
          got = got + 1
        end,
      },
      {
        "table",
        md.is.table,
        function()
          got = got + 1
        end,
      },
      after = {
        2,
        function()
          md.log("nothing", { got = got })
        end,
      },
    }
  end
end)

sim:spawn(function()
  for turn = 1, 40 do
    md.send(reader, turn % 2 == 0 and "number" or "other", turn)
  end
  md.send_after(3, reader, "table", { 1, 2, 3 })
  md.send_after(4, reader, "table", {}):cancel()
end)

sim:spawn(function()
  local numbers = coroutine.wrap(function()
    for i = 1, 5 do
      md.sleep(0.5)
      coroutine.yield(i)
    end
  end)
  for i in numbers do
    md.log("number", { i = i })
  end
  for t in md.every(1, { count = 5 }) do
    md.log("turn", { t = t })
  end
end)

sim:spawn(function()
  md.sleep(3)
  try(md.timeout, 1, md.sleep, 9)
  try(md.wait_timeout, 1, "never")
  try(md.ask_timeout, 0.5, station, "question", 99)
  md.interrupt(clients[9], "enough")
  md.kill(clients[10], "no more")
  for n = 1, 12 do
    local ok, answer = try(md.join, clients[n], 20)
    md.log("joined", { n = n, ok = ok, answer = tostring(answer) })
  end
  md.send(station, "stop", nil, nil, 1)
  md.join(station)
end)

local function fail(why)
  md.sleep(1)
  error { why = why }
end

sim:spawn({ name = "watch" }, function()
  md.trap_exit(true)
  local inner = md.spawn({ link = true, monitor = true }, fail, "linked")
  md.wait("exit", inner)
  md.wait("down", md._, inner)
  md.spawn({ link = true }, function()
    for i = 1, 3 do
      md.child({ forward = true }, function()
        md.log("forwarded", { i = i, what = (md.wait()) })
        md.become(md.become, md.sleep, i)
      end)
    end
    md.send(md.self(), "news")
    md.sleep(2)
    md.become(md.exit, "over")
  end)
  local _, why = md.wait "exit"
  if type(why) == "table" then
    error(why, 0)
  end
  md.log("exit", { why = why })
end)

sim:spawn(function()
  local _, problem = try(function()
    local s <close> = md.scope()
    for i = 1, 5 do
      s:spawn({ after = i }, i == 4 and fail or md.sleep, i)
    end
    md.sleep(9)
  end)
  md.log("scope", { why = type(problem) == "table" and problem.why })
end)

-- How many more there are decides over the memory that is needed.
local many = tonumber((...)) or 100
local sink = sim:spawn(function()
  md.wait "end"
end)

sim:at(2, function()
  local all = {}
  for i = 1, many do
    all[i] = sim:spawn(function()
      md.send(sink, i, { i })
      md.sleep(i / many)
      served(i, md.now())
    end)
  end
  sim:register("first", all[1])
end)

print(sim:run())
print(#sim:records "answered", sim:hash())
