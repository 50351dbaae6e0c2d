/* The records of a program's sims to a file. */
#include "app/app.h"
#include "app/export.h"
#include "host/host.h"

#include <stdlib.h>

bool app_export(const md_host *h, const char *path, const char *only,
                char *error, size_t size) {
  int n = 0;
  for (const host_sim *s = h->sims; s != NULL; s = s->next) n++;
  md_export_source *sources = calloc((size_t)n + 1, sizeof *sources);
  if (sources == NULL) {
    snprintf(error, size, "cannot write %s: there is no memory", path);
    return false;
  }
  int i = n; /* the newest is the first of the sims */
  for (const host_sim *s = h->sims; s != NULL; s = s->next)
    sources[--i] = (md_export_source){s->records, s->name,
                                      md_sim_scale(s->kernel).digits, only};
  bool done = md_export(path, sources, n, error, size);
  free(sources);
  return done;
}
