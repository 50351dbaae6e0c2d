-- Drivers: run the sim while an instance is replayed, until its record is over.
local core = require "moondial.core"
local difference = require "moondial.difference"
local inside = require "moondial.inside"

local m = {}

local function raise(why)
  error(core.failure("journal", "replay: " .. why), 0)
end

-- So many stops, and errors in callbacks, which are no signals, there may be
-- between two signals.
local most_runs = 1000

-- Runs until the record is over. Returns why the run ended, and what the model
-- failed with, unless the record goes on after it.
local function run(self)
  local own, runs, last = self.family, 0, 0
  while true do
    self.failed = false
    local ok, why = pcall(self.sim.run, self.sim, {
      when = function()
        self.feeder:look()
        return own.replay ~= self or self.difference ~= nil
      end,
    })
    runs = self.next == last and runs + 1 or 0
    last = self.next
    local over = own.replay ~= self or self.difference ~= nil
    if not ok and not self.failed and (over or runs > most_runs) then
      return nil, why
    elseif over or ok and why ~= "stopped" or runs > most_runs then
      return why
    end
  end
end

-- It has not gone as recorded: nothing of it goes on.
local function abandon(self, why)
  local own, sim = self.family, self.sim
  self.difference = self.difference or why
  own.replay = self -- so that its closers send nothing
  for _, pid in ipairs(self.processes) do
    sim:kill(pid, "journal")
  end
  pcall(sim.run, sim, sim:now())
  raise(self.difference)
end

-- heed(replay)
-- The record is over: those who wait for an answer from outside heed the end of
-- whom they asked; in the order in which they asked, in which they notice it.
function m.heed(self)
  for _, r in ipairs(self.record:questions()) do
    local pid, other = self.map:leaf(r.pid), self.map:leaf(r.to)
    if not self.map:is_nobody(other) then
      inside.heed(self.sim, pid, other)
    end
  end
end

-- The record is over: those who still wait for it go on.
local function leave(self)
  self.stands_in:leave(self.record.results)
  m.heed(self) -- also who has just asked
  for _, pid in ipairs(self.processes) do
    if self.using[pid] then
      inside.sign(self.sim, pid, self.using[pid])
    end
  end
end

-- drive(replay)
-- Runs it to the end of the record, and through the instant of that; raises
-- the first difference.
function m.drive(self)
  local own, why, err = self.family, nil, nil
  if own.replay == self then
    why, err = run(self)
  end
  local left = own.replay == self and self.record.list[self.next]
  own.replay = nil
  if self.difference then
    abandon(self)
  elseif left and err == nil then
    local format = "signal %d was %s, and now nothing like it comes (%s)"
    abandon(self, format:format(left.seq, difference.text(left), tostring(why)))
  end
  leave(self)
  if err ~= nil then
    error(err, 0)
  end
  self.sim:run(self.sim:now())
  if next(own.roles) == nil and next(self.using) == nil then
    own.signs = {}
    inside.loud(own.turns, false)
  end
end

return m
