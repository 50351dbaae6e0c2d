#include "app/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TRACER_RING = 1 << 16, TRACER_NAME = 32 };

/* What the last process of a slot is called. */
typedef struct tracer_name {
  md_pid pid;
  char text[TRACER_NAME];
} tracer_name;

typedef struct tracer_sim {
  tracer_name *names; /* by slot */
  uint32_t count;
} tracer_sim;

struct app_tracer {
  md_trace_ring ring;
  md_host *host;
  FILE *file;
  bool binary;
  tracer_sim *sims; /* by number */
  uint32_t sim_count;
};

const char *app_pid_text(md_pid pid, char buffer[40]) {
  unsigned p = pid & ((1u << MD_INDEX_BITS) - 1);
  unsigned generation = (unsigned)(pid >> MD_INDEX_BITS);
  if (pid == 0) snprintf(buffer, 40, "none");
  else if (generation == 0) snprintf(buffer, 40, "process %u", p);
  else snprintf(buffer, 40, "process %u.%u", p, generation);
  return buffer;
}

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

/* Zeroed elements up to number n, in an array of `count` that may grow. */
static void *tracer_grow(void *array, uint32_t *count, uint32_t n,
                         size_t size) {
  if (n < *count) return array;
  uint32_t wanted = n * 2 + 16;
  char *grown = realloc(array, wanted * size);
  if (grown == NULL) abort();
  memset(grown + *count * size, 0, (wanted - *count) * size);
  *count = wanted;
  return grown;
}

static tracer_name *tracer_slot(app_tracer *t, uint32_t sim, md_pid pid) {
  t->sims = tracer_grow(t->sims, &t->sim_count, sim, sizeof *t->sims);
  tracer_sim *own = &t->sims[sim];
  uint32_t p = pid & ((1u << MD_INDEX_BITS) - 1);
  own->names = tracer_grow(own->names, &own->count, p, sizeof *own->names);
  return &own->names[p];
}

/* The sim of that number, NULL when it is no more. */
static host_sim *tracer_sim_of(md_host *h, uint32_t id) {
  host_sim *s = h->sims;
  while (s != NULL && s->id != id) s = s->next;
  return s;
}

/* Remembers what a new process is called: it may have ended when a record
   about it is printed. */
static void tracer_learn(app_tracer *t, const md_trace_record *r) {
  tracer_name *name = tracer_slot(t, r->sim, r->other);
  host_sim *s = tracer_sim_of(t->host, r->sim);
  uint32_t p = s ? md_sim_index(s->kernel, r->other) : 0;
  char label[64];
  name->pid = r->other;
  if (p == 0) app_pid_text(r->other, label);
  else host_label(s, p, label);
  snprintf(name->text, TRACER_NAME, "%.30s", label);
}

static void tracer_who(app_tracer *t, uint32_t sim, md_pid pid) {
  char text[40];
  const tracer_name *name = tracer_slot(t, sim, pid);
  if (pid == 0) fputs("the script", t->file);
  else if (name->pid == pid) fputs(name->text, t->file);
  else fputs(app_pid_text(pid, text), t->file);
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

static void tracer_words(app_tracer *t, const md_trace_record *r) {
  const host_sim *s = tracer_sim_of(t->host, r->sim);
  md_scale scale = s ? md_sim_scale(s->kernel) : md_scale_of(9);
  char time[40];
  md_time_text(scale, r->time, time, sizeof time);
  fprintf(t->file, "%12s  ", time);
  for (const char *c = md_trace_prose(r->kind); *c != '\0'; c++) {
    if (*c != '%') fputc(*c, t->file);
    else if (*++c == 'p') tracer_who(t, r->sim, r->process);
    else if (*c == 'q') tracer_who(t, r->sim, r->other);
    else if (*c == 'w') fputs(tracer_why(r->detail), t->file);
    else fprintf(t->file, "%" PRIu64, r->detail);
  }
  fputc('\n', t->file);
}

static void tracer_observe(md_host *h, host_sim *s) {
  (void)s;
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
    if (r->kind == MD_TRACE_SPAWN) tracer_learn(t, r);
    tracer_words(t, r);
  }
}

void app_tracer_lend(app_tracer *t, md_host *h) {
  t->host = h;
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
