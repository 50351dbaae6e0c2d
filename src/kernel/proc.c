#include "kernel/proc.h"

#include <assert.h>
#include <string.h>

#ifdef MD_HOSTILE
enum { PROC_FIRST = 2, EXTRA_FIRST = 1 };
#else
enum { PROC_FIRST = 16, EXTRA_FIRST = 8 };
#endif

/* Doubles one array of the table; the others follow or it stays as it is. */
static bool procs_double(md_arena *arena, void **array, uint32_t capacity,
                         uint32_t wanted, size_t size) {
  void *grown = md_arena_resize(arena, *array, capacity * size, wanted * size);
  if (grown == NULL) return false;
  *array = grown;
  return true;
}

/* Doubles the arrays of the table, or leaves them as they are. */
static bool procs_grow(md_procs *t) {
  uint32_t old = t->capacity, wanted = old ? old * 2 : PROC_FIRST;
  enum { NEEDED = 3, ALL = 5 };
  void *arrays[ALL] = {t->hot, t->cold, t->roots, t->born, t->asked};
  const size_t sizes[ALL] = {sizeof *t->hot, sizeof *t->cold, sizeof *t->roots,
                             sizeof *t->born, sizeof *t->asked};
  int grown = 0;
  if (wanted > 1u << MD_INDEX_BITS) return false;
  while (grown < ALL &&
         ((grown >= NEEDED && arrays[grown] == NULL) ||
          procs_double(t->arena, &arrays[grown], old, wanted, sizes[grown])))
    grown++;
  bool done = grown == ALL;
  while (!done && grown-- > 0) { /* shrinking never fails */
    if (arrays[grown] == NULL) continue;
    if (old > 0) {
      arrays[grown] = md_arena_resize(
          t->arena, arrays[grown], wanted * sizes[grown], old * sizes[grown]);
    } else {
      md_arena_free(t->arena, arrays[grown], wanted * sizes[grown]);
      arrays[grown] = NULL;
    }
  }
  t->hot = arrays[0];
  t->cold = arrays[1];
  t->roots = arrays[2];
  t->born = arrays[3];
  t->asked = arrays[4];
  if (done) t->capacity = wanted;
  return done;
}

bool md_procs_open(md_procs *t, md_arena *arena) {
  memset(t, 0, sizeof *t);
  t->arena = arena;
  if (!procs_grow(t)) return false;
  memset(t->hot, 0, sizeof *t->hot);
  memset(t->cold, 0, sizeof *t->cold);
  t->roots[0] = NULL;
  t->used = 1;
  return true;
}

void md_procs_close(md_procs *t) {
  for (uint32_t i = 0; i < t->extra_used; i++)
    if (t->extra[i].name != NULL)
      md_arena_free(t->arena, t->extra[i].name, t->extra[i].name_length + 1);
  md_arena_free(t->arena, t->hot, t->capacity * sizeof *t->hot);
  md_arena_free(t->arena, t->cold, t->capacity * sizeof *t->cold);
  md_arena_free(t->arena, t->roots, t->capacity * sizeof *t->roots);
  md_arena_free(t->arena, t->born, t->capacity * sizeof *t->born);
  md_arena_free(t->arena, t->asked, t->capacity * sizeof *t->asked);
  md_arena_free(t->arena, t->extra, t->extra_capacity * sizeof *t->extra);
}

uint32_t md_procs_take(md_procs *t) {
  uint32_t p = t->free;
  if (p != 0) {
    t->free = t->hot[p].next;
  } else {
    if (t->used == t->capacity && !procs_grow(t)) return 0;
    p = t->used++;
    memset(&t->hot[p], 0, sizeof t->hot[p]);
    t->roots[p] = NULL;
  }
  md_proc *proc = &t->hot[p];
  uint32_t generation = proc->generation;
  memset(proc, 0, sizeof *proc);
  memset(&t->cold[p], 0, sizeof t->cold[p]);
  proc->generation = generation;
  proc->state = MD_READY;
  t->live++;
  return p;
}

