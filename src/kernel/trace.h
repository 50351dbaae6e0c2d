/* The trace: what happened, as records, and the hash over all of them that two
   equal runs share. The hash is always kept (about 1 ns a record) and names
   processes by index; records name them by pid, so that they can be read after
   a slot was used again. They go to the sim's signals (see signal.h) and, while
   somebody has lent a ring, all of them to that. The ring is the lender's
   memory and lies outside the arena, so that looking at a run leaves its
   addresses as they are. */
#ifndef MD_KERNEL_TRACE_H
#define MD_KERNEL_TRACE_H

#include "base/time.h"
#include "kernel/proc.h"

#include <stdint.h>

typedef enum md_trace_kind {
#define MD_EVENT(name, prose, ...) MD_TRACE_##name,
#include "kernel/events.def"
#undef MD_EVENT
  MD_TRACE_KINDS
} md_trace_kind;

typedef struct md_trace_record {
  md_time time;
  uint64_t detail; /* the message's digest, its arrival, why one goes on */
  md_pid process, other; /* 0: none */
  uint32_t kind, sim;
} md_trace_record;

/* `first` and `last` only grow; the place is taken modulo `capacity`, a power
   of two. A full ring forgets its oldest record, and counts it. */
typedef struct md_trace_ring {
  md_trace_record *records;
  uint64_t first, last, lost;
  uint32_t capacity;
} md_trace_ring;

typedef struct md_trace {
  uint64_t hash;
  md_trace_ring *ring;
  uint32_t sim; /* the number of the sim, for those who read the ring */
} md_trace;

const char *md_trace_name(md_trace_kind kind);
const char *md_trace_prose(md_trace_kind kind);

/* What the other process of such a signal is to it, "" when there is none. */
const char *md_trace_field(md_trace_kind kind);

/* The kind of that name, MD_TRACE_KINDS when there is none. */
md_trace_kind md_trace_kind_of(const char *name);

/* Puts a record into the lent ring. */
void md_trace_keep(md_trace_ring *, const md_trace_record *);

static inline uint64_t trace_mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static inline uint64_t md_trace_hash(uint64_t hash, md_time time,
                                     md_trace_kind kind, uint32_t process,
                                     uint32_t other, uint64_t detail) {
  uint64_t word =
      (uint64_t)time ^ (uint64_t)process << 40 ^ (uint64_t)kind << 32;
  /* a small detail, such as why a process goes on, needs no word of its own */
  if ((other | detail >> 3) == 0) word ^= detail << 37;
  else hash = trace_mix(hash, detail ^ (uint64_t)other << 8);
  return trace_mix(hash, word);
}

#endif
