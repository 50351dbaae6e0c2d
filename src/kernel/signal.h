/* Signals: what happened in a sim, for those who ask afterwards. The last of
   them are always kept, in the arena, all but WAKE; reading takes them away.

   A record is the time and a word:

     kind 8 | process 24 | other 24 | follows 8

   `follows` is what comes of a SEND at once: the message is received, or
   queued. That is a signal of its own when it is read. Processes are named by
   index; the reader knows the generation of each slot at the record it has come
   to, and counts on at each end. A record about a process that had ended by
   then follows one with both pids: SIGNAL_PIDS is the kind of that and what
   `follows` of the other.

   Records are numbered; a number's place is taken modulo the capacity, a power
   of two that doubles up to SIGNALS_MOST. Then, or without memory, the oldest
   are written over. That is seen to when `last` reaches `room`; how many
   signals were lost is counted when somebody reads. Invariant: `number` signals
   came before record `first`, and last + more in all.

   Cost: 2 ns a message. */
#ifndef MD_KERNEL_SIGNAL_H
#define MD_KERNEL_SIGNAL_H

#include "base/arena.h"
#include "kernel/proc.h"
#include "kernel/trace.h"

#include <stdbool.h>

enum {
  SIGNAL_KIND = 56, /* where in the word it is */
  SIGNAL_PROCESS = 32,
  SIGNAL_OTHER = 8,
  SIGNAL_PIDS = 0xff,
  SIGNALS_MOST = 1 << 16,
};

_Static_assert(MD_INDEX_BITS == 24 && MD_TRACE_KINDS < 0xff &&
                   MD_INDEX_BITS + MD_GENERATION_BITS <= SIGNAL_KIND,
               "a signal fits into a word");

typedef struct md_signal_record {
  md_time time;
  uint64_t word;
} md_signal_record;

typedef struct md_signals {
  md_signal_record *records;
  uint64_t last, room, mask; /* mask: capacity - 1 */
  uint64_t more;             /* signals ever, less the records */
  uint64_t first, number, lost;
  bool half;             /* of record `first` one signal has been read */
  uint32_t *generations; /* at `first`, by slot */
  uint32_t slots;
  const md_procs *procs;
  md_arena *arena;
} md_signals;

typedef struct md_signal {
  md_trace_kind kind;
  md_time time;
  md_pid process, other; /* 0: none */
  uint64_t number;       /* from 1 on */
} md_signal;

bool md_signals_open(md_signals *, md_arena *, const md_procs *);
void md_signals_close(md_signals *);

/* `last` has reached `room`: makes room for one more. */
void md_signals_make_room(md_signals *);

/* Keeps a record about processes that may have ended. */
void md_signals_keep_pids(md_signals *, md_time, md_trace_kind, md_pid process,
                          md_pid other);

/* Makes what is kept ready to be read, and counts the signals that were lost
   since the last time; false when there is no memory. */
bool md_signals_ready(md_signals *, uint64_t *lost);

/* Reads the first signal before record `end`, when all is ready; false when
   there is none. */
bool md_signals_read(md_signals *, uint64_t end, md_signal *);

static inline uint64_t md_signal_word(md_trace_kind kind, uint32_t process,
                                      uint32_t other) {
  return (uint64_t)kind << SIGNAL_KIND | (uint64_t)process << SIGNAL_PROCESS |
         (uint64_t)other << SIGNAL_OTHER;
}

static inline void md_signals_keep(md_signals *t, md_time time, uint64_t word) {
  if (__builtin_expect(t->last == t->room, 0)) md_signals_make_room(t);
  md_signal_record *record = &t->records[t->last++ & t->mask];
  record->time = time;
  record->word = word;
}

#endif
