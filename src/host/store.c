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

/* The items are in a table that is held at `slot`, beside the function of
   STORE_BY: item i, from `first` on, at 2 * i - 1, and behind it the number
   that it got when it was put in, which keeps its place for it. Room counts as
   taken until the process that gets an item has had its turn. */
typedef struct store {
  thing of;
  store_order order;
  uint32_t capacity; /* 0: no bound */
  uint32_t reserved; /* room that is promised to putters */
  uint32_t taken;    /* items that are granted, and may come back */
  uint32_t slot;
  lua_Integer first, count, numbers;
  gauge level;
  waits done[THING_LINES], gone[THING_LINES]; /* who was served, gave up */
  bool observe;
} store;

static void store_level(store *it) {
  if (it->observe)
    gauge_set(&it->level, md_sim_now(it->of.sim->kernel), (double)it->count);
}

static void store_waited(const store *it, waits *lines, const place *pl) {
  if (it->observe)
    waits_add(&lines[pl->line], md_sim_now(it->of.sim->kernel) - pl->since);
}

/* -- items; the table is on the top -- */

static void store_get_item(lua_State *L, int table, lua_Integer i) {
  lua_rawgeti(L, table, 2 * i - 1);
}

/* Item `from` and its number to place `to`. */
static void store_move(lua_State *L, int table, lua_Integer from,
                       lua_Integer to) {
  for (int k = 0; k < 2; k++) {
    lua_rawgeti(L, table, 2 * from - 1 + k);
    lua_rawseti(L, table, 2 * to - 1 + k);
  }
}

static bool store_by(lua_State *L, const store *it, int a, int b) {
  host_fetch(L, it->of.sim, it->slot + 1, 1);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  return host_guard(L, true, 2);
}

/* Does the value at a go before that at b? */
static bool store_before(lua_State *L, const store *it, int a, int b) {
  if (it->order == STORE_BY) return store_by(L, it, a, b);
  int top = lua_gettop(L);
  for (int i = 0; i < 2; i++) {
    int value = i == 0 ? a : b;
    if (lua_istable(L, value)) lua_getfield(L, value, "priority");
    else lua_pushvalue(L, value);
    lua_Number n = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || n != n)
      host_raise(L, "usage",
                 "put: a store by priority takes numbers, or tables with a "
                 "number as field priority; got %s",
                 host_describe(L, -1));
  }
  bool yes = lua_compare(L, top + 1, top + 2, LUA_OPLT);
  lua_settop(L, top);
  return yes;
}

/* Does the value at `item`, with that number, go before item i? */
static bool store_precedes(lua_State *L, const store *it, int table, int item,
                           lua_Integer number, lua_Integer i) {
  lua_rawgeti(L, table, 2 * i);
  bool older = number < lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (it->order == STORE_FIFO || it->order == STORE_LIFO) return older;
  store_get_item(L, table, i);
  int there = lua_gettop(L);
  bool yes = store_before(L, it, item, there) ||
             (older && !store_before(L, it, there, item));
  lua_pop(L, 1);
  return yes;
}

