-- A handler of a server: what it takes, and how it is called. The limit on its
-- time and the further tries are put around its function once, when it is
-- declared, so that a handler without any costs nothing more.
local argument = require "moondial.argument"
local core = require "moondial.core"

local m = {}

-- The options of a handler, which a server has as defaults; false is none.
m.options = {
  { "timeout", argument.duration, none = true },
  { "retry", argument.table, none = true },
  { "concurrent", argument.count },
}

local retry_options = {
  { "times", argument.count },
  { "delay", argument.duration },
  { "backoff", argument.number },
}

-- check_retry(call, retry)
-- Refuses what does not say how to try again.
function m.check_retry(call, retry)
  if retry then
    argument.options(call .. ": retry", retry, retry_options)
    argument.check(call .. ": retry", argument.count, retry.times, "times")
  end
end

local function limited(fn, timeout)
  return function(...)
    core.timeout(timeout, fn, ...)
  end
end

-- The last try is not protected, so that its error is raised where it is.
local function tried(fn, retry)
  return function(...)
    local delay = retry.delay or 0
    for _ = 1, retry.times do
      if pcall(fn, ...) then
        return
      end
      core.sleep(delay)
      delay = delay * (retry.backoff or 1)
    end
    fn(...)
  end
end

-- own(options, defaults, name) -> the option's value, or the default
function m.own(options, defaults, name)
  if options[name] ~= nil then
    return options[name]
  end
  return defaults[name]
end

-- call(fn, options, defaults) -> function
-- fn with its limit, which is one for each try, and its tries.
function m.call(fn, options, defaults)
  local timeout = m.own(options, defaults, "timeout")
  local retry = m.own(options, defaults, "retry")
  if timeout then
    fn = limited(fn, timeout)
  end
  if retry then
    fn = tried(fn, retry)
  end
  return fn
end

-- -- patterns --------------------------------------------------------

-- Whether what is equal to it alone matches, and two of them are told apart.
local plain = { string = true, number = true, boolean = true }

-- clause(patterns, fn) -> clause
function m.clause(patterns, fn)
  local clause = table.move(patterns, 1, patterns.n, 1, {})
  clause[patterns.n + 1] = fn
  return clause
end

-- equal(a, b) -> boolean
-- Two lists of patterns {n =, ...} are equal, item by item.
function m.equal(a, b)
  for i = 1, math.max(a.n, b.n) do
    if not rawequal(a[i], b[i]) then
      return false
    end
  end
  return a.n == b.n
end

-- apart(a, b) -> boolean
-- No message is taken by both lists of patterns: a literal says so.
function m.apart(a, b)
  for i = 1, math.min(a.n, b.n) do
    local x, y = a[i], b[i]
    if plain[type(x)] and plain[type(y)] and x ~= y then
      return true
    end
  end
  return false
end

-- patterns(call, list)
-- Refuses what can be no pattern: nil would be a misspelt name more often than
-- a literal.
function m.patterns(call, list)
  if list.n == 0 then
    argument.refuse(
      call,
      'expected patterns before the function, as in s:handle("ping", fn); '
        .. "s:otherwise(fn) takes what no handler takes"
    )
  end
  for i = 1, list.n do
    local p = list[i]
    local place = " as argument " .. i
    if p == nil or p ~= p then
      local what = "a literal, md._ or md.is.*" .. place
      argument.expect(call, false, what, p)
    elseif type(p) == "function" then
      argument.refuse(
        call,
        "expected one function, after the patterns, got another" .. place
      )
    end
  end
end

-- reach(handlers, patterns, fn)
-- Refuses patterns that the core refuses, and those that would never be met
-- behind the handlers that there are.
function m.reach(handlers, patterns, fn)
  local list = { m.clause(patterns, fn) }
  core.clauses(list)
  for _, it in ipairs(handlers) do
    if it.patterns.n > 0 then
      table.insert(list, #list, m.clause(it.patterns, fn))
    end
  end
  if not pcall(core.clauses, list) then
    argument.refuse(
      "handle",
      "a handler that was declared before takes every message that this one "
        .. "would; declare this one first, or leave it out"
    )
  end
end

return m
