-- What can be said of one run. A shop opens on a crowd; later it is M/M/1,
-- whose mean wait is known. md.stats.warmup tells how many customers still
-- suffer from the crowd. The waits of the others hang on one another: batches
-- of them give an interval that holds what it says, as long as the correlation
-- of the batches is small. All of them at once would seem to tell far more.
local md = require "moondial"

local load, crowd, customers = 0.8, 400, 150000
local theory = load / (1 - load) -- the mean wait, with a mean service of 1

local waits = {}

local function server()
  local rng = md.rng "services"
  for i = 1, customers do
    local came = md.wait(md.is.number)
    waits[i] = md.now() - came
    md.sleep(rng:exponential(1))
  end
end

local function street(shop)
  local rng = md.rng "gaps"
  for i = 1, customers do
    if i > crowd then
      md.sleep(rng:exponential(1 / load))
    end
    md.send(shop, md.now())
  end
end

md.spawn(street, md.spawn(server))
md.run()

local cut = md.stats.warmup(waits)
local all = md.stats.tally()
local batches = md.stats.batch_means { size = 3000 }
local histogram = md.stats.histogram { lo = 0, hi = 24, bins = 12 }
for i = cut + 1, customers do
  local wait = waits[i]
  all:add(wait)
  batches:add(wait)
  histogram:add(wait)
end

print(md.stats.plot(table.move(waits, 1, 5000, 1, {}), { height = 6 }))
print(("\ncut         %d of %d"):format(cut, customers))
print(("theory      %.4f"):format(theory))
print(("in batches  %.4f ± %.4f"):format(batches:confidence(0.95)))
print(("all at once %.4f ± %.4f, which is wrong"):format(all:confidence(0.95)))
print("\n" .. tostring(batches) .. "\n")
print(histogram:plot(64))

--[[ output
412.636 ┤    ⢠⠟⣆⣀⣀⡀
        │   ⢠⠏  ⠁⠈⠛⠛⠶⣤⣀⣀
        │  ⢠⠞        ⠈⠉⠙⠦⢤⣄⡀
        │ ⢀⡞               ⠙⠛⣆⣀⣠⣀⣀
        │ ⡼                  ⠈⠉ ⠉⠘⠒⢦⡀
      0 ┤⡼⠁                         ⠉⠧⣄⣠⣤⣀⣀⣄⣀⣀⣤⣤⣀⣤⣀⣠⡤⣤⣄⣀⣤⣠⣤⣤⣄⣀⣀⣀⣀⣀⣤⣤⣠⣤⡤⣄
        └───────────────────────────────────────────────────────────────
         1                                                          5000

cut         2310 of 150000
theory      4.0000
in batches  3.8861 ± 0.1837
all at once 3.8769 ± 0.0243, which is wrong

batch_means
  count           147690
  size              3000
  batches             49
  mean           3.88611
  correlation  -0.159293

    0  69831  ██████████████████████████████████████████████████
    2  26123  ██████████████████▊
    4  17387  ████████████▌
    6  11577  ████████▎
    8   7610  █████▌
   10   5143  ███▋
   12   3459  ██▌
   14   2264  █▋
   16   1459  █
   18    883  ▋
   20    606  ▍
   22    463  ▍
>= 24    885  ▋
]]
