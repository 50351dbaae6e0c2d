#include "kernel/note.h"

#include <assert.h>
#include <string.h>

md_sim *md_sim_open(md_arena *arena, const md_sim_options *options) {
  md_sim *s = md_arena_alloc(arena, sizeof *s);
  if (s == NULL) return NULL;
  memset(s, 0, sizeof *s);
  s->arena = arena;
  s->seed = options->seed;
  s->scale = md_scale_of(options->precision);
  s->ranks = 1;
  s->limit = SIM_FOREVER;
  s->last = UINT64_MAX;
  s->trace.hash = 0x6d6f6f6e6469616cu; /* "moondial" */
  md_sim_zeno(s, options->zeno);
  md_timers_open(&s->timers, arena);
  bool procs = md_procs_open(&s->procs, arena);
  bool mails = md_mails_open(&s->mails, arena, &s->procs, &s->now);
  md_bonds_open(&s->bonds, arena, &s->procs);
  bool queue = md_queue_open(&s->queue, arena, options->order, options->seed);
  bool signals = md_signals_open(&s->signals, arena, &s->procs);
  if (procs && mails && queue && signals) return s;
  md_sim_close(s);
  return NULL;
}

void md_sim_close(md_sim *s) {
  md_signals_close(&s->signals);
  md_queue_close(&s->queue);
  md_bonds_close(&s->bonds);
  md_mails_close(&s->mails);
  md_timers_close(&s->timers);
  md_procs_close(&s->procs);
  md_arena_free(s->arena, s->counts, s->counts_size * sizeof *s->counts);
  md_arena_free(s->arena, s, sizeof *s);
}

md_time md_sim_now(const md_sim *s) { return s->now; }
md_scale md_sim_scale(const md_sim *s) { return s->scale; }
uint64_t md_sim_seed(const md_sim *s) { return s->seed; }
uint64_t md_sim_events(const md_sim *s) { return s->events; }
uint64_t md_sim_hash(const md_sim *s) { return s->trace.hash; }
md_trace *md_sim_trace(md_sim *s) { return &s->trace; }
md_signals *md_sim_signals(md_sim *s) { return &s->signals; }
md_mails *md_sim_mails(md_sim *s) { return &s->mails; }
md_bonds *md_sim_bonds(md_sim *s) { return &s->bonds; }

void md_sim_zeno(md_sim *s, uint64_t zeno) {
  s->attention = 0;
  s->zeno = zeno ? zeno : UINT64_MAX;
  s->suspect = s->zeno > SIM_SUSPECT ? s->zeno - SIM_SUSPECT : 0;
}

/* -- the run -- */

/* The next event to be looked at: the last, or one too many at the instant that
   has begun with event `first`. Later instants do not move it: when it comes,
   it is asked whether there were too many at the one that it is then. */
static void sim_attend(md_sim *s, uint64_t first) {
  uint64_t many = first + s->suspect;
  s->attention = many < first || many > s->last ? s->last : many;
}

/* What was counted was of another instant than the one that began then. */
static void sim_recount(md_sim *s, uint64_t first) {
  s->counted = first;
  md_arena_free(s->arena, s->counts, s->counts_size * sizeof *s->counts);
  s->counts = NULL;
  s->counts_size = 0;
}

void md_sim_bound(md_sim *s, md_time limit, uint64_t events, bool quick) {
  s->limit = limit;
  s->last = events < UINT64_MAX - s->events ? s->events + events : UINT64_MAX;
  if (s->starved) s->last = 0;
  s->attention = 0; /* the first event tells */
  s->quick_most = quick ? SIM_QUICK : 0;
  s->quick_last = s->events + s->quick_most;
}

void md_sim_halt(md_sim *s) { s->quick_last = s->events; }

static inline void sim_move(md_sim *s, md_time time) {
  assert(time >= s->now);
  if (time == s->now) return;
  s->now = time;
  s->instant = s->events;
}

static md_next sim_timer(md_sim *s, uint32_t i, md_event *event) {
  md_timer *timer = &s->timers.records[i];
  event->process = 0;
  event->timer_kind = timer->kind;
  event->made = timer->made;
  memcpy(event->words, timer->words, sizeof event->words);
  md_timers_release(&s->timers, i);
  return MD_NEXT_TIMER;
}