/* Where the value at `item` belongs among those that are there. */
static lua_Integer store_place(lua_State *L, const store *it, int table,
                               int item, lua_Integer number) {
  lua_Integer low = it->first, high = it->first + it->count;
  while (low < high) {
    lua_Integer middle = low + (high - low) / 2;
    if (number == it->numbers && it->order <= STORE_LIFO) middle = high - 1;
    if (store_precedes(L, it, table, item, number, middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* The value at `item` becomes item `at` of the table at `table`. */
static void store_set(lua_State *L, store *it, int table, int item,
                      lua_Integer at, lua_Integer number) {
  if (at == it->first && it->count > 0) {
    at = --it->first;
  } else {
    for (lua_Integer i = it->first + it->count; i > at; i--)
      store_move(L, table, i - 1, i);
  }
  lua_pushvalue(L, item);
  lua_rawseti(L, table, 2 * at - 1);
  lua_pushinteger(L, number);
  lua_rawseti(L, table, 2 * at);
  it->count++;
  store_level(it);
}

/* Puts the value on the top where it belongs. [-1, +0, e] */
static void store_insert(lua_State *L, store *it, lua_Integer number) {
  int item = lua_gettop(L);
  luaL_checkstack(L, 12, NULL);
  host_fetch(L, it->of.sim, it->slot, 1);
  lua_Integer at = store_place(L, it, item + 1, item, number);
  store_set(L, it, item + 1, item, at, number);
  lua_settop(L, item - 1);
}

/* (store, item, number): store_insert, for a protected call. */
static int store_try(lua_State *L) {
  lua_Integer number = lua_tointeger(L, 3);
  lua_settop(L, 2);
  store_insert(L, lua_touserdata(L, 1), number);
  return 0;
}

/* The same where an order may raise; true, or false and the error.
   [-1, +(0|1), m] */
static bool store_insert_safely(lua_State *L, store *it, lua_Integer number) {
  if (it->order <= STORE_LIFO) {
    store_insert(L, it, number);
    return true;
  }
  lua_pushcfunction(L, store_try);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, it);
  lua_insert(L, -2);
  lua_pushinteger(L, number);
  return lua_pcall(L, 3, 0, 0) == LUA_OK;
}

/* Takes item `at` out: leaves it on the top, in place of the table. */
static void store_remove(lua_State *L, store *it, lua_Integer at) {
  int table = lua_gettop(L);
  lua_Integer last = it->first + it->count - 1;
  store_get_item(L, table, at);
  lua_Integer hole = at == it->first ? it->first++ : last;
  if (hole == last)
    for (lua_Integer i = at; i < last; i++) store_move(L, table, i + 1, i);
  for (int k = 0; k < 2; k++) {
    lua_pushnil(L);
    lua_rawseti(L, table, 2 * hole - 1 + k);
  }
  if (--it->count == 0) it->first = 1;
  lua_replace(L, table);
  store_level(it);
}

/* The item that a place wants: the first, or the first that its predicate, at
   `predicate` (0: none), takes; -1, also when that raised. The table is on the
   top. */
static lua_Integer store_find(lua_State *L, store *it, place *pl,
                              int predicate) {
  int table = lua_gettop(L);
  lua_Integer first = it->first, last = it->first + it->count - 1;
  bool lifo = it->order == STORE_LIFO;
  if (predicate == 0) return lifo ? last : first;
  for (lua_Integer k = 0; k <= last - first; k++) {
    lua_Integer i = lifo ? last - k : first + k;
    lua_pushvalue(L, predicate);
    store_get_item(L, table, i);
    if (place_holds(L, it->of.sim, pl, 1))
      return pl->state == PLACE_FAILED ? -1 : i;
  }
  return -1;
}

/* -- the class -- */

static bool store_ready(const thing *t, int line) {
  const store *it = (const store *)t;
  if (line == LINE_GET) return it->count > 0;
  return it->capacity == 0 ||
         it->count + it->reserved + it->taken < it->capacity;
}

static bool store_take_get(lua_State *L, store *it, place *pl) {
  int top = lua_gettop(L);
  host_sim *s = it->of.sim;
  luaL_checkstack(L, 12, NULL);
  if (pl->slot != 0) host_fetch(L, s, pl->slot, 1);
  host_fetch(L, s, it->slot, 1);
  lua_Integer at = store_find(L, it, pl, pl->slot ? top + 1 : 0);
  if (at >= it->first && pl->state != PLACE_FAILED) {
    lua_rawgeti(L, -1, 2 * at);
    pl->words[0] = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    store_remove(L, it, at);
    uint32_t slot = host_hold(L, s, lua_gettop(L), 1);
    host_drop(L, s, pl->slot, (int)pl->count);
    pl->slot = slot;
    pl->count = 1;
    pl->words[1] = 1;
    it->taken++;
  }
  lua_settop(L, top);
  return pl->words[1] != 0 || pl->state == PLACE_FAILED;
}

static bool store_take(lua_State *L, thing *t, place *pl) {
  store *it = (store *)t;
  if (!store_ready(t, pl->line)) return false;
  if (pl->line == LINE_GET) return store_take_get(L, it, pl);
  it->reserved++;
  return true;
}

static void store_withdraw(lua_State *L, thing *t, const place *pl) {
  store *it = (store *)t;
  (void)L;
  store_waited(it, it->gone, pl);
}

/* An order that raises now has to make do with the front. */
static void store_give_back(lua_State *L, thing *t, place *pl) {
  store *it = (store *)t;
  store_withdraw(L, t, pl);
  lua_Integer number = (lua_Integer)pl->words[0];
  if (pl->line == LINE_PUT) {
    it->reserved--;
    return;
  }
  it->taken--;
  int top = lua_gettop(L);
  luaL_checkstack(L, 8, NULL);
  host_fetch(L, t->sim, pl->slot, 1);
  lua_pushvalue(L, -1);
  if (!store_insert_safely(L, it, number)) {
    host_fetch(L, t->sim, it->slot, 1);
    store_set(L, it, lua_gettop(L), top + 1, it->first, number);
  }
  lua_settop(L, top);
}

static int store_push(lua_State *L, thing *t, place *pl) {
  store *it = (store *)t;
  store_waited(it, it->done, pl);
  if (pl->line == LINE_GET) {
    it->taken--;
    thing_serve(L, t);
    return 1;
  }
  it->reserved--;
  bool in = store_insert_safely(L, it, ++it->numbers);
  thing_serve(L, t);
  if (!in) return lua_error(L);
  lua_pushboolean(L, 1);
  return 1;
}

static void store_describe(lua_State *L, const thing *t, const place *pl) {
  const store *it = (const store *)t;
  const char *name = thing_called(L, t);
  if (pl->line == LINE_PUT) lua_pushfstring(L, "room in %s", name);
  else
    lua_pushfstring(L, "an item of %s, which has %I", name,
                    (LUAI_UACINT)it->count);
  lua_remove(L, -2);
}

static void store_push_items(lua_State *L, const store *it) {
  host_fetch(L, it->of.sim, it->slot, 1);
  lua_createtable(L, (int)it->count, 0);
  for (lua_Integer i = 0; i < it->count; i++) {
    store_get_item(L, lua_gettop(L) - 1, it->first + i);
    lua_rawseti(L, -2, i + 1);
  }
}

enum {
  STORE_COUNT,
  STORE_LEVEL,
  STORE_GETTING,
  STORE_PUTTING,
  STORE_SERVED,
  STORE_PUTS,
  STORE_RENEGED,
  STORE_PUTS_RENEGED,
  STORE_CAPACITY,
  STORE_ITEMS,
  STORE_NAME,
  STORE_MEAN_LEVEL,
  STORE_MAX_LEVEL,
  STORE_MEAN_WAIT,
  STORE_MAX_WAIT,
  STORE_MEAN_PUT_WAIT
};

static const char *const store_names[] = {
    "count",     "level",     "getting_length", "putting_length",
    "served",    "puts",      "reneged",        "puts_reneged",
    "capacity",  "items",     "name",           "mean_level",
    "max_level", "mean_wait", "max_wait",       "mean_put_wait",
    NULL};

static uint64_t store_count(const store *it, int i) {
  const uint64_t counts[] = {
      it->of.lines[LINE_GET].count, it->of.lines[LINE_PUT].count,
      it->done[LINE_GET].count,     it->done[LINE_PUT].count,
      it->gone[LINE_GET].count,     it->gone[LINE_PUT].count};
  return i < STORE_GETTING ? (uint64_t)it->count : counts[i - STORE_GETTING];
}

static double store_number(const store *it, int i) {
  const md_sim *kernel = it->of.sim->kernel;
  double unit = md_time_show(md_sim_scale(kernel), 1);
  switch (i) {
  case STORE_MEAN_LEVEL:
    return gauge_mean(&it->level, md_sim_now(kernel));
  case STORE_MAX_LEVEL:
    return it->level.most;
  case STORE_MEAN_WAIT:
    return waits_mean(&it->done[LINE_GET]) * unit;
  case STORE_MAX_WAIT:
    return it->done[LINE_GET].most * unit;
  default:
    return waits_mean(&it->done[LINE_PUT]) * unit;
  }
}

static void store_field(lua_State *L, const thing *t, int i) {
  const store *it = (const store *)t;
  if (i < STORE_CAPACITY) lua_pushinteger(L, (lua_Integer)store_count(it, i));
  else if (i == STORE_CAPACITY && it->capacity == 0)
    lua_pushnumber(L, HUGE_VAL);
  else if (i == STORE_CAPACITY) lua_pushinteger(L, it->capacity);
  else if (i == STORE_ITEMS) store_push_items(L, it);
  else if (i == STORE_NAME) lua_getiuservalue(L, 1, 2);
  else lua_pushnumber(L, store_number(it, i));
}

static int m_put(lua_State *L);
static int m_putting(lua_State *L);
static int m_get(lua_State *L);
static int m_getting(lua_State *L);
static int m_store_reset(lua_State *L);

static const luaL_Reg store_methods[] = {
    {"put", m_put},         {"putting", m_putting},   {"get", m_get},
    {"getting", m_getting}, {"reset", m_store_reset}, {NULL, NULL}};

static const thing_class store_class = {.name = "md.store",
                                        .named = true,
                                        .take = store_take,
                                        .give_back = store_give_back,
                                        .push = store_push,
                                        .withdraw = store_withdraw,
                                        .ready = store_ready,
                                        .passes = true,
                                        .describe = store_describe,
                                        .methods = store_methods,
                                        .fields = store_names,
                                        .field = store_field};

/* -- its methods -- */

static request store_put_request(lua_State *L, const char *call) {
  store *it = (store *)thing_arg(L, 1, &store_class, call);
  if (lua_isnoneornil(L, 2))
    host_raise(L, "usage", "%s: expected an item, got %s; s:%s(item)", call,
               host_describe(L, 2), call);
  lua_settop(L, 3);
  if (it->order == STORE_PRIORITY) store_before(L, it, 2, 2);
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
               "%s: expected a predicate, a function of an item, got %s; "
               "s:%s(predicate, timeout)",
               call, host_describe(L, 2), call);
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

/* store:reset()
   Forgets what it has kept of itself, as at the end of a warm-up: the mean
   level begins now, and so do the counts; the items stay.
     md.store():reset() */
static int m_store_reset(lua_State *L) {
  store *it = (store *)thing_arg(L, 1, &store_class, "reset");
  gauge_reset(&it->level, md_sim_now(it->of.sim->kernel));
  memset(it->done, 0, sizeof it->done);
  memset(it->gone, 0, sizeof it->gone);
  return 0;
}

static int store_collect(lua_State *L) {
  const store *it = lua_touserdata(L, 1);
  host_drop(L, it->of.sim, it->slot, it->slot ? 2 : 0);
  return 0;
}

static const char *const store_fields[] = {"capacity", "order", "name",
                                           "observe", NULL};

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

/* store{capacity=, order=, name=, observe=} -> store
   Keeps items between those who put them in and those who take them out: at
   most capacity of them (else any number), in the order "fifo", "lifo",
   "priority" (the lowest number, or field priority of a table, first) or as a
   function(a, b) says that is true when a goes first. Fields: count (or level),
   capacity, items (a list), name, getting_length and putting_length (who
   waits); and, unless observe is false, mean_level, max_level; of gets: served,
   mean_wait, max_wait, reneged; of puts: puts, mean_put_wait, puts_reneged; see
   help resources. Raises usage for another option or a wrong value.
     local s = md.store { capacity = 10 } */
static int f_store(lua_State *L) {
  host_sim *s =
      thing_read_options(L, "store", store_fields, "md.store{capacity = 10}");
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
  bool observe = thing_read_boolean(L, 1, "observe", true, "store");
  thing_read_name(L, 1, "store");
  store *it = (store *)thing_new(L, s, &store_class, sizeof *it, 2);
  thing_name(L, 4);
  it->order = order;
  it->observe = observe;
  it->capacity = capacity < HUGE_VAL ? (uint32_t)capacity : 0;
  it->first = 1;
  gauge_open(&it->level, md_sim_now(s->kernel));
  luaL_setmetatable(L, store_class.name);
  lua_newtable(L);
  lua_pushvalue(L, 3);
  it->slot = host_hold(L, s, lua_gettop(L) - 1, 2);
  lua_pop(L, 2);
  return 1;
}

void host_open_stores(lua_State *L) {
  static const luaL_Reg functions[] = {{"store", f_store}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &store_class, store_collect, false);
}
