/* What holds processes together, and what becomes of it when one ends: links,
   monitors and exit signals (bond.c), children and what is forwarded to them
   (child.c), scopes (scope.c). */
#ifndef MD_HOST_BOND_H
#define MD_HOST_BOND_H

#include "host/host.h"

/* -- bond.c -- */

/* A new bond of a, the first side, and b. [-0, +0, m] */
uint32_t bond_make(lua_State *L, host_sim *s, md_bond_kind kind, uint32_t a,
                   uint32_t b);

/* The ref of a monitor. [-0, +1, -] */
void bond_push_ref(lua_State *L, const host_sim *s, uint32_t bond);

/* Is there somebody to whom an error of p comes: a scope, or a process that
   traps exits? */
bool bond_caught(host_sim *s, uint32_t p);

/* The end of p, which has bonds, for the reason at index 1: all whom it
   concerns are told. `erred`: it is an error, and no kill. [-0, +0, m] */
void bond_over(lua_State *L, host_sim *s, uint32_t p, bool failed, bool erred);

/* -- child.c -- */

/* p is a child of `parent` from now on; with `forward` it also gets what that
   has not taken yet, and will get. [-0, +0, m] */
void child_bind(lua_State *L, host_sim *s, uint32_t parent, uint32_t p,
                bool forward);

/* The body of p is over: it takes no message any more, and its children are
   killed, newest first; true while it has any. [-0, +0, m] */
bool child_orphan(lua_State *L, host_sim *s, uint32_t p);

/* The n values from `first` on go to those to whom p forwards. [-0, +0, m] */
void child_forward(lua_State *L, host_sim *s, uint32_t p, uint32_t from,
                   int first, int n);

/* -- scope.c -- */

/* A process of the scope that is held at that slot has ended for the reason at
   index 1, which is an error or not. [-0, +0, m] */
void scope_lost(lua_State *L, host_sim *s, uint32_t slot, bool erred);

/* p has returned: is there a scope of its that goes on, for want of <close>?
   Then the error for it is on the top. [-0, +0|n, m] */
bool scope_unbound(lua_State *L, host_sim *s, uint32_t p);

/* The functions that scope.lua is made of, as a table. [-0, +1, m] */
int scope_open(lua_State *L);

#endif
