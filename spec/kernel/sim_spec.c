/* sim: the run, waits, messages and timers through the facade alone, and the
   trace. The queue's count of turns is reached where it lies, so that a spec
   need not wait for 268 million events. */
#include "kernel/state.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/dist.h"
#include "kernel/rng.h"
#include "spec/check.h"

static md_arena *arena;
static uint64_t dice = 1;

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

static md_sim *open_sim(md_order order) {
  md_sim_options options = {.seed = 42, .order = order, .precision = 9};
  return md_sim_open(arena, &options);
}

static void close_sim(md_sim *s) {
  md_sim_close(s);
  EXPECT(md_arena_used(arena) == 0);
}

static md_queue *queue_of(md_sim *s) { return &s->queue; }

static uint32_t in_ring(md_sim *s) {
  return s->queue.ring_last - s->queue.ring_first;
}

/* The turns run out when n more have been given. */
static void exhaust_turns(md_sim *s, uint32_t n) {
  queue_of(s)->turn = (1u << MD_TURN_BITS) - n;
}

/* The next process, 0 when none is next. */
static uint32_t next(md_sim *s) {
  md_event event;
  return md_sim_next(s, &event) == MD_NEXT_PROCESS ? event.process : 0;
}

static uint32_t spawn(md_sim *s) {
  return md_sim_spawn(s, md_sim_now(s), 0, 0);
}

/* n processes that have started and run: they are to wait for something. */
static void start(md_sim *s, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) spawn(s);
  for (uint32_t i = 0; i < n; i++) EXPECT(next(s) != 0);
}

/* -- a model: processes that sleep, and meet at equal times ---- */

enum { SLEEPERS = 30 };

typedef struct {
  uint64_t hash, events, places;
  md_time now;
} outcome;

static bool alike(outcome a, outcome b) {
  return a.hash == b.hash && a.events == b.events && a.now == b.now;
}

/* Most sleep seldom; one sleeps often, which is where no switch is needed.
   With `turn`, the turns run out after so many events more than once. */
static outcome run_sleepers(md_order order, bool quick, uint32_t turn) {
  md_sim *s = open_sim(order);
  md_rng rng[SLEEPERS + 1];
  uint64_t places = 0;
  for (uint64_t i = 1; i <= SLEEPERS; i++) {
    md_rng_derive(&rng[i], 5, i, 0);
    spawn(s);
  }
  md_sim_bound(s, 20000, UINT64_MAX, quick);
  for (uint32_t p; (p = next(s)) != 0;) {
    md_time ticks;
    if (turn != 0 && queue_of(s)->turn < (1u << MD_TURN_BITS) - turn)
      exhaust_turns(s, turn);
    do {
      places = places * 31 + p;
      uint64_t most = p == 1 ? 4 : 3000;
      ticks = (md_time)md_rng_below(&rng[p], most);
    } while (md_sim_sleep(s, p, ticks));
  }
  outcome o = {md_sim_hash(s), md_sim_events(s), places, md_sim_now(s)};
  close_sim(s);
  return o;
}

static void claim_quick(void) {
  static const char *const sentences[] = {
      "gives the same run with and without the quick path, fifo",
      "gives the same run with and without the quick path, lifo",
      "gives the same run with and without the quick path, random"};
  for (int order = MD_FIFO; order <= MD_RANDOM; order++) IT(sentences[order]) {
      outcome slow = run_sleepers((md_order)order, false, 0);
      outcome quick = run_sleepers((md_order)order, true, 0);
      EXPECT(alike(slow, quick) && slow.places == quick.places);
      EXPECT(slow.events > 10000);
    }
  IT("tells runs of different orders apart") {
    outcome fifo = run_sleepers(MD_FIFO, true, 0);
    EXPECT(fifo.hash != run_sleepers(MD_LIFO, true, 0).hash);
    EXPECT(fifo.hash != run_sleepers(MD_RANDOM, true, 0).hash);
  }
  IT("goes on by itself only where nobody else is due") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 2);
    EXPECT(!md_sim_sleep(s, 1, 10));
    md_sim_bound(s, 1000, UINT64_MAX, true);
    EXPECT(md_sim_sleep(s, 2, 9) && md_sim_now(s) == 9);
    EXPECT(!md_sim_sleep(s, 2, 1)); /* 1 was first to ask for that time */
    EXPECT(next(s) == 1 && md_sim_now(s) == 10);
    EXPECT(!md_sim_sleep(s, 1, 0));
    EXPECT(next(s) == 2 && next(s) == 1);
    EXPECT(md_sim_sleep(s, 1, 990) && md_sim_now(s) == 1000);
    EXPECT(!md_sim_sleep(s, 1, 1)); /* beyond the limit */
    close_sim(s);
  }
  IT("sleeps no time by way of the loop, which counts the events there") {
    md_sim *s = open_sim(MD_LIFO);
    start(s, 1);
    md_sim_bound(s, 1000, UINT64_MAX, true);
    EXPECT(!md_sim_sleep(s, 1, 0) && next(s) == 1);
    close_sim(s);
  }
  IT("comes back to the loop after so many in a row") {
    md_sim *s = open_sim(MD_FIFO);
    int row = 0;
    start(s, 1);
    md_sim_bound(s, INT64_MAX, UINT64_MAX, true);
    while (md_sim_sleep(s, 1, 1)) row++;
    EXPECT(row > 100 && row < 100000);
    EXPECT(next(s) == 1 && md_sim_sleep(s, 1, 1));
    close_sim(s);
  }
}

