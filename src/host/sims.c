/* A sim as the model meets it: making one, running it, asking it. */
#include "host/cproc.h"
#include "host/loop.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/place.h"

#include <inttypes.h>
#include <string.h>

static const char *const sims_orders[] = {"fifo", "lifo", "random", NULL};

host_sim *host_skip_sim(lua_State *L) {
  if (lua_type(L, 1) != LUA_TUSERDATA) return NULL;
  host_sim **box = luaL_testudata(L, 1, "md.sim");
  if (box != NULL) lua_remove(L, 1);
  return box != NULL ? *box : NULL;
}

host_sim *host_sim_arg(lua_State *L) {
  host_sim *given = host_skip_sim(L);
  if (given != NULL) return given;
  md_host *h = host_of(L);
  return h->sim ? h->sim : host_default(L);
}

/* -- making -- */

static char *sims_text(md_host *h, const char *text) {
  if (text == NULL) return NULL;
  size_t size = strlen(text) + 1;
  char *copy = md_arena_alloc(h->arena, size);
  return copy ? memcpy(copy, text, size) : NULL;
}

static void sims_free_text(md_host *h, char *text) {
  if (text != NULL) md_arena_free(h->arena, text, strlen(text) + 1);
}

static void sims_close(host_sim *s) {
  md_host *h = s->host;
  for (host_sim **at = &h->sims; *at != NULL; at = &(*at)->next)
    if (*at == s) {
      *at = s->next;
      break;
    }
  if (s->kernel != NULL) cproc_close_sim(s);
  if (s->records != NULL) md_records_close(s->records);
  if (s->kernel != NULL) md_sim_close(s->kernel);
  place_close(s);
  resource_close(s);
  md_arena_free(h->arena, s->held.next,
                s->held.capacity * sizeof *s->held.next);
  sims_free_text(h, s->name);
  sims_free_text(h, s->unit);
  md_arena_free(h->arena, s, sizeof *s);
}

/* The state that holds the sim's values; see the places in host.h. */
static void sims_holder(lua_State *L, host_sim *s, int self) {
  s->H = lua_newthread(L);
  lua_setiuservalue(L, self, 1);
  if (!lua_checkstack(s->H, 32)) host_no_memory(L);
  for (int place = HOST_HELD; place < HOST_SELF; place++) {
    lua_newtable(L);
    lua_xmove(L, s->H, 1);
  }
  lua_pushvalue(L, self);
  lua_xmove(L, s->H, 1);
  host_push(L, s, HOST_THINGS);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

host_sim *host_sim_new(lua_State *L, const md_sim_options *options) {
  md_host *h = host_of(L);
  host_sim **box = lua_newuserdatauv(L, sizeof *box, 1);
  int self = lua_gettop(L);
  *box = NULL;
  luaL_setmetatable(L, "md.sim");
  host_sim *s = md_arena_alloc(h->arena, sizeof *s);
  if (s == NULL) host_no_memory(L);
  memset(s, 0, sizeof *s);
  s->host = h;
  s->id = ++h->sims_made;
  s->bound = -1;
  s->next = h->sims;
  h->sims = s;
  *box = s; /* from here on the collector closes it */
  sims_holder(L, s, self);
  s->kernel = md_sim_open(h->arena, options);
  s->records = md_records_open(h->arena);
  if (s->kernel == NULL || s->records == NULL) host_no_memory(L);
  md_sim_trace(s->kernel)->ring = h->out.ring;
  md_sim_trace(s->kernel)->sim = s->id;
  md_rng_seed(&s->chance, options->seed, "math.random", 11);
  return s;
}

host_sim *host_default(lua_State *L) {
  md_host *h = host_of(L);
  if (h->first != NULL) return h->first;
  md_sim_options options = {h->options.seed, h->options.order, 9, 1000000};
  host_sim *s = host_sim_new(L, &options);
  if (h->options.to >= 0)
    md_time_read(md_sim_scale(s->kernel), h->options.to, &s->bound);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.default");
  h->first = s;
  return s;
}

static lua_Integer sims_integer(lua_State *L, const char *field,
                                lua_Integer otherwise, lua_Integer least,
                                lua_Integer most) {
  int fits = 1;
  lua_getfield(L, 1, field);
  lua_Integer n = otherwise;
  if (!lua_isnil(L, -1)) n = lua_tointegerx(L, -1, &fits);
  if (!fits || lua_type(L, -1) == LUA_TSTRING || n < least || n > most)
    host_raise(L, "usage", "sim: expected an integer%s as %s, got %s",
               least == 0 && most == MD_PRECISION_MAX ? " from 0 to 15" : "",
               field, host_describe(L, -1));
  lua_pop(L, 1);
  return n;
}

static int sims_choice(lua_State *L, const char *field,
                       const char *const names[], const char *hint) {
  lua_getfield(L, 1, field);
  const char *name = lua_isnil(L, -1) ? names[0] : lua_tostring(L, -1);
  int k = 0;
  while (names[k] != NULL && (name == NULL || strcmp(names[k], name) != 0)) k++;
  if (names[k] == NULL)
    host_raise(L, "usage", "sim: expected %s as %s, got %s", hint, field,
               host_describe(L, -1));
  lua_pop(L, 1);
  return k;
}

/* Events at one instant: a number, or false or math.huge for no bound. */
static uint64_t sims_zeno(lua_State *L) {
  lua_getfield(L, 1, "zeno");
  lua_Number n = lua_isnil(L, -1) ? 1e6 : lua_tonumber(L, -1);
  bool none = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
  if (!none && !(n >= 1))
    host_raise(L, "usage",
               "sim: expected a number of events as zeno, or "
               "false for no bound, got %s",
               host_describe(L, -1));
  lua_pop(L, 1);
  return none || n > 1e18 ? 0 : (uint64_t)n;
}

static const char *sims_string(lua_State *L, const char *field) {
  lua_getfield(L, 1, field);
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage", "sim: expected a string as %s, got %s", field,
               host_describe(L, -1));
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1); /* the options hold it */
  return text;
}

