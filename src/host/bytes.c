/* ffi.string, ffi.copy, ffi.fill: memory as bytes. */
#include "host/cdata.h"

#include <string.h>

/* The memory that the cdata at i is or leads to. */
static cdata *bytes_arg(lua_State *L, int i, const char *call, bool written) {
  const host_native *n = native_of(L);
  cdata *c = cdata_at(L, i);
  if (c == NULL || c->is == CDATA_TYPE || c->is == CDATA_FUNCTION)
    cdata_fail(L, "%s: expected a pointer or an object as argument %d, got %s",
               call, i, cdata_describe(L, i));
  if (written && cdata_is_constant(n, c))
    cdata_fail(L, "%s: %s is const, and cannot be changed", call,
               cdata_describe(L, i));
  cdata_reach(L, c, c->address, 0, call);
  return c;
}

static uint64_t bytes_length(lua_State *L, int i, const char *call) {
  cdata_place place = {call, "argument", (uint32_t)i};
  int64_t n = cdata_integer(L, MD_C_LONG_ID, i, &place);
  if (n < 0)
    cdata_fail(L, "%s: expected a number of bytes as argument %d, got %d", call,
               i, (int)n);
  return (uint64_t)n;
}

/* ffi.string(pointer [, n]) -> string
   The n bytes that a pointer or an array leads to, or those up to the first
   that is 0. Raises native for a null pointer, and where that would leave
   memory whose size is known.
     local ffi = require "moondial.ffi"
     print(ffi.string(ffi.new("char[8]", "hello"))) */
static int f_ffi_string(lua_State *L) {
  const md_ctypes *t = native_of(L)->types;
  uint64_t left;
  if (lua_type(L, 1) == LUA_TSTRING && lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    return 1;
  }
  const cdata *c = bytes_arg(L, 1, "string", false);
  if (!lua_isnoneornil(L, 2)) {
    uint64_t n = bytes_length(L, 2, "string");
    cdata_reach(L, c, c->address, n, "string");
    lua_pushlstring(L, c->address, n);
    return 1;
  }
  const md_ctype *type = md_ctype_at(t, c->type);
  bool leads = type->kind == MD_C_POINTER || type->kind == MD_C_ARRAY;
  const md_ctype *of = leads ? md_ctype_at(t, type->of) : type;
  if (!leads || of->kind != MD_C_INTEGER || of->size != 1)
    cdata_fail(L,
               "string: expected a pointer to char as argument 1, got %s; its "
               "length, as argument 2, makes bytes of it",
               cdata_describe(L, 1));
  bool known = cdata_left(c, &left);
  size_t n = known ? strnlen(c->address, left) : strlen(c->address);
  lua_pushlstring(L, c->address, n);
  return 1;
}

/* ffi.copy(to, from [, n])
   Copies n bytes; without n, a Lua string with a 0 behind it. Raises native
   where that would leave memory whose size is known.
     local ffi = require "moondial.ffi"
     local b = ffi.new "char[6]"
     ffi.copy(b, "hello"); print(ffi.string(b)) */
static int f_ffi_copy(lua_State *L) {
  const cdata *to = bytes_arg(L, 1, "copy", true);
  size_t length;
  if (lua_type(L, 2) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, 2, &length);
    uint64_t n =
        lua_isnoneornil(L, 3) ? length + 1 : bytes_length(L, 3, "copy");
    if (n > length + 1)
      cdata_fail(L, "copy: the text has %d bytes, not %d", (int)length, (int)n);
    cdata_reach(L, to, to->address, n, "copy");
    memcpy(to->address, text, n);
    return 0;
  }
  const cdata *from = bytes_arg(L, 2, "copy", false);
  uint64_t n = bytes_length(L, 3, "copy");
  cdata_reach(L, to, to->address, n, "copy");
  cdata_reach(L, from, from->address, n, "copy");
  memmove(to->address, from->address, n);
  return 0;
}

/* ffi.fill(to, n [, byte])
   Sets n bytes to the byte, or to 0. Raises native where that would leave
   memory whose size is known.
     local ffi = require "moondial.ffi"
     local b = ffi.new "char[4]"
     ffi.fill(b, 3, 97); print(ffi.string(b)) */
static int f_ffi_fill(lua_State *L) {
  const cdata *to = bytes_arg(L, 1, "fill", true);
  uint64_t n = bytes_length(L, 2, "fill");
  cdata_place place = {"fill", "argument", 3};
  int byte =
      lua_isnoneornil(L, 3) ? 0 : (int)cdata_integer(L, MD_C_INT_ID, 3, &place);
  cdata_reach(L, to, to->address, n, "fill");
  memset(to->address, byte, n);
  return 0;
}

void cdata_open_bytes(lua_State *L) {
  static const luaL_Reg functions[] = {{"string", f_ffi_string},
                                       {"copy", f_ffi_copy},
                                       {"fill", f_ffi_fill},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
