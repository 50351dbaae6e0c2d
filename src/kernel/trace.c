#include "kernel/trace.h"

#include <assert.h>
#include <string.h>

static const struct trace_row {
  const char *name, *prose, *field;
} trace_rows[] = {
#define MD_EVENT(name, prose, ...) {#name, prose, "" __VA_ARGS__},
#include "kernel/events.def"
#undef MD_EVENT
};

const char *md_trace_name(md_trace_kind kind) {
  assert(kind < MD_TRACE_KINDS);
  return trace_rows[kind].name;
}

const char *md_trace_prose(md_trace_kind kind) {
  assert(kind < MD_TRACE_KINDS);
  return trace_rows[kind].prose;
}

const char *md_trace_field(md_trace_kind kind) {
  assert(kind < MD_TRACE_KINDS);
  return trace_rows[kind].field;
}

md_trace_kind md_trace_kind_of(const char *name) {
  int kind = 0;
  while (kind < MD_TRACE_KINDS && strcmp(trace_rows[kind].name, name) != 0)
    kind++;
  return (md_trace_kind)kind;
}

void md_trace_keep(md_trace_ring *ring, const md_trace_record *record) {
  if (ring->last - ring->first == ring->capacity) {
    ring->first++;
    ring->lost++;
  }
  ring->records[ring->last++ & (ring->capacity - 1)] = *record;
}
