/* The walk over all that the model holds, for md.reload: from the registry
   through tables, their metatables, upvalues, user values and the stacks of
   coroutines, by Lua's public functions alone. The collector stands still.

   The first walk meets every object, and notes the functions of one file, the
   calls of them, and who holds one. After the module has run again, another
   walk from what that gave meets just what is new. Then walk_swap puts new
   functions in the place of old ones, where they are held. A call under way
   has its function where nobody can put another.

   Cost: about 100 ns an object and 40 ns a field, and 16 bytes an object. */
#include "host/reload.h"

#include <string.h>

/* Where the user values are on the stack while a walk is under way; the walk
   itself is at 1. */
enum { AT_OBJECTS = 2, AT_FOUND, AT_HOLDERS, AT_FRAMES, AT_LAST = AT_FRAMES };

static const char walk_type[] = "md.walk";

walk *walk_arg(lua_State *L) { return luaL_checkudata(L, 1, walk_type); }

/* -- the objects that were met -- */

static uint64_t *walk_slot(const walk *h, const void *address) {
  uint64_t word = (uint64_t)(uintptr_t)address;
  size_t i = (size_t)(word * 0x9e3779b97f4a7c15u >> 20) & (h->capacity - 1);
  while (h->slots[i] != 0 && h->slots[i] >> WALK_FLAGS != word)
    i = (i + 1) & (h->capacity - 1);
  return &h->slots[i];
}

static bool walk_grow(walk *h) {
  walk grown = *h;
  grown.capacity = h->capacity ? h->capacity * 2 : 1 << 12;
  grown.slots = md_arena_alloc(h->arena, grown.capacity * sizeof *h->slots);
  if (grown.slots == NULL) return false;
  memset(grown.slots, 0, grown.capacity * sizeof *h->slots);
  for (size_t i = 0; i < h->capacity; i++)
    if (h->slots[i] != 0)
      *walk_slot(&grown, (void *)(uintptr_t)(h->slots[i] >> WALK_FLAGS)) =
          h->slots[i];
  md_arena_free(h->arena, h->slots, h->capacity * sizeof *h->slots);
  *h = grown;
  return true;
}

static void walk_append(lua_State *L, int list, lua_Integer *n, int i) {
  lua_pushvalue(L, i);
  lua_rawseti(L, list, ++*n);
}

/* Is the function at i one of the file's? */
static bool walk_own(lua_State *L, const walk *h, int i) {
  lua_Debug ar;
  if (lua_iscfunction(L, i)) return false;
  lua_pushvalue(L, i);
  lua_getinfo(L, ">S", &ar);
  return strcmp(ar.source, h->source) == 0;
}

static bool walk_object(int type) {
  return type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
         type == LUA_TTHREAD;
}

/* Among what is new the object at i has been reached, whose slot that is. */
static void walk_reached(lua_State *L, walk *h, uint64_t *slot, int i) {
  if ((*slot & (WALK_NEW | WALK_HELD)) != WALK_NEW) return;
  *slot |= WALK_HELD;
  walk_append(L, AT_OBJECTS, &h->objects, i);
}

/* Meets the value at i, an index from the bottom; is it a function of the
   file's, or anything that is new? */
static bool walk_meet(lua_State *L, walk *h, int i) {
  if (!walk_object(lua_type(L, i))) return false;
  const void *address = lua_topointer(L, i);
  if (h->reaching) {
    walk_reached(L, h, walk_slot(h, address), i);
    return false;
  }
  if (2 * h->count >= h->capacity && !walk_grow(h)) host_no_memory(L);
  uint64_t *slot = walk_slot(h, address);
  if (*slot == 0) {
    *slot = (uint64_t)(uintptr_t)address << WALK_FLAGS;
    if (h->fresh) *slot |= WALK_NEW;
    h->count++;
    walk_append(L, AT_OBJECTS, &h->objects, i);
    if (lua_isfunction(L, i) && walk_own(L, h, i)) {
      *slot |= WALK_OWN;
      walk_append(L, AT_FOUND, &h->found, i);
    }
  }
  return *slot & (WALK_OWN | WALK_NEW);
}

bool walk_left(lua_State *L, const walk *h, int i) {
  return *walk_slot(h, lua_topointer(L, i)) & WALK_LEFT;
}

/* -- what an object holds; is it a holder? The object is on the top -- */

/* Meets the value on the top, and takes it away. */
static bool walk_take(lua_State *L, walk *h) {
  bool holds = walk_meet(L, h, lua_gettop(L));
  lua_pop(L, 1);
  return holds;
}

static bool walk_look_table(lua_State *L, walk *h, int i) {
  bool holds = false;
  if (lua_getmetatable(L, i)) holds |= walk_take(L, h);
  h->values += 3;
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    holds |= walk_take(L, h);
    holds |= walk_meet(L, h, i + 1);
    h->values += 2;
  }
  return holds;
}

