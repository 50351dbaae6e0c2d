/* Containers of an amount; what is put in counts from the putter's turn on, and
   what is granted to a get leaves no room until its turn, as in a store. */
#include "host/gauge.h"
#include "host/modules.h"
#include "host/place.h"

#include <math.h>
#include <string.h>

typedef struct container {
  thing of;
  double capacity, level;
  double granted[THING_LINES];  /* amounts whose processes have yet to go on */
  uint64_t grants[THING_LINES]; /* how many they are */
  gauge over;                   /* its level over time */
  waits done[THING_LINES], gone[THING_LINES]; /* who was served, gave up */
  bool observe;
} container;

static double container_amount(const place *pl) {
  double n;
  memcpy(&n, &pl->words[0], sizeof n);
  return n;
}

static void container_add(container *it, double n) {
  it->level += n;
  if (it->observe)
    gauge_set(&it->over, md_sim_now(it->of.sim->kernel), it->level);
}

static void container_waited(const container *it, waits *lines,
                             const place *pl) {
  if (it->observe)
    waits_add(&lines[pl->line], md_sim_now(it->of.sim->kernel) - pl->since);
}

/* Sums of fractions leave a rest, which nobody must wait for: none is left. */
static void container_settle(container *it, int line, double n) {
  it->granted[line] = --it->grants[line] ? it->granted[line] - n : 0;
}

/* What a get can have now. */
static double container_level(const container *it) {
  return it->level - it->granted[LINE_GET];
}

static bool container_take(lua_State *L, thing *t, place *pl) {
  container *it = (container *)t;
  double n = container_amount(pl);
  (void)L;
  if (pl->line == LINE_GET && container_level(it) < n) return false;
  if (pl->line == LINE_PUT &&
      it->level + it->granted[LINE_PUT] + n > it->capacity)
    return false;
  it->granted[pl->line] += n;
  it->grants[pl->line]++;
  return true;
}

static void container_withdraw(lua_State *L, thing *t, const place *pl) {
  container *it = (container *)t;
  (void)L;
  container_waited(it, it->gone, pl);
}

static void container_give_back(lua_State *L, thing *t, place *pl) {
  container_withdraw(L, t, pl);
  container_settle((container *)t, pl->line, container_amount(pl));
}

static int container_push(lua_State *L, thing *t, place *pl) {
  container *it = (container *)t;
  double n = container_amount(pl);
  container_waited(it, it->done, pl);
  container_settle(it, pl->line, n);
  container_add(it, pl->line == LINE_PUT ? n : -n);
  thing_serve(L, t);
  lua_pushnumber(L, n);
  return 1;
}

static void container_describe(lua_State *L, const thing *t, const place *pl) {
  const container *it = (const container *)t;
  lua_pushfstring(L,
                  pl->line == LINE_PUT ? "room for %f in %s, which has %f"
                                       : "%f of %s, which has %f",
                  container_amount(pl), thing_called(L, t),
                  container_level(it));
  lua_remove(L, -2);
}

enum {
  CONTAINER_LEVEL,
  CONTAINER_CAPACITY,
  CONTAINER_MEAN_LEVEL,
  CONTAINER_MAX_LEVEL,
  CONTAINER_MEAN_WAIT,
  CONTAINER_MEAN_PUT_WAIT,
  CONTAINER_GETTING,
  CONTAINER_PUTTING,
  CONTAINER_SERVED,
  CONTAINER_PUTS,
  CONTAINER_RENEGED,
  CONTAINER_PUTS_RENEGED,
  CONTAINER_NAME
};

static const char *const container_names[] = {
    "level",          "capacity",
    "mean_level",     "max_level",
    "mean_wait",      "mean_put_wait",
    "getting_length", "putting_length",
    "served",         "puts",
    "reneged",        "puts_reneged",
    "name",           NULL};

static double container_figure(const container *it, int i) {
  const md_sim *kernel = it->of.sim->kernel;
  double unit = md_time_show(md_sim_scale(kernel), 1);
  switch (i) {
  case CONTAINER_LEVEL:
    return container_level(it);
  case CONTAINER_CAPACITY:
    return it->capacity;
  case CONTAINER_MEAN_LEVEL:
    return gauge_mean(&it->over, md_sim_now(kernel));
  case CONTAINER_MAX_LEVEL:
    return it->over.most;
  case CONTAINER_MEAN_WAIT:
    return waits_mean(&it->done[LINE_GET]) * unit;
  default:
    return waits_mean(&it->done[LINE_PUT]) * unit;
  }
}

static void container_field(lua_State *L, const thing *t, int i) {
  const container *it = (const container *)t;
  const uint64_t counts[] = {
      t->lines[LINE_GET].count, t->lines[LINE_PUT].count,
      it->done[LINE_GET].count, it->done[LINE_PUT].count,
      it->gone[LINE_GET].count, it->gone[LINE_PUT].count};
  if (i == CONTAINER_NAME) lua_getiuservalue(L, 1, 2);
  else if (i < CONTAINER_GETTING) lua_pushnumber(L, container_figure(it, i));
  else lua_pushinteger(L, (lua_Integer)counts[i - CONTAINER_GETTING]);
}

static int m_container_put(lua_State *L);
static int m_container_putting(lua_State *L);
static int m_container_get(lua_State *L);
static int m_container_getting(lua_State *L);
static int m_container_reset(lua_State *L);

