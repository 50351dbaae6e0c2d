/* What can be done with a cdata: members, elements, arithmetic, comparison.
   Methods of its type (ffi.metatype) come after what C has. */
#include "host/cdata.h"

#include <string.h>

/* -- finding -- */

/* A place in memory that an index leads to. */
typedef struct access_place {
  md_ctype_id type;
  char *address;
} access_place;

static bool access_leads(const md_ctype *type) {
  return type->kind == MD_C_POINTER || type->kind == MD_C_ARRAY;
}

static bool access_whole(const md_ctype *type) {
  return type->kind == MD_C_STRUCT || type->kind == MD_C_UNION;
}

static void access_bounds(lua_State *L, const cdata *c, lua_Integer k,
                          uint64_t each) {
  const md_ctype *type = md_ctype_at(native_of(L)->types, c->type);
  uint64_t left;
  if (type->kind != MD_C_ARRAY || c->gone || !cdata_left(c, &left)) return;
  if (k >= 0 && each > 0 && (uint64_t)k < left / each) return;
  if (left / (each ? each : 1) == 0)
    cdata_fail(L, "index %I is out of bounds: this '%s' has no elements",
               (LUAI_UACINT)k, cdata_type_text(L, c->type));
  cdata_fail(L, "index %I is out of bounds: this '%s' has the elements 0 to %I",
             (LUAI_UACINT)k, cdata_type_text(L, c->type),
             (LUAI_UACINT)(left / each - 1));
}

/* The element that the key at 2 stands for; false: this has none. */
static bool access_element(lua_State *L, const cdata *c, access_place *at) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, c->type);
  int fits;
  lua_Integer k = lua_tointegerx(L, 2, &fits);
  if (!fits || !access_leads(type)) return false;
  const md_ctype *element = md_ctype_at(t, type->of);
  bool open = element->flags & (MD_C_OPEN | MD_C_VARIABLE);
  if (element->kind == MD_C_VOID || element->kind == MD_C_FUNCTION || open)
    cdata_fail(L,
               "what a '%s' leads to has no size, and so no elements; "
               "ffi.cast it to a pointer to what is there",
               cdata_type_text(L, c->type));
  access_bounds(L, c, k, element->size);
  at->type = type->of;
  at->address = c->address + (uint64_t)k * element->size;
  cdata_reach(L, c, at->address, element->size, "index");
  return true;
}

/* The member that the key at 2 names; false: this has none. */
static bool access_member(lua_State *L, const cdata *c, access_place *at) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id id = c->type;
  const md_ctype *type = md_ctype_at(t, id);
  size_t length;
  uint64_t offset;
  if (type->kind == MD_C_POINTER) type = md_ctype_at(t, id = type->of);
  if (!access_whole(type)) return false;
  const char *text = lua_tolstring(L, 2, &length);
  uint32_t name = md_cname_find(t, text, length);
  const md_cmember *m = name ? md_ctype_member(t, id, name, &offset) : NULL;
  if (m == NULL) return false;
  at->type = m->type;
  at->address = c->address + offset;
  cdata_reach(L, c, at->address, md_ctype_at(t, m->type)->size, text);
  return true;
}

static bool access_find(lua_State *L, const cdata *c, access_place *at) {
  if (c->is == CDATA_TYPE || c->is == CDATA_FUNCTION) return false;
  if (lua_type(L, 2) == LUA_TSTRING) return access_member(L, c, at);
  if (lua_type(L, 2) == LUA_TNUMBER) return access_element(L, c, at);
  return false;
}

/* The names of members, for host_nearest; NULL: there are none. */
static const char *access_nearest(lua_State *L, const cdata *c,
                                  const char *name) {
  enum { MOST = 64 };
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, c->type);
  const char *known[MOST + 1];
  int n = 0;
  if (type->kind == MD_C_POINTER) type = md_ctype_at(t, type->of);
  for (uint32_t i = 0; access_whole(type) && i < type->count && n < MOST; i++) {
    uint32_t member = t->members[type->first + i].name;
    if (member != 0) known[n++] = md_cname_text(t, member);
  }
  known[n] = NULL;
  return n > 0 ? host_nearest(name, known) : NULL;
}

