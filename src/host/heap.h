/* A line by priority: places in a heap, the lowest key first, among equals who
   came first. Coming and going cost as much as the heap is high, wherever in
   the line. A place knows where it is in it, and as `next` how many came
   before. */
#ifndef MD_HOST_HEAP_H
#define MD_HOST_HEAP_H

#include "host/host.h"

struct place_heap {
  uint32_t *places;
  uint32_t capacity, arrivals;
};

/* There is room for one more than n. [-0, +0, m] */
void heap_reserve(lua_State *L, host_sim *s, struct place_heap *, uint32_t n);

/* e is one more than n. */
void heap_push(host_sim *s, struct place_heap *, uint32_t n, uint32_t e);

/* e is none of the n any more. */
void heap_remove(host_sim *s, struct place_heap *, uint32_t n, uint32_t e);

/* A copy of the n in their order, pushed. [-0, +1, m] */
const uint32_t *heap_sorted(lua_State *L, const host_sim *s,
                            const struct place_heap *, uint32_t n);

void heap_close(host_sim *s, struct place_heap *);

#endif
