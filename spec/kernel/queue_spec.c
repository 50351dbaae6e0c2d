/* queue: against a sorted array, for each rule for ties. */
#include "kernel/queue.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/rng.h"
#include "spec/check.h"

enum { MOST = 4000 };

static md_arena *arena;
static uint64_t dice = 1;

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

/* -- the naive queue: an array in ascending order ----------------------- */

static md_key naive[MOST];
static uint32_t naive_count;

static void naive_put(md_key key) {
  uint32_t i = naive_count++;
  for (; i > 0 && naive[i - 1] > key; i--) naive[i] = naive[i - 1];
  naive[i] = key;
}

static void naive_take(uint32_t i) {
  naive_count--;
  memmove(naive + i, naive + i + 1, (naive_count - i) * sizeof naive[0]);
}

/* -- */

/* A queue of which no turn has been given: the hostile build begins near the
   last, and turning over is the sim's. */
static bool open_queue(md_queue *q, md_order order, uint64_t shuffle) {
  bool opened = md_queue_open(q, arena, order, shuffle);
  q->turn = 0;
  return opened;
}

/* The ring is sorted. What trees are is said in tree_spec.c. */
static bool sound(const md_queue *q) {
  bool right = true;
  for (uint32_t i = q->ring_first + 1;
       !queue_ring_empty(q) && i != q->ring_last; i++)
    right = right && q->ring[(i - 1) & (q->ring_capacity - 1)] <
                         q->ring[i & (q->ring_capacity - 1)];
  return right;
}

/* -- slots: each has one key at a time ---- */

static bool busy[2][MOST + 1];

static bool *slot_busy(uint32_t slot) {
  return &busy[slot / MD_SLOT_TIMER][slot % MD_SLOT_TIMER];
}

static uint32_t free_slot(void) {
  uint32_t kind = (uint32_t)roll(2), i = 1 + (uint32_t)roll(MOST);
  while (busy[kind][i]) i = 1 + i % MOST;
  busy[kind][i] = true;
  return i + kind * MD_SLOT_TIMER;
}

static bool step_out(md_queue *q, md_time *now) {
  md_key top = md_queue_top(q);
  if (top != naive[0]) return false;
  *now = md_key_time(top);
  md_queue_take(q, top);
  *slot_busy(md_key_slot(top)) = false;
  naive_take(0);
  return true;
}

/* One that lies ahead is cancelled. */
static bool step_cancel(md_queue *q) {
  uint32_t i = (uint32_t)roll(naive_count);
  uint32_t slot = md_key_slot(naive[i]), leaf = queue_leaf(slot);
  md_tree *tree = queue_tree(q, slot);
  if (!md_tree_has(tree, leaf) || tree->levels[0][leaf] != naive[i])
    return true;
  *slot_busy(slot) = false;
  bool done = md_queue_cancel(q, naive[i]);
  naive_take(i);
  return done;
}

/* A step of a run: one entry in, ahead or due now, or the least one out. */
static bool step(md_queue *q, md_time *now, uint32_t bias) {
  bool in = naive_count == 0 || (naive_count < MOST && roll(100) < bias);
  if (!in) return roll(5) ? step_out(q, now) : step_cancel(q);
  bool due = q->order == MD_FIFO && roll(3) == 0;
  uint8_t rank = due ? 0 : (uint8_t)roll(3);
  md_time time = due ? *now : *now + 1 + (md_time)roll(20);
  md_key key = md_queue_key(q, time, rank, free_slot());
  naive_put(key);
  return due ? md_queue_append(q, key) : md_queue_push(q, key);
}

/* Grows, shrinks and grows again; empties it at the end. */
static bool run(md_order order, uint64_t seed) {
  md_queue q;
  md_time now = 0;
  bool right = open_queue(&q, order, seed);
  naive_count = 0;
  memset(busy, 0, sizeof busy);
  dice = seed;
  for (int i = 0; right && i < 30000; i++) {
    right = step(&q, &now, i / 3000 % 2 ? 35 : 65);
    if (i % 64 == 0) right = right && sound(&q);
  }
  while (right && naive_count > 0) right = step(&q, &now, 0);
  right = right && md_queue_top(&q) == MD_KEY_NONE && queue_ring_empty(&q);
  md_queue_close(&q);
  return right;
}

static void claim_order(void) {
  IT("gives the least key, as a sorted array does") {
    for (uint64_t seed = 1; seed <= 5; seed++) {
      EXPECT(run(MD_FIFO, seed));
      EXPECT(run(MD_LIFO, seed));
      EXPECT(run(MD_RANDOM, seed));
    }
  }
  EXPECT(md_arena_used(arena) == 0);
}

