/* The walk over all that the model holds, for md.reload: from the registry
   through tables, their metatables, upvalues, user values and the stacks of
   coroutines, by Lua's public functions alone. The collector stands still.

   The first walk meets every object, and notes the functions of one file, the
   calls of them, and who holds one. After the module has run again, another
   walk from what that gave meets just what is new. Then heap_swap puts new
   functions in the place of old ones, where they are held. A call under way
   has its function where nobody can put another.

   Cost: about 100 ns an object and 40 ns a field, and 16 bytes an object. */
#include "host/reload.h"

#include <string.h>

/* Where the user values are on the stack while a walk is under way; the heap
   itself is at 1. */
enum { AT_OBJECTS = 2, AT_FOUND, AT_HOLDERS, AT_FRAMES, AT_LAST = AT_FRAMES };

static const char heap_type[] = "md.heap";

heap *heap_arg(lua_State *L) { return luaL_checkudata(L, 1, heap_type); }

/* -- the objects that were met -- */

static uint64_t *heap_slot(const heap *h, const void *address) {
  uint64_t word = (uint64_t)(uintptr_t)address;
  size_t i = (size_t)(word * 0x9e3779b97f4a7c15u >> 20) & (h->capacity - 1);
  while (h->slots[i] != 0 && h->slots[i] >> HEAP_FLAGS != word)
    i = (i + 1) & (h->capacity - 1);
  return &h->slots[i];
}

static bool heap_grow(heap *h) {
  heap grown = *h;
  grown.capacity = h->capacity ? h->capacity * 2 : 1 << 12;
  grown.slots = md_arena_alloc(h->arena, grown.capacity * sizeof *h->slots);
  if (grown.slots == NULL) return false;
  memset(grown.slots, 0, grown.capacity * sizeof *h->slots);
  for (size_t i = 0; i < h->capacity; i++)
    if (h->slots[i] != 0)
      *heap_slot(&grown, (void *)(uintptr_t)(h->slots[i] >> HEAP_FLAGS)) =
          h->slots[i];
  md_arena_free(h->arena, h->slots, h->capacity * sizeof *h->slots);
  *h = grown;
  return true;
}

static void heap_append(lua_State *L, int list, lua_Integer *n, int i) {
  lua_pushvalue(L, i);
  lua_rawseti(L, list, ++*n);
}

/* Is the function at i one of the file's? */
static bool heap_own(lua_State *L, const heap *h, int i) {
  lua_Debug ar;
  if (lua_iscfunction(L, i)) return false;
  lua_pushvalue(L, i);
  lua_getinfo(L, ">S", &ar);
  return strcmp(ar.source, h->source) == 0;
}

static bool heap_object(int type) {
  return type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
         type == LUA_TTHREAD;
}

/* Among what is new the object at i has been reached, whose slot that is. */
static void heap_reached(lua_State *L, heap *h, uint64_t *slot, int i) {
  if ((*slot & (HEAP_NEW | HEAP_HELD)) != HEAP_NEW) return;
  *slot |= HEAP_HELD;
  heap_append(L, AT_OBJECTS, &h->objects, i);
}

/* Meets the value at i, an index from the bottom; is it a function of the
   file's, or anything that is new? */
static bool heap_meet(lua_State *L, heap *h, int i) {
  if (!heap_object(lua_type(L, i))) return false;
  const void *address = lua_topointer(L, i);
  if (h->reaching) {
    heap_reached(L, h, heap_slot(h, address), i);
    return false;
  }
  if (2 * h->count >= h->capacity && !heap_grow(h)) host_no_memory(L);
  uint64_t *slot = heap_slot(h, address);
  if (*slot == 0) {
    *slot = (uint64_t)(uintptr_t)address << HEAP_FLAGS;
    if (h->fresh) *slot |= HEAP_NEW;
    h->count++;
    heap_append(L, AT_OBJECTS, &h->objects, i);
    if (lua_isfunction(L, i) && heap_own(L, h, i)) {
      *slot |= HEAP_OWN;
      heap_append(L, AT_FOUND, &h->found, i);
    }
  }
  return *slot & (HEAP_OWN | HEAP_NEW);
}

bool heap_left(lua_State *L, const heap *h, int i) {
  return *heap_slot(h, lua_topointer(L, i)) & HEAP_LEFT;
}

/* -- what an object holds; is it a holder? The object is on the top -- */

/* Meets the value on the top, and takes it away. */
static bool heap_take(lua_State *L, heap *h) {
  bool holds = heap_meet(L, h, lua_gettop(L));
  lua_pop(L, 1);
  return holds;
}

