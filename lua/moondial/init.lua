-- moondial: what a model requires. The functions of the core are in C; those
-- here are added to them. A function of md acts on the current sim, and is a
-- method of every sim as well.
local core = require "moondial.core"
local time = require "moondial.time"

-- A kind that is misspelt would be nil, which waits for a nil for ever.
setmetatable(core.is, {
  __index = function(_, kind)
    error(
      core.failure(
        "usage",
        "md.is has no '"
          .. tostring(kind)
          .. "'; there are number, integer, string, boolean, table, func, pid "
          .. "and ref"
      ),
      0
    )
  end,
})

core.time = time.read
core.help = require "moondial.help"

-- What a model may never ask for is read when it does: name = module.
local modules = {
  dispatcher = "moondial.dispatcher",
  compact = "moondial.template",
  emit = "moondial.template",
  queue = "moondial.queue",
  report = "moondial.report",
  reload = "moondial.reload",
  reset_statistics = "moondial.statistics",
  server = "moondial.server",
  scope = "moondial.scope",
  stats = "moondial.stats",
  supervisor = "moondial.supervisor",
  template = "moondial.template",
  use = "moondial.template",
}

-- The model may give `require` another meaning.
local require = require

return setmetatable(core, {
  __index = function(md, name)
    local module = modules[name]
    if module then
      rawset(md, name, require(module)[name])
      return rawget(md, name)
    end
  end,
})
