#include "image/snapshot.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Pages come in chunks that the system may give as one huge page each: of small
   ones, getting them costs ten times as much as filling them. */
enum { SNAPSHOT_CHUNK = 2 << 20 };

typedef struct snapshot_page {
  char *bytes;
  struct snapshot_page *next; /* among the free */
  uint32_t holders;
} snapshot_page;

typedef struct snapshot_chunk {
  char *bytes;
  struct snapshot_chunk *next;
  snapshot_page pages[SNAPSHOT_CHUNK / MD_PAGE];
} snapshot_chunk;

struct md_snapshot {
  size_t size, count;
  snapshot_page *pages[];
};

static bool snapshot_more(md_pages *all) {
  enum { COUNT = SNAPSHOT_CHUNK / MD_PAGE };
  snapshot_chunk *chunk = malloc(sizeof *chunk);
  if (chunk == NULL) return false;
  chunk->bytes = aligned_alloc(SNAPSHOT_CHUNK, SNAPSHOT_CHUNK);
  if (chunk->bytes == NULL) {
    free(chunk);
    return false;
  }
  madvise(chunk->bytes, SNAPSHOT_CHUNK, MADV_HUGEPAGE);
  chunk->next = all->chunks;
  all->chunks = chunk;
  for (size_t i = COUNT; i-- > 0;) {
    chunk->pages[i] = (snapshot_page){chunk->bytes + i * MD_PAGE, all->free, 0};
    all->free = &chunk->pages[i];
  }
  all->spare += SNAPSHOT_CHUNK;
  return true;
}

static snapshot_page *snapshot_new_page(md_pages *all) {
  if (all->free == NULL && !snapshot_more(all)) return NULL;
  snapshot_page *page = all->free;
  all->free = page->next;
  page->holders = 1;
  all->used += MD_PAGE;
  all->spare -= MD_PAGE;
  return page;
}

static void snapshot_leave_page(md_pages *all, snapshot_page *page) {
  if (--page->holders > 0) return;
  page->next = all->free;
  all->free = page;
  all->used -= MD_PAGE;
  all->spare += MD_PAGE;
}

void md_pages_provide(md_pages *all, size_t size, const atomic_bool *enough) {
  while (all->spare < size && !atomic_load(enough) && snapshot_more(all))
    for (size_t i = 0; i < SNAPSHOT_CHUNK; i += MD_PAGE)
      ((volatile char *)all->chunks->bytes)[i] = 0;
}

/* How many bytes page i has: the last one may be cut. */
static size_t snapshot_room(const md_snapshot *s, size_t i) {
  return i + 1 < s->count ? MD_PAGE : s->size - i * MD_PAGE;
}

md_snapshot *md_snapshot_take(md_pages *all, const void *base, size_t size,
                              const md_snapshot *before) {
  size_t count = (size + MD_PAGE - 1) / MD_PAGE;
  md_snapshot *s = malloc(sizeof *s + count * sizeof *s->pages);
  if (s == NULL) return NULL;
  s->size = size;
  s->count = count;
  for (size_t i = 0; i < count; i++) {
    const char *from = (const char *)base + i * MD_PAGE;
    size_t room = snapshot_room(s, i);
    snapshot_page *page = before && i < before->count ? before->pages[i] : NULL;
    bool same = page != NULL && room <= snapshot_room(before, i) &&
                memcmp(page->bytes, from, room) == 0;
    if (same) page->holders++;
    else page = snapshot_new_page(all);
    if (page == NULL) {
      s->count = i;
      md_snapshot_drop(all, s);
      return NULL;
    }
    if (!same) memcpy(page->bytes, from, room);
    s->pages[i] = page;
  }
  return s;
}

void md_snapshot_restore(const md_snapshot *s, void *base) {
  for (size_t i = 0; i < s->count; i++) {
    char *to = (char *)base + i * MD_PAGE;
    size_t room = snapshot_room(s, i);
    /* a page that is not written to needs no memory of its own */
    if (memcmp(to, s->pages[i]->bytes, room) != 0)
      memcpy(to, s->pages[i]->bytes, room);
  }
}

size_t md_snapshot_size(const md_snapshot *s) { return s->size; }

void md_snapshot_drop(md_pages *all, md_snapshot *s) {
  if (s == NULL) return;
  for (size_t i = 0; i < s->count; i++) snapshot_leave_page(all, s->pages[i]);
  free(s);
}

void md_pages_close(md_pages *all) {
  while (all->chunks != NULL) {
    snapshot_chunk *chunk = all->chunks;
    all->chunks = chunk->next;
    free(chunk->bytes);
    free(chunk);
  }
  all->free = NULL;
  all->spare = 0;
}
