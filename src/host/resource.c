/* Resources: a number of units that processes hold for a while. Mutexes and
   semaphores are resources of one unit and of several. */
#include "host/gauge.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/place.h"

#include <string.h>

typedef enum resource_kind {
  RESOURCE_FIFO,
  RESOURCE_LIFO,
  RESOURCE_PRIORITY
} resource_kind;

typedef struct resource {
  thing of;
  int64_t capacity, used;
  resource_kind kind;
  bool preemptive, observe;
  uint32_t first, last; /* holdings, in the order of their grants */
  gauge busy, queue, room;
  waits waited;
  uint64_t preempted;
} resource;

/* What a process holds. Who holds it has a userdata that names it, which is
   not needed: the end of the process gives it back all the same. */
struct holding {
  resource *of; /* NULL: it is free */
  int64_t n, priority;
  md_pid holder;
  uint32_t prev, next;   /* of the resource's */
  uint32_t before, more; /* of the process's, the last one first */
  uint32_t generation;
};

typedef struct unit {
  host_sim *sim;
  uint32_t holding, generation;
  int64_t n, priority;
  md_pid holder;
} unit;

static const char unit_type; /* its address is the metatable's key */

static double resource_units(const resource *r, md_time ticks) {
  return md_time_show(md_sim_scale(r->of.sim->kernel), ticks);
}

static md_time resource_now(const resource *r) {
  return md_sim_now(r->of.sim->kernel);
}

/* What is observed follows the changes. */
static void resource_changed(thing *t) {
  resource *r = (resource *)t;
  if (r->observe)
    gauge_set(&r->queue, resource_now(r), (double)r->of.lines[0].count);
}

static void resource_add(resource *r, int64_t n) {
  r->used += n;
  if (r->observe) gauge_set(&r->busy, resource_now(r), (double)r->used);
}

/* -- holdings -- */

static struct holding *holding_at(const host_sim *s, uint32_t i) {
  return &s->holdings.records[i];
}

static uint32_t holding_new(lua_State *L, host_sim *s) {
  holding_table *t = &s->holdings;
  uint32_t i = t->free;
  if (i != 0) {
    t->free = t->records[i].next;
    return i;
  }
  if (t->used == t->capacity) {
    uint32_t wanted = t->capacity ? t->capacity * 2 : 16;
    void *grown = md_arena_resize(s->host->arena, t->records,
                                  t->capacity * sizeof *t->records,
                                  wanted * sizeof *t->records);
    if (grown == NULL) host_no_memory(L);
    t->records = grown;
    t->capacity = wanted;
    if (t->used == 0) t->used = 1; /* 0 is none */
  }
  i = t->used++;
  t->records[i].generation = 0;
  return i;
}

void resource_close(host_sim *s) {
  md_arena_free(s->host->arena, s->holdings.records,
                s->holdings.capacity * sizeof *s->holdings.records);
}

static void holding_unlink(const host_sim *s, const struct holding *it) {
  resource *r = it->of;
  if (it->prev != 0) holding_at(s, it->prev)->next = it->next;
  else r->first = it->next;
  if (it->next != 0) holding_at(s, it->next)->prev = it->prev;
  else r->last = it->prev;
  if (it->more != 0) holding_at(s, it->more)->before = it->before;
  uint32_t p = md_sim_index(s->kernel, it->holder);
  if (it->before != 0) holding_at(s, it->before)->more = it->more;
  else if (p != 0) md_sim_extra(s->kernel, p)->words[HOST_UNITS] = it->more;
}

/* It is held no more. */
static void holding_free(host_sim *s, uint32_t i) {
  struct holding *it = holding_at(s, i);
  holding_unlink(s, it);
  resource_add(it->of, -it->n);
  it->of = NULL;
  it->generation++;
  it->next = s->holdings.free;
  s->holdings.free = i;
}

/* Pushes the unit that the process that runs holds from now on. [-0, +1, m] */
static void unit_push(lua_State *L, resource *r, int64_t n, int64_t priority) {
  host_sim *s = r->of.sim;
  uint32_t p = s->host->process;
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  unit *u = lua_newuserdatauv(L, sizeof *u, 0);
  uint32_t i = holding_new(L, s);
  struct holding *it = holding_at(s, i);
  *u = (unit){s, i, it->generation, n, priority, md_sim_pid(s->kernel, p)};
  *it = (struct holding){.of = r,
                         .n = n,
                         .priority = priority,
                         .holder = u->holder,
                         .prev = r->last,
                         .more = (uint32_t)extra->words[HOST_UNITS],
                         .generation = it->generation};
  if (r->last != 0) holding_at(s, r->last)->next = i;
  else r->first = i;
  r->last = i;
  if (it->more != 0) holding_at(s, it->more)->before = i;
  extra->words[HOST_UNITS] = i;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &unit_type);
  lua_setmetatable(L, -2);
}

