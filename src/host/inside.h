/* What the library's own Lua modules have of the host: moondial.inside. */
#ifndef MD_HOST_INSIDE_H
#define MD_HOST_INSIDE_H

#include "host/host.h"

/* The sim at index 1, and its living process at index 2, 0: it has ended. */
host_sim *inside_sim(lua_State *L);
uint32_t inside_process_arg(lua_State *L, host_sim *s);

/* recorder(fn): fn(pid, time, kind, ...) is told from now on. */
int inside_recorder(lua_State *L);

/* record(sim, pid [, family]) -> family: it is told of the process, and of
   those that it spawns. turns(family) -> integer: how many theirs were. */
int inside_record(lua_State *L);
int inside_turns(lua_State *L);

/* since(sim, pid, family) -> list or nil: whose turns there were since the last
   signal, for one of pid; see turn.h. timed(sim, pid, family): a message that
   pid has sent for later has its turn. last(sim, family) -> pid or nil,
   boolean: whose was the last since then, and whether it was a timer's. */
int inside_since(lua_State *L);
int inside_timed(lua_State *L);
int inside_last(lua_State *L);

/* hasten(sim, pid, time [, timed [, number]]) -> boolean: what the process does
   at that time, or a timer that it has planned for then, comes before all else;
   false: there is none. */
int inside_hasten(lua_State *L);

/* keep(family, signal): at the end of its log. log(family) -> list: what is in
   it, from now on elsewhere. loud(family, yes): every signal is told. */
int inside_keep(lua_State *L);
int inside_log(lua_State *L);
int inside_loud(lua_State *L);

/* What stands for a nil in a log: the field `nothing` of the table on the top.
   [-0, +0, m] */
void inside_open_recorder(lua_State *L);

/* uses(sim, pid, yes): the process is in md.use. stands(sim, pid): it stands in
   for another. */
int inside_uses(lua_State *L);
int inside_stands(lua_State *L);

/* What inboxes have kept, see inbox.c. */
int inside_inboxes(lua_State *L);
int inside_unfinished(lua_State *L);
int inside_ended_inboxes(lua_State *L);
int inside_reset_inboxes(lua_State *L);

#endif