static bool walk_look_function(lua_State *L, walk *h, int i) {
  bool holds = false;
  h->values += 2;
  for (int k = 1; lua_getupvalue(L, i, k) != NULL; k++) {
    holds |= walk_take(L, h);
    h->values++;
  }
  return holds;
}

static bool walk_look_userdata(lua_State *L, walk *h, int i) {
  bool holds = false;
  if (lua_getmetatable(L, i)) holds |= walk_take(L, h);
  for (int k = 1; lua_getiuservalue(L, i, k) != LUA_TNONE; k++)
    holds |= walk_take(L, h);
  lua_pop(L, 1);
  return holds;
}

/* The first level of L that is not md.reload's own; of other threads all are
   the model's. */
static int walk_first_level(lua_State *L, lua_State *co) {
  lua_Debug ar;
  int first = 0;
  if (co != L) return 0;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "S", &ar);
    if (strcmp(ar.source, "=[md moondial.reload]") == 0) first = level + 1;
  }
  return first;
}

/* A call: meets its function, and keeps who calls it. The thread is at i. */
static void walk_look_call(lua_State *L, walk *h, int i, lua_State *co,
                           lua_Debug *ar) {
  lua_getinfo(co, "fl", ar);
  if (co != L) lua_xmove(co, L, 1);
  int fn = lua_gettop(L);
  walk_meet(L, h, fn);
  if (walk_own(L, h, fn) && !h->fresh && lua_status(co) <= LUA_YIELD) {
    walk_append(L, AT_FRAMES, &h->frames, i);
    walk_append(L, AT_FRAMES, &h->frames, fn);
    lua_pushinteger(L, ar->currentline);
    lua_rawseti(L, AT_FRAMES, ++h->frames);
  }
  lua_settop(L, fn - 1);
}

/* The n-th value of a call, its varargs by negative numbers; false when there
   is none. [-0, +1|0, -] */
static bool walk_local(lua_State *L, lua_State *co, const lua_Debug *ar,
                       int n) {
  if (lua_getlocal(co, ar, n) == NULL) return false;
  if (co != L) lua_xmove(co, L, 1);
  return true;
}

static bool walk_look_thread(lua_State *L, walk *h, int i) {
  lua_State *co = lua_tothread(L, i);
  lua_Debug ar;
  bool holds = false;
  int level = walk_first_level(L, co);
  if (!lua_checkstack(co, 4)) host_no_memory(L);
  if (!lua_getstack(co, 0, &ar)) { /* not begun, or the host's own */
    for (int k = 1, n = lua_gettop(co); k <= n; k++) {
      lua_pushvalue(co, k);
      lua_xmove(co, L, 1);
      holds |= walk_take(L, h);
    }
    return holds;
  }
  for (; lua_getstack(co, level, &ar); level++) {
    walk_look_call(L, h, i, co, &ar);
    for (int k = 1; walk_local(L, co, &ar, k); k++) holds |= walk_take(L, h);
    for (int k = -1; walk_local(L, co, &ar, k); k--) holds |= walk_take(L, h);
  }
  return holds;
}

static void walk_look(lua_State *L, walk *h, int i) {
  bool holds;
  int type = lua_type(L, i);
  if (type == LUA_TTABLE) holds = walk_look_table(L, h, i);
  else if (type == LUA_TFUNCTION) holds = walk_look_function(L, h, i);
  else if (type == LUA_TUSERDATA) holds = walk_look_userdata(L, h, i);
  else holds = walk_look_thread(L, h, i);
  if (holds) walk_append(L, AT_HOLDERS, &h->holders, i);
}

/* -- the walk -- */

/* Meets what is a root: the registry, and the metatables of types. */
static void walk_meet_roots(lua_State *L, walk *h) {
  int top = lua_gettop(L);
  lua_pushvalue(L, LUA_REGISTRYINDEX);
  walk_meet(L, h, top + 1);
  *walk_slot(h, lua_topointer(L, top + 1)) |= WALK_LEFT;
  lua_pushnil(L);
  lua_pushboolean(L, 1);
  lua_pushinteger(L, 1);
  lua_pushliteral(L, "");
  lua_pushlightuserdata(L, NULL);
  lua_pushcfunction(L, walk_open);
  lua_pushthread(L);
  for (int i = top + 2, last = lua_gettop(L); i <= last; i++)
    if (lua_getmetatable(L, i)) walk_take(L, h);
  lua_settop(L, top);
}

