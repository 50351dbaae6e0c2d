/* The events to come, in a total order: time, then rank (priority), then turn
   (the tie rule), then slot. The four are one 128-bit number, so the
   comparator is one comparison.

        127          64 63     56 55        28 27     0
       +---------------+---------+------------+--------+
       | time, ticks   | rank    | turn       | slot   |
       +---------------+---------+------------+--------+

   A slot is who is waiting, and has at most one key ahead: on its leaf of one
   of two trees, of processes and of timers. A ring holds what is due now, which
   under "fifo" needs no sorting, nor a time of its own: low words are enough.
   Taking the least key of a tree leaves it on its leaf until the slot's next
   key replaces it, so that a process that sleeps again costs one walk. A key
   ahead is cancelled by removing it; one in the ring is forgotten: its owner
   compares the key it waits for with the one that comes.

   Invariant: the ring is sorted. Memory is the arena's; a push may fail for
   want of it, and no entry has changed then. */
#ifndef MD_KERNEL_QUEUE_H
#define MD_KERNEL_QUEUE_H

#include "base/time.h"
#include "kernel/tree.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  MD_SLOT_BITS = 28,
  MD_TURN_BITS = 28,
  MD_RANKS = 256,
  MD_SLOT_TIMER = 1 << (MD_SLOT_BITS - 1), /* the slot is a timer's */
};

typedef enum md_order { MD_FIFO, MD_LIFO, MD_RANDOM } md_order;

typedef struct md_queue {
  uint64_t turn, shuffle;
  md_time due;    /* the time of all that is in the ring */
  uint64_t *ring; /* low words */
  uint32_t ring_first, ring_last, ring_capacity;
  md_order order;
  uint32_t hole;    /* the slot whose key has been taken off no leaf; 0: none */
  uint32_t played;  /* the slot whose matches were played last */
  md_tree trees[2]; /* of processes, of timers */
  uint32_t forgotten; /* keys in the ring that nobody waits for */
  md_arena *arena;
} md_queue;

bool md_queue_open(md_queue *, md_arena *, md_order, uint64_t shuffle);
void md_queue_close(md_queue *);

/* Makes room for one entry more; false when there is no memory. */
bool md_queue_grow_ring(md_queue *);

/* The key of that slot with another turn: the n-th of all, in their order. */
md_key md_queue_turned(const md_queue *, md_key, uint32_t i, uint32_t n);

static inline md_time md_key_time(md_key key) {
  return (md_time)(uint64_t)(key >> 64);
}

static inline uint64_t md_key_low(md_key key) { return (uint64_t)key; }

static inline md_key md_key_of(md_time time, uint64_t low) {
  return (md_key)(uint64_t)time << 64 | low;
}

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
  return md_key_of(time, low);
}

/* Must be asked before each key: the turns of "fifo" and "lifo" have run out
   and are to be given out anew (once in 268 million events). */
static inline bool md_queue_turns_over(const md_queue *q) {
  return q->turn >> MD_TURN_BITS != 0 && q->order != MD_RANDOM;
}

static inline md_tree *queue_tree(md_queue *q, uint32_t slot) {
  return &q->trees[slot >> (MD_SLOT_BITS - 1)];
}

static inline uint32_t queue_leaf(uint32_t slot) {
  return slot & ~(uint32_t)MD_SLOT_TIMER;
}

/* What has been taken is no more. */
static inline void queue_settle(md_queue *q) {
  md_tree_remove(queue_tree(q, q->hole), queue_leaf(q->hole));
  q->played = q->hole;
  q->hole = 0;
}

/* The least key of the trees. */
static inline md_key md_queue_ahead(const md_queue *q) {
  return tree_less(q->trees[0].min, q->trees[1].min);
}

static inline bool queue_ring_empty(const md_queue *q) {
  return q->ring_first == q->ring_last;
}

/* The first key of the ring, MD_KEY_NONE when it is empty. */
static inline md_key queue_ring_top(const md_queue *q) {
  if (queue_ring_empty(q)) return MD_KEY_NONE;
  return md_key_of(q->due, q->ring[q->ring_first & (q->ring_capacity - 1)]);
}

/* The least key, MD_KEY_NONE when there is none. */
static inline md_key md_queue_top(md_queue *q) {
  if (q->hole) queue_settle(q);
  md_key now = queue_ring_top(q), ahead = md_queue_ahead(q);
  return now < ahead ? now : ahead;
}

/* Takes the key that md_queue_top has just given. */
static inline void md_queue_take(md_queue *q, md_key top) {
  assert(top != MD_KEY_NONE && !q->hole);
  if (queue_ring_top(q) == top) q->ring_first++;
  else q->hole = md_key_slot(top);
}

/* Puts the key of a slot that has none among those that lie ahead. */
static inline bool md_queue_push(md_queue *q, md_key key) {
  uint32_t slot = md_key_slot(key), leaf = queue_leaf(slot);
  md_tree *tree = queue_tree(q, slot);
  if (q->hole == slot) {
    q->hole = 0;
    md_tree_replace(tree, leaf, key);
    return true;
  }
  if (!md_tree_has(tree, leaf) && !md_tree_grow(tree, q->arena, leaf))
    return false;
  md_tree_add(tree, leaf, key);
  return true;
}

/* Nobody waits for a key any more. False: it lies in the ring, and comes. */
static inline bool md_queue_cancel(md_queue *q, md_key key) {
  uint32_t slot = md_key_slot(key), leaf = queue_leaf(slot);
  md_tree *tree = queue_tree(q, slot);
  bool ahead = md_tree_has(tree, leaf) && tree->levels[0][leaf] == key;
  if (ahead) md_tree_remove(tree, leaf);
  else q->forgotten++;
  return ahead;
}

/* Puts a key that is due now and comes after all others: no sorting. */
static inline bool md_queue_append(md_queue *q, md_key key) {
  if (q->ring_last - q->ring_first == q->ring_capacity &&
      !md_queue_grow_ring(q))
    return false;
  assert(queue_ring_empty(q) || q->due == md_key_time(key));
  q->due = md_key_time(key);
  q->ring[q->ring_last++ & (q->ring_capacity - 1)] = md_key_low(key);
  return true;
}

#endif
