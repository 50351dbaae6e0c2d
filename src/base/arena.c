/* One file though a long one: small blocks, large blocks and the top share
   one invariant and have no other user. From the bottom up: free lists, top,
   large blocks, small blocks, either kind, the interface. */
#include "base/ahead.h"
#include "base/arena_state.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/* A block changes hands: the hostile build marks bytes from `size` up to
   `room` as fresh when it is lent, all as stale when it comes back. */
static inline void arena_lend(void *p, size_t from, size_t size, size_t room) {
  arena_show(p, room);
  if (ARENA_HOSTILE) memset((char *)p + from, 0xCD, room - from);
  if (size < room) arena_hide((char *)p + size, room - size);
}

static inline void arena_retire(void *p, size_t room) {
  arena_show(p, room);
  if (ARENA_HOSTILE) memset(p, 0xDD, room);
}

static inline ARENA_CLAIM bool arena_visible(const void *p, size_t size) {
#ifdef ARENA_ASAN
  return size == 0 || !__asan_address_is_poisoned(p);
#endif
  (void)p, (void)size;
  return true;
}

/* Nobody wrote to a free small block; its first word is the arena's link. */
static inline ARENA_CLAIM bool arena_stale(const void *p, size_t room) {
  const unsigned char *c = p;
  for (size_t i = sizeof(arena_link); ARENA_HOSTILE && i < room; i++)
    if (c[i] != 0xDD) return false;
  return true;
}

static inline size_t arena_class(size_t size) {
  return (size - (size != 0)) / ARENA_GRAIN;
}

/* The size of a large block of so many bytes. */
static inline size_t arena_large(size_t size) {
  size += sizeof(size_t) + ARENA_LINE - 1;
  return size - size % ARENA_LINE;
}

/* What a block costs: the bytes its class has, or its large block. */
static inline size_t arena_cost(size_t size) {
  if (size > ARENA_SMALL) return arena_large(size);
  return (arena_class(size) + 1) * ARENA_GRAIN;
}

static inline size_t arena_size(const arena_block *b) {
  return b->size & ~(size_t)(ARENA_FREE | ARENA_BEFORE_FREE);
}

static inline arena_block *arena_behind(arena_block *b) {
  return (arena_block *)((char *)b + arena_size(b));
}

static inline arena_block *arena_block_of(void *p) {
  return (arena_block *)((char *)p - offsetof(arena_block, next));
}

static inline void *arena_bytes(arena_block *b) { return &b->next; }

static inline size_t arena_room(const arena_block *b) {
  return arena_size(b) - sizeof(size_t);
}

/* --- Free large blocks: lists by size, two levels of bitmaps over them. --- */

typedef struct {
  unsigned level, list;
} arena_place;

static inline arena_place arena_place_of(size_t size) {
  if (size >> ARENA_LEVEL_LOG == 0)
    return (arena_place){
        0, (unsigned)(size >> (ARENA_LEVEL_LOG - ARENA_LISTS_LOG))};
  unsigned log = 63 - (unsigned)__builtin_clzll(size);
  unsigned list = (unsigned)(size >> (log - ARENA_LISTS_LOG));
  return (arena_place){log - ARENA_LEVEL_LOG + 1, list % ARENA_LISTS};
}

static void arena_link_in(md_arena *a, arena_block *b) {
  arena_place at = arena_place_of(arena_size(b));
  arena_block **head = &a->large[at.level][at.list];
  b->next = *head;
  b->prev = NULL;
  if (b->next != NULL) b->next->prev = b;
  *head = b;
  a->lists[at.level] |= UINT32_C(1) << at.list;
  a->levels |= UINT32_C(1) << at.level;
}

static void arena_link_out(md_arena *a, arena_block *b) {
  arena_place at = arena_place_of(arena_size(b));
  if (b->next != NULL) b->next->prev = b->prev;
  if (b->prev != NULL) {
    b->prev->next = b->next;
    return;
  }
  a->large[at.level][at.list] = b->next;
  if (b->next != NULL) return;
  a->lists[at.level] &= ~(UINT32_C(1) << at.list);
  if (a->lists[at.level] == 0) a->levels &= ~(UINT32_C(1) << at.level);
}

