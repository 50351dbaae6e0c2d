/* bond: links, monitors, children and heirs; their rings, ids and order. */
#include "kernel/sim.h"

#include <string.h>

#include "kernel/rng.h"
#include "spec/check.h"

static md_arena *arena;
static md_procs procs;
static md_bonds bonds;
static uint64_t dice = 1;

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

static void open_bonds(uint32_t n) {
  EXPECT(md_procs_open(&procs, arena));
  md_bonds_open(&bonds, arena, &procs);
  while (n-- > 0) EXPECT(md_procs_take(&procs) != 0);
}

static void close_bonds(void) {
  md_bonds_close(&bonds);
  md_procs_close(&procs);
  EXPECT(md_arena_used(arena) == 0);
}

static uint32_t other(uint32_t bond, uint32_t p) {
  return md_bond_other(&bonds.records[bond], p);
}

/* The numbers on the other side of a ring of p, as decimal digits. */
static uint64_t shown(uint32_t p, md_ring ring) {
  uint64_t digits = 0;
  uint32_t e = md_bonds_first(&bonds, p, ring);
  for (; e != 0; e = md_bonds_next(&bonds, p, ring, e))
    digits = digits * 10 + other(e, p);
  return digits;
}

static uint64_t shown_back(uint32_t p, md_ring ring) {
  uint64_t digits = 0;
  uint32_t e = md_bonds_last(&bonds, p, ring);
  for (; e != 0; e = md_bonds_prev(&bonds, p, ring, e))
    digits = digits * 10 + other(e, p);
  return digits;
}

static void claim_links(void) {
  open_bonds(5);
  IT("finds a link from either side, and no other") {
    uint32_t e = md_bonds_make(&bonds, MD_LINK, 1, 2);
    md_bonds_make(&bonds, MD_LINK, 3, 1);
    md_bonds_make(&bonds, MD_MONITOR, 1, 4);
    EXPECT(md_bonds_linked(&bonds, 1, 2) == e);
    EXPECT(md_bonds_linked(&bonds, 2, 1) == e);
    EXPECT(md_bonds_linked(&bonds, 2, 3) == 0);
    EXPECT(md_bonds_linked(&bonds, 1, 4) == 0);
    EXPECT(md_bonds_linked(&bonds, 5, 1) == 0);
    EXPECT(shown(1, MD_RING_LINKS) == 23 && shown(2, MD_RING_LINKS) == 1);
  }
  IT("marks who has any, and nobody else") {
    EXPECT(procs.hot[1].flags & MD_BONDED);
    EXPECT(!(procs.hot[5].flags & MD_BONDED) && procs.cold[5].extra == 0);
    md_bonds_break(&bonds, md_bonds_linked(&bonds, 2, 1));
    EXPECT(!(procs.hot[2].flags & MD_BONDED));
    EXPECT(procs.hot[1].flags & MD_BONDED && shown(1, MD_RING_LINKS) == 3);
  }
  IT("gives links and monitors in the order in which they were made") {
    md_bonds_make(&bonds, MD_LINK, 5, 1);
    uint64_t told = 0;
    for (uint32_t e; (e = md_bonds_oldest(&bonds, 1)) != 0;) {
      told = told * 10 + other(e, 1);
      md_bonds_break(&bonds, e);
    }
    EXPECT(told == 345);
    EXPECT(!(procs.hot[1].flags & MD_BONDED) && bonds.live == 0);
  }
  close_bonds();
}

