-- Scopes: a block that waits for the processes that were started in it. What is
-- done to processes is in C (src/host/scope.c); here is what a model calls.
local core = require "moondial.core"
local inside = require("moondial.inside").scope

local m = {}

local scope = {}
scope.__index = scope
scope.__name = "scope"

function scope.__tostring()
  return "<scope>"
end

local function check(self, method)
  if getmetatable(self) == scope then
    return self.inside
  end
  local text = "scope: expected a scope before the arguments, got a %s; "
    .. "write s:%s(...), with a colon"
  error(core.failure("usage", text:format(type(self), method)), 0)
end

--- scope() -> scope
--- A scope of the process that calls, bound to a block by <close>: the block's
--- end waits for the processes that were spawned in it. An error in one of them
--- kills the others and is raised in the block, where it blocks or at its end,
--- even if it was caught before. An error of the block, a kill, an interrupt or
--- a time limit kills them all; the block is left when they have ended. They
--- are children, whose own errors end no run. A kill of one is no error. Raises
--- usage outside of a process.
---   local s <close> = md.scope()
function m.scope(sim)
  return setmetatable({ inside = inside.open(sim) }, scope)
end

--- scope:spawn([options,] fn, ...) -> pid [, ref]
--- Spawns a process in the scope, with spawn's options. Raises what spawn does,
--- and usage in another process than the scope's own and after its block.
---   local s <close> = md.scope() s:spawn(print, "at work")
function scope:spawn(...)
  local own = check(self, "spawn")
  inside.check(own)
  return inside.adopt(own, inside.child(...))
end

--- scope:join()
--- Waits for the processes of the scope without leaving its block. Raises the
--- error of one, and usage as scope:spawn does.
---   md.scope():join()
function scope:join()
  inside.join(check(self, "join"))
end

--- scope:cancel([reason])
--- Kills the processes of the scope, newest first, for a reason ("shutdown" if
--- none is given). That is no error of the block, which goes on. Any process
--- can do it, one of the scope's own too, and a callback.
---   md.scope():cancel()
function scope:cancel(reason)
  inside.cancel(check(self, "cancel"), reason)
end

function scope:__close(err)
  inside.close(self.inside, err)
end

return m