/* Any block of a list above its own is large enough. Of its own list the first
   alone is tried, which keeps O(1) and finds a hole just as large. */
static arena_block *arena_find(const md_arena *a, size_t size) {
  arena_place at = arena_place_of(size);
  arena_block *b = a->large[at.level][at.list];
  if (b != NULL && arena_size(b) >= size) return b;
  uint32_t lists = a->lists[at.level] & ~UINT32_C(1) << at.list;
  if (lists == 0) {
    uint32_t levels = a->levels & ~UINT32_C(1) << at.level;
    if (levels == 0) return NULL;
    at.level = (unsigned)__builtin_ctz(levels);
    lists = a->lists[at.level];
  }
  return a->large[at.level][__builtin_ctz(lists)];
}

/* --- The top: what lies above is no block yet. --- */

static bool arena_commit(md_arena *a, const char *end) {
  if (end <= a->committed) return true;
  size_t size = (size_t)(end - a->committed) + ARENA_STEP - 1;
  size -= size % ARENA_STEP;
  if (mprotect(a->committed, size, PROT_READ | PROT_WRITE) != 0) return false;
  if (a->committed < (char *)a + ARENA_HUGE)
    madvise(a->committed, size, MADV_HUGEPAGE); /* if the system has them */
  a->committed += size;
  return true;
}

/* The top is higher than ever: from one step to the next, what comes behind
   the next one is got ready. */
static void arena_heighten(md_arena *a) {
  const size_t ahead = 2 << 20;
  uintptr_t was = (uintptr_t)a->high, is = (uintptr_t)a->top;
  size_t step = a->top < (char *)a + ARENA_HUGE ? ahead : ahead / 4;
  char *next = a->top + step - is % step;
  a->high = a->top;
  if (was / step == is / step || a->top < (char *)a + ARENA_STEP) return;
  if (next > a->reserved - ahead || !arena_commit(a, next + ahead)) return;
  md_ahead_wish(next, next + ahead);
}

/* One more grain is committed, as the last block's bytes reach over the end. */
static bool arena_raise(md_arena *a, size_t size) {
  if (size + ARENA_GRAIN > (size_t)(a->reserved - a->top)) return false;
  if (!arena_commit(a, a->top + size + ARENA_GRAIN)) return false;
  arena_show(a->top, size + ARENA_GRAIN);
  a->top += size;
  if (a->top > a->high) arena_heighten(a);
  return true;
}

/* --- Large blocks. --- */

/* Makes a block free, as one with its free neighbours. The last block falls
   back below the top instead. */
static void arena_release(md_arena *a, arena_block *b) {
  if (b->size & ARENA_BEFORE_FREE) {
    arena_block *front = (arena_block *)((char *)b - b->before);
    arena_link_out(a, front);
    front->size += arena_size(b);
    b = front;
  }
  arena_block *behind = arena_behind(b);
  if ((char *)behind == a->top) {
    a->top = (char *)b;
    arena_hide(b + 1, arena_size(b) - sizeof *b);
    return;
  }
  if (behind->size & ARENA_FREE) {
    arena_link_out(a, behind);
    b->size += arena_size(behind);
    behind = arena_behind(b);
  }
  b->size |= ARENA_FREE;
  behind->before = arena_size(b);
  behind->size |= ARENA_BEFORE_FREE;
  arena_link_in(a, b);
  arena_hide(b + 1, arena_size(b) - sizeof *b);
}

/* Cuts a held block to `size`, and frees the rest if that can be a block. */
static void arena_trim(md_arena *a, arena_block *b, size_t size) {
  size_t rest = arena_size(b) - size;
  if (rest < sizeof(arena_block)) return;
  arena_block *r = (arena_block *)((char *)b + size);
  arena_show(r, sizeof *r);
  b->size -= rest;
  r->size = rest;
  arena_release(a, r);
}

/* Takes a free block out of its list, to be held. */
static void arena_claim(md_arena *a, arena_block *b) {
  arena_link_out(a, b);
  b->size &= ~(size_t)ARENA_FREE;
  arena_behind(b)->size &= ~(size_t)ARENA_BEFORE_FREE;
}

