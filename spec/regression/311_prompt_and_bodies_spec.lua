-- :where and :locals of a process in C tell where it is; they said that it had
-- ended.
local image = require "spec.image.support"
local program = require("spec.host.support").program

describe("the prompt", function()
  it("says where a process in C is", function()
    image.folder(function(folder)
      folder:write(
        "model.lua",
        [==[
local md = require "moondial"
local c = require("moondial.ffi").compile [[
#include <moondial.h>
void nap(md_process *p) {
  MD_BEGIN(p);
  MD_SLEEP(p, 5);
  MD_END(p);
}
]]
md.spawn_native({ name = "cat" }, c.nap)]==]
      )
      folder:write("input", "md.run(1)\n:where cat\n:locals cat\n")
      folder:shell(("timeout 60 %s repl model.lua <input >out"):format(program))
      local out = folder:read "out"
      local where = "in C: nap of a compiled text, near line 4"
      local _, times = out:gsub(where, "")
      assert.equal(2, times, out)
    end)
  end)
end)
