/* The processes of a sim, from birth to end, and what is known of each. */
#include "kernel/note.h"
#include "kernel/state.h"

#include <assert.h>
#include <string.h>

uint32_t md_sim_spawn(md_sim *s, md_time at, int64_t priority,
                      uint32_t parent) {
  int rank = priority == 0 && s->ranks == 1 ? 0 : md_order_rank(s, priority);
  uint32_t p = rank < 0 ? 0 : md_procs_take(&s->procs);
  if (p == 0) return 0;
  md_proc *proc = &s->procs.hot[p];
  proc->rank = (uint8_t)rank;
  bool dated = md_procs_date(&s->procs, p, s->now);
  md_key key = dated ? sim_schedule(s, at, proc->rank, p) : MD_KEY_NONE;
  if (key == MD_KEY_NONE) {
    md_procs_release(&s->procs, p);
    proc->generation--; /* nobody has heard of it */
    return 0;
  }
  proc->wake = md_key_low(key);
  proc->due = at;
  proc->why = MD_WHY_START;
  proc->wait = MD_WAIT_TIME;
  proc->state = at == s->now ? MD_READY : MD_SLEEPING;
  if (parent != 0) s->procs.cold[p].parent = md_sim_pid(s, parent);
  sim_note(s, MD_TRACE_SPAWN, parent, p, 0);
  return p;
}

static inline void sim_stop(md_sim *s, uint32_t p, bool failed) {
  assert(s->procs.hot[p].inbox_count == 0);
  sim_note(s, failed ? MD_TRACE_FAIL : MD_TRACE_STOP, p, 0, 0);
  sim_unwatch(s, p);
  sim_disarm(s, p);
  if (!s->procs.hot[p].kept) return;
  uint32_t first;
  while ((first = s->procs.cold[p].watchers) != 0)
    md_sim_wake(s, first, MD_WHY_END);
}

static __attribute__((noinline)) void sim_unbond(md_sim *s, uint32_t p) {
  uint32_t parent = md_bonds_forget(&s->bonds, p);
  const md_proc *proc = &s->procs.hot[parent];
  if (parent != 0 && proc->state == MD_WAITING &&
      proc->wait == MD_WAIT_CHILDREN)
    md_sim_wake(s, parent, MD_WHY_END);
}

static inline void sim_release(md_sim *s, uint32_t p) {
  if (s->procs.hot[p].flags & MD_BONDED) sim_unbond(s, p);
  md_mails_close_inbox(&s->mails, p);
  md_procs_release(&s->procs, p);
}

void md_sim_stop(md_sim *s, uint32_t p, bool failed) { sim_stop(s, p, failed); }

void md_sim_release(md_sim *s, uint32_t p) { sim_release(s, p); }

void md_sim_end(md_sim *s, uint32_t p, bool failed) {
  sim_stop(s, p, failed);
  sim_release(s, p);
}

md_pid md_sim_pid(const md_sim *s, uint32_t p) {
  return md_procs_pid(&s->procs, p);
}

uint32_t md_sim_index(const md_sim *s, md_pid pid) {
  return md_procs_index(&s->procs, pid);
}

uint32_t md_sim_live(const md_sim *s) { return s->procs.live; }

uint32_t md_sim_after(const md_sim *s, uint32_t p) {
  while (++p < s->procs.used)
    if (s->procs.hot[p].state != MD_FREE) return p;
  return 0;
}

md_proc *md_sim_proc(const md_sim *s, uint32_t p) { return &s->procs.hot[p]; }

void *md_sim_root(const md_sim *s, uint32_t p) { return s->procs.roots[p]; }

void md_sim_set_root(md_sim *s, uint32_t p, void *root) {
  s->procs.roots[p] = root;
}

md_proc_cold *md_sim_cold(const md_sim *s, uint32_t p) {
  return &s->procs.cold[p];
}

md_proc_extra *md_sim_extra(const md_sim *s, uint32_t p) {
  uint32_t e = s->procs.hot[p].kept ? s->procs.cold[p].extra : 0;
  return e ? &s->procs.extra[e] : NULL;
}

md_proc_extra *md_sim_make_extra(md_sim *s, uint32_t p) {
  return md_procs_extra(&s->procs, p);
}

bool md_sim_name(md_sim *s, uint32_t p, const char *name, size_t length) {
  md_proc_extra *extra = md_procs_extra(&s->procs, p);
  if (extra == NULL) return false;
  char *copy = md_arena_alloc(s->arena, length + 1);
  if (copy == NULL) return false;
  memcpy(copy, name, length);
  copy[length] = '\0';
  if (extra->name != NULL)
    md_arena_free(s->arena, extra->name, extra->name_length + 1);
  extra->name = copy;
  extra->name_length = (uint32_t)length;
  return true;
}

md_time md_sim_since(const md_sim *s, uint32_t p) {
  return md_procs_since(&s->procs, p);
}

int64_t md_sim_priority(const md_sim *s, uint32_t p) {
  return s->priorities[s->procs.hot[p].rank];
}
