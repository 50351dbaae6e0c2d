-- moondial.h with the compilers and the standards that libraries use: it gives
-- no warning, and a body in C++ is as one in C.
local image = require "spec.image.support"

local file <close> = assert(io.open "src/native/moondial.h")
local header = file:read "a"

local source = [[
#include <moondial.h>
#ifdef __cplusplus
extern "C" {
#endif
void twice(md_process *p);
void closes(md_process *p);
#ifdef __cplusplus
}
#endif
void twice(md_process *p) {
  int64_t *n = (int64_t *)md_memory(p, sizeof *n);
  MD_BEGIN(p);
  for (*n = 0; *n < 2; ++*n) {
    MD_SLEEP(p, md_get_number(p, p->arguments, 0));
    if (*n == 1) MD_SEND(p, md_self(p), md_text("hi"), md_integer(*n));
    else MD_YIELD(p);
  }
  MD_RECEIVE(p, md_tag_of("hi"), MD_ANYBODY);
  MD_ASK_WITHIN(p, 1, md_get_pid(p, p->arguments, 1), md_text("say"));
  md_results(p, MD_VALUES(md_number(md_now(p)), p->message->values[1]));
  MD_END(p);
}
void closes(md_process *p) {
  MD_BEGIN(p);
  for (;;) MD_YIELD(p);
  MD_FINALLY(p);
  md_fail(p, "closed %d", 1);
  MD_END(p);
}
]]

local model = [[
local md = require "moondial"
local ffi = require "moondial.ffi"
ffi.cdef "md_body twice;"
local c = ffi.load "./twice.so"
local echo = md.spawn(function()
  local from, ref = md.wait "say"
  md.reply(from, ref, "said")
end)
md.spawn(function() print(md.join(md.spawn_native(c.twice, 1.5, echo))) end)
md.run()
]]

local flags = " -Wall -Wextra -Werror -pedantic -Wimplicit-fallthrough -Wshadow"
  .. " -Wconversion -I. -shared -fPIC -o twice.so -x "

-- As many of the commands as there are here, each with a language.
local languages = {
  c = { commands = { "gcc", "clang" }, standards = { "c99", "c11", "c17" } },
  ["c++"] = {
    commands = { "g++", "clang++" },
    standards = { "c++11", "c++17", "c++20" },
  },
}

describe("moondial.h", function()
  for language, with in pairs(languages) do
    it("is read in " .. language .. " without a warning", function()
      image.folder(function(folder)
        folder:write("moondial.h", header)
        folder:write("twice.c", source)
        folder:write("model.lua", model)
        for _, command in ipairs(with.commands) do
          local found = os.execute("command -v " .. command .. " >/dev/null")
          for _, standard in ipairs(found and with.standards or {}) do
            local line = command .. " -std=" .. standard .. flags .. language
            assert.equal(0, folder:shell(line .. " twice.c") or 0, line)
            local result = folder:run "model.lua"
            assert.equal("3.0\tsaid\n", result.out, result.err)
          end
        end
      end)
    end)
  end
end)
