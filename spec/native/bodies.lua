-- The processes in C for the specs: bodies.c, compiled once and kept.
local ffi = require "moondial.ffi"

local file <close> = assert(io.open "spec/native/bodies.c")

return ffi.compile(file:read "a")
