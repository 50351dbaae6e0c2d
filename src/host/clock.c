/* Virtual time as the model meets it: now, sleep, every, callbacks. */
#include "host/loop.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/recorder.h"
#include "host/turn.h"

#include <math.h>
#include <string.h>

/* -- arguments -- */

static _Noreturn void clock_refuse(lua_State *L, int i, const char *call,
                                   const char *what, const char *hint) {
  host_raise(L, "usage", "%s: expected %s, got %s%s", call, what,
             host_describe(L, i), hint);
  __builtin_unreachable();
}

static _Noreturn void clock_not_a_time(lua_State *L, int i, const char *call,
                                       const char *what) {
  if (lua_type(L, i) != LUA_TNUMBER)
    clock_refuse(L, i, call, what,
                 lua_type(L, i) == LUA_TSTRING
                     ? "; md.time(\"250us\") reads a text with a unit"
                     : "");
  lua_Number x = lua_tonumber(L, i);
  if (isnan(x))
    clock_refuse(L, i, call, what, "; NaN often comes from 0/0 or log(-1)");
  if (isinf(x) && x > 0)
    clock_refuse(L, i, call, what,
                 "; to wait without end, wait for a message: md.wait()");
  if (x < 0) clock_refuse(L, i, call, what, "; time never runs backwards");
  char most[40];
  host_sim *s = host_of(L)->sim ? host_of(L)->sim : host_default(L);
  md_time_text(md_sim_scale(s->kernel), INT64_MAX, most, sizeof most);
  host_raise(L, "usage",
             "%s: %s is too distant: the clock ends at %s; take a larger unit "
             "of time or a lower precision: md.sim{precision = 6}",
             call, host_describe(L, i), most);
  __builtin_unreachable();
}

/* The number at i in ticks, false when it does not fit. */
static inline bool clock_read(lua_State *L, const host_sim *s, int i,
                              md_time *ticks) {
  md_scale scale = md_sim_scale(s->kernel);
  if (lua_isinteger(L, i))
    return !__builtin_mul_overflow((int64_t)lua_tointeger(L, i), scale.ticks,
                                   ticks);
  return lua_type(L, i) == LUA_TNUMBER &&
         md_time_read(scale, lua_tonumber(L, i), ticks);
}

md_time host_duration_arg(lua_State *L, host_sim *s, int i, const char *call) {
  md_time ticks;
  i = lua_absindex(L, i);
  if (!clock_read(L, s, i, &ticks) || lua_tonumber(L, i) < 0 ||
      ticks > INT64_MAX - md_sim_now(s->kernel))
    clock_not_a_time(L, i, call, "a duration, a number of at least 0");
  return ticks;
}

md_time host_limit_arg(lua_State *L, host_sim *s, int i, const char *call) {
  md_time d = host_duration_arg(L, s, i, call);
  return lua_tonumber(L, i) == 0 ? HOST_LOOK : md_sim_now(s->kernel) + d;
}

md_time host_limit_left(const host_sim *s, md_time deadline) {
  return deadline == md_sim_now(s->kernel) ? HOST_LOOK : deadline;
}

md_time host_time_arg(lua_State *L, host_sim *s, int i, const char *call) {
  md_time ticks;
  i = lua_absindex(L, i);
  if (!clock_read(L, s, i, &ticks) || lua_tonumber(L, i) < 0)
    clock_not_a_time(L, i, call, "a time, a number of at least 0");
  if (ticks >= md_sim_now(s->kernel)) return ticks;
  host_push_time(L, s, md_sim_now(s->kernel));
  host_raise(L, "usage",
             "%s: %s is in the past, the time is %s; use a time from now on: "
             "md.now() + d",
             call, host_describe(L, i), host_describe(L, -1));
  return 0;
}

void host_push_time(lua_State *L, const host_sim *s, md_time time) {
  md_scale scale = md_sim_scale(s->kernel);
  if (scale.digits == 0) lua_pushinteger(L, time);
  else lua_pushnumber(L, md_time_show(scale, time));
}

/* -- sleeping -- */

static int clock_slept(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_woken(L);
  return 0;
}

/* The process sleeps; true when it was next, and has slept: a turn as well. */
static inline bool clock_slips(host_sim *s, md_time ticks) {
  if (!md_sim_sleep(s->kernel, s->host->process, ticks)) return false;
  if (s->host->recording) host_record_turn(s, s->host->process);
  return true;
}

