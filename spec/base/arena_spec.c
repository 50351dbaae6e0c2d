/* The arena, through its interface alone. Claims about where a block lies
   after it has grown are left out in the hostile build, which moves it. */
#include "base/arena.h"
#include "spec/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __has_feature
#define SPEC_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define SPEC_CLANG_ASAN 0
#endif

enum {
  MB = 1 << 20,
  SHADOW_BLOCKS = 2000,
  SHADOW_STEPS = 200000,
#if defined(__SANITIZE_ADDRESS__) || SPEC_CLANG_ASAN
  SANITIZED = 1,
#else
  SANITIZED = 0,
#endif
#ifdef MD_HOSTILE
  HOSTILE = 1,
#else
  HOSTILE = 0,
#endif
};

typedef struct {
  unsigned char *p;
  size_t size;
  unsigned char mark;
} block;

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Mostly small, sometimes around the border between small and large, seldom
   very large. */
static size_t random_size(uint64_t *state) {
  uint64_t r = next_random(state), n = r >> 8;
  if (r % 64 == 0) return n % 200000;
  if (r % 8 == 0) return 1000 + n % 50;
  if (r % 4 == 0) return n % 5000;
  return n % 300;
}

static void shuffle(block *blocks, size_t n, uint64_t seed) {
  for (size_t i = n; i > 1; i--) {
    size_t j = next_random(&seed) % i;
    block b = blocks[i - 1];
    blocks[i - 1] = blocks[j];
    blocks[j] = b;
  }
}

static bool filled(const unsigned char *p, unsigned char c, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (p[i] != c) return false;
  return true;
}

/* A block of more than 1 KB begins a cache line. */
static bool aligned(const void *p, size_t size) {
  return p != NULL && (uintptr_t)p % (size > 1024 ? 64 : 16) == 0;
}

/* --- A shadow model: what is held, and what its bytes must be. --- */

static bool shadow_resize(md_arena *a, block *b, size_t size) {
  size_t kept = b->size < size ? b->size : size;
  unsigned char *p = md_arena_resize(a, b->p, b->size, size);
  if (!aligned(p, size) || !filled(p, b->mark, kept)) return false;
  memset(p, b->mark, size);
  b->p = p;
  b->size = size;
  return true;
}

static bool shadow_step(md_arena *a, block *b, uint64_t *state) {
  uint64_t r = next_random(state);
  if (b->p == NULL) {
    b->size = random_size(state);
    b->mark = (unsigned char)r;
    b->p = md_arena_alloc(a, b->size);
    if (!aligned(b->p, b->size)) return false;
    memset(b->p, b->mark, b->size);
    return true;
  }
  if (r % 3 == 0) return shadow_resize(a, b, random_size(state));
  if (!filled(b->p, b->mark, b->size)) return false;
  md_arena_free(a, b->p, b->size);
  b->p = NULL;
  return true;
}

/* Folds the addresses of a whole run into one number; 0 is a broken run. */
static uint64_t shadow_run(md_arena *a, uint64_t seed, int steps) {
  static block blocks[SHADOW_BLOCKS];
  uint64_t hash = 1;
  memset(blocks, 0, sizeof blocks);
  for (int i = 0; i < steps; i++) {
    block *b = &blocks[next_random(&seed) % SHADOW_BLOCKS];
    if (!shadow_step(a, b, &seed)) return 0;
    hash = (hash ^ (uintptr_t)b->p) * UINT64_C(0x100000001b3);
  }
  for (size_t i = 0; i < SHADOW_BLOCKS; i++) {
    if (blocks[i].p == NULL) continue;
    if (!filled(blocks[i].p, blocks[i].mark, blocks[i].size)) return 0;
    md_arena_free(a, blocks[i].p, blocks[i].size);
  }
  return hash;
}

/* --- Sentences. --- */