static const char *const sims_fields[] = {
    "seed", "precision", "unit", "order", "on_error", "name", "zeno", NULL};

/* sim{seed=, precision=, order=, on_error=, unit=, name=, zeno=} -> sim
   A new simulation of its own. seed: an integer (0). precision: the decimal
   digits of the unit that time keeps, 0 to 15 (9). order: of what is due at
   equal times, "fifo", "lifo" or "random" ("fifo"). on_error: an error in a
   process ends the run, "stop", or only that process, "isolate" ("stop").
   unit: what md.time reads texts as ("s"). name: what its records are written
   under. zeno: how many events there may be at one instant (1e6; false: any
   number). Raises usage for another option or value. Every function of md is a
   method of it.
     local sim = md.sim { seed = 1, precision = 6 } */
static int f_sim(lua_State *L) {
  static const char *const errors[] = {"stop", "isolate", NULL};
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    return host_raise(L, "usage",
                      "sim: expected a table of options, got %s; "
                      "md.sim{seed = 1}",
                      host_describe(L, 1));
  host_check_fields(L, 1, "sim", sims_fields);
  md_sim_options options = {
      .seed = (uint64_t)sims_integer(L, "seed", 0, INT64_MIN, INT64_MAX),
      .precision = (int)sims_integer(L, "precision", 9, 0, MD_PRECISION_MAX),
      .order = (md_order)sims_choice(L, "order", sims_orders,
                                     "\"fifo\", \"lifo\" or \"random\""),
      .zeno = sims_zeno(L)};
  const char *name = sims_string(L, "name"), *unit = sims_string(L, "unit");
  int isolate = sims_choice(L, "on_error", errors, "\"stop\" or \"isolate\"");
  host_sim *s = host_sim_new(L, &options);
  s->isolate = isolate == 1;
  s->name = sims_text(s->host, name);
  s->unit = sims_text(s->host, unit);
  return 1;
}

static int mt_sim_gc(lua_State *L) {
  host_sim **box = lua_touserdata(L, 1);
  if (*box != NULL) sims_close(*box);
  *box = NULL;
  return 0;
}

static int mt_sim_tostring(lua_State *L) {
  host_sim *s = *(host_sim **)luaL_checkudata(L, 1, "md.sim");
  char now[40];
  md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), now, sizeof now);
  lua_pushfstring(L, "<sim %s%sat %s>", s->name ? s->name : "",
                  s->name ? " " : "", now);
  return 1;
}

/* -- running -- */

/* The run that the script has asked for, and that others drove, is over; that
   of a line, or inside of another, is none. */
static void sims_forget(lua_State *L, host_sim *s, int status) {
  md_host *h = s->host;
  uint32_t when = h->limits.when;
  if (status != LUA_YIELD || h->prompting) return;
  h->asked = NULL;
  h->limits.when = 0;
  host_drop(L, s, when, when != 0);
}