static void claim_monitors(void) {
  open_bonds(3);
  IT("keeps two monitors of the same two apart") {
    uint32_t a = md_bonds_make(&bonds, MD_MONITOR, 1, 2);
    uint32_t b = md_bonds_make(&bonds, MD_MONITOR, 1, 2);
    md_bond_id first = md_bonds_id(&bonds, a);
    EXPECT(first != md_bonds_id(&bonds, b));
    EXPECT(md_bonds_find(&bonds, first) == a);
    md_bonds_break(&bonds, a);
    EXPECT(md_bonds_find(&bonds, first) == 0);
    EXPECT(shown(1, MD_RING_WATCHERS) == 2 && shown(2, MD_RING_WATCHED) == 1);
    EXPECT(shown(2, MD_RING_WATCHERS) == 0);
    md_bonds_break(&bonds, b);
  }
  IT("lets a process watch itself, on both sides") {
    uint32_t e = md_bonds_make(&bonds, MD_MONITOR, 3, 3);
    md_bonds_make(&bonds, MD_MONITOR, 3, 1);
    md_bonds_make(&bonds, MD_MONITOR, 1, 3);
    EXPECT(shown(3, MD_RING_WATCHERS) == 31 && shown(3, MD_RING_WATCHED) == 31);
    md_bonds_break(&bonds, e);
    EXPECT(shown(3, MD_RING_WATCHERS) == 1 && shown(3, MD_RING_WATCHED) == 1);
    md_bonds_forget(&bonds, 3);
    EXPECT(bonds.live == 0 && procs.hot[1].flags == 0);
  }
  IT("never gives an id twice, and knows none that was never given") {
    md_bond_id seen[64];
    for (int i = 0; i < 64; i++) {
      uint32_t e = md_bonds_make(&bonds, MD_MONITOR, 1, 2);
      seen[i] = md_bonds_id(&bonds, e);
      for (int k = 0; k < i; k++) EXPECT(seen[k] != seen[i]);
      EXPECT(seen[i] >> (MD_BOND_INDEX_BITS + MD_BOND_GENERATION_BITS) == 0);
      md_bonds_break(&bonds, e);
    }
    for (int i = 0; i < 64; i++) EXPECT(md_bonds_find(&bonds, seen[i]) == 0);
    EXPECT(md_bonds_find(&bonds, 0) == 0);
    EXPECT(md_bonds_find(&bonds, 1u << 20) == 0);
    EXPECT(md_bonds_find(&bonds, UINT64_MAX) == 0);
  }
  IT("never uses a bond again whose generations have run out") {
    uint32_t e = md_bonds_make(&bonds, MD_LINK, 1, 2);
    bonds.records[e].generation = (1u << MD_BOND_GENERATION_BITS) - 1;
    md_bonds_break(&bonds, e);
    for (int i = 0; i < 3; i++)
      EXPECT(md_bonds_make(&bonds, MD_MONITOR, 1, 2) != e);
  }
  close_bonds();
}

static void claim_children(void) {
  open_bonds(9);
  IT("gives children newest first, and each its parent") {
    for (uint32_t p = 2; p <= 5; p++) md_bonds_make(&bonds, MD_CHILD, p, 1);
    EXPECT(shown_back(1, MD_RING_CHILDREN) == 5432);
    EXPECT(shown(4, MD_RING_PARENT) == 1 && shown(1, MD_RING_PARENT) == 0);
  }
  IT("tells when the last child of a parent is gone") {
    EXPECT(md_bonds_forget(&bonds, 3) == 0 && md_bonds_forget(&bonds, 5) == 0);
    EXPECT(md_bonds_forget(&bonds, 2) == 0 && md_bonds_forget(&bonds, 4) == 1);
    EXPECT(md_bonds_forget(&bonds, 4) == 0);
  }
  IT("walks through heirs, each before its own") {
    const uint32_t tree[][2] = {{2, 1}, {3, 1}, {4, 2}, {5, 2}, {6, 4}, {7, 3}};
    for (int i = 0; i < 6; i++)
      md_bonds_make(&bonds, MD_FORWARD, tree[i][0], tree[i][1]);
    uint64_t told = 0;
    for (uint32_t p = 1; (p = md_bonds_heir(&bonds, 1, p)) != 0;)
      told = told * 10 + p;
    EXPECT(told == 246537);
    told = 0;
    for (uint32_t p = 2; (p = md_bonds_heir(&bonds, 2, p)) != 0;)
      told = told * 10 + p;
    EXPECT(told == 465);
    EXPECT(md_bonds_heir(&bonds, 7, 7) == 0 &&
           md_bonds_heir(&bonds, 9, 9) == 0);
  }
  IT("marks who forwards, as long as there is an heir") {
    EXPECT(procs.hot[1].flags & MD_FORWARDS &&
           !(procs.hot[7].flags & MD_FORWARDS));
    md_bonds_forget(&bonds, 7);
    EXPECT(!(procs.hot[3].flags & MD_FORWARDS));
    EXPECT(procs.hot[2].flags & MD_FORWARDS);
  }
  close_bonds();
}

