#include "kernel/note.h"

void md_sim_show_pids(md_sim *s, md_trace_kind kind, md_pid process,
                      md_pid other, uint64_t detail) {
  const md_trace_record record = {s->now, detail, process,
                                  other,  kind,   s->trace.sim};
  md_trace_keep(s->trace.ring, &record);
}

void md_sim_show(md_sim *s, md_trace_kind kind, uint32_t process,
                 uint32_t other, uint64_t detail) {
  md_sim_show_pids(s, kind, md_sim_pid(s, process), md_sim_pid(s, other),
                   detail);
}

void md_sim_tell(md_sim *s, md_trace_kind kind, uint32_t process,
                 uint32_t other) {
  md_signals_keep(&s->signals, s->now, md_signal_word(kind, process, other));
  if (sim_shown(s)) md_sim_show(s, kind, process, other, 0);
}

void md_sim_note(md_sim *s, md_trace_kind kind, uint32_t process,
                 uint32_t other, uint64_t detail) {
  sim_note(s, kind, process, other, detail);
}

void md_sim_note_pids(md_sim *s, md_trace_kind kind, md_pid process,
                      md_pid other, uint64_t detail) {
  const uint32_t index = (1u << MD_INDEX_BITS) - 1;
  sim_hash(s, kind, process & index, other & index, detail);
  md_signals_keep_pids(&s->signals, s->now, kind, process, other);
  if (sim_shown(s)) md_sim_show_pids(s, kind, process, other, detail);
}

/* -- messages -- */

void md_sim_send(md_sim *s, uint32_t from, uint32_t to, uint64_t digest) {
  sim_hash(s, MD_TRACE_SEND, from, to, digest);
  if (sim_shown(s)) md_sim_show(s, MD_TRACE_SEND, from, to, digest);
}

static void sim_show_sent(md_sim *s, uint32_t from, uint32_t to,
                          md_sent follows) {
  uint32_t arrival = s->mails.arrivals - 1;
  if (follows == MD_SENT_RECEIVED)
    md_sim_show(s, MD_TRACE_RECEIVE, to, from, arrival);
  if (follows == MD_SENT_QUEUED)
    md_sim_show(s, MD_TRACE_QUEUE, from, to, arrival);
}

void md_sim_sent(md_sim *s, uint32_t from, uint32_t to, md_sent follows) {
  uint64_t word = md_signal_word(MD_TRACE_SEND, from, to);
  md_signals_keep(&s->signals, s->now, word | follows);
  s->signals.more += follows != MD_SENT;
  if (sim_shown(s)) sim_show_sent(s, from, to, follows);
}

void md_sim_received(md_sim *s, uint32_t p, md_pid from, uint32_t arrival) {
  uint32_t sender = from & ((1u << MD_INDEX_BITS) - 1);
  if (from == md_sim_pid(s, sender))
    sim_note(s, MD_TRACE_RECEIVE, p, sender, arrival);
  else md_sim_note_pids(s, MD_TRACE_RECEIVE, md_sim_pid(s, p), from, arrival);
}
