#include "app/journal_state.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- beginning -- */

static app_journal *journal_new(const char *path) {
  app_journal *j = calloc(1, sizeof *j);
  if (j == NULL) abort();
  j->path = path;
  j->base = (host_journal){journal_answer, journal_keep, journal_saved,
                           journal_save,   journal_text, false};
  return j;
}

/* The options on which the course of a run depends. */
static void journal_write_head(FILE *note, const app_options *o) {
  char number[40], *folder = getcwd(NULL, 0);
  md_note_text(note, "version", APP_VERSION);
  md_note_text(note, "model", o->model);
  md_note_text(note, "folder", folder ? folder : ".");
  free(folder);
  for (int i = 0; i < o->argument_count; i++)
    md_note_text(note, "argument", o->arguments[i]);
  md_note_number(note, "seed", (long long)o->host.seed);
  md_note_number(note, "order", (long long)o->host.order);
  md_note_number(note, "instructions", (long long)o->host.instructions);
  md_note_number(note, "memory", (long long)o->host.memory);
  md_note_number(note, "unchecked", o->host.unchecked);
  md_note_number(note, "sandbox", o->host.sandbox);
  snprintf(number, sizeof number, "%.17g", o->host.to);
  md_note_text(note, "to", number);
}

app_journal *app_journal_create(const app_options *o, long long at) {
  char error[MD_JOURNAL_ERROR];
  md_note head;
  char *text = NULL;
  FILE *note = open_memstream(&text, &head.size);
  if (note == NULL) abort();
  journal_write_head(note, o);
  fclose(note);
  head.text = text;
  app_journal *j = journal_new(o->journal);
  j->file = md_journal_create(o->journal, head, at, error);
  free(text);
  if (j->file != NULL) return j;
  fprintf(stderr, "moondial: %s\n", error);
  free(j);
  return NULL;
}

/* The path of the model as it can be found from here. */
static char *journal_model(md_note head) {
  char *model = md_note_find(head, "model"), *folder, *path;
  if (model == NULL || *model == '/' || access(model, R_OK) == 0) return model;
  folder = md_note_find(head, "folder");
  path = malloc(strlen(folder ? folder : "") + strlen(model) + 2);
  if (path == NULL) abort();
  sprintf(path, "%s/%s", folder ? folder : "", model);
  free(folder);
  free(model);
  return path;
}

app_journal *app_journal_open(app_options *o) {
  char error[MD_JOURNAL_ERROR];
  md_note head;
  app_journal *j = journal_new(o->model);
  j->file = md_journal_open(o->model, &head, error);
  if (j->file == NULL) {
    fprintf(stderr, "moondial: %s\n", error);
    free(j);
    return NULL;
  }
  j->base.replays = true;
  j->to = o->host.to;
  char *to = md_note_find(head, "to");
  o->host.to = to != NULL ? strtod(to, NULL) : -1;
  free(to);
  o->model = journal_model(head);
  o->arguments = md_note_all(head, "argument", &o->argument_count);
  o->host.seed = (uint64_t)md_note_find_number(head, "seed");
  o->host.order = (md_order)md_note_find_number(head, "order");
  o->host.instructions = (uint64_t)md_note_find_number(head, "instructions");
  o->host.memory = (size_t)md_note_find_number(head, "memory");
  o->host.unchecked = md_note_find_number(head, "unchecked") != 0;
  o->host.sandbox = md_note_find_number(head, "sandbox") != 0;
  free((void *)(uintptr_t)head.text);
  return j;
}

/* The time up to which it was to be replayed has come. */
static void journal_reach(md_host *h, host_sim *s, host_pause *pause) {
  app_journal *j =
      (app_journal *)((char *)pause - offsetof(app_journal, pause));
  md_time next;
  if (!md_time_read(md_sim_scale(s->kernel), j->to, &pause->time))
    pause->time = INT64_MAX;
  if (!md_sim_peek(s->kernel, &next) || next <= pause->time) return;
  app_tracer_read(j->tracer);
  fflush(stdout);
  if (!h->options.quiet)
    fprintf(stderr,
            "moondial: replay: alike in its first %" PRIu64 " signals\n",
            j->signals);
  journal_leave(j, APP_DONE);
}

