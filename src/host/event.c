/* Events, timers, the ends of processes: what happens once, and wakes all who
   wait for it at that moment. */
#include "host/loop.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/place.h"

#include <string.h>

/* -- events and timers -- */

typedef struct event {
  thing of;
  bool triggered, failed;
  uint32_t slot, count; /* its values, held */
} event;

static void event_nothing(lua_State *L, thing *t, place *pl) {
  (void)L, (void)t, (void)pl;
}

static bool event_take(lua_State *L, thing *t, place *pl) {
  (void)L, (void)pl;
  return ((event *)t)->triggered;
}

static bool event_fails(lua_State *L, const thing *t) {
  (void)L;
  return ((const event *)t)->failed;
}

static int event_push(lua_State *L, thing *t, place *pl) {
  const event *it = (const event *)t;
  (void)pl;
  host_fetch(L, t->sim, it->slot, (int)it->count);
  return it->failed ? lua_error(L) : (int)it->count;
}

static void event_describe(lua_State *L, const thing *t, const place *pl) {
  (void)t, (void)pl;
  lua_pushliteral(L, "an event");
}

enum { EVENT_TRIGGERED, EVENT_OK, EVENT_VALUE };
static const char *const event_fields[] = {"triggered", "ok", "value", NULL};

static void event_field(lua_State *L, const thing *t, int i) {
  const event *it = (const event *)t;
  if (i == EVENT_TRIGGERED) lua_pushboolean(L, it->triggered);
  else if (i == EVENT_OK && it->triggered) lua_pushboolean(L, !it->failed);
  else if (i == EVENT_VALUE && it->count > 0)
    host_fetch(L, t->sim, it->slot, 1);
  else lua_pushnil(L);
}

static int m_event_succeed(lua_State *L);
static int m_event_fail(lua_State *L);

static const luaL_Reg event_methods[] = {
    {"succeed", m_event_succeed}, {"fail", m_event_fail}, {NULL, NULL}};

static const char *const event_advice[] = {
    "wait",    "md.await(event) waits for it",
    "trigger", "event:succeed(...) has it happen",
    "set",     "event:succeed(...) has it happen",
    NULL};

static const thing_class event_class = {.name = "md.event",
                                        .advice = event_advice,
                                        .take = event_take,
                                        .give_back = event_nothing,
                                        .push = event_push,
                                        .fails = event_fails,
                                        .describe = event_describe,
                                        .methods = event_methods,
                                        .fields = event_fields,
                                        .field = event_field};

/* Has it happen with the values from 2 on: all who wait go on. */
static int event_happen(lua_State *L, event *it, bool failed,
                        const char *call) {
  host_no_guard(L, call);
  if (it->triggered)
    return host_raise(L, "usage",
                      "%s: the event has %s already; an event happens once, "
                      "md.flag() is what changes again and again",
                      call, it->failed ? "failed" : "succeeded");
  it->count = (uint32_t)lua_gettop(L) - 1;
  it->slot = host_hold(L, it->of.sim, 2, (int)it->count);
  it->failed = failed;
  it->triggered = true;
  thing_serve(L, &it->of);
  lua_settop(L, 1);
  return 1;
}

/* event:succeed(...) -> the event
   Has the event happen: all who wait for it go on, in the order in which they
   began to, and get the values; who awaits it later gets them at once. Raises
   usage when it has happened already.
     local e = md.event(); e:succeed("ok") */
static int m_event_succeed(lua_State *L) {
  return event_happen(L, (event *)thing_arg(L, 1, &event_class, "succeed"),
                      false, "succeed");
}

/* event:fail(err) -> the event
   Has the event fail: err is raised in all who wait for it, now or later.
   Raises usage when it has happened already, or without an error.
     local e = md.event(); e:fail("no answer") */
static int m_event_fail(lua_State *L) {
  event *it = (event *)thing_arg(L, 1, &event_class, "fail");
  lua_settop(L, 2);
  if (lua_isnil(L, 2))
    return host_raise(L, "usage",
                      "fail: expected what is raised in those who wait, got "
                      "nil; e:fail(\"reason\")");
  return event_happen(L, it, true, "fail");
}

static int event_collect(lua_State *L) {
  const event *it = lua_touserdata(L, 1);
  host_drop(L, it->of.sim, it->slot, (int)it->count);
  return 0;
}

