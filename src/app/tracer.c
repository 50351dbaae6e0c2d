#include "app/app.h"
#include "app/chart.h"
#include "app/journal.h"
#include "app/names.h"
#include "image/note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRACER_RING = 1 << 16 };

/* What a message says, by the number of its SEND in the ring. */
typedef struct tracer_label {
  uint64_t number;
  app_label label;
} tracer_label;

struct app_tracer {
  md_trace_ring ring;
  md_host *host;
  FILE *words, *binary; /* what is written, and NULL */
  uint64_t only;        /* kinds told in words */
  app_journal *journal;
  chart *chart;
  const char *chart_path;
  bool quiet;
  tracer_label *labels; /* of what is in the ring, oldest first */
  uint32_t label_first, label_last, label_capacity;
  app_names names;
};

/* -- opening -- */

static FILE *tracer_file(const char *option, const char *path, long long at) {
  FILE *file = fopen(path, at > 0 ? "r+" : "w");
  const char *why = file == NULL ? strerror(errno) : NULL;
  if (file != NULL && at > 0) { /* what came after the image is cut off */
    if (fseeko(file, 0, SEEK_END) != 0 || ftello(file) < at)
      why = "it is shorter than it was when the image was taken";
    else if (ftruncate(fileno(file), (off_t)at) != 0) why = strerror(errno);
    fseeko(file, 0, SEEK_END);
  }
  if (why == NULL) return file;
  fprintf(stderr, "moondial: %s: cannot write '%s': %s\n", option, path, why);
  if (file != NULL) fclose(file);
  return NULL;
}

/* A chart on stdout has it for itself: what the model prints goes to stderr. */
static FILE *tracer_stdout(void) {
  int fd = dup(STDOUT_FILENO);
  fflush(stdout);
  if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return NULL;
  return fdopen(fd, "w");
}

static bool tracer_open(app_tracer *t, const app_options *o) {
  if (o->chart_path != NULL) {
    FILE *file = strcmp(o->chart_path, "-") == 0
                     ? tracer_stdout()
                     : tracer_file("trace", o->chart_path, 0);
    if (file == NULL) return false;
    t->chart = chart_open(o, file, &t->names);
  }
  if (o->trace_fd >= 0) t->binary = fdopen(o->trace_fd, "wb");
  if (o->trace != NULL)
    t->words = strcmp(o->trace, "-") == 0
                   ? stdout
                   : tracer_file("--trace", o->trace, o->trace_at);
  return (o->trace_fd < 0 || t->binary) && (o->trace == NULL || t->words);
}

app_tracer *app_tracer_open(const app_options *o, app_journal *journal,
                            bool *failed) {
  if (o->trace == NULL && o->trace_fd < 0 && o->chart_path == NULL && !journal)
    return NULL;
  app_tracer *t = calloc(1, sizeof *t);
  if (t != NULL) t->ring.records = calloc(TRACER_RING, sizeof(md_trace_record));
  if (t == NULL || t->ring.records == NULL) abort();
  t->ring.capacity = TRACER_RING;
  t->only = o->trace_only ? o->trace_only : UINT64_MAX;
  t->quiet = o->host.quiet;
  t->chart_path = o->chart_path;
  t->journal = journal;
  *failed = !tracer_open(t, o);
  return t;
}

/* -- words -- */

/* The sim of that number, NULL when it is no more. */
static host_sim *tracer_sim_of(md_host *h, uint32_t id) {
  host_sim *s = h->sims;
  while (s != NULL && s->id != id) s = s->next;
  return s;
}

static void tracer_who(app_tracer *t, uint32_t sim, md_pid pid, FILE *out) {
  char text[40];
  const char *name = names_find(&t->names, sim, pid);
  if (pid == 0) fputs("the script", out);
  else if (name != NULL) fprintf(out, "'%s'", name);
  else fputs(app_pid_text(pid, text), out);
}

static const char *tracer_why(uint64_t why) {
  static const char *const words[] = {"it starts",
                                      "its time has come",
                                      "a message came",
                                      "another has ended",
                                      "there is room",
                                      "it has to look",
                                      "what it waits for is granted",
                                      "it is interrupted",
                                      "it unwinds"};
  _Static_assert(sizeof words / sizeof *words == MD_WHY_UNWIND + 1,
                 "every reason has its words");
  return why <= MD_WHY_UNWIND ? words[why] : "";
}

void app_tracer_words(app_tracer *t, const md_trace_record *r, FILE *out) {
  const host_sim *s = tracer_sim_of(t->host, r->sim);
  md_scale scale = s ? md_sim_scale(s->kernel) : md_scale_of(9);
  char time[40];
  md_time_text(scale, r->time, time, sizeof time);
  fprintf(out, "%12s  ", time);
  for (const char *c = md_trace_prose(r->kind); *c != '\0'; c++) {
    if (*c != '%') fputc(*c, out);
    else if (*++c == 'p') tracer_who(t, r->sim, r->process, out);
    else if (*c == 'q') tracer_who(t, r->sim, r->other, out);
    else if (*c == 'w') fputs(tracer_why(r->detail), out);
    else fprintf(out, "%" PRIu64, r->detail);
  }
  fputc('\n', out);
}

