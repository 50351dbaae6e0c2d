-- A run that is cut into many programs is the run that was not: the same
-- output, the same trace, the same state to the last byte. Each model of
-- models.lua, in three modes of the collector, cut at random, into up to 13
-- programs.
local image = require "spec.image.support"
local models = require "spec.image.models"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

local modes = {
  { "incremental", 'collectgarbage "incremental"' },
  { "generational", 'collectgarbage "generational"' },
  {
    "switched",
    [[collectgarbage "incremental"
    md.after(2, function() collectgarbage "generational" end)
    md.after(4, function() collectgarbage "incremental" end)]],
  },
}

local frame = [[
  local md = require "moondial"
  local function say(...)
    local t = table.pack(md.now(), ...)
    for i = 1, t.n do
      t[i] = type(t[i]) == "table" and "table" or tostring(t[i])
    end
    print(table.concat(t, " ", 1, t.n))
  end
  %s
  do %s end
  print(md.run())
  print(md.hash())]]

local random = 1
local function choose(most)
  random = random * 6364136223846793005 + 1442695040888963407
  return (random >> 33) % most + 1
end

-- Cuts `events` events into up to n parts of at least one.
local function cuts(events, n)
  local parts, left = {}, events
  while #parts < n - 1 and left > 1 do
    parts[#parts + 1] = choose(math.max(1, 2 * left // (n - #parts)))
    left = left - parts[#parts]
  end
  return parts
end

-- The words of a program's options, each with a space before it.
local function words(...)
  return " " .. table.concat({ ... }, " ") .. " "
end

local function events_of(run)
  return tonumber(run.err:match '"events":(%d+)')
end

local function state_of(run)
  return run.err:match "state (%x+)" or run.err
end

-- What the programs print in turn, and the last one's state.
local function chain(f, parts)
  local out, run = {}, nil
  local command = "model.lua"
  for i = 1, #parts + 1 do
    local to = ("cut%d.mdi"):format(i)
    local cut = parts[i] and words("--cut", parts[i], "--save", to) or ""
    local resume = i > 1 and "resume" or ""
    run =
      f:run(resume .. words "--state-hash" .. words "--audit" .. cut .. command)
    out[#out + 1] = run.out
    assert.equal(0, run.status, run.err .. run.out)
    if not f:exists(to) then
      break
    end
    command = to
  end
  return table.concat(out), state_of(run), run
end

describe("a run that is cut (0.21)", function()
  local names = {}
  for name in pairs(models) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, m in ipairs(modes) do
      local mode, setting = m[1], m[2]
      it(name .. ", " .. mode .. ": goes on as if it were not", function()
        image.folder(function(f)
          f:write("model.lua", frame:format(setting, models[name]))
          local plain = f:run "--json model.lua"
          assert.equal(0, plain.status, plain.err)
          for _ = 1, long and 8 or 1 do
            local parts = cuts(events_of(plain), 1 + choose(12))
            local pauses = table.concat(parts, ",")
            local whole = f:run(
              words("--state-hash", "--pauses", pauses ~= "" and pauses or "1")
                .. "model.lua"
            )
            assert.equal(plain.out, whole.out)
            local out, state = chain(f, parts)
            assert.equal(plain.out, out, "cut at " .. pauses)
            assert.equal(state_of(whole), state, "cut at " .. pauses)
            f:shell "rm -f *.mdi"
          end
        end)
      end)
    end
  end
end)
