-- Objects, pointers, conversions, bounds.
local ffi = require "moondial.ffi"
local support = require "spec.native.support"

local refuses = support.refuses

ffi.cdef [[
  typedef struct { int x, y; } v_point;
  typedef struct { v_point from, to; const char *name; } v_line;
  struct v_mixed { char c; union { int i; float f; }; v_point in[2]; bool b; };
  enum v_color { V_RED, V_GREEN = 5 };
  struct v_tail { int n; short data[?]; };
  struct v_open;
]]

describe("ffi.new", function()
  it("makes zeroes", function()
    local p = ffi.new "v_point"
    assert.equal(0, p.x + p.y)
    assert.is_true(ffi.new("char *") == ffi.null)
  end)

  it("takes values in their order, by name, as a list, one for all", function()
    local a = ffi.new("int[3]", 1, 2)
    assert.same({ 1, 2, 0 }, { a[0], a[1], a[2] })
    a = ffi.new("int[3]", { 4, 5, 6 })
    assert.same({ 4, 5, 6 }, { a[0], a[1], a[2] })
    a = ffi.new("int[3]", { [0] = 4, 5 })
    assert.same({ 4, 5, 0 }, { a[0], a[1], a[2] })
    a = ffi.new("int[3]", 7)
    assert.same({ 7, 7, 7 }, { a[0], a[1], a[2] })
    a = ffi.new("int[3]", { 7 })
    assert.same({ 7, 7, 7 }, { a[0], a[1], a[2] })
    local line = ffi.new("v_line", { to = { 1, 2 }, from = { y = 3 } })
    assert.same(
      { 0, 3, 1, 2 },
      { line.from.x, line.from.y, line.to.x, line.to.y }
    )
    local p = ffi.new("v_point", 8, 9)
    assert.same({ 8, 9 }, { p.x, p.y })
    assert.equal(9, ffi.new("v_point", p).y)
    assert.equal(9, ffi.new("v_line", p, p).to.y)
    local grid = ffi.new("int[2][2]", { { 1, 2 }, { 3, 4 } })
    assert.equal(3, grid[1][0])
  end)

  it("takes texts for bytes", function()
    local b = ffi.new("char[?]", 6, "hello")
    assert.equal("hello", ffi.string(b))
    assert.equal("hello", ffi.string(ffi.new("char[5]", "hello"), 5))
    refuses("at most 4 bytes", ffi.new, "char[4]", "hello")
  end)

  it("sees through members without a name", function()
    local m = ffi.new("struct v_mixed", { i = 3, b = true })
    assert.equal(3, m.i)
    m.f = 1
    assert.equal(0x3f800000, m.i)
    assert.is_true(m.b)
    assert.equal(65, ffi.new("struct v_mixed", 65).c)
  end)

  it("takes the length of what is open", function()
    local t = ffi.new("struct v_tail", 4, { n = 4 })
    t.data[3] = 9
    assert.equal(9, t.data[3])
    assert.equal(12, ffi.sizeof(t))
    refuses("index 4 is out of bounds", function()
      return t.data[4]
    end)
    refuses("number of elements of 'struct v_tail'", ffi.new, "struct v_tail")
    refuses(
      "number of elements of 'int [?]' as argument 2, got -1",
      ffi.new,
      "int[?]",
      -1
    )
    refuses("are too many", ffi.new, "int[?]", 1 << 50)
    assert.equal(0, ffi.sizeof(ffi.new("int[?]", 0)))
  end)

  it("says what cannot be made of what", function()
    refuses(
      "expected at most 2 values for 'v_point', got more",
      ffi.new,
      "v_point",
      1,
      2,
      3
    )
    refuses(
      "expected at most 2 values for 'int [2]', got more",
      ffi.new,
      "int[2]",
      { 1, 2, 3 }
    )
    refuses(
      "expected at most 2 values for 'int [2]', got more",
      ffi.new,
      "int[2]",
      1,
      2,
      3
    )
    refuses("'v_point' has no member 'z'", ffi.new, "v_point", { z = 1 })
    refuses("as member 'x', got 'a'", ffi.new, "v_point", { x = "a" })
    refuses("as element 2, got 'a'", ffi.new, "int[3]", { 1, "a" })
    refuses(
      "expected a 'v_point' or a table as member 'from'",
      ffi.new,
      "v_line",
      { from = 3 }
    )
    refuses(
      "the size of 'struct v_open' is not known",
      ffi.new,
      "struct v_open"
    )
    refuses("the size of 'int (int)' is not known", ffi.new, "int(int)")
    refuses("the size of 'void' is not known", ffi.new, "void")
  end)

  it("holds numbers, which tonumber gives", function()
    local n = ffi.new("int", 3)
    assert.equal(3, tonumber(n))
    assert.equal(3, ffi.tonumber(n))
    assert.equal(7, n + 4)
    assert.is_true(n < 4 and n <= 3 and n == ffi.new("long", 3))
    assert.equal(-3, -n)
    assert.equal("cdata<int>: 3", tostring(n))
    assert.equal(5, tonumber "5")
    assert.equal(255, tonumber("ff", 16))
    assert.is_nil(tonumber(ffi.new "int[1]"))
    assert.is_nil(tonumber {})
  end)

  it("keeps an object while a part of it is referred to", function()
    local to = ffi.new("v_line", { to = { 5, 6 } }).to
    local last = ffi.new("int[100]", 3) + 99
    collectgarbage()
    local _ = ffi.new("int[200]", 9)
    assert.equal(6, to.y)
    assert.equal(3, last[0])
  end)

  it("aligns what asks for it", function()
    for _ = 1, 20 do
      local a = ffi.new "struct { char c; int i __attribute__((aligned(64))); }"
      assert.equal(0, ffi.cast("intptr_t", ffi.cast("void *", a)) % 64)
    end
  end)
end)

