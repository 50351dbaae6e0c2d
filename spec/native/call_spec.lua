-- Calling C, and being called by it.
local ffi = require "moondial.ffi"
local md = require "moondial"
local support = require "spec.native.support"

local refuses = support.refuses

local c = ffi.compile [[
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
typedef struct { double a; int n; } k_pair;
typedef struct { char c[3]; } k_small;
typedef struct { long v[4]; } k_large;
int8_t k_i8(int8_t x) { return x; }
uint8_t k_u8(uint8_t x) { return x; }
int16_t k_i16(int16_t x) { return x; }
uint16_t k_u16(uint16_t x) { return x; }
uint32_t k_u32(uint32_t x) { return x; }
uint64_t k_u64(uint64_t x) { return x; }
bool k_not(bool x) { return !x; }
float k_half(float x) { return x / 2; }
long double k_third(long double x) { return x / 3; }
void k_nothing(void) {}
double k_many(int a, double b, long c, float d, char e, double f, short g) {
  return a + 10 * b + 100 * c + 1000 * d + 1e4 * e + 1e5 * f + 1e6 * g;
}
long k_nine(int a, int b, int c, int d, int e, int f, int g, int h, int i) {
  return a + b + c + d + e + f + g + 10 * h + 100 * i;
}
k_pair k_swap(k_pair p) { k_pair q = {p.n, (int)p.a}; return q; }
k_small k_next(k_small s) { s.c[1]++; return s; }
k_large k_add(k_large l, long n) { l.v[3] += n; return l; }
int k_length(const char *s) { int n = 0; while (s && *s++) n++; return n; }
int *k_same(int *p) { return p; }
double k_sum(int n, ...) {
  va_list list; double all = 0;
  va_start(list, n);
  while (n-- > 0) all += va_arg(list, double);
  va_end(list);
  return all;
}
int k_fail(int code) { errno = code; return -1; }
int k_apply(int (*f)(int), int x) { return f(x); }
int k_twice(int (*f)(int), int x) { return f(f(x)); }
double k_all(double (*f)(char, double, void *, float, _Bool), void *p) {
  return f(-3, 2.5, p, 0.5f, 1);
}
const char *k_text(const char *(*f)(void)) { return f(); }
int (*k_kept)(int);
void k_keep(int (*f)(int)) { k_kept = f; }
int k_call_kept(int x) { return k_kept(x); }
int k_plus(int x) { return x + 1; }
int (*k_give(void))(int) { return k_plus; }
]]

describe("a call", function()
  it("passes and returns numbers of every size", function()
    assert.equal(-56, c.k_i8(200))
    assert.equal(255, c.k_u8(-1))
    assert.equal(-1, c.k_i16(65535))
    assert.equal(65535, c.k_u16(-1))
    assert.equal(0xffffffff, c.k_u32(-1))
    assert.equal(-1, c.k_u64(-1))
    assert.equal(math.maxinteger, c.k_u64(math.maxinteger))
    assert.is_false(c.k_not(true))
    assert.is_true(c.k_not(0))
    assert.equal(1.25, c.k_half(2.5))
    assert.equal(2.0, c.k_third(6))
    assert.equal(0, select("#", c.k_nothing()))
    assert.equal(7654321.0, c.k_many(1, 2, 3, 4, 5, 6, 7))
    assert.equal(327, c.k_nine(1, 1, 1, 1, 1, 1, 1, 2, 3))
  end)

  it("passes and returns structs", function()
    local p = c.k_swap(ffi.new("k_pair", 3, 4))
    assert.same({ 4.0, 3 }, { p.a, p.n })
    assert.equal(9, c.k_swap({ a = 9 }).n)
    assert.equal(
      "a\99c",
      ffi.string(c.k_next(ffi.new("k_small", { "abc" })).c, 3)
    )
    assert.equal(7, c.k_add(ffi.new("k_large", { { 1, 2, 3, 4 } }), 3).v[3])
    refuses("expected a 'k_pair' or a table as argument 1, got 3", c.k_swap, 3)
  end)

  it("passes pointers, texts and nil", function()
    assert.equal(5, c.k_length "hello")
    assert.equal(0, c.k_length(nil))
    assert.equal(2, c.k_length(ffi.new("char[4]", "ab")))
    local a = ffi.new("int[2]", 7)
    assert.equal(7, c.k_same(a)[1])
    assert.is_true(c.k_same(a) == a)
    assert.is_true(c.k_same(nil) == ffi.null)
  end)

  it("passes what it likes behind ...", function()
    ffi.cdef "int snprintf(char *, size_t, const char *, ...);"
    assert.equal(6.5, c.k_sum(3, 1.5, 2.0, 3.0))
    assert.equal(0.0, c.k_sum(0))
    local b = ffi.new "char[64]"
    local n = ffi.C.snprintf(
      b,
      64,
      "%d %s %g %ld %c %p %d",
      1,
      "two",
      3.5,
      1 << 40,
      65,
      nil,
      true
    )
    assert.equal("1 two 3.5 1099511627776 A (nil) 1", ffi.string(b, n))
    refuses("behind ... C takes numbers", c.k_sum, 1, {})
    refuses("expected 1 argument or more, got 0", c.k_sum)
  end)

  it("names the argument that is wrong, and what was wanted", function()
    refuses(
      "k_i8: expected an integer (signed char) as argument 1, got 'x'",
      c.k_i8,
      "x"
    )
    refuses(
      "k_many: expected a number (double) as argument 2, got nil",
      c.k_many,
      1,
      nil,
      3,
      4,
      5,
      6,
      7
    )
    refuses(
      "k_nine: expected an integer (int) as argument 9, got a table",
      c.k_nine,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      {}
    )
    refuses(
      "k_i8: expected an integer (signed char) as argument 1, got 1.5",
      c.k_i8,
      1.5
    )
    refuses(
      "k_same: expected a 'int *' as argument 1, got a 'char [2]'",
      c.k_same,
      ffi.new "char[2]"
    )
    refuses("k_same: expected a 'int *' as argument 1, got 'x'", c.k_same, "x")
    refuses(
      "k_i8: expected 1 argument, got 2; it is declared as 'signed char "
        .. "(signed char)'",
      c.k_i8,
      1,
      2
    )
    refuses("cannot be passed by value", function()
      ffi.cdef 'int k_union(union { int i; float f; }) __asm__("abs");'
      ffi.C.k_union(1)
    end)
  end)

  it("keeps errno", function()
    ffi.errno(0)
    assert.equal(-1, c.k_fail(33))
    assert.equal(33, ffi.errno(5))
    assert.equal(5, ffi.errno())
  end)

  it("goes through pointers to functions", function()
    local plus = c.k_give()
    assert.equal(4, plus(3))
    assert.equal(4, ffi.cast("int (*)(int)", c.k_plus)(3))
    assert.equal(7, c.k_twice(c.k_plus, 5))
    assert.is_true(plus == c.k_plus)
    refuses("is a null pointer, and cannot be called", function()
      ffi.cast("int (*)(int)", nil)(3)
    end)
    refuses("got a 'int (int)'", function()
      return ffi.new("double (*)(int)", c.k_plus)
    end)
  end)
end)