static void spec_open(void) {
  md_arena *a = md_arena_open(0);
  IT("opens at its address, empty and without a limit") {
    EXPECT((uintptr_t)a == MD_ARENA_BASE);
    EXPECT(md_arena_used(a) == 0 && md_arena_peak(a) == 0);
    EXPECT(md_arena_limit(a) == 0 && md_arena_count(a) == 0);
  }
  IT("refuses a second arena at the same time") {
    errno = 0;
    EXPECT(md_arena_open(0) == NULL);
    EXPECT(errno == EEXIST);
    EXPECT(md_arena_alloc(a, 100) != NULL);
  }
  md_arena_close(a);
  IT("opens again after it was closed") {
    a = md_arena_open(5 * MB);
    EXPECT(a != NULL && md_arena_used(a) == 0);
    EXPECT(md_arena_limit(a) == 5 * MB);
  }
  md_arena_close(a);
  IT("closes nothing when there is none") { md_arena_close(NULL); }
}

static void spec_blocks(md_arena *a) {
  IT("aligns a block of any size and lends all its bytes") {
    bool right = true;
    for (size_t size = 0; size < 3000; size++) {
      char *p = md_arena_alloc(a, size);
      right = right && aligned(p, size);
      memset(p, 1, size);
      if (size % 2) md_arena_free(a, p, size);
    }
    EXPECT(right);
  }
  IT("gives size 0 a block of its own") {
    void *p = md_arena_alloc(a, 0), *q = md_arena_alloc(a, 0);
    EXPECT(p != NULL && q != NULL && p != q);
    md_arena_free(a, p, 0);
    md_arena_free(a, q, 0);
  }
}

static void spec_order(md_arena *a) {
  IT("gives the small block freed last first") {
    void *p = md_arena_alloc(a, 100), *q = md_arena_alloc(a, 100);
    md_arena_free(a, q, 100);
    md_arena_free(a, p, 100);
    EXPECT(md_arena_alloc(a, 97) == p);
    EXPECT(md_arena_alloc(a, 112) == q);
  }
  IT("frees NULL by doing nothing") {
    size_t used = md_arena_used(a);
    md_arena_free(a, NULL, 100);
    EXPECT(md_arena_used(a) == used);
  }
}

static bool resize_keeps(md_arena *a, size_t old, size_t size) {
  unsigned char *p = md_arena_alloc(a, old), *q;
  size_t kept = old < size ? old : size, used = md_arena_used(a);
  memset(p, 0x5A, old);
  q = md_arena_resize(a, p, old, size);
  bool right = q != NULL && filled(q, 0x5A, kept);
  if (size <= old) right = right && md_arena_used(a) <= used;
  memset(q, 1, size);
  md_arena_free(a, q, size);
  return right;
}

static void spec_resize(md_arena *a) {
  IT("keeps the bytes both sizes have, small or large") {
    static const size_t sizes[] = {0,    1,    16,   17,    500,   1023,  1024,
                                   1025, 1040, 2000, 65536, 70000, 3 * MB};
    enum { N = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < N * N; i++)
      EXPECT(resize_keeps(a, sizes[i / N], sizes[i % N]));
  }
  IT("allocates when there is no block yet") {
    void *p = md_arena_resize(a, NULL, 7, 50);
    EXPECT(p != NULL);
    md_arena_free(a, p, 50);
  }
  IT("leaves everything as it was when it refuses a size") {
    unsigned char *p = md_arena_alloc(a, 2000);
    size_t used = md_arena_used(a);
    memset(p, 7, 2000);
    EXPECT(md_arena_alloc(a, SIZE_MAX) == NULL);
    EXPECT(md_arena_alloc(a, (size_t)1 << 41) == NULL);
    EXPECT(md_arena_resize(a, p, 2000, SIZE_MAX - 5) == NULL);
    EXPECT(md_arena_resize(a, p, 2000, (size_t)1 << 40) == NULL);
    EXPECT(md_arena_used(a) == used && filled(p, 7, 2000));
    md_arena_free(a, p, 2000);
  }
}