describe("conversions", function()
  local cases = {
    { "int8_t", 200, -56 },
    { "uint8_t", 300, 44 },
    { "int16_t", 40000, -25536 },
    { "uint16_t", -1, 65535 },
    { "int32_t", 0xffffffff, -1 },
    { "uint32_t", -1, 0xffffffff },
    { "int64_t", math.mininteger, math.mininteger },
    { "uint64_t", -1, -1 },
    { "double", 3, 3.0 },
    { "float", 0.5, 0.5 },
    { "long double", 2.5, 2.5 },
    { "bool", true, true },
    { "enum v_color", "V_GREEN", 5 },
    { "long", 2.0, 2 },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. " keeps what C would", function()
      local box = ffi.new(case[1] .. "[1]", case[2])
      assert.equal(case[3], box[0])
      assert.equal(math.type(case[3]), math.type(box[0]))
    end)
  end

  it("refuses what is no such value", function()
    refuses(
      "expected an integer (int) as initializer, got 2.5, which has no",
      ffi.new,
      "int",
      2.5
    )
    refuses("got nan", ffi.new, "int", 0 / 0)
    refuses("expected an integer (int)", ffi.new, "int", {})
    refuses("expected a number (double)", ffi.new, "double", "3")
    refuses("expected a boolean (bool)", ffi.new, "bool", "yes")
    refuses(
      "an integer or a name (enum v_color)",
      ffi.new,
      "enum v_color",
      "V_BLUE"
    )
    refuses("expected an integer (int)", ffi.new, "int", ffi.new "v_point")
  end)
end)

