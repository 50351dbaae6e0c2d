#include "host/cdata.h"
#include "native/parse.h"
#include "native/symbol.h"

#include <stdarg.h>
#include <string.h>

_Noreturn void cdata_fail(lua_State *L, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char *text = lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  host_raise(L, "native", "%s", text);
  __builtin_unreachable();
}

bool native_room(md_arena *arena, void **array, uint32_t *room, uint32_t count,
                 size_t size) {
  if (count < *room) return true;
  uint32_t more = *room * 2 + 16;
  void *grown = md_arena_alloc(arena, more * size);
  if (grown == NULL) return false;
  if (*array != NULL) { /* not resized: nothing may stay behind */
    memcpy(grown, *array, count * size);
    memset(*array, 0, *room * size);
    md_arena_free(arena, *array, *room * size);
  }
  *array = grown;
  *room = more;
  return true;
}

/* -- tracking -- */

bool cdata_foreign(const void *address) {
  uintptr_t at = (uintptr_t)address;
  if (at < 65536 || at >> 47 != 0) return false; /* NULL, -1 and the like */
  return !md_arena_near(address) && !md_symbol_own(address);
}

static void cdata_dress(lua_State *L, int i, int metatable) {
  i = lua_absindex(L, i);
  lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
  lua_setmetatable(L, i);
}

void cdata_track(lua_State *L, cdata *c, int i) {
  host_native *n = native_of(L);
  if (c->tracked) return;
  c->tracked = true;
  c->before = NULL;
  c->next = n->tracked;
  if (n->tracked != NULL) n->tracked->before = c;
  n->tracked = c;
  cdata_dress(L, i, n->collected);
}

void cdata_untrack(lua_State *L, cdata *c) {
  host_native *n = native_of(L);
  if (!c->tracked) return;
  if (c->before != NULL) c->before->next = c->next;
  else n->tracked = c->next;
  if (c->next != NULL) c->next->before = c->before;
  c->tracked = false;
}

/* Calls the finalizer of the cdata at 1, which is forgotten before. */
static void cdata_finalize(lua_State *L, const host_native *n) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->finalizers);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 2);
    return;
  }
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  lua_rawset(L, -4);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  lua_pop(L, 1);
}

int mt_cdata_gc(lua_State *L) {
  cdata *c = cdata_at(L, 1);
  if (c == NULL || c->is == CDATA_CALLBACK) return 0;
  lua_settop(L, 1);
  cdata_finalize(L, native_of(L));
  cdata_untrack(L, c);
  bool own = c->is == CDATA_OBJECT && c->base != NULL && c->base > (char *)c &&
             c->base < (char *)c + lua_rawlen(L, 1);
  if (own) memset(c->base, 0, c->extent);
  c->gone = true;
  c->address = NULL;
  return 0;
}

/* -- making -- */

/* The record alone is complete before it gets its metatable. */
static cdata *cdata_record(lua_State *L, size_t more, int values) {
  cdata *c = lua_newuserdatauv(L, sizeof *c + more, values);
  memset(c, 0, sizeof *c + more);
  c->magic = CDATA_MAGIC;
  return c;
}

cdata *cdata_new(lua_State *L, md_ctype_id id, uint64_t size) {
  const host_native *n = native_of(L);
  const md_ctype *type = md_ctype_at(n->types, id);
  uint64_t align = type->align > 16 ? type->align : 16;
  cdata *c = cdata_record(L, size + align, 0);
  uintptr_t behind = (uintptr_t)(c + 1);
  c->is = CDATA_OBJECT;
  c->type = id;
  c->address = c->base = (char *)((behind + align - 1) / align * align);
  c->extent = size;
  cdata_dress(L, -1, n->plain);
  if (type->flags & MD_C_POINTERS) cdata_track(L, c, -1);
  return c;
}

cdata *cdata_refer(lua_State *L, cdata_is is, md_ctype_id id, void *address,
                   int owner) {
  const host_native *n = native_of(L);
  cdata *c = cdata_record(L, 0, owner != 0);
  c->is = (uint8_t)is;
  c->type = id;
  c->address = address;
  if (owner != 0) {
    lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, 1);
  }
  if (cdata_foreign(address)) cdata_track(L, c, -1);
  else cdata_dress(L, -1, n->plain);
  return c;
}

/* Pushes who owns the memory that c lies in or leads to: c itself, at i, or
   what its user value holds. False: nobody in the arena. [-0, +0|1, -] */
