/* What scope.lua is made of: a group of children of one process, which it waits
   for, and of which an error of one is an error of that process. A scope is
   held, and so found by its processes, while it has some; the bond of each with
   the owner bears the slot. */
#include "host/bond.h"

typedef struct scope_state {
  host_sim *sim; /* kept alive by the second user value */
  md_pid owner;
  uint32_t slot;    /* where it is held, 0: it has no processes */
  uint32_t members; /* its processes that have not ended */
  bool failed;      /* with the error that is the first user value */
  bool closing, closed;
  bool waiting; /* the owner waits for its processes */
} scope_state;

/* The third user value is the place where it was made, "file:line: ". */
enum { SCOPE_FAILURE = 1, SCOPE_SIM, SCOPE_PLACE };

/* What has come over a wait that goes on nevertheless. */
enum { SCOPE_UNWOUND = 1, SCOPE_INTERRUPTED = 2 };

static const char *const scope_type = "md.inside.scope";

static uint32_t scope_owner(const scope_state *c) {
  return md_sim_index(c->sim->kernel, c->owner);
}

/* Is the owner the process that runs? */
static bool scope_own(lua_State *L, const scope_state *c) {
  const md_host *h = host_of(L);
  return h->sim == c->sim && h->process != 0 && h->process == scope_owner(c);
}

/* -- the end of its processes -- */

/* Kills those that live, newest first; true when the one that runs is one of
   them, which is left. [-0, +0, m] */
static bool scope_kill(lua_State *L, scope_state *c, int reason) {
  const md_host *h = host_of(L);
  host_sim *s = c->sim;
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  uint32_t owner = scope_owner(c), by = h->sim == s ? h->process : 0;
  bool self = false;
  if (owner == 0 || c->slot == 0) return false;
  uint32_t bond = md_bonds_last(bonds, owner, MD_RING_CHILDREN);
  for (; bond != 0;
       bond = md_bonds_prev(bonds, owner, MD_RING_CHILDREN, bond)) {
    uint32_t p = bonds->records[bond].process[0];
    const md_proc *proc = md_sim_proc(s->kernel, p);
    if (bonds->records[bond].word != c->slot || proc->flags & MD_DYING)
      continue;
    if (proc->state != MD_RUNNING) host_kill(L, s, by, p, reason);
    else self = self || p == by;
  }
  return self;
}

static void scope_shut(lua_State *L, scope_state *c) {
  lua_pushliteral(L, "shutdown");
  scope_kill(L, c, lua_gettop(L));
  lua_pop(L, 1);
}

/* The reason at index 1 is the first error: it ends the others and is raised in
   the owner. The scope is on the top. */
static void scope_fail(lua_State *L, scope_state *c) {
  uint32_t owner = scope_owner(c);
  c->failed = true;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, SCOPE_FAILURE);
  scope_shut(L, c);
  if (c->closing || owner == 0) return;
  if (md_sim_proc(c->sim->kernel, owner)->flags & MD_DYING) return;
  lua_pushvalue(L, -1);
  host_throw(L, c->sim, owner);
}

void scope_lost(lua_State *L, host_sim *s, uint32_t slot, bool erred) {
  host_fetch(L, s, slot, 1);
  scope_state *c = lua_touserdata(L, -1);
  if (erred && !c->failed) scope_fail(L, c);
  if (--c->members == 0) {
    uint32_t owner = scope_owner(c);
    host_drop(L, s, c->slot, 1);
    c->slot = 0;
    if (c->waiting && owner != 0 &&
        md_sim_proc(s->kernel, owner)->state == MD_WAITING)
      md_sim_wake(s->kernel, owner, MD_WHY_END);
  }
  lua_pop(L, 1);
}

