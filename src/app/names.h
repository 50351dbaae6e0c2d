/* What processes are called, for those who read the trace: one may have ended,
   and its slot have another process, when a record about it is read. Names are
   learnt as processes are spawned, and kept for the last one of each slot. */
#ifndef MD_APP_NAMES_H
#define MD_APP_NAMES_H

#include "host/host.h"

enum { NAMES_SIZE = 64 };

typedef struct app_names {
  struct names_sim *sims; /* by number */
  uint32_t count;
} app_names;

/* Element n of an array of `count` elements, which may grow by zeroed ones. */
void *names_grow(void *array, uint32_t *count, uint32_t n, size_t size);

/* p of s has just been spawned. */
void names_learn(app_names *, const host_sim *, uint32_t p);

/* What the process of that pid was named; NULL when it was not. */
const char *names_find(const app_names *, uint32_t sim, md_pid);

/* "process 3", for one without a name. */
const char *app_pid_text(md_pid, char buffer[40]);

#endif