describe("pointers", function()
  it("lead to elements, from 0 on", function()
    local a = ffi.new("int[4]", 1, 2, 3, 4)
    local p = ffi.cast("int *", a)
    p[1] = 20
    assert.equal(20, a[1])
    assert.equal(3, (p + 2)[0])
    assert.equal(1, (2 + p - 2)[0])
    assert.equal(3, (p + 3) - p)
    assert.is_true(p == a and p + 1 > p and p <= p and p + 1 ~= p)
  end)

  it("lead to members, and through others", function()
    local line = ffi.new("v_line", { from = { 1, 2 } })
    local p = ffi.cast("v_line *", line)
    p.to.x = 9
    assert.equal(9, line.to.x)
    local pp = ffi.new("v_line *[1]", p)
    assert.equal(2, pp[0].from.y)
    assert.equal(2, pp[0][0].from.y)
  end)

  it("stay in bounds that are known", function()
    local a = ffi.new "int[4]"
    refuses(
      "index 4 is out of bounds: this 'int [4]' has the elements 0 to 3",
      function()
        return a[4]
      end
    )
    refuses("index -1 is out of bounds", function()
      a[-1] = 1
    end)
    local p = ffi.cast("int *", a)
    refuses("expected to stay in the 16 bytes of this 'int *'", function()
      return p[4]
    end)
    refuses("expected to stay", function()
      return (p + 5)[-6]
    end)
    refuses("has no elements", function()
      return ffi.new("int[0]")[0]
    end)
    local c = ffi.cast("v_line *", a)
    refuses("expected to stay in the 16 bytes", function()
      return c.name
    end)
  end)

  it("that are null lead nowhere", function()
    local p = ffi.new "v_point *"
    refuses("is a null pointer", function()
      return p.x
    end)
    refuses("is a null pointer", function()
      p.x = 1
    end)
    refuses("is a null pointer", function()
      return p[0]
    end)
    refuses("is a null pointer", ffi.string, ffi.new "char *")
    assert.equal("cdata<v_point *>: NULL", tostring(p))
  end)

  it("to nothing known have no elements", function()
    local p = ffi.cast("void *", ffi.new "int[4]")
    refuses("ffi.cast it", function()
      return p[0]
    end)
    refuses("ffi.cast it", function()
      return p + 1
    end)
    local q = ffi.cast("struct v_open *", p)
    refuses("ffi.cast it", function()
      return q[0]
    end)
    refuses("has no member 'x'", function()
      return q.x
    end)
  end)

  it("to what is const only read", function()
    local p = ffi.cast("const int *", ffi.new("int[2]", 5))
    assert.equal(5, p[1])
    refuses("is const, and cannot be changed", function()
      p[1] = 3
    end)
    refuses("is const", ffi.fill, p, 4)
    local q = ffi.cast("const v_line *", ffi.new "v_line")
    refuses("is const", function()
      q.to.x = 3
    end)
  end)

  it("hold texts that are const", function()
    local line = ffi.new "v_line"
    local name = "a text"
    line.name = name
    assert.equal(name, ffi.string(line.name))
    refuses("copy it: ffi.new", ffi.new, "char *", "x")
    refuses("expected a 'const char *' as value, got 3", function()
      line.name = 3
    end)
  end)

  it("of other types are refused", function()
    refuses(
      "expected a 'char *' as initializer, got a 'int [2]'; ffi.cast",
      ffi.new,
      "char *",
      ffi.new "int[2]"
    )
    refuses(
      "which is const; ffi.cast",
      ffi.new,
      "int *",
      ffi.cast("const int *", nil)
    )
    refuses("got the type 'int'", ffi.new, "int *", ffi.typeof "int")
  end)

  it("are told apart", function()
    refuses("pointers to the same type", function()
      return ffi.cast("int *", nil) - ffi.cast("char *", nil)
    end)
    refuses("cannot be compared", function()
      return ffi.new "v_point" < ffi.new "v_point"
    end)
    refuses("__add cannot be computed", function()
      return ffi.new "v_point" + 1
    end)
    refuses("__mul cannot be computed", function()
      return ffi.cast("int *", nil) * 2
    end)
    refuses("cannot be called", function()
      return ffi.new "v_point"(1)
    end)
    refuses("has no __len", function()
      return #ffi.new "int[2]"
    end)
    refuses("did you mean 'x'?", function()
      return ffi.new("v_point").xx
    end)
    refuses("has no element true", function()
      return ffi.new("v_point")[true]
    end)
    refuses("did you mean", function()
      ffi.new("v_point").z = 1
    end)
  end)
end)

describe("ffi.cast", function()
  it("makes pointers of pointers and numbers", function()
    local p = ffi.cast("char *", 0x1234)
    assert.equal(0x1234, ffi.cast("intptr_t", p))
    assert.equal(-1, ffi.cast("intptr_t", ffi.cast("void *", -1)))
    local s = ffi.cast("const char *", "text")
    assert.equal(120, s[2])
    refuses("expected to stay in the 5 bytes", function()
      return s[5]
    end)
  end)

  it("cuts numbers as C does", function()
    assert.equal(44, ffi.cast("uint8_t", 300))
    assert.equal(-2, ffi.cast("int", -2.7))
    assert.equal(3.0, ffi.cast("double", 3))
    assert.equal(5, ffi.cast("enum v_color", "V_GREEN"))
    assert.is_true(ffi.cast("bool", 3))
    assert.equal(1, ffi.cast("int", true))
  end)

  it("refuses the rest", function()
    refuses("got 'v_point'; ffi.new", ffi.cast, "v_point", 3)
    refuses("expected a 'int *'", ffi.cast, "int *", {})
    refuses("expected a 'int *'", ffi.cast, "int *", 2.5)
    refuses("expected an integer (int)", ffi.cast, "int", {})
    refuses("expected an integer (int)", ffi.cast, "int", ffi.new "v_point")
  end)
end)

describe("bytes", function()
  it("become strings", function()
    local b = ffi.new("char[8]", "ab\0cd")
    assert.equal("ab", ffi.string(b))
    assert.equal("ab\0cd", ffi.string(b, 5))
    assert.equal("text", ffi.string "text")
    assert.equal("\1\0\0\0", ffi.string(ffi.new("int[1]", 1), 4))
    refuses("expected to stay in the 8 bytes", ffi.string, b, 9)
    refuses("expected a pointer to char", ffi.string, ffi.new "int[1]")
    refuses(
      "expected a pointer or an object as argument 1, got 3",
      ffi.string,
      3
    )
    refuses(
      "expected a number of bytes as argument 2, got -1",
      ffi.string,
      b,
      -1
    )
  end)

  it("are copied and filled", function()
    local b = ffi.new "char[8]"
    ffi.copy(b, "hello")
    assert.equal("hello", ffi.string(b))
    ffi.copy(b + 1, b, 3)
    assert.equal("hhelo", ffi.string(b))
    ffi.fill(b, 2, 120)
    assert.equal("xxelo", ffi.string(b))
    ffi.fill(b, 8)
    assert.equal("", ffi.string(b))
    ffi.copy(b, "hello", 2)
    assert.equal("he", ffi.string(b))
    refuses("expected to stay", ffi.copy, b, "hello, world")
    refuses("the text has 2 bytes, not 5", ffi.copy, b, "ab", 5)
    refuses("expected to stay", ffi.copy, b, ffi.new "char[2]", 4)
    refuses("expected to stay", ffi.fill, b + 7, 2)
    refuses("expected an integer", ffi.fill, b, "x")
  end)
end)

