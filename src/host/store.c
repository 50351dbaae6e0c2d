/* Stores of items. What is put in counts from the putter's turn on: until then
   its room is kept for it, so that a put that an interrupt or a limit ends has
   put nothing in. */
#include "host/gauge.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/place.h"

#include <math.h>
#include <string.h>

typedef enum store_order {
  STORE_FIFO,
  STORE_LIFO,
  STORE_PRIORITY,
  STORE_BY /* a function says which goes first */
} store_order;

/* The items are in a table that is held at `slot`, from `first` on; beside them
   the function of STORE_BY, at [0]. */
typedef struct store {
  thing of;
  store_order order;
  uint32_t capacity, reserved; /* 0: no bound; promised to putters */
  uint32_t slot;
  lua_Integer first, count;
  gauge level;
  waits got;
} store;

static void store_level(store *it) {
  gauge_set(&it->level, md_sim_now(it->of.sim->kernel), (double)it->count);
}

/* -- items; the table is on the top -- */

/* Does the value at a go before that at b? */
static bool store_before(lua_State *L, const store *it, int table, int a,
                         int b) {
  if (it->order == STORE_BY) {
    lua_rawgeti(L, table, 0);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
  }
  int top = lua_gettop(L);
  for (int i = 0; i < 2; i++) {
    int value = i == 0 ? a : b;
    if (lua_istable(L, value)) lua_getfield(L, value, "priority");
    else lua_pushvalue(L, value);
    if (lua_type(L, -1) != LUA_TNUMBER)
      host_raise(L, "usage",
                 "put: a store by priority takes numbers, or tables with a "
                 "number as field priority; got %s",
                 host_describe(L, -1));
  }
  bool yes = lua_compare(L, top + 1, top + 2, LUA_OPLT);
  lua_settop(L, top);
  return yes;
}

