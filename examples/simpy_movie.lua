-- SimPy's movie theatre. One counter sells tickets for three movies. Those who
-- stand in the line wait for their turn or for their movie to be sold out,
-- whichever is first: resource and event side by side in one await.
local md = require "moondial"

local seats, horizon, arrival_mean = 50, 120, 0.5
local names = { "Moon Unchained", "Kill Process", "Pulp Implementation" }

-- The place is nil when the movie is sold out, which <close> allows.
local function moviegoer(counter, movie, tickets)
  local sold_out = movie.sold_out
  local first, place <close> = md.await(counter:acquiring() | sold_out)
  if first == 2 then
    movie.reneged = movie.reneged + 1
  elseif movie.left < tickets then
    md.sleep(0.5) -- an argument
  else
    movie.left = movie.left - tickets
    if movie.left < 2 then
      movie.left, movie.sold_out_at = 0, md.now()
      sold_out:succeed()
    end
    md.sleep(1)
  end
end

local function arrivals(counter, movies)
  local rng = md.rng()
  while true do
    md.sleep(rng:exponential(arrival_mean))
    local movie, tickets = rng:choice(movies), rng:integer(1, 6)
    if movie.left > 0 then
      md.spawn(moviegoer, counter, movie, tickets)
    end
  end
end

local counter, movies = md.resource { name = "counter" }, {}
for i, name in ipairs(names) do
  movies[i] = { name = name, left = seats, reneged = 0, sold_out = md.event() }
end
md.spawn({ name = "arrivals" }, arrivals, counter, movies)
md.run(horizon)

for _, movie in ipairs(movies) do
  if movie.sold_out.triggered then
    local text = "%s was sold out after %.1f minutes, %d left the line then"
    print(text:format(movie.name, movie.sold_out_at, movie.reneged))
  end
end

--[[ output
Moon Unchained was sold out after 44.4 minutes, 12 left the line then
Kill Process was sold out after 43.4 minutes, 19 left the line then
Pulp Implementation was sold out after 47.4 minutes, 12 left the line then
]]
