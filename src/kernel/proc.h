/* The processes of a sim: a table of slots that are used again, each with a
   generation, so that a process has a name of its own (md_pid) for ever.

   A process waits for at most one thing at a time. Its wait ends by at most
   one wake-up: the queue's entry whose low word it keeps in `wake` and whose
   time in `due`. Any other entry for the slot belongs to a wait that is over,
   and is ignored; this is the wait generation.

   What is touched at every event is 64 bytes, one cache line; what is not,
   32; what few processes have (a name, a bounded inbox) is made on demand.
   Index 0 is no process: the script, or nobody. */
#ifndef MD_KERNEL_PROC_H
#define MD_KERNEL_PROC_H

#include "base/arena.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t md_pid; /* generation above, index below */

enum { MD_INDEX_BITS = 24, MD_GENERATION_BITS = 28 };

typedef enum md_state {
  MD_FREE,
  MD_READY, /* a wake-up is due at this instant */
  MD_RUNNING,
  MD_SLEEPING, /* until its time */
  MD_WAITING,  /* for somebody else, perhaps until a time */
} md_state;

/* What a waiting process waits for. */
typedef enum md_wait {
  MD_WAIT_NOTHING,
  MD_WAIT_TIME,
  MD_WAIT_MESSAGE,  /* the host knows which */
  MD_WAIT_REPLY,    /* a message, from somebody whose death ends the wait */
  MD_WAIT_JOIN,     /* another's end */
  MD_WAIT_ROOM,     /* room in another's inbox */
  MD_WAIT_PLACE,    /* one of the host's things, or several */
  MD_WAIT_CHILDREN, /* the end of its children, or of some of them */
} md_wait;

/* Does such a wait end with another's end? Then the process is in the ring of
   those who wait for that. */
static inline bool md_wait_watches(md_wait wait) {
  return wait == MD_WAIT_REPLY || wait == MD_WAIT_JOIN;
}

/* Why a process goes on. */
typedef enum md_why {
  MD_WHY_START,
  MD_WHY_TIME,    /* the sleep is over, or the time to wait is */
  MD_WHY_MESSAGE, /* the host has put it where it is wanted */
  MD_WHY_END,     /* the process joined or asked has ended */
  MD_WHY_ROOM,    /* the message sent has been taken */
  MD_WHY_LOOK,    /* a message came that only the process itself can judge */
  MD_WHY_GRANT,   /* what it waits for is its own */
  MD_WHY_INTERRUPT,
  MD_WHY_UNWIND, /* killed, or a time limit around the wait is over */
} md_why;

enum {
  MD_STARTED = 1,
  MD_DYING = 2,      /* killed: takes no message any more, only unwinds */
  MD_PENDING = 4,    /* interrupts that wait for its next wait */
  MD_INDEXED = 8,    /* its inbox has entries in the index by tag */
  MD_ACCEPTS = 16,   /* what it is sent is checked */
  MD_BOUNDED = 32,   /* its inbox has a capacity */
  MD_BONDED = 64,    /* it has bonds: its end concerns others */
  MD_FORWARDS = 128, /* others get the messages that it gets */
};

typedef struct md_proc {
  uint64_t wake;
  md_time due;
  void *inner;  /* the host's: where it waits, NULL before it has */
  double drift; /* ticks wanted minus ticks slept */
  uint32_t generation;
  uint8_t state, rank;
  uint8_t wait : 3, why : 4;
  uint8_t kept : 1; /* its cold row holds more than its birth: look there */
  uint8_t flags;
  uint32_t inbox_first, inbox_count;
  union {
    struct {
      uint32_t prev, next; /* in the ring of those who wait for one's end */
    };
    md_time since; /* when any other wait, or the sleep, has begun */
  };
  uint32_t handed; /* messages that it got without their lying there */
  uint32_t target; /* whose end, which envelope or place, is waited for */
} md_proc;

_Static_assert(sizeof(md_proc) == 64, "a process is one cache line");

