/* A simulation: virtual time, the events to come, the processes and their
   messages. This is the facade, the one header of the kernel that others
   include (beside rng.h, dist.h and record.h, which stand alone).

   The kernel is passive: the host asks md_sim_next for what is due, does it,
   and tells what came of it. It never calls back, prints, or looks at a clock.
   Processes are named by an index while they live (never 0), and by a md_pid
   for ever. All memory is the arena's; a function that needs some says how it
   fails for want of it, and has changed nothing then. */
#ifndef MD_KERNEL_SIM_H
#define MD_KERNEL_SIM_H

#include "base/arena.h"
#include "base/time.h"
#include "kernel/bond.h"
#include "kernel/mail.h"
#include "kernel/proc.h"
#include "kernel/queue.h"
#include "kernel/signal.h"
#include "kernel/timer.h"
#include "kernel/trace.h"

typedef struct md_sim md_sim;

typedef struct md_sim_options {
  uint64_t seed;
  md_order order;
  int precision;
  uint64_t zeno; /* events at one instant that end a run, 0: no bound */
} md_sim_options;

md_sim *md_sim_open(md_arena *, const md_sim_options *);
void md_sim_close(md_sim *);

/* -- time -- */

md_time md_sim_now(const md_sim *);
md_scale md_sim_scale(const md_sim *);
uint64_t md_sim_seed(const md_sim *);
uint64_t md_sim_events(const md_sim *); /* that have happened */
uint64_t md_sim_hash(const md_sim *);
md_trace *md_sim_trace(md_sim *);
md_signals *md_sim_signals(md_sim *);
void md_sim_zeno(md_sim *, uint64_t zeno);
md_order md_sim_order(const md_sim *);

/* -- the run -- */

typedef enum md_next {
  MD_NEXT_PROCESS, /* event.process goes on, for the reason of md_sim_why */
  MD_NEXT_TIMER,   /* event.timer came due and is released */
  MD_NEXT_ENOUGH,  /* as many events as were asked for */
  MD_NEXT_LIMIT,   /* nothing up to the limit, something after it */
  MD_NEXT_NOTHING, /* nothing at all */
  MD_NEXT_ZENO,    /* too many events at this instant */
  MD_NEXT_STARVED, /* no memory for a wake-up: the run cannot go on */
} md_next;

typedef struct md_event {
  uint32_t process;
  uint32_t timer_kind;
  uint64_t made; /* the timer's */
  uint64_t words[3];
} md_event;

/* How far md_sim_next goes: to the limit, or for so many events; and whether a
   process may go on by itself when it would be next anyway (`quick`), which
   nobody sees then but the trace. */
void md_sim_bound(md_sim *, md_time limit, uint64_t events, bool quick);

/* No process goes on by itself any more until the next md_sim_next. */
void md_sim_halt(md_sim *);

/* Takes the next event and moves the clock to it. */
md_next md_sim_next(md_sim *, md_event *);

/* The same, when it is a process's turn and nothing has to be looked at before:
   the process; else 0, and nothing has happened. Only where a process may go on
   by itself, too, and so many times in a row at most. */
uint32_t md_sim_next_turn(md_sim *);

/* The time of the next event; false when there is none. */
bool md_sim_peek(md_sim *, md_time *);

/* The process that is next, or 0 and the timer that is; both none: nothing. */
uint32_t md_sim_first(md_sim *, const md_timer **);

/* Moves the clock forward; no event may lie before that time. */
void md_sim_forward(md_sim *, md_time);

/* Processes that md_sim_next will soon give, the next one first, so that they
   can be fetched into the cache meanwhile; 0 stands for none. Returns how
   many, which is none while all of them are in the cache anyway. */
enum { MD_COMING = 2 };
int md_sim_coming(const md_sim *, uint32_t processes[MD_COMING]);

/* Up to n processes with the most events at an instant that has had too many,
   most first; returns how many. */
int md_sim_busiest(const md_sim *, uint32_t *processes, uint32_t *counts,
                   int n);

/* -- processes -- */

/* A new process that starts at `at`, after what is due then; 0 when there is
   no memory. A lower priority number goes first among equal times. */
uint32_t md_sim_spawn(md_sim *, md_time at, int64_t priority, uint32_t parent);

/* False when a process of that priority cannot be for want of ranks: at most
   MD_RANKS different priorities are live at one time. */
bool md_sim_priority_free(const md_sim *, int64_t priority);

/* From the next wake-up of p on; false when there is no memory, or no rank. */
bool md_sim_set_priority(md_sim *, uint32_t p, int64_t priority);

/* The wake-up of p comes before all else of its time, if it has one; so does a
   timer. False when there is no memory. */
bool md_sim_hasten(md_sim *, uint32_t p);
bool md_sim_hasten_timer(md_sim *, const md_timer *);

/* p ends: those who wait for its end are told so, its slot is free. Its inbox
   must be empty. */
void md_sim_end(md_sim *, uint32_t p, bool failed);