/* What a run returns: why it ended, the time, what md.stop was given. */
static int sims_ran(lua_State *L, int status, lua_KContext ctx) {
  host_sim *s = (host_sim *)ctx;
  sims_forget(L, s, status);
  if (s->outcome == NULL) {
    lua_getfield(L, LUA_REGISTRYINDEX, "md.error");
    return lua_error(L);
  }
  lua_settop(L, 0);
  lua_pushstring(L, s->outcome);
  host_push_time(L, s, md_sim_now(s->kernel));
  if (!s->stopped) return 2;
  int n = (int)s->stop_count;
  host_fetch(L, s, s->stop_slot, n);
  host_drop(L, s, s->stop_slot, n);
  return 2 + n;
}

/* The script yields to the loop that drives it; whatever cannot yield (a sort's
   comparator, a process that runs another sim) has the loop run right here. */
static int sims_start(lua_State *L, host_sim *s, const host_limits *limits,
                      lua_KFunction k) {
  md_host *h = s->host;
  host_no_guard(L, "run");
  if (h->prompting && lua_isyieldable(L) && limits->when == 0) {
    h->line_sim = s;
    h->line_limits = *limits;
    lua_settop(L, 0);
    host_push(L, s, HOST_SELF);
    return lua_yieldk(L, 0, (lua_KContext)s, k);
  }
  if (s->running && h->out.copy && host_at_prompt(L))
    return host_raise(L, "usage",
                      "run: where a line only looks no time passes; :branch d "
                      "expr tells what would be");
  if (s->running)
    return host_raise(L, "usage",
                      "run: the sim is running already; a process or a "
                      "callback lets time pass with md.sleep or md.wait, and "
                      "only the script runs the sim");
  h->ran = true;
  lua_settop(L, 0);
  host_push(L, s, HOST_SELF); /* it lives as long as its run */
  bool script = h->sim == NULL && h->process == 0 && h->fences == 0;
  if (script && lua_isyieldable(L)) {
    h->limits = *limits;
    h->asked = s;
    return lua_yieldk(L, 0, (lua_KContext)s, k);
  }
  lua_State *callbacks = h->callbacks;
  h->callbacks = lua_newthread(L);
  host_run_nested(h, s, limits);
  h->callbacks = callbacks;
  host_drop(L, s, limits->when, limits->when != 0);
  return k(L, LUA_OK, (lua_KContext)s);
}

static const char *const sims_run_fields[] = {"to", "events", "when", NULL};

static void sims_read_limits(lua_State *L, host_sim *s, host_limits *limits) {
  host_check_fields(L, 1, "run", sims_run_fields);
  lua_getfield(L, 1, "to");
  if (!lua_isnil(L, -1)) limits->to = host_time_arg(L, s, -1, "run");
  lua_getfield(L, 1, "events");
  if (!lua_isnil(L, -1)) {
    int fits;
    lua_Integer n = lua_tointegerx(L, -1, &fits);
    if (!fits || n < 0 || lua_type(L, -1) != LUA_TNUMBER)
      host_raise(L, "usage",
                 "run: expected an integer of at least 0 as events, got %s",
                 host_describe(L, -1));
    limits->events = (uint64_t)n;
  }
  lua_getfield(L, 1, "when");
  if (lua_isnil(L, -1)) return;
  if (!lua_isfunction(L, -1))
    host_raise(L, "usage", "run: expected a function as when, got %s",
               host_describe(L, -1));
  limits->when = host_hold(L, s, lua_gettop(L), 1);
}

/* run([to]), run{to=, events=, when=} -> why, time, ...
   Lets time pass until `to`, for `events` events at most, or until the function
   `when` returns true, which is asked before the first and after each event.
   why is "done" (nothing is left), "idle" (nothing is scheduled, but processes
   wait), "time", "events", "when" or "stopped". With `to` the clock ends just
   there, after the events of that very time. An error that nobody caught is
   raised here. Raises usage for a time in the past, another option, and when
   the sim runs already: only the script runs it.
     print(md.run(100)) */
static int f_run(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_limits limits = {-1, UINT64_MAX, 0};
  lua_settop(L, 1);
  if (lua_istable(L, 1)) sims_read_limits(L, s, &limits);
  else if (!lua_isnil(L, 1)) limits.to = host_time_arg(L, s, 1, "run");
  return sims_start(L, s, &limits, sims_ran);
}

static int sims_stepped(lua_State *L, int status, lua_KContext ctx) {
  host_sim *s = (host_sim *)ctx;
  if (s->outcome == NULL) return sims_ran(L, status, ctx);
  sims_forget(L, s, status);
  bool stepped = strcmp(s->outcome, "events") == 0 || s->stopped;
  if (s->stopped) host_drop(L, s, s->stop_slot, (int)s->stop_count);
  lua_pushboolean(L, stepped);
  return 1;
}

