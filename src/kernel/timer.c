#include "kernel/timer.h"

#include <assert.h>
#include <string.h>

#ifdef MD_HOSTILE
enum { TIMER_FIRST = 2, TIMER_INDEX_BITS = 27 };
#else
enum { TIMER_FIRST = 16, TIMER_INDEX_BITS = 27 };
#endif

void md_timers_open(md_timers *t, md_arena *arena) {
  *t = (md_timers){.arena = arena, .used = 1};
}

void md_timers_close(md_timers *t) {
  md_arena_free(t->arena, t->records, t->capacity * sizeof *t->records);
}

static bool timers_grow(md_timers *t) {
  uint32_t wanted = t->capacity ? t->capacity * 2 : TIMER_FIRST;
  if (wanted > 1u << TIMER_INDEX_BITS) return false;
  void *grown =
      md_arena_resize(t->arena, t->records, t->capacity * sizeof *t->records,
                      wanted * sizeof *t->records);
  if (grown == NULL) return false;
  t->records = grown;
  t->capacity = wanted;
  return true;
}

uint32_t md_timers_take(md_timers *t) {
  uint32_t i = t->free;
  if (i != 0) {
    t->free = t->records[i].next;
    return i;
  }
  if (t->used >= t->capacity && !timers_grow(t)) return 0;
  i = t->used++;
  memset(&t->records[i], 0, sizeof t->records[i]);
  return i;
}

void md_timers_release(md_timers *t, uint32_t i) {
  assert(i != 0 && i < t->used);
  t->records[i].wake = 0;
  t->records[i].generation++;
  t->records[i].next = t->free;
  t->free = i;
}