static inline md_next sim_process(md_sim *s, uint32_t p, md_event *event) {
  md_proc *proc = &s->procs.hot[p];
  proc->wake = 0;
  sim_unwatch(s, p);
  proc->state = MD_RUNNING;
  if (proc->why == MD_WHY_START) sim_note(s, MD_TRACE_START, p, 0, 0);
  else sim_note_wake(s, p, (md_why)proc->why);
  event->process = p;
  return MD_NEXT_PROCESS;
}

/* Whatever is not just the next event: the end, or an instant without end.
   MD_NEXT_PROCESS means that nothing is the matter. */
static md_next sim_obstacle(md_sim *s, md_key key, bool wanted) {
  if (s->starved) return MD_NEXT_STARVED;
  if (s->events >= s->last) return MD_NEXT_ENOUGH;
  if ((uint64_t)(key >> 64) > (uint64_t)s->limit)
    return s->pending ? MD_NEXT_LIMIT : MD_NEXT_NOTHING;
  if (!wanted) return MD_NEXT_PROCESS;
  bool begins = md_key_time(key) != s->now;
  uint64_t first = begins ? s->events : s->instant, many = s->events - first;
  sim_attend(s, first);
  if (first != s->counted) sim_recount(s, first);
  if (begins) return MD_NEXT_PROCESS;
  if (many >= s->zeno) return MD_NEXT_ZENO;
  if (many >= s->suspect)
    sim_suspect(s, md_key_slot(key) & MD_SLOT_TIMER ? 0 : md_key_slot(key));
  return MD_NEXT_PROCESS;
}

md_next md_sim_next(md_sim *s, md_event *event) {
  for (;;) {
    md_key key = md_queue_top(&s->queue);
    md_time time = md_key_time(key);
    bool wanted = key != MD_KEY_NONE && sim_wanted(s, key);
    bool plain = wanted && time <= s->limit && s->events < s->attention;
    if (__builtin_expect(!plain, 0)) {
      md_next obstacle = sim_obstacle(s, key, wanted);
      if (obstacle != MD_NEXT_PROCESS) return obstacle;
    }
    md_queue_take(&s->queue, key);
    if (!wanted) {
      s->queue.forgotten--;
      continue;
    }
    s->pending--;
    sim_move(s, time);
    s->quick_last = ++s->events + s->quick_most;
    uint32_t slot = md_key_slot(key);
    if (slot & MD_SLOT_TIMER) return sim_timer(s, slot & ~MD_SLOT_TIMER, event);
    return sim_process(s, slot, event);
  }
}

/* The turn of the process that the key is of; 0 where it is not just the next
   event, and md_sim_next has to tell. */
static inline uint32_t sim_turn(md_sim *s, md_key key, bool wanted) {
  md_time time = md_key_time(key);
  uint32_t slot = md_key_slot(key);
  md_event event;
  if (s->events >= s->attention || s->events >= s->quick_last ||
      slot & MD_SLOT_TIMER || time > s->limit || !wanted)
    return 0;
  md_queue_take(&s->queue, key);
  s->pending--;
  sim_move(s, time);
  s->events++;
  sim_process(s, slot, &event);
  return slot;
}

/* Something is due now, which may be wanted no more. */
static __attribute__((noinline)) uint32_t sim_turn_due(md_sim *s) {
  md_key key = md_queue_top(&s->queue);
  return sim_turn(s, key, sim_wanted(s, key));
}

uint32_t md_sim_next_turn(md_sim *s) {
  md_queue *q = &s->queue;
  if (!queue_ring_empty(q)) return sim_turn_due(s);
  md_key key = md_queue_top(q);
  assert(key == MD_KEY_NONE || sim_wanted(s, key)); /* what is not lies there */
  return sim_turn(s, key, key != MD_KEY_NONE);
}

bool md_sim_peek(md_sim *s, md_time *time) {
  for (;;) {
    md_key key = md_queue_top(&s->queue);
    if (key == MD_KEY_NONE) return false;
    *time = md_key_time(key);
    if (sim_wanted(s, key)) return true;
    md_queue_take(&s->queue, key);
    s->queue.forgotten--;
  }
}

void md_sim_forward(md_sim *s, md_time time) { sim_move(s, time); }

/* -- waits -- */

/* p's next wake-up. Where there is no memory for it the run cannot go on, and
   says so at the next event. */
