/* The keys of a sim's queue: who waits for which, turns given out anew when
   they run out, ranks of priorities, and the forgotten keys of the ring, which
   are swept out once they are more than the others, so that each costs O(1). */
#include "kernel/state.h"

#include <string.h>

/* The key that the owner waits for is another, at the same time. */
static void order_own(md_sim *s, uint32_t slot, uint64_t wake) {
  if (slot & MD_SLOT_TIMER) s->timers.records[queue_leaf(slot)].wake = wake;
  else s->procs.hot[slot].wake = wake;
}

/* Leaves no key in the queue that nobody waits for. */
static void order_sweep(md_sim *s) {
  md_queue *q = &s->queue;
  uint32_t mask = q->ring_capacity - 1, kept = q->ring_first;
  for (uint32_t i = q->ring_first; i != q->ring_last; i++)
    if (sim_wanted(s, md_key_of(q->due, q->ring[i & mask])))
      q->ring[kept++ & mask] = q->ring[i & mask];
  q->ring_last = kept;
  q->forgotten = 0;
  if (q->hole) queue_settle(q);
}

/* The leaf of the i-th key that lies ahead, in no order; NULL after the last. A
   leaf may have none. */
static md_key *order_leaf(const md_queue *q, uint32_t i) {
  const md_tree *tree = &q->trees[0];
  if (i >= tree->capacity) {
    i -= tree->capacity;
    tree = &q->trees[1];
  }
  return i < tree->capacity ? &tree->levels[0][i] : NULL;
}

/* The low word of the i-th key that is due now; NULL after the last. */
static uint64_t *order_due(const md_queue *q, uint32_t i) {
  if (i >= q->ring_last - q->ring_first) return NULL;
  return &q->ring[(q->ring_first + i) & (q->ring_capacity - 1)];
}

static void order_play(md_queue *q) {
  md_tree_play(&q->trees[0]);
  md_tree_play(&q->trees[1]);
}

/* Every key that is ahead is on its leaf again, as its owner knows it. */
static void order_restore(md_sim *s) {
  md_queue *q = &s->queue;
  md_tree *procs = &q->trees[0], *timers = &q->trees[1];
  for (uint32_t p = 1; p < s->procs.used && md_tree_has(procs, p); p++)
    if (s->procs.hot[p].wake != 0) procs->levels[0][p] = sim_owned(s, p);
  for (uint32_t i = 1; i < s->timers.used && md_tree_has(timers, i); i++)
    if (s->timers.records[i].wake != 0)
      timers->levels[0][i] = sim_owned(s, i | MD_SLOT_TIMER);
  const uint64_t *low;
  for (uint32_t i = 0; (low = order_due(q, i)) != NULL; i++) {
    uint32_t slot = md_key_slot(*low), leaf = queue_leaf(slot);
    md_tree *tree = queue_tree(q, slot);
    if (md_tree_has(tree, leaf)) tree->levels[0][leaf] = MD_KEY_NONE;
  }
  order_play(q);
}

void md_order_turn_over(md_sim *s) {
  md_queue *q = &s->queue;
  order_sweep(s);
  uint32_t n = s->pending, done = 0;
  for (uint32_t i = 0; i < n; i++) { /* the least of those without a new turn */
    md_key key = md_queue_ahead(q);
    uint64_t *low = order_due(q, done);
    bool due = low != NULL && md_key_of(q->due, *low) < key;
    if (due) key = md_key_of(q->due, *low);
    key = md_queue_turned(q, key, i, n);
    uint32_t slot = md_key_slot(key);
    order_own(s, slot, md_key_low(key));
    if (!due) md_tree_remove(queue_tree(q, slot), queue_leaf(slot));
    else *low = md_key_low(key), done++;
  }
  q->turn = n;
  order_restore(s);
}

void md_order_forget(md_sim *s, md_key key) {
  md_queue *q = &s->queue;
  assert(s->pending > 0);
  s->pending--;
  if (md_queue_cancel(q, key)) return;
  uint32_t wanted = q->ring_last - q->ring_first - q->forgotten;
  if (q->forgotten > wanted + SIM_SWEEP) order_sweep(s);
}

static uint64_t order_low(uint64_t low, const uint8_t map[MD_RANKS]) {
  uint64_t rank = map[low >> 56];
  return (low & ((1ull << 56) - 1)) | rank << 56;
}

/* Gives every rank in use another; `map` keeps their order, and with it that
   of all keys. The queue is swept. */
static void order_rerank(md_sim *s, const uint8_t map[MD_RANKS]) {
  md_key *key;
  uint64_t *low;
  for (uint32_t i = 0; (key = order_leaf(&s->queue, i)) != NULL; i++) {
    if (*key == MD_KEY_NONE) continue;
    *key = md_key_of(md_key_time(*key), order_low(md_key_low(*key), map));
    order_own(s, md_key_slot(*key), md_key_low(*key));
  }
  for (uint32_t i = 0; (low = order_due(&s->queue, i)) != NULL; i++) {
    *low = order_low(*low, map);
    order_own(s, md_key_slot(*low), *low);
  }
  order_play(&s->queue);
  for (uint32_t p = 1; p < s->procs.used; p++)
    s->procs.hot[p].rank = map[s->procs.hot[p].rank];
}

