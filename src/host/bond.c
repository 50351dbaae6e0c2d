/* Links, monitors and exit signals, as Erlang has them: who is told of the end
   of a process, and who ends with it. */
#include "host/bond.h"
#include "host/mailbox.h"
#include "host/message.h"
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

/* -- making -- */

uint32_t bond_make(lua_State *L, host_sim *s, md_bond_kind kind, uint32_t a,
                   uint32_t b) {
  static const md_trace_kind kinds[MD_BOND_KINDS] = {
      [MD_LINK] = MD_TRACE_LINK, [MD_MONITOR] = MD_TRACE_MONITOR};
  uint32_t bond = md_bonds_make(md_sim_bonds(s->kernel), kind, a, b);
  if (bond == 0) host_no_memory(L);
  if (kind == MD_LINK || kind == MD_MONITOR)
    md_sim_note(s->kernel, kinds[kind], b, a, 0);
  return bond;
}

void bond_push_ref(lua_State *L, const host_sim *s, uint32_t bond) {
  md_bond_id id = md_bonds_id(md_sim_bonds(s->kernel), bond);
  lua_pushlightuserdata(L, host_monitor_value(s, id));
}

static md_bond *bond_at(const host_sim *s, uint32_t bond) {
  return &md_sim_bonds(s->kernel)->records[bond];
}

/* -- telling -- */

/* Tells the recorder of ("exit", pid, reason) or ("down", ref, pid, reason),
   which come from the process that has ended. */
static bool bond_record(lua_State *L, host_sim *s, uint32_t to, int first,
                        int n) {
  const void *ended = lua_touserdata(L, first + n - 2);
  md_pid from = host_kind_of(ended) == HOST_PID ? host_pid_bits(ended) : 0;
  return host_record_arrival(L, s, to, from, first, n);
}

/* Sends the top n values, past every bound, to `to` and those to whom it
   forwards. [-n, +0, m] */
static void bond_tell(lua_State *L, host_sim *s, uint32_t to, uint32_t from,
                      int n) {
  int first = lua_gettop(L) - n + 1;
  bool forwards = md_sim_proc(s->kernel, to)->flags & MD_FORWARDS;
  luaL_checkstack(L, n, NULL);
  if (s->host->recording && bond_record(L, s, to, first, n)) {
    lua_settop(L, first - 1);
    return; /* kept back in a replay, which has it already */
  }
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  message_tell(L, s, to, from, first + n, n);
  if (forwards) child_forward(L, s, to, from, first, n);
  lua_settop(L, first - 1);
}

static bool bond_traps(const host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  return extra != NULL && extra->traps;
}

/* Is the reason at that index "normal", by which nobody else ends? */
static bool bond_normal(lua_State *L, int reason) {
  return lua_type(L, reason) == LUA_TSTRING &&
         strcmp(lua_tostring(L, reason), "normal") == 0;
}

/* An exit signal of `by` (0: of the script) reaches p. True when p is the one
   that runs, and is to end by it. [-0, +0, m] */
static bool bond_signal(lua_State *L, host_sim *s, uint32_t by, uint32_t p,
                        int reason) {
  md_sim_note(s->kernel, MD_TRACE_EXIT, by, p, 0);
  if (bond_traps(s, p)) {
    lua_pushliteral(L, "exit");
    if (by != 0) host_push_pid(L, s, by);
    else lua_pushnil(L);
    lua_pushvalue(L, reason);
    bond_tell(L, s, p, by, 3);
    return false;
  }
  const md_proc *proc = md_sim_proc(s->kernel, p);
  if (bond_normal(L, reason) || proc->flags & MD_DYING) return false;
  if (s->host->recording && p != by)
    host_record_blow(L, s, by, p, "KILL", reason);
  host_doom(L, s, p, reason);
  if (p == by) return true;
  host_break(L, s, p, MD_WHY_UNWIND);
  return false;
}

/* -- the end of a process -- */

static uint32_t bond_scope(const host_sim *s, uint32_t p) {
  uint32_t own = md_bonds_first(md_sim_bonds(s->kernel), p, MD_RING_PARENT);
  return own ? (uint32_t)bond_at(s, own)->word : 0;
}

bool bond_caught(host_sim *s, uint32_t p) {
  if (!(md_sim_proc(s->kernel, p)->flags & MD_BONDED)) return false;
  if (bond_scope(s, p) != 0) return true;
  return md_bonds_trapped(md_sim_bonds(s->kernel), p);
}

/* The oldest of p's links and of the monitors on it is no more. */
static void bond_part(lua_State *L, host_sim *s, uint32_t p, uint32_t bond) {
  uint32_t other = md_bond_other(bond_at(s, bond), p);
  bool link = bond_at(s, bond)->kind == MD_LINK;
  bond_push_ref(L, s, bond);
  md_bonds_break(md_sim_bonds(s->kernel), bond);
  if (link) {
    bond_signal(L, s, p, other, 1);
    lua_pop(L, 1);
  } else if (other == p) { /* it watched itself */
    lua_pop(L, 1);
  } else {
    md_sim_note(s->kernel, MD_TRACE_DOWN, p, other, 0);
    lua_pushliteral(L, "down");
    lua_insert(L, -2);
    host_push_pid(L, s, p);
    lua_pushvalue(L, 1);
    bond_tell(L, s, other, p, 4);
  }
}

