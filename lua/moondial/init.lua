-- moondial: what a model requires. The functions of the core are in C; those
-- here are added to them. A function of md acts on the current sim, and is a
-- method of every sim as well.
local core = require "moondial.core"
local time = require "moondial.time"

core.time = time.read
core.help = require "moondial.help"

return core
