-- ffi.compile: inline C, and its cache.
local host = require "spec.host.support"

local function run(text, env)
  return host.run("local ffi = require 'moondial.ffi'\n" .. text, {
    env = "XDG_CACHE_HOME=$PWD/cache " .. (env or ""),
  })
end

describe("ffi.compile", function()
  it("compiles a text once, and declares what it defines", function()
    local result = run [[
      local text = "#include <stdlib.h>\ntypedef struct { int a; } t;\n"
        .. "static int two = 2; static const int MOST = 9;\nint count = 5;\n"
        .. "enum { FIRST = 1 };\nconst char *name(void) { return \"a;{\"; }\n"
        .. "static int help(int x) { if (x) { x++; } return x; }\n"
        .. "/* { */ int twice(t x)\n{ return two * help(x.a) - two; }\n"
      local c = ffi.compile(text)
      print(c.twice({ 21 }), ffi.string(c.name()), c.count, ffi.C.MOST)
      print(ffi.C.FIRST, ffi.compile(text).twice({ 1 }))
      local pipe = io.popen "ls cache/moondial; CC=false true"
      local list = pipe:read "a"
      pipe:close()
      print(select(2, list:gsub("%.so\n", "")), list:find "new" == nil)]]
    assert.equal("42\ta;{\t5\t9\n1\t2\n1\ttrue\n", result.out, result.err)
  end)

  it("declares what it is told to instead", function()
    local result = run [[
      local c = ffi.compile("#define F(n) int n(void) { return 3; }\nF(x)",
        "int x(void);")
      print(c.x())]]
    assert.equal("3\n", result.out, result.err)
  end)

  it("shows what the compiler says, with the text's lines", function()
    local result = run [[ffi.compile "int a;\nint f(void) { return b; }"]]
    assert.equal(1, result.status)
    assert.matches(
      "model.lua:2: compile: cc could not compile this",
      result.err
    )
    assert.matches("text:2:%d+: error: .-b.- undeclared", result.err)
    assert.is_nil(result.err:find("new%.%w"))
  end)

  it("uses $CC, and says when there is none", function()
    local result = run([[ffi.compile "int a;"]], "CC=no-such-compiler")
    assert.matches("no%-such%-compiler could not compile this", result.err)
    assert.matches("not found", result.err)
  end)

  it("says where it cannot write", function()
    local result = host.run(
      "require('moondial.ffi').compile 'int a;'",
      { env = "XDG_CACHE_HOME=/proc/none" }
    )
    assert.matches("cannot make the folder /proc/none/moondial", result.err)
    result = host.run(
      "require('moondial.ffi').compile 'int a;'",
      { env = "-u HOME -u XDG_CACHE_HOME" }
    )
    assert.matches("set XDG_CACHE_HOME or HOME", result.err)
  end)

  it("wants texts", function()
    local result = run [[
      print(select(2, pcall(ffi.compile, 3)))
      print(select(2, pcall(ffi.compile, "int a;", 3)))]]
    assert.matches("expected a text of C, got 3", result.out)
    assert.matches("expected a text of declarations, got 3", result.out)
  end)
end)
