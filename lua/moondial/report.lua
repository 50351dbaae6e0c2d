-- The report of a run: what resources, stores, containers and inboxes have kept
-- of themselves, the statistics that the model hands over, and who has not
-- finished.
local argument = require "moondial.argument"
local core = require "moondial.core"
local inboxes = require "moondial.inboxes"
local inside = require "moondial.inside"
local text = require "moondial.stats.text"

local m = {}

local collect = collectgarbage
local MOST <const> = 10 -- kinds of waits that are shown

-- A section: what the things are, and its columns, {head, field}.
local sections = {
  {
    "resources",
    "md.resource",
    { "units", "capacity" },
    { "used", "used" },
    { "busy", "utilisation" },
    { "served", "served" },
    { "wait", "mean_wait" },
    { "longest", "max_wait" },
    { "gave up", "reneged" },
    { "line", "queue_length" },
    { "mean", "mean_queue" },
  },
  {
    "stores",
    "md.store",
    { "items", "count" },
    { "mean", "mean_level" },
    { "max", "max_level" },
    { "puts", "puts" },
    { "gets", "served" },
    { "wait", "mean_wait" },
    { "gave up", "reneged" },
    { "getters", "getting_length" },
    { "putters", "putting_length" },
  },
  {
    "containers",
    "md.container",
    { "level", "level" },
    { "mean", "mean_level" },
    { "max", "max_level" },
    { "puts", "puts" },
    { "gets", "served" },
    { "wait", "mean_wait" },
    { "gave up", "reneged" },
    { "getters", "getting_length" },
    { "putters", "putting_length" },
  },
  {
    "inboxes",
    nil,
    { "messages", "level" },
    { "mean", "mean_level" },
    { "max", "max_level" },
    { "taken", "taken" },
    { "a unit", "rate" },
    { "dropped", "dropped" },
    { "wait", "mean_wait" },
    { "longest", "max_wait" },
  },
}

local tallies = {
  { "count", "count" },
  { "mean", "mean" },
  { "sd", "sd" },
  { "min", "min" },
  { "max", "max" },
}
local levels = { { "value", "value" }, table.unpack(tallies, 2) }
local values = { tally = tallies, level = levels }

-- -- the figures -----------------------------------------------------