static const luaL_Reg container_methods[] = {
    {"put", m_container_put},     {"putting", m_container_putting},
    {"get", m_container_get},     {"getting", m_container_getting},
    {"reset", m_container_reset}, {NULL, NULL}};

static const thing_class container_class = {.name = "md.container",
                                            .named = true,
                                            .take = container_take,
                                            .give_back = container_give_back,
                                            .push = container_push,
                                            .withdraw = container_withdraw,
                                            .describe = container_describe,
                                            .methods = container_methods,
                                            .fields = container_names,
                                            .field = container_field};

static request container_request(lua_State *L, const char *call, int line) {
  container *it = (container *)thing_arg(L, 1, &container_class, call);
  request r = {.of = &it->of, .line = line};
  double n = lua_tonumber(L, 2);
  if (lua_type(L, 2) != LUA_TNUMBER || !(n > 0 && n < HUGE_VAL))
    host_raise(L, "usage", "%s: expected a finite amount above 0, got %s", call,
               host_describe(L, 2));
  if (n > it->capacity)
    host_raise(L, "usage",
               "%s: expected an amount up to the capacity %f, got %f, which "
               "would wait for ever",
               call, it->capacity, n);
  memcpy(&r.words[0], &n, sizeof n);
  lua_settop(L, 3);
  return r;
}

/* container:put(n [, timeout]) -> n
   Adds an amount, and waits while there is no room for all of it, behind those
   who asked before; nil, "timeout" when so many units of time are over first.
   Raises usage for a wrong amount, or one above the capacity.
     local tank = md.container { capacity = 100 }
     md.spawn(function() tank:put(40); print(tank.level) end) */
static int m_container_put(lua_State *L) {
  request r = container_request(L, "put", LINE_PUT);
  return request_wait(L, &r, await_deadline(L, r.of->sim, 3, "put"), "put");
}

/* container:get(n [, timeout]) -> n
   Takes an amount, and waits while there is less; see put.
     local tank = md.container { capacity = 100, level = 50 }
     md.spawn(function() print(tank:get(40)) end) */
static int m_container_get(lua_State *L) {
  request r = container_request(L, "get", LINE_GET);
  return request_wait(L, &r, await_deadline(L, r.of->sim, 3, "get"), "get");
}

/* container:putting(n) -> something to await
   The awaitable form of put.
     local tank = md.container { capacity = 100 }
     md.spawn(function() md.await(tank:putting(40)) end) */
static int m_container_putting(lua_State *L) {
  request r = container_request(L, "putting", LINE_PUT);
  return request_push(L, &r);
}

/* container:getting(n) -> something to await
   The awaitable form of get.
     local tank = md.container { capacity = 100, level = 50 }
     md.spawn(function() md.await(tank:getting(40)) end) */
static int m_container_getting(lua_State *L) {
  request r = container_request(L, "getting", LINE_GET);
  return request_push(L, &r);
}

/* container:reset()
   Forgets what it has kept of itself, as at the end of a warm-up: the mean
   level begins now, and so do the counts; what is in it stays.
     md.container():reset() */
static int m_container_reset(lua_State *L) {
  container *it = (container *)thing_arg(L, 1, &container_class, "reset");
  gauge_reset(&it->over, md_sim_now(it->of.sim->kernel));
  memset(it->done, 0, sizeof it->done);
  memset(it->gone, 0, sizeof it->gone);
  return 0;
}

static const char *const container_fields[] = {"capacity", "level", "name",
                                               "observe", NULL};

static double container_number(lua_State *L, const char *field,
                               double otherwise, double most) {
  lua_getfield(L, 1, field);
  double n = lua_isnil(L, -1) ? otherwise : lua_tonumber(L, -1);
  if ((!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER) ||
      !(n >= 0 && n <= most))
    host_raise(L, "usage",
               "container: expected a number from 0%s as %s, got %s",
               most < HUGE_VAL ? " to the capacity" : " on", field,
               host_describe(L, -1));
  lua_pop(L, 1);
  return n;
}

/* container{capacity=, level=, name=, observe=} -> container
   Holds an amount of something: level at first (0), at most capacity (else any
   amount). Puts and gets are each served in order, whatever they want. Fields:
   level, capacity, name, getting_length and putting_length (who waits); and,
   unless observe is false, mean_level, max_level; of gets: served (how many
   have had theirs), mean_wait of those, reneged (how many gave up); of puts:
   puts, mean_put_wait, puts_reneged. Raises usage for another option or a wrong
   value.
     local tank = md.container { capacity = 100, level = 50 } */
static int f_container(lua_State *L) {
  host_sim *s = thing_read_options(L, "container", container_fields,
                                   "md.container{capacity = 100, level = 50}");
  double capacity = container_number(L, "capacity", HUGE_VAL, HUGE_VAL);
  double level = container_number(L, "level", 0, capacity);
  bool observe = thing_read_boolean(L, 1, "observe", true, "container");
  thing_read_name(L, 1, "container");
  container *it = (container *)thing_new(L, s, &container_class, sizeof *it, 2);
  thing_name(L, 2);
  it->capacity = capacity;
  it->observe = observe;
  gauge_open(&it->over, md_sim_now(s->kernel));
  container_add(it, level);
  luaL_setmetatable(L, container_class.name);
  return 1;
}

void host_open_containers(lua_State *L) {
  static const luaL_Reg functions[] = {{"container", f_container},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &container_class, NULL, false);
}
