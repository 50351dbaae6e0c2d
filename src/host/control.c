/* What one process does to another: exit, kill, interrupt, join; and what can
   be asked about one. */
#include "host/host.h"

#include <string.h>

/* -- the end of a process -- */

/* From now on p only unwinds: pending <close> variables, inner first. Its
   closers may wait, and interrupts that came before must not meet them. */
static void control_doom(lua_State *L, host_sim *s, uint32_t p, int reason) {
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  uint32_t slot = host_hold(L, s, reason, 1);
  uint32_t interrupts = (uint32_t)(extra->words[HOST_PENDING] >> 32);
  host_drop(L, s, interrupts, interrupts != 0);
  extra->words[HOST_PENDING] &= UINT32_MAX;
  md_sim_proc(s->kernel, p)->flags &= (uint8_t)~MD_PENDING;
  extra->words[HOST_REASON] = slot;
  extra->words[HOST_UNWINDING] = HOST_KILLED;
  md_sim_proc(s->kernel, p)->flags |= MD_DYING;
}

/* exit([reason])
   Ends the process that calls: its <close> variables are closed, inner first,
   and no pcall catches it. A join then returns nothing; if a reason other than
   "normal" is given, it raises {kind="killed", reason=}. Neither ends the run.
   Raises usage outside of a process.
     md.exit() */
static int f_exit(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  if (h->process == 0 || h->sim != s)
    return host_raise(L, "usage",
                      "exit ends the process that calls it, and this is none; "
                      "md.stop() ends the run, os.exit() the program");
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "normal");
    lua_replace(L, 1);
  }
  if (!(md_sim_proc(s->kernel, h->process)->flags & MD_DYING))
    control_doom(L, s, h->process, 1);
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
  md_host *h = s->host;
  uint32_t p = host_pid_arg(L, s, 1, "kill");
  lua_settop(L, 2);
  md_proc *proc = p ? md_sim_proc(s->kernel, p) : NULL;
  lua_pushboolean(L, p != 0 && !(proc->flags & MD_DYING));
  if (!lua_toboolean(L, -1)) return 1;
  uint32_t killer = h->sim == s ? h->process : 0;
  if (p != killer && proc->state == MD_RUNNING)
    return host_raise(L, "usage",
                      "kill: the process is running the sim that this is in; "
                      "md.stop() ends that run");
  md_sim_note(s->kernel, MD_TRACE_KILL, killer, p, 0);
  control_doom(L, s, p, 2);
  if (p == killer) {
    lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
    return lua_error(L);
  }
  host_break(L, s, p, MD_WHY_UNWIND);
  return 1;
}

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

/* interrupt(pid [, cause]) -> boolean
   Raises {kind="interrupt", cause=} in the process, in a turn of its own at
   this time, where it blocks; it gives up what it waits for. A message that it
   was handed but has not seen goes back to its inbox. One that has not started
   yet, or has another interrupt to come, gets it at its next blocking call.
   Returns whether it was alive. Raises usage when it is the caller itself.
     md.interrupt(pid, "fire") */
static int f_interrupt(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  char label[64];
  uint32_t p = host_pid_arg(L, s, 1, "interrupt");
  uint32_t by = h->sim == s ? h->process : 0;
  lua_settop(L, 2);
  if (p != 0 && p == by)
    return host_raise(L, "usage",
                      "interrupt: a process cannot interrupt "
                      "itself; raise an error instead");
  md_proc *proc = p ? md_sim_proc(s->kernel, p) : NULL;
  lua_pushboolean(L, p != 0 && !(proc->flags & MD_DYING));
  if (!lua_toboolean(L, -1)) return 1;
  md_sim_note(s->kernel, MD_TRACE_INTERRUPT, by, p, 0);
  const char *because = host_describe(L, 2);
  host_error_value(L, host_leaf(s, p), "interrupt", "interrupted%s%s",
                   lua_isnil(L, 2) ? "" : ": ", lua_isnil(L, 2) ? "" : because);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "cause");
  lua_pushstring(L, host_name(s, p, label));
  lua_setfield(L, -2, "process");
  control_pend(L, s, p);
  bool blocked = proc->state != MD_RUNNING && (proc->flags & MD_STARTED);
  bool raising = proc->state == MD_READY &&
                 (proc->why == MD_WHY_INTERRUPT || proc->why == MD_WHY_UNWIND);
  if (blocked && !raising) host_break(L, s, p, MD_WHY_INTERRUPT);
  lua_settop(L, 3);
  return 1;
}