static void claim_turns(void) {
  IT("keeps the run when turns run out again and again, fifo and lifo") {
    for (int order = MD_FIFO; order <= MD_LIFO; order++) {
      outcome whole = run_sleepers((md_order)order, true, 0);
      for (uint32_t turn = 1; turn <= 64; turn = turn * 3 - 1 + (turn == 1)) {
        outcome over = run_sleepers((md_order)order, true, turn);
        EXPECT(alike(whole, over) && whole.places == over.places);
      }
    }
  }
  IT("keeps timers, the ring and deadlines when the turns run out") {
    md_sim *s = open_sim(MD_FIFO);
    uint64_t words[3] = {7, 8, 9};
    md_event event;
    start(s, 3);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, 50, 0);
    md_timer_id kept = md_sim_at(s, 60, 1, words, 0);
    md_timer_id gone = md_sim_at(s, 55, 2, words, 0);
    EXPECT(md_sim_cancel(s, gone, words));
    md_sim_yield(s, 2);
    exhaust_turns(s, 0);
    md_sim_yield(s, 3);
    EXPECT(queue_of(s)->turn < 100);
    EXPECT(next(s) == 2 && next(s) == 3 && next(s) == 1);
    EXPECT(md_sim_next(s, &event) == MD_NEXT_TIMER && event.timer_kind == 1);
    EXPECT(event.words[2] == 9 && md_sim_now(s) == 60);
    EXPECT(!md_sim_cancel(s, kept, words));
    EXPECT(md_sim_next(s, &event) == MD_NEXT_NOTHING);
    close_sim(s);
  }
}

static void claim_ties(void) {
  IT("starts in order of spawning under fifo, in reverse under lifo") {
    md_sim *fifo = open_sim(MD_FIFO);
    for (int i = 0; i < 5; i++) spawn(fifo);
    for (uint32_t p = 1; p <= 5; p++) EXPECT(next(fifo) == p);
    close_sim(fifo);
    md_sim *lifo = open_sim(MD_LIFO);
    for (int i = 0; i < 5; i++) spawn(lifo);
    for (uint32_t p = 5; p >= 1; p--) EXPECT(next(lifo) == p);
    md_sim_yield(lifo, 2);
    md_sim_yield(lifo, 4);
    EXPECT(next(lifo) == 4 && next(lifo) == 2);
    close_sim(lifo);
  }
  IT("yields behind what is due, and before what is not") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 3);
    md_sim_sleep(s, 3, 1);
    md_sim_yield(s, 1);
    md_sim_yield(s, 2);
    EXPECT(next(s) == 1);
    md_sim_yield(s, 1);
    EXPECT(next(s) == 2 && next(s) == 1 && next(s) == 3);
    close_sim(s);
  }
  IT("takes what fell due at one time in order, come by sleep or by wake") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 4);
    md_sim_sleep(s, 1, 5);
    md_sim_wait(s, 2, MD_WAIT_MESSAGE, -1, 0);
    md_sim_sleep(s, 3, 5);
    md_sim_wait(s, 4, MD_WAIT_MESSAGE, -1, 0);
    EXPECT(next(s) == 1 && md_sim_now(s) == 5);
    md_sim_wake(s, 4, MD_WHY_MESSAGE);
    md_sim_yield(s, 1);
    md_sim_wake(s, 2, MD_WHY_MESSAGE);
    EXPECT(next(s) == 3 && next(s) == 4 && next(s) == 1 && next(s) == 2);
    EXPECT(md_sim_proc(s, 2)->why == MD_WHY_MESSAGE && next(s) == 0);
    close_sim(s);
  }
}