typedef struct md_proc_cold {
  uint64_t stream;   /* key of its own random stream */
  md_pid parent;     /* 0: the script or a callback */
  uint32_t watchers; /* the first who waits for its end */
  uint32_t extra;
  uint32_t answered; /* the host's: the ask that was replied to last */
  uint32_t inbox;    /* see mail.h; 0: nothing has ever lain in it */
} md_proc_cold;

_Static_assert(sizeof(md_proc_cold) == 32, "two processes to a cache line");

typedef enum md_full { MD_FULL_BLOCK, MD_FULL_DROP, MD_FULL_ERROR } md_full;

/* The rings that a process's bonds are in, see bond.h. */
typedef enum md_ring {
  MD_RING_LINKS,
  MD_RING_WATCHERS, /* monitors on it */
  MD_RING_WATCHED,  /* monitors of its own */
  MD_RING_PARENT,   /* with its parent, one at most */
  MD_RING_CHILDREN,
  MD_RING_SOURCE, /* with the parent that forwards to it, one at most */
  MD_RING_HEIRS,  /* with the children that it forwards to */
  MD_RINGS
} md_ring;

typedef struct md_proc_extra {
  char *name; /* the arena's, name_length bytes and a NUL */
  uint32_t name_length;
  uint32_t capacity;              /* of the inbox, 0: any number */
  uint32_t line_first, line_last; /* messages that wait for room */
  int64_t priority;
  uint64_t words[12];       /* the host's */
  uint32_t children;        /* unnamed ones spawned so far */
  uint32_t next;            /* free list */
  uint32_t rings[MD_RINGS]; /* the first bond of each */
  uint32_t mark, trail;     /* of a search through the links */
  uint8_t full;
  bool traps; /* exit signals come as messages */
} md_proc_extra;

typedef struct md_procs {
  md_arena *arena;
  md_proc *hot;
  md_proc_cold *cold;
  void **roots;   /* the host's: what goes on when the process does. They stand
                     close, so that the next can be fetched in time, and stay
                     with their slots. */
  md_time *born;  /* when; NULL while all were at the beginning */
  md_time *asked; /* when a wait for one's end that has a limit has begun; NULL
                     while there was none */
  md_proc_extra *extra;
  uint32_t capacity, used, free, live;
  uint32_t extra_capacity, extra_used, extra_free;
} md_procs;

bool md_procs_open(md_procs *, md_arena *);
void md_procs_close(md_procs *);

/* A slot for a new process, 0 when there is no memory or no index left. */
uint32_t md_procs_take(md_procs *);
void md_procs_release(md_procs *, uint32_t p);

/* Keeps when p was made; false when there is no memory for it, of which none is
   needed at the beginning. */
bool md_procs_date(md_procs *, uint32_t p, md_time);

/* Keeps when p began to wait for one's end, with a limit; forgotten where there
   is no memory. */
void md_procs_ask(md_procs *, uint32_t p, md_time);

/* Since when p sleeps or waits; -1: it does not, or that is forgotten. */
md_time md_procs_since(const md_procs *, uint32_t p);

/* The rare part of p, made when it is missing; NULL when there is no memory. */
md_proc_extra *md_procs_extra(md_procs *, uint32_t p);

/* Joins p to the ring of those who wait for the end of target, and leaves. */
void md_procs_watch(md_procs *, uint32_t p, uint32_t target);
void md_procs_unwatch(md_procs *, uint32_t p);

static inline md_time md_procs_born(const md_procs *t, uint32_t p) {
  return t->born != NULL ? t->born[p] : 0;
}

static inline md_pid md_procs_pid(const md_procs *t, uint32_t p) {
  return (md_pid)t->hot[p].generation << MD_INDEX_BITS | p;
}

/* The index of a living process, 0 when it has ended or never was. */
static inline uint32_t md_procs_index(const md_procs *t, md_pid pid) {
  uint32_t p = pid & ((1u << MD_INDEX_BITS) - 1);
  if (p >= t->used || t->hot[p].state == MD_FREE) return 0;
  return t->hot[p].generation == pid >> MD_INDEX_BITS ? p : 0;
}

#endif