static bool cdata_push_owner(lua_State *L, const cdata *c, int i) {
  if (c == NULL || c->base == NULL) return false;
  const char *from = (const char *)c;
  if (c->base > from && c->base < from + lua_rawlen(L, i)) {
    lua_pushvalue(L, i);
    return true;
  }
  int type = lua_getiuservalue(L, i, 1);
  if (type == LUA_TUSERDATA || type == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

cdata *cdata_within(lua_State *L, cdata_is is, md_ctype_id id, void *address,
                    const cdata *of, int i) {
  bool owned = cdata_push_owner(L, of, i);
  cdata *c = cdata_refer(L, is, id, address, owned ? lua_gettop(L) : 0);
  if (of != NULL) {
    c->base = of->base;
    c->extent = of->extent;
  }
  if (owned) lua_remove(L, -2);
  return c;
}

bool cdata_is_constant(const host_native *n, const cdata *c) {
  const md_ctype *type = md_ctype_at(n->types, c->type);
  bool leads = type->kind == MD_C_POINTER || type->kind == MD_C_ARRAY;
  return c->constant || (leads && type->flags & MD_C_CONST);
}

void cdata_push_type(lua_State *L, md_ctype_id id) {
  const host_native *n = native_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->objects);
  if (lua_rawgeti(L, -1, id) == LUA_TNIL) {
    lua_pop(L, 1);
    cdata *c = cdata_record(L, 0, 0);
    c->is = CDATA_TYPE;
    c->type = id;
    cdata_dress(L, -1, n->plain);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, id);
  }
  lua_remove(L, -2);
}

/* -- saying -- */

const char *cdata_type_text(lua_State *L, md_ctype_id id) {
  char text[256];
  return lua_pushstring(
      L, md_ctype_text(native_of(L)->types, id, text, sizeof text));
}

const char *cdata_describe(lua_State *L, int i) {
  const cdata *c = cdata_at(L, i);
  if (c == NULL) return host_describe(L, i);
  const char *type = cdata_type_text(L, c->type);
  if (c->is == CDATA_TYPE) return lua_pushfstring(L, "the type '%s'", type);
  if (c->is == CDATA_POINTER && c->address == NULL && !c->gone)
    return lua_pushfstring(L, "a '%s' that is null", type);
  return lua_pushfstring(L, "a '%s'", type);
}

/* -- types of arguments -- */

static md_ctype_id cdata_parse_type(lua_State *L, int i, const char *call) {
  const host_native *n = native_of(L);
  char error[MD_PARSE_ERROR];
  size_t length;
  md_ctype_id id = 0;
  md_given none = {NULL, 0};
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->texts);
  lua_pushvalue(L, i);
  if (lua_rawget(L, -2) != LUA_TNIL) {
    id = (md_ctype_id)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return id;
  }
  const char *text = lua_tolstring(L, i, &length);
  md_parsed parsed = md_parse_type(n->types, text, length, none, &id, error);
  if (parsed == MD_PARSE_MEMORY) host_no_memory(L);
  if (parsed == MD_PARSE_FAILED)
    cdata_fail(L, "%s: in the type '%s', %s", call, text, error);
  lua_pushvalue(L, i);
  lua_pushinteger(L, id);
  lua_rawset(L, -4);
  lua_pop(L, 2);
  return id;
}

md_ctype_id cdata_type_arg(lua_State *L, int i, const char *call) {
  const cdata *c = cdata_at(L, i);
  if (c != NULL) return c->type;
  if (lua_type(L, i) != LUA_TSTRING)
    cdata_fail(L,
               "%s: expected a C type as argument %d, got %s; such as "
               "\"int[3]\", or what ffi.typeof returns",
               call, i, host_describe(L, i));
  return cdata_parse_type(L, i, call);
}

/* -- bounds -- */

bool cdata_left(const cdata *c, uint64_t *bytes) {
  if (c->base == NULL) return false;
  bool inside = c->address >= c->base && c->address <= c->base + c->extent;
  *bytes = inside ? c->extent - (uint64_t)(c->address - c->base) : 0;
  return true;
}

void cdata_reach(lua_State *L, const cdata *c, const char *address,
                 uint64_t size, const char *call) {
  if (c->gone)
    cdata_fail(L, "%s: the memory of this '%s' has been given back already",
               call, cdata_type_text(L, c->type));
  if (c->address == NULL)
    cdata_fail(L,
               "%s: this '%s' is a null pointer, which leads nowhere; compare "
               "it with ffi.null before",
               call, cdata_type_text(L, c->type));
  if (c->base == NULL) return;
  bool inside = address >= c->base && address <= c->base + c->extent;
  uint64_t left = inside ? c->extent - (uint64_t)(address - c->base) : 0;
  if (inside && size <= left) return;
  cdata_fail(L,
             "%s: expected to stay in the %d bytes of this '%s', got %d bytes "
             "from its byte %d on",
             call, (int)c->extent, cdata_type_text(L, c->type), (int)size,
             (int)(address - c->base));
}

/* -- methods of types -- */

bool cdata_meta(lua_State *L, const cdata *c, const char *name) {
  const host_native *n = native_of(L);
  md_ctype_id id = c->type;
  const md_ctype *type = md_ctype_at(n->types, id);
  if (type->kind == MD_C_POINTER) {
    id = type->of;
    type = md_ctype_at(n->types, id);
  }
  if (!(type->flags & MD_C_META)) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->metatypes);
  lua_rawgeti(L, -1, id);
  lua_getfield(L, -1, name);
  lua_replace(L, -3);
  lua_pop(L, 1);
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}