/* Drops the priorities that nobody has any more, but for 0. */
static void order_drop_ranks(md_sim *s) {
  bool used[MD_RANKS] = {false};
  uint8_t map[MD_RANKS] = {0};
  const md_key *key;
  const uint64_t *low;
  int kept = 0;
  for (uint32_t i = 0; (key = order_leaf(&s->queue, i)) != NULL; i++)
    if (*key != MD_KEY_NONE) used[md_key_low(*key) >> 56] = true;
  for (uint32_t i = 0; (low = order_due(&s->queue, i)) != NULL; i++)
    used[*low >> 56] = true;
  for (uint32_t p = 1; p < s->procs.used; p++)
    if (s->procs.hot[p].state != MD_FREE) used[s->procs.hot[p].rank] = true;
  for (int i = 0; i < s->ranks; i++) {
    map[i] = (uint8_t)kept;
    if (used[i] || s->priorities[i] == 0)
      s->priorities[kept++] = s->priorities[i];
  }
  s->ranks = kept;
  order_rerank(s, map);
}

/* The place of a priority among those in use. */
static int order_place(const md_sim *s, int64_t priority) {
  int i = 0;
  while (i < s->ranks && s->priorities[i] < priority) i++;
  return i;
}

/* A new one shifts the ranks above it: O(n). */
int md_order_rank(md_sim *s, int64_t priority) {
  uint8_t map[MD_RANKS];
  int i = order_place(s, priority);
  if (i < s->ranks && s->priorities[i] == priority) return i;
  order_sweep(s);
  if (s->ranks == MD_RANKS) {
    order_drop_ranks(s);
    i = order_place(s, priority);
  }
  if (s->ranks == MD_RANKS) return -1;
  for (int r = 0; r < MD_RANKS; r++) map[r] = (uint8_t)(r + (r >= i));
  order_rerank(s, map);
  memmove(&s->priorities[i + 1], &s->priorities[i],
          (size_t)(s->ranks - i) * sizeof s->priorities[0]);
  s->priorities[i] = priority;
  s->ranks++;
  return i;
}

bool md_sim_set_priority(md_sim *s, uint32_t p, int64_t priority) {
  int rank = md_order_rank(s, priority);
  if (rank >= 0) s->procs.hot[p].rank = (uint8_t)rank;
  return rank >= 0;
}

/* A new key, the least of its time, in the place of the owner's. */
static bool order_hasten(md_sim *s, uint32_t slot, md_time due) {
  md_queue *q = &s->queue;
  int rank = md_order_rank(s, INT64_MIN);
  if (rank < 0) return false;
  uint64_t wake = (uint64_t)rank << 56 | slot;
  md_key old = sim_owned(s, slot), key = md_key_of(due, wake);
  uint32_t leaf = queue_leaf(slot);
  if (old == key) return true;
  if (!md_tree_has(queue_tree(q, slot), leaf) &&
      !md_tree_grow(queue_tree(q, slot), q->arena, leaf))
    return false;
  order_own(s, slot, wake);
  md_order_forget(s, old);
  s->pending++;
  return md_queue_push(q, key); /* there is room */
}

bool md_sim_hasten(md_sim *s, uint32_t p) {
  return s->procs.hot[p].wake == 0 || order_hasten(s, p, s->procs.hot[p].due);
}

bool md_sim_hasten_timer(md_sim *s, const md_timer *timer) {
  uint32_t i = (uint32_t)(timer - s->timers.records);
  return order_hasten(s, i | MD_SLOT_TIMER, timer->due);
}

md_order md_sim_order(const md_sim *s) { return s->queue.order; }

uint32_t md_sim_first(md_sim *s, const md_timer **timer) {
  md_time time;
  *timer = NULL;
  if (!md_sim_peek(s, &time)) return 0;
  uint32_t slot = md_key_slot(md_queue_top(&s->queue));
  if (!(slot & MD_SLOT_TIMER)) return slot;
  *timer = &s->timers.records[slot & ~MD_SLOT_TIMER];
  return 0;
}

const md_timer *md_sim_timer_after(const md_sim *s, const md_timer *timer) {
  uint32_t i = timer ? (uint32_t)(timer - s->timers.records) : 0;
  while (++i < s->timers.used)
    if (s->timers.records[i].wake != 0) return &s->timers.records[i];
  return NULL;
}

bool md_sim_priority_free(const md_sim *s, int64_t priority) {
  int i = order_place(s, priority);
  return s->ranks < MD_RANKS || (i < s->ranks && s->priorities[i] == priority);
}
