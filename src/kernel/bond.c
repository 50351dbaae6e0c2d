#include "kernel/bond.h"

#include <assert.h>
#include <string.h>

#ifdef MD_HOSTILE
enum { BOND_FIRST = 2 };
#else
enum { BOND_FIRST = 16 };
#endif

/* Which ring of its process each side of a bond is in. */
static const md_ring bond_rings[MD_BOND_KINDS][2] = {
    [MD_LINK] = {MD_RING_LINKS, MD_RING_LINKS},
    [MD_MONITOR] = {MD_RING_WATCHERS, MD_RING_WATCHED},
    [MD_CHILD] = {MD_RING_PARENT, MD_RING_CHILDREN},
    [MD_FORWARD] = {MD_RING_SOURCE, MD_RING_HEIRS},
};

void md_bonds_open(md_bonds *t, md_arena *arena, md_procs *procs) {
  *t = (md_bonds){.arena = arena, .procs = procs, .used = 1};
}

void md_bonds_close(md_bonds *t) {
  md_arena_free(t->arena, t->records, t->capacity * sizeof *t->records);
}

/* -- the pool -- */

static bool bond_grow(md_bonds *t) {
  uint32_t wanted = t->capacity ? t->capacity * 2 : BOND_FIRST;
  if (wanted > 1u << MD_BOND_INDEX_BITS) return false;
  void *grown =
      md_arena_resize(t->arena, t->records, t->capacity * sizeof *t->records,
                      wanted * sizeof *t->records);
  if (grown == NULL) return false;
  t->records = grown;
  t->capacity = wanted;
  return true;
}

static uint32_t bond_take(md_bonds *t) {
  uint32_t e = t->free;
  if (e != 0) {
    t->free = t->records[e].next[0];
  } else {
    if (t->used >= t->capacity && !bond_grow(t)) return 0;
    e = t->used++;
    t->records[e].generation = 0;
  }
  t->live++;
  return e;
}

static void bond_release(md_bonds *t, uint32_t e) {
  md_bond *bond = &t->records[e];
  assert(bond->kind < MD_BOND_KINDS);
  bond->kind = MD_BOND_KINDS;
  t->live--;
  /* one whose generations have run out is never used again */
  if (++bond->generation >> MD_BOND_GENERATION_BITS != 0) return;
  bond->next[0] = t->free;
  t->free = e;
}

md_bond_id md_bonds_id(const md_bonds *t, uint32_t e) {
  return (md_bond_id)t->records[e].generation << MD_BOND_INDEX_BITS | e;
}

uint32_t md_bonds_find(const md_bonds *t, md_bond_id id) {
  uint32_t e = id & ((1u << MD_BOND_INDEX_BITS) - 1);
  if (e == 0 || e >= t->used) return 0;
  const md_bond *bond = &t->records[e];
  if (bond->kind == MD_BOND_KINDS) return 0;
  return bond->generation == id >> MD_BOND_INDEX_BITS ? e : 0;
}

/* -- the rings -- */

static md_proc_extra *bond_extra(const md_bonds *t, uint32_t p) {
  return &t->procs->extra[t->procs->cold[p].extra];
}

static bool bond_any(const md_bonds *t, uint32_t p) {
  return (t->procs->hot[p].flags & MD_BONDED) != 0;
}

/* The side of a bond that is in that ring of p, which may be on both sides of a
   monitor. */
static int bond_side(const md_bond *bond, uint32_t p, md_ring ring) {
  return bond->process[0] == p && bond_rings[bond->kind][0] == ring ? 0 : 1;
}

static void bond_enter(md_bonds *t, uint32_t e, int side) {
  md_bond *bond = &t->records[e];
  uint32_t p = bond->process[side];
  md_ring ring = bond_rings[bond->kind][side];
  md_proc_extra *extra = bond_extra(t, p);
  uint32_t first = extra->rings[ring];
  t->procs->hot[p].flags |= MD_BONDED;
  if (ring == MD_RING_HEIRS) t->procs->hot[p].flags |= MD_FORWARDS;
  if (first == 0) {
    extra->rings[ring] = bond->prev[side] = bond->next[side] = e;
    return;
  }
  md_bond *head = &t->records[first];
  int head_side = bond_side(head, p, ring);
  uint32_t last = head->prev[head_side];
  bond->next[side] = first;
  bond->prev[side] = last;
  t->records[last].next[bond_side(&t->records[last], p, ring)] = e;
  head->prev[head_side] = e;
}

static void bond_leave(md_bonds *t, uint32_t e, int side) {
  md_bond *bond = &t->records[e];
  uint32_t p = bond->process[side];
  md_ring ring = bond_rings[bond->kind][side];
  md_proc_extra *extra = bond_extra(t, p);
  uint32_t prev = bond->prev[side], next = bond->next[side];
  if (next != e) {
    t->records[prev].next[bond_side(&t->records[prev], p, ring)] = next;
    t->records[next].prev[bond_side(&t->records[next], p, ring)] = prev;
    if (extra->rings[ring] == e) extra->rings[ring] = next;
    return;
  }
  extra->rings[ring] = 0;
  if (ring == MD_RING_HEIRS) t->procs->hot[p].flags &= (uint8_t)~MD_FORWARDS;
  for (int i = 0; i < MD_RINGS; i++)
    if (extra->rings[i] != 0) return;
  t->procs->hot[p].flags &= (uint8_t)~MD_BONDED;
}