static arena_block *arena_block_take(md_arena *a, size_t size) {
  arena_block *b = arena_find(a, size);
  if (b != NULL) {
    arena_claim(a, b);
    arena_trim(a, b, size);
    return b;
  }
  b = (arena_block *)a->top;
  if (!arena_raise(a, size)) return NULL;
  b->size = size;
  return b;
}

/* Grows a held block where it is: into the top or a free block behind it. */
static bool arena_stretch(md_arena *a, arena_block *b, size_t size) {
  size_t now = arena_size(b);
  if (now >= size) return true;
  arena_block *behind = arena_behind(b);
  if ((char *)behind == a->top) {
    if (!arena_raise(a, size - now)) return false;
    b->size += size - now;
    return true;
  }
  if (!(behind->size & ARENA_FREE)) return false;
  if (now + arena_size(behind) < size) return false;
  arena_claim(a, behind);
  b->size += arena_size(behind);
  arena_trim(a, b, size);
  return true;
}

/* --- Small blocks. --- */

static void arena_small_give(md_arena *a, void *p, size_t room) {
  arena_link *l = p, **head = &a->small[room / ARENA_GRAIN - 1];
  arena_retire(p, room);
  l->next = *head;
  *head = l;
  arena_hide(p, room);
}

/* Finds another slab: a hole, else the top, where the newest one only grows if
   it ends there. What is left of the old one becomes a small block. */
static bool arena_refill(md_arena *a) {
  bool last = a->carve_end == a->top;
  if (last && arena_find(a, ARENA_SLAB) == NULL) {
    if (!arena_raise(a, ARENA_SLAB)) return false;
    a->slab->size += ARENA_SLAB;
    a->carve_end += ARENA_SLAB;
  } else {
    arena_block *b = arena_block_take(a, ARENA_SLAB);
    if (b == NULL) return false;
    size_t left = (size_t)(a->carve_end - a->carve);
    if (left > 0) arena_small_give(a, a->carve, left);
    a->slab = b;
    a->carve = arena_bytes(b);
    a->carve_end = (char *)arena_behind(b);
  }
  arena_hide(a->carve, (size_t)(a->carve_end - a->carve));
  return true;
}

static __attribute__((noinline)) void *arena_carve(md_arena *a, size_t room) {
  if ((size_t)(a->carve_end - a->carve) < room && !arena_refill(a)) return NULL;
  void *p = a->carve;
  a->carve += room;
  return p;
}

static inline void *arena_small_take(md_arena *a, size_t size) {
  size_t class = arena_class(size), room = (class + 1) * ARENA_GRAIN;
  arena_link *l = a->small[class];
  if (l == NULL) {
    l = arena_carve(a, room);
    if (l == NULL) return NULL;
  } else {
    arena_show(l, room);
    assert(arena_stale(l, room) && "written to after it was freed");
    a->small[class] = l->next;
  }
  arena_lend(l, 0, size, room);
  return l;
}

/* --- Blocks of either kind, whose use is not counted here. --- */

static __attribute__((noinline)) void *arena_large_take(md_arena *a,
                                                        size_t size) {
  arena_block *b = arena_block_take(a, arena_cost(size));
  if (b == NULL) return NULL;
  arena_lend(arena_bytes(b), 0, size, arena_room(b));
  return arena_bytes(b);
}

static inline void *arena_take(md_arena *a, size_t size) {
  if (size > ARENA_SMALL) return arena_large_take(a, size);
  return arena_small_take(a, size);
}

static __attribute__((noinline)) void arena_large_give(md_arena *a, void *p,
                                                       size_t size) {
  arena_block *b = arena_block_of(p);
  assert(!(b->size & ARENA_FREE) && arena_size(b) >= arena_cost(size));
  (void)size;
  arena_retire(p, arena_room(b));
  arena_release(a, b);
}

static inline void arena_give(md_arena *a, void *p, size_t size) {
  assert((uintptr_t)p % ARENA_GRAIN == 0);
  assert((char *)p > (char *)a && (char *)p < a->top);
  assert(arena_visible(p, size) && "freed twice");
  if (size > ARENA_SMALL) arena_large_give(a, p, size);
  else arena_small_give(a, p, arena_cost(size));
}

