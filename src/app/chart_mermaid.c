/* Mermaid's sequenceDiagram, which GitHub and GitLab draw in a README. */
#include "app/chart.h"

#include <string.h>

/* Whatever could be read as syntax stands as its code, #59; for a semicolon. */
static void mermaid_text(FILE *f, const char *text) {
  if (*text == '\0') fputs("#32;", f);
  for (const char *c = text; *c != '\0'; c++) {
    if (strchr(";#\"%<>&:$\\{}", *c)) fprintf(f, "#%d;", *c);
    else fputc(*c, f);
  }
}

static void mermaid_participant(chart *c, uint32_t a, bool created) {
  fprintf(c->file, "    %sparticipant p%u as ", created ? "create " : "", a);
  mermaid_text(c->file, chart_name(c, a));
  fputc('\n', c->file);
}

static void mermaid_arrow(chart *c, uint32_t from, uint32_t to, chart_arrow how,
                          const char *text) {
  static const char *const arrows[] = {"-)", "--)", "-x", "->>"};
  fprintf(c->file, "    p%u%sp%u: ", from, arrows[how], to);
  mermaid_text(c->file, text);
  fputc('\n', c->file);
}

static void mermaid_note(chart *c, uint32_t a, uint32_t b, const char *text) {
  fprintf(c->file, "    Note over p%u", a);
  if (a != b) fprintf(c->file, ",p%u", b);
  fputs(": ", c->file);
  mermaid_text(c->file, text);
  fputc('\n', c->file);
}

static void mermaid_clock(chart *c, const char *time) {
  char text[64];
  snprintf(text, sizeof text, "time %s", time);
  mermaid_note(c, c->first, c->last, text);
}

/* A line must follow that the process is in. */
static void mermaid_gone(chart *c, uint32_t a, bool failed) {
  fprintf(c->file, "    destroy p%u\n    p%u-xp%u: %s\n", a, a, a,
          failed ? "fails" : "ends");
}

static const chart_syntax mermaid_syntax = {
    .head = "sequenceDiagram\n",
    .foot = "",
    .participant = mermaid_participant,
    .arrow = mermaid_arrow,
    .note = mermaid_note,
    .clock = mermaid_clock,
    .gone = mermaid_gone,
};

const chart_format chart_mermaid = {
    .name = "mmd", CHART_SEQUENCE, .syntax = &mermaid_syntax};
