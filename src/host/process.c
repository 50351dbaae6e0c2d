/* How processes begin and end: the body that each thread runs, what it leaves
   behind for a join, and whose error ends the run. */
#include "host/bond.h"
#include "host/mailbox.h"
#include "host/pattern.h"
#include "host/place.h"
#include "host/recorder.h"

#include <string.h>

/* Somebody waits to join p: an error of it has somebody to go to. */
static bool process_joined(lua_State *L, host_sim *s, uint32_t p) {
  if (end_awaited(L, s, p)) return true;
  uint32_t first = md_sim_cold(s->kernel, p)->watchers, w = first;
  if (first == 0) return false;
  do {
    if (md_sim_proc(s->kernel, w)->wait == MD_WAIT_JOIN) return true;
    w = md_sim_proc(s->kernel, w)->next;
  } while (w != first);
  return false;
}

/* Puts {kind="killed", reason=} on the top. [-0, +1, m] */
static void process_push_killed(lua_State *L, host_sim *s, uint32_t p) {
  char label[64];
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  host_fetch(L, s, (uint32_t)extra->words[HOST_REASON], 1);
  int reason = lua_gettop(L);
  const char *because = host_describe(L, reason);
  host_error_value(L, L, "killed", "%s was killed%s%s", host_label(s, p, label),
                   lua_isnil(L, reason) ? "" : ": ",
                   lua_isnil(L, reason) ? "" : because);
  lua_pushvalue(L, reason);
  lua_setfield(L, -2, "reason");
  lua_replace(L, reason);
  lua_settop(L, reason);
}

/* True when md.exit ended p, as it may: with no reason, or "normal". */
static bool process_exited(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra->words[HOST_REASON] == HOST_NORMAL) return true;
  host_fetch(L, s, (uint32_t)extra->words[HOST_REASON], 1);
  bool normal = lua_type(L, -1) == LUA_TSTRING &&
                strcmp(lua_tostring(L, -1), "normal") == 0;
  lua_pop(L, 1);
  return normal;
}

