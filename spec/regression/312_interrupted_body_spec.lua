-- A body for which there is always a message is stopped by Ctrl-C.
local image = require "spec.image.support"
local program = require("spec.host.support").program

describe("Ctrl-C", function()
  it("stops a body that waits only for what is there", function()
    image.folder(function(folder)
      folder:write(
        "model.lua",
        [==[
local md = require "moondial"
local c = require("moondial.ffi").compile [[
#include <moondial.h>
void busy(md_process *p) {
  MD_BEGIN(p);
  for (;;) MD_RECEIVE_WITHIN(p, MD_ANY, MD_ANYBODY, 0);
  MD_END(p);
}
]]
md.spawn_native(c.busy)
md.run()]==]
      )
      local line = "timeout -s INT -k 5 2 %s model.lua 2>err"
      folder:shell(line:format(program))
      assert.matches("interrupted by Ctrl%-C", folder:read "err")
    end)
  end)
end)
