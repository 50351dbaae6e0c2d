/* proc: slots, their generations, what few processes have, and watchers. */
#include "kernel/proc.h"

#include <string.h>

#include "kernel/rng.h"
#include "spec/check.h"

static md_arena *arena;
static md_procs procs;
static uint64_t dice = 1;

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

static void open_procs(void) { EXPECT(md_procs_open(&procs, arena)); }

static void close_procs(void) {
  md_procs_close(&procs);
  EXPECT(md_arena_used(arena) == 0);
}

static void claim_slots(void) {
  open_procs();
  IT("gives each process a slot above 0 and a cache line's start") {
    for (uint32_t p = 1; p <= 1000; p++) {
      EXPECT(md_procs_take(&procs) == p);
      EXPECT(procs.hot[p].state == MD_READY && procs.hot[p].wake == 0);
    }
    EXPECT(procs.live == 1000);
  }
  IT("gives a slot again, clean but for what the host keeps there") {
    int thread;
    procs.roots[7] = &thread;
    procs.hot[7].drift = 1;
    procs.cold[7].stream = 9;
    md_procs_release(&procs, 7);
    EXPECT(procs.live == 999 && md_procs_take(&procs) == 7);
    EXPECT(procs.roots[7] == &thread && procs.hot[7].drift == 0);
    EXPECT(procs.cold[7].stream == 0 && procs.live == 1000);
  }
  close_procs();
}

static void claim_names(void) {
  open_procs();
  uint32_t p = md_procs_take(&procs);
  IT("knows a process by its pid while it lives, and never after") {
    md_pid first = md_procs_pid(&procs, p);
    EXPECT(md_procs_index(&procs, first) == p);
    md_procs_release(&procs, p);
    EXPECT(md_procs_index(&procs, first) == 0);
    EXPECT(md_procs_take(&procs) == p);
    EXPECT(md_procs_index(&procs, first) == 0);
    EXPECT(md_procs_index(&procs, md_procs_pid(&procs, p)) == p);
  }
  IT("knows nobody by a pid that was never given") {
    EXPECT(md_procs_index(&procs, 0) == 0);
    EXPECT(md_procs_index(&procs, 5) == 0);
    EXPECT(md_procs_index(&procs, (1u << MD_INDEX_BITS) - 1) == 0);
    EXPECT(md_procs_index(&procs, UINT64_MAX) == 0);
  }
  IT("never gives a slot whose generations have run out again") {
    procs.hot[p].generation = (1u << MD_GENERATION_BITS) - 1;
    md_pid last = md_procs_pid(&procs, p);
    EXPECT(last >> (MD_INDEX_BITS + MD_GENERATION_BITS) == 0);
    md_procs_release(&procs, p);
    EXPECT(md_procs_index(&procs, last) == 0);
    uint32_t other = md_procs_take(&procs);
    EXPECT(other != p && md_procs_take(&procs) != p);
  }
  close_procs();
}

static void claim_extra(void) {
  open_procs();
  IT("makes the rare part on demand, once, and clean") {
    for (uint32_t p = 1; p <= 50; p++) {
      md_procs_take(&procs);
      md_proc_extra *extra = md_procs_extra(&procs, p);
      EXPECT(extra != NULL && extra->capacity == 0 && extra->name == NULL);
      extra->capacity = p;
    }
    for (uint32_t p = 1; p <= 50; p++)
      EXPECT(md_procs_extra(&procs, p)->capacity == p);
  }
  IT("uses it again, and gives the name back") {
    uint32_t used = procs.extra_used;
    size_t before = md_arena_used(arena);
    md_proc_extra *extra = md_procs_extra(&procs, 3);
    extra->name = md_arena_alloc(arena, 2001);
    extra->name_length = 2000;
    md_procs_release(&procs, 3);
    EXPECT(md_arena_used(arena) == before);
    EXPECT(md_procs_take(&procs) == 3 && procs.cold[3].extra == 0);
    EXPECT(md_procs_extra(&procs, 3)->name == NULL);
    EXPECT(procs.extra_used == used);
  }
  close_procs();
}

/* The ring of watchers of `target` is what `expected` holds, both ways. */
static bool ring_is(uint32_t target, const uint32_t *expected, uint32_t n) {
  uint32_t first = procs.cold[target].watchers, w = first;
  if (n == 0) return first == 0;
  for (uint32_t i = 0; i < n; i++) {
    if (w != expected[i] || procs.hot[w].target != target) return false;
    if (procs.hot[procs.hot[w].next].prev != w) return false;
    w = procs.hot[w].next;
  }
  return w == first;
}