static void process_report(lua_State *L, host_sim *s, uint32_t p) {
  char label[64];
  if (s->host->options.quiet) return;
  luaL_tolstring(L, -1, NULL);
  fprintf(stderr, "moondial: %s failed: %s\n", host_label(s, p, label),
          lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* Has a kill ended p, and not the error of a closer? Its error is on the top */
static bool process_unwound(lua_State *L, const host_sim *s, uint32_t p) {
  if (host_kind(L, -1) != HOST_UNWIND) return false;
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  return extra != NULL && extra->words[HOST_UNWINDING] == HOST_KILLED;
}

/* An error ended p; its value is on the top. [-1, +0, m] */
static void process_failed(lua_State *L, host_sim *s, uint32_t p) {
  if (process_unwound(L, s, p)) {
    bool exited = process_exited(L, s, p);
    lua_pop(L, 1);
    if (exited) return;
    process_push_killed(L, s, p);
  } else {
    bool caught = bond_caught(s, p);
    bool uncaught = !s->isolate && !caught && !process_joined(L, s, p) &&
                    !host_stands(s, p);
    if (uncaught || s->host->aborting) host_fail(L, s, p);
    else if (s->isolate && !caught) process_report(L, s, p);
  }
  host_keep_result(L, s, p, false, 1);
}

/* Why p ends, for links and monitors: its error is on the top, if it has one.
   [-0, +1, m] */
static void process_push_reason(lua_State *L, host_sim *s, uint32_t p,
                                bool ok) {
  bool unwound = !ok && process_unwound(L, s, p);
  if (ok || (unwound && process_exited(L, s, p))) {
    lua_pushliteral(L, "normal");
  } else if (unwound) {
    host_fetch(L, s, (uint32_t)md_sim_extra(s->kernel, p)->words[HOST_REASON],
               1);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_pushliteral(L, "killed");
  } else {
    lua_pushvalue(L, -1);
  }
}

static void process_drop(lua_State *L, host_sim *s, uint64_t slot, int n) {
  if (slot != 0) host_drop(L, s, (uint32_t)slot, n);
}

/* Drops what p's rare part holds. [-0, +0, -] */
static void process_forget(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL) return;
  const uint64_t *words = extra->words;
  process_drop(L, s, (uint32_t)words[HOST_PENDING], 1);
  process_drop(L, s, words[HOST_PENDING] >> 32, 1);
  process_drop(L, s, words[HOST_ACCEPTS], 1);
  if (words[HOST_UNITS] != 0) resource_return(L, s, p);
  words = md_sim_extra(s->kernel, p)->words;
  if (words[HOST_END] != 0) end_over(L, s, (uint32_t)words[HOST_END]);
  words = md_sim_extra(s->kernel, p)->words;
  process_drop(L, s, words[HOST_END], 1);
  process_drop(L, s, words[HOST_MAILBOX], 1);
  process_drop(L, s, (uint32_t)words[HOST_BECOMES],
               (int)(words[HOST_BECOMES] >> 32));
  if (words[HOST_REASON] != HOST_NORMAL)
    process_drop(L, s, words[HOST_REASON], 1);
}

static void process_record_killed(lua_State *L, host_sim *s, uint32_t p) {
  process_push_killed(L, s, p);
  host_record_values(L, s, p, "FAIL", lua_gettop(L), 1);
  lua_pop(L, 1);
}

/* Tells the recorder how p ends, by the n values on the top or the error. */
static void process_record(lua_State *L, host_sim *s, uint32_t p, bool ok,
                           int n) {
  bool exited = !ok && process_unwound(L, s, p) && process_exited(L, s, p);
  if (ok) host_record_values(L, s, p, "STOP", lua_gettop(L) - n + 1, n);
  else if (exited) host_record_values(L, s, p, "STOP", 1, 0);
  else if (process_unwound(L, s, p)) process_record_killed(L, s, p);
  else host_record_values(L, s, p, "FAIL", lua_gettop(L), 1);
}

/* The last of a process, on its own coroutine: values from 2 on are what it
   returned, or the top is the error. */
static void process_over(lua_State *L, host_sim *s, uint32_t p, bool ok,
                         bool bonded) {
  bool erred = !ok && bonded && !process_unwound(L, s, p);
  if (bonded) {
    process_push_reason(L, s, p, ok);
    lua_replace(L, 1);
  }
  int n = lua_gettop(L) - 1;
  if (s->host->recording) process_record(L, s, p, ok, n);
  if (ok && n > 0) host_keep_result(L, s, p, true, n);
  if (!ok) process_failed(L, s, p);
  process_forget(L, s, p);
  host_flush(L, s, p, true);
  if (bonded) bond_over(L, s, p, !ok, erred);
  else md_sim_end(s->kernel, p, !ok);
}

static int process_orphaned(lua_State *L, int status, lua_KContext ok);

/* The body has failed, or is that of a process with bonds: its children end
   before it does. Not inline, so that the usual end is short. */
static __attribute__((noinline)) int process_end(lua_State *L, bool ok) {
  const md_host *h = host_of(L);
  host_sim *s = h->sim;
  uint32_t p = h->process;
  bool bonded = md_sim_proc(s->kernel, p)->flags & MD_BONDED;
  if (bonded && ok && scope_unbound(L, s, p)) ok = false;
  if (bonded && child_orphan(L, s, p)) {
    md_sim_wait(s->kernel, p, MD_WAIT_CHILDREN, -1, 0);
    return host_block(L, s, ok, process_orphaned);
  }
  process_over(L, s, p, ok, bonded);
  return 0;
}

static int process_orphaned(lua_State *L, int status, lua_KContext ok) {
  (void)status;
  return process_end(L, ok);
}

/* An error has ended the body, or what makes it another. */
static __attribute__((noinline)) int process_broken(lua_State *L, int status,
                                                    lua_KFunction k) {
  const md_host *h = host_of(L);
  while (status != LUA_OK) {
    host_caught(L, status);
    if (!host_becomes(L, h->sim, h->process)) return process_end(L, false);
    status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, k);
  }
  return process_end(L, true);
}

static int process_body_k(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  if (status != LUA_OK && status != LUA_YIELD)
    return process_broken(L, status, process_body_k);
  const md_host *h = host_of(L);
  host_sim *s = h->sim;
  uint32_t p = h->process;
  if (md_sim_proc(s->kernel, p)->flags & MD_BONDED) return process_end(L, true);
  int n = lua_gettop(L) - 1;
  if (h->recording) host_record_values(L, s, p, "STOP", 2, n);
  if (n > 0) host_keep_result(L, s, p, true, n);
  process_forget(L, s, p);
  host_flush(L, s, p, true);
  md_sim_end(s->kernel, p, false);
  return 0;
}

int host_body(lua_State *L) {
  const md_host *h = host_of(L);
  if (h->recording) host_record_start(L, h->sim, h->process);
  int status =
      lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, process_body_k);
  return process_body_k(L, status, 0);
}

