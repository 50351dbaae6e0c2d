/* What a thing tells: its methods and its fields, by name. A name that is
   neither is an error, as it would be nil, and nil waits for nothing. */
#include "host/modules.h"
#include "host/place.h"

#include <string.h>

int field_refuse(lua_State *L, const char *name, const char *const known[],
                 const luaL_Reg *more) {
  enum { MOST = 48 };
  const char *names[MOST + 1];
  int n = 0;
  if (lua_type(L, 2) != LUA_TSTRING)
    return host_raise(L, "usage", "%s: there is no field %s", name,
                      host_describe(L, 2));
  for (; n < MOST && known[n] != NULL; n++) names[n] = known[n];
  for (; more != NULL && more->name != NULL && n < MOST; more++)
    names[n++] = more->name;
  names[n] = NULL;
  return host_raise(L, "usage", "%s: there is no '%s'; %s", name,
                    lua_tostring(L, 2),
                    host_suggest(L, lua_tostring(L, 2), names));
}

/* As models call it: md.timer is that of callbacks. */
static const char *field_owner(const thing_class *class) {
  const char *name = class->name + strlen("md.");
  return strcmp(name, "timing") == 0 ? "timer" : name;
}

static int field_missing(lua_State *L, const thing_class *class) {
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  const char *const *advice = class->advice;
  for (; advice != NULL && *advice != NULL; advice += 2)
    if (strcmp(name, *advice) == 0)
      return host_raise(L, "usage", "%s: there is no '%s'; %s",
                        field_owner(class), name, advice[1]);
  return field_refuse(L, field_owner(class), class->fields, class->methods);
}

/* What it tells is its own. */
static int thing_newindex(lua_State *L) {
  const thing_class *class = lua_touserdata(L, lua_upvalueindex(1));
  return host_raise(L, "usage",
                    "%s: %s cannot be set; its fields tell how it is, and its "
                    "methods change it",
                    field_owner(class), host_describe(L, 2));
}

/* Upvalues: the metatable, and a table of methods and of fields' numbers. */
static int thing_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TFUNCTION) return 1;
  const thing_class *class = lua_touserdata(L, lua_upvalueindex(3));
  const thing *t = thing_arg(L, 1, class, "a field");
  if (lua_isnil(L, 3)) return field_missing(L, class);
  int which = (int)lua_tointeger(L, 3);
  class->field(L, t, which);
  return 1;
}

/* <resource 'clerk'>; without a name, which of all that were made it is. */
static int thing_tostring(lua_State *L) {
  const thing_class *class = lua_touserdata(L, lua_upvalueindex(2));
  const thing *t = thing_arg(L, 1, class, "tostring");
  const char *kind = field_owner(class);
  if (class->named && lua_getiuservalue(L, 1, 2) == LUA_TSTRING)
    lua_pushfstring(L, "<%s '%s'>", kind, lua_tostring(L, -1));
  else lua_pushfstring(L, "<%s #%d>", kind, (int)t->number);
  return 1;
}

void thing_metatable(lua_State *L, const thing_class *class,
                     lua_CFunction collect, bool awaitable) {
  luaL_newmetatable(L, class->name);
  int meta = lua_gettop(L);
  lua_pushboolean(L, awaitable);
  lua_setfield(L, meta, "awaitable");
  await_operators(L);
  if (collect != NULL) {
    lua_pushcfunction(L, collect);
    lua_setfield(L, meta, "__gc");
  }
  lua_pushvalue(L, meta);
  lua_newtable(L);
  lua_pushvalue(L, meta);
  luaL_setfuncs(L, class->methods, 1);
  for (int i = 0; class->fields[i] != NULL; i++) {
    lua_pushinteger(L, i);
    lua_setfield(L, -2, class->fields[i]);
  }
  lua_pushlightuserdata(L, (void *)(uintptr_t) class);
  lua_pushcclosure(L, thing_index, 3);
  lua_setfield(L, meta, "__index");
  lua_pushlightuserdata(L, (void *)(uintptr_t) class);
  lua_pushcclosure(L, thing_newindex, 1);
  lua_setfield(L, meta, "__newindex");
  lua_pushvalue(L, meta);
  lua_pushlightuserdata(L, (void *)(uintptr_t) class);
  lua_pushcclosure(L, thing_tostring, 2);
  lua_setfield(L, meta, "__tostring");
  lua_settop(L, meta - 1);
}
