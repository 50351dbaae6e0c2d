/* PlantUML's sequence diagram. */
#include "app/chart.h"

#include <string.h>

/* Whatever could be read as syntax stands as its code: some characters always,
   those that mark up text (two dashes, two stars) where they repeat. */
static void plantuml_text(FILE *f, const char *text) {
  char before = '\0';
  for (const char *c = text; *c != '\0'; before = *c++) {
    bool twice = *c == before && strchr("*/-_.'[=^|", *c);
    if (strchr("\"%;#\\<>&~$@", *c) || twice) fprintf(f, "<U+%04X>", *c);
    else fputc(*c, f);
  }
}

static void plantuml_participant(chart *c, uint32_t a, bool created) {
  fprintf(c->file, "%s \"", created ? "create participant" : "participant");
  plantuml_text(c->file, chart_name(c, a));
  fprintf(c->file, "\" as p%u\n", a);
}

static void plantuml_arrow(chart *c, uint32_t from, uint32_t to,
                           chart_arrow how, const char *text) {
  static const char *const arrows[] = {"->>", "-->>", "->x", "->"};
  fprintf(c->file, "p%u %s p%u : ", from, arrows[how], to);
  plantuml_text(c->file, text);
  fputc('\n', c->file);
}

static void plantuml_note(chart *c, uint32_t a, uint32_t b, const char *text) {
  fprintf(c->file, "note over p%u", a);
  if (a != b) fprintf(c->file, ", p%u", b);
  fputs(" : ", c->file);
  plantuml_text(c->file, text);
  fputc('\n', c->file);
}

static void plantuml_clock(chart *c, const char *time) {
  fprintf(c->file, "== time %s ==\n", time);
}

static void plantuml_gone(chart *c, uint32_t a, bool failed) {
  if (failed) plantuml_note(c, a, a, "fails");
  fprintf(c->file, "destroy p%u\n", a);
}

static const chart_syntax plantuml_syntax = {
    .head = "@startuml\n",
    .foot = "@enduml\n",
    .participant = plantuml_participant,
    .arrow = plantuml_arrow,
    .note = plantuml_note,
    .clock = plantuml_clock,
    .gone = plantuml_gone,
};

const chart_format chart_plantuml = {
    .name = "puml", CHART_SEQUENCE, .syntax = &plantuml_syntax};