int host_unborn(lua_State *L) {
  lua_pushnil(L);
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return process_end(L, false);
}

/* -- spawning -- */

/* The thread of slot p, made on its first use. [-0, +0, m] */
static lua_State *process_thread(lua_State *L, host_sim *s, uint32_t p) {
  lua_State *co = md_sim_root(s->kernel, p);
  if (co != NULL) return co;
  host_push(L, s, HOST_THREADS);
  co = lua_newthread(L);
  lua_rawseti(L, -2, p);
  lua_pop(L, 1);
  host_own(co, true);
  return co;
}

static uint64_t process_mix(uint64_t key, uint64_t n) {
  uint64_t x = key + (n + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* The key of p's own stream: from its name and how many of that name came
   before it, or from its parent's and how many unnamed children that had. */
static void process_key(lua_State *L, host_sim *s, uint32_t p,
                        uint32_t parent) {
  const md_proc_extra *own = md_sim_extra(s->kernel, p);
  uint64_t key = 0, count;
  if (own != NULL && own->name != NULL) {
    host_push(L, s, HOST_COUNTS);
    lua_pushlstring(L, own->name, own->name_length);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    count = (uint64_t)lua_tointeger(L, -1) + 1;
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)count);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    key = md_rng_hash(own->name, own->name_length);
  } else if (parent == 0) {
    count = ++s->children;
  } else {
    md_proc_extra *extra = md_sim_make_extra(s->kernel, parent);
    if (extra == NULL) host_no_memory(L);
    key = md_sim_cold(s->kernel, parent)->stream;
    count = ++extra->children;
  }
  md_sim_cold(s->kernel, p)->stream = process_mix(key, count);
}

typedef struct process_options {
  const char *call; /* the function that the model called */
  const char *name;
  size_t name_length;
  md_time at;
  lua_Integer priority, inbox;
  md_full full;
  bool stream, accepts, link, monitor, child, forward;
  bool observe, ignore; /* observe = true, observe = false */
} process_options;

static void process_undo(lua_State *L, host_sim *s, uint32_t p) {
  (void)L;
  md_sim_end(s->kernel, p, false);
}

/* Starts the function at `first` with what follows it; pushes the pid. */
static int process_spawn(lua_State *L, host_sim *s, const process_options *o,
                         int first) {
  md_sim *k = s->kernel;
  md_host *h = s->host;
  uint32_t parent = h->sim == s ? h->process : 0;
  int n = lua_gettop(L) - first; /* arguments */
  uint32_t p = md_sim_spawn(k, o->at, o->priority, parent);
  if (p == 0 && !md_sim_priority_free(k, o->priority))
    host_raise(L, "usage",
               "%s: there are %d different priorities already, which is "
               "the most at one time; use fewer",
               o->call, MD_RANKS);
  if (p == 0) host_no_memory(L);
  if (o->name && !md_sim_name(k, p, o->name, o->name_length)) {
    process_undo(L, s, p);
    host_no_memory(L);
  }
  lua_State *co = process_thread(L, s, p);
  process_key(L, s, p, parent);
  if (!lua_checkstack(co, n + 3)) {
    process_undo(L, s, p);
    host_no_memory(L);
  }
  md_sim_set_root(k, p, co);
  lua_pushcfunction(co, host_body);
  lua_pushcfunction(co, host_handler);
  lua_xmove(L, co, n + 1);
  if (h->out.spawned != NULL) h->out.spawned(h, s, p);
  host_push_pid(L, s, p);
  return 1;
}

static const char *const process_fields[] = {
    "name", "at",      "after", "priority", "inbox",   "on_full", "stream",
    "link", "monitor", "child", "forward",  "accepts", "observe", NULL};

static lua_Integer process_integer(lua_State *L, const char *call,
                                   const char *field, lua_Integer least,
                                   lua_Integer most) {
  int fits;
  lua_getfield(L, 1, field);
  lua_Integer value = lua_isnil(L, -1) ? 0 : lua_tointegerx(L, -1, &fits);
  if (!lua_isnil(L, -1) && (lua_type(L, -1) != LUA_TNUMBER || !fits ||
                            value < least || value > most))
    host_raise(L, "usage", "%s: expected an integer%s as %s, got %s", call,
               least > 0 ? " from 1 to 4294967295" : "", field,
               host_describe(L, -1));
  lua_pop(L, 1);
  return value;
}

