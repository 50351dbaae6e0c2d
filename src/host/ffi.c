/* moondial.ffi: the names and meanings of LuaJIT's ffi, by libffi. */
#include "host/cdata.h"
#include "host/modules.h"
#include "host/native.h"
#include "native/lex.h"
#include "native/parse.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* -- declaring -- */

enum { FFI_GIVEN = 32 };

/* The types behind argument 1, for the $ in it. */
static md_given ffi_given(lua_State *L, md_ctype_id types[FFI_GIVEN],
                          const char *call) {
  int n = lua_gettop(L) - 1;
  if (n > FFI_GIVEN) cdata_fail(L, "%s: more than %d types", call, FFI_GIVEN);
  for (int i = 0; i < n; i++) types[i] = cdata_type_arg(L, i + 2, call);
  return (md_given){types, n > 0 ? (uint32_t)n : 0};
}

/* ffi.cdef(text, ...)
   Declares what a text of C says: functions, variables, types, constants, as a
   header has them without its lines of #. All of it, or nothing. Each $ in it
   stands for the next of the types behind it. Declaring the same again is fine.
   Raises native, with the line, for what is not understood, or is something
   else already.
     local ffi = require "moondial.ffi"
     ffi.cdef[[double fabs(double x);]]
     print(ffi.C.fabs(-2)) */
static int f_ffi_cdef(lua_State *L) {
  char error[MD_PARSE_ERROR];
  md_ctype_id types[FFI_GIVEN];
  size_t length;
  if (lua_type(L, 1) != LUA_TSTRING)
    cdata_fail(L, "cdef: expected a text of declarations, got %s",
               cdata_describe(L, 1));
  const char *text = lua_tolstring(L, 1, &length);
  md_given given = ffi_given(L, types, "cdef");
  md_parsed parsed = md_parse(native_of(L)->types, text, length, given, error);
  if (parsed == MD_PARSE_MEMORY) host_no_memory(L);
  if (parsed == MD_PARSE_FAILED) cdata_fail(L, "cdef: %s", error);
  return 0;
}

/* ffi.typeof(type, ...) -> type
   The type that a text names, such as "int[3]" or "struct p *", or that a cdata
   has. Types are equal when they are the same; calling one makes an object, as
   ffi.new does. Each $ in the text stands for the next of the types behind it.
   Raises native for what names no type.
     local ffi = require "moondial.ffi"
     local pair = ffi.typeof "int[2]"
     print(pair(3, 4)[1], pair) */
static int f_ffi_typeof(lua_State *L) {
  md_ctype_id types[FFI_GIVEN], id = 0;
  char error[MD_PARSE_ERROR];
  if (lua_gettop(L) < 2 || lua_type(L, 1) != LUA_TSTRING) {
    cdata_push_type(L, cdata_type_arg(L, 1, "typeof"));
    return 1;
  }
  size_t length;
  const char *text = lua_tolstring(L, 1, &length);
  md_given given = ffi_given(L, types, "typeof");
  md_parsed parsed =
      md_parse_type(native_of(L)->types, text, length, given, &id, error);
  if (parsed == MD_PARSE_MEMORY) host_no_memory(L);
  if (parsed == MD_PARSE_FAILED)
    cdata_fail(L, "typeof: in the type '%s', %s", text, error);
  cdata_push_type(L, id);
  return 1;
}

/* -- making -- */

/* The number of elements of what is open, at index i; raises without. */
static uint64_t ffi_count(lua_State *L, md_ctype_id id, int i, uint64_t each,
                          const char *call) {
  int fits;
  lua_Integer n = lua_tointegerx(L, i, &fits);
  if (!fits || lua_type(L, i) != LUA_TNUMBER || n < 0)
    cdata_fail(L,
               "%s: expected the number of elements of '%s' as argument %d, "
               "got %s",
               call, cdata_type_text(L, id), i, cdata_describe(L, i));
  if (each > 0 && (uint64_t)n > (UINT64_C(1) << 40) / each)
    cdata_fail(L, "%s: %I elements of '%s' are too many", call, (LUAI_UACINT)n,
               cdata_type_text(L, id));
  return (uint64_t)n;
}