static void claim_trap(void) {
  open_bonds(1000);
  IT("sees a trap over links of those that have none") {
    for (uint32_t p = 1; p < 1000; p++)
      md_bonds_make(&bonds, MD_LINK, p, p + 1);
    EXPECT(!md_bonds_trapped(&bonds, 1));
    md_procs_extra(&procs, 1000)->traps = true;
    EXPECT(md_bonds_trapped(&bonds, 1) && md_bonds_trapped(&bonds, 999));
  }
  IT("does not see its own, nor one behind who ends already") {
    EXPECT(!md_bonds_trapped(&bonds, 1000));
    procs.hot[500].flags |= MD_DYING;
    EXPECT(!md_bonds_trapped(&bonds, 1) && md_bonds_trapped(&bonds, 501));
  }
  IT("comes to an end in a circle, and has nothing to see without bonds") {
    md_procs_extra(&procs, 1000)->traps = false;
    procs.hot[500].flags &= (uint8_t)~MD_DYING;
    md_bonds_make(&bonds, MD_LINK, 1000, 1);
    EXPECT(!md_bonds_trapped(&bonds, 17));
    EXPECT(!md_bonds_trapped(&bonds, md_procs_take(&procs)));
  }
  close_bonds();
}

enum { CROWD = 100000 };

static void claim_crowd(void) {
  open_bonds(CROWD + 2);
  IT("makes and breaks as many as you like, on either side") {
    uint32_t made[CROWD / 100];
    for (uint32_t p = 3; p < CROWD + 3; p++) {
      if (!md_bonds_linked(&bonds, 1, p)) md_bonds_make(&bonds, MD_LINK, p, 1);
      md_bonds_make(&bonds, MD_MONITOR, 2, p);
      uint32_t e = md_bonds_make(&bonds, MD_MONITOR, p, 2);
      if (p % 100 == 0) made[(p - 3) / 100] = e;
    }
    EXPECT(bonds.live == 3 * CROWD);
    for (int i = CROWD / 100 - 1; i >= 0; i--) md_bonds_break(&bonds, made[i]);
    EXPECT(md_bonds_forget(&bonds, 1) == 0 && md_bonds_forget(&bonds, 2) == 0);
    EXPECT(bonds.live == 0);
  }
  close_bonds();
}

/* -- against lists that are walked -- */

enum { PEOPLE = 12, STEPS = 20000, MOST = 400 };

typedef struct {
  uint32_t bond, a, b;
  md_bond_kind kind;
} entry;

static entry model[MOST];
static int model_count;

/* The same digits from the model's list, in order of making. */
static uint64_t model_shown(uint32_t p, md_bond_kind kind, int side) {
  uint64_t digits = 0;
  for (int i = 0; i < model_count; i++) {
    const entry *e = &model[i];
    if (e->kind != kind) continue;
    bool both = kind == MD_LINK;
    if (e->a == p && (both || side == 0)) digits = digits * 31 + e->b;
    else if (e->b == p && (both || side == 1)) digits = digits * 31 + e->a;
  }
  return digits;
}

static uint64_t ring_shown(uint32_t p, md_ring ring) {
  uint64_t digits = 0;
  uint32_t e = md_bonds_first(&bonds, p, ring);
  for (; e != 0; e = md_bonds_next(&bonds, p, ring, e))
    digits = digits * 31 + other(e, p);
  return digits;
}

static bool model_agrees(void) {
  for (uint32_t p = 1; p <= PEOPLE; p++) {
    if (ring_shown(p, MD_RING_LINKS) != model_shown(p, MD_LINK, 0) ||
        ring_shown(p, MD_RING_WATCHERS) != model_shown(p, MD_MONITOR, 0) ||
        ring_shown(p, MD_RING_WATCHED) != model_shown(p, MD_MONITOR, 1))
      return false;
  }
  return bonds.live == (uint32_t)model_count;
}

