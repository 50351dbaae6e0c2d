/* Snapshots, through their interface alone, against copies that share nothing.
 */
#include "image/snapshot.h"
#include "spec/check.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 40 * MD_PAGE, HELD = 12, STEPS = 3000 };

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

typedef struct copy {
  md_snapshot *snapshot;
  size_t size;
  unsigned char *bytes;
} copy;

/* Changes some bytes, mostly of a few pages. */
static void scribble(unsigned char *base, size_t size) {
  for (uint64_t n = next_random() % 6; size > 0 && n > 0; n--)
    base[next_random() % size] = (unsigned char)next_random();
  if (size > 0 && next_random() % 8 == 0)
    memset(base, (int)next_random(), size);
}

static size_t random_size(void) {
  uint64_t r = next_random();
  if (r % 4 == 0) return r / 4 % (MOST / MD_PAGE + 1) * MD_PAGE;
  return r / 4 % (MOST + 1);
}

static bool take(md_pages *pages, copy *c, const void *base, size_t size,
                 const md_snapshot *before) {
  c->snapshot = md_snapshot_take(pages, base, size, before);
  c->size = size;
  c->bytes = malloc(size + 1);
  if (c->bytes == NULL) abort();
  memcpy(c->bytes, base, size);
  return c->snapshot != NULL && md_snapshot_size(c->snapshot) == size;
}

static void drop(md_pages *pages, copy *c) {
  md_snapshot_drop(pages, c->snapshot);
  free(c->bytes);
  c->snapshot = NULL;
  c->bytes = NULL;
}

static void spec_shadow(void) {
  static unsigned char base[MOST + 64];
  md_pages pages = {0};
  copy held[HELD] = {{0}};
  IT("restores exactly the bytes, of any sizes, dropped in any order") {
    for (int step = 0; step < STEPS; step++) {
      size_t size = random_size();
      copy *c = &held[next_random() % HELD];
      const copy *other = &held[next_random() % HELD];
      scribble(base, MOST);
      if (c->snapshot == NULL) {
        EXPECT(take(&pages, c, base, size, other->snapshot));
      } else if (next_random() % 2) {
        static unsigned char above[MOST + 64];
        memcpy(above, base + c->size, MOST + 64 - c->size);
        md_snapshot_restore(c->snapshot, base);
        EXPECT(memcmp(base, c->bytes, c->size) == 0);
        EXPECT(memcmp(base + c->size, above, MOST + 64 - c->size) == 0);
      } else {
        drop(&pages, c);
      }
    }
    for (int i = 0; i < HELD; i++) drop(&pages, &held[i]);
    EXPECT(pages.used == 0);
  }
  md_pages_close(&pages);
}

static void spec_sharing(void) {
  static unsigned char base[10 * MD_PAGE];
  md_pages pages = {0};
  size_t size = sizeof base - 100;
  for (size_t i = 0; i < sizeof base; i++) base[i] = (unsigned char)(i * 7);
  IT("shares the pages that are as they were") {
    md_snapshot *a = md_snapshot_take(&pages, base, size, NULL);
    EXPECT(pages.used == 10 * MD_PAGE);
    md_snapshot *b = md_snapshot_take(&pages, base, size, a);
    EXPECT(pages.used == 10 * MD_PAGE);
    base[3 * MD_PAGE + 5] ^= 1;
    md_snapshot *c = md_snapshot_take(&pages, base, size, b);
    EXPECT(pages.used == 11 * MD_PAGE);
    md_snapshot_drop(&pages, a);
    EXPECT(pages.used == 11 * MD_PAGE);
    md_snapshot_drop(&pages, b);
    EXPECT(pages.used == 10 * MD_PAGE);
    base[3 * MD_PAGE + 5] ^= 1;
    md_snapshot_restore(c, base);
    EXPECT(base[3 * MD_PAGE + 5] == (unsigned char)((3 * MD_PAGE + 5) * 7 ^ 1));
    md_snapshot_drop(&pages, c);
    EXPECT(pages.used == 0);
  }
  IT("does not share a last page that was cut with a longer one") {
    md_snapshot *a = md_snapshot_take(&pages, base, 100, NULL);
    base[200] ^= 1;
    md_snapshot *b = md_snapshot_take(&pages, base, 300, a);
    base[200] ^= 1;
    md_snapshot_restore(b, base);
    EXPECT(base[200] == (unsigned char)(200 * 7 ^ 1));
    md_snapshot_drop(&pages, a);
    md_snapshot_drop(&pages, b);
  }
  IT("takes nothing of nothing, and drops none") {
    md_snapshot *a = md_snapshot_take(&pages, base, 0, NULL);
    EXPECT(a != NULL && md_snapshot_size(a) == 0 && pages.used == 0);
    md_snapshot_restore(a, base);
    md_snapshot_drop(&pages, a);
    md_snapshot_drop(&pages, NULL);
  }
  md_pages_close(&pages);
}

static void spec_leaks(void) {
  enum { BYTES = 6 << 20 };
  unsigned char *base = calloc(1, BYTES);
  if (base == NULL) abort();
  struct mallinfo2 before = mallinfo2();
  IT("leaves no memory behind") {
    for (int k = 0; k < 20; k++) {
      md_pages pages = {0};
      md_snapshot *first = md_snapshot_take(&pages, base, BYTES, NULL);
      base[k * 1000] ^= 1;
      md_snapshot *next = md_snapshot_take(&pages, base, BYTES, first);
      EXPECT(first != NULL && next != NULL);
      md_snapshot_drop(&pages, first);
      md_snapshot_drop(&pages, next);
      md_pages_close(&pages);
      EXPECT(pages.free == NULL && pages.chunks == NULL && pages.used == 0);
    }
    struct mallinfo2 after = mallinfo2();
    EXPECT(after.uordblks + after.hblkhd <= before.uordblks + before.hblkhd);
  }
  free(base);
}

static void spec_spare(void) {
  enum { BYTES = 5 << 20 };
  unsigned char *base = calloc(1, BYTES);
  if (base == NULL) abort();
  atomic_bool enough = false;
  md_pages pages = {0};
  IT("has pages ready before they are needed, as many as are asked for") {
    md_pages_provide(&pages, BYTES, &enough);
    size_t had = pages.spare;
    EXPECT(had >= BYTES && had < 2 * BYTES && pages.used == 0);
    md_snapshot *a = md_snapshot_take(&pages, base, BYTES, NULL);
    EXPECT(a != NULL && pages.used == BYTES && pages.spare == had - BYTES);
    md_snapshot_drop(&pages, a);
    EXPECT(pages.spare == had);
    md_pages_provide(&pages, BYTES, &enough);
    EXPECT(pages.spare == had);
  }
  IT("gets none when there are enough") {
    enough = true;
    size_t had = pages.spare;
    md_pages_provide(&pages, 10 * had, &enough);
    EXPECT(pages.spare == had);
  }
  md_pages_close(&pages);
  EXPECT(pages.spare == 0);
  free(base);
}

int main(void) {
  spec_shadow();
  spec_sharing();
  spec_leaks();
  spec_spare();
  return check_done("snapshot");
}