/* -- priorities ---- */

static void claim_priorities(void) {
  IT("starts the lower priority number first among equal times") {
    md_sim *s = open_sim(MD_FIFO);
    static const int64_t numbers[] = {0, 5, -3, INT64_MAX, INT64_MIN, 5, 0};
    static const uint32_t expected[] = {5, 3, 1, 7, 2, 6, 4};
    for (int i = 0; i < 7; i++) md_sim_spawn(s, 10, numbers[i], 0);
    for (uint32_t p = 1; p <= 7; p++)
      EXPECT(md_sim_priority(s, p) == numbers[p - 1]);
    for (int i = 0; i < 7; i++) EXPECT(next(s) == expected[i]);
    close_sim(s);
  }
  IT("keeps order, deadlines and timers when new ones come in between") {
    md_sim *s = open_sim(MD_FIFO);
    uint64_t words[3] = {0};
    md_event event;
    start(s, 4);
    md_sim_sleep(s, 1, 10);
    md_sim_wait(s, 2, MD_WAIT_MESSAGE, 10, 0);
    md_sim_yield(s, 3); /* in the ring */
    md_timer_id late = md_sim_at(s, 10, 1, words, 7);
    md_timer_id soon = md_sim_at(s, 10, 2, words, -7);
    uint32_t p = md_sim_spawn(s, 0, -1, 0), q = md_sim_spawn(s, 10, 3, 0);
    md_sim_sleep(s, 4, 10);
    EXPECT(next(s) == p && next(s) == 3 && md_sim_now(s) == 0);
    EXPECT(md_sim_next(s, &event) == MD_NEXT_TIMER && event.timer_kind == 2);
    EXPECT(next(s) == 1 && next(s) == 2 && next(s) == 4 && next(s) == q);
    EXPECT(md_sim_cancel(s, late, words) && !md_sim_cancel(s, soon, words));
    EXPECT(next(s) == 0);
    close_sim(s);
  }
}

/* Random priorities of which new ones turn up all the time, against the order
   that (time, priority, number) gives. */
typedef struct {
  md_time time;
  int64_t priority;
  uint32_t number, p;
} planned;

static int compare(const void *x, const void *y) {
  const planned *a = x, *b = y;
  if (a->time != b->time) return a->time < b->time ? -1 : 1;
  if (a->priority != b->priority) return a->priority < b->priority ? -1 : 1;
  return a->number < b->number ? -1 : 1;
}

static void claim_many_priorities(void) {
  enum { N = 3000 };
  static planned plan[N];
  IT("orders many priorities as sorting would") {
    md_sim *s = open_sim(MD_FIFO);
    for (uint32_t i = 0; i < N; i++) {
      plan[i].time = (md_time)roll(20);
      plan[i].priority = (int64_t)roll(1 + i / 12) - 100;
      plan[i].number = i;
      plan[i].p = md_sim_spawn(s, plan[i].time, plan[i].priority, 0);
      EXPECT(plan[i].p != 0);
    }
    qsort(plan, N, sizeof plan[0], compare);
    bool right = true;
    for (uint32_t i = 0; i < N; i++) right = right && next(s) == plan[i].p;
    EXPECT(right && next(s) == 0);
    close_sim(s);
  }
  IT("refuses more priorities at a time than it has ranks") {
    md_sim *s = open_sim(MD_FIFO);
    for (int64_t i = 1; i < MD_RANKS; i++)
      EXPECT(md_sim_spawn(s, 0, i, 0) != 0);
    EXPECT(md_sim_spawn(s, 0, 1000, 0) == 0);
    EXPECT(md_sim_spawn(s, 0, 0, 0) == 256);
    EXPECT(next(s) == 256 && next(s) == 1);
    md_sim_end(s, 1, false);
    EXPECT(md_sim_spawn(s, 0, 1000, 0) == 1);
    for (uint32_t p = 2; p < 256; p++) EXPECT(next(s) == p);
    EXPECT(next(s) == 1 && md_sim_priority(s, 1) == 1000);
    close_sim(s);
  }
  IT("takes any number of priorities, one after the other") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 1);
    md_sim_sleep(s, 1, 1000000);
    bool right = true;
    for (int64_t i = 0; i < 2000; i++) {
      uint32_t a = md_sim_spawn(s, i, i * 7919 % 2003, 0);
      uint32_t b = md_sim_spawn(s, i, i * 7919 % 2003 - 1, 0);
      right = right && a != 0 && b != 0 && next(s) == b && next(s) == a;
      right = right && md_sim_priority(s, a) == i * 7919 % 2003;
      md_sim_end(s, a, false);
      md_sim_end(s, b, false);
    }
    EXPECT(right && next(s) == 1 && md_sim_priority(s, 1) == 0);
    close_sim(s);
  }
}

