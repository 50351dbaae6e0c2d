/* Libraries and their symbols, and what no image can hold of them. A symbol is
   a recipe, a library's name and its own; where this process has found it is
   forgotten whenever the arena's bytes count. */
#include "host/cdata.h"
#include "host/native.h"
#include "native/symbol.h"

#include <string.h>

/* -- symbols -- */

const char *native_symbol_name(const host_native *n, uint32_t symbol) {
  return md_cname_text(n->types, n->symbols[symbol].name);
}

void *native_symbol_address(lua_State *L, uint32_t symbol) {
  host_native *n = native_of(L);
  native_symbol *s = &n->symbols[symbol];
  char error[MD_SYMBOL_ERROR];
  if (s->address != NULL) return s->address;
  const char *library =
      s->library != 0 ? md_cname_text(n->types, s->library) : NULL;
  s->address =
      md_symbol_find(library, native_symbol_name(n, symbol), s->global, error);
  if (s->address == NULL) cdata_fail(L, "%s", error);
  return s->address;
}

uint32_t native_symbol_add(lua_State *L, uint32_t library, uint32_t name,
                           bool global) {
  host_native *n = native_of(L);
  uint32_t i = 1;
  while (i < n->symbol_count &&
         (n->symbols[i].library != library || n->symbols[i].name != name))
    i++;
  if (i >= n->symbol_count) {
    if (!native_room(n->types->arena, (void **)&n->symbols, &n->symbol_room, i,
                     sizeof *n->symbols))
      host_no_memory(L);
    n->symbols[i] = (native_symbol){library, name, global, NULL};
    n->symbol_count = i + 1;
  }
  native_symbol_address(L, i);
  return i;
}

/* -- libraries -- */

/* The upvalues of a library's functions: its word, is it global. */
static uint32_t foreign_library(lua_State *L) {
  return (uint32_t)lua_tointeger(L, lua_upvalueindex(1));
}

static uint32_t foreign_declared(lua_State *L) {
  const host_native *n = native_of(L);
  size_t length;
  if (lua_type(L, 2) != LUA_TSTRING)
    cdata_fail(L, "expected the name of something declared, got %s",
               cdata_describe(L, 2));
  const char *text = lua_tolstring(L, 2, &length);
  uint32_t name = md_cname_find(n->types, text, length);
  if (name == 0 || n->types->names[name].meaning <= MD_C_KEYWORD)
    cdata_fail(L,
               "'%s' is not declared; say first what it is, as in "
               "ffi.cdef[[int %s(int);]]",
               text, text);
  if (n->types->names[name].meaning == MD_C_TYPE)
    cdata_fail(L, "'%s' is a type, which no library has; ffi.typeof(\"%s\")",
               text, text);
  return name;
}

static uint32_t foreign_symbol(lua_State *L, uint32_t name) {
  const md_cname *declared = &native_of(L)->types->names[name];
  uint32_t symbol = declared->symbol ? declared->symbol : name;
  return native_symbol_add(L, foreign_library(L), symbol,
                           lua_toboolean(L, lua_upvalueindex(2)));
}

/* Looks up a name that was not yet looked up: [cache, name]. A variable is
   looked up each time. */
static int foreign_index(lua_State *L) {
  const host_native *n = native_of(L);
  uint32_t name = foreign_declared(L);
  md_cname declared = n->types->names[name];
  if (declared.meaning == MD_C_CONSTANT) {
    lua_pushinteger(L, declared.value);
  } else if (declared.meaning == MD_C_FUNCTION_NAME) {
    uint32_t symbol = foreign_symbol(L, name);
    cdata *c = cdata_refer(L, CDATA_FUNCTION, declared.type, NULL, 0);
    c->symbol = symbol;
  } else {
    char *at = native_symbol_address(L, foreign_symbol(L, name));
    cdata_push(L, declared.type, at, NULL, 0);
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

static int foreign_newindex(lua_State *L) {
  const host_native *n = native_of(L);
  uint32_t name = foreign_declared(L);
  md_cname declared = n->types->names[name];
  const char *text = lua_tostring(L, 2);
  if (declared.meaning != MD_C_VARIABLE_NAME || declared.constant)
    cdata_fail(L, "'%s' is no variable, and cannot be changed", text);
  cdata_place place = {text, "value", 0};
  char *at = native_symbol_address(L, foreign_symbol(L, name));
  cdata_put(L, declared.type, at, 3, &place);
  return 0;
}

static int foreign_tostring(lua_State *L) {
  uint32_t library = foreign_library(L);
  if (library == 0) lua_pushliteral(L, "library C");
  else
    lua_pushfstring(L, "library %s",
                    md_cname_text(native_of(L)->types, library));
  return 1;
}

static void foreign_closure(lua_State *L, lua_CFunction f, uint32_t library,
                            bool global) {
  lua_pushinteger(L, library);
  lua_pushboolean(L, global);
  lua_pushcclosure(L, f, 2);
}

void native_push_library(lua_State *L, const char *name, bool global) {
  const host_native *n = native_of(L);
  char error[MD_SYMBOL_ERROR];
  uint32_t library = 0;
  if (name != NULL) {
    if (md_symbol_find(name, NULL, global, error) == NULL)
      cdata_fail(L, "load: %s", error);
    library = md_cname_add(n->types, name, strlen(name));
    if (library == 0) host_no_memory(L);
  }
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 5);
  lua_newtable(L); /* what was looked up, and how to look up the rest */
  lua_createtable(L, 0, 1);
  foreign_closure(L, foreign_index, library, global);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "__index");
  foreign_closure(L, foreign_newindex, library, global);
  lua_setfield(L, -2, "__newindex");
  foreign_closure(L, foreign_tostring, library, global);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "library");
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "ffi");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}