static inline int clock_sleep(lua_State *L, host_sim *s, md_time ticks) {
  if (clock_slips(s, ticks)) return 0;
  return host_block(L, s, 0, clock_slept);
}

/* What was wanted, in ticks and parts of them. */
static double clock_wanted(lua_State *L, const host_sim *s, int i) {
  if (lua_isinteger(L, i))
    return (double)lua_tointeger(L, i) * md_sim_scale(s->kernel).factor;
  return lua_tonumber(L, i) * md_sim_scale(s->kernel).factor;
}

/* sleep(d, "exact") and sleep(d, "tracked"). */
static int clock_sleep_mode(lua_State *L, host_sim *s, md_time ticks) {
  md_scale scale = md_sim_scale(s->kernel);
  md_proc *proc = md_sim_proc(s->kernel, s->host->process);
  const char *mode = lua_tostring(L, 2);
  double wanted = clock_wanted(L, s, 1);
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(mode, "exact") == 0) {
    if (md_time_show(scale, ticks) != lua_tonumber(L, 1)) {
      char near[40];
      md_time_text(scale, ticks, near, sizeof near);
      return host_raise(L, "usage",
                        "sleep: %s is not a whole number of ticks at "
                        "precision %d; the nearest is %s",
                        host_describe(L, 1), scale.digits, near);
    }
  } else if (lua_type(L, 2) == LUA_TSTRING && strcmp(mode, "tracked") == 0) {
    wanted += proc->drift;
    if (wanted < 0) wanted = 0;
    if (!md_time_read((md_scale){1, 1.0, 0}, wanted, &ticks))
      clock_not_a_time(L, 1, "sleep", "a duration");
    proc->drift = 0;
  } else {
    return host_raise(L, "usage",
                      "sleep: expected \"exact\" or \"tracked\" as argument 2, "
                      "got %s",
                      host_describe(L, 2));
  }
  proc->drift += wanted - (double)ticks;
  return clock_sleep(L, s, ticks);
}

/* What is no plain sleep(d): on a sim, far, with a mode, or wrong. */
static int clock_sleep_rest(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "sleep");
  md_time ticks = host_duration_arg(L, s, 1, "sleep");
  if (lua_gettop(L) > 1 && !lua_isnil(L, 2))
    return clock_sleep_mode(L, s, ticks);
  md_sim_proc(s->kernel, s->host->process)->drift +=
      clock_wanted(L, s, 1) - (double)ticks;
  return clock_sleep(L, s, ticks);
}

/* sleep(d [, mode])
   The process goes on d units of time later. d is a number of at least 0; it
   is rounded to the nearest tick, and drift() tells what that has added up to.
   mode "exact" raises when d is no whole number of ticks, "tracked" pays the
   drift back. sleep(0) lets those of its priority that are due now go first,
   yield() lets all. Raises usage for any other d or mode, and
   where nothing can block.
     md.sleep(2.5) */
static int f_sleep(lua_State *L) {
  md_host *h = host_of(L);
  if (lua_type(L, 1) != LUA_TNUMBER || lua_gettop(L) > 1 || !host_free(L, h))
    return clock_sleep_rest(L);
  md_sim *k = h->sim->kernel;
  double wanted = lua_tonumber(L, 1) * md_sim_scale(k).factor;
  if (!(wanted >= 0 && wanted < 0x1p51) || md_sim_now(k) >= 1LL << 62)
    return clock_sleep_rest(L);
  double slept = md_time_round(wanted);
  md_sim_proc(k, h->process)->drift += wanted - slept;
  h->instructions = 0;
  return clock_sleep(L, h->sim, (md_time)slept);
}

/* sleep_until(t)
   The process goes on when the clock shows t, in units of time; when that is
   now, behind what is due, as yield() does. Raises usage when t is in the
   past or is no time, and where nothing can block.
     md.sleep_until(md.now() + 12) */
static int f_sleep_until(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "sleep_until");
  md_time at = host_time_arg(L, s, 1, "sleep_until");
  return clock_sleep(L, s, at - md_sim_now(s->kernel));
}

/* delay(n)
   Sleeps n whole ticks, n a whole number of at least 0; a tick is the last
   digit that the sim's precision keeps. Nothing is rounded. Raises usage for
   any other n, and where nothing can block.
     md.delay(1500) */
