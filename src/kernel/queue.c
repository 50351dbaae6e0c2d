#include "kernel/queue.h"

#include <string.h>

enum {
#ifdef MD_HOSTILE
  QUEUE_RING_FIRST = 1,
  QUEUE_TURN_FIRST = (1 << MD_TURN_BITS) - 100, /* they soon run out */
#else
  QUEUE_RING_FIRST = 64,
  QUEUE_TURN_FIRST = 0,
#endif
};

bool md_queue_open(md_queue *q, md_arena *arena, md_order order,
                   uint64_t shuffle) {
  memset(q, 0, sizeof *q);
  q->arena = arena;
  q->order = order;
  q->shuffle = shuffle;
  if (order != MD_RANDOM) q->turn = QUEUE_TURN_FIRST;
  if (md_tree_open(&q->trees[0], arena) && md_tree_open(&q->trees[1], arena) &&
      md_queue_grow_ring(q))
    return true;
  md_queue_close(q);
  return false;
}

void md_queue_close(md_queue *q) {
  md_tree_close(&q->trees[0], q->arena);
  md_tree_close(&q->trees[1], q->arena);
  md_arena_free(q->arena, q->ring, q->ring_capacity * sizeof *q->ring);
  q->ring = NULL;
}

bool md_queue_grow_ring(md_queue *q) {
  uint32_t old = q->ring_capacity;
  uint32_t capacity = old ? old * 2 : QUEUE_RING_FIRST;
  uint64_t *ring = md_arena_alloc(q->arena, capacity * sizeof *ring);
  if (ring == NULL) return false;
  uint32_t n = q->ring_last - q->ring_first;
  for (uint32_t i = 0; i < n; i++)
    ring[i] = q->ring[(q->ring_first + i) & (old - 1)];
  md_arena_free(q->arena, q->ring, old * sizeof *ring);
  q->ring = ring;
  q->ring_first = 0;
  q->ring_last = n;
  q->ring_capacity = capacity;
  return true;
}

md_key md_queue_turned(const md_queue *q, md_key key, uint32_t i, uint32_t n) {
  const uint64_t mask = (1u << MD_TURN_BITS) - 1;
  uint64_t turn = q->order == MD_LIFO ? mask - (n - 1 - i) : i;
  return (key & ~((md_key)mask << MD_SLOT_BITS)) | (md_key)turn << MD_SLOT_BITS;
}
