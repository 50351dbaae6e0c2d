#include "app/roll.h"

#include <stdlib.h>
#include <string.h>

void roll_enter(app_roll *roll, const host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->name == NULL) return;
  if (roll->count == roll->capacity && roll->count < ROLL_MOST) {
    roll->capacity = roll->capacity * 2 + 16;
    if (roll->capacity > ROLL_MOST) roll->capacity = ROLL_MOST;
    roll->entries =
        realloc(roll->entries, roll->capacity * sizeof *roll->entries);
    if (roll->entries == NULL) abort();
  }
  if (roll->next == ROLL_MOST) roll->next = 0;
  roll_entry *entry = &roll->entries[roll->next++];
  entry->pid = host_pid_value(s, p);
  snprintf(entry->name, sizeof entry->name, "%s", extra->name);
  if (roll->count < roll->next) roll->count = roll->next;
}

/* The newest first: a pid comes again when the run has gone back. */
const char *roll_find(const app_roll *roll, const void *pid) {
  for (uint32_t i = 0, at = roll->next; i < roll->count; i++) {
    at = at == 0 ? roll->count - 1 : at - 1;
    if (roll->entries[at].pid == pid) return roll->entries[at].name;
  }
  return NULL;
}

void roll_close(app_roll *roll) {
  free(roll->entries);
  *roll = (app_roll){NULL, 0, 0, 0};
}