void bond_over(lua_State *L, host_sim *s, uint32_t p, bool failed, bool erred) {
  md_bonds *bonds = md_sim_bonds(s->kernel);
  uint32_t scope = bond_scope(s, p);
  md_sim_proc(s->kernel, p)->flags |= MD_DYING;
  md_sim_stop(s->kernel, p, failed);
  if (scope != 0) scope_lost(L, s, scope, erred);
  for (uint32_t bond; (bond = md_bonds_oldest(bonds, p)) != 0;)
    bond_part(L, s, p, bond);
  child_orphan(L, s, p); /* what a finalizer has made meanwhile */
  host_flush(L, s, p, true);
  md_sim_release(s->kernel, p);
}

/* -- links -- */

/* The sim of a call that only a process can make: it gets what comes of it. */
static host_sim *bond_caller(lua_State *L, const char *call) {
  host_sim *s = host_sim_arg(L);
  if (s->host->process == 0 || s->host->sim != s)
    host_raise(L, "usage",
               "%s: only a process has links and monitors, and this is none; "
               "call it inside md.spawn(function() ... end)",
               call);
  return s;
}

/* link(pid)
   Links the process that calls with another, in both directions: when one ends,
   an exit signal with the reason reaches the other. Who traps exits gets the
   message ("exit", pid, reason); any other is killed for that reason, unless it
   is "normal". Linking twice, or with itself, does nothing. One that has ended
   sends the reason "noproc" at once if the caller traps exits, and else link
   raises noproc. Raises usage outside of a process.
     md.link(pid) */
static int f_link(lua_State *L) {
  host_sim *s = bond_caller(L, "link");
  uint32_t own = s->host->process, p = host_pid_arg(L, s, 1, "link");
  if (s->host->recording) host_record_reach(L, s, 1, "link");
  if (p == own) return 0;
  if (p != 0) {
    if (!md_bonds_linked(md_sim_bonds(s->kernel), own, p))
      bond_make(L, s, MD_LINK, p, own);
    return 0;
  }
  if (!bond_traps(s, own))
    return host_raise(L, "noproc",
                      "link: the process has ended, so nothing can be linked "
                      "with it; after md.trap_exit(true) that is a message, "
                      "(\"exit\", pid, \"noproc\")");
  host_unname(L, s);
  lua_settop(L, 1);
  lua_pushliteral(L, "exit");
  lua_insert(L, 1);
  lua_pushliteral(L, "noproc");
  bond_tell(L, s, own, 0, 3);
  return 0;
}

/* unlink(pid)
   Undoes a link, in both directions: from now on the end of one means nothing
   to the other. A message that is in the inbox already stays there. Without a
   link it does nothing. Raises usage outside of a process.
     md.unlink(pid) */
static int f_unlink(lua_State *L) {
  host_sim *s = bond_caller(L, "unlink");
  uint32_t own = s->host->process, p = host_pid_arg(L, s, 1, "unlink");
  uint32_t bond = p ? md_bonds_linked(md_sim_bonds(s->kernel), own, p) : 0;
  if (bond == 0) return 0;
  md_bonds_break(md_sim_bonds(s->kernel), bond);
  md_sim_note(s->kernel, MD_TRACE_UNLINK, own, p, 0);
  return 0;
}

/* trap_exit(boolean) -> boolean
   Whether exit signals come to the process that calls as messages ("exit", pid,
   reason), "normal" ones too, and do not end it. A new process does not trap
   them. A kill cannot be trapped. An error is not uncaught when its signal
   reaches a process that traps it, over links of some that do not, too. Returns
   what held before. Raises usage outside of a process.
     md.trap_exit(true) */
static int f_trap_exit(lua_State *L) {
  host_sim *s = bond_caller(L, "trap_exit");
  if (!lua_isboolean(L, 1))
    return host_raise(L, "usage",
                      "trap_exit: expected true or false as argument 1, got "
                      "%s",
                      host_describe(L, 1));
  md_proc_extra *extra = md_sim_make_extra(s->kernel, s->host->process);
  if (extra == NULL) host_no_memory(L);
  bool before = extra->traps;
  extra->traps = lua_toboolean(L, 1);
  lua_pushboolean(L, before);
  return 1;
}

/* shutdown(pid [, reason]) -> boolean
   Sends an exit signal to a process, as if one ended that is linked with it:
   who traps exits gets the message ("exit", self() or nil, reason), any other
   is killed for that reason, which is "shutdown" unless another is given; by
   "normal" nobody is killed. Returns whether it was alive and not killed
   already. A process that ends itself so does not come back from the call.
     md.shutdown(pid) */
