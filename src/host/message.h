/* What sending and waiting share: how a message fares that is sent. */
#ifndef MD_HOST_MESSAGE_H
#define MD_HOST_MESSAGE_H

#include "host/recorder.h"

typedef enum message_fate {
  MESSAGE_GONE,  /* handed over, or queued */
  MESSAGE_LOST,  /* dropped */
  MESSAGE_LINED, /* waits for room, as the envelope says */
  MESSAGE_OVER,  /* the inbox is full, and that is an error */
  MESSAGE_TWICE, /* dropped: a second reply to an ask, which is an error */
} message_fate;

/* Sends the top n values of L, from `first` on, to `to` alone (0: it has
   ended); or, where it has heirs, to these as well. With MESSAGE_LINED,
   `envelope` is its place in the line. `digest` stands for it in the trace.
   [-n|0, +0, m] */
message_fate message_deliver(lua_State *L, host_sim *s, uint32_t to,
                             uint32_t from, int first, int n, uint64_t digest,
                             uint32_t *envelope);
message_fate message_pass_on(lua_State *L, host_sim *s, uint32_t to,
                             uint32_t from, int first, int n, uint64_t digest,
                             uint32_t *envelope);

static inline message_fate message_send(lua_State *L, host_sim *s, uint32_t to,
                                        uint32_t from, int first, int n,
                                        uint64_t digest, uint32_t *envelope) {
  if (to != 0 && md_sim_proc(s->kernel, to)->flags & MD_FORWARDS)
    return message_pass_on(L, s, to, from, first, n, digest, envelope);
  return message_deliver(L, s, to, from, first, n, digest, envelope);
}

/* The process that runs in s, 0: the script or a callback sends. */
static inline uint32_t message_sender(const host_sim *s) {
  return s->host->sim == s ? s->host->process : 0;
}

/* Hands the top n values of L, from `first` on, to `to`, or puts them into its
   inbox, full or not; one that only unwinds may lose them. [-n|0, +0, m] */
void message_tell(lua_State *L, host_sim *s, uint32_t to, uint32_t from,
                  int first, int n);

/* Takes envelope e out of p's inbox, or out of the line before it, and forgets
   its values. Apart: within wait it cost a ring of processes 5 %. [-0, +0, -]
 */
__attribute__((noinline)) void
message_release(lua_State *L, host_sim *s, uint32_t p, uint32_t e, bool line);

/* Looks for a message that waits already, and fits the patterns at 1 and what
   follows, or the ref at 1; pushes what it gives. [-0, +n|0, e] */
bool message_look(lua_State *L, host_sim *s, uint32_t p, int patterns);

/* The living process of the sim that runs which argument 1 is the pid of and
   whose inbox is its own and never full: the usual receiver. 0: it takes a
   closer look. */
uint32_t message_plain(lua_State *L, const md_host *h);

/* Raises when the n values must not be sent to `to` (0: it has ended): a record
   that lacks a field, or what `to` does not accept. [-0, +0, e] */
void message_check(lua_State *L, host_sim *s, uint32_t to, const char *call,
                   int first, int n);

/* Takes the first message of p for whose values the function at `fn` returns
   true, also from the line before its inbox. [-0, +0, e] */
void message_take(lua_State *L, host_sim *s, uint32_t p, int fn);

/* Sends the values from 2 on to the process at 1, which is `to`, or 0 when that
   has ended; true when they stand in line before its inbox. Raises where they
   cannot be sent. [-0, +0, e] */
bool message_send_on(lua_State *L, host_sim *s, uint32_t to, uint64_t digest,
                     const char *call, uint32_t *envelope);

/* Raises that the inbox of `to` is full. */
int message_overflow(lua_State *L, host_sim *s, uint32_t to, const char *call);

#endif
