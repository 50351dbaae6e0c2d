/* The least of many keys, each on a leaf of its own, whose number says whose
   key it is: a tournament, or winner tree (Knuth, The Art of Computer
   Programming 3, 5.4.1), with four to a match, which are one cache line.

   The matches that a changed leaf has to play again are known beforehand: their
   keys are loaded all at once, and only the comparisons, which need no branch,
   wait for each other. In a heap each level's load waits for the comparison
   above it. To replace the least of 10^2, 10^3 ... 10^6 keys takes 11, 13, 19,
   33, 173 ns where a branchless 4-ary heap takes 22, 31, 49, 72, 312.

   Costs: min O(1), put, add and remove O(log n) for n leaves; a key that is
   added is rarely among the first, and goes up one level or two. Memory is the
   arena's, 21 1/3 bytes a leaf; growing may fail, and nothing has changed then.

   Invariant: key i of a level is the least of keys 4i .. 4i + 3 of the level
   below; a leaf without a key has MD_KEY_NONE. */
#ifndef MD_KERNEL_TREE_H
#define MD_KERNEL_TREE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 md_key;

#define MD_KEY_NONE (~(md_key)0)

enum { MD_TREE_LEVELS = 15 }; /* 2^28 leaves, and the root */

typedef struct md_tree {
  md_key min;
  uint32_t height, capacity;      /* leaves: a multiple of four */
  md_key *levels[MD_TREE_LEVELS]; /* leaves first; levels[height] is &min */
} md_tree;

/* Opens a tree, which stays where it is, that has leaves 0 .. 3; false when
   there is no memory. */
bool md_tree_open(md_tree *, md_arena *);
void md_tree_close(md_tree *, md_arena *);

/* Makes room for leaf i. */
bool md_tree_grow(md_tree *, md_arena *, uint32_t i);

/* Plays every match again, after leaves have been written in place: O(n). */
void md_tree_play(md_tree *);

static inline md_key tree_less(md_key a, md_key b) { return a < b ? a : b; }

static inline bool md_tree_has(const md_tree *t, uint32_t i) {
  return i < t->capacity;
}

/* The least of the three others of a match. */
static inline md_key tree_rivals(const md_key *level, size_t i) {
  return tree_less(level[i ^ 1], tree_less(level[i ^ 2], level[i ^ 3]));
}

/* Puts a key on leaf i, whose own was the least of all. */
static inline void md_tree_replace(md_tree *t, size_t i, md_key key) {
  md_key *const *level = t->levels, *const *top = level + t->height;
  for (; level < top; level++) {
    md_key rivals = tree_rivals(*level, i);
    __asm__("" : "+r"(rivals)); /* or else gcc has the key wait for them */
    (*level)[i] = key;
    key = tree_less(key, rivals);
    i >>= 2;
  }
  t->min = key;
}

/* Puts a key on leaf i, which had none or a greater one. */
static inline void md_tree_add(md_tree *t, uint32_t i, md_key key) {
  for (uint32_t l = 0; key < t->levels[l][i]; i >>= 2) {
    t->levels[l][i] = key;
    if (l++ == t->height) break;
  }
}

/* Takes the key off leaf i. */
void md_tree_remove(md_tree *, uint32_t i);

#endif