_Noreturn static void access_missing(lua_State *L, const cdata *c) {
  const char *what = cdata_describe(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING)
    cdata_fail(L, "%s has no element %s", what, cdata_describe(L, 2));
  const char *name = lua_tostring(L, 2);
  const char *nearest = access_nearest(L, c, name);
  if (nearest == NULL) cdata_fail(L, "%s has no member '%s'", what, name);
  cdata_fail(L, "%s has no member '%s'; did you mean '%s'?", what, name,
             nearest);
}

static cdata *access_self(lua_State *L, int i) {
  cdata *c = cdata_at(L, i);
  if (c == NULL) cdata_fail(L, "expected a cdata, got %s", host_describe(L, i));
  return c;
}

static int mt_cdata_index(lua_State *L) {
  const cdata *c = access_self(L, 1);
  access_place at;
  lua_settop(L, 2);
  if (access_find(L, c, &at)) {
    cdata_push(L, at.type, at.address, c, 1);
    return 1;
  }
  if (c->is == CDATA_CALLBACK && lua_type(L, 2) == LUA_TSTRING &&
      cdata_push_method(L, lua_tostring(L, 2)))
    return 1;
  if (!cdata_meta(L, c, "__index")) access_missing(L, c);
  if (lua_isfunction(L, -1)) {
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
  }
  lua_pushvalue(L, 2);
  if (lua_gettable(L, -2) == LUA_TNIL && lua_type(L, 2) == LUA_TSTRING &&
      !lua_getmetatable(L, -2))
    access_missing(L, c);
  lua_settop(L, 4);
  return 1;
}

static int mt_cdata_newindex(lua_State *L) {
  const cdata *c = access_self(L, 1);
  access_place at;
  lua_settop(L, 3);
  if (access_find(L, c, &at)) {
    cdata_place place = {lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2)
                                                       : "assignment",
                         "value", 0};
    if (cdata_is_constant(native_of(L), c))
      cdata_fail(L, "%s is const, and cannot be changed", cdata_describe(L, 1));
    cdata_put(L, at.type, at.address, 3, &place);
    return 0;
  }
  if (!cdata_meta(L, c, "__newindex")) access_missing(L, c);
  if (lua_isfunction(L, -1)) {
    lua_insert(L, 1);
    lua_call(L, 3, 0);
    return 0;
  }
  lua_insert(L, 2);
  lua_settable(L, 2);
  return 0;
}

/* -- arithmetic -- */

static bool access_pointer(lua_State *L, int i) {
  const cdata *c = cdata_at(L, i);
  if (c == NULL || c->is == CDATA_TYPE || c->is == CDATA_FUNCTION) return false;
  return access_leads(md_ctype_at(native_of(L)->types, c->type));
}

/* The size of what the pointer or array at i leads to. */
static int64_t access_step(lua_State *L, int i) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, cdata_at(L, i)->type);
  uint64_t size = md_ctype_at(t, type->of)->size;
  if (size == 0)
    cdata_fail(L,
               "what a '%s' leads to has no size, and so there is no next one; "
               "ffi.cast it to a pointer to what is there",
               cdata_type_text(L, cdata_at(L, i)->type));
  return (int64_t)size;
}

/* The pointer at i, so many elements further. */
static int access_move(lua_State *L, int i, lua_Integer k) {
  host_native *n = native_of(L);
  const cdata *c = cdata_at(L, i);
  uint64_t bytes = (uint64_t)k * (uint64_t)access_step(L, i);
  const md_ctype *type = md_ctype_at(n->types, c->type);
  md_ctype_id id = c->type;
  if (type->kind == MD_C_ARRAY)
    id = md_ctype_pointer(n->types, type->of, type->flags & MD_C_CONST);
  if (id == 0) host_no_memory(L);
  if (c->gone) cdata_reach(L, c, c->address, 0, "arithmetic");
  cdata_within(L, CDATA_POINTER, id, (char *)((uintptr_t)c->address + bytes), c,
               i);
  return 1;
}

static int access_distance(lua_State *L) {
  const cdata *a = cdata_at(L, 1), *b = cdata_at(L, 2);
  int64_t step = access_step(L, 1);
  if (access_step(L, 2) != step)
    cdata_fail(L, "expected pointers to the same type, got %s and %s",
               cdata_describe(L, 1), cdata_describe(L, 2));
  lua_pushinteger(L, (lua_Integer)((int64_t)((uintptr_t)a->address -
                                             (uintptr_t)b->address) /
                                   step));
  return 1;
}

