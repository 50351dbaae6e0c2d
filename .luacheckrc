-- Debian's luacheck knows Lua 5.4 and busted.
std = "lua54"
max_line_length = 80
files["spec/**/*_spec.lua"] = { std = "+busted" }
-- an argument's name says what comes, used or not
unused_args = false
-- a <close> variable is there to be closed
ignore = { "211/.*_close", "221/.*_close" }
