/* Resources: a number of units that processes hold for a while. Mutexes and
   semaphores are resources of one unit and of several. */
#include "host/modules.h"
#include "host/pattern.h"
#include "host/resource.h"

#include <string.h>

static double resource_units(const resource *r, md_time ticks) {
  return md_time_show(md_sim_scale(r->of.sim->kernel), ticks);
}

/* What is observed follows the changes. */
void resource_changed(thing *t) {
  resource *r = (resource *)t;
  if (r->observe)
    gauge_set(&r->queue, resource_now(r), (double)r->of.lines[0].count);
}

void resource_add(resource *r, int64_t n) {
  r->used += n;
  if (r->observe) gauge_set(&r->busy, resource_now(r), (double)r->used);
}

/* -- the class -- */

static bool resource_take(lua_State *L, thing *t, place *pl) {
  resource *r = (resource *)t;
  int64_t n = (int64_t)pl->words[0], priority = (int64_t)pl->words[1];
  (void)L;
  if (r->used + n > r->capacity) {
    if (!r->preemptive || !resource_could(r, n, priority)) return false;
    resource_preempt(r, n, priority, md_sim_pid(t->sim->kernel, pl->process));
  }
  resource_add(r, n);
  return true;
}

/* Who gives up has waited, too, but not to the end. */
static void resource_withdraw(lua_State *L, thing *t, const place *pl) {
  resource *r = (resource *)t;
  (void)L;
  if (r->observe) waits_add(&r->gone, resource_now(r) - pl->since);
}

static void resource_give_back(lua_State *L, thing *t, place *pl) {
  resource_add((resource *)t, -(int64_t)pl->words[0]);
  resource_withdraw(L, t, pl);
}

static int resource_push(lua_State *L, thing *t, place *pl) {
  resource *r = (resource *)t;
  unit_push(L, r, (int64_t)pl->words[0], (int64_t)pl->words[1]);
  if (r->observe) waits_add(&r->waited, resource_now(r) - pl->since);
  /* who waits may be more urgent than this one, which can be preempted now */
  if (r->preemptive) thing_serve(L, t);
  return 1;
}

static void resource_describe(lua_State *L, const thing *t, const place *pl) {
  const resource *r = (const resource *)t;
  int64_t n = (int64_t)pl->words[0];
  lua_pushfstring(L, "%I unit%s of %s (%I of %I used)", (LUAI_UACINT)n,
                  n == 1 ? "" : "s", thing_called(L, t), (LUAI_UACINT)r->used,
                  (LUAI_UACINT)r->capacity);
  lua_remove(L, -2);
}