/* Calls the method of that name of either operand; false: there is none. */
static bool access_method(lua_State *L, const char *name, int results) {
  for (int i = 1; i <= 2; i++) {
    const cdata *c = cdata_at(L, i);
    if (c == NULL || !cdata_meta(L, c, name)) continue;
    lua_insert(L, 1);
    lua_call(L, 2, results);
    return true;
  }
  return false;
}

/* Upvalues: the operation, the name of its metamethod. */
static int mt_cdata_arith(lua_State *L) {
  int op = (int)lua_tointeger(L, lua_upvalueindex(1));
  const char *name = lua_tostring(L, lua_upvalueindex(2));
  int one, two;
  lua_settop(L, 2);
  if (access_method(L, name, 1)) return 1;
  bool a = access_pointer(L, 1), b = access_pointer(L, 2);
  if (!a) cdata_unbox(L, 1);
  if (!b) cdata_unbox(L, 2);
  lua_Integer left = lua_tointegerx(L, 1, &one);
  lua_Integer right = lua_tointegerx(L, 2, &two);
  if (a && two && op == LUA_OPADD) return access_move(L, 1, right);
  if (b && one && op == LUA_OPADD) return access_move(L, 2, left);
  if (a && two && op == LUA_OPSUB)
    return access_move(L, 1, (lua_Integer) - (uint64_t)right);
  if (a && b && op == LUA_OPSUB) return access_distance(L);
  if (!lua_isnumber(L, 1) || !lua_isnumber(L, 2))
    cdata_fail(L,
               "%s cannot be computed of %s and %s; a pointer moves by an "
               "integer, other cdata need ffi.metatype",
               name, cdata_describe(L, 1), cdata_describe(L, 2));
  if (op == LUA_OPUNM || op == LUA_OPBNOT) lua_settop(L, 1);
  lua_arith(L, op);
  return 1;
}

/* -- comparison -- */

/* Where it is, for comparing; a function is where its symbol is. */
static const void *access_address(lua_State *L, const cdata *c) {
  return c->is == CDATA_FUNCTION ? native_symbol_address(L, c->symbol)
                                 : c->address;
}

static int mt_cdata_eq(lua_State *L) {
  lua_settop(L, 2);
  const cdata *a = cdata_at(L, 1), *b = cdata_at(L, 2);
  if (access_method(L, "__eq", 1)) return 1;
  if (a == NULL || b == NULL) return 0;
  bool equal;
  if (a->is == CDATA_TYPE || b->is == CDATA_TYPE) {
    equal = a->is == b->is && a->type == b->type;
  } else if (cdata_unbox(L, 1) && cdata_unbox(L, 2)) {
    equal = lua_compare(L, 1, 2, LUA_OPEQ);
  } else {
    equal = access_address(L, a) == access_address(L, b);
  }
  lua_pushboolean(L, equal);
  return 1;
}

/* Upvalues: LUA_OPLT or LUA_OPLE, the name. */
static int mt_cdata_order(lua_State *L) {
  int op = (int)lua_tointeger(L, lua_upvalueindex(1));
  const char *name = lua_tostring(L, lua_upvalueindex(2));
  lua_settop(L, 2);
  if (access_method(L, name, 1)) return 1;
  bool less;
  if (access_pointer(L, 1) && access_pointer(L, 2)) {
    const char *a = cdata_at(L, 1)->address, *b = cdata_at(L, 2)->address;
    less = op == LUA_OPLT ? a < b : a <= b;
  } else {
    cdata_unbox(L, 1);
    cdata_unbox(L, 2);
    if (!lua_isnumber(L, 1) || !lua_isnumber(L, 2))
      cdata_fail(L, "%s and %s cannot be compared", cdata_describe(L, 1),
                 cdata_describe(L, 2));
    less = lua_compare(L, 1, 2, op);
  }
  lua_pushboolean(L, less);
  return 1;
}

/* -- the rest -- */