static int f_delay(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "delay");
  int fits;
  lua_Integer n = lua_tointegerx(L, 1, &fits);
  if (lua_type(L, 1) != LUA_TNUMBER || !fits || n < 0)
    return host_raise(L, "usage",
                      "delay: expected a whole number of ticks of at least 0, "
                      "got %s; md.sleep(d) takes units of time",
                      host_describe(L, 1));
  if (n > INT64_MAX - md_sim_now(s->kernel))
    clock_not_a_time(L, 1, "delay", "ticks");
  return clock_sleep(L, s, n);
}

/* drift() -> number
   What the process has wanted to sleep minus what it slept, in units of time:
   the rounding of all its sleep(d) so far, with or without a mode. Raises
   usage outside of a process.
     print(md.drift()) */
static int f_drift(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  if (s->host->sim != s || s->host->process == 0)
    return host_raise(L, "usage",
                      "drift: only a process has a drift, and "
                      "this is none");
  lua_pushnumber(L, md_sim_proc(s->kernel, s->host->process)->drift /
                        md_sim_scale(s->kernel).factor);
  return 1;
}

/* yield()
   The process goes on at this time, behind all that is due now, unless that
   has a higher priority number. With order "lifo" it comes back at once, with
   "random" its turn is drawn. Raises usage where nothing can block.
     md.yield() */
static int f_yield(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "yield");
  md_sim_yield(s->kernel, s->host->process);
  return host_block(L, s, 0, clock_slept);
}

/* now() -> number
   The time of the sim in its units: a float, or an integer when the precision
   is 0. It is the number nearest to the decimal value of the ticks: ten times
   sleep(0.1) end at 1.0.
     print(md.now()) */
static int f_now(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_push_time(L, s, md_sim_now(s->kernel));
  return 1;
}

/* -- every -- */

typedef struct clock_every {
  host_sim *sim;
  md_time start;
  md_time period; /* in whole ticks, when `exact` */
  double wanted;  /* in ticks and parts of them */
  int64_t turn, count;
  bool exact;
} clock_every;

/* When the turn is due: no rounding adds up. -1: past the end of the clock */
static md_time clock_turn(const clock_every *e) {
  md_time offset, due;
  if (e->exact) {
    if (__builtin_mul_overflow(e->turn, e->period, &offset)) return -1;
  } else {
    long double far = (long double)e->wanted * (long double)e->turn;
    if (far > 9e18L) return -1;
    offset = (md_time)rintl(far);
  }
  return __builtin_add_overflow(e->start, offset, &due) ? -1 : due;
}

static int clock_every_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  clock_every *e = (clock_every *)ctx;
  host_woken(L);
  host_push_time(L, e->sim, clock_turn(e));
  e->turn++;
  return 1;
}

static int clock_next(lua_State *L) {
  clock_every *e = lua_touserdata(L, lua_upvalueindex(1));
  host_sim *s = e->sim;
  if (e->turn >= e->count) return 0;
  host_may_block_in(L, s, "a turn of every");
  md_time due = clock_turn(e), now = md_sim_now(s->kernel);
  if (due < 0)
    return host_raise(L, "usage",
                      "every: the next turn is past the end of "
                      "the clock; give it a count");
  if (due > now && !clock_slips(s, due - now))
    return host_block(L, s, (lua_KContext)e, clock_every_k);
  host_push_time(L, s, due);
  e->turn++;
  return 1;
}

static const char *const clock_every_fields[] = {"start", "count", NULL};

/* every(period [, {start=, count=}]) -> iterator
   Turns of a loop, a period apart, each of which blocks until its time. The
   first is at the time `start`, without it one period from now; the k-th is
   k - 1 periods after the first, however long the body blocks: a late turn
   comes at once and is not skipped. t is the planned time. `count` is the
   number of turns, without it there is no end. Raises usage for a period below
   one tick, a start in the past, another option, and where nothing can block.
     for t in md.every(10, { count = 3 }) do print(t) end */