/* What the host keeps of its sims in tables of its own is not undone. */
static void walk_leave_sims(lua_State *L, walk *h) {
  for (host_sim *s = host_of(L)->sims; s != NULL; s = s->next)
    for (int place = HOST_HELD; place < HOST_SELF; place++) {
      host_push(L, s, place);
      walk_meet(L, h, lua_gettop(L));
      *walk_slot(h, lua_topointer(L, -1)) |= WALK_LEFT;
      lua_pop(L, 1);
    }
}

/* Puts the lists where the walk finds them, below the other arguments. */
static void walk_begin(lua_State *L) {
  luaL_checkstack(L, 32, NULL);
  for (int k = WALK_OBJECTS; k <= WALK_FRAMES; k++) {
    lua_getiuservalue(L, 1, k);
    lua_insert(L, 1 + k);
  }
}

/* Looks into all that was met and has not been looked into. */
static void walk_walk(lua_State *L, walk *h) {
  lua_settop(L, AT_LAST);
  while (h->looked < h->objects) {
    lua_rawgeti(L, AT_OBJECTS, ++h->looked);
    walk_look(L, h, AT_LAST + 1);
    lua_settop(L, AT_LAST);
  }
}

/* survey(walk, ...): meets what can be reached from there, or, with nothing
   else, from the roots. */
static int walk_survey(lua_State *L) {
  walk *h = walk_arg(L);
  int n = lua_gettop(L) - 1;
  walk_begin(L);
  if (n == 0) walk_meet_roots(L, h), walk_leave_sims(L, h);
  for (int i = 1; i <= n; i++) walk_meet(L, h, AT_LAST + i);
  walk_walk(L, h);
  return 0;
}

/* reach(walk, list): finds what of the new objects can be reached from those
   of the list; walk.held tells. The last walk over a walk. */
static int walk_reach(lua_State *L) {
  walk *h = walk_arg(L);
  lua_settop(L, 2);
  h->reaching = true;
  h->looked = h->objects = 0;
  lua_newtable(L);
  lua_setiuservalue(L, 1, WALK_OBJECTS);
  walk_begin(L);
  for (lua_Integer i = 1; lua_rawgeti(L, AT_LAST + 1, i) != LUA_TNIL; i++) {
    int root = lua_gettop(L);
    if (walk_object(lua_type(L, root)))
      walk_append(L, AT_OBJECTS, &h->objects, root);
    lua_settop(L, AT_LAST + 1);
  }
  walk_walk(L, h);
  return 0;
}

/* -- swapping -- */

/* Replaces the value on the top by what the map has for it; false, and nothing
   is on the top, if it has nothing. */
static bool walk_mapped(lua_State *L, int map) {
  int type = lua_type(L, -1);
  if (type != LUA_TFUNCTION && type != LUA_TTABLE) {
    lua_pop(L, 1);
    return false;
  }
  lua_rawget(L, map);
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

static void walk_swap_table(lua_State *L, int t, int map) {
  if (lua_getmetatable(L, t) && walk_mapped(L, map)) lua_setmetatable(L, t);
  lua_pushnil(L);
  while (lua_next(L, t) != 0) {
    if (walk_mapped(L, map)) {
      lua_pushvalue(L, t + 1);
      lua_insert(L, -2);
      lua_rawset(L, t);
    }
    lua_pushvalue(L, t + 1);
    if (!walk_mapped(L, map)) continue;
    lua_pushvalue(L, t + 1); /* the new key is there, see walk_prepare */
    lua_rawget(L, t);
    lua_rawset(L, t);
    lua_pushvalue(L, t + 1);
    lua_pushnil(L);
    lua_rawset(L, t);
  }
}

/* Local k of a call, or value k of a thread that has not begun. */
static void walk_swap_stack(lua_State *L, lua_State *co, int map,
                            const lua_Debug *ar, int k) {
  if (!walk_mapped(L, map)) return;
  if (co != L) lua_xmove(L, co, 1);
  if (ar != NULL) lua_setlocal(co, ar, k);
  else lua_replace(co, k);
}

static void walk_swap_thread(lua_State *L, int i, int map) {
  lua_State *co = lua_tothread(L, i);
  lua_Debug ar;
  int level = walk_first_level(L, co);
  if (!lua_getstack(co, 0, &ar)) {
    for (int k = 1, n = lua_gettop(co); k <= n; k++) {
      lua_pushvalue(co, k);
      lua_xmove(co, L, 1);
      walk_swap_stack(L, co, map, NULL, k);
    }
    return;
  }
  for (; lua_getstack(co, level, &ar); level++) {
    for (int k = 1; walk_local(L, co, &ar, k); k++)
      walk_swap_stack(L, co, map, &ar, k);
    for (int k = -1; walk_local(L, co, &ar, k); k--)
      walk_swap_stack(L, co, map, &ar, k);
  }
}

static void walk_swap_holder(lua_State *L, int i, int map) {
  int type = lua_type(L, i);
  if (type == LUA_TTABLE) walk_swap_table(L, i, map);
  else if (type == LUA_TTHREAD) walk_swap_thread(L, i, map);
  else if (type == LUA_TFUNCTION) {
    for (int k = 1; lua_getupvalue(L, i, k) != NULL; k++)
      if (walk_mapped(L, map)) lua_setupvalue(L, i, k);
  } else {
    for (int k = 1; lua_getiuservalue(L, i, k) != LUA_TNONE; k++)
      if (walk_mapped(L, map)) lua_setiuservalue(L, i, k);
  }
}

void walk_swap(lua_State *L, int walk, int map) {
  lua_getiuservalue(L, walk, WALK_HOLDERS);
  int holders = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, holders);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, holders, i);
    walk_swap_holder(L, holders + 1, map);
    lua_settop(L, holders);
  }
  lua_settop(L, holders - 1);
}