/* The bytes of an object of that type, whose open length, if it has one, is the
   argument *i, which is passed then. */
static uint64_t ffi_size(lua_State *L, md_ctype_id id, int *i,
                         const char *call) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, id);
  bool array = type->kind == MD_C_ARRAY;
  if (type->kind == MD_C_VOID || type->kind == MD_C_FUNCTION ||
      (type->flags & MD_C_OPEN && !array))
    cdata_fail(
        L, "%s: the size of '%s' is not known%s", call, cdata_type_text(L, id),
        type->flags & MD_C_OPEN ? "; only pointers to it can be used" : "");
  if (!(type->flags & (MD_C_VARIABLE | MD_C_OPEN))) return type->size;
  if (array) {
    uint64_t each = md_ctype_at(t, type->of)->size;
    return ffi_count(L, id, (*i)++, each, call) * each;
  }
  const md_cmember *last = &t->members[type->first + type->count - 1];
  if (md_ctype_at(t, last->type)->kind != MD_C_ARRAY) return type->size;
  uint64_t each = md_ctype_at(t, md_ctype_at(t, last->type)->of)->size;
  uint64_t size = last->offset + ffi_count(L, id, (*i)++, each, call) * each;
  return size > type->size ? size : type->size;
}

static void ffi_collect(lua_State *L, int i, int finalizer) {
  const host_native *n = native_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->finalizers);
  lua_pushvalue(L, i);
  lua_pushvalue(L, finalizer);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->collected);
  lua_setmetatable(L, i);
}

int cdata_construct(lua_State *L, md_ctype_id id, int first, const char *call) {
  const md_ctypes *t = native_of(L)->types;
  uint8_t kind = md_ctype_at(t, id)->kind;
  cdata_place place = {call, "initializer", 0};
  int count;
  cdata *c;
  if (kind == MD_C_POINTER) {
    if (lua_gettop(L) < first) lua_pushnil(L);
    if (lua_type(L, first) == LUA_TFUNCTION) {
      cdata_callback(L, id, first, call);
      return 1;
    }
    void *p = cdata_pointer(L, id, first, &place);
    cdata_within(L, CDATA_POINTER, id, p, cdata_at(L, first), first);
    return 1;
  }
  uint64_t size = ffi_size(L, id, &first, call);
  count = lua_gettop(L) - first + 1;
  c = cdata_new(L, id, size);
  if (count > 0) {
    lua_insert(L, first);
    cdata_fill(L, id, c->address, size, first + 1, count, &place);
    lua_settop(L, first);
  }
  if (cdata_meta(L, c, "__gc")) {
    ffi_collect(L, lua_gettop(L) - 1, lua_gettop(L));
    lua_pop(L, 1);
  }
  return 1;
}

/* ffi.new(type [, n] [, value, ...]) -> cdata
   A new object, all zero but for the values: those of its elements or members
   in their order (one alone is that of all elements), or a table of them, by
   name or as a list, or a text for bytes. n is the length where the type leaves
   it open, as "int[?]" does. Its memory lives as long as something refers to it
   or to a part of it, and indices are checked. Raises native.
     local ffi = require "moondial.ffi"
     local a = ffi.new("int[3]", 1, 2, 3)
     print(a[0] + a[2], ffi.sizeof(a)) */
static int f_ffi_new(lua_State *L) {
  return cdata_construct(L, cdata_type_arg(L, 1, "new"), 2, "new");
}

/* -- casting -- */

static bool ffi_has_address(const md_ctypes *t, const cdata *c) {
  uint8_t kind = md_ctype_at(t, c->type)->kind;
  return c->is == CDATA_POINTER || c->is == CDATA_CALLBACK ||
         kind == MD_C_ARRAY || kind == MD_C_STRUCT || kind == MD_C_UNION;
}