describe("a callback", function()
  it("is called by C", function()
    local f = ffi.cast("int (*)(int)", function(x)
      return x * 10
    end)
    assert.equal(30, c.k_apply(f, 3))
    assert.equal(300, c.k_twice(f, 3))
    assert.equal(50, f(5))
    f:set(function(x)
      return -x
    end)
    assert.equal(-3, c.k_apply(f, 3))
    f:free()
  end)

  it("gets and returns all kinds of values", function()
    local p = ffi.new "int[1]"
    local f = ffi.cast(
      "double (*)(char, double, void *, float, _Bool)",
      function(a, b, q, d, e)
        assert(a == -3 and b == 2.5 and q == ffi.cast("void *", p))
        assert(d == 0.5 and e == true)
        return 1.5
      end
    )
    assert.equal(1.5, c.k_all(f, p))
    f:free()
    local text = ffi.cast("const char *(*)(void)", function()
      return "hi"
    end)
    assert.equal("hi", ffi.string(c.k_text(text)))
    text:free()
  end)

  it("is made of a function that is passed, once for each", function()
    local function f(x)
      return x + 1
    end
    c.k_keep(f)
    assert.equal(8, c.k_call_kept(7))
    local kept = ffi.cast("int (*)(int)", f)
    assert.equal(9, c.k_twice(f, 7))
    kept:free()
    refuses("has been freed already", kept.free, kept)
    refuses("has been freed already", kept.set, kept, f)
    refuses("has been freed already", function()
      return kept(3)
    end)
    refuses("been given back already", c.k_apply, kept, 3)
  end)

  it("keeps an error until C has returned", function()
    local calls = 0
    local function f()
      calls = calls + 1
      error { mine = true }
    end
    local ok, why = pcall(c.k_twice, f, 1)
    assert.is_false(ok)
    assert.is_true(why.mine)
    assert.equal(1, calls)
    assert.equal(
      2,
      c.k_apply(function(x)
        return x + 1
      end, 1)
    )
  end)

  it("is nested in others", function()
    local function inner(x)
      if x == 0 then
        error "deep"
      end
      return c.k_apply(inner, x - 1)
    end
    local ok, why = pcall(c.k_apply, inner, 5)
    assert.is_false(ok)
    assert.matches("deep", why)
    local function down(x)
      return x == 0 and 100 or c.k_apply(down, x - 1) + 1
    end
    assert.equal(120, c.k_apply(down, 20))
    ok, why = pcall(c.k_apply, function(x)
      local f
      f = function(y)
        return c.k_apply(f, y)
      end
      return f(x)
    end, 1)
    assert.is_false(ok)
    assert.matches("overflow", tostring(why))
  end)

  it("must return what C wants", function()
    refuses(
      "callback: expected an integer (int) as result, got 'x'",
      c.k_apply,
      function()
        return "x"
      end,
      1
    )
    refuses(
      "callback: expected an integer (int) as result, got nil",
      c.k_apply,
      function() end,
      1
    )
  end)

  it("cannot block, nor yield", function()
    local told
    local sim = md.sim()
    sim:spawn(function()
      local _, why = pcall(c.k_apply, function()
        md.sleep(1)
        return 1
      end, 1)
      told = tostring(why)
    end)
    sim:run()
    assert.matches("sleep cannot block", told)
    local co = coroutine.wrap(function()
      return c.k_apply(function()
        coroutine.yield()
        return 1
      end, 1)
    end)
    local ok, why = pcall(co)
    assert.is_false(ok)
    assert.matches("yield", tostring(why))
  end)

  it("has a signature that can be one", function()
    refuses("cannot be a callback", ffi.cast, "int (*)(k_pair)", print)
    refuses("cannot be a callback", ffi.cast, "int (*)(int, ...)", print)
    refuses("expected a function, got 3", function()
      local f <const> = ffi.cast("int (*)(int)", function()
        return 1
      end)
      f:set(3)
    end)
  end)
end)