static int f_shutdown(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  uint32_t p = host_pid_arg(L, s, 1, "shutdown");
  if (h->recording) host_record_reach(L, s, 1, "shutdown");
  uint32_t by = h->sim == s ? h->process : 0;
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "shutdown");
    lua_replace(L, 2);
  }
  lua_pushboolean(L, p != 0 && !(md_sim_proc(s->kernel, p)->flags & MD_DYING));
  if (!lua_toboolean(L, 3)) return 1;
  if (p != by && md_sim_proc(s->kernel, p)->state == MD_RUNNING)
    return host_raise(L, "usage",
                      "shutdown: the process is running the sim that this is "
                      "in; md.stop() ends that run");
  if (!bond_signal(L, s, by, p, 2)) return 1;
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return lua_error(L);
}

/* -- monitors -- */

/* monitor(pid) -> ref
   Watches a process: when it ends, the one that calls gets the message ("down",
   ref, pid, reason), once for each call; the reason is "noproc", and the
   message there at once, if it has ended already. It goes past a full inbox.
   Reasons: "normal" for a return or exit(), the error's own value, what exit or
   kill was given, and "killed" for a kill without a reason. Raises usage
   outside of a process.
     local ref = md.monitor(pid) */
static int f_monitor(lua_State *L) {
  host_sim *s = bond_caller(L, "monitor");
  uint32_t own = s->host->process, p = host_pid_arg(L, s, 1, "monitor");
  if (s->host->recording) host_record_reach(L, s, 1, "monitor");
  host_unname(L, s);
  lua_settop(L, 1);
  /* one that has ended gives a ref nevertheless: of a bond that is no more */
  uint32_t bond = bond_make(L, s, MD_MONITOR, p ? p : own, own);
  bond_push_ref(L, s, bond);
  if (p != 0) return 1;
  md_bonds_break(md_sim_bonds(s->kernel), bond);
  lua_pushliteral(L, "down");
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 1);
  lua_pushliteral(L, "noproc");
  bond_tell(L, s, own, 0, 4);
  return 1;
}

/* Takes the message of a monitor that is over, whose ref is at index 1, out of
   p's inbox. */
static void bond_flush(lua_State *L, host_sim *s, uint32_t p) {
  md_mails *mails = md_sim_mails(s->kernel);
  lua_pushliteral(L, "down");
  uint64_t tag = host_tag(L, -1);
  for (uint32_t e = 0; (e = md_mails_find(mails, p, tag, e)) != 0;) {
    md_mail mail = mails->envelopes[e].mail;
    if (mail.count != 4) continue;
    int top = lua_gettop(L);
    host_fetch(L, s, mail.slot, 4);
    bool found = lua_rawequal(L, top + 2, 1);
    lua_settop(L, top);
    if (!found) continue;
    md_sim_drop(s->kernel, p, e);
    host_drop(L, s, mail.slot, 4);
    md_sim_note_pids(s->kernel, MD_TRACE_DROP, mail.from,
                     md_sim_pid(s->kernel, p), 0);
    return;
  }
}

/* demonitor(ref [, "flush"])
   Ends a monitor of the process that calls; with "flush" its message is taken
   out of the inbox, too, if it has come already. A ref of another process's, or
   of no monitor, does nothing. Raises usage for what is no ref, another option,
   and outside of a process.
     md.demonitor(md.monitor(pid), "flush") */
static int f_demonitor(lua_State *L) {
  host_sim *s = bond_caller(L, "demonitor");
  uint32_t own = s->host->process;
  if (host_kind(L, 1) != HOST_REF)
    return host_raise(L, "usage",
                      "demonitor: expected a ref as argument 1, got %s; "
                      "md.monitor returns one",
                      host_describe(L, 1));
  bool flush = !lua_isnoneornil(L, 2);
  if (flush && (lua_type(L, 2) != LUA_TSTRING ||
                strcmp(lua_tostring(L, 2), "flush") != 0))
    return host_raise(L, "usage",
                      "demonitor: expected \"flush\" or nothing as argument 2, "
                      "got %s",
                      host_describe(L, 2));
  uint64_t id = host_monitor_id(s, lua_touserdata(L, 1));
  uint32_t bond = md_bonds_find(md_sim_bonds(s->kernel), id);
  if (bond == 0) {
    if (flush && id != 0) bond_flush(L, s, own);
  } else if (bond_at(s, bond)->kind == MD_MONITOR &&
             bond_at(s, bond)->process[1] == own) {
    md_bonds_break(md_sim_bonds(s->kernel), bond);
  }
  return 0;
}

void host_open_bonds(lua_State *L) {
  static const luaL_Reg functions[] = {{"link", f_link},
                                       {"unlink", f_unlink},
                                       {"monitor", f_monitor},
                                       {"demonitor", f_demonitor},
                                       {"trap_exit", f_trap_exit},
                                       {"shutdown", f_shutdown},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