/* step() -> boolean
   Lets one event happen; false when there was none. Raises as run does.
     while md.step() do end */
static int f_step(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_limits limits = {-1, 1, 0};
  return sims_start(L, s, &limits, sims_stepped);
}

/* peek() -> number or nil
   The time of the next event; nil when nothing is scheduled.
     print(md.peek()) */
static int f_peek(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time next;
  if (md_sim_peek(s->kernel, &next)) host_push_time(L, s, next);
  else lua_pushnil(L);
  return 1;
}

/* stop(...)
   The run ends after this event and returns "stopped", the time and these
   values. What is scheduled stays so, and run goes on with it. The first stop
   counts. Raises usage when the sim is not running.
     md.after(10, md.stop, "closing time") */
static int f_stop(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  if (!s->running)
    return host_raise(L, "usage",
                      "stop: the sim is not running; a process or "
                      "a callback stops it");
  if (s->stopped) return 0;
  s->stop_count = (uint32_t)lua_gettop(L);
  s->stop_slot = host_hold(L, s, 1, lua_gettop(L));
  s->stopped = true;
  md_sim_halt(s->kernel);
  return 0;
}

/* -- asking -- */

/* hash() -> string
   The hash of all that has happened, as 16 hexadecimal digits. Runs that go
   the same way have the same one; others hardly ever do. Looking at a run, by
   --trace or --out for one, does not change it.
     print(md.hash()) */
static int f_hash(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  char text[20];
  snprintf(text, sizeof text, "%016" PRIx64, md_sim_hash(s->kernel));
  lua_pushstring(L, text);
  return 1;
}

/* events() -> integer
   How many events have happened: turns of processes and timers.
     print(md.events()) */
static int f_events(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)md_sim_events(host_sim_arg(L)->kernel));
  return 1;
}

/* seed() -> integer
   The sim's seed: that of md.sim{seed=} or, for the default sim, of --seed.
     print(md.seed()) */
static int f_seed(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)md_sim_seed(host_sim_arg(L)->kernel));
  return 1;
}

/* precision() -> integer, string
   How many decimal digits of the unit are kept, and what the unit is called.
     print(md.precision()) */
static int f_precision(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_pushinteger(L, md_sim_scale(s->kernel).digits);
  lua_pushstring(L, s->unit ? s->unit : "s");
  return 2;
}

/* current() -> sim
   The sim that runs, or the default one, which is made on first use.
     print(md.current()) */
static int f_current(lua_State *L) {
  md_host *h = host_of(L);
  host_push(L, h->sim ? h->sim : host_default(L), HOST_SELF);
  return 1;
}

/* processes() -> list of pids
   The living processes, also those that have not started yet.
     print(#md.processes()) */
static int f_processes(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  int n = 0;
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    host_push_pid(L, s, p);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* A method of a sim: the function of md under its first upvalue, which must
   get the sim; its name is the second. With a dot in place of the colon it
   would act on the default sim, without a word; in a process it acts on that
   one's, as md's functions do. */
static int mt_sim_method(lua_State *L) {
  if (host_of(L)->sim == NULL && luaL_testudata(L, 1, "md.sim") == NULL) {
    const char *name = lua_tostring(L, lua_upvalueindex(2));
    return host_raise(L, "usage",
                      "%s: expected the sim before the arguments, got %s; "
                      "write sim:%s(...), with a colon",
                      name, host_describe(L, 1), name);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Pushes a table of methods for the functions of the table at i, which serves
   for what is added to it later. [-0, +1, m] */
static void sims_methods(lua_State *L, int i) {
  lua_newtable(L);
  int methods = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    if (lua_iscfunction(L, -1)) {
      lua_pushvalue(L, -2);
      lua_pushcclosure(L, mt_sim_method, 2);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, methods);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, i);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, methods);
}

void host_open_sims(lua_State *L) {
  static const luaL_Reg functions[] = {{"sim", f_sim},
                                       {"run", f_run},
                                       {"step", f_step},
                                       {"peek", f_peek},
                                       {"stop", f_stop},
                                       {"hash", f_hash},
                                       {"events", f_events},
                                       {"seed", f_seed},
                                       {"precision", f_precision},
                                       {"current", f_current},
                                       {"processes", f_processes},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, "md.sim");
  sims_methods(L, lua_gettop(L) - 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, mt_sim_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, mt_sim_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}
