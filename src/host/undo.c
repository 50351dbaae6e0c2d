/* What is undone when a reload fails, and of what a module does when its text
   runs again: every table and upvalue that was there holds afterwards what it
   held before. So all of it is written down first, in one list:

     table, metatable or false, n, n keys with their values
     function, n, n upvalues

   The sims' own tables and the registry are left as they are. */
#include "host/reload.h"

/* -- writing down -- */

typedef struct undo_list {
  int at;        /* the list's place on the stack */
  lua_Integer n; /* its length */
} undo_list;

/* Appends the value on the top. [-1, +0, m] */
static void undo_add(lua_State *L, undo_list *list) {
  lua_rawseti(L, list->at, ++list->n);
}

static void undo_save_table(lua_State *L, undo_list *list, int i) {
  lua_Integer count = 0;
  lua_pushvalue(L, i);
  undo_add(L, list);
  if (!lua_getmetatable(L, i)) lua_pushboolean(L, 0);
  undo_add(L, list);
  lua_Integer counted = ++list->n;
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    lua_pushvalue(L, -2);
    undo_add(L, list);
    undo_add(L, list);
    count++;
  }
  lua_pushinteger(L, count);
  lua_rawseti(L, list->at, counted);
}

static void undo_save_function(lua_State *L, undo_list *list, int i) {
  int n = 0;
  if (lua_getupvalue(L, i, 1) == NULL) return;
  lua_pop(L, 1);
  lua_pushvalue(L, i);
  undo_add(L, list);
  lua_Integer counted = ++list->n;
  while (lua_getupvalue(L, i, n + 1) != NULL) {
    undo_add(L, list);
    n++;
  }
  lua_pushinteger(L, n);
  lua_rawseti(L, list->at, counted);
}

/* save(walk): all that was met. */
int undo_save(lua_State *L) {
  walk *h = walk_arg(L);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, WALK_OBJECTS);
  if (h->values > INT32_MAX - 1) return luaL_error(L, "too much to write down");
  lua_createtable(L, (int)h->values + 1, 0);
  undo_list list = {3, 0};
  for (lua_Integer k = 1; k <= h->objects; k++) {
    lua_rawgeti(L, 2, k);
    if (lua_istable(L, 4) && !walk_left(L, h, 4)) undo_save_table(L, &list, 4);
    else if (lua_isfunction(L, 4)) undo_save_function(L, &list, 4);
    lua_settop(L, 3);
  }
  lua_setiuservalue(L, 1, WALK_SAVED);
  return 0;
}

/* -- putting back -- */

/* Does the table at t hold the n pairs that follow place k, in that order? */
static bool undo_same(lua_State *L, int saved, lua_Integer k, int t,
                      lua_Integer n) {
  int top = lua_gettop(L);
  bool same = true;
  lua_pushnil(L);
  for (lua_Integer i = 0; i < n && same; i++) {
    if (lua_next(L, t) == 0) return false;
    lua_rawgeti(L, saved, k + 2 * i + 1);
    lua_rawgeti(L, saved, k + 2 * i + 2);
    same =
        lua_rawequal(L, top + 1, top + 3) && lua_rawequal(L, top + 2, top + 4);
    lua_settop(L, top + 1);
  }
  same = same && lua_next(L, t) == 0;
  lua_settop(L, top);
  return same;
}

/* Is the key at i a name or a number? An object as a key is that of who has
   the object: what the library itself keeps so of new ones may stay. */
static bool undo_named(lua_State *L, int i) {
  return lua_type(L, i) == LUA_TSTRING || lua_type(L, i) == LUA_TNUMBER;
}

/* Takes what was added to the table at t away, and notes it; what was changed
   gets its value back. What there was is at `known`. */
static void undo_changes(lua_State *L, int t, int known, int added) {
  int key = lua_gettop(L) + 1;
  lua_pushnil(L);
  while (lua_next(L, t) != 0) {
    lua_pushvalue(L, key);
    lua_rawget(L, known);
    bool was = !lua_isnil(L, key + 2);
    if (!was && added != 0 && undo_named(L, key)) {
      lua_Integer n = (lua_Integer)lua_rawlen(L, added);
      for (int i = 0; i < 3; i++) {
        lua_pushvalue(L, i == 0 ? t : key + i - 1);
        lua_rawseti(L, added, n + i + 1);
      }
    }
    if (was || added == 0 || undo_named(L, key)) {
      lua_pushvalue(L, key);
      lua_pushvalue(L, key + 2);
      lua_rawset(L, t);
    }
    lua_settop(L, key);
  }
}

static void undo_table(lua_State *L, int saved, lua_Integer k, int t,
                       lua_Integer n, int added) {
  if (undo_same(L, saved, k, t, n)) return;
  lua_newtable(L);
  int known = lua_gettop(L);
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, saved, k + 2 * i + 1);
    lua_rawgeti(L, saved, k + 2 * i + 2);
    lua_rawset(L, known);
  }
  undo_changes(L, t, known, added);
  lua_pushnil(L);
  while (lua_next(L, known) != 0) { /* what was taken away comes back */
    lua_pushvalue(L, known + 1);
    lua_insert(L, -2);
    lua_rawset(L, t);
  }
  lua_settop(L, known - 1);
}

/* Of the table on the top, whose record begins at k; where the next begins. */
static lua_Integer undo_record(lua_State *L, int saved, lua_Integer k,
                               int added) {
  int t = lua_gettop(L);
  lua_rawgeti(L, saved, k + 1);
  bool had = lua_getmetatable(L, t);
  if (!had) lua_pushboolean(L, 0);
  if (!lua_rawequal(L, t + 1, t + 2)) {
    if (!lua_istable(L, t + 1)) lua_pushnil(L);
    else lua_pushvalue(L, t + 1);
    lua_setmetatable(L, t);
  }
  lua_rawgeti(L, saved, k + 2);
  lua_Integer n = lua_tointeger(L, -1);
  lua_settop(L, t);
  undo_table(L, saved, k + 2, t, n, added);
  return k + 3 + 2 * n;
}

/* The same of the function on the top. */
static lua_Integer undo_upvalues(lua_State *L, int saved, lua_Integer k) {
  int fn = lua_gettop(L);
  lua_rawgeti(L, saved, k + 1);
  lua_Integer n = lua_tointeger(L, -1);
  for (int i = 1; i <= n; i++) {
    lua_getupvalue(L, fn, i);
    lua_rawgeti(L, saved, k + 1 + i);
    if (!lua_rawequal(L, -1, -2)) lua_setupvalue(L, fn, i);
    lua_settop(L, fn);
  }
  return k + 2 + n;
}

void walk_restore(lua_State *L, int walk, int added) {
  lua_getiuservalue(L, walk, WALK_SAVED);
  int saved = lua_gettop(L);
  lua_Integer k = 1;
  while (lua_istable(L, saved) && lua_rawgeti(L, saved, k) != LUA_TNIL) {
    if (lua_istable(L, -1)) k = undo_record(L, saved, k, added);
    else k = undo_upvalues(L, saved, k);
    lua_settop(L, saved);
  }
  lua_settop(L, saved - 1);
}

/* restore(walk) -> {table, key, value, ...}: what was added, and is no more. */
int undo_restore(lua_State *L) {
  walk_arg(L);
  lua_settop(L, 1);
  luaL_checkstack(L, 32, NULL);
  lua_newtable(L);
  walk_restore(L, 1, 2);
  return 1;
}