static void *arena_move(md_arena *a, void *p, size_t old, size_t size) {
  void *q = arena_take(a, size);
  if (q == NULL) return NULL;
  memcpy(q, p, old < size ? old : size);
  arena_give(a, p, old);
  return q;
}

/* The hostile build moves whatever grows. */
static void *arena_grow(md_arena *a, void *p, size_t old, size_t size) {
  size_t was = arena_cost(old), now = arena_cost(size);
  if (ARENA_HOSTILE) return arena_move(a, p, old, size);
  if (size <= ARENA_SMALL && was == now) {
    arena_lend(p, old, size, now);
    return p;
  }
  if (old > ARENA_SMALL && arena_stretch(a, arena_block_of(p), now)) {
    arena_lend(p, old, size, arena_room(arena_block_of(p)));
    return p;
  }
  return arena_move(a, p, old, size);
}

/* Cuts a block in place, down to large or small. The last is for where no
   small block can be had to move to, since shrinking does not fail: a large
   block is then the slab of one small block for ever, a small one two. */
static void *arena_cut(md_arena *a, void *p, size_t old, size_t size) {
  size_t now = arena_cost(size), room = arena_cost(old);
  arena_block *b = arena_block_of(p);
  if (old > ARENA_SMALL) {
    room = arena_room(b);
    arena_retire((char *)p + size, room - size);
    arena_trim(a, b, arena_large(size > ARENA_SMALL ? size : now));
    room = arena_room(b);
  } else if (room > now) {
    arena_small_give(a, (char *)p + now, room - now);
    room = now;
  }
  arena_lend(p, size, size, room);
  return p;
}

static void *arena_shrink(md_arena *a, void *p, size_t old, size_t size) {
  if (size > ARENA_SMALL || arena_cost(old) == arena_cost(size))
    return arena_cut(a, p, old, size);
  void *q = arena_move(a, p, old, size);
  return q != NULL ? q : arena_cut(a, p, old, size);
}

/* --- The interface. --- */

static inline void arena_account(md_arena *a, size_t more, size_t less) {
  a->used += more - less;
  if (a->used > a->peak) a->peak = a->used;
}

void *md_arena_alloc(md_arena *a, size_t size) {
  if (++a->count == a->fail_at || size > arena_max) return NULL;
  size_t cost = arena_cost(size);
  if (a->used + cost > a->limit) return NULL;
  void *p = arena_take(a, size);
  if (p != NULL) arena_account(a, cost, 0);
  return p;
}

void *md_arena_resize(md_arena *a, void *p, size_t old, size_t size) {
  if (p == NULL) return md_arena_alloc(a, size);
  if (size > old && (++a->count == a->fail_at || size > arena_max)) return NULL;
  size_t was = arena_cost(old), now = arena_cost(size);
  if (now > was && a->used - was + now > a->limit) return NULL;
  void *q =
      size > old ? arena_grow(a, p, old, size) : arena_shrink(a, p, old, size);
  if (q != NULL) arena_account(a, now, was);
  return q;
}

void md_arena_free(md_arena *a, void *p, size_t size) {
  if (p == NULL) return;
  assert(a->used >= arena_cost(size));
  a->used -= arena_cost(size);
  arena_give(a, p, size);
}

size_t md_arena_used(const md_arena *a) { return a->used; }

size_t md_arena_peak(const md_arena *a) { return a->peak; }

size_t md_arena_limit(const md_arena *a) {
  return a->limit == SIZE_MAX ? 0 : a->limit;
}

void md_arena_set_limit(md_arena *a, size_t limit) {
  a->limit = limit == 0 ? SIZE_MAX : limit;
}

uint64_t md_arena_count(const md_arena *a) { return a->count; }

void md_arena_fail_at(md_arena *a, uint64_t n) { a->fail_at = n; }

size_t md_arena_extent(const md_arena *a) {
  return (size_t)(a->high - (const char *)a) + ARENA_GRAIN;
}