/* -- images -- */

void host_native_bare(md_host *h) {
  host_native *n = h->native;
  if (n == NULL) return;
  for (uint32_t i = 1; i < n->symbol_count; i++) n->symbols[i].address = NULL;
}

/* Is there a pointer that leads out in an object of that type? */
static bool foreign_inside(const md_ctypes *t, md_ctype_id id, const char *at,
                           uint64_t size) {
  const md_ctype *type = md_ctype_at(t, id);
  void *p;
  if (!(type->flags & MD_C_POINTERS)) return false;
  if (type->kind == MD_C_POINTER) {
    memcpy(&p, at, sizeof p);
    return cdata_foreign(p);
  }
  if (type->kind == MD_C_ARRAY) {
    uint64_t each = md_ctype_at(t, type->of)->size;
    for (uint64_t k = 0; each > 0 && k < size / each; k++)
      if (foreign_inside(t, type->of, at + k * each, each)) return true;
    return false;
  }
  for (uint32_t i = 0; i < type->count; i++) {
    const md_cmember *m = &t->members[type->first + i];
    const md_ctype *own = md_ctype_at(t, m->type);
    bool open = own->kind == MD_C_ARRAY && own->size == 0;
    uint64_t left = open ? size - m->offset : own->size;
    if (m->offset <= size && foreign_inside(t, m->type, at + m->offset, left))
      return true;
  }
  return false;
}

static bool foreign_leads(const host_native *n, const cdata *c) {
  if (c->is == CDATA_CALLBACK) return !c->gone;
  if (cdata_foreign(c->address)) return true;
  return c->is == CDATA_OBJECT &&
         foreign_inside(n->types, c->type, c->base, c->extent);
}

bool host_native_good(const md_host *h, char *why, size_t size) {
  const host_native *n = h->native;
  const cdata *c = n != NULL ? n->tracked : NULL;
  char type[160], from[80] = "";
  while (c != NULL && !foreign_leads(n, c)) c = c->next;
  if (c == NULL) return true;
  md_ctype_text(n->types, c->type, type, sizeof type);
  if (c->symbol != 0)
    snprintf(from, sizeof from, " that '%.60s' returned",
             native_symbol_name(n, c->symbol));
  if (c->is == CDATA_CALLBACK)
    snprintf(why, size,
             "C knows a callback of type '%s', which no image can hold; "
             "callback:free() it before",
             type);
  else if (c->is == CDATA_OBJECT && !cdata_foreign(c->address))
    snprintf(why, size,
             "a '%s' has a pointer into memory of C's, which no image can "
             "hold; set it to ffi.null, or let go of it, before",
             type);
  else
    snprintf(why, size,
             "a '%s'%s leads into memory of C's, which no image can hold; let "
             "go of it before (set what holds it to nil)",
             type, from);
  return false;
}

/* What is not reachable any more is no obstacle: it is collected first. */
void host_native_check(lua_State *L, const char *call) {
  char why[400];
  const md_host *h = host_of(L);
  if (host_native_good(h, why, sizeof why)) return;
  lua_gc(L, LUA_GCCOLLECT);
  if (host_native_good(h, why, sizeof why)) return;
  host_raise(L, "image", "%s: %s", call, why);
}
