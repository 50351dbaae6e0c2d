/* Snapshots: what a range of memory was, kept in memory. A page that is as it
   was in the snapshot before is shared with that, not copied.

   Invariant: a page's `holders` is the number of snapshots that have it; pages
   that nobody has are kept for the next ones. Cost: taking one compares all
   pages with those of the one before and copies what differs, restoring does
   the same the other way: about 0.1 ms a MB each. */
#ifndef MD_IMAGE_SNAPSHOT_H
#define MD_IMAGE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { MD_PAGE = 4096 };

typedef struct md_snapshot md_snapshot;

/* The pages of all snapshots; zeroes are none. */
typedef struct md_pages {
  struct snapshot_page *free;
  struct snapshot_chunk *chunks;
  size_t used;  /* bytes of pages that snapshots have, shared ones once */
  size_t spare; /* bytes of those that none has */
} md_pages;

/* Gets pages from the system until `size` bytes are spare, which takes longer
   than to fill them, or until `enough` is set, or there is no memory. */
void md_pages_provide(md_pages *, size_t size, const atomic_bool *enough);

/* What `size` bytes from `base` on are now; `before` is the snapshot they are
   most likely to be like, or NULL. NULL without memory. */
md_snapshot *md_snapshot_take(md_pages *, const void *base, size_t size,
                              const md_snapshot *before);

/* Makes them that again. */
void md_snapshot_restore(const md_snapshot *, void *base);

size_t md_snapshot_size(const md_snapshot *);

void md_snapshot_drop(md_pages *, md_snapshot *);

/* Gives all back to the system, when no snapshot is left. */
void md_pages_close(md_pages *);

#endif
