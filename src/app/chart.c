#include "app/chart.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const chart_format *chart_format_of(const char *name) {
  static const chart_format *const all[] = {&chart_chrome, &chart_mermaid,
                                            &chart_plantuml};
  for (int i = 0; i < 3; i++)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  return NULL;
}

/* -- processes -- */

static uint32_t chart_add_actor(chart *c, md_pid pid, const char *name) {
  uint32_t n = c->actor_count++;
  app_label label = {.text = ""};
  c->actors = names_grow(c->actors, &c->actor_capacity, n, sizeof *c->actors);
  chart_actor *actor = &c->actors[n];
  *actor = (chart_actor){.pid = pid, .since = c->now};
  label_add(&label, name, strlen(name));
  snprintf(actor->name, sizeof actor->name, "%.63s", label.text);
  return n;
}

/* The process of that pid, when it appears first by what it is called. */
static uint32_t chart_actor_of(chart *c, md_pid pid) {
  char text[40];
  if (pid == 0) return 0;
  uint32_t slot = pid & ((1u << MD_INDEX_BITS) - 1);
  c->latest = names_grow(c->latest, &c->latest_count, slot, sizeof *c->latest);
  uint32_t n = c->latest[slot];
  while (n != 0 && c->actors[n].pid != pid) n = c->actors[n].older;
  if (n != 0) return n;
  const char *name = names_find(c->names, c->sim, pid);
  n = chart_add_actor(c, pid, name ? name : app_pid_text(pid, text));
  c->actors[n].older = c->latest[slot];
  c->latest[slot] = n;
  return n;
}

/* -- messages -- */

/* Keeps a message in a list; the list's first is it then. */
static void chart_keep(chart *c, const chart_message *message, uint32_t *list) {
  uint32_t n = c->kept_free;
  if (n != 0) {
    c->kept_free = c->kept[n].next;
  } else {
    n = c->kept_count++;
    c->kept = names_grow(c->kept, &c->kept_capacity, n, sizeof *c->kept);
  }
  c->kept[n] = *message;
  c->kept[n].next = *list;
  *list = n;
}

/* Takes message *at out of its list. */
static chart_message chart_release(chart *c, uint32_t *at) {
  uint32_t n = *at;
  chart_message message = c->kept[n];
  *at = message.next;
  c->kept[n].next = c->kept_free;
  c->kept_free = n;
  return message;
}

static uint32_t *chart_bin(chart *c, uint32_t arrival) {
  return &c->bins[arrival % CHART_BINS];
}

/* The message to `to` of that arrival; false when none is known. */
static bool chart_find(chart *c, uint32_t to, uint32_t arrival,
                       chart_message *found) {
  uint32_t *at = chart_bin(c, arrival);
  while (*at != 0 && (c->kept[*at].arrival != arrival || c->kept[*at].to != to))
    at = &c->kept[*at].next;
  if (*at == 0) return false;
  *found = chart_release(c, at);
  return true;
}

/* The oldest message between two in the lines for room. */
static bool chart_find_line(chart *c, uint32_t from, uint32_t to,
                            chart_message *found) {
  uint32_t *oldest = NULL;
  for (uint32_t *at = &c->line; *at != 0; at = &c->kept[*at].next)
    if (c->kept[*at].from == from && c->kept[*at].to == to) oldest = at;
  if (oldest != NULL) *found = chart_release(c, oldest);
  return oldest != NULL;
}

/* The message sent just now between two; false when there is none. */
static bool chart_find_pending(chart *c, uint32_t from, uint32_t to,
                               chart_message *found) {
  for (int i = c->pending_count - 1; i >= 0; i--) {
    if (c->pending[i].from != from || c->pending[i].to != to) continue;
    *found = c->pending[i];
    memmove(&c->pending[i], &c->pending[i + 1],
            (size_t)(--c->pending_count - i) * sizeof *c->pending);
    return true;
  }
  return false;
}

/* What was sent and neither taken nor kept is lost, by an error. */
static void chart_lose(chart *c, int n) {
  for (int i = 0; i < n; i++) c->format->sent(c, &c->pending[i], CHART_DROPPED);
  c->pending_count -= n;
  memmove(c->pending, c->pending + n,
          (size_t)c->pending_count * sizeof *c->pending);
}

