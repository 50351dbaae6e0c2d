/* The modules of the library that are in C: each adds its functions to the
   table on the top. [-0, +0, m] */
#ifndef MD_HOST_MODULES_H
#define MD_HOST_MODULES_H

#include "host/host.h"

void host_open_asking(lua_State *L);
void host_open_awaitable(lua_State *L);
void host_open_awaiting(lua_State *L);
void host_open_bodies(lua_State *L);
void host_open_bonds(lua_State *L);
void host_open_chance(lua_State *L);
void host_open_streams(lua_State *L);
void host_open_children(lua_State *L);
void host_open_containers(lua_State *L);
void host_open_coroutines(lua_State *L);
void host_open_deadlock(lua_State *L);
void host_open_errors(lua_State *L);
void host_open_events(lua_State *L);
void host_open_flags(lua_State *L);
void host_open_failure(lua_State *L);
void host_open_gates(lua_State *L);
void host_open_inspection(lua_State *L);
void host_open_library(lua_State *L);
void host_open_limits(lua_State *L);
void host_open_mailboxes(lua_State *L);
void host_open_messages(lua_State *L);
void host_open_patterns(lua_State *L);
void host_open_processes(lua_State *L);
void host_open_pull(lua_State *L);
void host_open_receiving(lua_State *L);
void host_open_protocols(lua_State *L);
void host_open_records(lua_State *L);
void host_open_resources(lua_State *L);
void host_open_sims(lua_State *L);
void host_open_state(lua_State *L);
void host_open_stores(lua_State *L);
void host_open_time(lua_State *L);
void host_open_travel(lua_State *L);
void host_open_types(lua_State *L);
void host_open_values(lua_State *L);

/* Modules of their own: [-0, +1, e] */
int host_open_ffi(lua_State *L);
int host_open_inside(lua_State *L);

#endif
