/* What the library's Lua modules need and models do not: the module
   moondial.inside. */
#include "host/cproc.h"
#include "host/inside.h"
#include "host/adder.h"
#include "host/bond.h"
#include "host/outside.h"
#include "host/loop.h"
#include "host/message.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/place.h"
#include "host/reload.h"

host_sim *inside_sim(lua_State *L) {
  host_sim **box = luaL_checkudata(L, 1, "md.sim");
  return *box;
}

uint32_t inside_process_arg(lua_State *L, host_sim *s) {
  return host_pid_index(s, lua_touserdata(L, 2));
}

/* process() -> pid or nil: the process that runs. */
static int inside_process(lua_State *L) {
  md_host *h = host_of(L);
  if (h->sim != NULL && h->process != 0) host_push_pid(L, h->sim, h->process);
  else lua_pushnil(L);
  return 1;
}

/* interrupted(): raises the interrupt that the process that runs would meet
   when it blocked, if there is one. */
static int inside_interrupted(lua_State *L) {
  md_host *h = host_of(L);
  uint32_t p = h->sim != NULL ? h->process : 0;
  if (p != 0 && md_sim_proc(h->sim->kernel, p)->flags & MD_PENDING)
    host_raise_pending(L, h->sim, p);
  return 0;
}

/* used(): the process that runs has used a result from outside. */
static int inside_used(lua_State *L) {
  md_host *h = host_of(L);
  if (h->sim != NULL)
    md_sim_note(h->sim->kernel, MD_TRACE_USE, h->process, 0, 0);
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

/* running(sim) -> boolean: it runs, so that nobody can run it. */
static int inside_running(lua_State *L) {
  lua_pushboolean(L, inside_sim(L)->running);
  return 1;
}

/* deliver(sim, pid, ...): a message of nobody's, which never waits; nothing if
   the process has ended. */
static int inside_deliver(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s), envelope;
  int n = lua_gettop(L) - 2;
  if (p == 0) return 0;
  if (message_send(L, s, p, 0, 3, n, host_digest(L, 3, n), &envelope) ==
      MESSAGE_OVER)
    md_sim_note(s->kernel, MD_TRACE_DROP, 0, p, 0);
  return 0;
}

/* sign(sim, pid, ...): a message to the process alone, whether there is room
   for it or not, and to none of those to whom it forwards. */
static int inside_sign(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  if (p != 0) message_tell(L, s, p, 0, 3, lua_gettop(L) - 2);
  return 0;
}

/* take(sim, pid, fn): takes the first message out of the inbox for whose values
   fn returns true. */
static int inside_take(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  if (p != 0) message_take(L, s, p, 3);
  return 0;
}

/* Does p wait for the reply to a question that was not asked, as in a replay?
 */
static bool inside_asks(const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  return p != 0 && proc->state == MD_WAITING && proc->wait == MD_WAIT_REPLY &&
         proc->target == p;
}

/* wake(sim, pid): whom the process has asked has ended. */
static int inside_wake(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  if (inside_asks(s, p)) md_sim_wake(s->kernel, p, MD_WHY_END);
  return 0;
}

/* heed(sim, pid, other): the process has asked the other, which was not told;
   from now on it notices when that ends, or that it has ended. */
static int inside_heed(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  uint32_t other = host_pid_index(s, lua_touserdata(L, 3));
  bool asks = inside_asks(s, p);
  if (asks && other != 0) md_sim_watch(s->kernel, p, other);
  else if (asks) md_sim_wake(s->kernel, p, MD_WHY_END);
  return 0;
}

/* own(sim, value) -> boolean: a pid or ref that was made in this sim. */
static int inside_own(lua_State *L) {
  const host_sim *s = inside_sim(L);
  uint64_t bits = host_bits(lua_touserdata(L, 2));
  lua_pushboolean(L, bits >> 52 == (s->id & 0xff));
  return 1;
}

/* nobody(sim, n) -> pid: one that no process has ever had, for each n. */
static int inside_nobody(lua_State *L) {
  const host_sim *s = inside_sim(L);
  uint64_t n = (uint64_t)luaL_checkinteger(L, 2);
  n &= (1u << MD_GENERATION_BITS) - 1;
  lua_pushlightuserdata(L, host_pid_light(s, n << MD_INDEX_BITS));
  return 1;
}

/* typed(value) -> boolean: a record of a message type. */
static int inside_typed(lua_State *L) {
  lua_pushboolean(L, host_typed(L, 1) == HOST_RECORD);
  return 1;
}

/* capacity(sim, pid) -> integer or nil: what its inbox holds. */
static int inside_capacity(lua_State *L) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  if (p == 0 || !(md_sim_proc(s->kernel, p)->flags & MD_BOUNDED)) return 0;
  lua_pushinteger(L, md_sim_extra(s->kernel, p)->capacity);
  return 1;
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

