-- moondial.ffi: C from models. What it is made of is in C, in src/host; here is
-- ffi.compile, which has a compiler make a library of a text.
local ffi = require "moondial.native"
local compile = require "moondial.compile"
local inside = require "moondial.inside"

local digest, header = ffi.digest, ffi.header
ffi.digest, ffi.header = nil, nil

-- What of moondial.h the declarations of bodies are made of.
ffi.cdef [[
  typedef uint64_t md_pid;
  typedef uint64_t md_ref;
  typedef uint64_t md_tag;
  typedef struct md_process md_process;
  typedef struct md_message md_message;
  typedef struct md_stream md_stream;
  typedef struct md_value {
    uint32_t type, size;
    union {
      int64_t integer;
      double number;
      uint64_t word;
      const char *text;
    };
  } md_value;
  typedef void md_body(md_process *);
]]

--- ffi.compile(text [, declarations]) -> library
--- Has $CC (cc) compile a text of C, and loads what comes of it. The same text
--- is compiled once, and kept in $XDG_CACHE_HOME/moondial, else in
--- ~/.cache/moondial. What the text defines is declared: its types and the
--- heads of its functions, or instead of these the declarations that are given.
--- It may #include <moondial.h>, for C processes. Raises native with what the
--- compiler says, its lines counted from the text's first.
---   local ffi = require "moondial.ffi"
---   local c = ffi.compile "int twice(int x) { return 2 * x; }"
---   print(c.twice(21))
function ffi.compile(text, declarations)
  if type(text) ~= "string" then
    compile.fail("expected a text of C, got %s", inside.describe(text))
  elseif declarations ~= nil and type(declarations) ~= "string" then
    compile.fail(
      "expected a text of declarations, got %s",
      inside.describe(declarations)
    )
  end
  local path = compile.library(text, digest, header)
  ffi.cdef(declarations or compile.prototypes(text))
  return ffi.load(path)
end

return ffi
