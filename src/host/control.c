/* What one process does to another: exit, kill, interrupt, join; and what it
   becomes itself. */
#include "host/cproc.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/recorder.h"

#include <string.h>

/* -- the end of a process -- */

void host_forget_pending(lua_State *L, host_sim *s, uint32_t p) {
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL) return;
  uint32_t slot = (uint32_t)(extra->words[HOST_PENDING] >> 32);
  host_drop(L, s, slot, slot != 0);
  extra->words[HOST_PENDING] &= UINT32_MAX;
  md_sim_proc(s->kernel, p)->flags &= (uint8_t)~MD_PENDING;
}

/* From now on p only unwinds: pending <close> variables, inner first. Its
   closers may wait, and interrupts that came before must not meet them. */
void host_doom(lua_State *L, host_sim *s, uint32_t p, int reason) {
  if (md_sim_make_extra(s->kernel, p) == NULL) host_no_memory(L);
  uint64_t slot = reason ? host_hold(L, s, reason, 1) : HOST_NORMAL;
  md_proc *proc = md_sim_proc(s->kernel, p);
  if (proc->flags & MD_PENDING) host_forget_pending(L, s, p);
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  extra->words[HOST_REASON] = slot;
  extra->words[HOST_UNWINDING] = HOST_KILLED;
  proc->flags |= MD_DYING;
}

void host_kill(lua_State *L, host_sim *s, uint32_t by, uint32_t p, int reason) {
  md_sim_note(s->kernel, MD_TRACE_KILL, by, p, 0);
  if (s->host->recording) host_record_blow(L, s, by, p, "KILL", reason);
  host_doom(L, s, p, reason);
  host_break(L, s, p, MD_WHY_UNWIND);
}

/* exit([reason])
   Ends the process that calls: its <close> variables are closed, inner first,
   and no pcall catches it. A join then returns nothing; if a reason other than
   "normal" is given, it raises {kind="killed", reason=}. Neither ends the run.
   Raises usage outside of a process.
     md.exit() */
static int f_exit(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_no_guard(L, "exit");
  md_host *h = s->host;
  if (h->process == 0 || h->sim != s)
    return host_raise(L, "usage",
                      "exit ends the process that calls it, and this is none; "
                      "md.stop() ends the run, os.exit() the program");
  if (!(md_sim_proc(s->kernel, h->process)->flags & MD_DYING))
    host_doom(L, s, h->process, lua_isnoneornil(L, 1) ? 0 : 1);
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return lua_error(L);
}

/* kill(pid [, reason]) -> boolean
   Ends a process: in a turn of its own at this time, behind what is due, its
   <close> variables are closed, inner first; no pcall catches it. For send,
   interrupt and kill it is dead at once, for join and ask when that is done.
   Then join raises {kind="killed", reason=}, or returns nothing if the reason
   is "normal". Returns whether it was alive and not killed already. A process
   that kills itself does not come back from the call.
     print(md.kill(pid, "too slow")) */
static int f_kill(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_no_guard(L, "kill");
  md_host *h = s->host;
  uint32_t p = host_pid_arg(L, s, 1, "kill");
  if (h->recording) host_record_reach(L, s, 1, "kill");
  lua_settop(L, 2);
  md_proc *proc = p ? md_sim_proc(s->kernel, p) : NULL;
  lua_pushboolean(L, p != 0 && !(proc->flags & MD_DYING));
  if (!lua_toboolean(L, -1)) return 1;
  uint32_t killer = h->sim == s ? h->process : 0;
  if (p != killer && proc->state == MD_RUNNING)
    return host_raise(L, "usage",
                      "kill: the process is running the sim that this is in; "
                      "md.stop() ends that run");
  if (p != killer) {
    host_kill(L, s, killer, p, 2);
    return 1;
  }
  md_sim_note(s->kernel, MD_TRACE_KILL, p, p, 0);
  host_doom(L, s, p, 2);
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return lua_error(L);
}

/* -- becoming another function -- */

/* become(fn, ...)
   Ends the body of the process that calls, and goes on as fn(...): the same
   pid, inbox, name, links, monitors and children. Its <close> variables are
   closed first, inner first, and its time limits are over; no pcall catches
   it. A process can do so any number of times, and needs no more memory for
   it. join returns what the last body returned. If a kill comes before the
   variables are closed, or closing one fails, the process ends by that. Raises
   usage outside of a process, in one whose body is C, and for what is no
   function.
     md.become(print, "another life") */