static int f_every(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time period = host_duration_arg(L, s, 1, "every");
  if (period == 0)
    return host_raise(L, "usage",
                      "every: expected a period of at least one "
                      "tick, got %s",
                      host_describe(L, 1));
  lua_settop(L, 2);
  clock_every *e = lua_newuserdatauv(L, sizeof *e, 1);
  *e = (clock_every){s,      md_sim_now(s->kernel) + period,
                     period, clock_wanted(L, s, 1),
                     0,      INT64_MAX,
                     false};
  e->exact =
      md_time_show(md_sim_scale(s->kernel), period) == lua_tonumber(L, 1);
  if (!lua_isnil(L, 2)) {
    if (!lua_istable(L, 2))
      return host_raise(L, "usage",
                        "every: expected {start=, count=} as argument 2, got "
                        "%s",
                        host_describe(L, 2));
    host_check_fields(L, 2, "every", clock_every_fields);
    lua_getfield(L, 2, "start");
    if (!lua_isnil(L, -1)) e->start = host_time_arg(L, s, -1, "every");
    lua_getfield(L, 2, "count");
    if (!lua_isnil(L, -1)) {
      int fits;
      e->count = lua_tointegerx(L, -1, &fits);
      if (!fits || e->count < 0)
        return host_raise(L, "usage",
                          "every: expected an integer of at least 0 as count, "
                          "got %s",
                          host_describe(L, -1));
    }
    lua_settop(L, 3);
  }
  host_push(L, s, HOST_SELF); /* the sim lives as long as the iterator */
  lua_setiuservalue(L, 3, 1);
  lua_pushcclosure(L, clock_next, 1);
  return 1;
}

/* -- callbacks -- */

static int clock_callback(lua_State *L, host_sim *s, md_time at,
                          const char *call) {
  host_no_reload(L, call);
  host_no_guard(L, call);
  if (!lua_isfunction(L, 2) && !luaL_getmetafield(L, 2, "__call"))
    return host_raise(L, "usage",
                      "%s: expected a function as argument 2, got %s; "
                      "md.%s(t, fn, ...)",
                      call, host_describe(L, 2), call);
  if (!lua_isfunction(L, 2)) lua_pop(L, 1);
  int n = lua_gettop(L) - 1;
  uint32_t slot = host_hold(L, s, 2, n);
  uint64_t words[3] = {(uint64_t)n << 32 | slot, 0, 0};
  if (s->host->recording) words[1] = host_record_callback(L, s, at, &words[2]);
  md_timer_id id = md_sim_at(s->kernel, at, HOST_CALLBACK, words, 0);
  if (id == 0) {
    host_drop(L, s, slot, n);
    host_no_memory(L);
  }
  return host_push_timer(L, s, id);
}

/* at(t, fn, ...) -> timer
   Calls fn(...) at the time t, in units, as a callback: it is no process and
   cannot block, but may spawn, send and stop. Its results are dropped; its
   error ends the run. At equal times a callback has priority 0. Raises usage
   when t is in the past or fn is no function.
     md.at(5, print, "five") */
static int f_at(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  return clock_callback(L, s, host_time_arg(L, s, 1, "at"), "at");
}

/* after(d, fn, ...) -> timer
   The same as at(now() + d, fn, ...): d is a number of units of at least 0,
   and after(0, fn) comes behind what is due now.
     md.after(1.5, print, "later") */
static int f_after(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time d = host_duration_arg(L, s, 1, "after");
  return clock_callback(L, s, md_sim_now(s->kernel) + d, "after");
}

/* A timer: {its id}, of the sim in its user value. */
int host_push_timer(lua_State *L, host_sim *s, uint64_t id) {
  uint64_t *timer = lua_newuserdatauv(L, sizeof *timer, 1);
  *timer = id;
  host_push(L, s, HOST_SELF);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, "md.timer");
  return 1;
}

/* timer:cancel() -> boolean
   Takes back what at, after, send_at or send_after have planned. True when it
   was still to come; false when it has happened or was cancelled before.
     print(md.after(9, print, "never"):cancel()) */
static int m_cancel(lua_State *L) {
  const uint64_t *id = luaL_checkudata(L, 1, "md.timer");
  lua_getiuservalue(L, 1, 1);
  host_sim *s = *(host_sim **)lua_touserdata(L, -1);
  uint64_t words[3];
  bool was = md_sim_cancel(s->kernel, *id, words);
  if (was) host_drop(L, s, (uint32_t)words[0], (int)(words[0] >> 32));
  lua_pushboolean(L, was);
  return 1;
}

static int mt_timer_tostring(lua_State *L) {
  lua_pushliteral(L, "<timer>");
  return 1;
}

void host_open_time(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"sleep", f_sleep}, {"sleep_until", f_sleep_until},
      {"delay", f_delay}, {"drift", f_drift},
      {"yield", f_yield}, {"now", f_now},
      {"every", f_every}, {"at", f_at},
      {"after", f_after}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, "md.timer");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, m_cancel);
  lua_setfield(L, -2, "cancel");
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, mt_timer_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}
