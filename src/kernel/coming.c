/* Who comes soon, so that what goes on then is in the cache by then. */
#include "kernel/state.h"

/* The slot's process, 0 if it is a timer. */
static inline uint32_t sim_slot_process(md_key key) {
  uint32_t slot = md_key_slot(key);
  return slot & MD_SLOT_TIMER ? 0 : slot;
}

/* Level k has 8 to 32 winners, the one below four times as many. Who has just
   become one of those comes in as many events on average, and is fetched; its
   thread is when it is one of these. Who comes next is, but for one time in as
   many as 64, the least of the rivals that p's key, which is being taken, has
   in the last three matches. */
static __attribute__((noinline)) int
sim_coming_ahead(const md_sim *s, uint32_t processes[MD_COMING]) {
  const md_tree *tree = &s->queue.trees[0];
  uint32_t p = s->queue.hole, played = s->queue.played, h = tree->height - 1;
  md_key *const *levels = tree->levels;
  uint32_t k = (uint32_t)(27 - __builtin_clz(tree->capacity)) / 2;
  if (h < 4 || (p | played) & MD_SLOT_TIMER) return 0;
  md_key next = tree_less(tree_rivals(levels[h], p >> 2 * h),
                          tree_rivals(levels[h - 1], p >> (2 * h - 2)));
  next = tree_less(next, tree_rivals(levels[h - 2], p >> (2 * h - 4)));
  md_key later = levels[k - 1][played >> (2 * k - 2)];
  if (later != MD_KEY_NONE) {
    uint32_t l = md_key_slot(later);
    __builtin_prefetch(&s->procs.hot[l]);
    __builtin_prefetch(&s->procs.roots[l]);
    for (int i = 0; i < 3; i++) __builtin_prefetch(&levels[i][l >> 2 * i]);
  }
  processes[0] = sim_slot_process(next);
  processes[1] = sim_slot_process(levels[k][played >> 2 * k]);
  return 2;
}

static __attribute__((noinline)) int
sim_coming_now(const md_queue *q, uint32_t n, uint32_t processes[MD_COMING]) {
  uint32_t mask = q->ring_capacity - 1;
  if (n > MD_COMING) n = MD_COMING;
  for (uint32_t i = 0; i < n; i++)
    processes[i] = sim_slot_process(q->ring[(q->ring_first + i) & mask]);
  return (int)n;
}

int md_sim_coming(const md_sim *s, uint32_t processes[MD_COMING]) {
  const md_queue *q = &s->queue;
  uint32_t n = q->ring_last - q->ring_first;
  if (n > 0) return sim_coming_now(q, n, processes);
  return s->pending < SIM_CROWD ? 0 : sim_coming_ahead(s, processes);
}