/* -- waits ------------------------------------------------------------------
 */

static void claim_generation(void) {
  IT("never ends a wait by the deadline of another") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 2);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, 10, 0);
    md_sim_sleep(s, 2, 5);
    EXPECT(next(s) == 2);
    md_sim_wake(s, 1, MD_WHY_MESSAGE);
    EXPECT(next(s) == 1 && md_sim_now(s) == 5);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, 10, 0); /* the same time again */
    md_sim_wake(s, 1, MD_WHY_MESSAGE);
    EXPECT(next(s) == 1 && md_sim_now(s) == 5);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, 20, 0);
    EXPECT(next(s) == 1 && md_sim_now(s) == 20);
    EXPECT(md_sim_proc(s, 1)->why == MD_WHY_TIME && next(s) == 0);
    close_sim(s);
  }
  IT("never wakes the next process of a slot by an old deadline") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 2);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, 10, 0);
    md_sim_end(s, 1, true);
    EXPECT(md_sim_spawn(s, 30, 0, 0) == 1);
    EXPECT(next(s) == 1 && md_sim_now(s) == 30);
    EXPECT(md_sim_events(s) == 3);
    close_sim(s);
  }
  IT("wakes whoever is woken twice once, for the last reason") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 1);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, -1, 0);
    md_sim_wake(s, 1, MD_WHY_MESSAGE);
    md_sim_wake(s, 1, MD_WHY_UNWIND);
    EXPECT(next(s) == 1 && md_sim_proc(s, 1)->why == MD_WHY_UNWIND);
    EXPECT(next(s) == 0);
    close_sim(s);
  }
}

/* Forgetting n keys of one kind costs no memory that stays. */
static size_t forget(md_sim *s, uint32_t n, md_time ahead, bool timers) {
  uint64_t words[3] = {0};
  size_t before = md_arena_peak(arena);
  for (uint32_t i = 0; i < n; i++) {
    if (timers) {
      md_timer_id id = md_sim_at(s, md_sim_now(s) + ahead, 1, words, 0);
      EXPECT(md_sim_cancel(s, id, words));
      continue;
    }
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, md_sim_now(s) + ahead, 0);
    md_sim_wake(s, 1, MD_WHY_MESSAGE);
    if (next(s) != 1) return SIZE_MAX;
  }
  return md_arena_peak(arena) - before;
}

static void claim_sweep(void) {
  IT("forgets a million far deadlines without keeping them") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 100);
    for (uint32_t p = 2; p <= 100; p++) md_sim_sleep(s, p, 1 << 30);
    EXPECT(forget(s, 1000000, 1 << 29, false) < 100000);
    EXPECT(in_ring(s) < 1000);
    close_sim(s);
  }
  IT("forgets a million timers of this very instant, or of a later one") {
    for (md_time ahead = 0; ahead <= 1000; ahead += 1000)
      for (uint32_t n = 1; n <= 1001; n += 1000) {
        md_sim *s = open_sim(MD_FIFO);
        start(s, n);
        for (uint32_t p = 1; p <= n; p++) md_sim_sleep(s, p, 1 << 30);
        EXPECT(forget(s, 1000000, ahead, true) < 200000);
        EXPECT(in_ring(s) < 1000);
        md_sim_bound(s, 5000, UINT64_MAX, false);
        EXPECT(next(s) == 0 && md_sim_now(s) == 0);
        EXPECT(in_ring(s) == 0 && queue_of(s)->forgotten == 0);
        close_sim(s);
      }
  }
}

