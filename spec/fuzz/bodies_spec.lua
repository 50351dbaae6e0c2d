-- Random programs whose processes are Lua, C, or some of each: the same story,
-- event by event, told by the hash of the trace.
local md = require "moondial"
local c = require "spec.native.bodies"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

local tags = { "a", "b", "a longer one" }

-- The twin of `script` in spec/native/bodies.c.
local function script(...)
  local peers = table.pack(md.wait "go")
  local ops, got = { ... }, 0
  -- An interrupt, a time limit and a peer that has ended end one operation.
  local function try(fn, ...)
    local result = table.pack(pcall(fn, ...))
    local err = result[2]
    if not result[1] and type(err) == "table" then
      assert(err.kind ~= "killed" and err.kind ~= "usage", err)
    end
    return result[1], table.unpack(result, 2, result.n)
  end
  for at = 0, #ops - 1, 3 do
    local op, a, b = ops[at + 1], ops[at + 2], ops[at + 3]
    local peer = peers[a % 8 + 1]
    if op == 0 then
      try(md.sleep, a / 4)
    elseif op == 1 then
      try(md.send, peer, tags[b % 3 + 1], at)
    elseif op == 2 then
      local ok = try(md.wait_timeout, a / 4, tags[b % 3 + 1])
      got = got + (ok and 1 or 0)
    elseif op == 3 then
      if peer ~= md.self() then
        local ok = try(md.ask_timeout, b / 4, peer, "question", b + 0.0)
        got = got + (ok and 1 or 0)
      end
    elseif op == 4 then
      local ok, from, ref = try(md.wait_timeout, a / 4, "question")
      if ok then
        got = got + 1
        if b > 0 then
          try(md.sleep, b / 4)
        end
        try(md.reply, from, ref, "answer")
      end
    else
      try(md.yield)
    end
  end
  return got
end

local random = 1
local function choose(most)
  random = random * 6364136223846793005 + 1442695040888963407
  return (random >> 33) % most
end

local function program()
  local all = { order = ({ "fifo", "lifo", "random" })[choose(3) + 1] }
  all.first = choose(1000)
  for k = 1, 8 do
    local ops = {}
    for i = 1, 3 * (1 + choose(20)), 3 do
      ops[i], ops[i + 1], ops[i + 2] = choose(6), choose(8), choose(6)
      if ops[i] == 2 then
        ops[i + 2] = choose(3)
      end
    end
    local bound = choose(3) == 0 and 1 + choose(2) or nil
    all[k] = {
      ops = ops,
      options = {
        name = "p" .. k,
        inbox = bound,
        on_full = bound and (choose(2) == 0 and "block" or "drop") or nil,
        priority = choose(4) == 0 and choose(3) or 0,
      },
    }
  end
  for i = 1, choose(6) do
    all[8 + i] = { at = choose(40) / 4, kind = choose(3), whom = 1 + choose(8) }
  end
  return all
end

-- Runs it; the bits of `natives` say which processes are C.
local function run(all, natives)
  local sim = md.sim { seed = all.first, order = all.order }
  local pids, told = {}, {}
  for k = 1, 8 do
    local body = natives >> (k - 1) & 1 == 1 and c.script or script
    pids[k] = sim:spawn(all[k].options, body, table.unpack(all[k].ops))
  end
  for k = 1, 8 do
    sim:send(pids[k], "go", table.unpack(pids))
  end
  for i = 9, #all do
    local blow = all[i]
    sim:at(blow.at, function()
      if blow.kind == 0 then
        md.kill(pids[blow.whom], "blow")
      else
        md.interrupt(pids[blow.whom], blow.kind)
      end
    end)
  end
  local ok, why, at = pcall(sim.run, sim)
  told.why, told.at = ok and why or why.kind, ok and at or why.process
  for k = 1, 8 do
    told[k] = sim:status(pids[k])
    if told[k] == "done" then
      told[k] = sim:join(pids[k])
    end
  end
  told.hash = sim:hash()
  return told
end

describe("random programs", function()
  it("go the same way in Lua and in C", function()
    for round = 1, long and 20000 or 1500 do
      local all = program()
      local lua = run(all, 0)
      for _, natives in ipairs { 255, choose(256) } do
        assert.same(
          lua,
          run(all, natives),
          ("round %d, %x"):format(round, natives)
        )
      end
    end
  end)
end)