static void chart_sent(chart *c, uint32_t from, uint32_t to,
                       const app_label *label) {
  if (c->pending_count == CHART_PENDING) chart_lose(c, 1);
  chart_message *message = &c->pending[c->pending_count++];
  *message = (chart_message){
      .id = ++c->messages, .from = from, .to = to, .sent = c->now};
  if (label != NULL) message->label = *label;
  else label_add(&message->label, "a message", 9);
}

static void chart_received(chart *c, uint32_t from, uint32_t to,
                           uint32_t arrival) {
  chart_message message;
  if (chart_find_pending(c, from, to, &message))
    c->format->sent(c, &message, CHART_RECEIVED);
  else if (chart_find(c, to, arrival, &message) ||
           chart_find_line(c, from, to, &message))
    c->format->taken(c, &message, false);
}

static void chart_queued(chart *c, uint32_t from, uint32_t to,
                         uint32_t arrival) {
  chart_message message;
  bool sent = chart_find_pending(c, from, to, &message);
  if (!sent && !chart_find_line(c, from, to, &message)) return;
  if (sent) c->format->sent(c, &message, CHART_QUEUED);
  message.arrival = arrival;
  chart_keep(c, &message, chart_bin(c, arrival));
}

static void chart_backed_off(chart *c, uint32_t from, uint32_t to) {
  chart_message message;
  if (!chart_find_pending(c, from, to, &message)) return;
  c->format->sent(c, &message, CHART_QUEUED);
  chart_keep(c, &message, &c->line);
}

/* True when the message is known that is dropped. */
static bool chart_dropped(chart *c, uint32_t from, uint32_t to,
                          uint32_t arrival) {
  chart_message message;
  bool sent = chart_find_pending(c, from, to, &message);
  if (sent) c->format->sent(c, &message, CHART_DROPPED);
  else if (chart_find(c, to, arrival, &message))
    c->format->taken(c, &message, true);
  else return false;
  return true;
}

/* -- records -- */

static void chart_told(chart *c, const md_trace_record *r, uint32_t a,
                       uint32_t b) {
  char number[24];
  app_label words = {.text = ""};
  for (const char *at = md_trace_prose(r->kind); *at != '\0'; at++) {
    const char *text = number;
    snprintf(number, sizeof number, "%" PRIu64, r->detail);
    if (*at != '%') {
      label_add(&words, at, 1);
      continue;
    }
    if (*++at == 'p') text = chart_name(c, a);
    if (*at == 'q') text = chart_name(c, b);
    label_add(&words, text, strlen(text));
  }
  bool other = md_trace_field(r->kind)[0] != '\0';
  c->format->told(c, r->kind, words.text, a, other ? b : a);
}

static void chart_resume(chart *c, uint32_t a) {
  if (c->actors[a].blocked && c->format->resumed) c->format->resumed(c, a);
  c->actors[a].blocked = false;
}

static void chart_block(chart *c, uint32_t a, const char *words) {
  if (c->format->blocked) c->format->blocked(c, a, words);
  c->actors[a].blocked = true;
}

/* A process goes on. One of which nobody has seen that it waits has slept: it
   was the next one itself, and the loop has not been asked. */
static void chart_woken(chart *c, uint32_t a) {
  chart_actor *actor = &c->actors[a];
  if (!actor->blocked && actor->started && actor->since < c->now) {
    md_time now = c->now;
    c->now = actor->since;
    chart_block(c, a, "sleeps");
    c->now = now;
  }
  chart_resume(c, a);
  actor->since = c->now;
  c->current = a;
}

static void chart_started(chart *c, uint32_t a) {
  c->format->started(c, a);
  c->actors[a].started = true;
  c->actors[a].since = c->now;
  c->current = a;
}

static void chart_ended(chart *c, uint32_t a, bool failed) {
  chart_resume(c, a);
  c->format->ended(c, a, failed);
  c->actors[a].started = false;
  if (c->current == a) c->current = 0;
}