static bool process_boolean(lua_State *L, const char *call, const char *field) {
  lua_getfield(L, 1, field);
  if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
    host_raise(L, "usage", "%s: expected true or false as %s, got %s", call,
               field, host_describe(L, -1));
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static md_full process_full(lua_State *L, const char *call) {
  static const char *const names[] = {"block", "drop", "error"};
  lua_getfield(L, 1, "on_full");
  const char *name = lua_isnil(L, -1) ? "block" : lua_tostring(L, -1);
  int k = 0;
  while (k < 3 && (name == NULL || strcmp(names[k], name) != 0)) k++;
  if (k == 3)
    host_raise(L, "usage",
               "%s: expected \"block\", \"drop\" or \"error\" as on_full, "
               "got %s",
               call, host_describe(L, -1));
  lua_pop(L, 1);
  return (md_full)k;
}

/* When it starts: `at` a time, or `after` a duration. */
static md_time process_start(lua_State *L, host_sim *s, const char *call) {
  md_time at = md_sim_now(s->kernel);
  lua_getfield(L, 1, "at");
  lua_getfield(L, 1, "after");
  if (!lua_isnil(L, -2) && !lua_isnil(L, -1))
    host_raise(L, "usage",
               "%s: give either at, a time, or after, a duration, not both",
               call);
  if (!lua_isnil(L, -2)) at = host_time_arg(L, s, -2, call);
  else if (!lua_isnil(L, -1)) at += host_duration_arg(L, s, -1, call);
  lua_pop(L, 2);
  return at;
}

static bool process_accepts(lua_State *L, int i) {
  lua_getfield(L, i, "accepts");
  bool accepts = !lua_isnil(L, -1);
  if (accepts && !host_protocol(L, lua_gettop(L)))
    host_raise(L, "usage",
               "spawn: expected a protocol as accepts, got %s; "
               "md.protocol{ping = {md.is.pid}} makes one",
               host_describe(L, -1));
  lua_pop(L, 1);
  return accepts;
}

/* What it is bound by to the process that calls. */
static void process_read_bonds(lua_State *L, process_options *o) {
  o->link = process_boolean(L, o->call, "link");
  o->monitor = process_boolean(L, o->call, "monitor");
  o->child = process_boolean(L, o->call, "child") || o->child;
  o->forward = process_boolean(L, o->call, "forward");
  o->observe = process_boolean(L, o->call, "observe");
  o->ignore = lua_getfield(L, 1, "observe") != LUA_TNIL && !o->observe;
  lua_pop(L, 1);
  if (o->forward && !o->child)
    host_raise(L, "usage",
               "%s: forward is for a child; say child = true, too, or "
               "md.child({ forward = true }, fn, ...)",
               o->call);
}

static void process_read(lua_State *L, host_sim *s, process_options *o) {
  host_check_fields(L, 1, o->call, process_fields);
  lua_getfield(L, 1, "name");
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage", "%s: expected a string as name, got %s", o->call,
               host_describe(L, -1));
  o->name = lua_tolstring(L, -1, &o->name_length); /* the table holds it */
  lua_pop(L, 1);
  o->at = process_start(L, s, o->call);
  o->priority = process_integer(L, o->call, "priority", INT64_MIN, INT64_MAX);
  o->inbox = process_integer(L, o->call, "inbox", 1, UINT32_MAX);
  o->full = process_full(L, o->call);
  lua_getfield(L, 1, "stream");
  o->stream = !lua_isnil(L, -1);
  if (o->stream && lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage", "%s: expected a string as stream, got %s", o->call,
               host_describe(L, -1));
  lua_pop(L, 1);
  o->accepts = process_accepts(L, 1);
  process_read_bonds(L, o);
}

/* Keeps the protocol of p, whose sends are checked from now on. */
static void process_guard(lua_State *L, host_sim *s, uint32_t p) {
  lua_getfield(L, 1, "accepts");
  uint32_t slot = host_hold(L, s, lua_gettop(L), 1);
  md_sim_extra(s->kernel, p)->words[HOST_ACCEPTS] = slot;
  md_sim_extra(s->kernel, p)->words[HOST_QUICK] =
      (uint64_t)(uintptr_t)host_quick_rules(L, lua_gettop(L));
  md_sim_proc(s->kernel, p)->flags |= MD_ACCEPTS;
  lua_pop(L, 1);
}

/* What is rarely asked for: a bounded inbox, a protocol, a stream of another's
   name. */