/* The same in two steps, for one with bonds: who waits for its end is told so;
   then its bonds are broken and its slot is free, and its parent goes on if it
   waits for its last child. The host tells the others in between. */
void md_sim_stop(md_sim *, uint32_t p, bool failed);
void md_sim_release(md_sim *, uint32_t p);

md_bonds *md_sim_bonds(md_sim *);

md_pid md_sim_pid(const md_sim *, uint32_t p);
uint32_t md_sim_index(const md_sim *, md_pid); /* 0: it has ended */
uint32_t md_sim_live(const md_sim *);
uint32_t md_sim_after(const md_sim *, uint32_t p); /* next living one, 0 */
md_proc *md_sim_proc(const md_sim *, uint32_t p);
void *md_sim_root(const md_sim *, uint32_t p); /* kept with the slot */
void md_sim_set_root(md_sim *, uint32_t p, void *root);
md_proc_cold *md_sim_cold(const md_sim *, uint32_t p);
md_proc_extra *md_sim_extra(const md_sim *, uint32_t p); /* or NULL */
md_proc_extra *md_sim_make_extra(md_sim *, uint32_t p);  /* or no memory */
bool md_sim_name(md_sim *, uint32_t p, const char *name, size_t length);
int64_t md_sim_priority(const md_sim *, uint32_t p);

/* Since when p sleeps or waits; -1: it does neither, or nobody knows. */
md_time md_sim_since(const md_sim *, uint32_t p);

/* -- waits -- */

/* Sleeps for `ticks`; true when the clock has moved already because nobody
   else was due, false when the process must wait for its event. */
bool md_sim_sleep(md_sim *, uint32_t p, md_time ticks);

/* p comes back in this instant, after all that is due, whatever its
   priority; under "lifo" at once. */
void md_sim_yield(md_sim *, uint32_t p);

/* p waits; with a deadline (else -1) it goes on at that time at the latest.
   The target of JOIN and REPLY is the process whose end ends the wait, that
   of ROOM the envelope that waits in a line. */
void md_sim_wait(md_sim *, uint32_t p, md_wait, md_time deadline,
                 uint32_t target);

/* p, which waits for the end of a process or its reply, does for another's. */
void md_sim_watch(md_sim *, uint32_t p, uint32_t target);

/* Ends p's wait, whatever it is: it goes on in this instant, for that reason.
   Whatever the host keeps for the wait is the host's to give back. */
void md_sim_wake(md_sim *, uint32_t p, md_why);

/* -- messages -- */

md_mails *md_sim_mails(md_sim *);

/* p's inbox holds at most so many messages; false when there is no memory. */
bool md_sim_bound_inbox(md_sim *, uint32_t p, uint32_t capacity, md_full);

/* True when p's inbox takes one more message at once. */
bool md_sim_room(const md_sim *, uint32_t p);

/* Puts a message at the end of p's inbox; 0 when there is no memory. */
uint32_t md_sim_post(md_sim *, uint32_t p, uint64_t tag, md_pid from,
                     uint32_t slot, uint32_t count);

/* Takes a message out; the first that waits for room comes in. And the same
   for one that nobody wants, which counts as dropped. */
md_mail md_sim_take(md_sim *, uint32_t p, uint32_t envelope);
md_mail md_sim_drop(md_sim *, uint32_t p, uint32_t envelope);

/* -- timers -- */

/* Something of that kind at that time, 0 when there is no memory. */
md_timer_id md_sim_at(md_sim *, md_time, uint32_t kind, const uint64_t words[3],
                      int64_t priority);

/* Cancels it and gives its words; false when it has been or was cancelled. */
bool md_sim_cancel(md_sim *, md_timer_id, uint64_t words[3]);

/* The next in the table of those that are still to come, NULL at its end; the
   first after NULL. */
const md_timer *md_sim_timer_after(const md_sim *, const md_timer *);

/* A message is being sent: noted before anybody looks at it, and kept among the
   signals together with what comes of it at once. */
typedef enum md_sent {
  MD_SENT, /* nothing, or what is noted by itself */
  MD_SENT_RECEIVED = MD_TRACE_RECEIVE,
  MD_SENT_QUEUED = MD_TRACE_QUEUE,
} md_sent;
void md_sim_send(md_sim *, uint32_t from, uint32_t to, uint64_t digest);
void md_sim_sent(md_sim *, uint32_t from, uint32_t to, md_sent);

/* p has taken a message of `from`, who may have ended, from its inbox. */
void md_sim_received(md_sim *, uint32_t p, md_pid from, uint32_t arrival);

/* Notes what happened; or tells only those who read the trace what follows from
   what is noted anyway. */
void md_sim_tell(md_sim *, md_trace_kind, uint32_t process, uint32_t other);
void md_sim_note(md_sim *, md_trace_kind, uint32_t process, uint32_t other,
                 uint64_t detail);

/* The same of processes that may have ended. */
void md_sim_note_pids(md_sim *, md_trace_kind, md_pid process, md_pid other,
                      uint64_t detail);

#endif
