/* What can be asked about processes: status, what they wait for, names. */
#include "host/cproc.h"
#include "host/clauses.h"
#include "host/inbox.h"
#include "host/pattern.h"
#include "host/modules.h"
#include "host/place.h"

#include <string.h>

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

/* It has ended by itself, and waits for its children. */
static bool inspect_returned(const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  return proc->state == MD_WAITING && proc->wait == MD_WAIT_CHILDREN &&
         md_sim_extra(s->kernel, p)->words[HOST_UNWINDING] != HOST_KILLED;
}

static const char *inspect_status(host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  if (proc->flags & MD_DYING && !inspect_returned(s, p)) return "failed";
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

static void inspect_push_status(lua_State *L, host_sim *s, uint32_t p) {
  if (p != 0) {
    lua_pushstring(L, inspect_status(s, p));
    return;
  }
  lua_pushstring(L, host_failed(L, s, 1) ? "failed" : "done");
}

/* status(pid) -> string
   "running"; "ready" (it has a turn at this time); "sleeping" (it goes on, or
   starts, at a later time); "waiting" (for a message, a reply, an end, room,
   its children);
   "done" (it has returned or exited); "failed" (an error or a kill has ended
   it, or is about to).
     print(md.status(pid)) */
static int f_status(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  uint32_t p = host_pid_arg(L, s, 1, "status");
  host_unname(L, s);
  inspect_push_status(L, s, p);
  return 1;
}

static void inspect_add(luaL_Buffer *b, lua_State *L, int i) {
  (void)L;
  lua_pushvalue(L, i);
  luaL_addvalue(b);
}

/* Compiled clauses, in words, with whom they all name. [-0, +1, m] */
static void inspect_clauses(lua_State *L, host_sim *s, lua_State *leaf, int i) {
  char label[64];
  uint32_t named = host_pid_index(s, clauses_name(leaf, i));
  lua_pushliteral(L, "one of its clauses");
  if (named == 0) return;
  lua_pushfstring(L, ", all with the pid of %s", host_label(s, named, label));
  lua_concat(L, 2);
}

/* The pattern at i, in words: a pid is shown as whose it is. [-0, +1, m] */
static void inspect_pattern(lua_State *L, host_sim *s, lua_State *leaf, int i) {
  char label[64];
  uint32_t named = host_pid_index(s, lua_touserdata(leaf, i));
  if (named != 0) {
    lua_pushfstring(L, "the pid of %s", host_label(s, named, label));
  } else if (clauses_at(leaf, i)) {
    inspect_clauses(L, s, leaf, i);
  } else {
    lua_pushvalue(leaf, i);
    lua_xmove(leaf, L, 1);
    if (lua_type(L, -1) == LUA_TUSERDATA) luaL_tolstring(L, -1, NULL);
    else host_describe(L, -1);
    lua_replace(L, -2);
  }
}

/* The patterns that the coroutine waits with: its call's arguments. */
static void inspect_patterns(lua_State *L, host_sim *s, lua_State *leaf) {
  int n = lua_gettop(leaf);
  luaL_Buffer b;
  int base = lua_gettop(L);
  for (int i = 1; i <= n && i <= 8; i++) {
    luaL_checkstack(L, 8, NULL);
    inspect_pattern(L, s, leaf, i);
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
    inspect_add(&b, L, base + i);
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
  case MD_WAIT_PLACE:
    place_waiting(L, s, p);
    break;
  case MD_WAIT_CHILDREN:
    lua_pushliteral(L, "the end of its children");
    break;
  default:
    if (cproc_of(s, p) != NULL) cproc_push_wanted(L, s, cproc_of(s, p));
    else inspect_patterns(L, s, host_leaf(s, p));
  }
}

/* Pushes "file:line" of where p stands. */
static void inspect_place(lua_State *L, host_sim *s, uint32_t p) {
  char where[CPROC_WHERE];
  if (cproc_of(s, p) != NULL) {
    lua_pushstring(L, cproc_where(s, cproc_of(s, p), where));
    return;
  }
  host_where(host_leaf(s, p), where, sizeof where);
  size_t n = strlen(where);
  if (n > 2) where[n - 2] = '\0';
  lua_pushstring(L, where);
}

static void inspect_children(lua_State *L, host_sim *s, uint32_t parent) {
  md_pid pid = md_sim_pid(s->kernel, parent);
  int n = 0;
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    if (md_sim_cold(s->kernel, p)->parent != pid) continue;
    host_push_pid(L, s, p);
    lua_rawseti(L, -2, ++n);
  }
}

