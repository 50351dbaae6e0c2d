/* signals: what is kept and read, against a plain list of all that happened. */
#include "kernel/signal.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/rng.h"
#include "spec/check.h"

enum { PROCESSES = 40, STEPS = 200000 };

static md_arena *arena;
static md_procs procs;
static md_signals signals;
static uint64_t dice = 1;

/* All signals ever, in order; the time of each is its number here. */
static md_signal *all;
static uint64_t all_count, read_count;
static md_time now;
static md_pid ended; /* one that has ended, 0: none yet */

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

static void open_signals(void) {
  md_procs_open(&procs, arena);
  md_signals_open(&signals, arena, &procs);
  all_count = read_count = 0;
  now = 0;
  ended = 0;
}

static void close_signals(void) {
  md_signals_close(&signals);
  md_procs_close(&procs);
  EXPECT(md_arena_used(arena) == 0);
}

static void expect(md_trace_kind kind, md_pid process, md_pid other) {
  all[all_count] = (md_signal){kind, now, process, other, all_count + 1};
  all_count++;
}

static void keep(md_trace_kind kind, uint32_t p, uint32_t q) {
  md_signals_keep(&signals, now, md_signal_word(kind, p, q));
  expect(kind, md_procs_pid(&procs, p), md_procs_pid(&procs, q));
}

/* A living process, 0: none of that slot. */
static uint32_t some(void) {
  uint32_t p = 1 + (uint32_t)roll(PROCESSES);
  return p < procs.used && procs.hot[p].state != MD_FREE ? p : 0;
}

static void end(uint32_t p) {
  keep(MD_TRACE_STOP, p, 0);
  ended = md_procs_pid(&procs, p);
  md_procs_release(&procs, p);
}

static void act(void) {
  uint32_t p = some(), q = some();
  now++;
  switch (roll(6)) {
  case 0:
    if (procs.live < PROCESSES && (q = md_procs_take(&procs)) != 0)
      keep(MD_TRACE_SPAWN, p, q);
    break;
  case 1:
    if (p != 0) end(p);
    break;
  case 2:
    md_signals_keep(&signals, now,
                    md_signal_word(MD_TRACE_SEND, p, q) | MD_TRACE_RECEIVE);
    signals.more++;
    expect(MD_TRACE_SEND, md_procs_pid(&procs, p), md_procs_pid(&procs, q));
    expect(MD_TRACE_RECEIVE, md_procs_pid(&procs, q), md_procs_pid(&procs, p));
    break;
  case 3:
    md_signals_keep_pids(&signals, now, MD_TRACE_DROP, md_procs_pid(&procs, p),
                         ended);
    expect(MD_TRACE_DROP, md_procs_pid(&procs, p), ended);
    break;
  default:
    keep(MD_TRACE_KILL, p, q);
  }
}

static bool alike(const md_signal *a, const md_signal *b) {
  return a->kind == b->kind && a->time == b->time && a->process == b->process &&
         a->other == b->other && a->number == b->number;
}

/* Reads up to n signals; they are those that come next, but for lost ones. */
static uint64_t read(uint64_t n) {
  uint64_t lost, ever = 0;
  md_signal got;
  while (n-- > 0) {
    if (!md_signals_ready(&signals, &lost)) return ever;
    ever += lost;
    read_count += lost;
    if (!md_signals_read(&signals, signals.last, &got)) {
      EXPECT(read_count == all_count);
      return ever;
    }
    EXPECT(alike(&got, &all[read_count]));
    read_count++;
  }
  return ever;
}

static void claim_reading(void) {
  IT("gives everything back in order, with pids") {
    open_signals();
    for (int i = 0; i < 3000; i++) act();
    EXPECT(read(UINT64_MAX) == 0 && read_count == all_count);
    EXPECT(read(UINT64_MAX) == 0 && all_count > 3000);
    close_signals();
  }
  IT("gives them in parts, and goes on where it stopped") {
    open_signals();
    for (int i = 0; i < STEPS; i++) {
      act();
      if (roll(20) == 0) read(roll(60));
      if (roll(5000) == 0) read(UINT64_MAX);
    }
    read(UINT64_MAX);
    EXPECT(read_count == all_count);
    close_signals();
  }
}

static void claim_losing(void) {
  IT("forgets the oldest beyond the most, and counts them") {
    open_signals();
    for (int i = 0; i < STEPS; i++) act();
    uint64_t lost = read(100);
    EXPECT(lost > 0 && lost < all_count - SIGNALS_MOST);
    for (int i = 0; i < 10; i++) {
      for (uint64_t k = roll(STEPS); k > 0; k--) act();
      read(roll(STEPS));
    }
    read(UINT64_MAX);
    EXPECT(read_count == all_count);
    close_signals();
  }
  IT("forgets more without memory, and grows when there is some again") {
    open_signals();
    for (int i = 0; i < 100; i++) act();
    for (int round = 0; round < 20; round++) {
      md_arena_set_limit(arena, round % 2 ? 0 : md_arena_used(arena));
      for (uint64_t k = roll(2000); k > 0; k--) act();
      read(roll(1000));
    }
    md_arena_set_limit(arena, 0);
    read(UINT64_MAX);
    EXPECT(read_count == all_count && signals.mask > 255);
    close_signals();
  }
}

int main(void) {
  arena = md_arena_open(0);
  all = malloc(sizeof *all * STEPS * 40);
  if (arena == NULL || all == NULL) return 1;
  claim_reading();
  claim_losing();
  md_arena_close(arena);
  free(all);
  return check_done("signal");
}