/* -- join -- */

/* Returns, or raises, what the ended process at index 1 has left. */
static int control_result(lua_State *L, host_sim *s) {
  host_push(L, s, HOST_RESULTS);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  if (lua_isnil(L, -1)) return 0; /* it returned nothing */
  int result = lua_gettop(L);
  lua_rawgeti(L, result, 1);
  bool ok = lua_toboolean(L, -1);
  lua_getfield(L, result, "n");
  int n = (int)lua_tointeger(L, -1);
  lua_settop(L, result);
  luaL_checkstack(L, n + 1, "too many results to join");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, result, i + 1);
  return ok ? n : lua_error(L);
}

static int control_join_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  md_host *h = host_of(L);
  host_woken(L);
  if (md_sim_proc(h->sim->kernel, h->process)->why == MD_WHY_END)
    return control_result(L, h->sim);
  md_sim_note(h->sim->kernel, MD_TRACE_TIMEOUT, h->process, 0, 0);
  lua_pushnil(L);
  lua_pushliteral(L, "timeout");
  return 2;
}

/* The pid of the process at index 1 takes the place of a registered name. */
static void control_unname(lua_State *L, host_sim *s) {
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
static int f_join(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  uint32_t p = host_pid_arg(L, s, 1, "join");
  control_unname(L, s);
  if (p == 0) return control_result(L, s);
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

/* -- asking -- */

/* self() = this() -> pid
   The pid of the process that calls: a value to compare, to send and to use as
   a key. Raises usage outside of a process.
     print(md.self()) */
static int f_self(lua_State *L) {
  md_host *h = host_of(L);
  if (h->sim == NULL || h->process == 0)
    return host_raise(L, "usage",
                      "self: this is no process, so it has no pid; call it "
                      "inside md.spawn(function() ... end)");
  host_push_pid(L, h->sim, h->process);
  return 1;
}

static const char *control_status(host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  if (proc->flags & MD_DYING) return "failed";
  switch ((md_state)proc->state) {
  case MD_RUNNING:
    return "running";
  case MD_READY:
    return "ready";
  case MD_SLEEPING:
    return "sleeping";
  case MD_WAITING:
    return "waiting";
  case MD_FREE:
    break;
  }
  return "done";
}

static void control_push_status(lua_State *L, host_sim *s, uint32_t p) {
  if (p != 0) {
    lua_pushstring(L, control_status(s, p));
    return;
  }
  host_push(L, s, HOST_RESULTS);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  bool failed = false;
  if (lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    failed = !lua_toboolean(L, -1);
  }
  lua_pushstring(L, failed ? "failed" : "done");
}

/* status(pid) -> string
   "running"; "ready" (it has a turn at this time); "sleeping" (it goes on, or
   starts, at a later time); "waiting" (for a message, a reply, an end, room);
   "done" (it has returned or exited); "failed" (an error or a kill has ended
   it, or is about to).
     print(md.status(pid)) */
static int f_status(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  uint32_t p = host_pid_arg(L, s, 1, "status");
  control_unname(L, s);
  control_push_status(L, s, p);
  return 1;
}

static void control_add(luaL_Buffer *b, lua_State *L, int i) {
  (void)L;
  lua_pushvalue(L, i);
  luaL_addvalue(b);
}

/* The patterns that the coroutine waits with: its call's arguments. */
static void control_patterns(lua_State *L, lua_State *leaf) {
  int n = lua_gettop(leaf);
  luaL_Buffer b;
  int base = lua_gettop(L);
  for (int i = 1; i <= n && i <= 8; i++) {
    luaL_checkstack(L, 8, NULL);
    lua_pushvalue(leaf, i);
    lua_xmove(leaf, L, 1);
    if (lua_type(L, -1) == LUA_TUSERDATA)
      lua_pushliteral(L, "one of its clauses");
    else host_describe(L, -1);
    lua_replace(L, -2);
  }
  int shown = lua_gettop(L) - base;
  if (shown == 0) {
    lua_pushliteral(L, "any message");
    return;
  }
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "a message that begins with ");
  for (int i = 1; i <= shown; i++) {
    if (i > 1) luaL_addstring(&b, ", ");
    control_add(&b, L, base + i);
  }
  luaL_pushresult(&b);
  lua_replace(L, base + 1);
  lua_settop(L, base + 1);
}

void host_waiting(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  const md_mails *mails = md_sim_mails(s->kernel);
  char label[64];
  if (proc->state != MD_WAITING) {
    lua_pushliteral(L, "its turn");
    return;
  }
  switch ((md_wait)proc->wait) {
  case MD_WAIT_JOIN:
    lua_pushfstring(L, "the end of %s", host_label(s, proc->target, label));
    break;
  case MD_WAIT_REPLY:
    lua_pushfstring(L, "a reply from %s", host_label(s, proc->target, label));
    break;
  case MD_WAIT_ROOM:
    lua_pushfstring(
        L, "room in the inbox of %s",
        host_label(s, mails->envelopes[proc->target].mail.to, label));
    break;
  default:
    control_patterns(L, host_leaf(s, p));
  }
}

/* Pushes "file:line" of where p stands. */
static void control_place(lua_State *L, host_sim *s, uint32_t p) {
  char where[LUA_IDSIZE + 24];
  host_where(host_leaf(s, p), where, sizeof where);
  size_t n = strlen(where);
  if (n > 2) where[n - 2] = '\0';
  lua_pushstring(L, where);
}

static void control_children(lua_State *L, host_sim *s, uint32_t parent) {
  md_pid pid = md_sim_pid(s->kernel, parent);
  int n = 0;
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    if (md_sim_cold(s->kernel, p)->parent != pid) continue;
    host_push_pid(L, s, p);
    lua_rawseti(L, -2, ++n);
  }
}