/* The value at 2 as a number of that type, as C's casts make it. */
static int ffi_cast_number(lua_State *L, md_ctype_id id) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, id);
  const cdata *c = cdata_at(L, 2);
  cdata_place place = {"cast", "argument", 2};
  char value[16] = {0};
  bool real = type->kind == MD_C_FLOAT;
  bool leads = c != NULL && md_ctype_at(t, c->type)->kind <= MD_C_ARRAY;
  if (leads && !real && ffi_has_address(t, c)) {
    lua_pushinteger(L, (lua_Integer)(uintptr_t)c->address);
    lua_replace(L, 2);
  }
  cdata_unbox(L, 2);
  if (lua_type(L, 2) == LUA_TNUMBER && !lua_isinteger(L, 2) && !real &&
      type->kind != MD_C_BOOL) {
    lua_Number x = lua_tonumber(L, 2);
    if (x > -0x1p63 && x < 0x1p63) {
      lua_pushinteger(L, (lua_Integer)x);
      lua_replace(L, 2);
    }
  }
  cdata_put(L, id, value, 2, &place);
  cdata_push(L, id, value, NULL, 0);
  return 1;
}

static int ffi_cast_pointer(lua_State *L, md_ctype_id id) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id of = md_ctype_at(t, id)->of;
  cdata *c = cdata_at(L, 2);
  cdata_place place = {"cast", "argument", 2};
  if (lua_type(L, 2) == LUA_TFUNCTION &&
      md_ctype_at(t, of)->kind == MD_C_FUNCTION) {
    cdata_callback(L, id, 2, "cast");
  } else if (lua_isinteger(L, 2)) {
    cdata_refer(L, CDATA_POINTER, id, (void *)(uintptr_t)lua_tointeger(L, 2),
                0);
  } else if (lua_type(L, 2) == LUA_TSTRING) {
    size_t length;
    char *text = (char *)(uintptr_t)lua_tolstring(L, 2, &length);
    cdata *made = cdata_refer(L, CDATA_POINTER, id, text, 2);
    made->base = text;
    made->extent = length + 1;
  } else if (c != NULL && c->is == CDATA_FUNCTION) {
    void *code = native_symbol_address(L, c->symbol);
    cdata_refer(L, CDATA_POINTER, id, code, 0)->symbol = c->symbol;
  } else if (c != NULL && c->is != CDATA_TYPE && ffi_has_address(t, c)) {
    if (c->gone) cdata_reach(L, c, c->address, 0, "cast");
    cdata_within(L, CDATA_POINTER, id, c->address, c, 2)->symbol = c->symbol;
  } else if (cdata_unbox(L, 2) && lua_isinteger(L, 2)) {
    return ffi_cast_pointer(L, id);
  } else {
    void *p = cdata_pointer(L, id, 2, &place);
    cdata_refer(L, CDATA_POINTER, id, p, 0);
  }
  return 1;
}

/* ffi.cast(type, value) -> cdata or number
   The value as C's cast makes it: any pointer, array or address as a pointer of
   that type, a function as a callback, which lasts until callback:free(); a
   number as one of another type, cut off, which is a number again. Raises
   native for a struct and for what cannot be cast.
     local ffi = require "moondial.ffi"
     print(ffi.cast("uint8_t", 300), ffi.cast("int", -2.7)) */
static int f_ffi_cast(lua_State *L) {
  md_ctype_id id = cdata_type_arg(L, 1, "cast");
  const md_ctype *type = md_ctype_at(native_of(L)->types, id);
  lua_settop(L, 2);
  switch (type->kind) {
  case MD_C_POINTER:
    return ffi_cast_pointer(L, id);
  case MD_C_BOOL:
  case MD_C_INTEGER:
  case MD_C_ENUM:
  case MD_C_FLOAT:
    return ffi_cast_number(L, id);
  default:
    cdata_fail(L,
               "cast: expected a type of numbers or pointers as argument 1, "
               "got '%s'; ffi.new makes an object",
               cdata_type_text(L, id));
  }
}