static uint32_t take_slot(md_queue *q) {
  md_key top = md_queue_top(q);
  md_queue_take(q, top);
  return md_key_slot(top);
}

static void put(md_queue *q, md_time time, uint8_t rank, uint32_t slot) {
  EXPECT(md_queue_push(q, md_queue_key(q, time, rank, slot)));
}

static void claim_ties(void) {
  static const char *const sentences[] = {
      "fifo: whoever was put first comes first",
      "lifo: whoever was put last comes first",
      "random: as the seed says, and each once"};
  for (int order = MD_FIFO; order <= MD_RANDOM; order++) {
    md_queue q;
    uint32_t sum = 0, ascents = 0, before = 0;
    open_queue(&q, (md_order)order, 99);
    for (uint32_t slot = 1; slot <= 100; slot++) put(&q, 5, 0, slot);
    IT(sentences[order]) {
      for (uint32_t i = 1; i <= 100; i++) {
        uint32_t slot = take_slot(&q);
        sum += slot;
        ascents += slot > before;
        before = slot;
        if (order == MD_FIFO) EXPECT(slot == i);
        if (order == MD_LIFO) EXPECT(slot == 101 - i);
      }
      EXPECT(sum == 5050);
      if (order == MD_RANDOM) EXPECT(ascents > 25 && ascents < 75);
    }
    md_queue_close(&q);
  }
}

static void claim_shuffle(void) {
  enum { N = 1 << 16 };
  static uint64_t seen[(1 << MD_TURN_BITS) / 64];
  IT("shuffles turns without ever giving one twice") {
    memset(seen, 0, sizeof seen);
    bool distinct = true;
    for (uint64_t i = 0; i < N; i++) {
      uint64_t turn = queue_shuffle(i * 4099 & 0xfffffff, 0x123456789abcdef);
      uint64_t bit = 1ull << turn % 64;
      distinct = distinct && turn >> MD_TURN_BITS == 0;
      distinct = distinct && !(seen[turn / 64] & bit);
      seen[turn / 64] |= bit;
    }
    EXPECT(distinct);
    EXPECT(queue_shuffle(1, 1) != queue_shuffle(1, 2));
  }
}

static void claim_key(void) {
  md_queue q;
  open_queue(&q, MD_FIFO, 0);
  IT("puts time before rank, and rank before turn") {
    put(&q, 2, 0, 1);
    put(&q, 1, 7, 2);
    put(&q, 1, 3, 3);
    put(&q, 1, 255, 4);
    put(&q, 1, 3, 5);
    EXPECT(take_slot(&q) == 3 && take_slot(&q) == 5);
    EXPECT(take_slot(&q) == 2 && take_slot(&q) == 4 && take_slot(&q) == 1);
    EXPECT(md_queue_top(&q) == MD_KEY_NONE);
  }
  IT("keeps a key's time and slot, up to the largest") {
    uint32_t slot = (1u << MD_SLOT_BITS) - 1;
    md_key key = md_queue_key(&q, INT64_MAX, 255, slot);
    EXPECT(md_key_time(key) == INT64_MAX && md_key_slot(key) == slot);
    EXPECT(key < MD_KEY_NONE);
  }
  md_queue_close(&q);
}

static void claim_hole(void) {
  md_queue q;
  open_queue(&q, MD_FIFO, 0);
  IT("puts the next key of a slot in the place of what was taken") {
    for (uint32_t slot = 1; slot <= 9; slot++) put(&q, slot, 0, slot);
    EXPECT(take_slot(&q) == 1 && q.hole == 1);
    put(&q, 20, 0, 1);
    EXPECT(q.hole == 0 && q.played == 0);
  }
  IT("takes it off when the slot has none") {
    EXPECT(take_slot(&q) == 2 && q.hole == 2);
    EXPECT(take_slot(&q) == 3 && q.hole == 3 && q.played == 2);
    EXPECT(md_queue_top(&q) != MD_KEY_NONE && q.hole == 0);
  }
  IT("takes from the ring without that, and both in one order") {
    md_key first = md_queue_key(&q, 3, 0, 33);
    md_key second = md_queue_key(&q, 3, 0, 34);
    put(&q, 3, 0, 35 | MD_SLOT_TIMER);
    EXPECT(md_queue_append(&q, first) && md_queue_append(&q, second));
    EXPECT(take_slot(&q) == 33 && take_slot(&q) == 34 && q.hole == 0);
    EXPECT(take_slot(&q) == (35 | MD_SLOT_TIMER) && q.hole != 0);
  }
  IT("is empty after the last one") {
    for (uint32_t slot = 4; slot <= 9; slot++) EXPECT(take_slot(&q) == slot);
    EXPECT(take_slot(&q) == 1 && md_queue_top(&q) == MD_KEY_NONE);
    put(&q, 30, 0, 30);
    EXPECT(take_slot(&q) == 30);
  }
  IT("says of a cancelled key whether it still comes") {
    md_key ahead = md_queue_key(&q, 40, 0, 1), due = md_queue_key(&q, 40, 0, 2);
    EXPECT(md_queue_push(&q, ahead) && md_queue_append(&q, due));
    EXPECT(md_queue_cancel(&q, ahead) && q.forgotten == 0);
    EXPECT(!md_queue_cancel(&q, due) && q.forgotten == 1);
    EXPECT(take_slot(&q) == 2 && md_queue_top(&q) == MD_KEY_NONE);
  }
  md_queue_close(&q);
}

