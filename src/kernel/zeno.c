/* An instant that has had too many events, and who they are of. */
#include "kernel/state.h"

#include <string.h>

void sim_suspect(md_sim *s, uint32_t p) {
  if (s->counts_size < s->procs.used) {
    void *grown =
        md_arena_resize(s->arena, s->counts, s->counts_size * sizeof *s->counts,
                        s->procs.capacity * sizeof *s->counts);
    if (grown == NULL) return;
    s->counts = grown;
    memset(s->counts + s->counts_size, 0,
           (s->procs.capacity - s->counts_size) * sizeof *s->counts);
    s->counts_size = s->procs.capacity;
  }
  s->counts[p]++;
}

int md_sim_busiest(const md_sim *s, uint32_t *processes, uint32_t *counts,
                   int n) {
  int found = 0;
  for (uint32_t p = 1; p < s->counts_size; p++) {
    uint32_t count = s->counts[p];
    int i = found;
    if (count == 0) continue;
    while (i > 0 && counts[i - 1] < count) i--;
    if (i == n) continue;
    if (found < n) found++;
    for (int k = found - 1; k > i; k--) {
      counts[k] = counts[k - 1];
      processes[k] = processes[k - 1];
    }
    counts[i] = count;
    processes[i] = p;
  }
  return found;
}