/* The new keys are put beside the old ones while there may be no memory. */
static void walk_prepare(lua_State *L, int t, int map) {
  lua_newtable(L); /* the new keys with their values */
  int made = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, t) != 0) {
    lua_pushvalue(L, made + 1);
    if (walk_mapped(L, map)) {
      lua_pushvalue(L, made + 2);
      lua_rawset(L, made);
    }
    lua_settop(L, made + 1);
  }
  lua_pushnil(L);
  while (lua_next(L, made) != 0) {
    lua_pushvalue(L, made + 1);
    lua_insert(L, -2);
    lua_rawset(L, t);
  }
  lua_settop(L, made - 1);
}

/* swap(walk, map, inverse): where an old one is held there is the new one. */
static int walk_swap_all(lua_State *L) {
  walk_arg(L);
  lua_settop(L, 3);
  luaL_checkstack(L, 32, NULL);
  lua_getiuservalue(L, 1, WALK_HOLDERS);
  for (lua_Integer i = 1; lua_rawgeti(L, 4, i) != LUA_TNIL; i++) {
    if (lua_istable(L, 5)) walk_prepare(L, 5, 2);
    lua_settop(L, 4);
  }
  lua_pushvalue(L, 3); /* from here on nothing fails */
  lua_setiuservalue(L, 1, WALK_INVERSE);
  walk_swap(L, 1, 2);
  return 0;
}

/* -- opening -- */

/* Sets the memory free that is not Lua's. */
static int walk_close(lua_State *L) {
  walk *h = walk_arg(L);
  md_arena_free(h->arena, h->slots, h->capacity * sizeof *h->slots);
  h->slots = NULL;
  h->capacity = h->count = 0;
  return 0;
}

/* walk(source) -> walk: of the file that functions name so. */
static int walk_new(lua_State *L) {
  const char *source = luaL_checkstring(L, 1);
  walk *h = lua_newuserdatauv(L, sizeof *h, WALK_VALUES + 1);
  *h = (walk){.arena = host_of(L)->arena, .source = source};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, WALK_VALUES + 1);
  for (int k = WALK_OBJECTS; k <= WALK_FRAMES; k++) {
    lua_newtable(L);
    lua_setiuservalue(L, -2, k);
  }
  luaL_setmetatable(L, walk_type);
  return 1;
}

/* found(walk) -> list of functions, list of frames: met so far; from now on
   the others count as new. */
static int walk_met(lua_State *L) {
  walk *h = walk_arg(L);
  lua_getiuservalue(L, 1, WALK_FOUND);
  lua_getiuservalue(L, 1, WALK_FRAMES);
  lua_newtable(L);
  lua_setiuservalue(L, 1, WALK_FOUND);
  h->found = 0;
  h->fresh = true;
  return 2;
}

/* fresh(walk, object) -> boolean: it has been made by the text that ran. */
static int walk_is_fresh(lua_State *L) {
  const walk *h = walk_arg(L);
  luaL_checkany(L, 2);
  lua_pushboolean(L, *walk_slot(h, lua_topointer(L, 2)) & WALK_NEW);
  return 1;
}

/* held(walk, object) -> boolean: reach has come to it. */
static int walk_is_held(lua_State *L) {
  const walk *h = walk_arg(L);
  luaL_checkany(L, 2);
  lua_pushboolean(L, *walk_slot(h, lua_topointer(L, 2)) & WALK_HELD);
  return 1;
}

int walk_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"new", walk_new},        {"survey", walk_survey}, {"found", walk_met},
      {"fresh", walk_is_fresh}, {"reach", walk_reach},   {"held", walk_is_held},
      {"swap", walk_swap_all},  {"close", walk_close},   {NULL, NULL}};
  if (luaL_newmetatable(L, walk_type)) {
    lua_pushcfunction(L, walk_close);
    lua_setfield(L, -2, "__gc");
  }
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
