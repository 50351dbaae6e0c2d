-- Processes in C that do what they must not, and what is left of them.
local ffi = require "moondial.ffi"
local image = require "spec.image.support"
local md = require "moondial"

local source = [[
#include <moondial.h>
/* ignores that it has to wait for room */
void deaf(md_process *p) {
  md_pid to = md_get_pid(p, p->arguments, 0);
  for (int i = 0; i < 4; i++) md_send(p, to, MD_VALUES(md_integer(i)));
}
void becomes(md_process *p) {
  md_invoke(p, "become", 1, p->arguments->values);
}
void sends(md_process *p) {
  static const md_value nothing[300];
  md_send(p, md_get_pid(p, p->arguments, 0), 256, nothing);
}
void writes(md_process *p) {
  static const char *const columns[] = {"x", "y"};
  if (p->arguments->count == 0)
    md_results(p, MD_VALUES(md_integer(md_recorder(p, "t", 2, columns))));
  else
    md_record(p, (int)md_get_integer(p, p->arguments, 0),
              MD_VALUES(md_number(1), md_number(2)));
}
void luckless(md_process *p) {
  md_exponential(p, NULL, 1);
}
void large(md_process *p) {
  size_t size = (size_t)md_get_integer(p, p->arguments, 0);
  char *bytes = (char *)md_memory(p, size);
  MD_BEGIN(p);
  memset(bytes, 1, size);
  *(char *)md_memory(p, size) = 2;
  if (*bytes != 2) md_fail(p, "another place");
  MD_SLEEP(p, 1);
  MD_FINALLY(p);
  bytes[size - 1] = 3;
  MD_END(p);
}
]]
local c = ffi.compile(source)

local function joined(sim, p)
  local got
  sim:spawn({ priority = -1 }, function()
    got = table.pack(pcall(md.join, p))
  end)
  sim:run()
  return table.unpack(got, 1, got.n)
end

describe("a process in C that errs", function()
  it("leaves no message in line when it waits twice for room", function()
    local sim, got = md.sim {}, {}
    local slow = sim:spawn({ inbox = 1 }, function()
      md.sleep(1)
      for i = 1, 9 do
        got[i] = md.wait()
        md.sleep(1)
      end
    end)
    local p = sim:spawn_native(c.deaf, slow)
    local ok, err = joined(sim, p)
    assert.is_false(ok)
    assert.matches("the body waits already", err.message)
    assert.same({ 0 }, got)
    sim:send(slow, "more")
    sim:run()
    assert.same({ 0, "more" }, got)
  end)

  it("cannot become another function", function()
    local sim = md.sim {}
    local ok, err = joined(sim, sim:spawn_native(c.becomes, print))
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    assert.matches("become: a C process has no function", err.message)
  end)

  it("sends one in C as many values as it may, traced or not", function()
    local sim = md.sim {}
    local sink = sim:spawn_native(c.large, 9)
    local ok, err = joined(sim, sim:spawn_native(c.sends, sink))
    assert.is_false(ok)
    assert.matches("at most 255 values, got 256", err.message)
  end)

  it("writes to no recorder of another sim", function()
    local first, second = md.sim {}, md.sim {}
    local ok, id = joined(first, first:spawn_native(c.writes))
    assert.is_true(ok)
    local err
    ok, err = joined(second, second:spawn_native(c.writes, id))
    assert.is_false(ok)
    assert.matches("expected what md_recorder has returned in", err.message)
    assert.same({ true }, { joined(first, first:spawn_native(c.writes, id)) })
    assert.equal(1, #first:records "t")
  end)

  it("draws from no stream that it has not got", function()
    local sim = md.sim {}
    local ok, err = joined(sim, sim:spawn_native(c.luckless))
    assert.is_false(ok)
    assert.matches("md_exponential: expected a stream", err.message)
  end)

  it("ends by it when there is no memory for its own", function()
    image.folder(function(folder)
      folder:write(
        "model.lua",
        "local c = require 'moondial.ffi'.compile [["
          .. source
          .. [==[]]
        local md = require "moondial"
        local sim = md.sim { on_error = "isolate" }
        for _, size in ipairs { 50000, 1 << 28, 1 << 20, 3 << 30 } do
          local p = sim:spawn_native(c.large, size)
          sim:spawn({ priority = -1 }, function()
            local ok, err = pcall(md.join, p)
            print(ok, ok or err.kind)
          end)
          sim:run()
        end]==]
      )
      local result = folder:run "--memory 64M model.lua"
      assert.equal(
        "true\ttrue\nfalse\tmemory\ntrue\ttrue\nfalse\tmemory\n",
        result.out,
        result.err
      )
    end)
  end)
end)

describe("a sim that is dropped", function()
  it("gives back what its processes in C had", function()
    image.folder(function(folder)
      folder:write(
        "model.lua",
        "local c = require 'moondial.ffi'.compile [["
          .. source
          .. [==[]]
        local md = require "moondial"
        for i = 1, 200 do
          local sim = md.sim {}
          for _ = 1, 20 do
            local p = sim:spawn_native(c.large, 20000)
            sim:send(p, "text", ("x"):rep(9000), {})
            sim:spawn_native(c.writes)
          end
          sim:run(0.5)
          sim = nil
          if i % 10 == 0 then collectgarbage() end
        end
        print "done"]==]
      )
      local result = folder:run "--memory 40M model.lua"
      assert.equal("done\n", result.out, result.err)
    end)
  end)
end)