static void control_describe(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  md_pid parent = md_sim_cold(s->kernel, p)->parent;
  int t = lua_gettop(L);
  if (extra != NULL && extra->name != NULL) {
    lua_pushlstring(L, extra->name, extra->name_length);
    lua_setfield(L, t, "name");
  }
  if (proc->state == MD_WAITING) {
    host_waiting(L, s, p);
    lua_setfield(L, t, "waiting");
  }
  control_place(L, s, p);
  lua_setfield(L, t, "where");
  lua_pushinteger(L, proc->inbox_count);
  lua_setfield(L, t, "inbox");
  lua_pushinteger(L, (lua_Integer)md_sim_priority(s->kernel, p));
  lua_setfield(L, t, "priority");
  if (md_sim_index(s->kernel, parent) != 0) {
    host_push_pid(L, s, md_sim_index(s->kernel, parent));
    lua_setfield(L, t, "parent");
  }
  control_children(L, s, p);
  lua_setfield(L, t, "children");
  host_traceback(L, host_leaf(s, p));
  lua_setfield(L, t, "traceback");
}

/* info(pid) -> table
   What is known of a process: pid, status and, while it lives, name, waiting
   (for what, in words), where ("file:line", "" outside of Lua code), inbox
   (messages), priority, parent, children (a list of pids), traceback. What
   does not apply is nil.
     print(md.info(pid).inbox) */
