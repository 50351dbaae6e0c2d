/* What the library's Lua modules need and models do not: the module
   moondial.inside. And the recorder: a function of the library that is told
   what the processes of a template's instances do, see family.lua. */
#include "host/inside.h"
#include "host/bond.h"
#include "host/message.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/reload.h"

static const char inside_recorder; /* its address is the recorder's key */

/* -- recording -- */

bool host_recorded(const host_sim *s, uint32_t p) {
  if (p == 0) return false;
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  return extra != NULL && extra->words[HOST_RECORDED] != 0;
}

/* The recorder's answer is left on the top. */
static void inside_tell(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                        int n) {
  int base = lua_gettop(L) - n;
  luaL_checkstack(L, 4, "too many values");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &inside_recorder);
  host_push_pid(L, s, p);
  lua_pushstring(L, kind);
  lua_rotate(L, base + 1, 3);
  lua_call(L, n + 2, 1);
}

bool host_record(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                 int n) {
  inside_tell(L, s, p, kind, n);
  bool yes = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return yes;
}

void host_record_values(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                        int first, int n) {
  if (!host_recorded(s, p)) return;
  luaL_checkstack(L, n + 4, "too many values");
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  host_record(L, s, p, kind, n);
}

void host_record_start(lua_State *L, host_sim *s, uint32_t p) {
  int n = lua_gettop(L) - 1; /* the handler is at 1, the function at 2 */
  if (!host_recorded(s, p)) return;
  luaL_checkstack(L, n + 4, "too many values");
  for (int i = 2; i <= n + 1; i++) lua_pushvalue(L, i);
  inside_tell(L, s, p, "START", n);
  if (lua_isfunction(L, -1)) lua_replace(L, 2);
  else lua_pop(L, 1);
}

void host_record_spawn(lua_State *L, host_sim *s, uint32_t p, uint32_t child) {
  if (!host_recorded(s, p)) return;
  md_proc_extra *extra = md_sim_make_extra(s->kernel, child);
  if (extra == NULL) host_no_memory(L);
  extra->words[HOST_RECORDED] = 1;
  host_push_pid(L, s, child);
  host_record(L, s, p, "SPAWN", 1);
}

bool host_record_send(lua_State *L, host_sim *s, uint32_t p, int to, md_time at,
                      int first, int n) {
  if (!host_recorded(s, p)) return false;
  luaL_checkstack(L, n + 6, "too many values");
  lua_pushvalue(L, to);
  if (at >= 0) host_push_time(L, s, at);
  else lua_pushnil(L);
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  return host_record(L, s, p, "SEND", n + 2);
}

/* -- messages -- */

void message_tell_arrival(lua_State *L, host_sim *s, uint32_t to, md_pid from,
                          int first, int n) {
  if (!host_recorded(s, to)) return;
  luaL_checkstack(L, n + 5, "a message has too many values");
  if (from) host_push_name(L, s, from);
  else lua_pushnil(L);
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  host_record(L, s, to, "ARRIVE", n + 1);
}

bool message_tell_send(lua_State *L, host_sim *s, uint32_t to, md_time at,
                       int first, int n) {
  uint32_t from = message_sender(s);
  int top = lua_gettop(L);
  if (to) host_push_pid(L, s, to);
  else lua_pushvalue(L, 1);
  bool kept = host_record_send(L, s, from, top + 1, at, first, n);
  lua_settop(L, top);
  if (!kept && at < 0)
    message_tell_arrival(L, s, to, from ? md_sim_pid(s->kernel, from) : 0,
                         first, n);
  return kept;
}

/* -- the module -- */

static host_sim *inside_sim(lua_State *L) {
  host_sim **box = luaL_checkudata(L, 1, "md.sim");
  return *box;
}

static uint32_t inside_process_arg(lua_State *L, host_sim *s) {
  return host_pid_index(s, lua_touserdata(L, 2));
}

/* process() -> pid or nil: the process that runs. */
static int inside_process(lua_State *L) {
  md_host *h = host_of(L);
  if (h->sim != NULL && h->process != 0) host_push_pid(L, h->sim, h->process);
  else lua_pushnil(L);
  return 1;
}

/* used(): the process that runs has used a result from outside. */
static int inside_used(lua_State *L) {
  md_host *h = host_of(L);
  if (h->sim != NULL)
    md_sim_note(h->sim->kernel, MD_TRACE_USE, h->process, 0, 0);
  return 0;
}

/* recorder(fn): fn(pid, kind, ...) is told from now on. */
static int inside_set_recorder(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &inside_recorder);
  return 0;
}

