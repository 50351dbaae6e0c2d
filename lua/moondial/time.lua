-- Durations with units, as texts: "250us", "1.5 h", "2 min 30 s".
local core = require "moondial.core"

local m = {}

-- Seconds in each unit that has a name.
local seconds = {
  ns = 1e-9,
  us = 1e-6,
  ms = 1e-3,
  s = 1,
  min = 60,
  h = 3600,
  d = 86400,
  w = 604800,
}

local function refuse(text, why)
  error(core.failure("usage", "time: " .. why .. ", got '" .. text .. "'"), 0)
end

--- time(text) -> number
--- Reads a duration such as "250us", "1.5h" or "2min 30s" and returns it in
--- the units of the sim, which is called s unless md.sim{unit=} says otherwise.
--- Units: ns, us, ms, s, min, h, d, w. A number is returned as it is. Raises
--- usage when the text is no duration, or the sim's unit is none of these.
---   md.sleep(md.time "250us")
function m.read(sim, text)
  if type(sim) ~= "userdata" then
    sim, text = core.current(), sim
  end
  if type(text) == "number" then
    return text
  end
  if type(text) ~= "string" then
    local came = type(text)
    error(
      core.failure(
        "usage",
        'time: expected a text such as "250us", got a ' .. came
      ),
      0
    )
  end
  local _, unit = sim:precision()
  local scale = seconds[unit]
  if not scale then
    refuse(text, "the sim's unit '" .. unit .. "' is no unit of time")
  end
  local total, rest = 0, text:gsub("%s+", "")
  if rest == "" then
    refuse(text, "expected numbers with units (ns, us, ms, s, min, h, d, w)")
  end
  while rest ~= "" do
    local number, name, after = rest:match("^(%d*%.?%d*)(%a+)(.*)$")
    local n = tonumber(number)
    if not n or not seconds[name] then
      refuse(text, "expected numbers with units (ns, us, ms, s, min, h, d, w)")
    end
    -- dividing by a whole number of parts is exact where multiplying is not
    if seconds[name] < scale then
      total = total + n / math.floor(scale / seconds[name] + 0.5)
    else
      total = total + n * math.floor(seconds[name] / scale + 0.5)
    end
    rest = after
  end
  return total
end

return m
