/* An arena as a whole: closed and opened again from a file, and overwritten by
   what it was before. */
#include "base/arena.h"
#include "spec/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MB = 1 << 20, BLOCKS = 500 };

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* The same calls in whatever arena: where the blocks lie, as one number. */
static uint64_t work(md_arena *a, uint64_t seed) {
  uint64_t sum = 0;
  void *blocks[BLOCKS] = {NULL};
  size_t sizes[BLOCKS] = {0};
  for (int k = 0; k < 20 * BLOCKS; k++) {
    size_t i = next_random(&seed) % BLOCKS;
    size_t size = next_random(&seed) % (k % 50 ? 600 : 60000);
    void *p = md_arena_resize(a, blocks[i], sizes[i], size);
    if (p == NULL) abort();
    memset(p, (int)k, size);
    blocks[i] = p;
    sizes[i] = size;
    sum = sum * 31 + (uint64_t)(uintptr_t)p;
  }
  return sum;
}

/* A file of the arena's bytes; its descriptor. */
static int file_of(md_arena *a) {
  FILE *f = tmpfile();
  md_arena_reveal(a);
  size_t n = md_arena_extent(a);
  if (f == NULL || fwrite(a, 1, n, f) != n || fflush(f) != 0) abort();
  int fd = dup(fileno(f));
  fclose(f);
  return fd;
}

static void spec_wake(void) {
  md_arena *a = md_arena_open(0);
  work(a, 1);
  size_t size = md_arena_extent(a), used = md_arena_used(a);
  int fd = file_of(a);
  uint64_t on = work(a, 2);
  md_arena_close(a);
  IT("goes on from a file as it would have gone on") {
    size_t reserved = md_arena_map(fd, 0, size);
    EXPECT(reserved >= size);
    a = md_arena_wake(size, reserved);
    EXPECT(a != NULL && md_arena_used(a) == used);
    EXPECT(md_arena_extent(a) == size && work(a, 2) == on);
    EXPECT(md_arena_open(0) == NULL && errno == EEXIST);
    EXPECT(md_arena_map(fd, 0, size) == 0 && errno == EEXIST);
    md_arena_close(a);
  }
  IT("does not write to the file") {
    a = md_arena_wake(size, md_arena_map(fd, 0, size));
    EXPECT(md_arena_used(a) == used && work(a, 2) == on);
    md_arena_close(a);
  }
  IT("leaves nothing when it is not believed, or there is no file") {
    md_arena_unmap(md_arena_map(fd, 0, size));
    EXPECT(md_arena_map(-1, 0, size) == 0 && errno == EBADF);
    EXPECT(md_arena_map(fd, 1, size) == 0 && errno == EINVAL);
    a = md_arena_open(0);
    EXPECT(a != NULL);
    md_arena_close(a);
  }
  close(fd);
}

#ifndef __SANITIZE_ADDRESS__ /* its shadow needs far more */
/* In a process of its own, which has little address space. */
static int wake_in_little(int fd, size_t size) {
  struct rlimit limit = {64 * MB, 64 * MB};
  pid_t pid = fork();
  if (pid < 0) abort();
  if (pid == 0) {
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(9);
    size_t reserved = md_arena_map(fd, 0, size);
    if (reserved == 0) _exit(errno == ENOMEM ? 2 : 3);
    _exit(md_arena_wake(size, reserved) != NULL);
  }
  int status;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

static void spec_little(void) {
  md_arena *a = md_arena_open(0);
  void *block = md_arena_alloc(a, 4 * MB);
  int small = file_of(a);
  size_t small_size = md_arena_extent(a);
  block = md_arena_resize(a, block, 4 * MB, 100 * MB);
  int large = file_of(a);
  size_t large_size = md_arena_extent(a);
  md_arena_close(a);
  IT("refuses what does not fit, and reserves less for what does") {
    EXPECT(block != NULL);
    EXPECT(wake_in_little(small, small_size) == 1);
    EXPECT(wake_in_little(large, large_size) == 2);
  }
  close(small);
  close(large);
}
#else
static void spec_little(void) {}
#endif

static void spec_recede(void) {
  md_arena *a = md_arena_open(0);
  work(a, 1);
  md_arena_reveal(a);
  size_t size = md_arena_extent(a);
  unsigned char *kept = malloc(size);
  if (kept == NULL) abort();
  memcpy(kept, a, size);
  IT("goes on from what it was as it went on from it before") {
    uint64_t on = work(a, 2);
    for (uint64_t k = 0; k < 5; k++) {
      if (md_arena_alloc(a, (k << 22) + 1000 * k) == NULL) abort();
      size_t more = md_arena_extent(a);
      md_arena_recede(a, size);
      memcpy(a, kept, size);
      EXPECT(md_arena_extent(a) == size);
      unsigned char *above = (unsigned char *)a;
      size_t lit = 0;
      for (size_t i = size; i < more; i++) lit += above[i] != 0;
      EXPECT(lit == 0);
      EXPECT(work(a, 2) == on);
    }
  }
  free(kept);
  md_arena_close(a);
}

int main(void) {
  spec_wake();
  spec_little();
  spec_recede();
  return check_done("arena_whole");
}