static void claim_watchers(void) {
  IT("wakes those who wait for an end in order of waiting") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 6);
    md_sim_wait(s, 3, MD_WAIT_JOIN, -1, 1);
    md_sim_wait(s, 5, MD_WAIT_REPLY, 100, 1);
    md_sim_wait(s, 2, MD_WAIT_JOIN, 100, 1);
    md_sim_wait(s, 4, MD_WAIT_JOIN, 100, 6);
    md_sim_end(s, 1, false);
    EXPECT(next(s) == 3 && next(s) == 5 && next(s) == 2);
    EXPECT(md_sim_proc(s, 5)->why == MD_WHY_END && md_sim_now(s) == 0);
    EXPECT(next(s) == 4 && md_sim_proc(s, 4)->why == MD_WHY_TIME);
    md_sim_end(s, 6, false); /* 4 waits no more */
    EXPECT(next(s) == 0 && md_sim_live(s) == 4);
    close_sim(s);
  }
  IT("lets a watcher be woken, or end, before what it waits for") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 4);
    for (uint32_t p = 2; p <= 4; p++) md_sim_wait(s, p, MD_WAIT_JOIN, -1, 1);
    md_sim_wake(s, 3, MD_WHY_INTERRUPT);
    md_sim_end(s, 2, true);
    EXPECT(md_sim_cold(s, 1)->watchers == 4);
    md_sim_end(s, 1, false);
    EXPECT(next(s) == 3 && md_sim_proc(s, 3)->why == MD_WHY_INTERRUPT);
    EXPECT(next(s) == 4 && md_sim_proc(s, 4)->why == MD_WHY_END);
    EXPECT(next(s) == 0);
    close_sim(s);
  }
}

/* -- the run ------------------------------------------------------------------
 */

static void claim_limit(void) {
  md_sim *s = open_sim(MD_FIFO);
  md_event event;
  md_time time = -1;
  IT("has nothing at first") {
    EXPECT(md_sim_next(s, &event) == MD_NEXT_NOTHING);
    EXPECT(!md_sim_peek(s, &time));
  }
  IT("runs what is due at the limit, and nothing after it") {
    start(s, 2);
    md_sim_sleep(s, 1, 10);
    md_sim_sleep(s, 2, 11);
    md_sim_bound(s, 10, UINT64_MAX, true);
    EXPECT(md_sim_peek(s, &time) && time == 10 && md_sim_now(s) == 0);
    EXPECT(next(s) == 1 && md_sim_next(s, &event) == MD_NEXT_LIMIT);
    EXPECT(md_sim_now(s) == 10 && md_sim_peek(s, &time) && time == 11);
  }
  IT("moves the clock forward when told so") {
    md_sim_bound(s, 10, UINT64_MAX, true);
    md_sim_forward(s, 11);
    EXPECT(md_sim_now(s) == 11);
    md_sim_bound(s, 20, UINT64_MAX, true);
    EXPECT(next(s) == 2 && md_sim_now(s) == 11);
  }
  IT("has nothing when all that is left has been forgotten") {
    uint64_t words[3] = {0};
    md_timer_id id = md_sim_at(s, 1000, 1, words, 0);
    EXPECT(md_sim_next(s, &event) == MD_NEXT_LIMIT);
    EXPECT(md_sim_cancel(s, id, words));
    EXPECT(md_sim_next(s, &event) == MD_NEXT_NOTHING);
    EXPECT(!md_sim_peek(s, &time));
  }
  close_sim(s);
}

static void claim_zeno(void) {
  IT("ends an instant of too many events, and names the busiest") {
    for (uint64_t zeno = 1000; zeno <= 200000; zeno *= 200) {
      md_sim *s = open_sim(MD_FIFO);
      md_event event;
      uint32_t busiest[2], counts[2];
      start(s, 5);
      md_sim_zeno(s, zeno);
      for (uint32_t p = 1; p <= 5; p++) md_sim_sleep(s, p, p == 4 ? 10 : 7);
      while (next(s) == 1 || md_sim_now(s) < 7) md_sim_yield(s, 1);
      uint64_t before = md_sim_events(s);
      uint32_t p = 2;
      md_next got = MD_NEXT_PROCESS;
      while (got == MD_NEXT_PROCESS) {
        md_sim_yield(s, p);
        got = md_sim_next(s, &event);
        p = event.process;
      }
      EXPECT(got == MD_NEXT_ZENO);
      EXPECT(md_sim_events(s) - before < zeno);
      EXPECT(md_sim_next(s, &event) == MD_NEXT_ZENO);
      EXPECT(md_sim_busiest(s, busiest, counts, 2) == 2);
      EXPECT(counts[0] >= counts[1] && busiest[0] != 4 && counts[1] > 0);
      md_sim_zeno(s, 0);
      EXPECT(next(s) != 0);
      close_sim(s);
    }
  }
  IT("counts each instant for itself, the quick path's too") {
    md_sim *s = open_sim(MD_FIFO);
    md_event event;
    start(s, 1);
    md_sim_zeno(s, 3);
    md_sim_bound(s, INT64_MAX, UINT64_MAX, true);
    for (int i = 0; i < 100; i++) {
      if (!md_sim_sleep(s, 1, 1)) EXPECT(next(s) == 1);
      for (int k = 0; k < 2; k++) {
        md_sim_yield(s, 1);
        EXPECT(next(s) == 1);
      }
    }
    md_sim_yield(s, 1);
    EXPECT(md_sim_next(s, &event) == MD_NEXT_ZENO);
    close_sim(s);
  }
}