/* -- asking -- */

/* ffi.sizeof(type or cdata [, n]) -> integer
   Bytes, as C's sizeof has them; of "int[?]" with n elements. Raises native
   where the size is not known.
     local ffi = require "moondial.ffi"
     print(ffi.sizeof "int[4]", ffi.sizeof("char[?]", 10)) */
static int f_ffi_sizeof(lua_State *L) {
  const cdata *c = cdata_at(L, 1);
  md_ctype_id id = cdata_type_arg(L, 1, "sizeof");
  int i = 2;
  uint64_t left;
  const md_ctype *type = md_ctype_at(native_of(L)->types, id);
  bool open = type->flags & (MD_C_VARIABLE | MD_C_OPEN);
  if (c != NULL && c->is == CDATA_OBJECT && open && cdata_left(c, &left))
    lua_pushinteger(L, (lua_Integer)left);
  else lua_pushinteger(L, (lua_Integer)ffi_size(L, id, &i, "sizeof"));
  return 1;
}

/* ffi.alignof(type or cdata) -> integer
   The alignment of a type. Raises native for what is no type.
     print(require "moondial.ffi".alignof "double") */
static int f_ffi_alignof(lua_State *L) {
  md_ctype_id id = cdata_type_arg(L, 1, "alignof");
  lua_pushinteger(L, md_ctype_at(native_of(L)->types, id)->align);
  return 1;
}

/* ffi.offsetof(type, member) -> integer
   Where a member of a struct or union is, in bytes. Raises native if there is
   no such member.
     local ffi = require "moondial.ffi"
     print(ffi.offsetof("struct { char c; int i; }", "i")) */
static int f_ffi_offsetof(lua_State *L) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id id = cdata_type_arg(L, 1, "offsetof");
  uint8_t kind = md_ctype_at(t, id)->kind;
  uint64_t offset;
  size_t length;
  const char *text = lua_tolstring(L, 2, &length);
  uint32_t name = text != NULL ? md_cname_find(t, text, length) : 0;
  bool whole = kind == MD_C_STRUCT || kind == MD_C_UNION;
  if (!whole || name == 0 || md_ctype_member(t, id, name, &offset) == NULL)
    cdata_fail(L, "offsetof: '%s' has no member %s", cdata_type_text(L, id),
               cdata_describe(L, 2));
  lua_pushinteger(L, (lua_Integer)offset);
  return 1;
}

/* ffi.istype(type, value) -> boolean
   Tells if the value is a cdata of that type or, for a struct, a pointer to
   one. Raises native for what is no type.
     local ffi = require "moondial.ffi"
     print(ffi.istype("int[2]", ffi.new "int[2]")) */
static int f_ffi_istype(lua_State *L) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id id = cdata_type_arg(L, 1, "istype");
  const cdata *c = cdata_at(L, 2);
  bool is = c != NULL && c->is != CDATA_TYPE && c->type == id;
  uint8_t kind = md_ctype_at(t, id)->kind;
  if (c != NULL && c->is == CDATA_POINTER && !is &&
      (kind == MD_C_STRUCT || kind == MD_C_UNION))
    is = md_ctype_at(t, c->type)->of == id;
  lua_pushboolean(L, is);
  return 1;
}

/* ffi.tonumber(value) -> number, or nil
   A number's value, also of a cdata that is one, as ffi.new("int", 3) is; nil
   for what has none. The global tonumber does the same once moondial.ffi is
   there.
     local ffi = require "moondial.ffi"
     print(ffi.tonumber(ffi.new("int", 3))) */
