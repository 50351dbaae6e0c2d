-- moondial.ffi: C from models. What it is made of is in C, in src/host; here is
-- ffi.compile, which has a compiler make a library of a text.
local ffi = require "moondial.native"

local digest = ffi.digest
ffi.digest = nil

return require "moondial.compile"(ffi, digest)