static event *event_new(lua_State *L, host_sim *s) {
  event *it = (event *)thing_new(L, s, &event_class, sizeof *it, 1);
  luaL_setmetatable(L, event_class.name);
  return it;
}

/* event() -> event
   Something that happens once: event:succeed(...) has those who await it go on
   with the values, event:fail(err) raises err in them. Fields: triggered (it
   has happened), ok (it has succeeded), value (the first value, or the error).
     local done = md.event(); md.after(1, function() done:succeed("done") end)
 */
static int f_event(lua_State *L) {
  event_new(L, host_sim_arg(L));
  return 1;
}

/* -- timers -- */

/* The kernel has a timer for it only while somebody waits: one that has lost
   keeps no run from its end. */
typedef struct timer {
  thing of;
  md_time due;
  md_timer_id id;
  uint32_t slot, count;
} timer;

static bool timer_take(lua_State *L, thing *t, place *pl) {
  (void)L, (void)pl;
  return md_sim_now(t->sim->kernel) >= ((const timer *)t)->due;
}

static int timer_push(lua_State *L, thing *t, place *pl) {
  const timer *it = (const timer *)t;
  (void)pl;
  host_fetch(L, t->sim, it->slot, (int)it->count);
  return (int)it->count;
}

static void timer_changed(thing *t) {
  timer *it = (timer *)t;
  uint64_t words[3] = {(uint64_t)(uintptr_t)t, 0, 0};
  bool early = md_sim_now(t->sim->kernel) < it->due;
  if (t->lines[0].count > 0 && it->id == 0 && early)
    it->id = md_sim_at(t->sim->kernel, it->due, HOST_DUE, words, 0);
  if (t->lines[0].count > 0 || it->id == 0) return;
  md_sim_cancel(t->sim->kernel, it->id, words);
  it->id = 0;
}

void host_due(lua_State *L, const uint64_t words[3]) {
  timer *it = (timer *)(uintptr_t)words[0];
  it->id = 0;
  thing_serve(L, &it->of);
}

uint32_t host_due_first(const uint64_t words[3]) {
  const timer *it = (const timer *)(uintptr_t)words[0];
  uint32_t first = it->of.lines[0].first;
  return first ? place_at(it->of.sim, first)->process : 0;
}

static void timer_describe(lua_State *L, const thing *t, const place *pl) {
  (void)pl;
  host_push_time(L, t->sim, ((const timer *)t)->due);
  lua_pushfstring(L, "the time %s", lua_tostring(L, -1));
  lua_remove(L, -2);
}

static void timer_field(lua_State *L, const thing *t, int i) {
  (void)i;
  lua_pushboolean(L, timer_take(L, (thing *)(uintptr_t)t, NULL));
}

static const luaL_Reg no_methods[] = {{NULL, NULL}};
static const char *const over_fields[] = {"triggered", NULL};

static const thing_class timer_class = {.name = "md.timing",
                                        .take = timer_take,
                                        .give_back = event_nothing,
                                        .push = timer_push,
                                        .changed = timer_changed,
                                        .describe = timer_describe,
                                        .methods = no_methods,
                                        .fields = over_fields,
                                        .field = timer_field};

/* timer(d [, ...]) -> timer
   Something to await: it is over d units of time from now, d at least 0, and
   gives the values that follow. Field: triggered. Raises usage for a wrong d.
     md.spawn(function() print(md.await(md.timer(2, "tea is ready"))) end) */
static int f_timer(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time at = md_sim_now(s->kernel) + host_duration_arg(L, s, 1, "timer");
  int n = lua_gettop(L) - 1;
  timer *it = (timer *)thing_new(L, s, &timer_class, sizeof *it, 1);
  it->due = at;
  it->count = (uint32_t)n;
  it->slot = host_hold(L, s, 2, n);
  luaL_setmetatable(L, timer_class.name);
  return 1;
}

static int timer_collect(lua_State *L) {
  const timer *it = lua_touserdata(L, 1);
  host_drop(L, it->of.sim, it->slot, (int)it->count);
  return 0;
}

/* -- the ends of processes -- */

typedef struct end {
  thing of;
  bool over;
  md_pid pid;
} end;

static bool end_take(lua_State *L, thing *t, place *pl) {
  (void)L, (void)pl;
  return ((const end *)t)->over;
}

static int end_result(lua_State *L) {
  return host_result(L, lua_touserdata(L, lua_upvalueindex(1)));
}

