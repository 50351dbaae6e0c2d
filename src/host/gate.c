/* Barriers and conditions: who waits until others have come, or say so. */
#include "host/modules.h"
#include "host/pattern.h"
#include "host/place.h"

#include <string.h>

/* -- barriers -- */

typedef struct barrier {
  thing of;
  uint32_t n, passing; /* who still have to go, of a round that is complete */
} barrier;

static bool barrier_take(lua_State *L, thing *t, place *pl) {
  barrier *it = (barrier *)t;
  uint32_t waiting = t->lines[0].count;
  (void)L;
  if (it->passing == 0) {
    if (waiting + 1 < it->n) return false;
    it->passing = it->n;
  }
  pl->words[0] = it->passing == it->n ? it->n : it->n - it->passing;
  it->passing--;
  return true;
}

static void barrier_give_back(lua_State *L, thing *t, place *pl) {
  (void)L, (void)t, (void)pl; /* its round is complete all the same */
}

static int barrier_push(lua_State *L, thing *t, place *pl) {
  (void)t;
  lua_pushinteger(L, (lua_Integer)pl->words[0]);
  return 1;
}

static void barrier_describe(lua_State *L, const thing *t, const place *pl) {
  const barrier *it = (const barrier *)t;
  (void)pl;
  lua_pushfstring(L, "a barrier, where %I of %I are",
                  (LUAI_UACINT)t->lines[0].count, (LUAI_UACINT)it->n);
}

/* It has been counted into the round that goes. */
static void barrier_withdraw(lua_State *L, thing *t, const place *pl) {
  barrier *it = (barrier *)t;
  (void)L, (void)pl;
  if (it->passing > 0) it->passing--;
}

static bool barrier_ready(const thing *t, int line) {
  (void)line;
  return ((const barrier *)t)->passing > 0;
}

static void barrier_field(lua_State *L, const thing *t, int i) {
  const barrier *it = (const barrier *)t;
  lua_pushinteger(L, i == 0 ? it->n : t->lines[0].count);
}

static int m_arrive(lua_State *L);
static int m_arriving(lua_State *L);

static const luaL_Reg barrier_methods[] = {
    {"arrive", m_arrive}, {"arriving", m_arriving}, {NULL, NULL}};
static const char *const barrier_fields[] = {"n", "arrived", NULL};

static const char *const barrier_advice[] = {
    "wait", "barrier:arrive() waits for the others", NULL};

static const thing_class barrier_class = {.advice = barrier_advice,
                                          .name = "md.barrier",
                                          .take = barrier_take,
                                          .give_back = barrier_give_back,
                                          .push = barrier_push,
                                          .withdraw = barrier_withdraw,
                                          .ready = barrier_ready,
                                          .passes = true,
                                          .describe = barrier_describe,
                                          .methods = barrier_methods,
                                          .fields = barrier_fields,
                                          .field = barrier_field};

/* barrier:arrive([timeout]) -> integer
   Waits until n processes have arrived, all of which go on then, and the next
   round begins; returns which of them this was, the last is n. nil, "timeout"
   when so many units of time are over first: then it has not arrived.
     local b = md.barrier(2)
     for _ = 1, 2 do md.spawn(function() print(b:arrive()) end) end */
static int m_arrive(lua_State *L) {
  request r = {.of = thing_arg(L, 1, &barrier_class, "arrive")};
  return request_wait(L, &r, await_deadline(L, r.of->sim, 2, "arrive"),
                      "arrive");
}

/* barrier:arriving() -> something to await
   The awaitable form of arrive.
     local b = md.barrier(2)
     md.spawn(function() print(md.await(b:arriving() | md.timer(3))) end) */
static int m_arriving(lua_State *L) {
  request r = {.of = thing_arg(L, 1, &barrier_class, "arriving")};
  lua_settop(L, 1);
  return request_push(L, &r);
}

/* barrier(n) -> barrier
   Where processes wait for one another until n, at least 1, have arrived.
   Fields: n, arrived. Raises usage for a wrong n.
     local b = md.barrier(3) */
static int f_barrier(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  int fits;
  lua_Integer n = lua_tointegerx(L, 1, &fits);
  if (lua_type(L, 1) != LUA_TNUMBER || !fits || n < 1 || n > UINT32_MAX)
    return host_raise(L, "usage",
                      "barrier: expected an integer of at least 1, got %s; "
                      "md.barrier(3)",
                      host_describe(L, 1));
  barrier *it = (barrier *)thing_new(L, s, &barrier_class, sizeof *it, 1);
  it->n = (uint32_t)n;
  luaL_setmetatable(L, barrier_class.name);
  return 1;
}

/* -- conditions -- */

/* A place has as words[0] whether it has a predicate, which is held for it, and
   as words[1] when it came; or once it is notified, the last who might be in
   its place, 0: nobody, as all were. */
typedef struct condition {
  thing of;
  uint64_t arrivals;
} condition;

static bool condition_holds(lua_State *L, host_sim *s, place *pl) {
  if (pl->words[0] == 0) return true;
  luaL_checkstack(L, 4, NULL);
  host_fetch(L, s, pl->slot, 1);
  return place_holds(L, s, pl, 0);
}

/* Only a predicate that is true already spares the wait. */
static bool condition_take(lua_State *L, thing *t, place *pl) {
  pl->words[1] = ++((condition *)t)->arrivals;
  if (pl->words[0] == 0 || !condition_holds(L, t->sim, pl)) return false;
  pl->words[1] = 0;
  return true;
}

/* It tests its predicates when it is notified, and not at other times. */
static bool condition_ready(const thing *t, int line) {
  (void)t, (void)line;
  return false;
}