/* record(sim, pid): the recorder is told of the process, and of those that it
   spawns. */
static int inside_record(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_host *h = s->host;
  md_proc_extra *extra = md_sim_make_extra(s->kernel, inside_process_arg(L, s));
  if (extra == NULL) host_no_memory(L);
  extra->words[HOST_RECORDED] = 1;
  if (!h->recording) h->careful++;
  h->recording = true;
  return 0;
}

/* at(sim, time, fn): a callback before everything else that is due then. */
static int inside_at(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_time at = host_time_arg(L, s, 2, "replay");
  uint32_t slot = host_hold(L, s, 3, 1);
  uint64_t words[3] = {1ull << 32 | slot, 0, 0};
  if (md_sim_at(s->kernel, at, HOST_CALLBACK, words, INT64_MIN) == 0)
    host_no_memory(L);
  return 0;
}

/* room(sim, pid) -> boolean: it takes a message at once. */
static int inside_room(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  lua_pushboolean(L, p == 0 || md_sim_room(s->kernel, p));
  return 1;
}

/* ended(sim, pid) -> boolean */
static int inside_ended(lua_State *L) {
  host_sim *s = inside_sim(L);
  lua_pushboolean(L, inside_process_arg(L, s) == 0);
  return 1;
}

/* protocol(value) -> boolean: it is one. */
static int inside_protocol(lua_State *L) {
  lua_pushboolean(L, host_protocol(L, 1));
  return 1;
}

/* conforms(protocol, who, call, ...): raises when the protocol does not have
   such a message. */
static int inside_conforms(lua_State *L) {
  if (host_of(L)->options.unchecked) return 0;
  host_check_rules(L, 1, lua_tostring(L, 2), lua_tostring(L, 3), 4,
                   lua_gettop(L) - 3);
  return 0;
}

/* describe(value) -> string: as errors show it. */
static int inside_describe(lua_State *L) {
  luaL_checkany(L, 1);
  host_describe(L, 1);
  return 1;
}

/* nearest(name, list of names) -> string: the most like it. */
static int inside_nearest(lua_State *L) {
  enum { MOST = 64 };
  const char *known[MOST + 1];
  int n = (int)lua_rawlen(L, 2);
  if (n > MOST) n = MOST;
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 2, i + 1);
    known[i] = lua_tostring(L, -1); /* the list has it */
    lua_pop(L, 1);
  }
  known[n] = NULL;
  lua_pushstring(L, host_nearest(luaL_checkstring(L, 1), known));
  return 1;
}

/* label(pid) -> string: what a process of the current sim is called. */
static int inside_label(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  char label[64];
  lua_pushstring(L, host_label(s, host_pid_arg(L, s, 1, "label"), label));
  return 1;
}

/* note(text): a line on stderr for who looks on, unless --quiet. */
static int inside_note(lua_State *L) {
  if (!host_of(L)->options.quiet) {
    fflush(stdout);
    fprintf(stderr, "moondial: %s\n", lua_tostring(L, 1));
  }
  return 0;
}

/* ticks(d) -> integer: a duration of the current sim in ticks, the most there
   can be if it is too long; without one, the time. */
static int inside_ticks(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time ticks = md_sim_now(s->kernel);
  if (!lua_isnone(L, 1) &&
      !md_time_read(md_sim_scale(s->kernel), luaL_checknumber(L, 1), &ticks))
    ticks = INT64_MAX;
  lua_pushinteger(L, ticks);
  return 1;
}

/* forget(pid): nobody will ask what has become of an ended process. */
static int inside_forget(lua_State *L) {
  host_forget_result(L, host_sim_arg(L));
  return 0;
}

int host_open_inside(lua_State *L) {
  static const luaL_Reg functions[] = {{"process", inside_process},
                                       {"used", inside_used},
                                       {"recorder", inside_set_recorder},
                                       {"record", inside_record},
                                       {"at", inside_at},
                                       {"room", inside_room},
                                       {"ended", inside_ended},
                                       {"protocol", inside_protocol},
                                       {"conforms", inside_conforms},
                                       {"describe", inside_describe},
                                       {"nearest", inside_nearest},
                                       {"label", inside_label},
                                       {"note", inside_note},
                                       {"forget", inside_forget},
                                       {"ticks", inside_ticks},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  scope_open(L);
  lua_setfield(L, -2, "scope");
  reload_open(L);
  lua_setfield(L, -2, "reload");
  return 1;
}