static void process_equip(lua_State *L, host_sim *s, uint32_t p,
                          const process_options *o) {
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  if (o->inbox > 0 &&
      !md_sim_bound_inbox(s->kernel, p, (uint32_t)o->inbox, o->full))
    host_no_memory(L);
  if (o->accepts && !s->host->options.unchecked) process_guard(L, s, p);
  if (o->observe) extra->words[HOST_OBSERVED] = 1;
  if (o->ignore && !md_mails_ignore(md_sim_mails(s->kernel), p))
    host_no_memory(L);
  if (!o->stream) return;
  size_t length;
  lua_getfield(L, 1, "stream");
  const char *name = lua_tolstring(L, -1, &length);
  host_stream(L, s, name, length);
  extra->words[HOST_PENDING] |= host_hold(L, s, lua_gettop(L), 1);
  lua_pop(L, 2);
}

/* Only a process can be bound to a new one. */
static void process_check_bonds(lua_State *L, const host_sim *s,
                                const process_options *o) {
  const md_host *h = s->host;
  if (h->process != 0 && h->sim == s) return;
  if (!o->link && !o->monitor && !o->child) return;
  if (o->child)
    host_raise(L, "usage",
               "%s: a child ends with the process that makes it, and this is "
               "none; use md.spawn here, or make it inside "
               "md.spawn(function() ... end)",
               o->call);
  host_raise(L, "usage",
             "%s: %s is between the process that calls and the new one, and "
             "this is no process; call it inside md.spawn(function() ... end)",
             o->call, o->link ? "link" : "monitor");
}

/* Bonds the new process p, whose pid is on the top; returns how many values
   there are to return. */
static int process_bond(lua_State *L, host_sim *s, uint32_t p,
                        const process_options *o) {
  uint32_t own = s->host->process;
  if (o->child) child_bind(L, s, own, p, o->forward);
  if (o->link) bond_make(L, s, MD_LINK, p, own);
  if (o->monitor) bond_push_ref(L, s, bond_make(L, s, MD_MONITOR, p, own));
  return 1 + o->monitor;
}

bool host_callable(lua_State *L, int i) {
  if (lua_isfunction(L, i)) return true;
  if (!luaL_getmetafield(L, i, "__call")) return false;
  lua_pop(L, 1);
  return true;
}

int host_spawn(lua_State *L, host_sim *s, const char *call, bool child) {
  process_options o = {
      .call = call, .at = md_sim_now(s->kernel), .child = child};
  bool table = lua_istable(L, 1) && !host_callable(L, 1);
  int first = table ? 2 : 1;
  host_no_reload(L, call);
  if (!host_callable(L, first))
    return host_raise(L, "usage",
                      "%s: expected a function as argument %d, got %s; pass "
                      "the function itself and its arguments after it: "
                      "md.%s(f, a, b), not md.%s(f(a, b))",
                      call, first, host_describe(L, first), call, call);
  if (!table && !child && !s->host->recording)
    return process_spawn(L, s, &o, 1);
  if (table) process_read(L, s, &o);
  process_check_bonds(L, s, &o);
  process_spawn(L, s, &o, first);
  uint64_t pid = host_bits(lua_touserdata(L, -1));
  uint32_t p = pid & ((1u << MD_INDEX_BITS) - 1);
  if (o.inbox > 0 || o.stream || o.accepts || o.observe || o.ignore)
    process_equip(L, s, p, &o);
  lua_settop(L, first);
  if (s->host->recording) host_record_spawn(L, s, p, o.forward);
  return process_bond(L, s, p, &o);
}

/* spawn([options,] fn, ...) -> pid [, ref]
   Makes a process that runs fn(...); it starts now, behind what is due. The
   options: `name`; `at` (a time) or `after` (a duration); `priority` (an
   integer, else 0: at equal times the lower goes first); `inbox` (how many
   messages it holds, else any number) with `on_full` ("block", else "drop" or
   "error", see send); `accepts` (a protocol of what it may be sent);
   `stream` (the name of the stream that rng() is in it); `observe` (false: its
   inbox keeps no statistics, see info; true: report has it whatever comes);
   `link`, `monitor` (returns a ref, too) and `child` (true: see these). An
   error that fn raises ends the run, unless a process joins it at that moment,
   is linked to it and traps exits, or the sim has on_error "isolate". Raises
   usage for another option or a wrong value.
     md.spawn({ name = "clock", after = 1 }, print, "tick") */
int host_f_spawn(lua_State *L) {
  return host_spawn(L, host_sim_arg(L), "spawn", false);
}
