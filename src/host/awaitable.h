/* Values that md.await takes, and what each stands for. */
#ifndef MD_HOST_AWAITABLE_H
#define MD_HOST_AWAITABLE_H

#include "host/place.h"

/* Is the value at i something to await, other than a function? [-0, +0, m] */
bool await_can(lua_State *L, int i);

/* A function, which is run as a child. */
bool await_is_body(lua_State *L, int i);

/* Is it an any or an all? Its user value is the list. [-0, +0, m] */
bool await_combination(lua_State *L, int i, bool *all);

/* The request that the value at i stands for; a copy of what goes with it is
   pushed. [-0, +1, e] */
request await_request(lua_State *L, host_sim *s, int i);

/* Raises that the value at i cannot be awaited. */
int await_refuse(lua_State *L, const char *call, int i);

#endif
