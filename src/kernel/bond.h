/* Bonds between processes: links, monitors, children and whom a process's
   messages are forwarded to. A bond has two sides, each in a ring of its
   process's; a ring stands in the order in which its bonds were made. Making
   and breaking one costs the same however many there are. What happens when a
   process ends is the host's to do: it takes the bonds one by one, the oldest
   first; here they are only kept.

   A bond's id is never given twice. Both processes have their rare part. */
#ifndef MD_KERNEL_BOND_H
#define MD_KERNEL_BOND_H

#include "base/arena.h"
#include "kernel/proc.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t md_bond_id; /* generation above, index below */

#ifdef MD_HOSTILE
enum { MD_BOND_INDEX_BITS = 24, MD_BOND_GENERATION_BITS = 3 };
#else
enum { MD_BOND_INDEX_BITS = 24, MD_BOND_GENERATION_BITS = 26 };
#endif

typedef enum md_bond_kind {
  MD_LINK,    /* of two that are alike */
  MD_MONITOR, /* of the watched, and of who watches it */
  MD_CHILD,   /* of a child, and of its parent */
  MD_FORWARD, /* of a child that gets what its parent gets, and the parent */
  MD_BOND_KINDS
} md_bond_kind;

typedef struct md_bond {
  uint64_t made; /* a number that grows */
  uint64_t word; /* the host's */
  uint32_t process[2];
  uint32_t prev[2], next[2]; /* in the rings of the two */
  uint32_t generation;
  uint8_t kind; /* MD_BOND_KINDS: free */
} md_bond;

typedef struct md_bonds {
  md_arena *arena;
  md_procs *procs;
  md_bond *records;
  uint32_t capacity, used, free, live;
  uint32_t marks; /* searches so far, see md_bonds_trapped */
  uint64_t made;
} md_bonds;

void md_bonds_open(md_bonds *, md_arena *, md_procs *);
void md_bonds_close(md_bonds *);

/* A new bond of a, the first side, and b; 0 when there is no memory. */
uint32_t md_bonds_make(md_bonds *, md_bond_kind, uint32_t a, uint32_t b);
void md_bonds_break(md_bonds *, uint32_t bond);

/* The name of a bond, and the bond of that name; 0 when it is broken. */
md_bond_id md_bonds_id(const md_bonds *, uint32_t bond);
uint32_t md_bonds_find(const md_bonds *, md_bond_id);

/* The link of a and b, 0: there is none. It walks through both rings of links
   at once, to the end of the shorter one. */
uint32_t md_bonds_linked(const md_bonds *, uint32_t a, uint32_t b);

/* The first bond of p in a ring and the next one after `bond`; the last and the
   one before. 0 at the end. */
uint32_t md_bonds_first(const md_bonds *, uint32_t p, md_ring);
uint32_t md_bonds_next(const md_bonds *, uint32_t p, md_ring, uint32_t bond);
uint32_t md_bonds_last(const md_bonds *, uint32_t p, md_ring);
uint32_t md_bonds_prev(const md_bonds *, uint32_t p, md_ring, uint32_t bond);

/* The oldest of the links of p and the monitors on it: whom its end concerns
   first. 0: nobody. */
uint32_t md_bonds_oldest(const md_bonds *, uint32_t p);

/* The process on the other side than p. */
static inline uint32_t md_bond_other(const md_bond *bond, uint32_t p) {
  return bond->process[bond->process[0] == p];
}

/* The process after `at`, of those that get what `root` gets: its heirs, each
   before its own heirs. It begins with `root` itself; 0 at the end. */
uint32_t md_bonds_heir(const md_bonds *, uint32_t root, uint32_t at);

/* Does an exit signal of p reach a process that traps it, on the way over links
   of those that do not, and would end by it? */
bool md_bonds_trapped(md_bonds *, uint32_t p);

/* Breaks every bond of p; its parent, when p was its last child, else 0. */
uint32_t md_bonds_forget(md_bonds *, uint32_t p);

#endif
