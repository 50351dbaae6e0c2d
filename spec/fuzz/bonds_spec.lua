-- Processes that are bound to each other at random, and do at random what ends
-- them: nothing hangs or fails but by their own doing, nobody outlives whom he
-- may not, and each run is repeated to the last record.
local md = require "moondial"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local COUNT = long and 5000 or 150
local MOST = 60 -- processes of a run

local function generator(seed)
  local state = (seed * 2654435761 + 12345) & 0xffffffff
  return function(n)
    state = (state * 1664525 + 1013904223) & 0xffffffff
    return ((state >> 8) * n >> 24) + 1
  end
end

local durations = { 0, 0, 0.5, 1, 1, 2 }

-- One run; its hash, and the complaints about who lived too long.
local function run(seed, order)
  local dice = generator(seed)
  local sim = md.sim { order = order, seed = seed, on_error = "isolate" }
  local pids, parents, refs, complaints = {}, {}, {}, {}
  local body

  local function some()
    return pids[dice(#pids)]
  end
  local function pause()
    md.sleep(durations[dice(#durations)])
  end
  local function add(how, options)
    if #pids >= MOST then
      return
    end
    local pid, ref = how(options, body, dice(9))
    pids[#pids + 1] = pid
    refs[#refs + 1] = ref
    return pid
  end
  local function closer()
    return setmetatable({}, {
      __close = function()
        if dice(3) == 1 then
          pause()
        elseif dice(8) == 1 then
          error("closer", 0)
        end
      end,
    })
  end

  local acts = {
    pause,
    pause,
    pause,
    function()
      md.link(some())
    end,
    function()
      md.unlink(some())
    end,
    function()
      refs[#refs + 1] = md.monitor(some())
    end,
    function()
      if #refs > 0 then
        md.demonitor(refs[dice(#refs)], dice(2) == 1 and "flush" or nil)
      end
    end,
    function()
      md.trap_exit(dice(2) == 1)
    end,
    function()
      md.kill(some(), dice(3) > 1 and "killed off" or nil)
    end,
    function()
      md.shutdown(some(), dice(2) == 1 and "normal" or nil)
    end,
    function()
      md.interrupt(some(), "busy")
    end,
    function()
      md.send(some(), "letter", dice(9))
    end,
    function()
      pcall(md.wait_timeout, 1)
    end,
    function()
      md.join(some(), 2)
    end,
    function()
      pcall(md.ask_timeout, 1, some(), "question")
    end,
    function()
      pcall(md.timeout, 1, body, 2)
    end,
    function()
      add(md.spawn, { link = dice(2) == 1, monitor = dice(2) == 1 })
    end,
    function()
      local child = add(md.child, { forward = dice(2) == 1 })
      if child then
        parents[child] = md.self()
      end
    end,
    function()
      md.become(body, dice(4))
    end,
    function()
      if dice(3) == 1 then
        error("failed", 0)
      end
    end,
    function()
      local members = {}
      local function block()
        local s <close> = md.scope()
        for i = 1, dice(3) do
          members[i] = add(function(...)
            return s:spawn(...)
          end, {})
        end
        body(2)
        if dice(4) == 1 then
          s:cancel()
        elseif dice(4) == 1 then
          s:join()
        end
      end
      local watch <close> = setmetatable({}, {
        __close = function()
          for _, pid in pairs(members) do
            local status = md.status(pid)
            if md.info(pid).inbox then
              complaints[#complaints + 1] = "left in a scope: " .. status
            end
          end
        end,
      })
      pcall(block)
      return watch
    end,
  }

  function body(n)
    local _ <close> = closer()
    for _ = 1, n do
      local _ <close> = closer()
      if dice(3) == 1 then
        pcall(acts[dice(#acts)])
      else
        acts[dice(#acts)]()
      end
    end
  end

  for i = 1, 10 do
    pids[i] = sim:spawn({ after = i % 3, name = "first " .. i }, body, 12)
  end
  local function look()
    for child, parent in pairs(parents) do
      if sim:info(child).inbox and not sim:info(parent).inbox then
        complaints[#complaints + 1] = "outlived its parent"
      end
    end
  end
  local why
  repeat
    look()
    why = sim:run { events = 1 }
  until why ~= "events"
  return sim:hash() .. " " .. why .. " " .. #pids, complaints, sim
end

-- Waits of one kind may be for ever: for a message, or for what does.
local function stuck_well(sim)
  for _, p in ipairs(sim:waiting()) do
    if p.waiting:find "a message" then
      return true
    end
  end
  return #sim:waiting() == 0
end

describe("random bonds", function()
  for _, order in ipairs { "fifo", "lifo", "random" } do
    it("hold what they promise, again and again, in order " .. order, function()
      for seed = 1, COUNT do
        local first, complaints, sim = run(seed, order)
        assert(
          #complaints == 0,
          "seed " .. seed .. ": " .. tostring(complaints[1])
        )
        assert(stuck_well(sim), "seed " .. seed .. " hangs")
        assert(first == (run(seed, order)), "seed " .. seed .. " differs")
      end
    end)
  end
end)
