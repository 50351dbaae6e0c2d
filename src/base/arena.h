/* The arena: all memory of the simulator, Lua's included, at one fixed
   address, so that a snapshot is these bytes written to a file.

   It is one range of reserved address space that is committed as it fills. The
   arena's own record, every free list and every block live inside the range,
   and the same calls give the same addresses, in any process. Callers know the
   sizes of their blocks and tell them again, so a block of at most 1 KB has no
   header: it comes from a free list of its size in steps of 16 bytes, else is
   carved off a slab. Above that a two-level segregated fit (Masmano, Ripoll,
   Crespo, Real: TLSF, ECRTS 2004) with 8 bytes a block: freed neighbours are
   one block again, and what is freed at the end is given back to the rest.

   Invariant: used is the sum over the blocks held of their sizes, rounded up
   to 16 (large ones with their 8 bytes first), and is never raised past the
   limit. No two free large blocks touch, and the last one is never free.

   Cost: all O(1), a few ns a small block; a resize that moves copies. Left
   undone: slabs serve small blocks for ever, and pages, once touched, stay.

   The arena owns all memory; a block is its caller's until freed. */
#ifndef MD_BASE_ARENA_H
#define MD_BASE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* High, and clear of the address sanitizer's shadow. */
#define MD_ARENA_BASE UINT64_C(0x200000000000)

typedef struct md_arena md_arena;

/* True of every address in the arena, and of no other that a program has: the
   reservation is at most this long. */
static inline int md_arena_near(const void *address) {
  return (uint64_t)(uintptr_t)address >> 40 == MD_ARENA_BASE >> 40;
}

/* Opens the arena of this process, with at most `limit` bytes in use; 0 means
   no limit. NULL with errno where the address is taken (EEXIST: an arena is
   open already) or the system gives no memory. */
md_arena *md_arena_open(size_t limit);

/* Puts `size` bytes of a file, from the offset `at` on, in the place of an
   arena: those of one as it was saved, md_arena_extent of them. They are
   private, and read when they are first touched. Nothing is believed of them:
   who does calls md_arena_wake, which makes them the arena of this process, or
   else md_arena_unmap, both with what this returned. 0 and NULL: errno, as
   above, and nothing is left. */
size_t md_arena_map(int fd, off_t at, size_t size);
md_arena *md_arena_wake(size_t size, size_t reserved);
void md_arena_unmap(size_t reserved);

/* Gives everything back to the system, every block included. */
void md_arena_close(md_arena *);

/* A block aligned to 16, to a cache line (64) if it has more than 1 KB, its
   bytes undefined; size 0 is a block of its own too. NULL where the limit or
   the system refuses; nothing has changed then. */
void *md_arena_alloc(md_arena *, size_t size);

/* Makes a block of `old` bytes one of `size`, moving it where it must; the
   smaller size's bytes are kept. NULL leaves the block as it was; shrinking
   never fails. A NULL block is allocated; size 0 does not free. */
void *md_arena_resize(md_arena *, void *, size_t old, size_t size);

/* Frees a block, which has `size` bytes. NULL: does nothing. */
void md_arena_free(md_arena *, void *, size_t size);

size_t md_arena_used(const md_arena *);
size_t md_arena_peak(const md_arena *);
size_t md_arena_limit(const md_arena *);

/* A limit below what is in use refuses growth until enough is freed. */
void md_arena_set_limit(md_arena *, size_t limit);

/* Allocations asked for since the opening, refused ones too; a resize counts
   when it grows. */
uint64_t md_arena_count(const md_arena *);

/* Refuses the allocation that is number n since the opening, once: for specs
   that try every failure. 0 refuses none. */
void md_arena_fail_at(md_arena *, uint64_t n);

/* Bytes from the base that have ever been lent: what an image holds. It never
   falls, so that a resumed arena is the same to the byte. */
size_t md_arena_extent(const md_arena *);

/* Before the whole is overwritten by an earlier state of `size` bytes: what
   lies above is zero again, as it was. */
void md_arena_recede(md_arena *, size_t size);

/* Has the system put the first `extent` bytes, which belong to an arena, into
   huge pages while somebody else uses them, until `enough` is set. No byte
   changes, and it may be left undone: a copy of the process is made sooner. */
void md_arena_gather(size_t extent, const atomic_bool *enough);

/* Lifts the address sanitizer's poison, which does not travel with the bytes:
   called before the arena is read or overwritten as a whole. Does nothing in
   other builds. */
void md_arena_reveal(md_arena *);

#endif
