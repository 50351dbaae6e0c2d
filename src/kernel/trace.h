/* The trace: what happened, as binary records, and the hash over all of them
   that two equal runs share. The hash is always kept (about 1 ns a record);
   the records only while somebody has lent a ring to put them in. The ring is
   the lender's memory and lies outside the arena, so that looking at a run
   leaves its addresses as they are. */
#ifndef MD_KERNEL_TRACE_H
#define MD_KERNEL_TRACE_H

#include "base/time.h"

#include <stdint.h>

typedef enum md_trace_kind {
#define MD_EVENT(name, prose) MD_TRACE_##name,
#include "kernel/events.def"
#undef MD_EVENT
  MD_TRACE_KINDS
} md_trace_kind;

typedef struct md_trace_record {
  md_time time;
  uint64_t detail; /* the message's digest, or why the process goes on */
  uint32_t process, other;
  uint32_t kind, unused; /* 0, so that equal records have equal bytes */
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
  uint64_t count; /* records so far: the sequence number of the next */
  md_trace_ring *ring;
} md_trace;

const char *md_trace_name(md_trace_kind kind);
const char *md_trace_prose(md_trace_kind kind);

/* Puts a record into the lent ring. */
void md_trace_keep(md_trace *, const md_trace_record *);

static inline uint64_t trace_mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static inline void md_trace_tell(md_trace *trace, md_time time,
                                 md_trace_kind kind, uint32_t process,
                                 uint32_t other) {
  if (__builtin_expect(trace->ring == NULL, 1)) return;
  md_trace_record record = {time, 0, process, other, kind, 0};
  md_trace_keep(trace, &record);
}

static inline void md_trace_note(md_trace *trace, md_time time,
                                 md_trace_kind kind, uint32_t process,
                                 uint32_t other, uint64_t detail) {
  uint64_t word =
      (uint64_t)time ^ (uint64_t)process << 40 ^ (uint64_t)kind << 32;
  /* a small detail, such as why a process goes on, needs no word of its own */
  if ((other | detail >> 3) == 0) word ^= detail << 37;
  else trace->hash = trace_mix(trace->hash, detail ^ (uint64_t)other << 8);
  trace->hash = trace_mix(trace->hash, word);
  trace->count++;
  if (__builtin_expect(trace->ring != NULL, 0)) {
    md_trace_record record = {time, detail, process, other, kind, 0};
    md_trace_keep(trace, &record);
  }
}

#endif
