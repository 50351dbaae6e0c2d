-- Mutated declarations: each is taken or refused with an error of kind native,
-- and what is declared can be made, read and written.
local ffi = require "moondial.ffi"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local rounds = long and 20000 or 600

local seeds = {
  "struct N { struct N *next; int v[3]; union { int i; float f; }; char d[?];}",
  "struct N { enum { A_N, B_N = 1 << 3 } e; long double ld; const char *s[2];}",
  "union N { double d; struct { char c; short in[2][2]; } s; void (*f)(int); }",
  "struct N { _Bool b; unsigned long long u; char t[8];} __attribute((packed))",
  "int (*(*N(const char *, int (*)(void *, ...)))[4])(double, float)",
  "typedef struct { signed char c; long __attribute__((aligned(32))) l; } N",
}
local words = {
  "struct ",
  "union ",
  "(",
  ")",
  "{",
  "}",
  "*",
  "[",
  "]",
  "[?]",
  "...",
  ";",
  ",",
  "int ",
  "char ",
  "const ",
  "99",
  "0x",
  "'",
  "/*",
  "=",
  "sizeof",
  "(void)",
  "$",
  ":",
  "?",
  "-1",
  "1<<60",
  "enum ",
  "typedef ",
}

local state = 88172645463325252
local function choose(most)
  state = state * 6364136223846793005 + 1442695040888963407
  return (state >> 33) % most + 1
end

local types = {
  "int",
  "char",
  "double",
  "float",
  "short",
  "_Bool",
  "void",
  "long",
  "void *",
  "struct { int q, r; }",
  "unsigned",
  "union { int q; }",
  "const char *",
}

-- Another type in the place of one, which is likely to be taken.
local function other(text)
  local which = choose(#types)
  local word = types[choose(7)]
  return (text:gsub("%f[%w_]" .. word .. "%f[^%w_]", types[which], 1))
end

local function mutated(text)
  if choose(2) == 1 then
    return other(other(other(text)))
  end
  for _ = 1, choose(2) do
    local at, n = choose(#text), choose(6)
    local what = choose(4)
    if what == 1 then
      text = text:sub(1, at - 1) .. text:sub(at + n)
    elseif what == 2 then
      text = text:sub(1, at) .. words[choose(#words)] .. text:sub(at + 1)
    elseif what == 3 then
      text = text:sub(1, at) .. text:sub(at, at + n * 3) .. text:sub(at + 1)
    else
      text = text:sub(1, at - 1)
        .. string.char(31 + choose(95))
        .. text:sub(at + 1)
    end
    if text == "" then
      return ";"
    end
  end
  return text
end

-- Makes one of the type, and does to it what can be done.
local function use(name)
  local ok, t = pcall(ffi.typeof, name)
  if not ok then
    return false
  end
  local made, object = pcall(ffi.new, t)
  if not made then
    made, object = pcall(ffi.new, t, choose(5))
  end
  if not made then
    return false
  end
  for _, key in ipairs { "next", "v", "i", "d", "e", "s", "f", "l", "t" } do
    local had, value = pcall(function()
      return object[key]
    end)
    if had then
      pcall(function()
        object[key] = value
      end)
      pcall(function()
        object[key][1] = 3
      end)
      pcall(function()
        return object[key][0][1]
      end)
    end
  end
  pcall(ffi.fill, object, ffi.sizeof(object), 0)
  pcall(ffi.string, object, choose(20))
  return true
end

describe("declarations", function()
  it("are taken or refused, whatever they are", function()
    local taken, refused, used = 0, 0, 0
    for round = 1, rounds do
      local name = "z" .. round
      local text = mutated(seeds[choose(#seeds)]):gsub("N", name)
      local ok, why = pcall(ffi.cdef, text .. ";")
      if ok then
        taken = taken + 1
        for _, before in ipairs { "struct ", "union ", "" } do
          used = used + (use(before .. name) and 1 or 0)
        end
      else
        refused = refused + 1
        assert.equal("native", type(why) == "table" and why.kind, tostring(why))
        assert.matches("cdef: line %d", tostring(why))
      end
      if round % 50 == 0 then
        collectgarbage()
      end
    end
    assert.is_true(
      taken > rounds / 20 and refused > rounds / 3,
      taken .. " " .. refused
    )
    assert.is_true(used > 10, tostring(used))
  end)
end)
