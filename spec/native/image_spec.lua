-- What an image holds of C, and what it refuses to.
local host = require "spec.host.support"
local image = require "spec.image.support"

local begin = [[
local md = require "moondial"
local ffi = require "moondial.ffi"
ffi.cdef "double cbrt(double); void *malloc(size_t); void free(void *);\
  typedef struct { int n; const char *s; void *p; } thing;\
  char *getenv(const char *); int abs(int);"
]]

-- Runs a model that saves, then resumes the image; both outputs.
local function twice(text, env)
  return image.folder(function(folder)
    folder:write("model.lua", begin .. text)
    local first = folder:run "--audit model.lua"
    local second = folder:run("resume --audit run.mdi", env)
    return first.out .. first.err, second.out .. second.err
  end)
end

local function refused(text)
  return host.run(begin .. text .. "\nprint(pcall(md.save, 'run.mdi'))").out
end

describe("an image", function()
  it("holds objects, types, functions and libraries", function()
    local first, second = twice [[
      local m, cbrt = ffi.load "m", ffi.load("m").cbrt
      local vector = ffi.metatype("struct { double x; }", {
        __add = function(a, b) return a.x + b.x end })
      local a = ffi.new("int[4]", 1, 2, 3, 4)
      local p, v, abs = ffi.cast("int *", a) + 1, vector(3), ffi.C.abs
      local cut = ffi.new("thing *[2]")
      local t = ffi.new("thing", { n = 3, s = "text", p = a })
      print(cbrt(8), abs(-3))
      md.spawn(function()
        md.sleep(1)
        print(md.save "run.mdi")
        print(cbrt(27) > 2.9, m.cbrt == cbrt, abs(-7), ffi.C.abs(-8))
        print(p[1], v + vector(4), ffi.string(t.s), cut[1] == ffi.null)
        local _, why = pcall(function() return a[4] end)
        print(ffi.cast("int *", t.p)[3], tostring(why):match "out of bounds")
        ffi.cdef "int toupper(int);"
        print(ffi.C.toupper(97))
      end)
      md.run()]]
    local rest = [[
true	true	7	8
3	7.0	text	true
4	out of bounds
65
]]
    assert.equal("2.0\t3\nsaved\n" .. rest, first)
    assert.equal("resumed\n" .. rest, second)
  end)

  it("says which library is missing when it is resumed", function()
    local first, second = image.folder(function(folder)
      local cache = "XDG_CACHE_HOME=" .. folder:path "cache"
      folder:write("model.lua", begin .. [[
        local c = ffi.compile "int three(void) { return 3; }"
        print(c.three())
        md.spawn(function()
          print(md.save "run.mdi")
          print(pcall(c.three))
        end)
        md.run()]])
      local first = folder:run("model.lua", cache).out
      folder:shell "rm -r cache"
      return first, folder:run("resume run.mdi", cache).out
    end)
    assert.equal("3\nsaved\ntrue\t3\n", first)
    assert.matches(
      "^resumed\nfalse\t.-cannot load the library '.-%.so'",
      second
    )
  end)

  it("refuses pointers into C's memory, and says whose", function()
    assert.matches(
      "save: a 'void %*' that 'malloc' returned leads into memory",
      refused "p = ffi.C.malloc(10)"
    )
    assert.matches(
      "a 'char %*' that 'getenv' returned",
      refused "p = ffi.C.getenv 'PATH'"
    )
    assert.matches(
      "a 'thing' has a pointer into memory of C's",
      refused "t = ffi.new('thing', { p = ffi.C.malloc(1) })"
    )
    assert.matches(
      "a 'void %*%[%?%]' has a pointer",
      refused "t = ffi.new('void *[?]', 9, {}); t[8] = ffi.C.malloc(1)"
    )
    assert.matches(
      "a 'double %(%*%)%(double%)' that 'cbrt' returned leads",
      refused "f = ffi.cast('double (*)(double)', ffi.load('m').cbrt)"
    )
  end)

  it("refuses callbacks that C may know", function()
    local text = "f = ffi.cast('int (*)(int)', function() return 1 end) "
    assert.matches(
      "C knows a callback of type 'int %(%*%)%(int%)'",
      refused(text)
    )
    assert.equal("true\tsaved\n", refused(text .. "f:free()"))
  end)

  it("is saved once they are let go of", function()
    assert.equal(
      "true\tsaved\n",
      refused "do local p = ffi.C.malloc(10); ffi.C.free(p) end"
    )
    assert.equal(
      "true\tsaved\n",
      refused "local t = ffi.new('thing', { p = ffi.C.malloc(1) }) t.p = nil"
    )
  end)

  it("has nothing in it that leads out", function()
    local first, second = twice [[
      for i = 1, 200 do
        local p = ffi.gc(ffi.C.malloc(i), ffi.C.free)
        local t = ffi.new("thing[2]", { { p = p }, { p = p } })
        local f = ffi.cast("int (*)(int)", function() return i end)
        f(3)
        f:free()
      end
      print(md.save "run.mdi")]]
    assert.equal("saved\n", first)
    assert.equal("resumed\n", second)
  end)

  it("of --save-every is refused as well", function()
    local result = host.run(begin .. [[
      p = ffi.C.malloc(10)
      md.spawn(function() md.sleep(3) end)
      md.run()]], { options = "run --save-every 1" })
    assert.matches(
      "cannot save: a 'void %*' that 'malloc' returned",
      result.err
    )
    assert.equal(0, result.status)
  end)

  it("in memory may have them: the process is the same", function()
    local result = host.run(begin .. [[
      local p = ffi.cast("int *", ffi.C.malloc(8))
      local f = ffi.cast("int (*)(int)", function(x) return x + 1 end)
      p[0] = 1
      if md.checkpoint "a" == "taken" then
        p[0] = f(1)
        md.rewind "a"
      end
      print(p[0], f(5), ffi.C.abs(-1))
      print(md.branch(function() return ffi.C.abs(-3) + f(1) end))]])
    assert.equal("2\t6\t1\n5\n", result.out, result.err)
  end)
end)

describe("moondial.ffi", function()
  it("is not there with --sandbox", function()
    local result = host.run(
      "print(pcall(require, 'moondial.ffi'))",
      { options = "--sandbox" }
    )
    assert.matches(
      "^false\t.-moondial.ffi is not there with %-%-sandbox",
      result.out
    )
  end)

  it("prints no address in an error", function()
    local result = host.run(begin .. "ffi.C.abs(ffi.new 'thing')")
    assert.matches(
      "model.lua:%d+: abs: expected an integer %(int%) as argument"
        .. " 1, got a 'thing'",
      result.err
    )
  end)

  it("takes memory from the model's limit", function()
    local result = host.run(
      begin .. "print(pcall(ffi.new, 'char[?]', 100000000))",
      { options = "--memory 20M" }
    )
    assert.matches("^false\tout of memory", result.out)
  end)
end)
