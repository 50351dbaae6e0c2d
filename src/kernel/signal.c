#include "kernel/signal.h"

#include <assert.h>
#include <string.h>

#ifdef MD_HOSTILE
enum { SIGNALS_FIRST = 1 };
#else
enum { SIGNALS_FIRST = 64 };
#endif

bool md_signals_open(md_signals *t, md_arena *arena, const md_procs *procs) {
  memset(t, 0, sizeof *t);
  t->arena = arena;
  t->procs = procs;
  t->records = md_arena_alloc(arena, SIGNALS_FIRST * sizeof *t->records);
  if (t->records == NULL) return false;
  /* before the first record is none that anything follows from */
  memset(t->records, 0, SIGNALS_FIRST * sizeof *t->records);
  t->mask = SIGNALS_FIRST - 1;
  t->room = SIGNALS_FIRST;
  return true;
}

void md_signals_close(md_signals *t) {
  if (t->records == NULL) return;
  md_arena_free(t->arena, t->records, (t->mask + 1) * sizeof *t->records);
  md_arena_free(t->arena, t->generations, t->slots * sizeof *t->generations);
}

/* -- a word's parts -- */

static uint64_t signals_word(const md_signals *t, uint64_t i) {
  return t->records[i & t->mask].word;
}

static unsigned signal_kind(uint64_t word) {
  return (unsigned)(word >> SIGNAL_KIND);
}

static uint32_t signal_process(uint64_t word) {
  return word >> SIGNAL_PROCESS & ((1u << MD_INDEX_BITS) - 1);
}

static uint32_t signal_other(uint64_t word) {
  return word >> SIGNAL_OTHER & ((1u << MD_INDEX_BITS) - 1);
}

static unsigned signal_follows(uint64_t word) { return word & 0xff; }

/* True when a process has ended, and its slot has another generation. */
static bool signal_ends(uint64_t word) {
  return signal_kind(word) == MD_TRACE_STOP ||
         signal_kind(word) == MD_TRACE_FAIL;
}

/* -- keeping -- */

/* Counts what was written over. Pids whose record is gone are lost, too. */
static void signals_forget(md_signals *t) {
  if (t->last - t->first <= t->mask + 1) return;
  uint64_t oldest = t->last - (t->mask + 1);
  if (signal_follows(signals_word(t, oldest)) == SIGNAL_PIDS) oldest++;
  uint64_t kept = t->last - oldest;
  for (uint64_t i = oldest; i != t->last; i++) {
    uint64_t word = signals_word(t, i);
    if (signal_kind(word) == SIGNAL_PIDS) kept--;
    else if (signal_follows(word) != 0 && signal_follows(word) != SIGNAL_PIDS)
      kept++;
  }
  uint64_t number = t->last + t->more - kept;
  t->lost += number - t->number;
  t->number = number;
  t->first = oldest;
  t->half = false;
}

/* Doubles the ring: of two records that share a place, one keeps it. */
static bool signals_double(md_signals *t) {
  uint64_t capacity = t->mask + 1, mask = 2 * capacity - 1;
  size_t size = capacity * sizeof *t->records;
  void *grown = md_arena_resize(t->arena, t->records, size, 2 * size);
  if (grown == NULL) return false;
  t->records = grown;
  signals_forget(t);
  for (uint64_t i = t->last - capacity; i != t->last; i++)
    if (i & capacity) t->records[i & mask] = t->records[i & t->mask];
  t->mask = mask;
  return true;
}

void md_signals_make_room(md_signals *t) {
  uint64_t capacity = t->mask + 1;
  assert(t->last == t->room && t->last >= capacity);
  if (t->last - t->first < capacity) t->room = t->first + capacity;
  else if (capacity == SIGNALS_MOST) t->room = UINT64_MAX;
  else if (signals_double(t)) t->room = t->last + capacity;
  else t->room = t->last + capacity; /* another time */
}

static bool signals_lives(const md_signals *t, md_pid pid) {
  return pid == md_procs_pid(t->procs, pid & ((1u << MD_INDEX_BITS) - 1));
}

void md_signals_keep_pids(md_signals *t, md_time time, md_trace_kind kind,
                          md_pid process, md_pid other) {
  const uint32_t index = (1u << MD_INDEX_BITS) - 1;
  uint64_t word =
      md_signal_word(kind, (uint32_t)process & index, (uint32_t)other & index);
  if (!signals_lives(t, process) || !signals_lives(t, other)) {
    md_signals_keep(t, (md_time)other,
                    (uint64_t)SIGNAL_PIDS << SIGNAL_KIND | process);
    word |= SIGNAL_PIDS;
    t->more--;
  }
  md_signals_keep(t, time, word);
}

/* -- reading -- */

/* As many generations as there are slots. */
static bool signals_grow(md_signals *t) {
  uint32_t wanted = t->procs->capacity;
  if (t->slots >= wanted) return true;
  void *grown = md_arena_resize(t->arena, t->generations,
                                t->slots * sizeof *t->generations,
                                wanted * sizeof *t->generations);
  if (grown == NULL) return false;
  t->generations = grown;
  memset(t->generations + t->slots, 0,
         (wanted - t->slots) * sizeof *t->generations);
  t->slots = wanted;
  return true;
}

/* The generations at `first`: those of now, less the ends since then. */
static void signals_count(md_signals *t) {
  for (uint32_t p = 1; p < t->procs->used; p++)
    t->generations[p] = t->procs->hot[p].generation;
  for (uint64_t i = t->first; i != t->last; i++)
    if (signal_ends(signals_word(t, i)))
      t->generations[signal_process(signals_word(t, i))]--;
}

bool md_signals_ready(md_signals *t, uint64_t *lost) {
  if (!signals_grow(t)) return false;
  signals_forget(t);
  *lost = t->lost;
  if (t->lost > 0) signals_count(t);
  t->lost = 0;
  return true;
}

static md_pid signals_pid(const md_signals *t, uint32_t p) {
  return p ? (md_pid)t->generations[p] << MD_INDEX_BITS | p : 0;
}

/* Record `first` has been read; nothing follows from it any more. */
static void signals_pass(md_signals *t) {
  uint64_t word = signals_word(t, t->first);
  if (signal_ends(word)) t->generations[signal_process(word)]++;
  t->records[t->first++ & t->mask].word = 0;
}

bool md_signals_read(md_signals *t, uint64_t end, md_signal *signal) {
  assert(t->last - t->first <= t->mask + 1 && t->lost == 0);
  if (t->first >= end) return false;
  const md_signal_record *record = &t->records[t->first & t->mask];
  if (signal_kind(record->word) == SIGNAL_PIDS) {
    signal->process = record->word & ((UINT64_C(1) << SIGNAL_KIND) - 1);
    signal->other = (md_pid)record->time;
    signals_pass(t);
    record = &t->records[t->first & t->mask];
  } else {
    signal->process = signals_pid(t, signal_process(record->word));
    signal->other = signals_pid(t, signal_other(record->word));
  }
  unsigned follows = signal_follows(record->word);
  if (follows == SIGNAL_PIDS) follows = 0;
  signal->kind = (md_trace_kind)signal_kind(record->word);
  signal->time = record->time;
  signal->number = ++t->number;
  if (t->half) {
    md_pid from = signal->process;
    signal->kind = (md_trace_kind)follows;
    if (follows == MD_TRACE_RECEIVE) {
      signal->process = signal->other;
      signal->other = from;
    }
  }
  t->half = follows != 0 && !t->half;
  if (!t->half) signals_pass(t);
  return true;
}
