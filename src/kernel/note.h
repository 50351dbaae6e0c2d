/* How the kernel notes what happens: into the hash, among the signals, and for
   who has lent a ring. For sim.c and note.c alone. */
#ifndef MD_KERNEL_NOTE_H
#define MD_KERNEL_NOTE_H

#include "kernel/state.h"

/* Shows a record to who has lent a ring; of living processes, or of any. */
void md_sim_show(md_sim *, md_trace_kind, uint32_t process, uint32_t other,
                 uint64_t detail);
void md_sim_show_pids(md_sim *, md_trace_kind, md_pid process, md_pid other,
                      uint64_t detail);

static inline bool sim_shown(const md_sim *s) {
  return __builtin_expect(s->trace.ring != NULL, 0);
}

static inline void sim_hash(md_sim *s, md_trace_kind kind, uint32_t process,
                            uint32_t other, uint64_t detail) {
  s->trace.hash =
      md_trace_hash(s->trace.hash, s->now, kind, process, other, detail);
}

static inline void sim_note(md_sim *s, md_trace_kind kind, uint32_t process,
                            uint32_t other, uint64_t detail) {
  sim_hash(s, kind, process, other, detail);
  md_signals_keep(&s->signals, s->now, md_signal_word(kind, process, other));
  if (sim_shown(s)) md_sim_show(s, kind, process, other, detail);
}

/* A process goes on: that follows from all the others, and is not kept. */
static inline void sim_note_wake(md_sim *s, uint32_t p, md_why why) {
  sim_hash(s, MD_TRACE_WAKE, p, 0, why);
  if (sim_shown(s)) md_sim_show(s, MD_TRACE_WAKE, p, 0, why);
}

#endif