uint32_t md_bonds_make(md_bonds *t, md_bond_kind kind, uint32_t a, uint32_t b) {
  assert(kind == MD_MONITOR || a != b);
  if (md_procs_extra(t->procs, a) == NULL) return 0;
  if (md_procs_extra(t->procs, b) == NULL) return 0;
  uint32_t e = bond_take(t);
  if (e == 0) return 0;
  t->records[e] = (md_bond){.made = ++t->made,
                            .process = {a, b},
                            .generation = t->records[e].generation,
                            .kind = (uint8_t)kind};
  bond_enter(t, e, 0);
  bond_enter(t, e, 1);
  return e;
}

void md_bonds_break(md_bonds *t, uint32_t e) {
  bond_leave(t, e, 0);
  bond_leave(t, e, 1);
  bond_release(t, e);
}

uint32_t md_bonds_first(const md_bonds *t, uint32_t p, md_ring ring) {
  return bond_any(t, p) ? bond_extra(t, p)->rings[ring] : 0;
}

uint32_t md_bonds_next(const md_bonds *t, uint32_t p, md_ring ring,
                       uint32_t e) {
  uint32_t next = t->records[e].next[bond_side(&t->records[e], p, ring)];
  return next == bond_extra(t, p)->rings[ring] ? 0 : next;
}

uint32_t md_bonds_last(const md_bonds *t, uint32_t p, md_ring ring) {
  uint32_t first = md_bonds_first(t, p, ring);
  if (first == 0) return 0;
  return t->records[first].prev[bond_side(&t->records[first], p, ring)];
}

uint32_t md_bonds_prev(const md_bonds *t, uint32_t p, md_ring ring,
                       uint32_t e) {
  if (e == bond_extra(t, p)->rings[ring]) return 0;
  return t->records[e].prev[bond_side(&t->records[e], p, ring)];
}

/* -- searches -- */

uint32_t md_bonds_linked(const md_bonds *t, uint32_t a, uint32_t b) {
  uint32_t x = md_bonds_first(t, a, MD_RING_LINKS);
  uint32_t y = md_bonds_first(t, b, MD_RING_LINKS);
  while (x != 0 && y != 0) {
    if (md_bond_other(&t->records[x], a) == b) return x;
    if (md_bond_other(&t->records[y], b) == a) return y;
    x = md_bonds_next(t, a, MD_RING_LINKS, x);
    y = md_bonds_next(t, b, MD_RING_LINKS, y);
  }
  return 0;
}

uint32_t md_bonds_oldest(const md_bonds *t, uint32_t p) {
  uint32_t x = md_bonds_first(t, p, MD_RING_LINKS);
  uint32_t y = md_bonds_first(t, p, MD_RING_WATCHERS);
  if (x == 0 || y == 0) return x + y;
  return t->records[x].made < t->records[y].made ? x : y;
}

uint32_t md_bonds_heir(const md_bonds *t, uint32_t root, uint32_t at) {
  uint32_t down = md_bonds_first(t, at, MD_RING_HEIRS);
  if (down != 0) return t->records[down].process[0];
  while (at != root) {
    uint32_t own = md_bonds_first(t, at, MD_RING_SOURCE);
    uint32_t parent = t->records[own].process[1];
    uint32_t next = md_bonds_next(t, parent, MD_RING_HEIRS, own);
    if (next != 0) return t->records[next].process[0];
    at = parent;
  }
  return 0;
}

/* Breadth first; a process that has been met bears the search's mark. */
bool md_bonds_trapped(md_bonds *t, uint32_t p) {
  if (!bond_any(t, p)) return false;
  uint32_t mark = ++t->marks, last = p;
  bond_extra(t, p)->mark = mark;
  bond_extra(t, p)->trail = 0;
  for (uint32_t at = p; at != 0; at = bond_extra(t, at)->trail) {
    uint32_t e = md_bonds_first(t, at, MD_RING_LINKS);
    for (; e != 0; e = md_bonds_next(t, at, MD_RING_LINKS, e)) {
      uint32_t q = md_bond_other(&t->records[e], at);
      md_proc_extra *extra = bond_extra(t, q);
      if (extra->mark == mark || t->procs->hot[q].flags & MD_DYING) continue;
      if (extra->traps) return true;
      extra->mark = mark;
      extra->trail = 0;
      bond_extra(t, last)->trail = q;
      last = q;
    }
  }
  return false;
}

uint32_t md_bonds_forget(md_bonds *t, uint32_t p) {
  uint32_t own = md_bonds_first(t, p, MD_RING_PARENT);
  uint32_t parent = own ? t->records[own].process[1] : 0;
  for (int ring = 0; ring < MD_RINGS; ring++)
    for (uint32_t e; (e = md_bonds_first(t, p, (md_ring)ring)) != 0;)
      md_bonds_break(t, e);
  if (parent == 0) return 0;
  return md_bonds_first(t, parent, MD_RING_CHILDREN) == 0 ? parent : 0;
}
