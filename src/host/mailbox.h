/* The inbox of a process as a thing to wait for, by md.receiving: what comes
   for one of its places is handed over, and what that gives back lies in the
   inbox again where it would have lain. */
#ifndef MD_HOST_MAILBOX_H
#define MD_HOST_MAILBOX_H

#include "host/place.h"

extern const thing_class mailbox_class;

/* The mailbox of the process that runs, pushed. [-0, +1, m] */
thing *mailbox_push(lua_State *L, host_sim *s);

/* Looks closer at a process that waits for things. */
bool mailbox_wants(lua_State *L, host_sim *s, uint32_t p, int first, int n);
__attribute__((noinline)) bool mailbox_take_in(lua_State *L, host_sim *s,
                                               uint32_t to, uint32_t from,
                                               int first, int n);

static inline bool mailbox_waits(const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  return proc->state == MD_WAITING && proc->wait == MD_WAIT_PLACE;
}

/* Does p receive the n values from `first` on? */
static inline bool mailbox_awaits(lua_State *L, host_sim *s, uint32_t p,
                                  int first, int n) {
  return mailbox_waits(s, p) && mailbox_wants(L, s, p, first, n);
}

/* Hands the n values from `first` on to `to` if it receives them. A place whose
   pattern raises has its process go on by that error. [-0, +0, m] */
static inline bool mailbox_hand(lua_State *L, host_sim *s, uint32_t to,
                                uint32_t from, int first, int n) {
  return mailbox_waits(s, to) && mailbox_take_in(L, s, to, from, first, n);
}

#endif
