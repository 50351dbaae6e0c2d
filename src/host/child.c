/* Children: processes that end with their parent, and may get what it gets. */
#include "host/bond.h"
#include "host/message.h"
#include "host/modules.h"

/* -- forwarding -- */

/* A copy of the n values from `first` on goes to p's heir q. */
static void child_pass(lua_State *L, host_sim *s, uint32_t p, uint32_t q,
                       uint32_t from, int first, int n) {
  int top = lua_gettop(L);
  luaL_checkstack(L, n, "a message has too many values");
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  md_sim_note(s->kernel, MD_TRACE_FORWARD, p, q, 0);
  message_tell(L, s, q, from, top + 1, n);
  lua_settop(L, top);
}

void child_forward(lua_State *L, host_sim *s, uint32_t p, uint32_t from,
                   int first, int n) {
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  for (uint32_t q = p; (q = md_bonds_heir(bonds, p, q)) != 0;)
    child_pass(L, s, p, q, from, first, n);
}

/* What has come to `parent` goes to its new heir p, from envelope e on; not the
   replies to what it asked itself. */
static void child_inherit(lua_State *L, host_sim *s, uint32_t parent,
                          uint32_t p, uint32_t e) {
  const md_mails *mails = md_sim_mails(s->kernel);
  for (; e != 0; e = mails->envelopes[e].next) {
    md_mail mail = mails->envelopes[e].mail;
    int top = lua_gettop(L);
    host_fetch(L, s, mail.slot, (int)mail.count);
    bool reply =
        mail.count > 0 && host_asker(lua_touserdata(L, top + 1)) == parent;
    if (!reply)
      child_pass(L, s, parent, p, md_sim_index(s->kernel, mail.from), top + 1,
                 (int)mail.count);
    lua_settop(L, top);
  }
}

/* -- children -- */

void child_bind(lua_State *L, host_sim *s, uint32_t parent, uint32_t p,
                bool forward) {
  bond_make(L, s, MD_CHILD, p, parent);
  if (!forward) return;
  bond_make(L, s, MD_FORWARD, p, parent);
  const md_proc_extra *extra = md_sim_extra(s->kernel, parent);
  uint32_t line = extra->line_first;
  child_inherit(L, s, parent, p, md_sim_proc(s->kernel, parent)->inbox_first);
  child_inherit(L, s, parent, p, line);
}

bool child_orphan(lua_State *L, host_sim *s, uint32_t p) {
  const md_bonds *bonds = md_sim_bonds(s->kernel);
  uint32_t bond = md_bonds_last(bonds, p, MD_RING_CHILDREN);
  if (bond == 0) return false;
  md_sim_proc(s->kernel, p)->flags |= MD_DYING;
  host_forget_pending(L, s, p);
  lua_pushliteral(L, "shutdown");
  for (; bond != 0; bond = md_bonds_prev(bonds, p, MD_RING_CHILDREN, bond)) {
    uint32_t child = bonds->records[bond].process[0];
    if (!(md_sim_proc(s->kernel, child)->flags & MD_DYING))
      host_kill(L, s, p, child, lua_gettop(L));
  }
  lua_pop(L, 1);
  return true;
}

/* child([options,] fn, ...) -> pid [, ref]
   As spawn, but it cannot outlive the process that calls, its parent: when the
   body of that is over, however it ends, and its <close> variables are closed,
   its children are killed for the reason "shutdown", newest first, and the
   parent has ended when they all have. It takes no messages meanwhile. A
   further option is `forward`: the child gets, as messages of its own, what is
   in its parent's inbox now or stands in line for it, and what comes from now
   on, except replies to what the parent asks. These go past a full inbox. What
   a child forwards is forwarded on. Raises what spawn does, and usage outside
   of a process.
     md.child({ forward = true }, print, "at its parent's side") */
static int f_child(lua_State *L) {
  return host_spawn(L, host_sim_arg(L), "child", true);
}

void host_open_children(lua_State *L) {
  lua_pushcfunction(L, f_child);
  lua_setfield(L, -2, "child");
}