static void spec_growth(md_arena *a) {
  if (HOSTILE) return;
  IT("grows the last block where it is") {
    size_t size = 2 * MB;
    char *p = md_arena_alloc(a, size), *q = p;
    for (; size < 500 * (size_t)MB && q == p; size *= 2)
      q = md_arena_resize(a, p, size, 2 * size);
    EXPECT(q == p);
    md_arena_free(a, q, size);
  }
  IT("grows a block into the free one behind it") {
    void *p = md_arena_alloc(a, 300000), *q = md_arena_alloc(a, 300000);
    void *wall = md_arena_alloc(a, 300000);
    md_arena_free(a, q, 300000);
    EXPECT(md_arena_resize(a, p, 300000, 500000) == p);
    EXPECT(md_arena_resize(a, p, 500000, 600000) == p);
    EXPECT(md_arena_resize(a, p, 600000, 1200) == p);
    EXPECT(md_arena_alloc(a, 590000) == (char *)p + 1216);
    md_arena_free(a, (char *)p + 1216, 590000);
    md_arena_free(a, p, 1200);
    md_arena_free(a, wall, 300000);
  }
}

static void spec_used(md_arena *a) {
  IT("knows what is used, what was at most, and that all came back") {
    size_t used = md_arena_used(a);
    void *p = md_arena_alloc(a, 100), *q = md_arena_alloc(a, 5000);
    size_t full = md_arena_used(a);
    EXPECT(full >= used + 5100 && full <= used + 5100 + 90);
    EXPECT(md_arena_peak(a) >= full);
    p = md_arena_resize(a, p, 100, 3000);
    EXPECT(md_arena_used(a) >= used + 8000);
    q = md_arena_resize(a, q, 5000, 10);
    EXPECT(md_arena_used(a) < used + 3100);
    md_arena_free(a, p, 3000);
    md_arena_free(a, q, 10);
    EXPECT(md_arena_used(a) == used);
  }
}

static void spec_count(md_arena *a) {
  IT("counts what is asked for: blocks and growth") {
    uint64_t n = md_arena_count(a);
    void *p = md_arena_alloc(a, 10);
    EXPECT(md_arena_count(a) == n + 1);
    p = md_arena_resize(a, p, 10, 2000);
    EXPECT(md_arena_count(a) == n + 2);
    p = md_arena_resize(a, p, 2000, 20);
    md_arena_free(a, p, 20);
    EXPECT(md_arena_count(a) == n + 2);
  }
}

static void spec_fail_at(md_arena *a) {
  IT("fails the allocation that was named, once, and changes nothing") {
    uint64_t n = md_arena_count(a);
    size_t used = md_arena_used(a);
    md_arena_fail_at(a, n + 2);
    unsigned char *p = md_arena_alloc(a, 10);
    EXPECT(p != NULL && md_arena_alloc(a, 10) == NULL);
    void *q = md_arena_alloc(a, 10);
    EXPECT(q != NULL);
    md_arena_free(a, q, 10);
    memset(p, 9, 10);
    md_arena_fail_at(a, n + 4);
    EXPECT(md_arena_resize(a, p, 10, 2000) == NULL);
    EXPECT(filled(p, 9, 10));
    md_arena_fail_at(a, 0);
    p = md_arena_resize(a, p, 10, 2000);
    EXPECT(p != NULL && filled(p, 9, 10));
    md_arena_fail_at(a, md_arena_count(a) + 1);
    EXPECT((p = md_arena_resize(a, p, 2000, 5)) != NULL);
    md_arena_fail_at(a, 0);
    md_arena_free(a, p, 5);
    EXPECT(md_arena_used(a) == used);
  }
}

static void spec_limit_lowered(md_arena *a, block *blocks, size_t n) {
  IT("refuses growth below a lowered limit, but shrinks and frees") {
    md_arena_set_limit(a, MB / 2);
    EXPECT(md_arena_limit(a) == MB / 2);
    EXPECT(md_arena_alloc(a, 1) == NULL);
    EXPECT((blocks[0].p = md_arena_resize(a, blocks[0].p, 700, 9)) != NULL);
    md_arena_free(a, blocks[0].p, 9);
    while (n > 1) md_arena_free(a, blocks[--n].p, 700);
    EXPECT(md_arena_used(a) == 0 && md_arena_alloc(a, 1) != NULL);
  }
  IT("has no limit again when it is set to 0") {
    md_arena_set_limit(a, 0);
    EXPECT(md_arena_alloc(a, 50 * MB) != NULL);
  }
}

