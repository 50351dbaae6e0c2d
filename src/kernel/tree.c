#include "kernel/tree.h"

#include <string.h>

enum { TREE_FIRST = 4 };

/* Keys of the level above one of n keys: whole matches, but for the last. */
static uint32_t tree_above(uint32_t n) {
  return n == 4 ? 1 : (n / 4 + 3) / 4 * 4;
}

static size_t tree_bytes(uint32_t capacity) {
  size_t keys = 0;
  for (uint32_t n = capacity; n > 1; n = tree_above(n)) keys += n;
  return keys * sizeof(md_key);
}

/* Lays the levels out, one behind the other: where there are more than 1 KB, a
   match is a cache line. */
static void tree_lay(md_tree *t, md_key *keys, uint32_t capacity) {
  t->capacity = capacity;
  t->height = 0;
  for (uint32_t n = capacity; n > 1; n = tree_above(n)) {
    t->levels[t->height++] = keys;
    keys += n;
  }
  t->levels[t->height] = &t->min;
}

void md_tree_play(md_tree *t) {
  uint32_t n = t->capacity;
  for (uint32_t l = 0; l < t->height; l++) {
    const md_key *level = t->levels[l];
    md_key *above = t->levels[l + 1];
    uint32_t wide = tree_above(n);
    for (uint32_t i = 0; i < n; i += 4)
      above[i / 4] = tree_less(level[i], tree_rivals(level, i));
    for (uint32_t i = n / 4; i < wide; i++) above[i] = MD_KEY_NONE;
    n = wide;
  }
}

bool md_tree_open(md_tree *t, md_arena *arena) {
  memset(t, 0, sizeof *t);
  return md_tree_grow(t, arena, TREE_FIRST - 1);
}

void md_tree_close(md_tree *t, md_arena *arena) {
  md_arena_free(arena, t->levels[0], tree_bytes(t->capacity));
  t->levels[0] = NULL;
}

bool md_tree_grow(md_tree *t, md_arena *arena, uint32_t i) {
  uint32_t held = t->capacity, capacity = TREE_FIRST;
  while (capacity <= i) capacity *= 2;
  md_key *leaves = md_arena_resize(arena, t->levels[0], tree_bytes(held),
                                   tree_bytes(capacity));
  if (leaves == NULL) return false;
  for (uint32_t k = held; k < capacity; k++) leaves[k] = MD_KEY_NONE;
  tree_lay(t, leaves, capacity);
  md_tree_play(t);
  return true;
}

void md_tree_remove(md_tree *t, uint32_t i) {
  md_key old = t->levels[0][i], key = MD_KEY_NONE;
  for (uint32_t l = 0; t->levels[l][i] == old; i >>= 2) {
    md_key *level = t->levels[l];
    if (l++ == t->height) {
      level[0] = key;
      break;
    }
    md_key rivals = tree_rivals(level, i);
    level[i] = key;
    key = tree_less(key, rivals);
  }
}