static void claim_turns(void) {
  for (int order = MD_FIFO; order <= MD_LIFO; order++) {
    md_queue q;
    md_key before = 0, first = 0, key = 0;
    open_queue(&q, (md_order)order, 0);
    q.turn = (1u << MD_TURN_BITS) - 1000;
    naive_count = 0;
    for (uint32_t i = 0; i < 1000; i++)
      naive_put(md_queue_key(&q, 1 + (md_time)roll(3), 0, 1 + i));
    IT(order == MD_FIFO ? "gives turns anew in the same order under fifo"
                        : "gives turns anew in the same order under lifo") {
      EXPECT(md_queue_turns_over(&q));
      for (uint32_t i = 0; i < 1000; i++) {
        key = md_queue_turned(&q, naive[i], i, 1000);
        EXPECT(md_key_slot(key) == md_key_slot(naive[i]) && key > before);
        EXPECT(md_key_time(key) == md_key_time(naive[i]));
        if (i == 0) first = key;
        before = key;
      }
      q.turn = 1000;
      EXPECT(!md_queue_turns_over(&q));
      md_key next = md_queue_key(&q, order == MD_FIFO ? 3 : 1, 0, 2000);
      EXPECT(order == MD_FIFO ? next > key : next < first);
    }
    md_queue_close(&q);
  }
}

static void claim_ring_wrap(void) {
  md_queue q;
  open_queue(&q, MD_FIFO, 0);
  IT("goes round the ring, also past the end of its counters") {
    q.ring_first = q.ring_last = UINT32_MAX - 20;
    bool right = true;
    for (uint32_t i = 1, out = 1; i <= 200; i++) {
      right = right && md_queue_append(&q, md_queue_key(&q, 1, 0, i));
      if (i % 2 == 0) right = right && take_slot(&q) == out++;
    }
    for (uint32_t i = 101; i <= 200; i++) right = right && take_slot(&q) == i;
    EXPECT(right && queue_ring_empty(&q));
  }
  md_queue_close(&q);
}

/* Every allocation of a small run is refused once. */
static void claim_memory(void) {
  md_queue q;
  IT("does not open without memory, and leaves none behind") {
    for (uint64_t n = 1; n <= 3; n++) {
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      EXPECT(!open_queue(&q, MD_FIFO, 0));
      EXPECT(md_arena_used(arena) == 0);
    }
    md_arena_fail_at(arena, 0);
  }
  IT("changes no entry when there is no memory to put one") {
    open_queue(&q, MD_FIFO, 0);
    uint32_t put = 0, kept = 0;
    for (int ring = 0; ring < 2; ring++) {
      bool done = true;
      while (done) {
        md_arena_fail_at(arena, md_arena_count(arena) + 1);
        md_key key = md_queue_key(&q, 1, 0, put + 1);
        done = ring ? md_queue_append(&q, key) : md_queue_push(&q, key);
        put += done;
      }
      EXPECT(sound(&q));
      md_arena_fail_at(arena, 0);
      md_key key = md_queue_key(&q, 1, 0, put + 1);
      EXPECT(ring ? md_queue_append(&q, key) : md_queue_push(&q, key));
      put++;
    }
    while (md_queue_top(&q) != MD_KEY_NONE) EXPECT(take_slot(&q) == ++kept);
    EXPECT(kept == put);
    md_queue_close(&q);
    EXPECT(md_arena_used(arena) == 0);
  }
}

int main(void) {
  arena = md_arena_open(0);
  claim_order();
  claim_ties();
  claim_shuffle();
  claim_key();
  claim_hole();
  claim_turns();
  claim_ring_wrap();
  claim_memory();
  md_arena_close(arena);
  return check_done("queue");
}