static int end_push_result(lua_State *L, thing *t, place *pl) {
  int top = lua_gettop(L);
  (void)pl;
  lua_pushlightuserdata(L, t->sim);
  lua_pushcclosure(L, end_result, 1);
  host_push_name(L, t->sim, ((const end *)t)->pid);
  lua_call(L, 1, LUA_MULTRET);
  return lua_gettop(L) - top;
}

static bool end_fails(lua_State *L, const thing *t) {
  host_push_name(L, t->sim, ((const end *)t)->pid);
  bool failed = host_failed(L, t->sim, lua_gettop(L));
  lua_pop(L, 1);
  return failed;
}

static void end_kill(lua_State *L, host_sim *s, uint32_t p) {
  if (md_sim_proc(s->kernel, p)->flags & MD_DYING) return;
  lua_pushliteral(L, "shutdown");
  host_kill(L, s, 0, p, lua_gettop(L));
  lua_pop(L, 1);
}

/* A function's child that has lost is killed: words[0]. */
static void end_withdraw(lua_State *L, thing *t, const place *pl) {
  uint32_t p = md_sim_index(t->sim->kernel, ((const end *)t)->pid);
  if (pl->words[0] == 0 || p == 0) return;
  /* one that runs has brought about itself what it lost to */
  if (md_sim_proc(t->sim->kernel, p)->state == MD_RUNNING) {
    uint64_t words[3] = {((const end *)t)->pid, 0, 0};
    md_sim_at(t->sim->kernel, md_sim_now(t->sim->kernel), HOST_LOST, words, 0);
  } else {
    end_kill(L, t->sim, p);
  }
}

void host_lost(lua_State *L, host_sim *s, const uint64_t words[3]) {
  uint32_t p = md_sim_index(s->kernel, words[0]);
  if (p != 0) end_kill(L, s, p);
}

static void end_describe(lua_State *L, const thing *t, const place *pl) {
  char label[64];
  uint32_t p = md_sim_index(t->sim->kernel, ((const end *)t)->pid);
  (void)pl;
  lua_pushfstring(L, "the end of %s", host_label(t->sim, p, label));
}

static md_pid end_holder(const thing *t) { return ((const end *)t)->pid; }

static void end_field(lua_State *L, const thing *t, int i) {
  (void)i;
  lua_pushboolean(L, ((const end *)t)->over);
}

static const thing_class end_class = {.name = "md.end",
                                      .take = end_take,
                                      .give_back = event_nothing,
                                      .push = end_push_result,
                                      .fails = end_fails,
                                      .withdraw = end_withdraw,
                                      .holder = end_holder,
                                      .describe = end_describe,
                                      .methods = no_methods,
                                      .fields = over_fields,
                                      .field = end_field};

void end_push(lua_State *L, host_sim *s) {
  int pid = lua_gettop(L);
  uint32_t p = host_pid_arg(L, s, pid, "await");
  md_proc_extra *extra = p ? md_sim_make_extra(s->kernel, p) : NULL;
  if (p != 0 && extra == NULL) host_no_memory(L);
  if (extra != NULL && extra->words[HOST_END] != 0) {
    host_fetch(L, s, (uint32_t)extra->words[HOST_END], 1);
  } else {
    end *it = (end *)thing_new(L, s, &end_class, sizeof *it, 1);
    it->pid = host_pid_bits(lua_touserdata(L, pid));
    it->over = p == 0;
    luaL_setmetatable(L, end_class.name);
    uint32_t slot = p ? host_hold(L, s, lua_gettop(L), 1) : 0;
    if (p != 0) md_sim_extra(s->kernel, p)->words[HOST_END] = slot;
  }
  lua_replace(L, pid);
}

void end_over(lua_State *L, host_sim *s, uint32_t slot) {
  host_fetch(L, s, slot, 1);
  end *it = lua_touserdata(L, -1);
  it->over = true;
  thing_serve(L, &it->of);
  lua_pop(L, 1);
}

bool end_awaited(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->words[HOST_END] == 0) return false;
  host_fetch(L, s, (uint32_t)extra->words[HOST_END], 1);
  const end *it = lua_touserdata(L, -1);
  lua_pop(L, 1); /* p holds it */
  return it->of.lines[0].count > 0;
}

/* -- the module -- */

void host_open_events(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"event", f_event}, {"timer", f_timer}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &event_class, event_collect, true);
  thing_metatable(L, &timer_class, timer_collect, true);
  thing_metatable(L, &end_class, NULL, true);
}