static void sim_arm(md_sim *s, uint32_t p, md_time time, md_why why) {
  md_proc *proc = &s->procs.hot[p];
  md_key key = sim_schedule(s, time, proc->rank, p);
  if (key == MD_KEY_NONE) {
    s->starved = true;
    s->last = s->attention = 0; /* nothing goes on */
  }
  proc->wake = key == MD_KEY_NONE ? 0 : md_key_low(key);
  proc->due = time;
  proc->why = why;
}

/* The wake-up of a sleep: nearly always of the process that has just been
   taken, whose key is replaced. */
static inline void sim_arm_sleep(md_sim *s, uint32_t p, md_proc *proc,
                                 md_time time) {
  md_queue *q = &s->queue;
  if (q->hole != p || time == s->now || md_queue_turns_over(q)) {
    sim_arm(s, p, time, MD_WHY_TIME);
    return;
  }
  md_key key = md_queue_key(q, time, proc->rank, p);
  q->hole = 0;
  q->played = p;
  md_tree_replace(&q->trees[0], p, key);
  s->pending++;
  proc->wake = md_key_low(key);
  proc->due = time;
  proc->why = MD_WHY_TIME;
}

/* The wake-up of this very instant: nearly always it goes to the ring. */
static inline void sim_arm_now(md_sim *s, uint32_t p, md_proc *proc,
                               md_why why) {
  md_queue *q = &s->queue;
  if (q->order != MD_FIFO || s->ranks != 1 || md_queue_turns_over(q) ||
      q->ring_last - q->ring_first == q->ring_capacity) {
    sim_arm(s, p, s->now, why);
    return;
  }
  md_key key = md_queue_key(q, s->now, proc->rank, p);
  md_queue_append(q, key);
  s->pending++;
  proc->wake = md_key_low(key);
  proc->due = s->now;
  proc->why = why;
}

bool md_sim_sleep(md_sim *s, uint32_t p, md_time ticks) {
  md_proc *proc = &s->procs.hot[p];
  md_time time = s->now + ticks;
  md_queue *q = &s->queue;
  sim_arm_sleep(s, p, proc, time);
  bool next = ticks > 0 && queue_ring_empty(q) && !q->hole &&
              md_key_low(md_queue_ahead(q)) == proc->wake && time <= s->limit;
  if (!next || s->events >= s->quick_last || s->events >= s->last) {
    proc->state = MD_SLEEPING;
    proc->wait = MD_WAIT_TIME;
    proc->since = s->now;
    return false;
  }
  /* it would be next: take its own event and let it go on */
  q->hole = p;
  s->pending--;
  proc->wake = 0;
  sim_move(s, time);
  s->events++;
  sim_note_wake(s, p, MD_WHY_TIME);
  return true;
}

void md_sim_yield(md_sim *s, uint32_t p) {
  md_proc *proc = &s->procs.hot[p];
  uint8_t rank = proc->rank;
  /* it goes after the least urgent, but under "lifo" it is the next */
  if (s->queue.order != MD_LIFO) proc->rank = (uint8_t)(s->ranks - 1);
  sim_arm(s, p, s->now, MD_WHY_TIME);
  proc->rank = rank;
  proc->state = MD_READY;
  s->procs.hot[p].wait = MD_WAIT_TIME;
}

/* A wait with a target or a deadline; apart, so that the usual one is short. */
static __attribute__((noinline)) void sim_wait_for(md_sim *s, uint32_t p,
                                                   md_wait wait,
                                                   md_time deadline,
                                                   uint32_t target) {
  bool watches = md_wait_watches(wait);
  if (watches) md_procs_watch(&s->procs, p, target);
  else s->procs.hot[p].target = target;
  if (deadline < 0) return;
  if (watches) md_procs_ask(&s->procs, p, s->now);
  sim_arm(s, p, deadline, MD_WHY_TIME);
}

void md_sim_wait(md_sim *s, uint32_t p, md_wait wait, md_time deadline,
                 uint32_t target) {
  md_proc *proc = &s->procs.hot[p];
  proc->state = MD_WAITING;
  proc->wait = wait;
  proc->target = 0;
  proc->due = proc->since = s->now;
  if (target != 0 || deadline >= 0) sim_wait_for(s, p, wait, deadline, target);
}