/* Up to n of those who had come by `last` go on; returns how many. Who is
   granted may leave other places of this line, with which it starts again,
   behind those that were tested. */
static lua_Integer condition_grant(lua_State *L, thing *t, lua_Integer n,
                                   uint64_t last, bool all) {
  host_sim *s = t->sim;
  uint64_t tested = 0;
  lua_Integer woken = 0;
  uint32_t e = t->lines[0].first;
  while (e != 0 && woken < n) {
    place *pl = place_at(s, e);
    uint64_t came = pl->words[1];
    uint32_t next = pl->next;
    if (came > last) break;
    if (came > tested) {
      tested = came;
      if (condition_holds(L, s, pl)) {
        bool alone = pl->of_tree == NULL;
        pl->words[1] = all ? 0 : last;
        if (pl->state != PLACE_FAILED) woken++;
        place_grant(L, s, e);
        if (!alone) next = t->lines[0].first;
      }
    }
    e = next;
  }
  return woken;
}

/* Who does not come to its turn leaves it to another who waited then. */
static void condition_give_back(lua_State *L, thing *t, place *pl) {
  if (pl->words[1] != 0) condition_grant(L, t, 1, pl->words[1], false);
}

static int condition_push(lua_State *L, thing *t, place *pl) {
  (void)t, (void)pl;
  lua_pushboolean(L, 1);
  return 1;
}

static void condition_describe(lua_State *L, const thing *t, const place *pl) {
  (void)t, (void)pl;
  lua_pushliteral(L, "a condition to be notified");
}

static void condition_field(lua_State *L, const thing *t, int i) {
  (void)i;
  lua_pushinteger(L, t->lines[0].count);
}

static int m_condition_wait(lua_State *L);
static int m_condition_waiting(lua_State *L);
static int m_notify(lua_State *L);
static int m_notify_all(lua_State *L);

static const luaL_Reg condition_methods[] = {{"wait", m_condition_wait},
                                             {"waiting", m_condition_waiting},
                                             {"notify", m_notify},
                                             {"notify_all", m_notify_all},
                                             {NULL, NULL}};
static const char *const condition_fields[] = {"waiting_length", NULL};

static const thing_class condition_class = {.name = "md.condition",
                                            .take = condition_take,
                                            .give_back = condition_give_back,
                                            .push = condition_push,
                                            .ready = condition_ready,
                                            .passes = true,
                                            .describe = condition_describe,
                                            .methods = condition_methods,
                                            .fields = condition_fields,
                                            .field = condition_field};

static request condition_request(lua_State *L, const char *call) {
  request r = {.of = thing_arg(L, 1, &condition_class, call)};
  if (lua_type(L, 2) == LUA_TNUMBER && lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  lua_settop(L, 3);
  if (!lua_isnil(L, 2) && !lua_isfunction(L, 2))
    host_raise(L, "usage", "%s: expected a predicate, a function, got %s", call,
               host_describe(L, 2));
  r.value = lua_isnil(L, 2) ? 0 : 2;
  r.words[0] = r.value != 0;
  return r;
}

/* condition:wait([predicate] [, timeout]) -> true
   Waits until it is notified; with a predicate, until predicate() is true,
   which is tested now and at each notify. nil, "timeout" when so many units of
   time are over first.
     local c, ready = md.condition(), false
     md.spawn(function() c:wait(function() return ready end) end) */
static int m_condition_wait(lua_State *L) {
  request r = condition_request(L, "wait");
  return request_wait(L, &r, await_deadline(L, r.of->sim, 3, "wait"), "wait");
}

/* condition:waiting([predicate]) -> something to await
   The awaitable form of wait.
     local c = md.condition()
     md.spawn(function() md.await(c:waiting() | md.timer(3)) end) */
static int m_condition_waiting(lua_State *L) {
  request r = condition_request(L, "waiting");
  return request_push(L, &r);
}

static int condition_notify(lua_State *L, thing *t, lua_Integer n, bool all,
                            const char *call) {
  host_no_guard(L, call);
  uint64_t last = ((const condition *)t)->arrivals;
  lua_pushinteger(L, condition_grant(L, t, n, last, all));
  return 1;
}

/* condition:notify([n]) -> integer
   Has the first n who wait, 1 by default, go on, of those whose predicate is
   true; returns how many they were.
     md.condition():notify() */
static int m_notify(lua_State *L) {
  thing *t = thing_arg(L, 1, &condition_class, "notify");
  int fits = 1;
  lua_Integer n = lua_isnoneornil(L, 2) ? 1 : lua_tointegerx(L, 2, &fits);
  if (!fits || n < 0 || lua_type(L, 2) == LUA_TSTRING)
    return host_raise(L, "usage",
                      "notify: expected an integer of at least 0, got %s",
                      host_describe(L, 2));
  return condition_notify(L, t, n, false, "notify");
}

/* condition:notify_all() -> integer
   The same as notify for all who wait.
     md.condition():notify_all() */
static int m_notify_all(lua_State *L) {
  return condition_notify(L, thing_arg(L, 1, &condition_class, "notify_all"),
                          INT64_MAX, true, "notify_all");
}

/* condition() -> condition
   Where processes wait until another says that something may have changed.
   Field: waiting_length.
     local c = md.condition() */
static int f_condition(lua_State *L) {
  thing_new(L, host_sim_arg(L), &condition_class, sizeof(condition), 1);
  luaL_setmetatable(L, condition_class.name);
  return 1;
}

void host_open_gates(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"barrier", f_barrier}, {"condition", f_condition}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &barrier_class, NULL, false);
  thing_metatable(L, &condition_class, NULL, false);
}