static md_pid resource_holder(const thing *t) {
  const resource *r = (const resource *)t;
  if (r->first == 0 || r->first != r->last) return 0;
  return holding_at(r->of.sim, r->first)->holder;
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

static struct place_heap *resource_heap(thing *t) {
  resource *r = (resource *)t;
  return r->kind == RESOURCE_PRIORITY ? &r->line : NULL;
}

static void resource_push_waiting(lua_State *L, const resource *r) {
  const host_sim *s = r->of.sim;
  const thing_line *line = &r->of.lines[0];
  bool sorted = r->kind == RESOURCE_PRIORITY;
  const uint32_t *list =
      sorted ? heap_sorted(L, s, &r->line, line->count) : NULL;
  uint32_t e = line->first;
  lua_createtable(L, (int)line->count, 0);
  for (uint32_t i = 0; i < line->count; i++) {
    if (sorted) e = list[i];
    host_push_pid(L, s, place_at(s, e)->process);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    e = place_at(s, e)->next;
  }
}

enum {
  RESOURCE_USED,
  RESOURCE_CAPACITY,
  RESOURCE_AVAILABLE,
  RESOURCE_LENGTH,
  RESOURCE_SERVED,
  RESOURCE_RENEGED,
  RESOURCE_PREEMPTED,
  RESOURCE_HOLDERS,
  RESOURCE_WAITING,
  RESOURCE_NAME,
  RESOURCE_UTILISATION,
  RESOURCE_UTILIZATION,
  RESOURCE_MEAN_USED,
  RESOURCE_MEAN_QUEUE,
  RESOURCE_MAX_QUEUE,
  RESOURCE_MEAN_WAIT,
  RESOURCE_MAX_WAIT,
  RESOURCE_MEAN_RENEGED
};

static const char *const resource_names[] = {
    "used",      "capacity",     "available",   "queue_length",
    "served",    "reneged",      "preempted",   "holders",
    "waiting",   "name",         "utilisation", "utilization",
    "mean_used", "mean_queue",   "max_queue",   "mean_wait",
    "max_wait",  "mean_reneged", NULL};

static lua_Integer resource_count(const resource *r, int i) {
  switch (i) {
  case RESOURCE_USED:
    return r->used;
  case RESOURCE_CAPACITY:
    return r->capacity;
  case RESOURCE_AVAILABLE:
    return r->capacity - r->used;
  case RESOURCE_LENGTH:
    return r->of.lines[0].count;
  case RESOURCE_SERVED:
    return (lua_Integer)r->waited.count;
  case RESOURCE_RENEGED:
    return (lua_Integer)r->gone.count;
  default:
    return (lua_Integer)r->preempted;
  }
}

static double resource_number(const resource *r, int i) {
  md_time now = resource_now(r);
  double unit = resource_units(r, 1), room;
  switch (i) {
  case RESOURCE_UTILISATION:
  case RESOURCE_UTILIZATION:
    room = gauge_mean(&r->room, now);
    return room > 0 ? gauge_mean(&r->busy, now) / room : 0;
  case RESOURCE_MEAN_USED:
    return gauge_mean(&r->busy, now);
  case RESOURCE_MEAN_QUEUE:
    return gauge_mean(&r->queue, now);
  case RESOURCE_MAX_QUEUE:
    return r->queue.most;
  case RESOURCE_MEAN_WAIT:
    return waits_mean(&r->waited) * unit;
  case RESOURCE_MAX_WAIT:
    return r->waited.most * unit;
  default:
    return waits_mean(&r->gone) * unit;
  }
}

static void resource_field(lua_State *L, const thing *t, int i) {
  const resource *r = (const resource *)t;
  if (i <= RESOURCE_PREEMPTED) lua_pushinteger(L, resource_count(r, i));
  else if (i == RESOURCE_HOLDERS) resource_push_holders(L, r);
  else if (i == RESOURCE_WAITING) resource_push_waiting(L, r);
  else if (i == RESOURCE_NAME) lua_getiuservalue(L, 1, 2);
  else lua_pushnumber(L, resource_number(r, i));
}

static int m_acquire(lua_State *L);
static int m_acquiring(lua_State *L);
static int m_set_capacity(lua_State *L);
static int m_resource_reset(lua_State *L);

static const luaL_Reg resource_methods[] = {{"acquire", m_acquire},
                                            {"acquiring", m_acquiring},
                                            {"set_capacity", m_set_capacity},
                                            {"reset", m_resource_reset},
                                            {NULL, NULL}};

/* Elsewhere they are the resource's. */
static const char *const resource_advice[] = {
    "release", "unit:release() gives back what r:acquire() returned", "request",
    "r:acquire() waits for a unit, and returns it", NULL};

static const thing_class resource_class = {.name = "md.resource",
                                           .named = true,
                                           .take = resource_take,
                                           .give_back = resource_give_back,
                                           .push = resource_push,
                                           .withdraw = resource_withdraw,
                                           .settle = resource_settle,
                                           .changed = resource_changed,
                                           .holder = resource_holder,
                                           .heap = resource_heap,
                                           .describe = resource_describe,
                                           .methods = resource_methods,
                                           .advice = resource_advice,
                                           .fields = resource_names,
                                           .field = resource_field};

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

/* More than there ever were would be waited for in vain. */
static void resource_check(lua_State *L, const resource *r, const char *call,
                           int64_t n) {
  if (n <= r->most || r->most == 0) return;
  host_raise(
      L, "usage",
      "%s: expected up to %I unit%s, as many as there are, got %I, which "
      "would wait for ever; if set_capacity will give it more, say so: "
      "md.resource{grows = true}",
      call, (LUAI_UACINT)r->most, r->most == 1 ? "" : "s", (LUAI_UACINT)n);
}

/* The request of acquire's or, without a deadline, acquiring's arguments. */
static request resource_request(lua_State *L, const char *call,
                                md_time *deadline) {
  resource *r = (resource *)thing_arg(L, 1, &resource_class, call);
  request want = {.of = &r->of, .words = {1, 0}};
  lua_settop(L, 2);
  if (lua_istable(L, 2)) {
    host_check_fields(L, 2, call, acquire_fields);
    want.words[0] = (uint64_t)resource_integer(L, 2, "n", call, 1, 1);
    want.words[1] =
        (uint64_t)resource_integer(L, 2, "priority", call, 0, INT64_MIN);
    lua_getfield(L, 2, "timeout");
    if (deadline != NULL) *deadline = await_deadline(L, r->of.sim, 3, call);
    else if (!lua_isnil(L, 3))
      host_raise(L, "usage",
                 "%s: there is no option 'timeout', as it does not wait; give "
                 "it to what does: md.await(r:%s(), 5)",
                 call, call);
    lua_settop(L, 2);
  } else if (!lua_isnil(L, 2)) {
    host_raise(L, "usage",
               "%s: expected a table of options, got %s; r:%s{n = 1, priority "
               "= 0%s}",
               call, host_describe(L, 2), call,
               deadline != NULL ? ", timeout = 5" : "");
  }
  resource_check(L, r, call, (int64_t)want.words[0]);
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
   interrupted with the cause "preempted". Raises usage for wrong options, for
   more units than the resource has ever had (see its option grows), and where
   nothing can block.
     local till = md.resource()
     md.spawn(function() local unit <close> = till:acquire(); md.sleep(1) end)
 */
static int m_acquire(lua_State *L) {
  md_time deadline = -1;
  request want = resource_request(L, "acquire", &deadline);
  return request_wait(L, &want, deadline, "acquire");
}

/* resource:acquiring([{n=, priority=}]) -> something to await
   The awaitable form of acquire: awaiting it gives the unit.
     local till = md.resource()
     md.spawn(function() md.await(till:acquiring() | md.timer(5)) end) */
static int m_acquiring(lua_State *L) {
  request want = resource_request(L, "acquiring", NULL);
  return request_push(L, &want);
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
  if (r->most != 0 && n > r->most) r->most = n;
  gauge_set(&r->room, resource_now(r), (double)n);
  thing_serve(L, &r->of);
  return 0;
}

/* resource:reset()
   Forgets what it has kept of itself, as at the end of a warm-up: the means
   over time begin now, with the units that are used and the line as they are,
   and so do the counts. A wait that is not over counts whole, when it ends.
     local till = md.resource()
     md.after(100, function() till:reset() end) */
static int m_resource_reset(lua_State *L) {
  resource *r = (resource *)thing_arg(L, 1, &resource_class, "reset");
  md_time now = resource_now(r);
  gauge_reset(&r->busy, now);
  gauge_reset(&r->queue, now);
  gauge_reset(&r->room, now);
  r->waited = r->gone = (waits){0};
  r->preempted = 0;
  return 0;
}

/* -- making -- */

static resource *resource_new(lua_State *L, host_sim *s, int64_t capacity) {
  resource *r = (resource *)thing_new(L, s, &resource_class, sizeof *r, 2);
  md_time now = md_sim_now(s->kernel);
  r->capacity = r->most = capacity;
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

static const char *const resource_fields[] = {
    "capacity", "discipline", "preemptive", "name", "observe", "grows", NULL};

/* resource{capacity=, discipline=, preemptive=, name=, ...} -> resource
   Units that processes hold for a while: capacity of them (1), see acquire.
   Requests are served in order, whatever they want: by "fifo", "lifo" or
   "priority", the lower number first; a preemptive one takes units from those
   of a higher number, and is by priority. Two more options, observe (true) and
   grows (false): one that grows, or has no units at first, lets requests wait
   for more than it has had. Fields: used, available, capacity, queue_length,
   holders and waiting (pids), name, and, unless observe is false, utilisation,
   mean_used, mean_queue, max_queue, served, mean_wait, max_wait, reneged,
   mean_reneged, preempted; see help resources. Raises usage for another option
   or a wrong value.
     local till = md.resource { capacity = 2, name = "tills" } */
static int f_resource(lua_State *L) {
  host_sim *s = thing_read_options(L, "resource", resource_fields,
                                   "md.resource{capacity = 2}");
  int64_t capacity = resource_integer(L, 1, "capacity", "resource", 1, 0);
  bool preemptive = thing_read_boolean(L, 1, "preemptive", false, "resource");
  bool observe = thing_read_boolean(L, 1, "observe", true, "resource");
  bool grows = thing_read_boolean(L, 1, "grows", false, "resource");
  resource_kind kind = resource_discipline(L);
  thing_read_name(L, 1, "resource");
  resource *r = resource_new(L, s, capacity);
  r->kind = preemptive ? RESOURCE_PRIORITY : kind;
  r->preemptive = preemptive;
  r->observe = observe;
  if (grows) r->most = 0;
  thing_name(L, 2);
  return 1;
}

/* Options of a mutex would be lost without a word. */
static void resource_plain(lua_State *L, int i, const char *call) {
  if (lua_isnoneornil(L, i)) return;
  host_raise(L, "usage",
             "%s: it has no options, got %s as argument %d; "
             "md.resource{capacity = %s, name = \"m\"} has",
             call, host_describe(L, i), i, i == 1 ? "1" : "n");
}

/* mutex() -> resource
   A resource of one unit: local lock <close> = m:acquire() has the process
   alone until the end of the block, or of the process. Raises usage for
   arguments: a name and other options are those of md.resource.
     local m = md.mutex() */
static int f_mutex(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  resource_plain(L, 1, "mutex");
  resource_new(L, s, 1);
  return 1;
}

/* semaphore(n) -> resource
   A resource of n units, n at least 0; what is acquired may be given back by
   anybody. Raises usage for a wrong n, and for more arguments: a name and other
   options are those of md.resource.
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
  resource_plain(L, 2, "semaphore");
  resource_new(L, s, n);
  return 1;
}

static int resource_collect(lua_State *L) {
  resource *r = lua_touserdata(L, 1);
  resource_abandon(r);
  heap_close(r->of.sim, &r->line);
  return 0;
}

void host_open_resources(lua_State *L) {
  static const luaL_Reg functions[] = {{"resource", f_resource},
                                       {"mutex", f_mutex},
                                       {"semaphore", f_semaphore},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &resource_class, resource_collect, false);
  host_open_units(L);
}
