/* Who waits for whom. Each process that waits has at most one that it is known
   to wait for, so what they make is a graph of chains and cycles; finding the
   cycles costs a step for each process. */
#include "host/bond.h"
#include "host/clauses.h"
#include "host/cproc.h"
#include "host/modules.h"
#include "host/place.h"

#include <string.h>

/* -- whom one waits for -- */

/* The process that a literal stands for: a pid's own, or the one that a monitor
   of p watches; NULL: nobody, or p itself. */
static const void *deadlock_named(const host_sim *s, uint32_t p,
                                  const void *light) {
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  if (host_kind_of(light) == HOST_PID)
    return light == host_pid_value(s, p) ? NULL : light;
  md_bond_id id = host_monitor_id(s, light);
  uint32_t bond = id ? md_bonds_find(bonds, id) : 0;
  if (bond == 0 || bonds->records[bond].kind != MD_MONITOR) return NULL;
  return host_pid_value(s, bonds->records[bond].process[0]);
}

/* The process that the patterns p waits with name: all of a few clauses. */
static const void *deadlock_wanted(const host_sim *s, uint32_t p) {
  const cproc *c = cproc_of(s, p);
  if (c != NULL) return c->from ? (void *)(uintptr_t)c->from : NULL;
  lua_State *leaf = host_leaf(s, p);
  int n = lua_gettop(leaf);
  if (clauses_at(leaf, 1)) {
    const void *light = clauses_name(leaf, 1);
    return light ? deadlock_named(s, p, light) : NULL;
  }
  for (int i = 1; i <= n; i++) {
    const void *named = deadlock_named(s, p, lua_touserdata(leaf, i));
    if (named != NULL) return named;
  }
  return NULL;
}

/* The child that p waits for: it has no other. */
static const void *deadlock_child(const host_sim *s, uint32_t p) {
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  uint32_t bond = md_bonds_first(bonds, p, MD_RING_CHILDREN);
  if (bond == 0 || md_bonds_next(bonds, p, MD_RING_CHILDREN, bond) != 0)
    return NULL;
  return host_pid_value(s, md_bond_other(&bonds->records[bond], p));
}

const void *host_waits_on(const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  const md_mails *mails = md_sim_mails(s->kernel);
  uint32_t holder;
  if (proc->state != MD_WAITING) return NULL;
  switch ((md_wait)proc->wait) {
  case MD_WAIT_MESSAGE:
    return deadlock_wanted(s, p);
  case MD_WAIT_REPLY:
  case MD_WAIT_JOIN: /* a reply that a replay brings has p itself as target */
    return proc->target == p ? NULL : host_pid_value(s, proc->target);
  case MD_WAIT_ROOM:
    return host_pid_value(s, mails->envelopes[proc->target].mail.to);
  case MD_WAIT_CHILDREN:
    return deadlock_child(s, p);
  case MD_WAIT_PLACE:
    holder = md_sim_index(s->kernel, place_waits_on(s, p));
    return holder != 0 ? host_pid_value(s, holder) : NULL;
  case MD_WAIT_NOTHING:
  case MD_WAIT_TIME:
    break;
  }
  return NULL;
}

/* -- cycles -- */

/* Does nothing end p's wait but what it waits for? */
static bool deadlock_unlimited(const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  return proc->state == MD_WAITING && proc->wake == 0 &&
         (extra == NULL || extra->words[HOST_LIMITS] == 0);
}

uint32_t host_deadlock_next(const host_sim *s, uint32_t p) {
  if (!deadlock_unlimited(s, p)) return 0;
  uint32_t q = host_pid_index(s, host_waits_on(s, p));
  return q != p && q != 0 && deadlock_unlimited(s, q) ? q : 0;
}

/* The least process of the cycle that p is in. */
static uint32_t deadlock_least(const host_sim *s, uint32_t p) {
  uint32_t least = p;
  for (uint32_t q = p; (q = host_deadlock_next(s, q)) != p;)
    if (q < least) least = q;
  return least;
}

uint32_t host_deadlock(lua_State *L, const host_sim *s) {
  uint32_t last = 0, found = 0;
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) last = p;
  /* by which walk each was met; a walk ends where one has been */
  uint32_t *met = lua_newuserdatauv(L, (last + 1) * sizeof *met, 0);
  memset(met, 0, (last + 1) * sizeof *met);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    uint32_t q = p;
    for (; q != 0 && met[q] == 0; q = host_deadlock_next(s, q)) met[q] = p;
    if (q == 0 || met[q] != p) continue;
    uint32_t least = deadlock_least(s, q);
    if (found == 0 || least < found) found = least;
  }
  lua_pop(L, 1);
  return found;
}

/* deadlock() -> list of {pid=, name=, waiting=, where=, on=}, or nil
   Processes each of which waits for the next, and the last for the first, with
   no limit of time: none of them goes on by itself. An ask waits for the one
   asked, a join for that one, a send for the owner of the full inbox, a wait or
   receive for the one whose pid, or monitor's ref, is in its patterns. Of
   several such cycles it is the one with the lowest process, and begins there.
   The entries are those of waiting.
     for _, p in ipairs(md.deadlock() or {}) do print(p.name, p.on) end */
static int f_deadlock(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  uint32_t first = host_deadlock(L, s), p = first;
  int n = 0;
  if (first == 0) return 0;
  lua_newtable(L);
  do {
    host_push_waiting(L, s, p);
    lua_rawseti(L, -2, ++n);
    p = host_deadlock_next(s, p);
  } while (p != first);
  return 1;
}

void host_open_deadlock(lua_State *L) {
  lua_pushcfunction(L, f_deadlock);
  lua_setfield(L, -2, "deadlock");
}
