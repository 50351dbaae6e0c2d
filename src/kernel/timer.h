/* What is due at a time and is no process's own wake-up: callbacks, messages
   sent for later, limits on a process's waits. A record in a pool, found by
   the slot of its key in the queue; `wake` and `due` are that key, and any
   other entry for the slot is one that was cancelled. */
#ifndef MD_KERNEL_TIMER_H
#define MD_KERNEL_TIMER_H

#include "base/arena.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t md_timer_id; /* generation above, index below; 0: none */

typedef struct md_timer {
  uint64_t wake; /* 0: free */
  md_time due;
  uint64_t made;     /* grows from one to the next, under "random" */
  uint64_t words[3]; /* the host's */
  uint32_t generation, kind, next;
} md_timer;

typedef struct md_timers {
  md_arena *arena;
  md_timer *records;
  uint32_t capacity, used, free;
} md_timers;

void md_timers_open(md_timers *, md_arena *);
void md_timers_close(md_timers *);

/* A free record's index, 0 when there is no memory. */
uint32_t md_timers_take(md_timers *);
void md_timers_release(md_timers *, uint32_t i);

static inline md_timer_id md_timers_id(const md_timers *t, uint32_t i) {
  return (md_timer_id)t->records[i].generation << 32 | i;
}

/* The index of a timer that is still to come, else 0. */
static inline uint32_t md_timers_index(const md_timers *t, md_timer_id id) {
  uint32_t i = (uint32_t)id;
  if (i == 0 || i >= t->used || t->records[i].wake == 0) return 0;
  return t->records[i].generation == id >> 32 ? i : 0;
}

#endif