static int f_ffi_tonumber(lua_State *L) {
  if (cdata_at(L, 1) != NULL) {
    if (cdata_unbox(L, 1) && lua_type(L, 1) == LUA_TBOOLEAN)
      lua_pushinteger(L, lua_toboolean(L, 1));
    else if (lua_type(L, 1) == LUA_TNUMBER) lua_pushvalue(L, 1);
    else lua_pushnil(L);
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* ffi.errno([n]) -> integer
   C's errno as the last call of C left it; n is what the next call finds.
     local ffi = require "moondial.ffi"
     ffi.errno(0); print(ffi.errno()) */
static int f_ffi_errno(lua_State *L) {
  host_native *n = native_of(L);
  lua_pushinteger(L, n->error);
  if (!lua_isnoneornil(L, 1)) {
    cdata_place place = {"errno", "argument", 1};
    n->error = (int)cdata_integer(L, MD_C_INT_ID, 1, &place);
  }
  return 1;
}

/* -- the module -- */

/* ffi.gc(cdata, finalizer or nil) -> the cdata
   Has finalizer(cdata) called when nothing refers to the cdata any more; nil
   takes that back. Raises native for anything else.
     local ffi = require "moondial.ffi"
     ffi.cdef[[void *malloc(size_t); void free(void *);]]
     local p = ffi.gc(ffi.C.malloc(10), ffi.C.free)
     print(ffi.istype("void *", p)) */
static int f_ffi_gc(lua_State *L) {
  const cdata *c = cdata_at(L, 1);
  bool callable = host_callable(L, 2) || cdata_at(L, 2) != NULL;
  if (c == NULL || c->is == CDATA_TYPE || c->is == CDATA_CALLBACK)
    cdata_fail(L, "gc: expected an object or a pointer as argument 1, got %s",
               cdata_describe(L, 1));
  if (!callable && !lua_isnil(L, 2))
    cdata_fail(L, "gc: expected a function or nil as argument 2, got %s",
               cdata_describe(L, 2));
  lua_settop(L, 2);
  ffi_collect(L, 1, 2);
  lua_settop(L, 1);
  return 1;
}

/* ffi.metatype(type, methods) -> type
   Gives a struct or union, and pointers to it, metamethods: what C has comes
   first, then methods.__index and the others. __new makes what a call of the
   type does, __gc is the finalizer of what ffi.new makes. Raises native for any
   other type.
     local ffi = require "moondial.ffi"
     local point = ffi.metatype("struct { int x, y; }", {
       __add = function(a, b) return a.x + b.x end })
     print(point(1, 2) + point(3, 4)) */
static int f_ffi_metatype(lua_State *L) {
  const host_native *n = native_of(L);
  md_ctype_id id = cdata_type_arg(L, 1, "metatype");
  md_ctype *type = md_ctype_at(n->types, id);
  if (type->kind != MD_C_STRUCT && type->kind != MD_C_UNION)
    cdata_fail(L, "metatype: expected a struct or union, got '%s'",
               cdata_type_text(L, id));
  if (!lua_istable(L, 2))
    cdata_fail(L, "metatype: expected a table of methods, got %s",
               cdata_describe(L, 2));
  type->flags |= MD_C_META;
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->metatypes);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, id);
  cdata_push_type(L, id);
  return 1;
}

/* ffi.load(name [, global]) -> library
   Loads a shared library; what is declared is looked for in it by
   library.name. "z" is libz.so or, where only that is installed, libz.so.1; a
   name with a dot or a slash is taken as it stands. With global its symbols
   are in ffi.C too. Raises native when there is none.
     local ffi = require "moondial.ffi"
     ffi.cdef[[double cbrt(double);]]
     print(ffi.load("m").cbrt(27)) */
static int f_ffi_load(lua_State *L) {
  size_t length;
  const char *name =
      lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : NULL;
  if (name == NULL || length == 0 || strlen(name) != length)
    cdata_fail(L, "load: expected the name of a library, got %s",
               cdata_describe(L, 1));
  native_push_library(L, name, lua_toboolean(L, 2));
  return 1;
}

