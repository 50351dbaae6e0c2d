-- ffi.cdef, ffi.typeof and what is asked of types.
local ffi = require "moondial.ffi"
local support = require "spec.native.support"

local refuses = support.refuses

describe("ffi.cdef", function()
  it("declares what a header says", function()
    ffi.cdef [[
      typedef struct { int x, y; } d_point;
      struct d_node { struct d_node *next; d_point at; };
      enum d_color { D_RED, D_GREEN = 5, D_BLUE };
      static const int D_MANY = sizeof(d_point) * 2;
      double fabs(double x);
    ]]
    assert.equal(8, ffi.sizeof "d_point")
    assert.equal(16, ffi.sizeof "struct d_node")
    assert.equal(6, ffi.C.D_BLUE)
    assert.equal(16, ffi.C.D_MANY)
    assert.equal(2.5, ffi.C.fabs(-2.5))
  end)

  it("raises at the model's line, with the declaration's", function()
    local message =
      refuses("cdef: line 2: expected ';'", ffi.cdef, "int a\n b;")
    assert.matches("^[^\n]*cdef: line 2", message)
    local ok, why = pcall(function()
      ffi.cdef "struct {"
    end)
    assert.is_false(ok)
    assert.matches("declare_spec.lua:%d+: cdef: line 1", why.message)
  end)

  it("declares nothing of a text that is wrong", function()
    refuses("line 1", ffi.cdef, "typedef int d_half; int int;")
    refuses("'d_half'", ffi.typeof, "d_half")
  end)

  it("takes the same twice, also structs without a tag", function()
    for _ = 1, 2 do
      ffi.cdef "typedef struct { int a; } d_twice; d_twice *d_make(d_twice);"
    end
    refuses("declared already", ffi.cdef, "typedef struct { char a; } d_twice;")
  end)

  it("puts types where $ is", function()
    local point = ffi.typeof "struct { int x; }"
    ffi.cdef("typedef $ d_given;", point)
    assert.is_true(ffi.typeof "d_given" == point)
    assert.equal(8, ffi.sizeof(ffi.typeof("$ *", point)))
    refuses("more '$'", ffi.cdef, "typedef $ d_missing;")
    refuses("expected a C type as argument 2", ffi.cdef, "typedef $ d_m;", 3)
  end)

  it("wants a text", function()
    refuses("expected a text of declarations, got 3", ffi.cdef, 3)
    refuses("expected a text of declarations, got nothing", ffi.cdef)
  end)

  it("says that it has no preprocessor and no bit-fields", function()
    refuses("static const int X = 3;", ffi.cdef, "#define X 3")
    refuses("bit-fields", ffi.cdef, "struct d_bits { int a : 3; };")
  end)

  it("takes 500 declarations in no time", function()
    local list = {}
    for i = 1, 250 do
      list[i] = ("struct d_s%d { int a; double b[%d]; }; "):format(i, i)
        .. ("int d_f%d(struct d_s%d *, const char *);"):format(i, i)
    end
    ffi.cdef(table.concat(list, "\n"))
    assert.equal(8 + 250 * 8, ffi.sizeof "struct d_s250")
  end)
end)

describe("types", function()
  it("are values, equal when they are the same", function()
    local int = ffi.typeof "int"
    assert.equal("ctype<int>", tostring(int))
    assert.is_true(int == ffi.typeof(int))
    assert.is_true(int == ffi.typeof(ffi.new "int"))
    assert.is_false(int == ffi.typeof "int[1]")
    assert.equal(
      "ctype<int (*)(const char *, ...)>",
      tostring(ffi.typeof "int(*)(const char*, ...)")
    )
  end)

  it("have sizes, alignments and offsets", function()
    assert.equal(4, ffi.sizeof "int")
    assert.equal(40, ffi.sizeof("int[?]", 10))
    assert.equal(8, ffi.alignof "struct { char c; double d; }")
    assert.equal(8, ffi.offsetof("struct { char c; double d; }", "d"))
    assert.equal(4, ffi.offsetof("struct { int a; struct { int b; }; }", "b"))
    assert.equal(12, ffi.sizeof(ffi.new "int[3]"))
    assert.equal(10, ffi.sizeof(ffi.new("char[?]", 10)))
  end)

  it("without a size have none", function()
    refuses(
      "the size of 'struct d_nobody' is not known",
      ffi.sizeof,
      "struct d_nobody"
    )
    refuses("the size of 'void' is not known", ffi.sizeof, "void")
    refuses("the number of elements of 'int [?]'", ffi.sizeof, "int[?]")
    refuses("has no member 'z'", ffi.offsetof, "struct { int x; }", "z")
    refuses("has no member 'x'", ffi.offsetof, "int", "x")
    refuses("has no member nothing", ffi.offsetof, "struct { int x; }")
  end)

  it("are told by istype, a struct's also of a pointer", function()
    ffi.cdef "struct d_is { int a; };"
    local one = ffi.new "struct d_is"
    assert.is_true(ffi.istype("struct d_is", one))
    assert.is_true(ffi.istype("struct d_is", ffi.cast("struct d_is *", one)))
    assert.is_false(ffi.istype("struct d_is *", one))
    assert.is_false(ffi.istype("int", 3))
    assert.is_false(ffi.istype("int", ffi.typeof "int"))
  end)

  it("are what they are called", function()
    refuses("got the end of the text", ffi.typeof, "")
    refuses("in the type 'nothing', line 1", ffi.typeof, "nothing")
    refuses("without the name 'x'", ffi.typeof, "int x")
    refuses("expected a C type as argument 1, got 3", ffi.typeof, 3)
    refuses("expected a C type as argument 1, got nothing", ffi.new)
  end)
end)

describe("libraries", function()
  it("have what was declared", function()
    ffi.cdef "double cbrt(double); extern char **environ;"
    local m = ffi.load "m"
    assert.near(3, m.cbrt(27), 1e-12)
    assert.is_true(m.cbrt == ffi.load("m").cbrt)
    assert.equal("library m", tostring(m))
    assert.is_true(ffi.C.environ ~= ffi.null)
  end)

  it("say what is not declared, or not there", function()
    ffi.cdef "int d_missing_function(void); typedef int d_type;"
    local C = ffi.C
    refuses("'d_unknown' is not declared", function()
      return C.d_unknown
    end)
    refuses("neither the program nor the C library has it", function()
      return C.d_missing_function
    end)
    refuses("the library 'm' has no 'd_missing_function'", function()
      return ffi.load("m").d_missing_function
    end)
    refuses("'d_type' is a type", function()
      return C.d_type
    end)
    refuses("there is no library 'd_nothing'", ffi.load, "d_nothing")
    refuses("cannot load the library './nothing.so'", ffi.load, "./nothing.so")
    refuses("expected the name of a library, got nothing", ffi.load)
  end)

  it("have variables that can be written, and constants that cannot", function()
    ffi.cdef "extern int optind; extern const int opterr; enum { D_C = 3 };"
    local before = ffi.C.optind
    ffi.C.optind = 7
    assert.equal(7, ffi.C.optind)
    ffi.C.optind = before
    refuses("'D_C' is no variable", function()
      ffi.C.D_C = 4
    end)
    refuses("'opterr' is no variable", function()
      ffi.C.opterr = 4
    end)
    refuses("expected an integer (int) as value, got 'x'", function()
      ffi.C.optind = "x"
    end)
  end)

  it("are found under another name with __asm__", function()
    ffi.cdef 'int d_renamed(int) __asm__("abs");'
    assert.equal(3, ffi.C.d_renamed(-3))
  end)
end)