bool scope_unbound(lua_State *L, host_sim *s, uint32_t p) {
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  uint32_t bond = md_bonds_first(bonds, p, MD_RING_CHILDREN);
  for (; bond != 0; bond = md_bonds_next(bonds, p, MD_RING_CHILDREN, bond)) {
    uint32_t slot = (uint32_t)bonds->records[bond].word;
    if (slot == 0) continue;
    host_fetch(L, s, slot, 1);
    const scope_state *c = lua_touserdata(L, -1);
    if (c->closing) {
      lua_pop(L, 1);
      continue;
    }
    lua_getiuservalue(L, -1, SCOPE_PLACE);
    host_error_value(L, L, "usage",
                     "%sscope: its process has returned while processes of it "
                     "go on; bind it, local s <close> = md.scope(), and the "
                     "end of the block waits for them",
                     lua_tostring(L, -1));
    return true;
  }
  return false;
}

/* -- what scope.lua calls: the scope is the first argument -- */

static scope_state *scope_at(lua_State *L) {
  return luaL_checkudata(L, 1, scope_type);
}

/* The scope of a call that only its owner can make, in the block. */
static scope_state *scope_arg(lua_State *L, const char *call) {
  scope_state *c = scope_at(L);
  char label[64];
  if (c->closing)
    host_raise(L, "usage",
               "scope: its block has ended, so %s has no scope any more; make "
               "another, or use md.spawn",
               call);
  if (!scope_own(L, c))
    host_raise(L, "usage",
               "scope: it belongs to %s; only that can %s in it; make another "
               "with md.scope(), or use md.spawn",
               scope_owner(c) ? host_label(c->sim, scope_owner(c), label)
                              : "a process that has ended",
               call);
  return c;
}

/* open() -> scope: of the process that calls. */
static int inside_open(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  const md_host *h = s->host;
  char where[LUA_IDSIZE + 24];
  if (h->process == 0 || h->sim != s)
    return host_raise(L, "usage",
                      "scope: a scope belongs to a process, and this is none; "
                      "make it inside md.spawn(function() ... end)");
  scope_state *c = lua_newuserdatauv(L, sizeof *c, SCOPE_PLACE);
  *c = (scope_state){.sim = s, .owner = md_sim_pid(s->kernel, h->process)};
  host_push(L, s, HOST_SELF);
  lua_setiuservalue(L, -2, SCOPE_SIM);
  host_where(L, where, sizeof where);
  lua_pushstring(L, where);
  lua_setiuservalue(L, -2, SCOPE_PLACE);
  luaL_setmetatable(L, scope_type);
  return 1;
}

/* check(scope): may the caller spawn in it? */
static int inside_check(lua_State *L) {
  scope_arg(L, "spawn");
  return 0;
}

/* child([options,] fn, ...) -> pid [, ref] */
static int inside_child(lua_State *L) {
  return host_spawn(L, host_of(L)->sim, "spawn", true);
}

/* adopt(scope, pid [, ref]) -> pid [, ref]: the new child is the scope's. */
static int inside_adopt(lua_State *L) {
  scope_state *c = scope_at(L);
  const md_bonds *bonds = md_sim_bonds(c->sim->kernel);
  uint32_t p = host_pid_index(c->sim, lua_touserdata(L, 2));
  uint32_t bond = p ? md_bonds_first(bonds, p, MD_RING_PARENT) : 0;
  luaL_argcheck(L, bond != 0, 2, "a child expected");
  if (c->slot == 0) c->slot = host_hold(L, c->sim, 1, 1);
  c->members++;
  bonds->records[bond].word = c->slot;
  if (c->failed) scope_shut(L, c); /* the block just does not know yet */
  return lua_gettop(L) - 1;
}

/* cancel(scope, reason): from anywhere, even in one of its processes. */
static int inside_cancel(lua_State *L) {
  scope_state *c = scope_at(L);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "shutdown");
    lua_replace(L, 2);
  }
  if (!scope_kill(L, c, 2)) return 0;
  host_doom(L, c->sim, host_of(L)->process, 2);
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return lua_error(L);
}