/* body(value) -> boolean: a process can be started with it. */
static int inside_body(lua_State *L) {
  lua_pushboolean(L, lua_isfunction(L, 1) || cproc_is_body(L, 1));
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

enum { INSIDE_NAMES = 64 };

static void inside_names(lua_State *L, const char *known[INSIDE_NAMES + 1]) {
  int n = (int)lua_rawlen(L, 2);
  if (n > INSIDE_NAMES) n = INSIDE_NAMES;
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, 2, i + 1);
    known[i] = lua_tostring(L, -1); /* the list has it */
    lua_pop(L, 1);
  }
  known[n] = NULL;
}

/* nearest(name, list of names) -> string or nil: the most like it. */
static int inside_nearest(lua_State *L) {
  const char *known[INSIDE_NAMES + 1], *name = luaL_checkstring(L, 1);
  inside_names(L, known);
  const char *near = host_nearest(name, known);
  if (near == NULL || host_unlike(name, near)) lua_pushnil(L);
  else lua_pushstring(L, near);
  return 1;
}

/* suggest(name, list of names) -> string: "did you mean 'x'?", or all. */
static int inside_suggest(lua_State *L) {
  const char *known[INSIDE_NAMES + 1];
  inside_names(L, known);
  host_suggest(L, luaL_checkstring(L, 1), known);
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

/* things(sim) -> table: those that are there, by their number. */
static int inside_things(lua_State *L) {
  host_sim *s = inside_sim(L);
  lua_settop(L, 1);
  lua_newtable(L);
  host_push(L, s, HOST_THINGS);
  lua_pushnil(L);
  while (lua_next(L, 3) != 0) {
    const thing *t = lua_touserdata(L, -1);
    lua_rawseti(L, 2, t->number);
  }
  lua_settop(L, 2);
  return 1;
}

/* outcome(sim) -> string or nil: how its last run ended. */
static int inside_outcome(lua_State *L) {
  const host_sim *s = inside_sim(L);
  lua_pushstring(L, s->failed ? "failed" : s->outcome);
  return 1;
}

/* forget(pid): nobody will ask what has become of an ended process. */
static int inside_forget(lua_State *L) {
  host_forget_result(L, host_sim_arg(L));
  return 0;
}

/* left(sim, pid, ok, ...): what a process that has ended is said to have
   returned or, if not ok, raised. */
static int inside_left(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_pid pid = host_pid_bits(lua_touserdata(L, 2));
  bool ok = lua_toboolean(L, 3);
  host_leave_result(L, s, pid, ok, lua_gettop(L) - 3);
  return 0;
}

int host_open_inside(lua_State *L) {
  static const luaL_Reg functions[] = {{"process", inside_process},
                                       {"things", inside_things},
                                       {"outcome", inside_outcome},
                                       {"unfinished", inside_unfinished},
                                       {"inboxes", inside_inboxes},
                                       {"ended_inboxes", inside_ended_inboxes},
                                       {"reset_inboxes", inside_reset_inboxes},
                                       {"recorder", inside_recorder},
                                       {"record", inside_record},
                                       {"turns", inside_turns},
                                       {"since", inside_since},
                                       {"timed", inside_timed},
                                       {"last", inside_last},
                                       {"hasten", inside_hasten},
                                       {"keep", inside_keep},
                                       {"log", inside_log},
                                       {"loud", inside_loud},
                                       {"uses", inside_uses},
                                       {"stands", inside_stands},
                                       {"at", inside_at},
                                       {"running", inside_running},
                                       {"deliver", inside_deliver},
                                       {"sign", inside_sign},
                                       {"take", inside_take},
                                       {"wake", inside_wake},
                                       {"heed", inside_heed},
                                       {"own", inside_own},
                                       {"nobody", inside_nobody},
                                       {"typed", inside_typed},
                                       {"capacity", inside_capacity},
                                       {"room", inside_room},
                                       {"ended", inside_ended},
                                       {"protocol", inside_protocol},
                                       {"body", inside_body},
                                       {"conforms", inside_conforms},
                                       {"describe", inside_describe},
                                       {"nearest", inside_nearest},
                                       {"suggest", inside_suggest},
                                       {"label", inside_label},
                                       {"note", inside_note},
                                       {"forget", inside_forget},
                                       {"left", inside_left},
                                       {"used", inside_used},
                                       {"interrupted", inside_interrupted},
                                       {"ticks", inside_ticks},
                                       {"external", host_f_external},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  adder_open(L);
  inside_open_recorder(L);
  scope_open(L);
  lua_setfield(L, -2, "scope");
  reload_open(L);
  lua_setfield(L, -2, "reload");
  return 1;
}