static void procs_drop_extra(md_procs *t, uint32_t p) {
  uint32_t e = t->hot[p].kept ? t->cold[p].extra : 0;
  if (e == 0) return;
  md_proc_extra *extra = &t->extra[e];
  if (extra->name != NULL)
    md_arena_free(t->arena, extra->name, extra->name_length + 1);
  extra->name = NULL;
  extra->next = t->extra_free;
  t->extra_free = e;
  t->cold[p].extra = 0;
}

/* A time of p in a column, which is made when it is missing. */
static bool procs_date(const md_procs *t, md_time **column, uint32_t p,
                       md_time time) {
  if (*column == NULL) {
    *column = md_arena_alloc(t->arena, t->capacity * sizeof **column);
    if (*column == NULL) return false;
    memset(*column, 0, t->capacity * sizeof **column);
  }
  (*column)[p] = time;
  return true;
}

bool md_procs_date(md_procs *t, uint32_t p, md_time time) {
  if (t->born == NULL && time == 0) return true;
  return procs_date(t, &t->born, p, time);
}

void md_procs_ask(md_procs *t, uint32_t p, md_time time) {
  (void)procs_date(t, &t->asked, p, time);
}

md_time md_procs_since(const md_procs *t, uint32_t p) {
  const md_proc *proc = &t->hot[p];
  if (proc->state == MD_SLEEPING)
    return proc->flags & MD_STARTED ? proc->since : -1;
  if (proc->state != MD_WAITING) return -1;
  if (!md_wait_watches(proc->wait)) return proc->since;
  if (proc->wake == 0) return proc->due;
  return t->asked != NULL ? t->asked[p] : -1;
}

void md_procs_release(md_procs *t, uint32_t p) {
  assert(p != 0 && t->hot[p].state != MD_FREE);
  procs_drop_extra(t, p);
  md_proc *proc = &t->hot[p];
  proc->state = MD_FREE;
  t->live--;
  /* a slot whose generations have run out is never used again */
  if (++proc->generation >> MD_GENERATION_BITS != 0) return;
  proc->next = t->free;
  t->free = p;
}

md_proc_extra *md_procs_extra(md_procs *t, uint32_t p) {
  uint32_t e = t->cold[p].extra;
  if (e != 0) return &t->extra[e];
  if (t->extra_free == 0 && t->extra_used == t->extra_capacity) {
    uint32_t wanted = t->extra_capacity ? t->extra_capacity * 2 : EXTRA_FIRST;
    void *extra = t->extra;
    if (!procs_double(t->arena, &extra, t->extra_capacity, wanted,
                      sizeof *t->extra))
      return NULL;
    t->extra = extra;
    t->extra_capacity = wanted;
    if (t->extra_used == 0) { /* 0 means none */
      memset(t->extra, 0, sizeof *t->extra);
      t->extra_used = 1;
      if (wanted == 1) return md_procs_extra(t, p);
    }
  }
  e = t->extra_free;
  if (e != 0) t->extra_free = t->extra[e].next;
  else e = t->extra_used++;
  memset(&t->extra[e], 0, sizeof t->extra[e]);
  t->cold[p].extra = e;
  t->hot[p].kept = 1;
  return &t->extra[e];
}

void md_procs_watch(md_procs *t, uint32_t p, uint32_t target) {
  md_proc *proc = &t->hot[p];
  uint32_t first = t->cold[target].watchers;
  proc->target = target;
  if (first == 0) {
    proc->prev = proc->next = p;
    t->cold[target].watchers = p;
    t->hot[target].kept = 1;
    return;
  }
  uint32_t last = t->hot[first].prev;
  proc->next = first;
  proc->prev = last;
  t->hot[last].next = p;
  t->hot[first].prev = p;
}

void md_procs_unwatch(md_procs *t, uint32_t p) {
  md_proc *proc = &t->hot[p];
  uint32_t target = proc->target;
  assert(target != 0);
  proc->target = 0;
  if (proc->next == p) {
    t->cold[target].watchers = 0;
    return;
  }
  t->hot[proc->prev].next = proc->next;
  t->hot[proc->next].prev = proc->prev;
  if (t->cold[target].watchers == p) t->cold[target].watchers = proc->next;
}
