/* The events to come, in a total order: time, then rank (priority), then turn
   (the tie rule), then slot. The four are one 128-bit number, so the
   comparator is one comparison.

        127          64 63     56 55        28 27     0
       +---------------+---------+------------+--------+
       | time, ticks   | rank    | turn       | slot   |
       +---------------+---------+------------+--------+

   A branchless 4-ary heap (LaMarca and Ladner 1996), 16 bytes an entry, holds
   what lies ahead; a ring holds what is due now, which under "fifo" needs no
   sorting. Taking the root leaves a hole that the next push fills, so that a
   process that sleeps again costs one sift. An entry is cancelled by
   forgetting its key: the owner compares the key it waits for with the one
   that comes, and the sim sweeps the forgotten ones out when they are many.

   Invariant: the last entry is followed by four of MD_KEY_NONE, so children
   need no bounds check; the ring is sorted. Memory is the arena's; a push may
   fail for want of it, and no entry has changed then. */
#ifndef MD_KERNEL_QUEUE_H
#define MD_KERNEL_QUEUE_H

#include "base/arena.h"
#include "base/time.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 md_key;

#define MD_KEY_NONE (~(md_key)0)

enum {
  MD_SLOT_BITS = 28,
  MD_TURN_BITS = 28,
  MD_RANKS = 256,
};

typedef enum md_order { MD_FIFO, MD_LIFO, MD_RANDOM } md_order;

typedef struct md_queue {
  md_key *heap; /* within `block`: heap[1] begins a cache line */
  void *block;
  uint32_t count, capacity;
  bool hole; /* heap[0] has been taken and not yet replaced */
  md_order order;
  uint64_t turn, shuffle;
  md_key *ring;
  uint32_t ring_first, ring_last, ring_capacity;
  md_arena *arena;
} md_queue;

bool md_queue_open(md_queue *, md_arena *, md_order, uint64_t shuffle);
void md_queue_close(md_queue *);

/* Makes room for one entry more; false when there is no memory. */
bool md_queue_grow_heap(md_queue *);
bool md_queue_grow_ring(md_queue *);

/* Brings the ring's entries into the heap; false when there is no memory. */
bool md_queue_gather(md_queue *);

/* Sorts the heap, least first, in place: O(n log n). */
void md_queue_sort(md_queue *);

/* Gives entry i of the sorted heap the i-th turn, so that the next key comes
   after (or, under "lifo", before) all of them; returns its new low word. */
uint64_t md_queue_turn_anew(md_queue *, uint32_t i);

/* Restores the heap's order after its entries have been changed in place. */
void md_queue_heapify(md_queue *);

static inline md_time md_key_time(md_key key) {
  return (md_time)(uint64_t)(key >> 64);
}

static inline uint64_t md_key_low(md_key key) { return (uint64_t)key; }

static inline uint32_t md_key_slot(md_key key) {
  return (uint32_t)key & ((1u << MD_SLOT_BITS) - 1);
}

/* A bijection on 28 bits, so that shuffled turns stay distinct. */
static inline uint64_t queue_shuffle(uint64_t turn, uint64_t seed) {
  const uint64_t mask = (1u << MD_TURN_BITS) - 1;
  for (int i = 0; i < 3; i++) {
    turn = (turn * 0x9e3779b1u + (seed >> (i * 16))) & mask;
    turn ^= turn >> 14;
  }
  return turn;
}

/* The next key at that time and rank for that slot. */
static inline md_key md_queue_key(md_queue *q, md_time time, uint8_t rank,
                                  uint32_t slot) {
  const uint64_t mask = (1u << MD_TURN_BITS) - 1;
  uint64_t turn = q->turn++ & mask;
  if (q->order == MD_LIFO) turn = mask - turn;
  if (q->order == MD_RANDOM) turn = queue_shuffle(turn, q->shuffle);
  uint64_t low = (uint64_t)rank << 56 | turn << MD_SLOT_BITS | slot;
  return (md_key)(uint64_t)time << 64 | low;
}

/* Must be asked before each key: the turns of "fifo" and "lifo" have run out
   and are to be given out anew (once in 268 million events). */
static inline bool md_queue_turns_over(const md_queue *q) {
  return q->turn >> MD_TURN_BITS != 0 && q->order != MD_RANDOM;
}

static inline void queue_up(md_queue *q, uint32_t i, md_key key) {
  md_key *heap = q->heap;
  while (i > 0) {
    uint32_t parent = (i - 1) / 4;
    if (key >= heap[parent]) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = key;
}

static inline void queue_down(md_queue *q, uint32_t i, md_key key) {
  md_key *heap = q->heap;
  uint32_t n = q->count;
  for (;;) {
    uint32_t c = 4 * i + 1;
    if (c >= n) break;
    uint32_t a = c + (heap[c + 1] < heap[c]);
    uint32_t b = c + 2 + (heap[c + 3] < heap[c + 2]);
    uint32_t least = heap[b] < heap[a] ? b : a;
    if (key <= heap[least]) break;
    heap[i] = heap[least];
    i = least;
  }
  heap[i] = key;
}

static inline bool queue_ring_empty(const md_queue *q) {
  return q->ring_first == q->ring_last;
}

/* Entries, the forgotten ones included. */
static inline uint32_t md_queue_size(const md_queue *q) {
  return q->count - q->hole + (q->ring_last - q->ring_first);
}

/* Fills the hole with the last entry. */
static inline void queue_settle(md_queue *q) {
  q->hole = false;
  uint32_t last = --q->count;
  md_key key = q->heap[last];
  q->heap[last] = MD_KEY_NONE;
  if (last > 0) queue_down(q, 0, key);
}

/* The least key, MD_KEY_NONE when there is none. */
static inline md_key md_queue_top(md_queue *q) {
  if (q->hole) queue_settle(q);
  md_key top = q->heap[0];
  if (!queue_ring_empty(q)) {
    md_key now = q->ring[q->ring_first & (q->ring_capacity - 1)];
    if (now < top) top = now;
  }
  return top;
}

/* Takes the key that md_queue_top has just given. */
static inline void md_queue_take(md_queue *q, md_key top) {
  assert(top != MD_KEY_NONE && !q->hole);
  if (q->heap[0] == top) q->hole = true;
  else q->ring_first++;
}

/* Puts a key among those that lie ahead. */
static inline bool md_queue_push(md_queue *q, md_key key) {
  if (q->hole) {
    q->hole = false;
    queue_down(q, 0, key);
    return true;
  }
  if (q->count + 4 >= q->capacity && !md_queue_grow_heap(q)) return false;
  q->heap[q->count + 4] = MD_KEY_NONE;
  queue_up(q, q->count++, key);
  return true;
}

/* Puts a key that is due now and comes after all others: no sorting. */
static inline bool md_queue_append(md_queue *q, md_key key) {
  if (q->ring_last - q->ring_first == q->ring_capacity &&
      !md_queue_grow_ring(q))
    return false;
  q->ring[q->ring_last++ & (q->ring_capacity - 1)] = key;
  return true;
}

#endif
