/* The trace format of Chrome, which Perfetto reads: a thread for each process,
   in it a slice for its life and slices for what it waits for, a flow for each
   message, and instants. Times are in microseconds; they never fall. */
#include "app/chart.h"

#include <inttypes.h>
#include <string.h>

/* The script's slice begins with what it does first, and each thread has its
   number: actors[n].shown says that thread n has its name, and for the script
   that its slice is open. */

static void chrome_text(FILE *f, const char *text) {
  fputc('"', f);
  for (; *text != '\0'; text++) { /* a label has no control characters */
    if (*text == '"' || *text == '\\') fputc('\\', f);
    fputc(*text, f);
  }
  fputc('"', f);
}

/* Microseconds in a unit; one that is no unit of time counts as a second. */
static double chrome_unit(const char *unit) {
  static const struct {
    const char *name;
    double microseconds;
  } units[] = {{"ns", 1e-3},  {"us", 1},   {"ms", 1e3},  {"s", 1e6},
               {"min", 60e6}, {"h", 36e8}, {"d", 864e8}, {"w", 6048e8}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(units[i].name, unit) == 0) return units[i].microseconds;
  return 1e6;
}

/* Begins an event; the caller ends it with "}". */
static void chrome_event(chart *c, char phase, uint32_t thread,
                         const char *name) {
  double ts = md_time_show(c->scale, c->now) * chrome_unit(c->unit);
  fprintf(c->file, ",\n{\"ph\":\"%c\",\"pid\":1,\"tid\":%u,\"ts\":%.3f", phase,
          thread, ts);
  if (name == NULL) return;
  fputs(",\"name\":", c->file);
  chrome_text(c->file, name);
}

static void chrome_meta(chart *c, const char *what, uint32_t thread,
                        const char *name) {
  fprintf(c->file, "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"%s\"", thread,
          what);
  fputs(",\"args\":{\"name\":", c->file);
  chrome_text(c->file, name);
  fputs("}}", c->file);
}

static void chrome_thread(chart *c, uint32_t a) {
  if (c->actors[a].shown) return;
  c->actors[a].shown = true;
  fputs(",\n", c->file);
  chrome_meta(c, "thread_name", a, chart_name(c, a));
  fprintf(c->file,
          ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,"
          "\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}",
          a, a);
  if (a != 0) return;
  chrome_event(c, 'B', 0, chart_name(c, 0));
  fputs(",\"cat\":\"life\"}", c->file);
}

static void chrome_head(chart *c) {
  app_label name = {.text = ""};
  const char *slash = strrchr(c->model, '/');
  const char *model = slash ? slash + 1 : c->model;
  label_add(&name, model, strlen(model));
  fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", c->file);
  chrome_meta(c, "process_name", 0, name.text);
}

static void chrome_instant(chart *c, uint32_t a, const char *words,
                           const char *category) {
  chrome_thread(c, a);
  chrome_event(c, 'i', a, words);
  fprintf(c->file, ",\"s\":\"t\",\"cat\":\"%s\"}", category);
}

static void chrome_spawned(chart *c, uint32_t parent, uint32_t child) {
  app_label words = {.text = ""};
  label_add(&words, "spawns ", 7);
  label_add(&words, chart_name(c, child), strlen(chart_name(c, child)));
  chrome_instant(c, parent, words.text, "spawn");
  chrome_thread(c, child);
}

static void chrome_started(chart *c, uint32_t a) {
  chrome_thread(c, a);
  chrome_event(c, 'B', a, chart_name(c, a));
  fputs(",\"cat\":\"life\"}", c->file);
}

static void chrome_end(chart *c, uint32_t a) {
  chrome_event(c, 'E', a, NULL);
  fputc('}', c->file);
}

static void chrome_ended(chart *c, uint32_t a, bool failed) {
  if (failed) chrome_instant(c, a, "fails", "fail");
  if (c->actors[a].started) chrome_end(c, a);
}

static void chrome_flow(chart *c, char phase, uint32_t a,
                        const chart_message *message) {
  chrome_thread(c, a);
  chrome_event(c, phase, a, message->label.text);
  fprintf(c->file, ",\"cat\":\"message\",\"id\":%" PRIu64 "%s}", message->id,
          phase == 'f' ? ",\"bp\":\"e\"" : "");
}

static void chrome_drop(chart *c, uint32_t a, const chart_message *message) {
  app_label words = {.text = ""};
  label_add(&words, "drop: ", 6);
  label_add(&words, message->label.text, message->label.length);
  chrome_instant(c, a, words.text, "drop");
}

static void chrome_sent(chart *c, const chart_message *message,
                        chart_fate fate) {
  if (fate == CHART_DROPPED) {
    chrome_drop(c, message->from, message);
    return;
  }
  chrome_flow(c, 's', message->from, message);
  if (fate == CHART_RECEIVED) chrome_flow(c, 'f', message->to, message);
}

static void chrome_taken(chart *c, const chart_message *message, bool dropped) {
  if (dropped) chrome_drop(c, message->to, message);
  chrome_flow(c, 'f', message->to, message);
}

static void chrome_told(chart *c, md_trace_kind kind, const char *words,
                        uint32_t a, uint32_t b) {
  chrome_instant(c, a, words, md_trace_name(kind));
  bool both = kind == MD_TRACE_KILL || kind == MD_TRACE_INTERRUPT;
  if (both && a != b) chrome_instant(c, b, words, md_trace_name(kind));
}

static void chrome_blocked(chart *c, uint32_t a, const char *words) {
  chrome_event(c, 'B', a, words);
  fputs(",\"cat\":\"wait\"}", c->file);
}

static void chrome_foot(chart *c) {
  for (uint32_t a = 0; a < c->actor_count; a++)
    if (a == 0 ? c->actors[a].shown : c->actors[a].started) chrome_end(c, a);
  fputs("\n]}\n", c->file);
}

const chart_format chart_chrome = {
    .name = "json",
    .head = chrome_head,
    .spawned = chrome_spawned,
    .started = chrome_started,
    .ended = chrome_ended,
    .sent = chrome_sent,
    .taken = chrome_taken,
    .told = chrome_told,
    .blocked = chrome_blocked,
    .resumed = chrome_end,
    .foot = chrome_foot,
};