/* -- names and labels -- */

static void tracer_spawned(md_host *h, host_sim *s, uint32_t p) {
  app_tracer *t = (app_tracer *)(void *)h->out.ring;
  names_learn(&t->names, s, p);
}

/* A message is about to be noted: its words are kept until that is read. */
static void tracer_label_message(md_host *h, host_sim *s, lua_State *L,
                                 int first, int n) {
  app_tracer *t = (app_tracer *)(void *)h->out.ring;
  if (t->label_first == t->label_last) t->label_first = t->label_last = 0;
  t->labels = names_grow(t->labels, &t->label_capacity, t->label_last,
                         sizeof *t->labels);
  tracer_label *label = &t->labels[t->label_last++];
  *label = (tracer_label){.number = t->ring.last};
  label_message(&label->label, L, s, first, n);
}

/* The words of record number n, NULL when they are not known. */
static const app_label *tracer_label_of(app_tracer *t, uint64_t n) {
  while (t->label_first < t->label_last && t->labels[t->label_first].number < n)
    t->label_first++;
  if (t->label_first == t->label_last) return NULL;
  const tracer_label *label = &t->labels[t->label_first];
  return label->number == n ? &label->label : NULL;
}

/* -- reading -- */

static void tracer_lost(app_tracer *t) {
  if (t->ring.lost > 0 && t->words)
    fprintf(t->words, "%" PRIu64 " records of one event are left out\n",
            t->ring.lost);
  if (t->ring.lost > 0 && t->chart && !t->quiet)
    fprintf(stderr,
            "moondial: trace: %" PRIu64 " records of one event are left out\n",
            t->ring.lost);
  if (t->ring.lost > 0 && t->journal)
    app_journal_lost(t->journal, t->ring.lost);
  t->ring.lost = 0;
}

static void tracer_record(app_tracer *t, uint64_t n) {
  const md_trace_record *r = &t->ring.records[n & (t->ring.capacity - 1)];
  if (t->binary) fwrite(r, sizeof *r, 1, t->binary);
  if (t->journal) app_journal_signal(t->journal, r);
  if (t->chart)
    chart_record(t->chart, r,
                 r->kind == MD_TRACE_SEND ? tracer_label_of(t, n) : NULL);
  if (t->words && t->only >> r->kind & 1) app_tracer_words(t, r, t->words);
}

void app_tracer_read(app_tracer *t) {
  md_trace_ring *ring = &t->ring;
  tracer_lost(t);
  for (; ring->first != ring->last; ring->first++)
    tracer_record(t, ring->first);
  t->label_first = t->label_last = 0;
}

static void tracer_observe(md_host *h, host_sim *s) {
  app_tracer *t = (app_tracer *)(void *)h->out.ring; /* its first member */
  if (t->chart) chart_begin(t->chart, h, s);
  app_tracer_read(t);
  if (t->chart) chart_turn(t->chart, s);
}

void app_tracer_lend(app_tracer *t, md_host *h) {
  t->host = h;
  h->out.ring = &t->ring;
  h->out.observe = tracer_observe;
  if (t->words || t->chart || t->journal) h->out.spawned = tracer_spawned;
  if (t->chart) h->out.label = tracer_label_message;
  for (host_sim *s = h->sims; s != NULL; s = s->next)
    for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;)
      names_learn(&t->names, s, p);
}

void app_tracer_note(app_tracer *t, const app_options *o, FILE *note) {
  if (t->words == NULL) return;
  fflush(t->words);
  if (t->words == stdout) md_note_text(note, "trace", o->trace);
  else md_note_path(note, "trace", o->trace);
  md_note_number(note, "trace-only", (long long)o->trace_only);
  if (t->words != stdout) md_note_number(note, "trace-at", ftello(t->words));
}

static bool tracer_close_chart(app_tracer *t) {
  uint64_t others = t->chart->others;
  bool good = chart_close(t->chart);
  t->chart = NULL;
  if (others > 0 && !t->quiet)
    fprintf(stderr,
            "moondial: trace: the chart is of the first sim that ran; %" PRIu64
            " records of others are left out\n",
            others);
  if (!good)
    fprintf(stderr, "moondial: trace: cannot write '%s'\n", t->chart_path);
  return good;
}

bool app_tracer_close(app_tracer *t, md_host *h) {
  host_sim *s = h->first ? h->first : h->sims;
  if (t->chart && s != NULL) chart_begin(t->chart, h, s); /* it never ran */
  app_tracer_read(t);
  h->out.observe = NULL;
  h->out.spawned = NULL;
  h->out.label = NULL;
  if (t->binary) fclose(t->binary);
  if (t->words == stdout) fflush(stdout);
  else if (t->words) fclose(t->words);
  t->binary = t->words = NULL;
  /* the ring stays: sims may still write into it */
  return t->chart == NULL || tracer_close_chart(t);
}
