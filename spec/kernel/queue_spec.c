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

static void naive_take(void) {
  naive_count--;
  memmove(naive, naive + 1, naive_count * sizeof naive[0]);
}

/* -- */

/* A queue of which no turn has been given: the hostile build begins near the
   last, and turning over is the sim's. */
static bool open_queue(md_queue *q, md_order order, uint64_t shuffle) {
  bool opened = md_queue_open(q, arena, order, shuffle);
  q->turn = 0;
  return opened;
}

/* The invariants, every one of them. */
static bool sound(const md_queue *q) {
  bool right = (uintptr_t)(q->heap + 1) % 64 == 0;
  right = right && q->count + 4 <= q->capacity;
  right = right && (char *)q->heap >= (char *)q->block;
  for (uint32_t i = 0; i < 4; i++)
    right = right && q->heap[q->count + i] == MD_KEY_NONE;
  for (uint32_t i = 1 + 4 * q->hole; i < q->count; i++)
    right = right && q->heap[(i - 1) / 4] < q->heap[i];
  for (uint32_t i = q->ring_first + 1;
       !queue_ring_empty(q) && i != q->ring_last; i++)
    right = right && q->ring[(i - 1) & (q->ring_capacity - 1)] <
                         q->ring[i & (q->ring_capacity - 1)];
  return right;
}

/* A step of a run: one entry in, ahead or due now, or the least one out. */
static bool step(md_queue *q, md_time *now, uint32_t bias) {
  bool in = naive_count == 0 || (naive_count < MOST && roll(100) < bias);
  if (!in) {
    md_key top = md_queue_top(q);
    if (top != naive[0]) return false;
    *now = md_key_time(top);
    md_queue_take(q, top);
    naive_take();
    return md_queue_size(q) == naive_count;
  }
  bool due = q->order == MD_FIFO && roll(3) == 0;
  uint32_t slot = 1 + (uint32_t)roll(1000);
  uint8_t rank = due ? 0 : (uint8_t)roll(3);
  md_time time = due ? *now : *now + 1 + (md_time)roll(20);
  md_key key = md_queue_key(q, time, rank, slot);
  naive_put(key);
  bool done = due ? md_queue_append(q, key) : md_queue_push(q, key);
  return done && md_queue_size(q) == naive_count;
}

/* Grows, shrinks and grows again; empties it at the end. */
static bool run(md_order order, uint64_t seed) {
  md_queue q;
  md_time now = 0;
  bool right = open_queue(&q, order, seed);
  naive_count = 0;
  dice = seed;
  for (int i = 0; right && i < 30000; i++) {
    right = step(&q, &now, i / 3000 % 2 ? 35 : 65);
    if (i % 64 == 0) right = right && sound(&q);
  }
  while (right && naive_count > 0) right = step(&q, &now, 0);
  right = right && md_queue_top(&q) == MD_KEY_NONE && md_queue_size(&q) == 0;
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
    EXPECT(md_queue_push(&q, key) && md_queue_top(&q) == key);
    md_queue_take(&q, key);
  }
  md_queue_close(&q);
}

static void claim_hole(void) {
  md_queue q;
  open_queue(&q, MD_FIFO, 0);
  IT("fills the hole of what was taken with what is put next") {
    for (uint32_t slot = 1; slot <= 9; slot++) put(&q, slot, 0, slot);
    EXPECT(take_slot(&q) == 1 && q.hole && md_queue_size(&q) == 8);
    put(&q, 20, 0, 20);
    EXPECT(!q.hole && q.count == 9 && md_queue_size(&q) == 9 && sound(&q));
  }
  IT("fills it with the last entry when nothing is put") {
    EXPECT(take_slot(&q) == 2 && take_slot(&q) == 3 && q.count == 8);
    EXPECT(md_queue_top(&q) != MD_KEY_NONE && q.count == 7 && sound(&q));
  }
  IT("takes from the ring without a hole, and both in one order") {
    md_key first = md_queue_key(&q, 3, 0, 33);
    md_key second = md_queue_key(&q, 3, 0, 34);
    put(&q, 3, 0, 35);
    EXPECT(md_queue_append(&q, first) && md_queue_append(&q, second));
    EXPECT(take_slot(&q) == 33 && !q.hole);
    EXPECT(take_slot(&q) == 34 && !q.hole);
    EXPECT(take_slot(&q) == 35 && q.hole);
  }
  IT("is empty after the last one, hole or not") {
    while (md_queue_size(&q) > 1) take_slot(&q);
    EXPECT(take_slot(&q) == 20 && md_queue_size(&q) == 0);
    EXPECT(md_queue_top(&q) == MD_KEY_NONE && md_queue_size(&q) == 0);
    put(&q, 30, 0, 30);
    EXPECT(take_slot(&q) == 30);
  }
  md_queue_close(&q);
}

