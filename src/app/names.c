#include "app/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct names_name {
  md_pid pid;
  char text[NAMES_SIZE];
} names_name;

typedef struct names_sim {
  names_name *names; /* by slot */
  uint32_t count;
} names_sim;

void *names_grow(void *array, uint32_t *count, uint32_t n, size_t size) {
  if (n < *count) return array;
  uint32_t wanted = n * 2 + 16;
  char *grown = realloc(array, wanted * size);
  if (grown == NULL) abort();
  memset(grown + *count * size, 0, (wanted - *count) * size);
  *count = wanted;
  return grown;
}

void names_learn(app_names *all, const host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->name == NULL) return;
  all->sims = names_grow(all->sims, &all->count, s->id, sizeof *all->sims);
  names_sim *own = &all->sims[s->id];
  own->names = names_grow(own->names, &own->count, p, sizeof *own->names);
  own->names[p].pid = md_sim_pid(s->kernel, p);
  snprintf(own->names[p].text, NAMES_SIZE, "%s", extra->name);
}

const char *names_find(const app_names *all, uint32_t sim, md_pid pid) {
  uint32_t p = pid & ((1u << MD_INDEX_BITS) - 1);
  if (sim >= all->count || p >= all->sims[sim].count) return NULL;
  const names_name *name = &all->sims[sim].names[p];
  return pid != 0 && name->pid == pid ? name->text : NULL;
}

const char *app_pid_text(md_pid pid, char buffer[40]) {
  unsigned p = pid & ((1u << MD_INDEX_BITS) - 1);
  unsigned generation = (unsigned)(pid >> MD_INDEX_BITS);
  if (pid == 0) snprintf(buffer, 40, "none");
  else if (generation == 0) snprintf(buffer, 40, "process %u", p);
  else snprintf(buffer, 40, "process %u.%u", p, generation);
  return buffer;
}
