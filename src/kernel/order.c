/* The keys of a sim's queue: who waits for which, turns given out anew when
   they run out, ranks of priorities, and the forgotten keys, which are swept
   out once they are more than the others, so that each costs O(1). */
#include "kernel/state.h"

#include <string.h>

/* The key that the owner waits for is another, at the same time. */
static void order_own(md_sim *s, uint32_t slot, uint64_t wake) {
  if (slot & SIM_TIMER) s->timers.records[slot & ~SIM_TIMER].wake = wake;
  else s->procs.hot[slot].wake = wake;
}

/* Sweeps the forgotten keys out of the ring. */
static void order_sweep_ring(md_sim *s) {
  md_queue *q = &s->queue;
  uint32_t mask = q->ring_capacity - 1, kept = q->ring_first;
  for (uint32_t i = q->ring_first; i != q->ring_last; i++)
    if (sim_wanted(s, q->ring[i & mask]))
      q->ring[kept++ & mask] = q->ring[i & mask];
  q->ring_last = kept;
}

/* Sweeps the forgotten keys out of the queue. */
static void order_sweep(md_sim *s) {
  md_queue *q = &s->queue;
  order_sweep_ring(s);
  if (q->hole) queue_settle(q);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < q->count; i++)
    if (sim_wanted(s, q->heap[i])) q->heap[kept++] = q->heap[i];
  for (uint32_t i = kept; i < q->count; i++) q->heap[i] = MD_KEY_NONE;
  q->count = kept;
  md_queue_heapify(q);
}

/* Gives out the turns anew, in the same order. */
bool md_order_turn_over(md_sim *s) {
  if (!md_queue_gather(&s->queue)) return false;
  order_sweep(s);
  md_queue_sort(&s->queue);
  for (uint32_t i = 0; i < s->queue.count; i++) {
    uint32_t slot = md_key_slot(s->queue.heap[i]);
    order_own(s, slot, md_queue_turn_anew(&s->queue, i));
  }
  if (s->queue.count == 0) s->queue.turn = 0;
  return true;
}

/* A key in the queue is wanted no more, and its owner has forgotten it. A
   sweep takes out more keys than it leaves, so forgetting stays O(1). */
void md_order_forget(md_sim *s) {
  assert(s->pending > 0);
  s->pending--;
  uint32_t forgotten = md_queue_size(&s->queue) - s->pending;
  if (forgotten > s->pending + SIM_SWEEP) order_sweep(s);
}

/* Gives every rank in use another; `map` keeps their order, and with it that
   of all keys. The queue is gathered and swept. */
static void order_rerank(md_sim *s, const uint8_t map[MD_RANKS]) {
  for (uint32_t k = 0; k < s->queue.count; k++) {
    md_key key = s->queue.heap[k];
    uint64_t low = md_key_low(key), rank = map[low >> 56];
    low = (low & ((1ull << 56) - 1)) | rank << 56;
    s->queue.heap[k] = (key >> 64) << 64 | low;
    order_own(s, md_key_slot(key), low);
  }
  for (uint32_t p = 1; p < s->procs.used; p++)
    s->procs.hot[p].rank = map[s->procs.hot[p].rank];
}

/* Drops the priorities that nobody has any more, but for 0. */
static void order_drop_ranks(md_sim *s) {
  bool used[MD_RANKS] = {false};
  uint8_t map[MD_RANKS] = {0};
  int kept = 0;
  for (uint32_t k = 0; k < s->queue.count; k++)
    used[md_key_low(s->queue.heap[k]) >> 56] = true;
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

/* The rank of a priority. A new one shifts the ranks above it: O(n). -1 when
   there is no memory, or as many others as there are ranks. */
int md_order_rank(md_sim *s, int64_t priority) {
  uint8_t map[MD_RANKS];
  int i = order_place(s, priority);
  if (i < s->ranks && s->priorities[i] == priority) return i;
  if (!md_queue_gather(&s->queue)) return -1;
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
  int rank = md_order_rank(s, INT64_MIN);
  if (rank < 0) return false;
  uint64_t wake = (uint64_t)rank << 56 | slot;
  if (md_key_low(sim_owned(s, slot)) == wake) return true;
  if (!md_queue_push(&s->queue, (md_key)(uint64_t)due << 64 | wake))
    return false;
  s->pending++;
  order_own(s, slot, wake);
  md_order_forget(s);
  return true;
}

bool md_sim_hasten(md_sim *s, uint32_t p) {
  return s->procs.hot[p].wake == 0 || order_hasten(s, p, s->procs.hot[p].due);
}

bool md_sim_hasten_timer(md_sim *s, const md_timer *timer) {
  uint32_t i = (uint32_t)(timer - s->timers.records);
  return order_hasten(s, i | SIM_TIMER, timer->due);
}

md_order md_sim_order(const md_sim *s) { return s->queue.order; }

uint32_t md_sim_first(md_sim *s, const md_timer **timer) {
  md_time time;
  *timer = NULL;
  if (!md_sim_peek(s, &time)) return 0;
  uint32_t slot = md_key_slot(md_queue_top(&s->queue));
  if (!(slot & SIM_TIMER)) return slot;
  *timer = &s->timers.records[slot & ~SIM_TIMER];
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