static void spec_limit(void) {
  static block blocks[3000];
  md_arena *a = md_arena_open(MB);
  size_t n = 0;
  while ((blocks[n].p = md_arena_alloc(a, 700)) != NULL) n++;
  IT("stops at the limit, and not before") {
    EXPECT(md_arena_used(a) <= MB && md_arena_used(a) + 704 > MB);
    EXPECT(md_arena_alloc(a, 100000) == NULL);
    EXPECT(md_arena_resize(a, blocks[0].p, 700, 1500) == NULL);
  }
  IT("goes on once something was freed") {
    md_arena_free(a, blocks[--n].p, 700);
    EXPECT((blocks[n].p = md_arena_alloc(a, 700)) != NULL);
    EXPECT(md_arena_alloc(a, 700) == NULL);
    n++;
  }
  spec_limit_lowered(a, blocks, n);
  md_arena_close(a);
}

/* Under `ulimit -v`, in a process of its own: what the sentence asks for is
   its exit status. */
static int starved(void) {
  struct rlimit small = {300 * MB, 300 * MB};
  setrlimit(RLIMIT_AS, &small);
  md_arena *a = md_arena_open(0);
  if (a == NULL) return 1;
  block held = {NULL, 64 << 10, 0}, last = held;
  unsigned char *p = md_arena_alloc(a, 1000), *q = md_arena_alloc(a, 5000);
  while ((held.p = md_arena_alloc(a, held.size)) != NULL) last = held;
  while (md_arena_alloc(a, 1024) != NULL) {
  }
  while (md_arena_alloc(a, 1) != NULL) {
  }
  while (md_arena_alloc(a, 2) != NULL) {
  }
  size_t used = md_arena_used(a);
  memset(p, 1, 1000);
  memset(q, 2, 5000);
  if (used < 60 * MB || last.p == NULL) return 2;
  p = md_arena_resize(a, p, 1000, 33);
  q = md_arena_resize(a, q, 5000, 35);
  if (p == NULL || q == NULL) return 3;
  if (!filled(p, 1, 33) || !filled(q, 2, 35)) return 4;
  if (md_arena_used(a) >= used - 5000) return 5;
  md_arena_free(a, q, 35);
  md_arena_free(a, p, 33);
  md_arena_free(a, last.p, last.size);
  return md_arena_alloc(a, last.size) == last.p ? 0 : 6;
}