static void claim_sort(void) {
  md_queue q;
  open_queue(&q, MD_FIFO, 0);
  IT("sorts any number of entries, with or without a hole") {
    bool right = true;
    for (uint32_t n = 0; n < 150; n++) {
      if (n % 37 == 0) continue; /* the order of putting has that stride */
      naive_count = 0;
      for (uint32_t i = 0; i < n; i++) {
        naive_put(md_queue_key(&q, (md_time)roll(9), 0, 1 + i));
        q.turn += roll(2);
      }
      for (uint32_t i = 0; i < n; i++)
        right = right && md_queue_push(&q, naive[(i * 37 + 11) % n]);
      right = right && md_queue_size(&q) == n;
      if (n % 3 == 2) {
        take_slot(&q);
        naive_take();
      }
      md_queue_sort(&q);
      for (uint32_t i = 0; i < naive_count; i++)
        right = right && q.heap[i] == naive[i];
      right = right && sound(&q);
      while (md_queue_size(&q) > 0) take_slot(&q);
      md_queue_top(&q);
    }
    EXPECT(right);
  }
  IT("makes a heap again of entries in any order") {
    for (uint32_t i = 0; i < 200; i++) put(&q, 1000 - i, 0, 1 + i);
    for (uint32_t i = 0; i < 100; i++) {
      md_key key = q.heap[i];
      q.heap[i] = q.heap[199 - i];
      q.heap[199 - i] = key;
    }
    md_queue_heapify(&q);
    EXPECT(sound(&q));
    for (uint32_t i = 0; i < 200; i++) EXPECT(take_slot(&q) == 200 - i);
  }
  md_queue_close(&q);
}

static void claim_gather(void) {
  md_queue q;
  open_queue(&q, MD_FIFO, 0);
  IT("gathers the ring into the heap, and loses none") {
    for (uint32_t i = 1; i <= 300; i++) put(&q, 1, 0, i);
    for (uint32_t i = 301; i <= 600; i++)
      EXPECT(md_queue_append(&q, md_queue_key(&q, 1, 0, i)));
    EXPECT(take_slot(&q) == 1);
    EXPECT(md_queue_gather(&q) && queue_ring_empty(&q) && sound(&q));
    for (uint32_t i = 2; i <= 600; i++) EXPECT(take_slot(&q) == i);
  }
  md_queue_close(&q);
}

/* Entries at few times get new turns: the order among them stays, and what
   comes next goes behind them (under lifo before them). */
static void claim_turns(void) {
  for (int order = MD_FIFO; order <= MD_LIFO; order++) {
    md_queue q;
    static uint32_t slots[1000];
    open_queue(&q, (md_order)order, 0);
    q.turn = (1u << MD_TURN_BITS) - 1000;
    for (uint32_t i = 0; i < 1000; i++)
      put(&q, 1 + (md_time)roll(3), (uint8_t)roll(2), 1 + i);
    IT(order == MD_FIFO ? "gives turns anew in the same order under fifo"
                        : "gives turns anew in the same order under lifo") {
      EXPECT(md_queue_turns_over(&q));
      md_queue_sort(&q);
      for (uint32_t i = 0; i < 1000; i++) slots[i] = md_key_slot(q.heap[i]);
      for (uint32_t i = 0; i < 1000; i++) {
        uint64_t low = md_queue_turn_anew(&q, i);
        EXPECT(low == md_key_low(q.heap[i]));
      }
      EXPECT(!md_queue_turns_over(&q) && sound(&q));
      uint32_t last = md_key_slot(q.heap[999]);
      put(&q, 3, 1, 2000);
      bool right = true;
      for (uint32_t i = 0; i < 999; i++) {
        uint32_t slot = take_slot(&q);
        if (slot == 2000) { /* before all of its time and rank */
          right = right && order == MD_LIFO;
          slot = take_slot(&q);
        }
        right = right && slot == slots[i];
      }
      if (order == MD_FIFO) EXPECT(take_slot(&q) == last);
      EXPECT(right && take_slot(&q) == (order == MD_FIFO ? 2000u : last));
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
  IT("does not open without memory, and leaves none behind") {
    md_queue q;
    for (uint64_t n = 1; n <= 2; n++) {
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      EXPECT(!open_queue(&q, MD_FIFO, 0));
      EXPECT(md_arena_used(arena) == 0);
      md_queue_close(&q);
    }
    md_arena_fail_at(arena, 0);
  }
  IT("changes no entry when there is no memory to put one") {
    md_queue q;
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
      EXPECT(md_queue_size(&q) == put && sound(&q));
      md_arena_fail_at(arena, 0);
      md_key key = md_queue_key(&q, 1, 0, put + 1);
      EXPECT(ring ? md_queue_append(&q, key) : md_queue_push(&q, key));
      put++;
    }
    md_arena_fail_at(arena, md_arena_count(arena) + 1);
    md_queue_gather(&q);
    md_arena_fail_at(arena, 0);
    EXPECT(md_queue_size(&q) == put);
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
  claim_sort();
  claim_gather();
  claim_turns();
  claim_ring_wrap();
  claim_memory();
  md_arena_close(arena);
  return check_done("queue");
}