-- The rows of a section, in the order in which the things were made; each is a
-- table of the fields that are its columns, and is known by its name, too.
local function rows_of(section, things)
  local rows = {}
  for _, thing in ipairs(things) do
    local kind = getmetatable(thing).__name
    if kind == section[2] then
      local row = { thing = thing }
      for i = 3, #section do
        row[section[i][2]] = thing[section[i][2]]
      end
      rows[#rows + 1] = row
      row.name = thing.name or ("%s %d"):format(kind:sub(4), #rows)
      rows[row.name] = rows[row.name] or row
    end
  end
  return rows
end

-- What nobody knows any more is in no report, whenever it goes; but who only
-- looks does not wait for a collection.
local function things_of(sim, looks)
  if not looks and next(inside.things(sim)) then
    collect()
  end
  local numbers, list = {}, {}
  local things = inside.things(sim)
  for number in pairs(things) do
    numbers[#numbers + 1] = number
  end
  table.sort(numbers)
  for i, number in ipairs(numbers) do
    list[i] = things[number]
  end
  return list
end

-- -- the text --------------------------------------------------------

-- Four digits, which the means of a run have at best.
local function short(x)
  if math.type(x) == "float" then
    return ("%.4g"):format(x)
  end
  return text.number(x)
end

local function block(title, columns, rows, value)
  local lines = { { title } }
  for i, column in ipairs(columns) do
    lines[1][i + 1] = column[1]
  end
  for _, row in ipairs(rows) do
    local line = { "  " .. row.name }
    for _, column in ipairs(columns) do
      line[#line + 1] = short(value(row, column[2]))
    end
    lines[#lines + 1] = line
  end
  return text.columns(lines, 1)
end

local function figure(row, field)
  return row[field]
end

local function show_values(parts, given)
  for _, kind in ipairs { "tally", "level" } do
    local rows = {}
    for _, row in ipairs(given) do
      if row.kind == kind then
        rows[#rows + 1] = row
      end
    end
    if #rows > 0 then
      local title = kind == "tally" and "tallies" or "levels"
      parts[#parts + 1] = block(title, values[kind], rows, function(row, field)
        return row.value[field]
      end)
    end
  end
  for _, row in ipairs(given) do
    if not values[row.kind] then
      parts[#parts + 1] = row.name .. ": " .. tostring(row.value)
    end
  end
end

local function show_unfinished(report)
  local u, lines = report.unfinished, {}
  local total = u.waiting + u.sleeping + u.ready + u.running
  if total == 0 then
    return "unfinished: nobody"
  end
  local said = "unfinished: %d (%d waiting, %d sleeping, %d ready or running)"
  lines[1] = said:format(total, u.waiting, u.sleeping, u.ready + u.running)
  for i, wait in ipairs(u.waits) do
    if i > MOST then
      lines[#lines + 1] = ("  and %d more kinds of waits"):format(
        #u.waits - MOST
      )
      break
    end
    local who = wait.count == 1 and "%s waits for %s"
      or "%s and " .. wait.count - 1 .. " more wait for %s"
    lines[#lines + 1] = "  " .. who:format(wait.first, wait.waiting)
  end
  return table.concat(lines, "\n")
end

local function show(report)
  local ended = report.outcome and ", " .. report.outcome or ""
  local at = ("time %s %s%s"):format(
    text.number(report.time),
    report.unit,
    ended
  )
  local parts = { at }
  for _, section in ipairs(sections) do
    local rows = report[section[1]]
    if #rows > 0 then
      local columns = { table.unpack(section, 3) }
      local shown, more = rows, 0
      if section[1] == "inboxes" then
        shown, more = inboxes.fullest(rows)
      end
      parts[#parts + 1] = block(section[1], columns, shown, figure)
        .. (more > 0 and ("\n  and %d more"):format(more) or "")
    end
  end
  show_values(parts, report.values)
  parts[#parts + 1] = show_unfinished(report)
  return table.concat(parts, "\n\n")
end

local report_meta = { __name = "report", __tostring = show }

local function values_of(given)
  local names, rows = {}, {}
  argument.values("report", given)
  for name in pairs(given or {}) do
    argument.check("report", argument.text, name, "name of a value")
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = given[name]
    local meta = getmetatable(value)
    local kind = type(meta) == "table" and meta.__name or type(value)
    rows[i] = { name = name, kind = kind, value = value }
  end
  return rows
end

local fields = {
  { "values", argument.table },
  {
    "print",
    {
      "a boolean",
      function(x)
        return type(x) == "boolean"
      end,
    },
  },
}

local function report_of(sim, given, looks)
  local report = {
    time = core.now(sim),
    unit = select(2, core.precision(sim)),
    outcome = inside.outcome(sim),
    values = values_of(given),
    unfinished = inside.unfinished(sim),
  }
  local things = things_of(sim, looks)
  for _, section in ipairs(sections) do
    local kind = section[2]
    report[section[1]] = kind and rows_of(section, things) or inboxes.rows(sim)
  end
  return setmetatable(report, report_meta)
end

--- look() -> report
--- The same for who looks at the current sim from the prompt.
function m.look()
  return report_of(core.current(), nil, true)
end

--- report{values=, print=} -> report
--- Prints, unless print is false, and returns what the run has come to: tables
--- of the resources, stores and containers that are known or have a name, of
--- the inboxes in which a message has lain or that have dropped one (the
--- fullest, and those of ended processes together by name), of `values`
--- ({wait = tally}), and how many processes have not finished, and for what
--- they wait. The report has the time, the unit, the outcome, lists of rows as
--- resources, stores, containers, inboxes, whose columns are fields
--- (report.resources.till.served), and unfinished; tostring gives the text.
--- Raises usage for another option.
---   md.resource { name = "till" } md.report()
function m.report(...)
  local sim, options = argument.sim(...)
  sim = sim or core.current()
  options = argument.options("report", options, fields)
  local report = report_of(sim, options.values)
  if options.print ~= false then
    print(show(report))
    m.printed = report
  end
  return report
end

return m