/* What the unit names, 0: it is held no more. */
static uint32_t unit_holding(const unit *u) {
  const struct holding *it = holding_at(u->sim, u->holding);
  return it->of != NULL && it->generation == u->generation ? u->holding : 0;
}

void resource_return(lua_State *L, host_sim *s, uint32_t p) {
  uint32_t i;
  while ((i = (uint32_t)md_sim_extra(s->kernel, p)->words[HOST_UNITS]) != 0) {
    resource *r = holding_at(s, i)->of;
    holding_free(s, i);
    thing_serve(L, &r->of);
  }
}

/* Nobody knows the resource any more: what is held of it is nobody's. */
static int resource_collect(lua_State *L) {
  resource *r = lua_touserdata(L, 1);
  while (r->first != 0) holding_free(r->of.sim, r->first);
  return 0;
}

/* -- preemption -- */

/* The holding that is the least urgent, of those less urgent than that. */
static uint32_t resource_victim(const resource *r, int64_t priority) {
  const host_sim *s = r->of.sim;
  uint32_t victim = 0;
  for (uint32_t i = r->first; i != 0; i = holding_at(s, i)->next) {
    int64_t its = holding_at(s, i)->priority;
    if (its > priority &&
        (victim == 0 || its >= holding_at(s, victim)->priority))
      victim = i;
  }
  return victim;
}

static bool resource_could(const resource *r, int64_t n, int64_t priority) {
  const host_sim *s = r->of.sim;
  int64_t free = r->capacity - r->used;
  for (uint32_t i = r->first; i != 0; i = holding_at(s, i)->next)
    if (holding_at(s, i)->priority > priority) free += holding_at(s, i)->n;
  return free >= n;
}

static void resource_preempt(lua_State *L, resource *r, int64_t n,
                             int64_t priority) {
  host_sim *s = r->of.sim;
  while (r->capacity - r->used < n) {
    uint32_t i = resource_victim(r, priority);
    uint32_t p = md_sim_index(s->kernel, holding_at(s, i)->holder);
    holding_free(s, i);
    r->preempted++;
    if (p == 0 || md_sim_proc(s->kernel, p)->flags & MD_DYING) continue;
    lua_pushliteral(L, "preempted");
    host_interrupt(L, s, s->host->sim == s ? s->host->process : 0, p,
                   lua_gettop(L));
    lua_pop(L, 1);
  }
}

/* -- the class -- */

static bool resource_take(lua_State *L, thing *t, place *pl) {
  resource *r = (resource *)t;
  int64_t n = (int64_t)pl->words[0], priority = (int64_t)pl->words[1];
  md_time since = pl->since;
  if (r->used + n > r->capacity) {
    if (!r->preemptive || !resource_could(r, n, priority)) return false;
    resource_preempt(L, r, n, priority);
  }
  resource_add(r, n);
  if (r->observe) waits_add(&r->waited, resource_now(r) - since);
  return true;
}

static void resource_give_back(lua_State *L, thing *t, place *pl) {
  (void)L;
  resource_add((resource *)t, -(int64_t)pl->words[0]);
}

static int resource_push(lua_State *L, thing *t, place *pl) {
  resource *r = (resource *)t;
  unit_push(L, r, (int64_t)pl->words[0], (int64_t)pl->words[1]);
  /* who waits may be more urgent than this one, which can be preempted now */
  if (r->preemptive) thing_serve(L, t);
  return 1;
}

