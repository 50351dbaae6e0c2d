/* Sequence charts: which lines there are. How they are written is the syntax's.
   Beyond so many arrows a chart says only how many more messages there were. */
#include "app/chart.h"

#include <inttypes.h>
#include <string.h>

/* So many processes of the script's are there from the beginning; others when
   they have something to do. */
enum { SEQUENCE_EAGER = 40 };

static bool sequence_open(const chart *c) { return c->drawn < c->most; }

static void sequence_participant(chart *c, uint32_t a, bool created) {
  c->actors[a].shown = true;
  if (c->shown++ == 0) c->first = a;
  c->last = a;
  c->format->syntax->participant(c, a, created);
}

static void sequence_show(chart *c, uint32_t a) {
  if (!c->actors[a].shown) sequence_participant(c, a, false);
}

/* The line that follows is of now. */
static void sequence_clock(chart *c) {
  char text[40];
  if (c->told == c->now) return;
  c->told = c->now;
  md_time_text(c->scale, c->now, text, sizeof text);
  c->format->syntax->clock(c, text);
}

/* An arrow, if there may be one more. */
static bool sequence_arrow(chart *c, uint32_t from, uint32_t to,
                           chart_arrow how, const char *text) {
  if (!sequence_open(c)) return false;
  c->drawn++;
  sequence_show(c, from);
  if (how != ARROW_SPAWN) sequence_show(c, to);
  sequence_clock(c);
  if (how == ARROW_SPAWN) sequence_participant(c, to, true);
  c->format->syntax->arrow(c, from, to, how, text);
  return true;
}

static void sequence_note(chart *c, uint32_t a, uint32_t b, const char *text) {
  if (!sequence_open(c)) return;
  sequence_show(c, a);
  sequence_show(c, b);
  sequence_clock(c);
  c->format->syntax->note(c, a, b, text);
}

void sequence_head(chart *c) { fputs(c->format->syntax->head, c->file); }

void sequence_spawned(chart *c, uint32_t parent, uint32_t child) {
  if (parent != 0) sequence_arrow(c, parent, child, ARROW_SPAWN, "spawn");
  else if (c->shown < SEQUENCE_EAGER && sequence_open(c))
    sequence_show(c, child);
}

/* Only a start for later is worth a line. */
void sequence_started(chart *c, uint32_t a) {
  if (c->actors[a].since < c->now) sequence_note(c, a, a, "starts");
}

void sequence_ended(chart *c, uint32_t a, bool failed) {
  if (!sequence_open(c) || !c->actors[a].shown) return;
  sequence_clock(c);
  c->format->syntax->gone(c, a, failed);
}

void sequence_sent(chart *c, const chart_message *message, chart_fate fate) {
  static const chart_arrow arrows[] = {ARROW_DIRECT, ARROW_INBOX, ARROW_LOST};
  if (!sequence_arrow(c, message->from, message->to, arrows[fate],
                      message->label.text))
    c->left_out++;
}

/* What is taken at the time at which it was sent needs no line. */
void sequence_taken(chart *c, const chart_message *message, bool dropped) {
  app_label words = {.text = ""};
  if (!dropped && message->sent == c->now) return;
  label_add(&words, dropped ? "drops " : "takes ", 6);
  label_add(&words, message->label.text, message->label.length);
  sequence_note(c, message->to, message->to, words.text);
}

void sequence_told(chart *c, md_trace_kind kind, const char *words, uint32_t a,
                   uint32_t b) {
  (void)kind;
  sequence_note(c, a, b, words);
}

void sequence_foot(chart *c) {
  char text[80];
  if (c->left_out > 0 && c->shown > 0) {
    snprintf(text, sizeof text,
             "%" PRIu64 " more message%s (--messages n shows more)",
             c->left_out, c->left_out == 1 ? "" : "s");
    c->format->syntax->note(c, c->first, c->last, text);
  }
  fputs(c->format->syntax->foot, c->file);
}
