-- A bank and its theory. Customers come at random and stand in one line; the
-- tellers, a process each, serve whoever is first in it. With exponential
-- times this is the M/M/c queue, and Erlang's C formula gives its means. Twenty
-- replications, each with a seed of its own, are run past their beginning and
-- then measured. Their means stand beside the theory with 99 % confidence
-- intervals, and a plot shows how the line grows and shrinks in the first one.
local md = require "moondial"

local tellers = 3
local arrival_mean, service_mean = 1.25, 3 -- minutes
local warm, length = 1000, 20000 -- minutes, of which the first are discarded
local replications = 20

-- Customers who wait are the messages of the line's inbox.
local function line()
  while true do
    local teller, ref = md.wait "next"
    md.reply(teller, ref, md.wait "customer")
  end
end

local function teller(queue, bank)
  local rng = md.rng()
  while true do
    local arrived = md.ask(queue, "next")
    bank.waiting:add(-1)
    bank.serving:add(1)
    bank.waits[#bank.waits + 1] = md.now() - arrived
    md.sleep(rng:exponential(service_mean))
    bank.serving:add(-1)
  end
end

local function street(queue, bank)
  local rng = md.rng()
  while true do
    md.sleep(rng:exponential(arrival_mean))
    bank.waiting:add(1)
    md.send(queue, "customer", md.now())
  end
end

-- Looks at the line every eight minutes of a day of eight hours.
local function observer(bank)
  for _ in md.every(8, { start = warm, count = 60 }) do
    bank.seen[#bank.seen + 1] = bank.waiting.value
  end
end

local function replicate(seed)
  local sim = md.sim { seed = seed, unit = "min" }
  local bank = {
    waiting = md.stats.level(sim),
    serving = md.stats.level(sim),
    waits = {},
    seen = {},
  }
  local queue = sim:spawn({ name = "line" }, line)
  sim:spawn({ name = "street" }, street, queue, bank)
  for i = 1, tellers do
    sim:spawn({ name = "teller " .. i }, teller, queue, bank)
  end
  sim:spawn({ name = "observer" }, observer, bank)
  sim:at(warm, function()
    bank.waits = {}
    bank.waiting:reset()
    bank.serving:reset()
  end)
  sim:run(warm + length)
  return bank
end

-- Erlang C: the probability that a customer has to wait.
local function erlang_c(c, load)
  local term, sum = 1, 1
  for k = 1, c - 1 do
    term = term * load / k
    sum = sum + term
  end
  local last = term * load / c * c / (c - load)
  return last / (sum + last)
end

local load = service_mean / arrival_mean
local p_wait = erlang_c(tellers, load)
local wait_mean = p_wait * service_mean / (tellers - load)

-- The replications.
local results = { wait = {}, queue = {}, busy = {}, delayed = {} }
local bins, width, customers = {}, 2, 0
local first
for seed = 1, replications do
  local bank = replicate(seed)
  first = first or bank
  local delayed, waits = 0, md.stats.tally()
  for _, wait in ipairs(bank.waits) do
    waits:add(wait)
    if wait > 0 then
      delayed = delayed + 1
      local bin = math.min(wait // width, 10)
      bins[bin] = (bins[bin] or 0) + 1
    end
  end
  customers = customers + #bank.waits
  results.wait[seed] = waits.mean
  results.queue[seed] = bank.waiting.mean
  results.busy[seed] = bank.serving.mean / tellers
  results.delayed[seed] = delayed / #bank.waits
end

local function row(what, list, theory)
  local m, half = md.stats.confidence(list, 0.99)
  local inside = math.abs(m - theory) <= half and "yes" or "no"
  print(("%-22s %8.4f ± %.4f %9.4f  %s"):format(what, m, half, theory, inside))
end

print(("A bank of %d tellers, %d customers"):format(tellers, customers))
print "                       simulated, 99 %      theory  within"
row("mean wait, minutes", results.wait, wait_mean)
row("mean number waiting", results.queue, wait_mean / arrival_mean)
row("utilisation", results.busy, load / tellers)
row("who has to wait", results.delayed, p_wait)

-- A bar in eighths of a character.
local function bar(x)
  local eighths = math.floor(x * 8 + 0.5)
  local rest = eighths % 8
  local last = rest > 0 and utf8.char(0x2590 - rest) or ""
  return ("█"):rep(eighths // 8) .. last
end

print "\nHow long they wait who have to: share in % (theory)"
local rate = (tellers - load) / service_mean
local waited = 0
for bin = 0, 10 do
  bins[bin] = bins[bin] or 0
  waited = waited + bins[bin]
end
for bin = 0, 10 do
  local from, to = bin * width, (bin + 1) * width
  local share = 100 * bins[bin] / waited
  local rest = bin < 10 and math.exp(-rate * to) or 0
  local theory = 100 * (math.exp(-rate * from) - rest)
  local name = bin < 10 and ("%2d - %2d min"):format(from, to) or "longer     "
  local bars = bar(share)
  local gap = (" "):rep(35 - utf8.len(bars))
  print(("%s  %s%s%5.2f (%5.2f)"):format(name, bars, gap, share, theory))
end

print "\nThe line in one day, every 8 minutes"
local highest = math.max(table.unpack(first.seen))
for top = (highest - 1) // 4 * 4, 0, -4 do
  local cells = {}
  for i, n in ipairs(first.seen) do
    local part = math.max(0, math.min(8, (n - top) * 2))
    cells[i] = part > 0 and utf8.char(0x2580 + part) or " "
  end
  local text = ("%3d ┤%s"):format(top + 4, table.concat(cells))
  print((text:gsub(" +$", "")))
end
print("    0└" .. ("─"):rep(#first.seen))

--[[ output
A bank of 3 tellers, 319366 customers
                       simulated, 99 %      theory  within
mean wait, minutes       3.1604 ± 0.2267    3.2360  yes
mean number waiting      2.5245 ± 0.1905    2.5888  yes
utilisation              0.7987 ± 0.0067    0.8000  yes
who has to wait          0.6449 ± 0.0114    0.6472  yes

How long they wait who have to: share in % (theory)
 0 -  2 min  █████████████████████████████████▏ 33.09 (32.97)
 2 -  4 min  ██████████████████████▏            22.14 (22.10)
 4 -  6 min  ██████████████▉                    14.84 (14.81)
 6 -  8 min  ██████████▏                        10.06 ( 9.93)
 8 - 10 min  ██████▊                             6.71 ( 6.66)
10 - 12 min  ████▌                               4.45 ( 4.46)
12 - 14 min  ███                                 3.02 ( 2.99)
14 - 16 min  ██▏                                 2.07 ( 2.00)
16 - 18 min  █▍                                  1.38 ( 1.34)
18 - 20 min  ▉                                   0.88 ( 0.90)
longer       █▍                                  1.36 ( 1.83)

The line in one day, every 8 minutes
 24 ┤                              ▂
 20 ┤                              █
 16 ┤                   ▂  ▂▂  ▂ ▆ █▂
 12 ┤                 ▂▂█▆ ██ ▄█▆████
  8 ┤       ▄        ▄███████████████▂                      ▂ ▂
  4 ┤ ▆▂  ▂███    ▂▆██████████████████▄█▂▆▆  ▄     ▄      ▂▄█▆█
    0└────────────────────────────────────────────────────────────
]]
