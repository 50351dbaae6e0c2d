#include "host/heap.h"

#include "host/place.h"

#include <assert.h>
#include <string.h>

enum { HEAP_FIRST = 8 };

static bool heap_before(const host_sim *s, uint32_t a, uint32_t b) {
  const place *x = place_at(s, a), *y = place_at(s, b);
  if (x->key != y->key) return x->key < y->key;
  return (int32_t)(x->next - y->next) < 0;
}

static void heap_set(const host_sim *s, struct place_heap *h, uint32_t i,
                     uint32_t e) {
  h->places[i] = e;
  place_at(s, e)->at = i;
}

/* e belongs at i or above it. */
static void heap_rise(const host_sim *s, struct place_heap *h, uint32_t i,
                      uint32_t e) {
  for (; i > 0 && heap_before(s, e, h->places[(i - 1) / 2]); i = (i - 1) / 2)
    heap_set(s, h, i, h->places[(i - 1) / 2]);
  heap_set(s, h, i, e);
}

/* e belongs at i of n or below it. */
static void heap_sink(const host_sim *s, struct place_heap *h, uint32_t n,
                      uint32_t i, uint32_t e) {
  for (;;) {
    uint32_t child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && heap_before(s, h->places[child + 1], h->places[child]))
      child++;
    if (!heap_before(s, h->places[child], e)) break;
    heap_set(s, h, i, h->places[child]);
    i = child;
  }
  heap_set(s, h, i, e);
}

void heap_reserve(lua_State *L, host_sim *s, struct place_heap *h, uint32_t n) {
  if (n < h->capacity) return;
  uint32_t wanted = h->capacity ? h->capacity * 2 : HEAP_FIRST;
  uint32_t *grown =
      md_arena_resize(s->host->arena, h->places, h->capacity * sizeof *grown,
                      wanted * sizeof *grown);
  if (grown == NULL) host_no_memory(L);
  h->places = grown;
  h->capacity = wanted;
}

void heap_push(host_sim *s, struct place_heap *h, uint32_t n, uint32_t e) {
  assert(n < h->capacity);
  place_at(s, e)->next = ++h->arrivals;
  heap_rise(s, h, n, e);
}

void heap_remove(host_sim *s, struct place_heap *h, uint32_t n, uint32_t e) {
  uint32_t i = place_at(s, e)->at, last = h->places[n - 1];
  assert(h->places[i] == e);
  if (last == e) return;
  if (i > 0 && heap_before(s, last, h->places[(i - 1) / 2]))
    heap_rise(s, h, i, last);
  else heap_sink(s, h, n - 1, i, last);
}

/* Shell's sort, by gaps of 2^k - 1: a heap is half sorted. */
const uint32_t *heap_sorted(lua_State *L, const host_sim *s,
                            const struct place_heap *h, uint32_t n) {
  uint32_t *list = lua_newuserdatauv(L, (n + 1) * sizeof *list, 0), gap = 1;
  if (n > 0) memcpy(list, h->places, n * sizeof *list);
  while (gap < n / 2) gap = 2 * gap + 1;
  for (; gap > 0; gap /= 2) {
    for (uint32_t i = gap; i < n; i++) {
      uint32_t e = list[i], k = i;
      for (; k >= gap && heap_before(s, e, list[k - gap]); k -= gap)
        list[k] = list[k - gap];
      list[k] = e;
    }
  }
  return list;
}

void heap_close(host_sim *s, struct place_heap *h) {
  md_arena_free(s->host->arena, h->places, h->capacity * sizeof *h->places);
}