static int f_become(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  uint32_t p = h->process;
  if (p == 0 || h->sim != s)
    return host_raise(L, "usage",
                      "become: only a process can go on as another function, "
                      "and this is none; md.spawn(fn, ...) starts one");
  if (cproc_of(s, p) != NULL)
    return host_raise(L, "usage",
                      "become: a C process has no function to change; let its "
                      "body call another");
  if (!host_callable(L, 1))
    return host_raise(L, "usage",
                      "become: expected a function as argument 1, got %s; "
                      "pass the function itself and its arguments after it: "
                      "md.become(f, a, b), not md.become(f(a, b))",
                      host_describe(L, 1));
  if (!(md_sim_proc(s->kernel, p)->flags & MD_DYING)) {
    if (md_sim_make_extra(s->kernel, p) == NULL) host_no_memory(L);
    uint64_t n = (uint64_t)lua_gettop(L), slot = host_hold(L, s, 1, (int)n);
    md_proc_extra *extra = md_sim_extra(s->kernel, p);
    uint64_t before = extra->words[HOST_BECOMES]; /* a closer's has the word */
    host_drop(L, s, (uint32_t)before, (int)(before >> 32));
    extra->words[HOST_BECOMES] = n << 32 | slot;
    extra->words[HOST_UNWINDING] = HOST_BECOMING;
  }
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return lua_error(L);
}

bool host_becomes(lua_State *L, host_sim *s, uint32_t p) {
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->words[HOST_UNWINDING] != HOST_BECOMING ||
      host_kind(L, -1) != HOST_UNWIND)
    return false;
  uint32_t slot = (uint32_t)extra->words[HOST_BECOMES];
  int n = (int)(extra->words[HOST_BECOMES] >> 32);
  extra->words[HOST_BECOMES] = extra->words[HOST_UNWINDING] = 0;
  lua_settop(L, 1);
  host_fetch(L, s, slot, n);
  host_drop(L, s, slot, n);
  md_sim_note(s->kernel, MD_TRACE_TRANSITION, p, 0, 0);
  if (s->host->recording) host_record_values(L, s, p, "TRANSITION", 2, n);
  return true;
}

/* -- interrupts -- */

/* Appends the error on the top to what is raised in p at its next wait. */
static void control_pend(lua_State *L, host_sim *s, uint32_t p) {
  int value = lua_gettop(L);
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  uint32_t slot = (uint32_t)(extra->words[HOST_PENDING] >> 32);
  if (slot == 0) {
    lua_newtable(L);
    slot = host_hold(L, s, value + 1, 1);
    md_sim_extra(s->kernel, p)->words[HOST_PENDING] |= (uint64_t)slot << 32;
  } else {
    host_fetch(L, s, slot, 1);
  }
  lua_pushvalue(L, value);
  lua_rawseti(L, value + 1, (lua_Integer)lua_rawlen(L, value + 1) + 1);
  lua_settop(L, value - 1);
  md_sim_proc(s->kernel, p)->flags |= MD_PENDING;
}

void host_throw(lua_State *L, host_sim *s, uint32_t p) {
  control_pend(L, s, p);
  const md_proc *proc = md_sim_proc(s->kernel, p);
  bool blocked = proc->state != MD_RUNNING && (proc->flags & MD_STARTED);
  bool raising = proc->state == MD_READY &&
                 (proc->why == MD_WHY_INTERRUPT || proc->why == MD_WHY_UNWIND);
  if (blocked && !raising) host_break(L, s, p, MD_WHY_INTERRUPT);
}

void host_forget_throw(lua_State *L, host_sim *s, uint32_t p, int scope) {
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint32_t slot = extra ? (uint32_t)(extra->words[HOST_PENDING] >> 32) : 0;
  if (slot == 0) return;
  host_fetch(L, s, slot, 1);
  int list = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, list), kept = 0;
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    if (lua_rawequal(L, -1, scope)) lua_pop(L, 1);
    else lua_rawseti(L, list, ++kept);
  }
  for (lua_Integer i = kept + 1; i <= n; i++) {
    lua_pushnil(L);
    lua_rawseti(L, list, i);
  }
  lua_settop(L, list - 1);
  if (kept == 0) host_forget_pending(L, s, p);
}

