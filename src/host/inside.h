/* What the library's own Lua modules have of the host, and the recorder that
   is told what the processes of a template's instances do. */
#ifndef MD_HOST_INSIDE_H
#define MD_HOST_INSIDE_H

#include "host/host.h"

/* True when the recorder is told of what p does. */
bool host_recorded(const host_sim *s, uint32_t p);

/* Tells it with the n values on the top; true when it says so. [-n, +0, e] */
bool host_record(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                 int n);

/* The same with copies of n values from `first` on, if p is recorded. */
void host_record_values(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                        int first, int n);

/* p begins: what it runs may be replaced. Below the top are host_body's. */
void host_record_start(lua_State *L, host_sim *s, uint32_t p);
void host_record_spawn(lua_State *L, host_sim *s, uint32_t p, uint32_t child);

/* p sends n values to the pid at `to`, now or at a time (else -1); true when
   they are to be kept back. */
bool host_record_send(lua_State *L, host_sim *s, uint32_t p, int to, md_time at,
                      int first, int n);

#endif