/* A list of the pids on the other side of the bonds in a ring of p. */
static void inspect_bonds(lua_State *L, host_sim *s, uint32_t p, md_ring ring) {
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  int n = 0;
  lua_newtable(L);
  uint32_t e = md_bonds_first(bonds, p, ring);
  for (; e != 0; e = md_bonds_next(bonds, p, ring, e)) {
    host_push_pid(L, s, md_bond_other(&bonds->records[e], p));
    lua_rawseti(L, -2, ++n);
  }
}

static void inspect_describe(lua_State *L, host_sim *s, uint32_t p) {
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
  inspect_place(L, s, p);
  lua_setfield(L, t, "where");
  lua_pushinteger(L, proc->inbox_count);
  lua_setfield(L, t, "inbox");
  inbox_push(L, s, p);
  lua_setfield(L, t, "statistics");
  lua_pushinteger(L, (lua_Integer)md_sim_priority(s->kernel, p));
  lua_setfield(L, t, "priority");
  if (md_sim_index(s->kernel, parent) != 0) {
    host_push_pid(L, s, md_sim_index(s->kernel, parent));
    lua_setfield(L, t, "parent");
  }
  inspect_children(L, s, p);
  lua_setfield(L, t, "children");
  inspect_bonds(L, s, p, MD_RING_LINKS);
  lua_setfield(L, t, "links");
  inspect_bonds(L, s, p, MD_RING_WATCHED);
  lua_setfield(L, t, "monitors");
  lua_pushboolean(L, extra != NULL && extra->traps);
  lua_setfield(L, t, "traps");
  if (cproc_of(s, p) != NULL) inspect_place(L, s, p);
  else host_traceback(L, host_leaf(s, p));
  lua_setfield(L, t, "traceback");
}

/* info(pid) -> table
   What is known of a process: pid, status and, while it lives, name, waiting
   (for what, in words), where ("file:line", "" outside of Lua code), inbox
   (messages), statistics (of its inbox), priority, parent, children (those it
   spawned), links, monitors (those it watches; all three are lists of pids),
   traps (whether it traps exits), traceback. What does not apply is nil.
     print(md.info(pid).inbox) */
static int f_info(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  uint32_t p = host_pid_arg(L, s, 1, "info");
  host_unname(L, s);
  inspect_push_status(L, s, p);
  lua_createtable(L, 0, 10);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "status");
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "pid");
  if (p != 0) inspect_describe(L, s, p);
  return 1;
}

void host_push_waiting(lua_State *L, host_sim *s, uint32_t p) {
  char label[64];
  lua_createtable(L, 0, 5);
  host_push_pid(L, s, p);
  lua_setfield(L, -2, "pid");
  lua_pushstring(L, host_label(s, p, label));
  lua_setfield(L, -2, "name");
  host_waiting(L, s, p);
  lua_setfield(L, -2, "waiting");
  inspect_place(L, s, p);
  lua_setfield(L, -2, "where");
  const void *on = host_waits_on(s, p);
  if (on == NULL) return;
  lua_pushlightuserdata(L, (void *)(uintptr_t)on);
  lua_setfield(L, -2, "on");
}

/* waiting() -> list of {pid=, name=, waiting=, where=, on=}
   The processes that wait for something that is not time alone: the pid, what
   messages call it ("'till'", "process 3"), for what it waits, "file:line", and
   the pid of whom it waits for, nil if that is not known (see deadlock). When a
   run has ended "idle", these are all there are.
     for _, p in ipairs(md.waiting()) do print(p.name, p.waiting) end */
