/* What a sim is made of, for the kernel's own files alone: sim.c has it run,
   life.c has processes begin and end, order.c keeps its keys in order. */
#ifndef MD_KERNEL_STATE_H
#define MD_KERNEL_STATE_H

#include "kernel/sim.h"

enum {
  SIM_QUICK = 1024,     /* sleeps in a row without a look at the host's loop */
  SIM_CROWD = 2000,     /* more processes do not fit in the second cache */
  SIM_SWEEP = 64,       /* forgotten keys that are not worth a sweep */
  SIM_SUSPECT = 100000, /* the last events before zeno are counted by name */
};

#define SIM_FOREVER INT64_MAX

/* Most fields of the first lines are touched at every event. */
struct md_sim {
  md_time now, limit;
  uint64_t events, instant; /* the first event of this instant */
  uint64_t last;            /* the run ends when so many have happened */
  uint64_t attention;       /* from so many on, each is looked at closely */
  uint32_t pending;         /* keys in the queue that somebody waits for */
  uint64_t quick_last, quick_most; /* events up to which, and how many more,
                                      processes may go on by themselves */
  bool starved;                    /* a wake-up was lost for want of memory */
  md_trace trace;
  md_procs procs;
  md_queue queue;
  uint64_t zeno, suspect;
  md_timers timers;
  md_signals signals;
  md_mails mails;
  md_bonds bonds;
  md_scale scale;
  md_arena *arena;
  uint64_t seed;
  uint32_t *counts; /* events by process at an instant that has had many, */
  uint64_t counted; /* that which began with this event */
  uint32_t counts_size;
  int ranks; /* priorities in use, ascending; a rank is an index */
  int64_t priorities[MD_RANKS];
};

/* Gives out the turns anew, in the same order. */
void md_order_turn_over(md_sim *);

/* A key is wanted no more: its owner knows it no longer. */
void md_order_forget(md_sim *, md_key);

/* The rank of a priority, -1 where there is none left. A new one shifts the
   ranks above it, which leaves the order of all keys as it is. */
int md_order_rank(md_sim *, int64_t priority);

/* The key that the owner of a slot waits for. */
static inline md_key sim_owned(const md_sim *s, uint32_t slot) {
  uint64_t wake;
  md_time due;
  if (slot & MD_SLOT_TIMER) {
    const md_timer *timer = &s->timers.records[slot & ~MD_SLOT_TIMER];
    wake = timer->wake;
    due = timer->due;
  } else {
    wake = s->procs.hot[slot].wake;
    due = s->procs.hot[slot].due;
  }
  return md_key_of(due, wake);
}

static inline bool sim_wanted(const md_sim *s, md_key key) {
  return sim_owned(s, md_key_slot(key)) == key;
}

/* A key that goes in now; MD_KEY_NONE when there is no memory for it. What is
   due at once and in order needs no sorting. */
static inline md_key sim_schedule(md_sim *s, md_time time, uint8_t rank,
                                  uint32_t slot) {
  md_queue *q = &s->queue;
  assert(time >= s->now);
  if (md_queue_turns_over(q)) md_order_turn_over(s);
  md_key key = md_queue_key(q, time, rank, slot);
  bool due = time == s->now && q->order == MD_FIFO && s->ranks == 1;
  bool done = (due && md_queue_append(q, key)) || md_queue_push(q, key);
  if (!done) return MD_KEY_NONE;
  s->pending++;
  return key;
}

/* p waits for another's end no more, if it did. */
static inline void sim_unwatch(md_sim *s, uint32_t p) {
  const md_proc *proc = &s->procs.hot[p];
  if (proc->state == MD_WAITING && md_wait_watches((md_wait)proc->wait))
    md_procs_unwatch(&s->procs, p);
}

/* p's wake-up, if there is one to come, is forgotten. */
static inline void sim_disarm(md_sim *s, uint32_t p) {
  if (s->procs.hot[p].wake == 0) return;
  md_key key = sim_owned(s, p);
  s->procs.hot[p].wake = 0;
  md_order_forget(s, key);
}

/* -- zeno.c -- */

/* Counts an event of p (0: a timer) among those that keep an instant from
   ending. */
void sim_suspect(md_sim *s, uint32_t p);

#endif