void host_interrupt(lua_State *L, host_sim *s, uint32_t by, uint32_t p,
                    int cause) {
  char label[64];
  int top = lua_gettop(L);
  luaL_checkstack(L, 8, NULL);
  md_sim_note(s->kernel, MD_TRACE_INTERRUPT, by, p, 0);
  if (s->host->recording) host_record_blow(L, s, by, p, "INTERRUPT", cause);
  bool none = lua_isnil(L, cause);
  const char *because = none ? "" : host_describe(L, cause);
  host_error_value(L, cproc_of(s, p) ? L : host_leaf(s, p), "interrupt",
                   "interrupted%s%s", none ? "" : ": ", because);
  lua_pushvalue(L, cause);
  lua_setfield(L, -2, "cause");
  lua_pushstring(L, host_name(s, p, label));
  lua_setfield(L, -2, "process");
  host_throw(L, s, p);
  lua_settop(L, top);
}

/* interrupt(pid [, cause]) -> boolean
   Raises {kind="interrupt", cause=} in the process, in a turn of its own at
   this time, where it blocks; it gives up what it waits for. A message that it
   was handed but has not seen goes back to its inbox. One that has not started
   yet, or has another interrupt to come, gets it at its next blocking call.
   Returns whether it was alive. Raises usage when it is the caller itself.
     md.interrupt(pid, "fire") */
static int f_interrupt(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_no_guard(L, "interrupt");
  md_host *h = s->host;
  uint32_t p = host_pid_arg(L, s, 1, "interrupt");
  uint32_t by = h->sim == s ? h->process : 0;
  lua_settop(L, 2);
  if (h->recording) host_record_reach(L, s, 1, "interrupt");
  if (p != 0 && p == by)
    return host_raise(L, "usage",
                      "interrupt: a process cannot interrupt "
                      "itself; raise an error instead");
  md_proc *proc = p ? md_sim_proc(s->kernel, p) : NULL;
  lua_pushboolean(L, p != 0 && !(proc->flags & MD_DYING));
  if (!lua_toboolean(L, -1)) return 1;
  host_interrupt(L, s, by, p, 2);
  lua_settop(L, 3);
  return 1;
}

/* -- join -- */

static int control_join_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  md_host *h = host_of(L);
  host_woken(L);
  if (md_sim_proc(h->sim->kernel, h->process)->why == MD_WHY_END)
    return host_result(L, h->sim);
  host_timed_out(L, h->sim);
  lua_pushnil(L);
  lua_pushliteral(L, "timeout");
  return 2;
}

/* The pid of the process at index 1 takes the place of a registered name. */
void host_unname(lua_State *L, host_sim *s) {
  if (lua_type(L, 1) != LUA_TSTRING) return;
  host_push(L, s, HOST_NAMES);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  lua_replace(L, 1);
  lua_pop(L, 1);
}

/* join(pid [, timeout]) -> what its function returned
   Waits for the end of a process, or returns nil, "timeout" when so many units
   of time are over first. Raises what ended it: the error's own value, or
   {kind="killed", reason=}. One that has ended is joined at once and anywhere;
   results are kept of the last 2^20 that left one. Raises usage for the caller
   itself and, when it has to wait, where nothing can block.
     print(md.join(md.spawn(function() return 42 end))) */
int host_f_join(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  uint32_t p = host_pid_arg(L, s, 1, "join");
  host_unname(L, s);
  if (h->recording) host_record_reach(L, s, 1, "join");
  if (p == 0) return host_result(L, s);
  if (h->sim == s && p == h->process)
    return host_raise(L, "usage",
                      "join: a process cannot wait for its own "
                      "end; join another one");
  md_time deadline = -1;
  if (!lua_isnoneornil(L, 2))
    deadline = md_sim_now(s->kernel) + host_duration_arg(L, s, 2, "join");
  host_may_block_in(L, s, "join");
  lua_settop(L, 1);
  md_sim_note(s->kernel, MD_TRACE_JOIN, h->process, p, 0);
  md_sim_wait(s->kernel, h->process, MD_WAIT_JOIN, deadline, p);
  return host_block(L, s, 0, control_join_k);
}

void host_open_processes(lua_State *L) {
  static const luaL_Reg functions[] = {{"spawn", host_f_spawn},
                                       {"exit", f_exit},
                                       {"kill", f_kill},
                                       {"interrupt", f_interrupt},
                                       {"join", host_f_join},
                                       {"become", f_become},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