/* Operations that only a method can do. Upvalue 2: the name. */
static int mt_cdata_method(lua_State *L) {
  const char *name = lua_tostring(L, lua_upvalueindex(2));
  lua_settop(L, 2);
  if (!access_method(L, name, 1))
    cdata_fail(L, "%s has no %s; ffi.metatype gives a struct its methods",
               cdata_describe(L, cdata_at(L, 1) ? 1 : 2), name);
  return 1;
}

static int mt_cdata_tostring(lua_State *L) {
  const cdata *c = access_self(L, 1);
  lua_settop(L, 1);
  if (c->is != CDATA_TYPE && cdata_meta(L, c, "__tostring")) {
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
  }
  const char *type = cdata_type_text(L, c->type);
  if (c->is == CDATA_TYPE) lua_pushfstring(L, "ctype<%s>", type);
  else if (c->is == CDATA_FUNCTION)
    lua_pushfstring(L, "cdata<%s>: %s", type,
                    native_symbol_name(native_of(L), c->symbol));
  else if (cdata_unbox(L, 1))
    lua_pushfstring(L, "cdata<%s>: %s", type, luaL_tolstring(L, 1, NULL));
  else if (c->address == NULL) lua_pushfstring(L, "cdata<%s>: NULL", type);
  else lua_pushfstring(L, "cdata<%s>: %p", type, (void *)c->address);
  return 1;
}

static int mt_cdata_call(lua_State *L) {
  const cdata *c = access_self(L, 1);
  if (c->is == CDATA_TYPE) {
    if (cdata_meta(L, c, "__new")) {
      lua_insert(L, 1);
      lua_call(L, lua_gettop(L) - 1, 1);
      return 1;
    }
    return cdata_construct(L, c->type, 2, "new");
  }
  if (c->is != CDATA_OBJECT && cdata_invokable(native_of(L), c))
    return cdata_invoke(L);
  if (!cdata_meta(L, c, "__call"))
    cdata_fail(L, "%s cannot be called", cdata_describe(L, 1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int mt_cdata_close(lua_State *L) {
  const cdata *c = access_self(L, 1);
  if (!cdata_meta(L, c, "__close")) return 0;
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  return 0;
}

typedef struct access_op {
  const char *name;
  lua_CFunction function;
  int op;
} access_op;

void cdata_open_access(lua_State *L, int metatable) {
  static const access_op ops[] = {{"__add", mt_cdata_arith, LUA_OPADD},
                                  {"__sub", mt_cdata_arith, LUA_OPSUB},
                                  {"__mul", mt_cdata_arith, LUA_OPMUL},
                                  {"__div", mt_cdata_arith, LUA_OPDIV},
                                  {"__mod", mt_cdata_arith, LUA_OPMOD},
                                  {"__pow", mt_cdata_arith, LUA_OPPOW},
                                  {"__idiv", mt_cdata_arith, LUA_OPIDIV},
                                  {"__unm", mt_cdata_arith, LUA_OPUNM},
                                  {"__band", mt_cdata_arith, LUA_OPBAND},
                                  {"__bor", mt_cdata_arith, LUA_OPBOR},
                                  {"__bxor", mt_cdata_arith, LUA_OPBXOR},
                                  {"__bnot", mt_cdata_arith, LUA_OPBNOT},
                                  {"__shl", mt_cdata_arith, LUA_OPSHL},
                                  {"__shr", mt_cdata_arith, LUA_OPSHR},
                                  {"__lt", mt_cdata_order, LUA_OPLT},
                                  {"__le", mt_cdata_order, LUA_OPLE},
                                  {"__len", mt_cdata_method, 0},
                                  {"__concat", mt_cdata_method, 0},
                                  {"__pairs", mt_cdata_method, 0}};
  static const luaL_Reg functions[] = {{"__index", mt_cdata_index},
                                       {"__newindex", mt_cdata_newindex},
                                       {"__eq", mt_cdata_eq},
                                       {"__call", mt_cdata_call},
                                       {"__close", mt_cdata_close},
                                       {"__tostring", mt_cdata_tostring},
                                       {NULL, NULL}};
  lua_pushvalue(L, metatable);
  luaL_setfuncs(L, functions, 0);
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
    lua_pushinteger(L, ops[i].op);
    lua_pushstring(L, ops[i].name);
    lua_pushcclosure(L, ops[i].function, 2);
    lua_setfield(L, -2, ops[i].name);
  }
  lua_pushliteral(L, "cdata");
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "ffi");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
