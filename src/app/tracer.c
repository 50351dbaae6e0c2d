#include "app/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TRACER_RING = 1 << 16, TRACER_NAME = 32 };

struct app_tracer {
  md_trace_ring ring;
  FILE *file;
  bool binary;
  char (*names)[TRACER_NAME]; /* of processes, by index, as they were spawned */
  uint32_t name_count;
};

app_tracer *app_tracer_open(const char *path, int fd) {
  app_tracer *t = calloc(1, sizeof *t);
  if (t != NULL) t->ring.records = calloc(TRACER_RING, sizeof(md_trace_record));
  if (t == NULL || t->ring.records == NULL) abort();
  t->ring.capacity = TRACER_RING;
  t->binary = fd >= 0;
  if (fd >= 0) t->file = fdopen(fd, "wb");
  else if (strcmp(path, "-") == 0) t->file = stdout;
  else t->file = fopen(path, "w");
  if (t->file != NULL) return t;
  fprintf(stderr, "moondial: --trace: cannot write '%s': %s\n",
          path ? path : "?", strerror(errno));
  free(t->ring.records);
  free(t);
  return NULL;
}

/* Remembers what a new process is called: it may have ended when a record
   about it is printed. */
static void tracer_name(app_tracer *t, host_sim *s, uint32_t p) {
  if (p >= t->name_count) {
    uint32_t count = p * 2 + 16;
    char(*names)[TRACER_NAME] = realloc(t->names, count * sizeof *names);
    if (names == NULL) return;
    memset(names + t->name_count, 0, (count - t->name_count) * sizeof *names);
    t->names = names;
    t->name_count = count;
  }
  char label[64];
  if (md_sim_proc(s->kernel, p)->state != MD_FREE)
    snprintf(t->names[p], TRACER_NAME, "%.30s", host_label(s, p, label));
  else snprintf(t->names[p], TRACER_NAME, "process %u", p);
}

static void tracer_who(app_tracer *t, uint32_t p) {
  if (p == 0) fputs("the script", t->file);
  else if (p < t->name_count && t->names[p][0]) fputs(t->names[p], t->file);
  else fprintf(t->file, "process %u", p);
}

static const char *tracer_why(uint64_t why) {
  static const char *const words[] = {"it starts",         "its time has come",
                                      "a message came",    "another has ended",
                                      "there is room",     "it has to look",
                                      "it is interrupted", "it unwinds"};
  _Static_assert(sizeof words / sizeof *words == MD_WHY_UNWIND + 1,
                 "every reason has its words");
  return why <= MD_WHY_UNWIND ? words[why] : "";
}

static void tracer_words(app_tracer *t, host_sim *s, const md_trace_record *r) {
  char time[40];
  md_time_text(md_sim_scale(s->kernel), r->time, time, sizeof time);
  fprintf(t->file, "%12s  ", time);
  for (const char *c = md_trace_prose(r->kind); *c != '\0'; c++) {
    if (*c != '%') fputc(*c, t->file);
    else if (*++c == 'p') tracer_who(t, r->process);
    else if (*c == 'q') tracer_who(t, r->other);
    else if (*c == 'w') fputs(tracer_why(r->detail), t->file);
    else fprintf(t->file, "%" PRIu64, r->detail);
  }
  fputc('\n', t->file);
}

static void tracer_observe(md_host *h, host_sim *s) {
  app_tracer *t = (app_tracer *)(void *)h->ring; /* its first member */
  md_trace_ring *ring = &t->ring;
  if (ring->lost > 0 && !t->binary)
    fprintf(t->file, "%" PRIu64 " records of one event are left out\n",
            ring->lost);
  ring->lost = 0;
  for (; ring->first != ring->last; ring->first++) {
    const md_trace_record *r =
        &ring->records[ring->first & (ring->capacity - 1)];
    if (t->binary) {
      fwrite(r, sizeof *r, 1, t->file);
      continue;
    }
    if (r->kind == MD_TRACE_SPAWN) tracer_name(t, s, r->other);
    tracer_words(t, s, r);
  }
}

void app_tracer_lend(app_tracer *t, md_host *h) {
  h->ring = &t->ring;
  h->observe = tracer_observe;
}

void app_tracer_close(app_tracer *t, md_host *h) {
  if (h->first != NULL) tracer_observe(h, h->first);
  h->observe = NULL;
  if (t->file == stdout) fflush(stdout);
  else fclose(t->file);
  t->file = NULL; /* the ring stays: sims may still write into it */
}