/* Where the value at `item` belongs among those that are there. */
static lua_Integer store_place(lua_State *L, const store *it, int table,
                               int item, bool back) {
  lua_Integer low = it->first, high = it->first + it->count;
  if (it->order == STORE_FIFO) return back ? low : high;
  if (it->order == STORE_LIFO) return high;
  while (low < high) {
    lua_Integer middle = (low + high) / 2;
    lua_rawgeti(L, table, middle);
    int there = lua_gettop(L);
    bool later = back ? !store_before(L, it, table, there, item)
                      : store_before(L, it, table, item, there);
    lua_pop(L, 1);
    if (later) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* Puts the value on the top where it belongs; with `back`, before its equals.
   [-1, +0, e] */
static void store_insert(lua_State *L, store *it, bool back) {
  int item = lua_gettop(L);
  host_fetch(L, it->of.sim, it->slot, 1);
  lua_Integer at = store_place(L, it, item + 1, item, back);
  if (back && at == it->first) {
    at = --it->first;
  } else {
    for (lua_Integer i = it->first + it->count; i > at; i--) {
      lua_rawgeti(L, item + 1, i - 1);
      lua_rawseti(L, item + 1, i);
    }
  }
  lua_pushvalue(L, item);
  lua_rawseti(L, item + 1, at);
  it->count++;
  lua_settop(L, item - 1);
  store_level(it);
}

/* Takes item `at` out: leaves it on the top, in place of the table. */
static void store_remove(lua_State *L, store *it, lua_Integer at) {
  int table = lua_gettop(L);
  lua_rawgeti(L, table, at);
  lua_Integer last = it->first + it->count - 1;
  if (at == it->first) {
    lua_pushnil(L);
    lua_rawseti(L, table, it->first++);
  } else {
    for (lua_Integer i = at; i <= last; i++) {
      lua_rawgeti(L, table, i + 1);
      lua_rawseti(L, table, i);
    }
  }
  if (--it->count == 0) it->first = 1;
  lua_replace(L, table);
  store_level(it);
}

/* The item that a get wants: the first, or the first that its predicate, at
   `predicate` (0: none), takes; -1. The table is on the top. */
static lua_Integer store_find(lua_State *L, const store *it, int predicate) {
  int table = lua_gettop(L);
  lua_Integer last = it->first + it->count - 1;
  bool lifo = it->order == STORE_LIFO;
  if (it->count == 0) return -1;
  if (predicate == 0) return lifo ? last : it->first;
  for (lua_Integer k = 0; k < it->count; k++) {
    lua_Integer i = lifo ? last - k : it->first + k;
    lua_pushvalue(L, predicate);
    lua_rawgeti(L, table, i);
    if (host_guard(L, true, 1)) return i;
  }
  return -1;
}

/* -- the class -- */

static bool store_take_get(lua_State *L, store *it, place *pl) {
  int top = lua_gettop(L);
  host_sim *s = it->of.sim;
  uint32_t slot = pl->slot;
  md_time since = pl->since;
  luaL_checkstack(L, 8, NULL);
  if (it->count == 0) return false;
  if (slot != 0) host_fetch(L, s, slot, 1);
  host_fetch(L, s, it->slot, 1);
  lua_Integer at = store_find(L, it, slot ? top + 1 : 0);
  if (at < 0) {
    lua_settop(L, top);
    return false;
  }
  store_remove(L, it, at);
  pl->slot = host_hold(L, s, lua_gettop(L), 1);
  pl->count = 1;
  if (slot != 0) host_drop(L, s, slot, 1);
  waits_add(&it->got, md_sim_now(s->kernel) - since);
  lua_settop(L, top);
  return true;
}

static bool store_take(lua_State *L, thing *t, place *pl) {
  store *it = (store *)t;
  if (pl->line == LINE_GET) return store_take_get(L, it, pl);
  if (it->capacity != 0 && it->count + it->reserved >= it->capacity)
    return false;
  it->reserved++;
  return true;
}

static void store_give_back(lua_State *L, thing *t, place *pl) {
  store *it = (store *)t;
  if (pl->line == LINE_PUT) {
    it->reserved--;
    return;
  }
  host_fetch(L, t->sim, pl->slot, 1);
  store_insert(L, it, true);
}

static int store_push(lua_State *L, thing *t, place *pl) {
  store *it = (store *)t;
  if (pl->line == LINE_GET) return 1;
  it->reserved--;
  store_insert(L, it, false);
  thing_serve(L, t);
  lua_pushboolean(L, 1);
  return 1;
}

static void store_describe(lua_State *L, const thing *t, const place *pl) {
  const store *it = (const store *)t;
  if (pl->line == LINE_PUT) lua_pushliteral(L, "room in a store");
  else
    lua_pushfstring(L, "an item of a store, which has %I",
                    (LUAI_UACINT)it->count);
}

static const thing_class store_class = {.name = "md.store",
                                        .take = store_take,
                                        .give_back = store_give_back,
                                        .push = store_push,
                                        .passes = true,
                                        .describe = store_describe};

/* -- its methods -- */

static request store_put_request(lua_State *L, const char *call) {
  store *it = (store *)thing_arg(L, 1, &store_class, call);
  if (lua_isnoneornil(L, 2))
    host_raise(L, "usage", "%s: expected an item, got %s; s:%s(item)", call,
               host_describe(L, 2), call);
  lua_settop(L, 3);
  if (it->order == STORE_PRIORITY) store_before(L, it, 0, 2, 2);
  return (request){.of = &it->of, .line = LINE_PUT, .value = 2};
}

/* store:put(item [, timeout]) -> true
   Puts an item in, and waits while there is no room; nil, "timeout" when so
   many units of time are over first: then it is not in. Items are not nil.
   Raises usage without one.
     local s = md.store()
     md.spawn(function() s:put("apple"); print(s:get()) end) */
static int m_put(lua_State *L) {
  request r = store_put_request(L, "put");
  return request_wait(L, &r, await_deadline(L, r.of->sim, 3, "put"), "put");
}

/* store:putting(item) -> something to await
   The awaitable form of put.
     local s = md.store()
     md.spawn(function() md.await(s:putting("apple") | md.timer(5)) end) */
static int m_putting(lua_State *L) {
  request r = store_put_request(L, "putting");
  return request_push(L, &r);
}

/* The arguments ([predicate [, timeout]]), or the timeout alone. */
static request store_get_request(lua_State *L, const char *call) {
  request r = {.of = thing_arg(L, 1, &store_class, call), .line = LINE_GET};
  if (lua_type(L, 2) == LUA_TNUMBER && lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  lua_settop(L, 3);
  if (!lua_isnil(L, 2) && !lua_isfunction(L, 2))
    host_raise(L, "usage",
               "%s: expected a predicate, a function of an item, got %s", call,
               host_describe(L, 2));
  r.value = lua_isnil(L, 2) ? 0 : 2;
  return r;
}

/* store:get([predicate] [, timeout]) -> item
   Takes the first item out, or the first for which predicate(item) is true, and
   waits while there is none; nil, "timeout" when so many units of time are over
   first. Who waits with a predicate keeps nobody from other items.
     local s = md.store()
     md.spawn(function() s:put(3); print(s:get(function(n) return n > 2 end))
   end)
 */
static int m_get(lua_State *L) {
  request r = store_get_request(L, "get");
  return request_wait(L, &r, await_deadline(L, r.of->sim, 3, "get"), "get");
}

/* store:getting([predicate]) -> something to await
   The awaitable form of get; an item that it was granted goes back to its place
   when another wins.
     local s = md.store()
     md.spawn(function() print(md.await(s:getting() | md.timer(5))) end) */
static int m_getting(lua_State *L) {
  request r = store_get_request(L, "getting");
  return request_push(L, &r);
}

static void store_push_items(lua_State *L, const store *it) {
  host_fetch(L, it->of.sim, it->slot, 1);
  lua_createtable(L, (int)it->count, 0);
  for (lua_Integer i = 0; i < it->count; i++) {
    lua_rawgeti(L, -2, it->first + i);
    lua_rawseti(L, -2, i + 1);
  }
}

static int store_field(lua_State *L) {
  const store *it = lua_touserdata(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const host_sim *s = it->of.sim;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  md_scale scale = md_sim_scale(s->kernel);
  if (strcmp(name, "count") == 0 || strcmp(name, "level") == 0)
    lua_pushinteger(L, it->count);
  else if (strcmp(name, "capacity") == 0 && it->capacity == 0)
    lua_pushnumber(L, HUGE_VAL);
  else if (strcmp(name, "capacity") == 0) lua_pushinteger(L, it->capacity);
  else if (strcmp(name, "items") == 0) store_push_items(L, it);
  else if (strcmp(name, "getting_length") == 0)
    lua_pushinteger(L, it->of.lines[LINE_GET].count);
  else if (strcmp(name, "putting_length") == 0)
    lua_pushinteger(L, it->of.lines[LINE_PUT].count);
  else if (strcmp(name, "mean_level") == 0)
    lua_pushnumber(L, gauge_mean(&it->level, md_sim_now(s->kernel)));
  else if (strcmp(name, "mean_wait") == 0)
    lua_pushnumber(L, waits_mean(&it->got) * md_time_show(scale, 1));
  else if (strcmp(name, "served") == 0)
    lua_pushinteger(L, (lua_Integer)it->got.count);
  else lua_pushnil(L);
  return 1;
}

static int store_collect(lua_State *L) {
  const store *it = lua_touserdata(L, 1);
  host_drop(L, it->of.sim, it->slot, it->slot != 0);
  return 0;
}

static const char *const store_fields[] = {"capacity", "order", NULL};

static store_order store_order_of(lua_State *L) {
  static const char *const names[] = {"fifo", "lifo", "priority"};
  lua_getfield(L, 1, "order");
  if (lua_isfunction(L, -1)) return STORE_BY;
  const char *name = lua_isnil(L, -1) ? "fifo" : lua_tostring(L, -1);
  int k = 0;
  while (k < 3 && (name == NULL || strcmp(name, names[k]) != 0)) k++;
  if (k == 3)
    host_raise(L, "usage",
               "store: expected \"fifo\", \"lifo\", \"priority\" or a function "
               "as order, got %s",
               host_describe(L, -1));
  return (store_order)k;
}

/* store{capacity=, order=} -> store
   Keeps items between those who put them in and those who take them out: at
   most capacity of them (else any number), in the order "fifo", "lifo",
   "priority" (the lowest number, or field priority of a table, first) or as a
   function(a, b) says that is true when a goes first. Fields: count, capacity,
   items (a list), getting_length, putting_length, mean_level, mean_wait,
   served. Raises usage for another option or a wrong value.
     local s = md.store { capacity = 10 } */
static int f_store(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    return host_raise(L, "usage",
                      "store: expected a table of options, got %s; "
                      "md.store{capacity = 10}",
                      host_describe(L, 1));
  host_check_fields(L, 1, "store", store_fields);
  lua_getfield(L, 1, "capacity");
  lua_Number capacity = lua_isnil(L, -1) ? HUGE_VAL : lua_tonumber(L, -1);
  if ((!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER) || capacity < 1 ||
      (capacity < HUGE_VAL && capacity != floor(capacity)) ||
      (capacity < HUGE_VAL && capacity > UINT32_MAX))
    return host_raise(L, "usage",
                      "store: expected an integer of at least 1 as capacity, "
                      "got %s",
                      host_describe(L, -1));
  store_order order = store_order_of(L); /* pushes it */
  store *it = (store *)thing_new(L, s, &store_class, sizeof *it, 1);
  it->order = order;
  it->capacity = capacity < HUGE_VAL ? (uint32_t)capacity : 0;
  it->first = 1;
  gauge_open(&it->level, md_sim_now(s->kernel));
  luaL_setmetatable(L, store_class.name);
  lua_newtable(L);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, 0);
  it->slot = host_hold(L, s, lua_gettop(L), 1);
  lua_pop(L, 1);
  return 1;
}

void host_open_stores(lua_State *L) {
  static const luaL_Reg stores[] = {{"put", m_put},
                                    {"putting", m_putting},
                                    {"get", m_get},
                                    {"getting", m_getting},
                                    {NULL, NULL}};
  static const luaL_Reg functions[] = {{"store", f_store}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &store_class, stores, store_field, store_collect, false);
}