static int f_waiting(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  int n = 0;
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    if (md_sim_proc(s->kernel, p)->state != MD_WAITING) continue;
    host_push_waiting(L, s, p);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* A number for what p waits for, if that is a message that begins with texts
   and patterns; else 0. Nothing is written: among very many processes, most of
   which wait alike, the words for one are enough. */
static lua_Integer inspect_wait_number(host_sim *s, uint32_t p) {
  if (md_sim_proc(s->kernel, p)->wait != MD_WAIT_MESSAGE || cproc_of(s, p))
    return 0;
  lua_State *leaf = host_leaf(s, p);
  int n = lua_gettop(leaf);
  uint64_t number = (uint64_t)n + 1;
  for (int i = 1; i <= n; i++) {
    int type = lua_type(leaf, i);
    if (type != LUA_TSTRING && type != LUA_TLIGHTUSERDATA) return 0;
    const void *word = type == LUA_TSTRING ? (void *)lua_tostring(leaf, i)
                                           : lua_touserdata(leaf, i);
    number = host_digest_mix(number, (uint64_t)(uintptr_t)word);
  }
  return (lua_Integer)number;
}

/* Pushes the row of those who wait for the same as p, made for the first. At
   `waits` are the rows, and behind it those known by a number. */
static void inspect_wait_row(lua_State *L, host_sim *s, uint32_t p, int waits) {
  lua_Integer number = inspect_wait_number(s, p);
  if (number != 0 && lua_rawgeti(L, waits + 1, number) == LUA_TTABLE) return;
  lua_settop(L, waits + 1);
  host_waiting(L, s, p);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, waits) == LUA_TNIL) {
    lua_pop(L, 1);
    host_push_waiting(L, s, p);
    lua_getfield(L, -1, "name");
    lua_setfield(L, -2, "first");
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "count");
    lua_pushvalue(L, -1);
    lua_rawseti(L, waits, (lua_Integer)lua_rawlen(L, waits) + 1);
    lua_pushvalue(L, waits + 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, waits);
  }
  if (number == 0) return;
  lua_pushvalue(L, -1);
  lua_rawseti(L, waits + 1, number);
}

/* Counts p, which waits, among those who wait for the same. */
static void inspect_count_wait(lua_State *L, host_sim *s, uint32_t p,
                               int waits) {
  inspect_wait_row(L, s, p, waits);
  lua_getfield(L, -1, "count");
  lua_pushinteger(L, lua_tointeger(L, -1) + 1);
  lua_setfield(L, -3, "count");
  lua_settop(L, waits + 1);
}

/* unfinished(sim) -> table: how many processes are in each state; and `waits`,
   by what they wait for and in the order of the first. */
int inside_unfinished(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_settop(L, 0);
  lua_Integer counts[MD_WAITING + 1] = {0};
  static const char *const names[] = {"failed", "ready", "running", "sleeping",
                                      "waiting"};
  lua_createtable(L, 0, 5);
  lua_newtable(L);
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    const md_proc *proc = md_sim_proc(s->kernel, p);
    bool dying = proc->flags & MD_DYING && !inspect_returned(s, p);
    counts[dying ? MD_FREE : proc->state]++;
    if (proc->state == MD_WAITING) inspect_count_wait(L, s, p, 2);
  }
  lua_pop(L, 1);
  lua_setfield(L, 1, "waits");
  for (int state = MD_FREE; state <= MD_WAITING; state++) {
    lua_pushinteger(L, counts[state]);
    lua_setfield(L, 1, names[state]);
  }
  return 1;
}

/* -- registered names -- */

/* The living pid that the name at index i stands for, pushed; or nil. */
static bool inspect_whereis(lua_State *L, host_sim *s, int i) {
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
  host_no_reload(L, "register");
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
  if (inspect_whereis(L, s, 1) && !lua_rawequal(L, -1, 2))
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
   The living process that is registered by that name. Raises usage for what is
   no string.
     print(md.whereis("till")) */
static int f_whereis(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  if (lua_type(L, 1) != LUA_TSTRING)
    return host_raise(L, "usage",
                      "whereis: expected a string as argument 1, got %s; "
                      "md.whereis(name)",
                      host_describe(L, 1));
  inspect_whereis(L, s, 1);
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

void host_open_inspection(lua_State *L) {
  static const luaL_Reg functions[] = {{"self", f_self},
                                       {"this", f_self},
                                       {"status", f_status},
                                       {"info", f_info},
                                       {"waiting", f_waiting},
                                       {"register", f_register},
                                       {"whereis", f_whereis},
                                       {"registered", f_registered},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
