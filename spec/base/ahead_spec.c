/* The arena's next pages, got by another thread. */
#include "base/ahead.h"
#include "base/arena.h"
#include "spec/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
  PAGE = 4096,
  MB = 1 << 20,
  SMALL = 64 << 10,
  STEP = 512 << 10,
  MANY = 100 * MB / SMALL
};

static bool system_knows_how(void) {
  void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool knows = p != MAP_FAILED && madvise(p, PAGE, MADV_POPULATE_WRITE) == 0;
  if (p != MAP_FAILED) munmap(p, PAGE);
  return knows;
}

/* Pages of these bytes that have memory. */
static size_t resident(const char *from, size_t size) {
  static unsigned char pages[4 * MB / PAGE];
  size_t n = 0;
  if (mincore((void *)from, size, pages) != 0) return 0;
  for (size_t i = 0; i < size / PAGE; i++) n += pages[i] & 1;
  return n;
}

static const char *end_of(md_arena *a) {
  return (char *)a + (md_arena_extent(a) + PAGE - 1) / PAGE * PAGE;
}

/* Has the other thread come, in ten seconds? The first step it may have left,
   when it was late. */
static bool comes(const char *from) {
  for (int i = 0; i < 1000; i++) {
    size_t n = resident(from + STEP, STEP);
    if (n == STEP / PAGE) return true;
    usleep(10000);
  }
  return false;
}

/* Fills 100 MB of blocks with one byte. */
static void fill(md_arena *a, void **blocks, int byte) {
  for (int i = 0; i < MANY; i++) {
    blocks[i] = md_arena_alloc(a, SMALL);
    if (blocks[i] == NULL) abort();
    memset(blocks[i], byte, SMALL);
  }
}

static bool filled(void *const *blocks, int byte) {
  static char same[SMALL];
  memset(same, byte, sizeof same);
  for (int i = 0; i < MANY; i++)
    if (memcmp(blocks[i], same, SMALL) != 0) return false;
  return true;
}

static bool zero(const char *from, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (from[i] != 0) return false;
  return true;
}

int main(void) {
  static void *blocks[MANY];
  md_arena *a = md_arena_open(0);
  if (!system_knows_how()) return check_done("ahead");
  IT("has memory for what comes next, and nothing written there") {
    fill(a, blocks, 7);
    EXPECT(comes(end_of(a)));
    EXPECT(zero(end_of(a), MB));
    EXPECT(filled(blocks, 7));
  }
  IT("leaves what is far away alone") {
    usleep(50000);
    EXPECT(resident(end_of(a) + 4 * MB, MB) == 0);
  }
  IT("goes on in another arena, which began from below") {
    md_arena_close(a);
    a = md_arena_open(0);
    EXPECT(resident((char *)a + 80 * MB, MB) == 0);
    fill(a, blocks, 9);
    EXPECT(comes(end_of(a)) && filled(blocks, 9));
  }
  IT("may be wished where there is no arena") {
    md_arena_close(a);
    md_ahead_wish((char *)MD_ARENA_BASE + 200 * MB,
                  (char *)MD_ARENA_BASE + 202 * MB);
    usleep(50000);
    a = md_arena_open(0);
    EXPECT(a != NULL && resident((char *)a + 200 * MB, MB) == 0);
  }
  IT("is missed by nobody in a copy of the program") {
    pid_t copy = fork();
    if (copy == 0) {
      fill(a, blocks, 3);
      _exit(filled(blocks, 3) ? 0 : 1);
    }
    int status = 0;
    EXPECT(waitpid(copy, &status, 0) == copy && status == 0);
  }
  md_arena_close(a);
  return check_done("ahead");
}
