/* Turns: whose they were at this instant, of the processes of a family and of
   what these have planned, since the family's last signal. A replay puts them
   into that order again, whatever the tie rule is and whoever is not run. Those
   of earlier instants are forgotten, for the tie rule says enough of them; but
   "random" says nothing, and those that were due with others are kept.

   The list is the family's (`since`, `count`), in the arena: words, of which
   those of an instant begin at `first`, with TURN_AT and its time under
   "random". A turn that finds no memory is left out, and a replay has to do
   without it. */
#ifndef MD_HOST_TURN_H
#define MD_HOST_TURN_H

#include "host/recorder.h"

/* A turn of what p has planned, in the list; under "random" with the number of
   it among those that p has planned for this time. */
#define TURN_TIMED (1ull << 63)
enum { TURN_NUMBER = 52, TURN_NUMBER_MOST = 0x7ff };

/* The next word of the list is the time of those that follow. */
#define TURN_AT UINT64_MAX

/* The process p has its turn; a timer has, which may be one of a family's. */
void host_record_turn(const host_sim *s, uint32_t p);
void host_record_timer(host_sim *s, const md_event *);

/* Pushes whose turns there were since the last signal, for one of the pid: a
   list, or nil when it follows from the numbers of turns: nobody's when there
   is none more, that of pid when there is one. [-0, +1, m] */
void turn_push_since(lua_State *L, const host_sim *s, host_family *,
                     const void *pid);

/* A family is forgotten: the finalizer of one. */
int turn_forget(lua_State *L);

#endif