static void model_remove(int i) {
  memmove(&model[i], &model[i + 1],
          (size_t)(--model_count - i) * sizeof model[0]);
}

static void model_step(void) {
  uint32_t a = 1 + (uint32_t)roll(PEOPLE), b = 1 + (uint32_t)roll(PEOPLE);
  if (roll(200) == 0) {
    md_bonds_forget(&bonds, a);
    for (int i = model_count - 1; i >= 0; i--)
      if (model[i].a == a || model[i].b == a) model_remove(i);
  } else if (model_count > 0 && (roll(2) || model_count == MOST)) {
    int i = (int)roll((uint64_t)model_count);
    md_bonds_break(&bonds, model[i].bond);
    model_remove(i);
  } else {
    md_bond_kind kind = roll(2) ? MD_LINK : MD_MONITOR;
    if (kind == MD_LINK && (a == b || md_bonds_linked(&bonds, a, b))) return;
    uint32_t e = md_bonds_make(&bonds, kind, a, b);
    model[model_count++] = (entry){e, a, b, kind};
  }
}

static void claim_model(void) {
  open_bonds(PEOPLE);
  IT("does as lists do that are walked, whatever is made and broken") {
    for (int i = 0; i < STEPS; i++) {
      model_step();
      EXPECT(model_agrees());
    }
  }
  close_bonds();
}

/* -- in a sim -- */

static uint32_t next(md_sim *s) {
  md_event event;
  return md_sim_next(s, &event) == MD_NEXT_PROCESS ? event.process : 0;
}

static void claim_sim(void) {
  md_sim_options options = {.seed = 1, .order = MD_FIFO, .precision = 9};
  md_sim *s = md_sim_open(arena, &options);
  md_bonds *b = md_sim_bonds(s);
  for (uint32_t i = 1; i <= 4; i++) md_sim_spawn(s, 0, 0, 0);
  for (uint32_t i = 1; i <= 4; i++) EXPECT(next(s) == i);
  md_bonds_make(b, MD_CHILD, 2, 1);
  md_bonds_make(b, MD_CHILD, 3, 1);
  IT("lets a parent go on when its last child is gone") {
    md_sim_wait(s, 1, MD_WAIT_CHILDREN, -1, 0);
    md_sim_end(s, 2, false);
    EXPECT(md_sim_proc(s, 1)->state == MD_WAITING);
    md_sim_stop(s, 3, true);
    EXPECT(md_sim_proc(s, 1)->state == MD_WAITING && md_sim_live(s) == 3);
    md_sim_release(s, 3);
    EXPECT(md_sim_proc(s, 1)->state == MD_READY && md_sim_live(s) == 2);
    EXPECT(next(s) == 1 && md_sim_proc(s, 1)->why == MD_WHY_END);
  }
  IT("leaves one alone that waits for something else, or has an heir only") {
    md_bonds_make(b, MD_CHILD, 4, 1);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, -1, 0);
    md_sim_end(s, 4, false);
    EXPECT(md_sim_proc(s, 1)->state == MD_WAITING && b->live == 0);
  }
  md_sim_close(s);
  EXPECT(md_arena_used(arena) == 0);
}

static void claim_memory(void) {
  IT("changes nothing for want of memory") {
    bool done = false;
    for (uint64_t n = 1; !done && n < 100; n++) {
      open_bonds(4);
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      uint32_t made = 0;
      for (uint32_t p = 2; p <= 4; p++)
        made += md_bonds_make(&bonds, MD_LINK, 1, p) != 0;
      for (uint32_t p = 2; p <= 4; p++)
        made += md_bonds_make(&bonds, MD_MONITOR, p, 1) != 0;
      done = made == 6;
      EXPECT(bonds.live == made);
      md_arena_fail_at(arena, 0);
      EXPECT(md_bonds_make(&bonds, MD_CHILD, 2, 1) != 0);
      close_bonds();
    }
    EXPECT(done);
  }
}

int main(void) {
  arena = md_arena_open(0);
  claim_links();
  claim_monitors();
  claim_children();
  claim_trap();
  claim_crowd();
  claim_model();
  claim_sim();
  claim_memory();
  md_arena_close(arena);
  return check_done("bond");
}
