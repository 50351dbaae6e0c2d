/* What an arena is made of, for arena.c and arena_whole.c. */
#ifndef MD_BASE_ARENA_STATE_H
#define MD_BASE_ARENA_STATE_H

#include "base/arena.h"

#include <assert.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Functions that only asserts call. */
#define ARENA_CLAIM __attribute__((unused))

enum {
  ARENA_GRAIN = 16,
  ARENA_LINE = 64,    /* a cache line: what large blocks are measured in */
  ARENA_SMALL = 1024, /* the largest block without a header */
  ARENA_CLASSES = ARENA_SMALL / ARENA_GRAIN,
  ARENA_LISTS_LOG = 5,
  ARENA_LISTS = 1 << ARENA_LISTS_LOG, /* free lists a level */
  ARENA_LEVELS = 32,                  /* powers of two, from 1 KB up */
  ARENA_LEVEL_LOG = 10,               /* level 0 is all below this power */
  ARENA_STEP = 8 << 20,               /* committed at once */
  /* up to here the steps after the first are of huge pages: beyond, getting
     them may cost a machine that is virtual more than they gain */
  ARENA_HUGE = 64 << 20,
  ARENA_FREE = 1, /* flags in a block's size */
  ARENA_BEFORE_FREE = 2,
#ifdef MD_HOSTILE
  ARENA_HOSTILE = 1,
  ARENA_SLAB = ARENA_SMALL + ARENA_LINE,
#else
  ARENA_HOSTILE = 0,
  ARENA_SLAB = 64 << 10,
#endif
};

static const size_t arena_max = (size_t)1 << 40; /* of the range, of a block */

typedef struct arena_link {
  struct arena_link *next;
} arena_link;

/* A large block. Its holder's bytes begin at `next`, with a cache line, and
   reach over the `before` of the block behind, which is of no use to anyone
   while this one is held:

     | before | size | the holder's bytes ...          |
                                              | before | size | ...
                                              ^ block + size          */
typedef struct arena_block {
  size_t before; /* the size of the block in front, if that is free */
  size_t size;   /* from here to the block behind, with flags */
  struct arena_block *next, *prev; /* in its free list, if free */
} arena_block;

struct md_arena {
  size_t used, peak, limit;
  uint64_t count, fail_at;
  arena_block *slab;       /* the newest one, whose bytes from carve up to */
  char *carve, *carve_end; /* carve_end are not yet blocks */
  char *top;               /* the end of the last block */
  char *high;              /* the highest that top has been */
  char *committed, *reserved;
  uint32_t levels;              /* which levels have a list that is not empty */
  uint32_t lists[ARENA_LEVELS]; /* and which lists these are */
  arena_link *small[ARENA_CLASSES];
  arena_block *large[ARENA_LEVELS][ARENA_LISTS];
};

static_assert(ARENA_LISTS <= 32 && ARENA_LEVELS <= 32, "a bit for each");
static_assert(sizeof(arena_block) == 2 * ARENA_GRAIN, "links fit any block");
static_assert(sizeof(arena_link) <= ARENA_GRAIN, "a link fits any block");
static_assert(ARENA_SLAB >= ARENA_SMALL + ARENA_GRAIN, "a slab fits any block");
static_assert(ARENA_SLAB % ARENA_LINE == 0, "slabs keep the alignment");

/* Hidden bytes are poisoned for the address sanitizer, shown ones are not. */
static inline void arena_hide(void *p, size_t size) {
#ifdef ARENA_ASAN
  __asan_poison_memory_region(p, size);
#endif
  (void)p, (void)size;
}

static inline void arena_show(void *p, size_t size) {
#ifdef ARENA_ASAN
  __asan_unpoison_memory_region(p, size);
#endif
  (void)p, (void)size;
}

#endif