describe("ffi.metatype", function()
  it("gives methods and operators", function()
    ffi.cdef "typedef struct { double x, y; } v_vector;"
    local vector
    vector = ffi.metatype("v_vector", {
      __add = function(a, b)
        return vector(a.x + b.x, a.y + b.y)
      end,
      __eq = function(a, b)
        return a.x == b.x and a.y == b.y
      end,
      __lt = function(a, b)
        return a.x < b.x
      end,
      __le = function(a, b)
        return a.x <= b.x
      end,
      __len = function()
        return 2
      end,
      __unm = function(a)
        return vector(-a.x, -a.y)
      end,
      __concat = function(a, b)
        return tostring(a) .. tostring(b)
      end,
      __call = function(a, k)
        return a.x * k
      end,
      __tostring = function(a)
        return ("(%g, %g)"):format(a.x, a.y)
      end,
      __index = {
        norm = function(a)
          return (a.x ^ 2 + a.y ^ 2) ^ 0.5
        end,
      },
    })
    local a = vector(3, 4)
    assert.equal("(4, 6)", tostring(a + vector(1, 2)))
    assert.equal(5.0, a:norm())
    assert.equal(5.0, ffi.cast("v_vector *", a):norm())
    assert.is_true(a == vector(3, 4) and a < vector(4, 0) and a <= a)
    assert.equal(2, #a)
    assert.equal(6.0, a(2))
    assert.equal("(-3, -4)", tostring(-a))
    assert.equal("(3, 4)!", a .. "!")
    refuses("has no member 'nothing'", function()
      return a.nothing
    end)
  end)

  it("makes, indexes, assigns and closes as it is told", function()
    local told = {}
    local counter = ffi.metatype("struct { int n; }", {
      __new = function(ct, n)
        return ffi.new(ct, n + 1)
      end,
      __index = function(_, k)
        return k .. "?"
      end,
      __newindex = function(_, k, v)
        told[k] = v
      end,
      __close = function()
        told.closed = true
      end,
    })
    do
      local c <close> = counter(4)
      assert.equal(5, c.n)
      assert.equal("m?", c.m)
      c.other = 7
    end
    assert.equal(7, told.other)
    assert.is_true(told.closed)
  end)

  it("is for structs and unions", function()
    refuses("expected a struct or union, got 'int'", ffi.metatype, "int", {})
    refuses("expected a table of methods, got nothing", ffi.metatype, "v_point")
  end)
end)

describe("ffi.gc", function()
  it("calls the finalizer once, when nothing refers to it", function()
    local told = {}
    do
      local p = ffi.gc(ffi.new "int[2]", function(c)
        told[#told + 1] = c
      end)
      assert.equal(0, p[1])
    end
    collectgarbage()
    collectgarbage()
    assert.equal(1, #told)
    refuses("has been given back already", function()
      return told[1][0]
    end)
  end)

  it("forgets a finalizer for nil", function()
    local called = false
    do
      local p = ffi.gc(ffi.new "int", function()
        called = true
      end)
      ffi.gc(p, nil)
    end
    collectgarbage()
    assert.is_false(called)
  end)

  it("takes a metatype's __gc", function()
    local n = 0
    local t = ffi.metatype("struct { int v_gc; }", {
      __gc = function()
        n = n + 1
      end,
    })
    for _ = 1, 3 do
      t()
    end
    collectgarbage()
    assert.equal(3, n)
  end)

  it("takes C's own functions", function()
    ffi.cdef "void *malloc(size_t n); void free(void *p);"
    for _ = 1, 10 do
      local p = ffi.gc(ffi.C.malloc(100), ffi.C.free)
      ffi.fill(p, 100, 1)
    end
    collectgarbage()
  end)

  it("says what it cannot watch", function()
    refuses(
      "expected an object or a pointer as argument 1, got 3",
      ffi.gc,
      3,
      print
    )
    refuses(
      "expected a function or nil as argument 2, got 3",
      ffi.gc,
      ffi.new "int",
      3
    )
  end)
end)
