#include "kernel/queue.h"

#include <string.h>

enum {
#ifdef MD_HOSTILE
  QUEUE_HEAP_FIRST = 8, /* the least: four follow the last entry */
  QUEUE_RING_FIRST = 1,
  QUEUE_TURN_FIRST = (1 << MD_TURN_BITS) - 100, /* they soon run out */
#else
  QUEUE_HEAP_FIRST = 64,
  QUEUE_RING_FIRST = 64,
  QUEUE_TURN_FIRST = 0,
#endif
  QUEUE_LINE = 64, /* bytes in a cache line: four siblings */
};

static size_t queue_heap_bytes(uint32_t capacity) {
  return capacity * sizeof(md_key) + QUEUE_LINE;
}

/* heap[1], the first of four siblings, begins a cache line. */
static md_key *queue_heap_place(void *block) {
  uintptr_t line = ((uintptr_t)block + QUEUE_LINE - 1) / QUEUE_LINE;
  uintptr_t place = line * QUEUE_LINE + QUEUE_LINE - sizeof(md_key);
  if (place - (uintptr_t)block > QUEUE_LINE) place -= QUEUE_LINE;
  return (md_key *)place;
}

bool md_queue_open(md_queue *q, md_arena *arena, md_order order,
                   uint64_t shuffle) {
  memset(q, 0, sizeof *q);
  q->arena = arena;
  q->order = order;
  q->shuffle = shuffle;
  if (order != MD_RANDOM) q->turn = QUEUE_TURN_FIRST;
  if (md_queue_grow_heap(q) && md_queue_grow_ring(q)) return true;
  md_queue_close(q);
  return false;
}

void md_queue_close(md_queue *q) {
  if (q->block != NULL)
    md_arena_free(q->arena, q->block, queue_heap_bytes(q->capacity));
  md_arena_free(q->arena, q->ring, q->ring_capacity * sizeof(md_key));
  q->block = NULL;
  q->ring = NULL;
}

bool md_queue_grow_heap(md_queue *q) {
  uint32_t capacity = q->capacity ? q->capacity * 2 : QUEUE_HEAP_FIRST;
  size_t old = q->block ? queue_heap_bytes(q->capacity) : 0;
  ptrdiff_t place = q->block ? (char *)q->heap - (char *)q->block : 0;
  char *block =
      md_arena_resize(q->arena, q->block, old, queue_heap_bytes(capacity));
  if (block == NULL) return false;
  md_key *heap = queue_heap_place(block);
  uint32_t held = q->block ? q->count + 4 : 0;
  memmove(heap, block + place, held * sizeof(md_key));
  for (uint32_t i = q->count; i < q->count + 4; i++) heap[i] = MD_KEY_NONE;
  q->block = block;
  q->heap = heap;
  q->capacity = capacity;
  return true;
}

bool md_queue_grow_ring(md_queue *q) {
  uint32_t old = q->ring_capacity;
  uint32_t capacity = old ? old * 2 : QUEUE_RING_FIRST;
  md_key *ring = md_arena_alloc(q->arena, capacity * sizeof(md_key));
  if (ring == NULL) return false;
  uint32_t n = q->ring_last - q->ring_first;
  for (uint32_t i = 0; i < n; i++)
    ring[i] = q->ring[(q->ring_first + i) & (old - 1)];
  md_arena_free(q->arena, q->ring, old * sizeof(md_key));
  q->ring = ring;
  q->ring_first = 0;
  q->ring_last = n;
  q->ring_capacity = capacity;
  return true;
}

void md_queue_heapify(md_queue *q) {
  for (uint32_t i = q->count / 4 + 1; i-- > 0;)
    if (i < q->count) queue_down(q, i, q->heap[i]);
}

/* One step of heapsort: `key` sinks from i in a binary heap of n, greatest
   first. */
static void queue_sink(md_key *a, uint32_t n, uint32_t i, md_key key) {
  for (;;) {
    uint32_t c = 2 * i + 1;
    if (c >= n) break;
    if (c + 1 < n && a[c + 1] > a[c]) c++;
    if (a[c] <= key) break;
    a[i] = a[c];
    i = c;
  }
  a[i] = key;
}

void md_queue_sort(md_queue *q) {
  if (q->hole) queue_settle(q);
  md_key *a = q->heap;
  uint32_t n = q->count;
  for (uint32_t i = n / 2; i-- > 0;) queue_sink(a, n, i, a[i]);
  for (uint32_t last = n; last-- > 1;) {
    md_key key = a[last];
    a[last] = a[0];
    queue_sink(a, last, 0, key);
  }
}

bool md_queue_gather(md_queue *q) {
  if (q->hole) queue_settle(q);
  while (!queue_ring_empty(q)) {
    md_key key = q->ring[q->ring_first & (q->ring_capacity - 1)];
    if (!md_queue_push(q, key)) return false;
    q->ring_first++;
  }
  return true;
}

uint64_t md_queue_turn_anew(md_queue *q, uint32_t i) {
  const uint64_t mask = (1u << MD_TURN_BITS) - 1;
  uint64_t turn = q->order == MD_LIFO ? mask - (q->count - 1 - i) : i;
  md_key key = q->heap[i] & ~((md_key)mask << MD_SLOT_BITS);
  q->heap[i] = key | (md_key)turn << MD_SLOT_BITS;
  q->turn = q->count;
  return md_key_low(q->heap[i]);
}
