/* The clauses of a receive, compiled: a userdata whose patterns are C values,
   so that a sender can try its message against them without a look at Lua.

     { "ping", md.is.pid, fn }     patterns, then the function that gets what
     { "stop" }                    is captured and the rest; a guard,
     { md._, fn, when = guard }    if there is one, gets the same before

   Its user value is a table: of n clauses, [i] the function of clause i or nil,
   from n + 1 on their guards and the patterns that are objects, which it keeps
   alive; `after` as it was given. */
#ifndef MD_HOST_CLAUSES_H
#define MD_HOST_CLAUSES_H

#include "host/host.h"

/* Compiles the table at i; pushes the userdata. Once, and used again and again,
   it is looked at more exactly. [-0, +1, e] */
void clauses_compile(lua_State *L, int i, bool exact);

/* One clause of the n patterns from `first` on, or of the predicate there if n
   is below 0; it drops what does not match if it is to `filter`. [-0, +1, e] */
void clauses_compile_one(lua_State *L, const char *call, int first, int n,
                         bool filter);

/* True when it has an `after`. */
bool clauses_timed(lua_State *C, int i);

/* True when what does not match is dropped. */
bool clauses_filter(lua_State *C, int i);

/* True when the value at i is compiled clauses. */
bool clauses_at(lua_State *L, int i);

/* The first clause, from 1, that the n values from `first` on match; 0. The
   guards are called on the stack of L. */
int clauses_find(lua_State *C, int i, lua_State *L, int first, int n);

/* Clauses there are, and the tag that clause c asks for (0: any). */
int clauses_count(lua_State *C, int i);
uint64_t clauses_tag(lua_State *C, int i, int c);

/* False when no message with that tag matches any of them. */
bool clauses_may(lua_State *C, int i, uint64_t tag);

/* The pid or ref that every clause has as a literal; NULL: there is none. */
const void *clauses_name(lua_State *C, int i);

/* Moves the top n values of L, which match clause c, to `leaf`: the number c,
   then captures and rest. False when there is no memory. [-n, +0, -] */
bool clauses_move(lua_State *leaf, int c, lua_State *L, int first, int n);

/* The message at first .. top matches clause c of those at i: leaves the number
   c there, then captures and rest. [-*, +*, m] */
void clauses_gather(lua_State *L, int i, int c, int first);

/* Moves them back; returns how many. [-0, +n, m] */
int clauses_restore(lua_State *leaf, lua_State *L);

#endif