static void claim_busiest(void) {
  IT("lists the busiest first, and no more than asked for") {
    md_sim *s = open_sim(MD_FIFO);
    md_event event;
    uint32_t busiest[8], counts[8];
    start(s, 6);
    md_sim_zeno(s, 500);
    for (uint32_t p = 1; p <= 6; p++) md_sim_sleep(s, p, 1);
    for (;;) { /* p yields p times, then sleeps; 6 goes on for ever */
      static uint32_t turns[7];
      if (md_sim_next(s, &event) != MD_NEXT_PROCESS) break;
      uint32_t p = event.process;
      if (p == 6 || turns[p]++ < 10 * p) md_sim_yield(s, p);
      else md_sim_sleep(s, p, 1);
    }
    EXPECT(md_sim_busiest(s, busiest, counts, 8) == 6);
    for (uint32_t i = 0; i < 6; i++) EXPECT(busiest[i] == 6 - i);
    EXPECT(counts[1] == 51 && md_sim_busiest(s, busiest, counts, 3) == 3);
    EXPECT(busiest[0] == 6 && busiest[2] == 4);
    close_sim(s);
  }
}

static void claim_timers(void) {
  md_sim *s = open_sim(MD_FIFO);
  uint64_t words[3] = {1, 2, 3}, back[3] = {0};
  md_event event;
  IT("gives a timer's kind and words at its time") {
    md_timer_id id = md_sim_at(s, 5, 77, words, 0);
    EXPECT(id != 0 && md_sim_next(s, &event) == MD_NEXT_TIMER);
    EXPECT(event.process == 0 && event.timer_kind == 77);
    EXPECT(memcmp(event.words, words, sizeof words) == 0);
    EXPECT(md_sim_now(s) == 5 && !md_sim_cancel(s, id, back));
  }
  IT("cancels a timer once, and gives its words back") {
    md_timer_id id = md_sim_at(s, 9, 1, words, 0);
    EXPECT(md_sim_cancel(s, id, back) && back[2] == 3);
    EXPECT(!md_sim_cancel(s, id, back));
    EXPECT(md_sim_next(s, &event) == MD_NEXT_NOTHING);
    md_timer_id other = md_sim_at(s, 9, 1, words, 0); /* the same record */
    EXPECT(other != id && !md_sim_cancel(s, id, back));
    EXPECT(md_sim_next(s, &event) == MD_NEXT_TIMER && md_sim_now(s) == 9);
  }
  IT("knows no timer by a number that was never given") {
    EXPECT(!md_sim_cancel(s, 0, back) && !md_sim_cancel(s, 99, back));
  }
  close_sim(s);
}

static void claim_line(void) {
  IT("lets the first in line in, and its sender go on, when one is taken") {
    md_sim *s = open_sim(MD_FIFO);
    md_mails *mails = md_sim_mails(s);
    start(s, 4);
    EXPECT(md_sim_bound_inbox(s, 1, 1, MD_FULL_BLOCK));
    EXPECT(md_sim_room(s, 1) && md_sim_room(s, 2));
    EXPECT(md_sim_post(s, 1, 1, 0, 10, 0) != 0 && !md_sim_room(s, 1));
    for (uint32_t p = 2; p <= 4; p++) {
      md_mail waits = {.slot = 10 * p, .from = p, .to = 1, .sender = p};
      uint32_t e = md_mails_line(mails, 1, &waits);
      md_sim_wait(s, p, MD_WAIT_ROOM, -1, e);
      EXPECT(md_sim_proc(s, p)->target == e);
    }
    for (uint32_t p = 1; p <= 4; p++) {
      EXPECT(md_sim_proc(s, 1)->inbox_count == 1 && !md_sim_room(s, 1));
      uint32_t e = md_mails_find(mails, 1, 0, 0);
      EXPECT(md_sim_take(s, 1, e).slot == 10 * p);
      EXPECT(next(s) == (p < 4 ? p + 1 : 0));
      if (p < 4) EXPECT(md_sim_proc(s, p + 1)->why == MD_WHY_ROOM);
    }
    EXPECT(md_sim_room(s, 1) && md_sim_proc(s, 1)->inbox_count == 0);
    close_sim(s);
  }
}