static bool heap_look_table(lua_State *L, heap *h, int i) {
  bool holds = false;
  if (lua_getmetatable(L, i)) holds |= heap_take(L, h);
  h->values += 3;
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    holds |= heap_take(L, h);
    holds |= heap_meet(L, h, i + 1);
    h->values += 2;
  }
  return holds;
}

static bool heap_look_function(lua_State *L, heap *h, int i) {
  bool holds = false;
  h->values += 2;
  for (int k = 1; lua_getupvalue(L, i, k) != NULL; k++) {
    holds |= heap_take(L, h);
    h->values++;
  }
  return holds;
}

static bool heap_look_userdata(lua_State *L, heap *h, int i) {
  bool holds = false;
  if (lua_getmetatable(L, i)) holds |= heap_take(L, h);
  for (int k = 1; lua_getiuservalue(L, i, k) != LUA_TNONE; k++)
    holds |= heap_take(L, h);
  lua_pop(L, 1);
  return holds;
}

/* The first level of L that is not md.reload's own; of other threads all are
   the model's. */
static int heap_first_level(lua_State *L, lua_State *co) {
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
static void heap_look_call(lua_State *L, heap *h, int i, lua_State *co,
                           lua_Debug *ar) {
  lua_getinfo(co, "fl", ar);
  if (co != L) lua_xmove(co, L, 1);
  int fn = lua_gettop(L);
  heap_meet(L, h, fn);
  if (heap_own(L, h, fn) && !h->fresh && lua_status(co) <= LUA_YIELD) {
    heap_append(L, AT_FRAMES, &h->frames, i);
    heap_append(L, AT_FRAMES, &h->frames, fn);
    lua_pushinteger(L, ar->currentline);
    lua_rawseti(L, AT_FRAMES, ++h->frames);
  }
  lua_settop(L, fn - 1);
}

/* The n-th value of a call, its varargs by negative numbers; false when there
   is none. [-0, +1|0, -] */
static bool heap_local(lua_State *L, lua_State *co, const lua_Debug *ar,
                       int n) {
  if (lua_getlocal(co, ar, n) == NULL) return false;
  if (co != L) lua_xmove(co, L, 1);
  return true;
}

static bool heap_look_thread(lua_State *L, heap *h, int i) {
  lua_State *co = lua_tothread(L, i);
  lua_Debug ar;
  bool holds = false;
  int level = heap_first_level(L, co);
  if (!lua_checkstack(co, 4)) host_no_memory(L);
  if (!lua_getstack(co, 0, &ar)) { /* not begun, or the host's own */
    for (int k = 1, n = lua_gettop(co); k <= n; k++) {
      lua_pushvalue(co, k);
      lua_xmove(co, L, 1);
      holds |= heap_take(L, h);
    }
    return holds;
  }
  for (; lua_getstack(co, level, &ar); level++) {
    heap_look_call(L, h, i, co, &ar);
    for (int k = 1; heap_local(L, co, &ar, k); k++) holds |= heap_take(L, h);
    for (int k = -1; heap_local(L, co, &ar, k); k--) holds |= heap_take(L, h);
  }
  return holds;
}

static void heap_look(lua_State *L, heap *h, int i) {
  bool holds;
  int type = lua_type(L, i);
  if (type == LUA_TTABLE) holds = heap_look_table(L, h, i);
  else if (type == LUA_TFUNCTION) holds = heap_look_function(L, h, i);
  else if (type == LUA_TUSERDATA) holds = heap_look_userdata(L, h, i);
  else holds = heap_look_thread(L, h, i);
  if (holds) heap_append(L, AT_HOLDERS, &h->holders, i);
}

/* -- the walk -- */

/* Meets what is a root: the registry, and the metatables of types. */
static void heap_meet_roots(lua_State *L, heap *h) {
  int top = lua_gettop(L);
  lua_pushvalue(L, LUA_REGISTRYINDEX);
  heap_meet(L, h, top + 1);
  *heap_slot(h, lua_topointer(L, top + 1)) |= HEAP_LEFT;
  lua_pushnil(L);
  lua_pushboolean(L, 1);
  lua_pushinteger(L, 1);
  lua_pushliteral(L, "");
  lua_pushlightuserdata(L, NULL);
  lua_pushcfunction(L, heap_open);
  lua_pushthread(L);
  for (int i = top + 2, last = lua_gettop(L); i <= last; i++)
    if (lua_getmetatable(L, i)) heap_take(L, h);
  lua_settop(L, top);
}

/* What the host keeps of its sims in tables of its own is not undone. */
static void heap_leave_sims(lua_State *L, heap *h) {
  for (host_sim *s = host_of(L)->sims; s != NULL; s = s->next)
    for (int place = HOST_HELD; place < HOST_SELF; place++) {
      host_push(L, s, place);
      heap_meet(L, h, lua_gettop(L));
      *heap_slot(h, lua_topointer(L, -1)) |= HEAP_LEFT;
      lua_pop(L, 1);
    }
}

/* Puts the lists where the walk finds them, below the other arguments. */
static void heap_begin(lua_State *L) {
  luaL_checkstack(L, 32, NULL);
  for (int k = HEAP_OBJECTS; k <= HEAP_FRAMES; k++) {
    lua_getiuservalue(L, 1, k);
    lua_insert(L, 1 + k);
  }
}

/* Looks into all that was met and has not been looked into. */
static void heap_walk(lua_State *L, heap *h) {
  lua_settop(L, AT_LAST);
  while (h->looked < h->objects) {
    lua_rawgeti(L, AT_OBJECTS, ++h->looked);
    heap_look(L, h, AT_LAST + 1);
    lua_settop(L, AT_LAST);
  }
}

/* survey(heap, ...): meets what can be reached from there, or, with nothing
   else, from the roots. */
static int heap_survey(lua_State *L) {
  heap *h = heap_arg(L);
  int n = lua_gettop(L) - 1;
  heap_begin(L);
  if (n == 0) heap_meet_roots(L, h), heap_leave_sims(L, h);
  for (int i = 1; i <= n; i++) heap_meet(L, h, AT_LAST + i);
  heap_walk(L, h);
  return 0;
}

/* reach(heap, list): finds what of the new objects can be reached from those
   of the list; heap.held tells. The last walk over a heap. */
static int heap_reach(lua_State *L) {
  heap *h = heap_arg(L);
  lua_settop(L, 2);
  h->reaching = true;
  h->looked = h->objects = 0;
  lua_newtable(L);
  lua_setiuservalue(L, 1, HEAP_OBJECTS);
  heap_begin(L);
  for (lua_Integer i = 1; lua_rawgeti(L, AT_LAST + 1, i) != LUA_TNIL; i++) {
    int root = lua_gettop(L);
    if (heap_object(lua_type(L, root)))
      heap_append(L, AT_OBJECTS, &h->objects, root);
    lua_settop(L, AT_LAST + 1);
  }
  heap_walk(L, h);
  return 0;
}

/* -- swapping -- */

/* Replaces the value on the top by what the map has for it; false, and nothing
   is on the top, if it has nothing. */
static bool heap_mapped(lua_State *L, int map) {
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

static void heap_swap_table(lua_State *L, int t, int map) {
  if (lua_getmetatable(L, t) && heap_mapped(L, map)) lua_setmetatable(L, t);
  lua_pushnil(L);
  while (lua_next(L, t) != 0) {
    if (heap_mapped(L, map)) {
      lua_pushvalue(L, t + 1);
      lua_insert(L, -2);
      lua_rawset(L, t);
    }
    lua_pushvalue(L, t + 1);
    if (!heap_mapped(L, map)) continue;
    lua_pushvalue(L, t + 1); /* the new key is there, see heap_prepare */
    lua_rawget(L, t);
    lua_rawset(L, t);
    lua_pushvalue(L, t + 1);
    lua_pushnil(L);
    lua_rawset(L, t);
  }
}

/* Local k of a call, or value k of a thread that has not begun. */
static void heap_swap_stack(lua_State *L, lua_State *co, int map,
                            const lua_Debug *ar, int k) {
  if (!heap_mapped(L, map)) return;
  if (co != L) lua_xmove(L, co, 1);
  if (ar != NULL) lua_setlocal(co, ar, k);
  else lua_replace(co, k);
}

static void heap_swap_thread(lua_State *L, int i, int map) {
  lua_State *co = lua_tothread(L, i);
  lua_Debug ar;
  int level = heap_first_level(L, co);
  if (!lua_getstack(co, 0, &ar)) {
    for (int k = 1, n = lua_gettop(co); k <= n; k++) {
      lua_pushvalue(co, k);
      lua_xmove(co, L, 1);
      heap_swap_stack(L, co, map, NULL, k);
    }
    return;
  }
  for (; lua_getstack(co, level, &ar); level++) {
    for (int k = 1; heap_local(L, co, &ar, k); k++)
      heap_swap_stack(L, co, map, &ar, k);
    for (int k = -1; heap_local(L, co, &ar, k); k--)
      heap_swap_stack(L, co, map, &ar, k);
  }
}

static void heap_swap_holder(lua_State *L, int i, int map) {
  int type = lua_type(L, i);
  if (type == LUA_TTABLE) heap_swap_table(L, i, map);
  else if (type == LUA_TTHREAD) heap_swap_thread(L, i, map);
  else if (type == LUA_TFUNCTION) {
    for (int k = 1; lua_getupvalue(L, i, k) != NULL; k++)
      if (heap_mapped(L, map)) lua_setupvalue(L, i, k);
  } else {
    for (int k = 1; lua_getiuservalue(L, i, k) != LUA_TNONE; k++)
      if (heap_mapped(L, map)) lua_setiuservalue(L, i, k);
  }
}

void heap_swap(lua_State *L, int heap, int map) {
  lua_getiuservalue(L, heap, HEAP_HOLDERS);
  int holders = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, holders);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, holders, i);
    heap_swap_holder(L, holders + 1, map);
    lua_settop(L, holders);
  }
  lua_settop(L, holders - 1);
}