static void chart_any(chart *c, const md_trace_record *r, uint32_t a,
                      uint32_t b, const app_label *label) {
  switch ((md_trace_kind)r->kind) {
  case MD_TRACE_SPAWN:
    c->format->spawned(c, a, b);
    break;
  case MD_TRACE_START:
    chart_started(c, a);
    break;
  case MD_TRACE_WAKE:
    chart_woken(c, a);
    break;
  case MD_TRACE_SEND:
    chart_sent(c, a, b, label);
    break;
  case MD_TRACE_RECEIVE:
    chart_received(c, b, a, (uint32_t)r->detail);
    break;
  case MD_TRACE_QUEUE:
    chart_queued(c, a, b, (uint32_t)r->detail);
    break;
  case MD_TRACE_STOP:
  case MD_TRACE_FAIL:
    chart_ended(c, a, r->kind == MD_TRACE_FAIL);
    break;
  case MD_TRACE_CALL:
    break;
  case MD_TRACE_DROP:
    if (chart_dropped(c, a, b, (uint32_t)r->detail)) break;
    chart_told(c, r, a, b);
    break;
  case MD_TRACE_BACKOFF:
    chart_backed_off(c, a, b);
    chart_told(c, r, a, b);
    break;
  default:
    chart_told(c, r, a, b);
  }
}

void chart_record(chart *c, const md_trace_record *r, const app_label *label) {
  if (r->sim != c->sim) {
    c->others++;
    return;
  }
  c->now = r->time;
  uint32_t a = chart_actor_of(c, r->process);
  uint32_t b = chart_actor_of(c, r->other);
  chart_any(c, r, a, b, label);
}

void chart_turn(chart *c, host_sim *s) {
  app_label label = {.text = ""};
  if (s->id != c->sim) return;
  chart_lose(c, c->pending_count);
  uint32_t a = c->current;
  uint32_t p = a ? md_sim_index(s->kernel, c->actors[a].pid) : 0;
  c->current = 0;
  c->now = md_sim_now(s->kernel);
  if (p == 0 || !c->actors[a].started) return;
  label_wait(&label, s, p);
  if (label.length > 0) chart_block(c, a, label.text);
}

/* -- the whole -- */

chart *chart_open(const app_options *o, FILE *file, const app_names *names) {
  chart *c = calloc(1, sizeof *c);
  if (c == NULL) abort();
  c->format = o->chart;
  c->file = file;
  c->names = names;
  c->model = o->model;
  c->most = o->messages;
  c->scale = md_scale_of(9);
  chart_add_actor(c, 0, "script");
  c->kept_count = 1;
  c->format->head(c);
  return c;
}

void chart_begin(chart *c, md_host *h, const host_sim *s) {
  c->host = h;
  if (c->sim != 0) return;
  c->sim = s->id;
  c->scale = md_sim_scale(s->kernel);
  snprintf(c->unit, sizeof c->unit, "%.15s", s->unit ? s->unit : "s");
}

static void chart_close_list(chart *c, uint32_t *list) {
  while (*list != 0) {
    chart_message message = chart_release(c, list);
    c->format->taken(c, &message, false);
  }
}

/* The chart's sim, NULL when it is no more. */
static const host_sim *chart_sim(const chart *c) {
  const host_sim *s = c->host ? c->host->sims : NULL;
  while (s != NULL && s->id != c->sim) s = s->next;
  return s;
}

/* What lies in the inboxes is taken by nobody any more. */
bool chart_close(chart *c) {
  const host_sim *s = chart_sim(c);
  if (s != NULL) c->now = md_sim_now(s->kernel);
  chart_lose(c, c->pending_count);
  if (c->format->resumed) { /* the format wants to know of every end */
    for (uint32_t i = 0; i < CHART_BINS; i++) chart_close_list(c, &c->bins[i]);
    chart_close_list(c, &c->line);
    for (uint32_t a = 1; a < c->actor_count; a++) chart_resume(c, a);
  }
  c->format->foot(c);
  fflush(c->file);
  bool good = !ferror(c->file);
  if (fclose(c->file) != 0) good = false;
  free(c->actors);
  free(c->latest);
  free(c->kept);
  free(c);
  return good;
}