static void spec_starved(void) {
  if (SANITIZED) return; /* its shadow alone is more than the limit */
  IT("takes less address space where less is allowed, shrinks even when that "
     "is full, and recovers") {
    int status = -1;
    pid_t child = fork();
    if (child == 0) _exit(starved());
    waitpid(child, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

/* Between two walls, so that the hole can not fall back to the top. */
static bool coalesces(uint64_t seed, bool backwards) {
  enum { N = 400 };
  static block blocks[N];
  md_arena *a = md_arena_open(0);
  void *wall = md_arena_alloc(a, 4000);
  size_t total = 0;
  for (size_t i = 0; i < N; i++) {
    blocks[i].size = 1025 + i * 37 % 5000;
    blocks[i].p = md_arena_alloc(a, blocks[i].size);
    total += blocks[i].size;
  }
  unsigned char *first = blocks[0].p, *end = md_arena_alloc(a, 4000);
  if (seed != 0) shuffle(blocks, N, seed);
  for (size_t i = 0; i < N; i++) {
    block *b = &blocks[backwards ? N - 1 - i : i];
    md_arena_free(a, b->p, b->size);
  }
  size_t hole = (size_t)(end - first) - 16;
  bool right = hole >= total && md_arena_alloc(a, hole) == first;
  md_arena_free(a, first, hole);
  md_arena_free(a, end, 4000);
  md_arena_free(a, wall, 4000);
  right = right && md_arena_alloc(a, 100 * MB) == wall;
  md_arena_close(a);
  return right;
}

static void spec_coalesce(void) {
  IT("looks above a list that has become empty") {
    md_arena *a = md_arena_open(0);
    char *p = md_arena_alloc(a, 300000), *wall = md_arena_alloc(a, 2000);
    md_arena_free(a, p, 300000);
    EXPECT(md_arena_alloc(a, 300000) == p);
    EXPECT((char *)md_arena_alloc(a, 5000) > wall);
    md_arena_close(a);
  }
  IT("makes one block again of all that was freed, in any order") {
    EXPECT(coalesces(0, false));
    EXPECT(coalesces(0, true));
    for (uint64_t seed = 1; seed <= 20; seed++) EXPECT(coalesces(seed, false));
  }
}

static void spec_overhead(void) {
  static const size_t sizes[] = {208, 64, 720};
  md_arena *a = md_arena_open(0);
  size_t empty = md_arena_extent(a), total = 0;
  IT("spends at most one per cent on a million small blocks") {
    for (int i = 0; i < 1000000; i++) {
      total += sizes[i % 3];
      if (md_arena_alloc(a, sizes[i % 3]) == NULL) break;
    }
    EXPECT(md_arena_used(a) == total);
    /* A slab of the hostile build holds next to nothing. */
    EXPECT(HOSTILE || md_arena_extent(a) - empty <= total + total / 100);
  }
  md_arena_close(a);
}

/* s = s .. x with other things allocated between: the old string lives until
   the new one is there, as it does under a collector. */
static void spec_strings(void) {
  md_arena *a = md_arena_open(0);
  size_t size = 100, rest = 0;
  char *s = md_arena_alloc(a, size);
  IT("grows a string step by step in less than five times its bytes") {
    for (int i = 0; i < 2000; i++) {
      char *t = md_arena_alloc(a, size + 1000);
      memset(t, 1, size + 1000);
      md_arena_free(a, s, size);
      s = t;
      size += 1000;
      if (i % 10 == 0) rest += 48;
      if (i % 10 == 0 && md_arena_alloc(a, 48) == NULL) break;
    }
    EXPECT(size == 2000100);
    EXPECT(md_arena_extent(a) < 4 * (size + rest));
  }
  md_arena_close(a);
}

static void spec_shadow(void) {
  uint64_t runs[3];
  for (int i = 0; i < 3; i++) {
    md_arena *a = md_arena_open(0);
    runs[i] = shadow_run(a, i == 2 ? 99 : 12345, SHADOW_STEPS);
    IT("keeps every block's bytes to itself in any sequence of calls") {
      EXPECT(runs[i] != 0);
      EXPECT(md_arena_used(a) == 0);
      EXPECT(md_arena_peak(a) > 0);
    }
    md_arena_close(a);
  }
  IT("gives the same addresses to the same calls") {
    EXPECT(runs[0] == runs[1]);
    EXPECT(runs[0] != runs[2]);
  }
}

static void spec_extent(void) {
  md_arena *a = md_arena_open(0);
  size_t empty = md_arena_extent(a);
  IT("reaches over all that was ever lent, and not much further") {
    EXPECT(empty > 0 && empty < 64 << 10);
    char *p = md_arena_alloc(a, 30 * MB);
    size_t extent = md_arena_extent(a);
    EXPECT((char *)a + extent >= p + 30 * MB);
    EXPECT(extent < empty + 30 * MB + 100);
    md_arena_free(a, p, 30 * MB);
    EXPECT(md_arena_extent(a) == extent);
    p = md_arena_alloc(a, 20 * MB);
    EXPECT(md_arena_extent(a) == extent);
  }
  IT("can be read as a whole") {
    unsigned char sum = 0;
    md_arena_free(a, md_arena_alloc(a, 50), 50);
    md_arena_reveal(a);
    for (size_t i = 0; i < md_arena_extent(a); i++)
      sum ^= ((const volatile unsigned char *)a)[i];
    (void)sum;
    EXPECT(md_arena_alloc(a, 50) != NULL);
  }
  md_arena_close(a);
}

int main(void) {
  spec_open();
  md_arena *a = md_arena_open(0);
  spec_blocks(a);
  spec_order(a);
  spec_resize(a);
  spec_growth(a);
  spec_used(a);
  spec_count(a);
  spec_fail_at(a);
  md_arena_close(a);
  spec_limit();
  spec_starved();
  spec_coalesce();
  spec_overhead();
  spec_strings();
  spec_shadow();
  spec_extent();
  return check_done("arena");
}