static int scope_block(lua_State *L, scope_state *c, lua_KContext ctx,
                       lua_KFunction k) {
  md_host *h = host_of(L);
  h->instructions = 0;
  c->waiting = true;
  md_sim_wait(h->sim->kernel, h->process, MD_WAIT_CHILDREN, -1, 0);
  return host_block(L, h->sim, ctx, k);
}

static int scope_joined(lua_State *L, int status, lua_KContext ctx) {
  scope_state *c = lua_touserdata(L, 1);
  c->waiting = false;
  if (status == LUA_YIELD) host_woken(L);
  if (c->members > 0) return scope_block(L, c, ctx, scope_joined);
  if (!c->failed) return 0;
  host_forget_throw(L, c->sim, scope_owner(c), 1);
  lua_getiuservalue(L, 1, SCOPE_FAILURE);
  return lua_error(L);
}

/* join(scope) */
static int inside_join(lua_State *L) {
  const scope_state *c = scope_arg(L, "join");
  lua_settop(L, 1);
  host_may_block_in(L, c->sim, "scope:join");
  return scope_joined(L, LUA_OK, 0);
}

/* All have ended: scope, the block's error. */
static int scope_end(lua_State *L, scope_state *c, lua_KContext come) {
  host_sim *s = c->sim;
  uint32_t owner = scope_owner(c);
  host_forget_throw(L, s, owner, 1);
  c->closed = true;
  if (come & SCOPE_UNWOUND) {
    lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
    return lua_error(L);
  }
  if (!lua_isnil(L, 2)) return 0; /* which goes on */
  if (c->failed) {
    lua_getiuservalue(L, 1, SCOPE_FAILURE);
    return lua_error(L);
  }
  if (come & SCOPE_INTERRUPTED &&
      md_sim_proc(s->kernel, owner)->flags & MD_PENDING)
    host_raise_pending(L, s, owner);
  return 0;
}

/* Nothing ends this wait but the end of the last process: what comes over it
   kills them, and is raised then. */
static int scope_leave(lua_State *L, int status, lua_KContext come) {
  scope_state *c = lua_touserdata(L, 1);
  md_host *h = host_of(L);
  c->waiting = false;
  if (status == LUA_YIELD &&
      (h->why == MD_WHY_UNWIND || h->why == MD_WHY_INTERRUPT)) {
    come |= h->why == MD_WHY_UNWIND ? SCOPE_UNWOUND : SCOPE_INTERRUPTED;
    scope_shut(L, c);
  }
  if (c->members == 0) return scope_end(L, c, come);
  return scope_block(L, c, come, scope_leave);
}

/* close(scope, error or nil): the block is left. */
static int inside_close(lua_State *L) {
  scope_state *c = scope_at(L);
  md_host *h = host_of(L);
  lua_settop(L, 2);
  if (c->closed) return 0;
  c->closing = true;
  bool blocks = scope_own(L, c) && h->fences == 0 && lua_isyieldable(L);
  if (!lua_isnil(L, 2) || !blocks) scope_shut(L, c);
  if (c->members == 0 && scope_own(L, c)) return scope_end(L, c, 0);
  if (blocks) return scope_leave(L, LUA_OK, 0);
  c->closed = true;
  if (scope_own(L, c) &&
      md_sim_proc(c->sim->kernel, h->process)->flags & MD_DYING)
    return 0; /* its end waits for all children */
  return host_raise(L, "usage",
                    "scope: its block ends where its processes cannot be "
                    "waited for, in a coroutine that is closed or in another "
                    "process; leave it in the process that made it");
}

int scope_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", inside_open},   {"check", inside_check},
      {"child", inside_child}, {"adopt", inside_adopt},
      {"join", inside_join},   {"cancel", inside_cancel},
      {"close", inside_close}, {NULL, NULL}};
  luaL_newmetatable(L, scope_type);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
