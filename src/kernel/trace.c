#include "kernel/trace.h"

#include <assert.h>

static const char *const trace_names[] = {
#define MD_EVENT(name, prose) #name,
#include "kernel/events.def"
#undef MD_EVENT
};

static const char *const trace_proses[] = {
#define MD_EVENT(name, prose) prose,
#include "kernel/events.def"
#undef MD_EVENT
};

const char *md_trace_name(md_trace_kind kind) {
  assert(kind < MD_TRACE_KINDS);
  return trace_names[kind];
}

const char *md_trace_prose(md_trace_kind kind) {
  assert(kind < MD_TRACE_KINDS);
  return trace_proses[kind];
}

void md_trace_keep(md_trace *trace, const md_trace_record *record) {
  md_trace_ring *ring = trace->ring;
  if (ring->last - ring->first == ring->capacity) {
    ring->first++;
    ring->lost++;
  }
  ring->records[ring->last++ & (ring->capacity - 1)] = *record;
}
