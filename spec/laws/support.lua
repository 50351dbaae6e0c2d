-- What the laws share: intervals from replications, and a station made of
-- processes and messages alone (a line, and the servers that it feeds).
local md = require "moondial"

local m = {}

m.long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

--- covers(values, known) -> whether the 99 % confidence interval of the mean
--- holds what is known, what it is in words
function m.covers(values, known)
  local mean, half = md.stats.confidence(values, 0.99)
  local text = string.format("%.6f +- %.6f, known %.6f", mean, half, known)
  return half > 0 and math.abs(mean - known) <= half, text
end

--- replicate(seed, n, model) -> lists of values by name
--- Runs model(sim) on n sims, seeded one after the other; it returns a table of
--- figures by name. The long version has twice as many replications.
function m.replicate(seed, n, model)
  local all = {}
  for r = 1, m.long and 2 * n or n do
    local sim = md.sim { seed = seed * 1000 + r }
    for name, value in pairs(model(sim)) do
      all[name] = all[name] or {}
      all[name][r] = value
    end
  end
  return all
end

-- -- a station -------------------------------------------------------

-- Serves what the line gives it. An interrupt ends a service before its time.
local function server(line)
  while true do
    local got, customer = pcall(md.wait)
    if got then
      customer.start = customer.start or md.now()
      local begun = md.now()
      local whole = pcall(md.sleep, customer.left)
      customer.left = whole and 0 or customer.left - (md.now() - begun)
      md.send(line, "free", md.self(), customer)
    end
  end
end

-- The waiting customer who is next: the lowest class, then the first to come.
local function first(waiting)
  for class = 1, #waiting do
    local queue = waiting[class]
    if queue.head <= queue.tail then
      local customer = queue[queue.head]
      queue[queue.head] = nil
      queue.head = queue.head + 1
      return customer
    end
  end
end

local function enqueue(queue, customer)
  queue.tail = queue.tail + 1
  queue[queue.tail] = customer
end

-- One who was interrupted goes before the others of the class.
local function put_back(queue, customer)
  queue.head = queue.head - 1
  queue[queue.head] = customer
end

local function line(o, left)
  local waiting, idle, inside, serving = {}, {}, 0, nil
  for class = 1, o.classes or 1 do
    waiting[class] = { head = 1, tail = 0 }
  end
  for i = 1, o.servers do
    idle[i] = md.spawn(server, md.self())
  end
  local function dispatch()
    while #idle > 0 do
      local customer = first(waiting)
      if not customer then
        return
      end
      serving = customer
      md.send(table.remove(idle), customer)
    end
  end
  local message = {}
  function message.arrive(customer)
    if inside == o.capacity then
      return left(customer, true)
    end
    inside = inside + 1
    enqueue(waiting[customer.class], customer)
    if o.preemptive and #idle == 0 and customer.class < serving.class then
      md.interrupt(o.only, "preempted")
    end
  end
  function message.free(pid, customer)
    table.insert(idle, pid)
    if customer.left > 0 then
      return put_back(waiting[customer.class], customer)
    end
    inside = inside - 1
    left(customer)
  end
  o.only = idle[1]
  while true do
    local kind, a, b = md.wait(md._)
    message[kind](a, b)
    dispatch()
  end
end

-- The customers of one class, until the horizon, by streams of their own.
local function source(class, o, station, came)
  local gaps = md.rng("gaps of " .. class)
  local services = md.rng("services of " .. class)
  while true do
    md.sleep(o.gap(gaps, class))
    if md.now() > o.horizon then
      return
    end
    local customer = { class = class, came = md.now() }
    customer.left = o.service(services, class)
    came(customer)
    md.send(station, "arrive", customer)
  end
end

-- What is counted of the customers of one class who came after the warm-up.
local function record(sums, customer, refused)
  sums.came = sums.came + 1
  if refused then
    sums.blocked = sums.blocked + 1
    return
  end
  local wait = customer.start - customer.came
  sums.W = sums.W + md.now() - customer.came
  sums.Wq = sums.Wq + wait
  sums.waited = sums.waited + (wait > 0 and 1 or 0)
end

local function figures_of(sums, L)
  local served = sums.came - sums.blocked
  return {
    L = L,
    W = sums.W / served,
    Wq = sums.Wq / served,
    waited = sums.waited / served,
    blocked = sums.blocked / sums.came,
  }
end

--- station(sim, o) -> the figures of each class
--- o: servers, classes, capacity, preemptive, gap(rng, class), service(rng,
--- class), and the horizon. The first sixth of the time is not counted. L is
--- of all classes. Little's law is held to on the whole run: what the clock
--- says of the number inside is what the customers say of their times.
function m.station(sim, o)
  local warm, all = o.horizon / 6, {}
  local inside, since = md.stats.level(sim), md.stats.level(sim)
  local sojourns, L = 0, nil
  for class = 1, o.classes or 1 do
    all[class] = { came = 0, blocked = 0, waited = 0, W = 0, Wq = 0 }
  end
  local function came()
    inside:add(1)
    since:add(1)
  end
  local function left(customer, refused)
    inside:add(-1)
    since:add(-1)
    sojourns = sojourns + md.now() - customer.came
    if customer.came > warm then
      record(all[customer.class], customer, refused)
    end
  end
  local station = sim:spawn(line, o, left)
  for class = 1, o.classes or 1 do
    sim:spawn(source, class, o, station, came)
  end
  sim:at(warm, since.reset, since)
  sim:at(o.horizon, function()
    L = since.mean
  end)
  assert(sim:run() == "idle", "the line and the servers wait for customers")
  assert(inside.value == 0, "all customers have left")
  local area = inside.mean * inside.time
  assert(math.abs(area - sojourns) < 1e-9 * sojourns, "Little's law")
  local figures = {}
  for class, sums in ipairs(all) do
    figures[class] = figures_of(sums, L)
  end
  return figures
end

return m
