/* The arena as a whole: opening and closing it, and putting the bytes of an
   earlier one in its place. */
#include "base/arena_state.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1 */
#endif

/* Reserves as much as is allowed at the base: less than all under `ulimit -v`.
   A kernel too old for the flag would place it elsewhere. */
static size_t arena_reserve(void) {
  void *base = (void *)MD_ARENA_BASE;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  for (size_t size = arena_max; size >= ARENA_STEP; size /= 2) {
    void *p = mmap(base, size, PROT_NONE, flags, -1, 0);
    if (p == base) return size;
    if (p == MAP_FAILED) continue;
    munmap(p, size);
    errno = EEXIST;
  }
  return 0;
}

/* The bytes of the pages that hold so many. */
static size_t arena_pages(size_t size) {
  const size_t page = 4096;
  return (size + page - 1) / page * page;
}

md_arena *md_arena_open(size_t limit) {
  md_arena *a = (md_arena *)MD_ARENA_BASE;
  size_t size = arena_reserve(),
         head = sizeof *a + ARENA_GRAIN + ARENA_LINE - 1;
  if (size == 0) return NULL;
  if (mprotect(a, ARENA_STEP, PROT_READ | PROT_WRITE) != 0) {
    int error = errno;
    munmap(a, size);
    errno = error;
    return NULL;
  }
  a->top = a->high = (char *)a + head - head % ARENA_LINE - ARENA_GRAIN;
  a->committed = (char *)a + ARENA_STEP;
  a->reserved = (char *)a + size;
  md_arena_set_limit(a, limit);
  return a;
}

size_t md_arena_map(int fd, off_t at, size_t size) {
  void *base = (void *)MD_ARENA_BASE;
  size_t reserved = arena_reserve();
  if (reserved == 0) return 0;
  int flags = MAP_PRIVATE | MAP_FIXED, access = PROT_READ | PROT_WRITE;
  if (size > reserved) errno = ENOMEM;
  else if (mmap(base, size, access, flags, fd, at) == base) return reserved;
  md_arena_unmap(reserved);
  return 0;
}

md_arena *md_arena_wake(size_t size, size_t reserved) {
  md_arena *a = (md_arena *)MD_ARENA_BASE;
  char *end = (char *)a + arena_pages(size);
  size_t rest = end < a->committed ? (size_t)(a->committed - end) : 0;
  a->reserved = (char *)a + reserved;
  if (a->committed > a->reserved) errno = ENOMEM;
  else if (rest == 0 || mprotect(end, rest, PROT_READ | PROT_WRITE) == 0)
    return a;
  md_arena_unmap(reserved);
  return NULL;
}

void md_arena_unmap(size_t reserved) {
  int error = errno;
  munmap((void *)MD_ARENA_BASE, reserved);
  errno = error;
}

void md_arena_close(md_arena *a) {
  if (a == NULL) return;
  md_arena_reveal(a);
  munmap(a, (size_t)(a->reserved - (char *)a));
}

void md_arena_recede(md_arena *a, size_t size) {
  size_t now = md_arena_extent(a), whole = arena_pages(size);
  md_arena_reveal(a);
  if (now <= size) return;
  if (whole > now) whole = now;
  memset((char *)a + size, 0, whole - size);
  if (whole < now) madvise((char *)a + whole, now - whole, MADV_DONTNEED);
}

void md_arena_gather(size_t extent, const atomic_bool *enough) {
  const size_t huge = 2 << 20;
  for (size_t at = 0; at + huge <= extent && !atomic_load(enough); at += huge)
    madvise((char *)MD_ARENA_BASE + at, huge, MADV_COLLAPSE);
}

void md_arena_reveal(md_arena *a) {
  arena_show(a, (size_t)(a->committed - (char *)a));
}