/* The new keys are put beside the old ones while there may be no memory. */
static void heap_prepare(lua_State *L, int t, int map) {
  lua_newtable(L); /* the new keys with their values */
  int made = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, t) != 0) {
    lua_pushvalue(L, made + 1);
    if (heap_mapped(L, map)) {
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

/* swap(heap, map, inverse): where an old one is held there is the new one. */
static int heap_swap_all(lua_State *L) {
  heap_arg(L);
  lua_settop(L, 3);
  luaL_checkstack(L, 32, NULL);
  lua_getiuservalue(L, 1, HEAP_HOLDERS);
  for (lua_Integer i = 1; lua_rawgeti(L, 4, i) != LUA_TNIL; i++) {
    if (lua_istable(L, 5)) heap_prepare(L, 5, 2);
    lua_settop(L, 4);
  }
  lua_pushvalue(L, 3); /* from here on nothing fails */
  lua_setiuservalue(L, 1, HEAP_INVERSE);
  heap_swap(L, 1, 2);
  return 0;
}

/* -- opening -- */

/* Sets the memory free that is not Lua's. */
static int heap_close(lua_State *L) {
  heap *h = heap_arg(L);
  md_arena_free(h->arena, h->slots, h->capacity * sizeof *h->slots);
  h->slots = NULL;
  h->capacity = h->count = 0;
  return 0;
}

/* heap(source) -> heap: of the file that functions name so. */
static int heap_new(lua_State *L) {
  const char *source = luaL_checkstring(L, 1);
  heap *h = lua_newuserdatauv(L, sizeof *h, HEAP_VALUES + 1);
  *h = (heap){.arena = host_of(L)->arena, .source = source};
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, HEAP_VALUES + 1);
  for (int k = HEAP_OBJECTS; k <= HEAP_FRAMES; k++) {
    lua_newtable(L);
    lua_setiuservalue(L, -2, k);
  }
  luaL_setmetatable(L, heap_type);
  return 1;
}

/* found(heap) -> list of functions, list of frames: met so far; from now on
   the others count as new. */
static int heap_met(lua_State *L) {
  heap *h = heap_arg(L);
  lua_getiuservalue(L, 1, HEAP_FOUND);
  lua_getiuservalue(L, 1, HEAP_FRAMES);
  lua_newtable(L);
  lua_setiuservalue(L, 1, HEAP_FOUND);
  h->found = 0;
  h->fresh = true;
  return 2;
}

/* fresh(heap, object) -> boolean: it has been made by the text that ran. */
static int heap_is_fresh(lua_State *L) {
  const heap *h = heap_arg(L);
  luaL_checkany(L, 2);
  lua_pushboolean(L, *heap_slot(h, lua_topointer(L, 2)) & HEAP_NEW);
  return 1;
}

/* held(heap, object) -> boolean: reach has come to it. */
static int heap_is_held(lua_State *L) {
  const heap *h = heap_arg(L);
  luaL_checkany(L, 2);
  lua_pushboolean(L, *heap_slot(h, lua_topointer(L, 2)) & HEAP_HELD);
  return 1;
}

int heap_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"new", heap_new},        {"survey", heap_survey}, {"found", heap_met},
      {"fresh", heap_is_fresh}, {"reach", heap_reach},   {"held", heap_is_held},
      {"swap", heap_swap_all},  {"close", heap_close},   {NULL, NULL}};
  if (luaL_newmetatable(L, heap_type)) {
    lua_pushcfunction(L, heap_close);
    lua_setfield(L, -2, "__gc");
  }
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
