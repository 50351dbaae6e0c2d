/* tree: the least of many keys, against a scan of all of them. */
#include "kernel/tree.h"

#include "kernel/rng.h"
#include "spec/check.h"

enum { MOST = 5000 };

static md_arena *arena;
static uint64_t dice = 1;
static md_key naive[MOST];

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

static md_key any_key(uint32_t leaf) {
  return (md_key)roll(50) << 64 | roll(9) << 32 | leaf;
}

/* Every match has been won by the least of its four, and every leaf is as it
   should be. */
static bool sound(const md_tree *t) {
  uint32_t n = t->capacity;
  bool right = t->levels[t->height] == &t->min && n % 4 == 0;
  for (uint32_t i = 0; i < MOST; i++)
    right = right &&
            (md_tree_has(t, i) ? t->levels[0][i] : MD_KEY_NONE) == naive[i];
  for (uint32_t l = 0; l < t->height; l++) {
    const md_key *level = t->levels[l];
    right = right && (uintptr_t)level % 64 == 0;
    for (uint32_t i = 0; i < n; i += 4)
      right = right && t->levels[l + 1][i / 4] ==
                           tree_less(level[i], tree_rivals(level, i));
    n = n / 4 > 4 ? (n / 4 + 3) / 4 * 4 : n > 4 ? 4 : 1;
  }
  return right && n == 1;
}

static md_key naive_min(void) {
  md_key least = MD_KEY_NONE;
  for (uint32_t i = 0; i < MOST; i++) least = tree_less(least, naive[i]);
  return least;
}

static void forget_all(void) {
  for (uint32_t i = 0; i < MOST; i++) naive[i] = MD_KEY_NONE;
}

/* One step: a key more, one less, another in the place of the least or of any
   that is hastened. */
static bool step(md_tree *t, uint32_t leaves) {
  uint32_t i = (uint32_t)roll(leaves), least = (uint32_t)t->min;
  md_key key = any_key(i);
  if (t->min != MD_KEY_NONE && roll(3) == 0) {
    naive[least] = any_key(least);
    md_tree_replace(t, least, naive[least]);
  } else if (naive[i] == MD_KEY_NONE || key < naive[i]) {
    if (!md_tree_has(t, i) && !md_tree_grow(t, arena, i)) return false;
    naive[i] = key;
    md_tree_add(t, i, key);
  } else {
    naive[i] = MD_KEY_NONE;
    md_tree_remove(t, i);
  }
  return t->min == naive_min();
}

static void claim_least(void) {
  IT("knows the least of any number of keys, whatever is done to them") {
    for (uint32_t leaves = 1; leaves <= MOST; leaves = leaves * 3 + 1) {
      md_tree t;
      bool right = md_tree_open(&t, arena);
      dice = leaves;
      forget_all();
      for (int i = 0; right && i < 3000; i++) {
        right = step(&t, leaves);
        if (i % 100 == 0) right = right && sound(&t);
      }
      EXPECT(right && sound(&t));
      md_tree_close(&t, arena);
    }
    EXPECT(md_arena_used(arena) == 0);
  }
}

/* Leaves 0 .. 9999 with keys in another order, the least removed one by one. */
static void claim_order(void) {
  IT("gives keys in their order, when the least is removed again and again") {
    enum { N = 10000, STRIDE = 7919 };
    md_tree t;
    bool right = md_tree_open(&t, arena) && md_tree_grow(&t, arena, N - 1);
    for (uint32_t i = 0; i < N; i++)
      md_tree_add(&t, i, (md_key)(i * STRIDE % N) << 64 | i);
    for (uint32_t i = 0; right && i < N; i++) {
      right = (uint64_t)(t.min >> 64) == i;
      md_tree_remove(&t, (uint32_t)t.min);
    }
    EXPECT(right && t.min == MD_KEY_NONE);
    md_tree_remove(&t, 5); /* where no key is: nothing happens */
    EXPECT(t.min == MD_KEY_NONE);
    md_tree_close(&t, arena);
  }
}

static void claim_play(void) {
  IT("plays all matches again when leaves have been written") {
    md_tree t;
    EXPECT(md_tree_open(&t, arena) && md_tree_grow(&t, arena, MOST - 1));
    for (uint32_t i = 0; i < MOST; i++)
      naive[i] = t.levels[0][i] = i % 3 ? any_key(i) : MD_KEY_NONE;
    md_tree_play(&t);
    EXPECT(sound(&t) && t.min == naive_min());
    md_tree_close(&t, arena);
  }
}

static void claim_memory(void) {
  md_tree t;
  IT("does not open without memory, and leaves none behind") {
    md_arena_fail_at(arena, md_arena_count(arena) + 1);
    EXPECT(!md_tree_open(&t, arena));
    md_tree_close(&t, arena);
    EXPECT(md_arena_used(arena) == 0);
  }
  IT("keeps every key when there is no memory to grow") {
    forget_all();
    EXPECT(md_tree_open(&t, arena) && md_tree_grow(&t, arena, 99));
    for (uint32_t i = 0; i < 100; i++)
      md_tree_add(&t, i, naive[i] = any_key(i));
    uint32_t capacity = t.capacity;
    md_arena_fail_at(arena, md_arena_count(arena) + 1);
    EXPECT(!md_tree_grow(&t, arena, capacity));
    md_arena_fail_at(arena, 0);
    EXPECT(t.capacity == capacity && sound(&t) && t.min == naive_min());
    EXPECT(md_tree_grow(&t, arena, capacity) && sound(&t));
    md_tree_close(&t, arena);
    EXPECT(md_arena_used(arena) == 0);
  }
}

int main(void) {
  arena = md_arena_open(0);
  claim_least();
  claim_order();
  claim_play();
  claim_memory();
  md_arena_close(arena);
  return check_done("tree");
}