/* -- lines of the prompt -- */

typedef struct journal_line {
  uint64_t events; /* of the default sim, before it */
  md_time now;
} journal_line;

void app_journal_line(app_journal *j, md_host *h, const char *text,
                      size_t size) {
  journal_line line = {md_sim_events(h->first->kernel),
                       md_sim_now(h->first->kernel)};
  char *bytes = malloc(sizeof line + size);
  if (bytes == NULL) abort();
  memcpy(bytes, &line, sizeof line);
  memcpy(bytes + sizeof line, text, size);
  app_tracer_read(j->tracer);
  journal_flush(j);
  journal_put(j, JOURNAL_LINE, bytes, sizeof line + size);
  fflush(j->file);
  free(bytes);
}

long long app_journal_mark(app_journal *j) {
  app_tracer_read(j->tracer);
  journal_flush(j);
  return ftello(j->file);
}

void app_journal_return(app_journal *j, long long mark) {
  md_trace_ring *ring = j->host->out.ring;
  ring->first = ring->last;
  journal_flush(j);
  if (ftruncate(fileno(j->file), (off_t)mark) != 0) j->failed = true;
  fseeko(j->file, 0, SEEK_END);
}

/* After how many events the next line of the journal comes; never: none does.
 */
static uint64_t journal_next_line(const app_journal *j) {
  md_journal_record r = {0};
  uint64_t events = UINT64_MAX;
  long long at = ftello(j->file);
  if (j->pending && j->record.kind == JOURNAL_LINE)
    memcpy(&events, j->record.bytes, sizeof events);
  while (events == UINT64_MAX && md_journal_next(j->file, &r))
    if (r.kind == JOURNAL_LINE && r.size >= sizeof(journal_line))
      memcpy(&events, r.bytes, sizeof events);
  free(r.bytes);
  fseeko(j->file, (off_t)at, SEEK_SET);
  return events;
}

/* The event has come after which a line was executed. */
static void journal_reach_line(md_host *h, host_sim *s, host_pause *pause) {
  app_journal *j =
      (app_journal *)((char *)pause - offsetof(app_journal, lines));
  bool gone;
  journal_line line;
  app_tracer_read(j->tracer);
  journal_expect(j, JOURNAL_LINE, "no line of the prompt");
  j->pending = false;
  memcpy(&line, j->record.bytes, sizeof line);
  size_t size = j->record.size - sizeof line;
  char *text = strndup(j->record.bytes + sizeof line, size);
  pause->events = UINT64_MAX; /* it may run the sim itself */
  if (s == h->first && md_sim_now(s->kernel) < line.now)
    md_sim_forward(s->kernel, line.now);
  if (text != NULL && host_line(h, text, size, &gone) != LUA_OK)
    lua_settop(h->L, 0);
  if (h->line != NULL && lua_status(h->line) == LUA_OK) lua_settop(h->line, 0);
  app_tracer_read(j->tracer);
  pause->events = journal_next_line(j);
  free(text);
}

void app_journal_lend(app_journal *j, md_host *h, app_tracer *t) {
  j->host = h;
  j->tracer = t;
  h->out.journal = &j->base;
  if (!j->base.replays) return;
  j->lines = (host_pause){INT64_MAX, journal_next_line(j), journal_reach_line,
                          h->out.pauses, false};
  if (j->lines.events != UINT64_MAX) h->out.pauses = &j->lines;
  if (j->to < 0) return;
  j->pause = (host_pause){0, UINT64_MAX, journal_reach, h->out.pauses, false};
  h->out.pauses = &j->pause;
}

void app_journal_note(app_journal *j, FILE *note) {
  if (j->base.replays) return;
  app_tracer_read(j->tracer);
  journal_flush(j);
  md_note_text(note, "journal", j->path);
  md_note_number(note, "journal-at", ftello(j->file));
}