void md_sim_watch(md_sim *s, uint32_t p, uint32_t target) {
  md_procs_unwatch(&s->procs, p);
  md_procs_watch(&s->procs, p, target);
}

void md_sim_wake(md_sim *s, uint32_t p, md_why why) {
  md_proc *proc = &s->procs.hot[p];
  assert(proc->state != MD_FREE && proc->state != MD_RUNNING);
  sim_unwatch(s, p);
  sim_disarm(s, p);
  proc->state = MD_READY;
  sim_arm_now(s, p, proc, why);
}

/* -- messages -- */

bool md_sim_bound_inbox(md_sim *s, uint32_t p, uint32_t capacity,
                        md_full full) {
  md_proc_extra *extra = md_procs_extra(&s->procs, p);
  if (extra == NULL) return false;
  extra->capacity = capacity;
  extra->full = (uint8_t)full;
  s->procs.hot[p].flags |= MD_BOUNDED;
  return true;
}

bool md_sim_room(const md_sim *s, uint32_t p) {
  if (!(s->procs.hot[p].flags & MD_BOUNDED)) return true;
  const md_proc_extra *extra = md_sim_extra(s, p);
  return s->procs.hot[p].inbox_count < extra->capacity &&
         extra->line_first == 0;
}

uint32_t md_sim_post(md_sim *s, uint32_t p, uint64_t tag, md_pid from,
                     uint32_t slot, uint32_t count) {
  return md_mails_put(&s->mails, p, tag, from, slot, count);
}

/* A message that stood in line comes in. */
static void sim_admit(md_sim *s, uint32_t p, const md_mail *mail) {
  md_pid to = md_procs_pid(&s->procs, p);
  /* the envelopes just freed are room enough */
  md_sim_post(s, p, mail->tag, mail->from, mail->slot, mail->count);
  md_signals_keep_pids(&s->signals, s->now, MD_TRACE_QUEUE, mail->from, to);
  if (sim_shown(s))
    md_sim_show_pids(s, MD_TRACE_QUEUE, mail->from, to, s->mails.arrivals - 1);
}

/* There is room for one more now. */
static md_mail sim_take(md_sim *s, uint32_t p, md_mail mail) {
  md_proc_extra *extra = md_sim_extra(s, p);
  if (extra == NULL || extra->line_first == 0) return mail;
  md_mail next = md_mails_unline(&s->mails, p, extra->line_first);
  uint32_t sender = next.sender;
  next.sender = 0;
  sim_admit(s, p, &next);
  if (sender != 0) md_sim_wake(s, sender, MD_WHY_ROOM);
  return mail;
}

md_mail md_sim_take(md_sim *s, uint32_t p, uint32_t envelope) {
  return sim_take(s, p, md_mails_take(&s->mails, p, envelope));
}

md_mail md_sim_drop(md_sim *s, uint32_t p, uint32_t envelope) {
  return sim_take(s, p, md_mails_drop(&s->mails, p, envelope));
}

/* -- timers -- */

md_timer_id md_sim_at(md_sim *s, md_time time, uint32_t kind,
                      const uint64_t words[3], int64_t priority) {
  int rank = priority == 0 && s->ranks == 1 ? 0 : md_order_rank(s, priority);
  if (rank < 0) return 0;
  uint32_t i = md_timers_take(&s->timers);
  if (i == 0) return 0;
  uint64_t made = s->queue.turn;
  md_key key = sim_schedule(s, time, (uint8_t)rank, i | MD_SLOT_TIMER);
  md_timer *timer = &s->timers.records[i];
  if (key == MD_KEY_NONE) {
    md_timers_release(&s->timers, i);
    return 0;
  }
  timer->wake = md_key_low(key);
  timer->made = made;
  timer->due = time;
  timer->kind = kind;
  memcpy(timer->words, words, sizeof timer->words);
  return md_timers_id(&s->timers, i);
}

bool md_sim_cancel(md_sim *s, md_timer_id id, uint64_t words[3]) {
  uint32_t i = md_timers_index(&s->timers, id);
  if (i == 0) return false;
  memcpy(words, s->timers.records[i].words, 3 * sizeof words[0]);
  md_key key = sim_owned(s, i | MD_SLOT_TIMER);
  md_timers_release(&s->timers, i);
  md_order_forget(s, key);
  return true;
}