static void claim_processes(void) {
  IT("counts, lists and names the living") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 3);
    md_pid second = md_sim_pid(s, 2);
    md_sim_end(s, 2, false);
    EXPECT(md_sim_live(s) == 2 && md_sim_index(s, second) == 0);
    EXPECT(md_sim_after(s, 0) == 1 && md_sim_after(s, 1) == 3);
    EXPECT(md_sim_after(s, 3) == 0);
    uint32_t p = md_sim_spawn(s, 0, 0, 3);
    EXPECT(p == 2 && md_sim_cold(s, p)->parent == md_sim_pid(s, 3));
    EXPECT(md_sim_extra(s, p) == NULL && md_sim_name(s, p, "clerk", 5));
    EXPECT(md_sim_name(s, p, "a teller", 8));
    EXPECT(strcmp(md_sim_extra(s, p)->name, "a teller") == 0);
    close_sim(s);
  }
}

/* -- the trace --------------------------------------------------------------
 */

static void claim_trace(void) {
  IT("keeps the last records in a ring that was lent, and the same hash") {
    md_trace_record records[4];
    md_trace_ring ring = {.records = records, .capacity = 4};
    uint64_t hashes[2];
    for (int lent = 0; lent < 2; lent++) {
      md_sim *s = open_sim(MD_FIFO);
      if (lent) md_sim_trace(s)->ring = &ring;
      for (int i = 0; i < 3; i++) spawn(s);
      for (int i = 0; i < 3; i++) next(s);
      md_sim_note(s, MD_TRACE_SEND, 1, 2, 99);
      hashes[lent] = md_sim_hash(s);
      close_sim(s);
    }
    EXPECT(hashes[0] == hashes[1] && ring.last == 7 && ring.first == 3);
    EXPECT(records[3].kind == MD_TRACE_START && records[3].process == 1);
    const md_trace_record *send = &records[6 % 4];
    EXPECT(send->kind == MD_TRACE_SEND && send->process == 1);
    EXPECT(send->other == 2 && send->detail == 99);
  }
  IT("tells records apart that differ in one thing") {
    uint64_t base = md_trace_hash(0, 1, MD_TRACE_SEND, 1, 1, 1);
    EXPECT(base != md_trace_hash(0, 2, MD_TRACE_SEND, 1, 1, 1));
    EXPECT(base != md_trace_hash(0, 1, MD_TRACE_DROP, 1, 1, 1));
    EXPECT(base != md_trace_hash(0, 1, MD_TRACE_SEND, 2, 1, 1));
    EXPECT(base != md_trace_hash(0, 1, MD_TRACE_SEND, 1, 2, 1));
    EXPECT(base != md_trace_hash(0, 1, MD_TRACE_SEND, 1, 1, 2));
  }
  IT("has a name and a prose for every kind") {
    for (int kind = 0; kind < MD_TRACE_KINDS; kind++) {
      EXPECT(md_trace_name((md_trace_kind)kind)[0] != '\0');
      EXPECT(md_trace_prose((md_trace_kind)kind)[0] != '\0');
    }
    EXPECT(strcmp(md_trace_name(MD_TRACE_WAKE), "WAKE") == 0);
  }
}

/* -- no memory
 * ----------------------------------------------------------------- */