static int f_info(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  uint32_t p = host_pid_arg(L, s, 1, "info");
  control_unname(L, s);
  control_push_status(L, s, p);
  lua_createtable(L, 0, 10);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "status");
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "pid");
  if (p != 0) control_describe(L, s, p);
  return 1;
}

/* waiting() -> list of {pid=, name=, waiting=, where=}
   The processes that wait for something that is not time alone: the pid, what
   messages call it ("'till'", "process 3"), for what it waits, and "file:line".
   When a run has ended "idle", these are all there are.
     for _, p in ipairs(md.waiting()) do print(p.name, p.waiting) end */
static int f_waiting(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  int n = 0;
  char label[64];
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    if (md_sim_proc(s->kernel, p)->state != MD_WAITING) continue;
    lua_createtable(L, 0, 5);
    host_push_pid(L, s, p);
    lua_setfield(L, -2, "pid");
    lua_pushstring(L, host_label(s, p, label));
    lua_setfield(L, -2, "name");
    host_waiting(L, s, p);
    lua_setfield(L, -2, "waiting");
    control_place(L, s, p);
    lua_setfield(L, -2, "where");
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* -- registered names -- */

/* The living pid that the name at index i stands for, pushed; or nil. */
static bool control_whereis(lua_State *L, host_sim *s, int i) {
  host_push(L, s, HOST_NAMES);
  lua_pushvalue(L, i);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  bool lives = host_kind(L, -1) == HOST_PID &&
               host_pid_arg(L, s, lua_gettop(L), "whereis") != 0;
  if (lives) return true;
  lua_pop(L, 1);
  lua_pushnil(L);
  return false;
}

/* register(name, pid)
   From now on, and until the process ends, its name serves wherever a pid is
   taken. A process may have several. Raises usage when another living process
   has the name, or the process has ended.
     md.register("till", pid) */
static int f_register(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  if (lua_type(L, 1) != LUA_TSTRING)
    return host_raise(L, "usage",
                      "register: expected a string as argument 1, got %s; "
                      "md.register(name, pid)",
                      host_describe(L, 1));
  if (host_kind(L, 2) != HOST_PID || host_pid_arg(L, s, 2, "register") == 0)
    return host_raise(L, "usage",
                      "register: expected the pid of a living process as "
                      "argument 2, got %s",
                      host_describe(L, 2));
  if (control_whereis(L, s, 1) && !lua_rawequal(L, -1, 2))
    return host_raise(L, "usage",
                      "register: the name '%s' is taken by %s; choose another "
                      "or end that process first",
                      lua_tostring(L, 1), host_describe(L, -1));
  host_push(L, s, HOST_NAMES);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawset(L, -3);
  return 0;
}

/* whereis(name) -> pid or nil
   The living process that is registered by that name.
     print(md.whereis("till")) */
static int f_whereis(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  luaL_checkany(L, 1);
  control_whereis(L, s, 1);
  return 1;
}

/* registered() -> list of strings
   The names that living processes are registered by, sorted.
     print(table.concat(md.registered(), " ")) */
static int f_registered(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  int n = 0;
  lua_settop(L, 0);
  lua_newtable(L);
  host_push(L, s, HOST_NAMES);
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    if (host_pid_arg(L, s, 4, "registered") != 0) {
      lua_pushvalue(L, 3);
      lua_rawseti(L, 1, ++n);
    }
    lua_settop(L, 3);
  }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  lua_settop(L, 1);
  return 1;
}

void host_open_processes(lua_State *L) {
  static const luaL_Reg functions[] = {{"spawn", host_f_spawn},
                                       {"self", f_self},
                                       {"this", f_self},
                                       {"exit", f_exit},
                                       {"kill", f_kill},
                                       {"interrupt", f_interrupt},
                                       {"join", f_join},
                                       {"status", f_status},
                                       {"info", f_info},
                                       {"waiting", f_waiting},
                                       {"register", f_register},
                                       {"whereis", f_whereis},
                                       {"registered", f_registered},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