static void resource_describe(lua_State *L, const thing *t, const place *pl) {
  const resource *r = (const resource *)t;
  int64_t n = (int64_t)pl->words[0];
  thing_push(L, t);
  lua_getiuservalue(L, -1, 2);
  const char *name = lua_isstring(L, -1) ? lua_tostring(L, -1) : NULL;
  lua_pushfstring(L, "%I unit%s of %s%s%s (%I of %I used)", (LUAI_UACINT)n,
                  n == 1 ? "" : "s", name ? "'" : "",
                  name ? name : "a resource", name ? "'" : "",
                  (LUAI_UACINT)r->used, (LUAI_UACINT)r->capacity);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static md_pid resource_holder(const thing *t) {
  const resource *r = (const resource *)t;
  if (r->first == 0 || r->first != r->last) return 0;
  return holding_at(r->of.sim, r->first)->holder;
}

static const thing_class resource_class = {.name = "md.resource",
                                           .take = resource_take,
                                           .give_back = resource_give_back,
                                           .push = resource_push,
                                           .changed = resource_changed,
                                           .holder = resource_holder,
                                           .describe = resource_describe};

/* -- acquiring -- */

static const char *const acquire_fields[] = {"priority", "n", "timeout", NULL};

static int64_t resource_integer(lua_State *L, int i, const char *field,
                                const char *call, int64_t otherwise,
                                int64_t least) {
  int fits = 1;
  lua_getfield(L, i, field);
  int64_t n = lua_isnil(L, -1) ? otherwise : lua_tointegerx(L, -1, &fits);
  if (!lua_isnil(L, -1) &&
      (lua_type(L, -1) != LUA_TNUMBER || !fits || n < least))
    host_raise(L, "usage", "%s: expected an integer%s as %s, got %s", call,
               least == 1   ? " of at least 1"
               : least == 0 ? " of at least 0"
                            : "",
               field, host_describe(L, -1));
  lua_pop(L, 1);
  return n;
}

/* The request of acquire's or acquiring's arguments. */
static request resource_request(lua_State *L, const char *call,
                                md_time *deadline) {
  resource *r = (resource *)thing_arg(L, 1, &resource_class, call);
  request want = {.of = &r->of, .words = {1, 0}};
  *deadline = -1;
  lua_settop(L, 2);
  if (lua_istable(L, 2)) {
    host_check_fields(L, 2, call, acquire_fields);
    want.words[0] = (uint64_t)resource_integer(L, 2, "n", call, 1, 1);
    want.words[1] =
        (uint64_t)resource_integer(L, 2, "priority", call, 0, INT64_MIN);
    lua_getfield(L, 2, "timeout");
    *deadline = await_deadline(L, r->of.sim, 3, call);
    lua_settop(L, 2);
  } else if (!lua_isnil(L, 2)) {
    host_raise(L, "usage",
               "%s: expected a table of options, got %s; r:%s{n = 1, priority "
               "= 0, timeout = 5}",
               call, host_describe(L, 2), call);
  }
  if (r->kind == RESOURCE_LIFO) want.key = -(int64_t)++r->of.sim->arrivals;
  if (r->kind == RESOURCE_PRIORITY) want.key = (int64_t)want.words[1];
  return want;
}

/* resource:acquire([{n=, priority=, timeout=}]) -> unit
   Waits until n units (1) are free, behind those who asked before, or as the
   discipline says; among equal priorities the first. Returns what is held:
   unit:release(), or local unit <close>, gives it back, and so does the end of
   the process. nil, "timeout" when so many units of time are over first. With a
   preemptive resource, holders of a higher priority number lose theirs, and are
   interrupted with the cause "preempted". Raises usage for wrong options, and
   where nothing can block.
     local till = md.resource()
     md.spawn(function() local unit <close> = till:acquire(); md.sleep(1) end)
 */
static int m_acquire(lua_State *L) {
  md_time deadline;
  request want = resource_request(L, "acquire", &deadline);
  return request_wait(L, &want, deadline, "acquire");
}

/* resource:acquiring([{n=, priority=}]) -> something to await
   The awaitable form of acquire: awaiting it gives the unit.
     local till = md.resource()
     md.spawn(function() md.await(till:acquiring() | md.timer(5)) end) */
static int m_acquiring(lua_State *L) {
  md_time deadline;
  request want = resource_request(L, "acquiring", &deadline);
  return request_push(L, &want);
}

/* unit:release() -> boolean
   Gives the unit back, so that the next in line has it. False, and nothing
   happens, when it has been given back already or was preempted.
     local till = md.resource()
     md.spawn(function() till:acquire():release() end) */
static int m_release(lua_State *L) {
  unit *u = lua_touserdata(L, 1);
  bool is = u != NULL && lua_getmetatable(L, 1) &&
            lua_rawequal(L, -1, lua_upvalueindex(1));
  if (!is)
    return host_raise(L, "usage",
                      "release: expected a unit, got %s; unit:release() gives "
                      "back what r:acquire() returned",
                      host_describe(L, 1));
  host_no_guard(L, "release");
  uint32_t i = unit_holding(u);
  if (i != 0) {
    resource *r = holding_at(u->sim, i)->of;
    holding_free(u->sim, i);
    thing_serve(L, &r->of);
  }
  lua_pushboolean(L, i != 0);
  return 1;
}

static int unit_field(lua_State *L) {
  const unit *u = lua_touserdata(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  uint32_t i = unit_holding(u);
  if (strcmp(name, "held") == 0) lua_pushboolean(L, i != 0);
  else if (strcmp(name, "n") == 0) lua_pushinteger(L, u->n);
  else if (strcmp(name, "priority") == 0) lua_pushinteger(L, u->priority);
  else if (strcmp(name, "holder") == 0) host_push_name(L, u->sim, u->holder);
  else if (strcmp(name, "resource") == 0 && i != 0)
    thing_push(L, &holding_at(u->sim, i)->of->of);
  else lua_pushnil(L);
  return 1;
}

/* resource:set_capacity(n)
   From now on there are n units, n at least 0: who waits is served if there is
   room. Units that are held stay so, even if they are more than n.
     md.resource({ capacity = 1 }):set_capacity(3) */
static int m_set_capacity(lua_State *L) {
  resource *r = (resource *)thing_arg(L, 1, &resource_class, "set_capacity");
  int fits;
  int64_t n = lua_tointegerx(L, 2, &fits);
  host_no_guard(L, "set_capacity");
  if (lua_type(L, 2) != LUA_TNUMBER || !fits || n < 0)
    return host_raise(L, "usage",
                      "set_capacity: expected an integer of at least 0, got %s",
                      host_describe(L, 2));
  r->capacity = n;
  gauge_set(&r->room, resource_now(r), (double)n);
  thing_serve(L, &r->of);
  return 0;
}

/* -- asking -- */

static void resource_push_holders(lua_State *L, const resource *r) {
  int n = 0;
  lua_newtable(L);
  for (uint32_t i = r->first; i != 0; i = holding_at(r->of.sim, i)->next) {
    host_push_name(L, r->of.sim, holding_at(r->of.sim, i)->holder);
    lua_rawseti(L, -2, ++n);
  }
}

void thing_push_waiting(lua_State *L, const thing *t, int line) {
  const host_sim *s = t->sim;
  int n = 0;
  lua_newtable(L);
  for (uint32_t e = t->lines[line].first; e != 0; e = place_at(s, e)->next) {
    host_push_pid(L, s, place_at(s, e)->process);
    lua_rawseti(L, -2, ++n);
  }
}

static bool resource_number(lua_State *L, const resource *r, const char *name) {
  md_time now = resource_now(r);
  double scale = 1 / resource_units(r, 1);
  if (strcmp(name, "utilisation") == 0 || strcmp(name, "utilization") == 0) {
    double room = gauge_mean(&r->room, now);
    lua_pushnumber(L, room > 0 ? gauge_mean(&r->busy, now) / room : 0);
  } else if (strcmp(name, "mean_used") == 0) {
    lua_pushnumber(L, gauge_mean(&r->busy, now));
  } else if (strcmp(name, "mean_queue") == 0) {
    lua_pushnumber(L, gauge_mean(&r->queue, now));
  } else if (strcmp(name, "mean_wait") == 0) {
    lua_pushnumber(L, waits_mean(&r->waited) / scale);
  } else if (strcmp(name, "max_wait") == 0) {
    lua_pushnumber(L, r->waited.most / scale);
  } else {
    return false;
  }
  return true;
}

static int resource_field(lua_State *L) {
  const resource *r = lua_touserdata(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "used") == 0) lua_pushinteger(L, r->used);
  else if (strcmp(name, "capacity") == 0) lua_pushinteger(L, r->capacity);
  else if (strcmp(name, "available") == 0)
    lua_pushinteger(L, r->capacity - r->used);
  else if (strcmp(name, "queue_length") == 0)
    lua_pushinteger(L, r->of.lines[0].count);
  else if (strcmp(name, "holders") == 0) resource_push_holders(L, r);
  else if (strcmp(name, "waiting") == 0) thing_push_waiting(L, &r->of, 0);
  else if (strcmp(name, "served") == 0)
    lua_pushinteger(L, (lua_Integer)r->waited.count);
  else if (strcmp(name, "preempted") == 0)
    lua_pushinteger(L, (lua_Integer)r->preempted);
  else if (strcmp(name, "name") == 0) lua_getiuservalue(L, 1, 2);
  else if (!resource_number(L, r, name)) lua_pushnil(L);
  return 1;
}

/* -- making -- */

static resource *resource_new(lua_State *L, host_sim *s, int64_t capacity) {
  resource *r = (resource *)thing_new(L, s, &resource_class, sizeof *r, 2);
  md_time now = md_sim_now(s->kernel);
  r->capacity = capacity;
  r->observe = true;
  gauge_open(&r->busy, now);
  gauge_open(&r->queue, now);
  gauge_open(&r->room, now);
  gauge_set(&r->room, now, (double)capacity);
  luaL_setmetatable(L, resource_class.name);
  return r;
}

static resource_kind resource_discipline(lua_State *L) {
  static const char *const names[] = {"fifo", "lifo", "priority"};
  lua_getfield(L, 1, "discipline");
  const char *name = lua_isnil(L, -1) ? "fifo" : lua_tostring(L, -1);
  int k = 0;
  while (k < 3 && (name == NULL || strcmp(name, names[k]) != 0)) k++;
  if (k == 3)
    host_raise(L, "usage",
               "resource: expected \"fifo\", \"lifo\" or \"priority\" as "
               "discipline, got %s",
               host_describe(L, -1));
  lua_pop(L, 1);
  return (resource_kind)k;
}

static bool resource_boolean(lua_State *L, const char *field, bool otherwise) {
  lua_getfield(L, 1, field);
  if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
    host_raise(L, "usage", "resource: expected a boolean as %s, got %s", field,
               host_describe(L, -1));
  bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static const char *const resource_fields[] = {
    "capacity", "discipline", "preemptive", "name", "observe", NULL};

/* resource{capacity=, discipline=, preemptive=, name=, observe=} -> resource
   Units that processes hold for a while: capacity of them (1), see acquire.
   Requests are served in order, whatever they want: by "fifo", "lifo" or
   "priority", the lower number first; a preemptive one takes units from those
   of a higher number, and is by priority. Fields: used, available, capacity,
   queue_length, holders and waiting (pids), and, unless observe is false,
   utilisation, mean_used, mean_queue, mean_wait, max_wait, served, preempted.
   Raises usage for another option or a wrong value.
     local till = md.resource { capacity = 2, name = "tills" } */
static int f_resource(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    return host_raise(L, "usage",
                      "resource: expected a table of options, got %s; "
                      "md.resource{capacity = 2}",
                      host_describe(L, 1));
  host_check_fields(L, 1, "resource", resource_fields);
  int64_t capacity = resource_integer(L, 1, "capacity", "resource", 1, 0);
  bool preemptive = resource_boolean(L, "preemptive", false);
  bool observe = resource_boolean(L, "observe", true);
  resource_kind kind = resource_discipline(L);
  lua_getfield(L, 1, "name");
  if (!lua_isnil(L, 2) && lua_type(L, 2) != LUA_TSTRING)
    return host_raise(L, "usage", "resource: expected a string as name, got %s",
                      host_describe(L, 2));
  resource *r = resource_new(L, s, capacity);
  r->kind = preemptive ? RESOURCE_PRIORITY : kind;
  r->preemptive = preemptive;
  r->observe = observe;
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 3, 2);
  return 1;
}

/* mutex() -> resource
   A resource of one unit: local lock <close> = m:acquire() has the process
   alone until the end of the block, or of the process.
     local m = md.mutex() */
static int f_mutex(lua_State *L) {
  resource_new(L, host_sim_arg(L), 1);
  return 1;
}

/* semaphore(n) -> resource
   A resource of n units, n at least 0; what is acquired may be given back by
   anybody. Raises usage for a wrong n.
     local s = md.semaphore(3) */
static int f_semaphore(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  int fits;
  int64_t n = lua_tointegerx(L, 1, &fits);
  if (lua_type(L, 1) != LUA_TNUMBER || !fits || n < 0)
    return host_raise(L, "usage",
                      "semaphore: expected an integer of at least 0, got %s; "
                      "md.semaphore(3)",
                      host_describe(L, 1));
  resource_new(L, s, n);
  return 1;
}

void host_open_resources(lua_State *L) {
  static const luaL_Reg methods[] = {{"acquire", m_acquire},
                                     {"acquiring", m_acquiring},
                                     {"set_capacity", m_set_capacity},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {{"resource", f_resource},
                                       {"mutex", f_mutex},
                                       {"semaphore", f_semaphore},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &resource_class, methods, resource_field, resource_collect,
                  false);
  lua_createtable(L, 0, 3); /* the units' */
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, m_release, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "__close");
  lua_setfield(L, -2, "release");
  lua_pushcclosure(L, unit_field, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "unit");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &unit_type);
}