/* digest(text) -> string: what tells texts apart, for compile. */
static int ffi_digest(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  XXH128_canonical_t bytes;
  char out[33];
  XXH128_canonicalFromHash(&bytes, XXH3_128bits(text, length));
  for (int i = 0; i < 16; i++)
    snprintf(out + 2 * i, 3, "%02x", bytes.digest[i]);
  lua_pushstring(L, out);
  return 1;
}

static int ffi_table(lua_State *L, const char *mode) {
  lua_newtable(L);
  if (mode != NULL) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int ffi_metatable(lua_State *L, bool collected) {
  lua_newtable(L);
  cdata_open_access(L, lua_gettop(L));
  if (collected) {
    lua_pushcfunction(L, mt_cdata_gc);
    lua_setfield(L, -2, "__gc");
  }
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

static void ffi_open(lua_State *L) {
  md_host *h = host_of(L);
  host_native *n = md_arena_alloc(h->arena, sizeof *n);
  if (n == NULL) host_no_memory(L);
  memset(n, 0, sizeof *n);
  n->types = md_ctypes_open(h->arena);
  if (n->types == NULL || !md_lexer_prepare(n->types)) host_no_memory(L);
  n->symbol_count = n->plan_count = 1;
  if (!native_room(h->arena, (void **)&n->symbols, &n->symbol_room, 0,
                   sizeof *n->symbols) ||
      !native_room(h->arena, (void **)&n->plans, &n->plan_room, 0,
                   sizeof *n->plans))
    host_no_memory(L);
  n->plain = ffi_metatable(L, false);
  n->collected = ffi_metatable(L, true);
  n->objects = ffi_table(L, NULL);
  n->texts = ffi_table(L, NULL);
  n->metatypes = ffi_table(L, NULL);
  n->finalizers = ffi_table(L, "k");
  n->callbacks = ffi_table(L, NULL);
  h->native = n;
}

static void ffi_constants(lua_State *L) {
  native_push_library(L, NULL, false);
  lua_setfield(L, -2, "C");
  md_ctype_id any = md_ctype_pointer(native_of(L)->types, MD_C_VOID_ID, false);
  if (any == 0) host_no_memory(L);
  cdata_refer(L, CDATA_POINTER, any, NULL, 0);
  lua_setfield(L, -2, "null");
  lua_pushstring(L, (const char *)host_header);
  lua_setfield(L, -2, "header");
  lua_pushliteral(L, "Linux");
  lua_setfield(L, -2, "os");
#ifdef __aarch64__
  lua_pushliteral(L, "arm64");
#else
  lua_pushliteral(L, "x64");
#endif
  lua_setfield(L, -2, "arch");
}

int host_open_ffi(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"cdef", f_ffi_cdef},         {"typeof", f_ffi_typeof},
      {"new", f_ffi_new},           {"cast", f_ffi_cast},
      {"sizeof", f_ffi_sizeof},     {"alignof", f_ffi_alignof},
      {"offsetof", f_ffi_offsetof}, {"istype", f_ffi_istype},
      {"errno", f_ffi_errno},       {"gc", f_ffi_gc},
      {"metatype", f_ffi_metatype}, {"load", f_ffi_load},
      {"digest", ffi_digest},       {NULL, NULL}};
  if (host_of(L)->options.sandbox)
    return host_raise(L, "native",
                      "moondial.ffi is not there with --sandbox: C can do "
                      "whatever the program may");
  if (host_of(L)->native == NULL) ffi_open(L);
  luaL_newlib(L, functions);
  cdata_open_bytes(L);
  ffi_constants(L);
  lua_getglobal(L, "tonumber");
  lua_pushcclosure(L, f_ffi_tonumber, 1);
  lua_pushvalue(L, -1);
  lua_setglobal(L, "tonumber");
  lua_setfield(L, -2, "tonumber");
  return 1;
}
