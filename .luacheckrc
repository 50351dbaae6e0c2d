-- Debian's luacheck knows Lua 5.4 and busted.
std = "lua54"
max_line_length = 80
files["spec/**/*_spec.lua"] = { std = "+busted" }
-- an argument's name says what comes, used or not
unused_args = false
files["examples"] = { ignore = { "211" } } -- a <close> variable is used by its end
