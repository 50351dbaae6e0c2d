/* How processes begin: md.spawn, its options, and what it is bound by. */
#include "host/bond.h"
#include "host/cproc.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/recorder.h"
#include "host/stream.h"

/* The thread of slot p, made on its first use. [-0, +0, m] */
static lua_State *spawn_thread(lua_State *L, host_sim *s, uint32_t p) {
  lua_State *co = md_sim_root(s->kernel, p);
  if (co != NULL) return co;
  host_push(L, s, HOST_THREADS);
  co = lua_newthread(L);
  lua_rawseti(L, -2, p);
  lua_pop(L, 1);
  host_own(co, true);
  return co;
}

static uint64_t spawn_mix(uint64_t key, uint64_t n) {
  uint64_t x = key + (n + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* The key of p's own stream: from its name and how many of that name came
   before it, or from its parent's and how many unnamed children that had. */
static void spawn_key(lua_State *L, host_sim *s, uint32_t p, uint32_t parent) {
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
  md_sim_cold(s->kernel, p)->stream = spawn_mix(key, count);
}

typedef struct spawn_options {
  const char *call; /* the function that the model called */
  const char *name;
  size_t name_length;
  md_time at;
  lua_Integer priority, inbox;
  md_full full;
  bool stream, accepts, link, monitor, child, forward;
  bool observe, ignore; /* observe = true, observe = false */
  uint32_t body;        /* of C, 0: a function of Lua */
} spawn_options;

static void spawn_undo(lua_State *L, host_sim *s, uint32_t p) {
  (void)L;
  md_sim_end(s->kernel, p, false);
}

/* Gives p the top n values, and the function below; false without memory. */
static bool spawn_load(lua_State *L, host_sim *s, uint32_t p, int n) {
  lua_State *co = spawn_thread(L, s, p);
  if (!lua_checkstack(co, n + 3)) return false;
  md_sim_set_root(s->kernel, p, co);
  lua_pushcfunction(co, host_body);
  lua_pushcfunction(co, host_handler);
  lua_xmove(L, co, n + 1);
  return true;
}

/* Starts the function at `first` with what follows it; pushes the pid. */
static int spawn_start(lua_State *L, host_sim *s, const spawn_options *o,
                       int first) {
  md_sim *k = s->kernel;
  md_host *h = s->host;
  uint32_t parent = h->sim == s ? h->process : 0;
  int n = lua_gettop(L) - first; /* arguments */
  cproc *c = o->body ? cproc_open(L, s, o->body, first + 1, n) : NULL;
  uint32_t p = md_sim_spawn(k, o->at, o->priority, parent);
  if (p == 0 && c != NULL) cproc_free(c);
  if (p == 0 && !md_sim_priority_free(k, o->priority))
    host_raise(L, "usage",
               "%s: there are %d different priorities already, which is "
               "the most at one time; use fewer",
               o->call, MD_RANKS);
  if (p == 0) host_no_memory(L);
  if (o->name && !md_sim_name(k, p, o->name, o->name_length)) {
    if (c != NULL) cproc_free(c);
    spawn_undo(L, s, p);
    host_no_memory(L);
  }
  if (c != NULL) {
    cproc_bind(c, p);
    lua_settop(L, first - 1);
  } else if (!spawn_load(L, s, p, n)) {
    spawn_undo(L, s, p);
    host_no_memory(L);
  }
  spawn_key(L, s, p, parent);
  if (h->out.spawned != NULL) h->out.spawned(h, s, p);
  host_push_pid(L, s, p);
  return 1;
}

static const char *const spawn_fields[] = {
    "name", "at",      "after", "priority", "inbox",   "on_full", "stream",
    "link", "monitor", "child", "forward",  "accepts", "observe", NULL};

static lua_Integer spawn_integer(lua_State *L, const char *call,
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

static bool spawn_boolean(lua_State *L, const char *call, const char *field) {
  lua_getfield(L, 1, field);
  if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
    host_raise(L, "usage", "%s: expected true or false as %s, got %s", call,
               field, host_describe(L, -1));
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static md_full spawn_full(lua_State *L, const char *call, int64_t inbox) {
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
  if (!lua_isnil(L, -1) && inbox == 0)
    host_raise(
        L, "usage",
        "%s: on_full says what a full inbox does, and this one takes any "
        "number of messages; give inbox = n, too",
        call);
  lua_pop(L, 1);
  return (md_full)k;
}

/* When it starts: `at` a time, or `after` a duration. */
static md_time spawn_time(lua_State *L, host_sim *s, const char *call) {
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

static bool spawn_accepts(lua_State *L, int i) {
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
static void spawn_read_bonds(lua_State *L, spawn_options *o) {
  o->link = spawn_boolean(L, o->call, "link");
  o->monitor = spawn_boolean(L, o->call, "monitor");
  o->child = spawn_boolean(L, o->call, "child") || o->child;
  o->forward = spawn_boolean(L, o->call, "forward");
  o->observe = spawn_boolean(L, o->call, "observe");
  o->ignore = lua_getfield(L, 1, "observe") != LUA_TNIL && !o->observe;
  lua_pop(L, 1);
  if (o->forward && !o->child)
    host_raise(L, "usage",
               "%s: forward is for a child; say child = true, too, or "
               "md.child({ forward = true }, fn, ...)",
               o->call);
}

static void spawn_read(lua_State *L, host_sim *s, spawn_options *o) {
  host_check_fields(L, 1, o->call, spawn_fields);
  lua_getfield(L, 1, "name");
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage", "%s: expected a string as name, got %s", o->call,
               host_describe(L, -1));
  o->name = lua_tolstring(L, -1, &o->name_length); /* the table holds it */
  lua_pop(L, 1);
  o->at = spawn_time(L, s, o->call);
  o->priority = spawn_integer(L, o->call, "priority", INT64_MIN, INT64_MAX);
  o->inbox = spawn_integer(L, o->call, "inbox", 1, UINT32_MAX);
  o->full = spawn_full(L, o->call, o->inbox);
  lua_getfield(L, 1, "stream");
  o->stream = !lua_isnil(L, -1);
  if (o->stream && lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage", "%s: expected a string as stream, got %s", o->call,
               host_describe(L, -1));
  lua_pop(L, 1);
  o->accepts = spawn_accepts(L, 1);
  spawn_read_bonds(L, o);
}

/* Keeps the protocol of p, whose sends are checked from now on. */
static void spawn_guard(lua_State *L, host_sim *s, uint32_t p) {
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
static void spawn_equip(lua_State *L, host_sim *s, uint32_t p,
                        const spawn_options *o) {
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  if (o->inbox > 0 &&
      !md_sim_bound_inbox(s->kernel, p, (uint32_t)o->inbox, o->full))
    host_no_memory(L);
  if (o->accepts && !s->host->options.unchecked) spawn_guard(L, s, p);
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
static void spawn_check_bonds(lua_State *L, const host_sim *s,
                              const spawn_options *o) {
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
static int spawn_bond(lua_State *L, host_sim *s, uint32_t p,
                      const spawn_options *o) {
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

/* A body of C's has no children, and is in no family that is recorded. */
static void spawn_check_body(lua_State *L, const host_sim *s,
                             const spawn_options *o) {
  uint32_t p = s->host->sim == s ? s->host->process : 0;
  const md_proc_extra *extra = p ? md_sim_extra(s->kernel, p) : NULL;
  if (o->body != 0 && extra != NULL && extra->words[HOST_RECORDED] != 0)
    host_raise(L, "usage",
               "%s: a C process cannot be a part of a template's instance, "
               "which is recorded; spawn it outside, and send it messages",
               o->call);
  if (o->child && cproc_of(s, p) != NULL)
    host_raise(L, "usage",
               "%s: a C process has no children; use spawn, and link it",
               o->call);
}

int host_spawn(lua_State *L, host_sim *s, const char *call, bool child) {
  spawn_options o = {.call = call, .at = md_sim_now(s->kernel), .child = child};
  bool table = lua_istable(L, 1) && !host_callable(L, 1);
  int first = table ? 2 : 1;
  host_no_reload(L, call);
  host_no_guard(L, call);
  if (lua_type(L, first) == LUA_TUSERDATA && cproc_is_body(L, first))
    o.body = cproc_body_arg(L, first, call);
  if (!host_callable(L, first))
    return host_raise(L, "usage",
                      "%s: expected a function as argument %d, got %s; pass "
                      "the function itself and its arguments after it: "
                      "md.%s(f, a, b), not md.%s(f(a, b))",
                      call, first, host_describe(L, first), call, call);
  if (!table && !child && !s->host->recording) return spawn_start(L, s, &o, 1);
  if (table) spawn_read(L, s, &o);
  spawn_check_body(L, s, &o);
  spawn_check_bonds(L, s, &o);
  spawn_start(L, s, &o, first);
  md_pid pid = host_pid_bits(lua_touserdata(L, -1));
  uint32_t p = pid & ((1u << MD_INDEX_BITS) - 1);
  if (o.inbox > 0 || o.stream || o.accepts || o.observe || o.ignore)
    spawn_equip(L, s, p, &o);
  lua_settop(L, first);
  if (s->host->recording) host_record_spawn(L, s, p, o.forward);
  return spawn_bond(L, s, p, &o);
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

/* spawn_native([options,] body, ...) -> pid [, ref]
   Makes a process whose body is a function of C, as moondial.h has it: one of
   moondial.ffi that is declared as `md_body`. Options and what follows are as
   for spawn, which takes such a function too; the values after it are the
   body's arguments. From outside it is a process as any other. Raises native
   when the library was not compiled with moondial.h, or for another version of
   it; usage for what is no such function. The topic bodies has a whole one.
     md.spawn_native({ name = "till" }, c.till) */
static int f_spawn_native(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  bool table = lua_istable(L, 1) && !host_callable(L, 1);
  cproc_body_arg(L, table ? 2 : 1, "spawn_native");
  return host_spawn(L, s, "spawn_native", false);
}

void host_open_bodies(lua_State *L) {
  lua_pushcfunction(L, f_spawn_native);
  lua_setfield(L, -2, "spawn_native");
}