/* What a host does, and goes on doing when it is refused something. */
static void act(md_sim *s, uint32_t p) {
  uint64_t words[3] = {p};
  uint64_t tag = 1 + roll(50);
  uint32_t to = md_sim_after(s, 0), e;
  for (uint64_t k = roll(4); k > 0 && to != 0; k--)
    if (md_sim_after(s, to) != 0) to = md_sim_after(s, to);
  switch (roll(10)) {
  case 0:
    md_sim_spawn(s, md_sim_now(s) + (md_time)roll(5), 0, p);
    break;
  case 1:
    md_sim_spawn(s, md_sim_now(s), (int64_t)roll(6) - 3, p);
    break;
  case 2:
    md_sim_at(s, md_sim_now(s) + (md_time)roll(9), 1, words, 0);
    break;
  case 3:
    md_sim_name(s, p, "somebody", 8);
    break;
  case 4:
    md_sim_make_extra(s, p);
    break;
  case 5:
    e = md_mails_find(md_sim_mails(s), p, 1 + roll(60), 0);
    if (e != 0) md_sim_take(s, p, e);
    break;
  default:
    md_sim_post(s, to, tag, p, 0, 0);
    break;
  }
}

static void rest(md_sim *s, uint32_t p) {
  uint32_t e, other = md_sim_after(s, p);
  switch (roll(12)) {
  case 0:
    while ((e = md_mails_find(md_sim_mails(s), p, 0, 0)) != 0)
      md_sim_take(s, p, e);
    md_sim_end(s, p, false);
    break;
  case 1:
    if (other != 0) {
      md_sim_wait(s, p, MD_WAIT_JOIN, md_sim_now(s) + 3, other);
      break;
    } /* fall through */
  case 2:
    md_sim_yield(s, p);
    break;
  case 3:
    md_sim_wait(s, p, MD_WAIT_MESSAGE, md_sim_now(s) + 4, 0);
    break;
  default:
    while (md_sim_sleep(s, p, (md_time)roll(7))) {
    }
  }
  if (other != 0 && md_sim_proc(s, other)->state == MD_WAITING)
    md_sim_wake(s, other, MD_WHY_MESSAGE);
}

/* Runs it with allocation n refused; returns how many were asked for, and
   whether the run went on to its end. */
static uint64_t scenario(uint64_t n, md_order order, md_next *last) {
  md_sim_options options = {.seed = 1, .order = order, .zeno = 400};
  md_event event;
  uint64_t before = md_arena_count(arena);
  dice = 3;
  *last = MD_NEXT_STARVED;
  if (n != 0) md_arena_fail_at(arena, before + n);
  md_sim *s = md_sim_open(arena, &options);
  if (s == NULL) return 0;
  for (int i = 0; i < 40; i++) spawn(s);
  md_sim_bound(s, 300, UINT64_MAX, true);
  while ((*last = md_sim_next(s, &event)) <= MD_NEXT_TIMER) {
    if (*last == MD_NEXT_TIMER) continue;
    for (uint64_t k = roll(4); k > 0; k--) act(s, event.process);
    rest(s, event.process);
  }
  md_sim_close(s);
  md_arena_fail_at(arena, 0);
  return md_arena_count(arena) - before;
}

static void claim_memory(void) {
  IT("survives the refusal of any allocation, and leaves none behind") {
    for (int order = MD_FIFO; order <= MD_RANDOM; order++) {
      md_next last;
      uint64_t asked = scenario(0, (md_order)order, &last);
      EXPECT(asked > 20 && md_arena_used(arena) == 0);
      for (uint64_t n = 1; n <= asked; n++) {
        scenario(n, (md_order)order, &last);
        EXPECT(md_arena_used(arena) == 0);
      }
    }
  }
  IT("says so when it had no memory for a wake-up") {
    md_sim *s = open_sim(MD_FIFO);
    md_event event;
    start(s, 1000);
    md_next got = MD_NEXT_NOTHING;
    for (uint32_t p = 1; p <= 1000 && got != MD_NEXT_STARVED; p++) {
      md_arena_fail_at(arena, md_arena_count(arena) + 1);
      md_sim_sleep(s, p, 10 + p);
      md_sim_bound(s, 5, UINT64_MAX, false);
      got = md_sim_next(s, &event);
    }
    md_arena_fail_at(arena, 0);
    EXPECT(got == MD_NEXT_STARVED);
    close_sim(s);
  }
}

int main(void) {
  arena = md_arena_open(0);
  claim_quick();
  claim_turns();
  claim_ties();
  claim_priorities();
  claim_many_priorities();
  claim_generation();
  claim_sweep();
  claim_watchers();
  claim_limit();
  claim_zeno();
  claim_busiest();
  claim_timers();
  claim_line();
  claim_processes();
  claim_trace();
  claim_memory();
  md_arena_close(arena);
  return check_done("sim");
}