static void claim_watch(void) {
  enum { WATCHERS = 60 };
  open_procs();
  for (int i = 0; i < WATCHERS + 3; i++) md_procs_take(&procs);
  IT("keeps watchers in order of joining, whoever leaves") {
    uint32_t list[3][WATCHERS], n[3] = {0};
    bool right = true;
    for (int i = 0; i < 20000; i++) {
      uint32_t p = 4 + (uint32_t)roll(WATCHERS), t = procs.hot[p].target;
      if (t == 0) {
        t = 1 + (uint32_t)roll(3);
        md_procs_watch(&procs, p, t);
        list[t - 1][n[t - 1]++] = p;
      } else {
        uint32_t k = 0, *all = list[t - 1];
        md_procs_unwatch(&procs, p);
        while (all[k] != p) k++;
        n[t - 1]--;
        memmove(all + k, all + k + 1, (n[t - 1] - k) * sizeof *all);
      }
      for (uint32_t k = 0; k < 3; k++)
        right = right && ring_is(k + 1, list[k], n[k]);
    }
    EXPECT(right);
  }
  close_procs();
}

/* p waits for an end until a time, or without a limit (0). */
static void wait_for_end(uint32_t p, md_time begun, uint64_t wake) {
  md_proc *proc = &procs.hot[p];
  proc->state = MD_WAITING;
  proc->wait = MD_WAIT_JOIN;
  proc->wake = wake;
  proc->due = wake != 0 ? begun + 100 : begun;
  if (wake != 0) md_procs_ask(&procs, p, begun);
}

static void claim_since(void) {
  open_procs();
  uint32_t p = md_procs_take(&procs), q = md_procs_take(&procs);
  IT("tells since when a process waits for another's end, limit or none") {
    wait_for_end(p, 4, 0);
    wait_for_end(q, 5, 1);
    EXPECT(md_procs_since(&procs, p) == 4 && md_procs_since(&procs, q) == 5);
    procs.hot[p].state = MD_READY;
    EXPECT(md_procs_since(&procs, p) == -1);
  }
  IT("still does when the table has grown, and for new ones") {
    for (int i = 0; i < 1000; i++) p = md_procs_take(&procs);
    wait_for_end(p, 6, 1);
    EXPECT(md_procs_since(&procs, p) == 6 && md_procs_since(&procs, q) == 5);
    EXPECT(md_procs_date(&procs, p, 3) && md_procs_born(&procs, p) == 3);
  }
  close_procs();
  IT("does not know where there was no memory, and fails nothing") {
    open_procs();
    p = md_procs_take(&procs);
    md_arena_fail_at(arena, md_arena_count(arena) + 1);
    wait_for_end(p, 7, 1);
    md_arena_fail_at(arena, 0);
    EXPECT(md_procs_since(&procs, p) == -1);
    wait_for_end(p, 8, 1);
    EXPECT(md_procs_since(&procs, p) == 8);
    close_procs();
  }
}

static void claim_memory(void) {
  IT("stays as it was when there is no memory for one part or the other") {
    for (uint64_t n = 1; n <= 2; n++) {
      open_procs();
      uint32_t taken = 0;
      for (;;) {
        md_arena_fail_at(arena, md_arena_count(arena) + n);
        if (md_procs_take(&procs) == 0) break;
        taken++;
      }
      md_arena_fail_at(arena, 0);
      EXPECT(procs.live == taken && procs.used == taken + 1);
      EXPECT(md_procs_take(&procs) == taken + 1);
      close_procs();
    }
  }
  IT("does not open without memory, and leaves none behind") {
    for (uint64_t n = 1; n <= 2; n++) {
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      EXPECT(!md_procs_open(&procs, arena));
      md_arena_fail_at(arena, 0);
      close_procs();
    }
  }
  IT("gives no rare part without memory, and one when there is some") {
    open_procs();
    uint32_t p = md_procs_take(&procs);
    md_arena_fail_at(arena, md_arena_count(arena) + 1);
    EXPECT(md_procs_extra(&procs, p) == NULL && procs.cold[p].extra == 0);
    md_arena_fail_at(arena, 0);
    EXPECT(md_procs_extra(&procs, p) != NULL);
    close_procs();
  }
}

int main(void) {
  arena = md_arena_open(0);
  claim_slots();
  claim_names();
  claim_extra();
  claim_watch();
  claim_since();
  claim_memory();
  md_arena_close(arena);
  return check_done("proc");
}
