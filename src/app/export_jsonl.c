#include "app/export_plan.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

static void json_escape(FILE *out, unsigned char c) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  const char *known = c != '\0' ? strchr(from, c) : NULL;
  if (known != NULL) {
    putc_unlocked('\\', out);
    putc_unlocked(to[known - from], out);
  } else {
    fprintf(out, "\\u%04x", c);
  }
}

static void json_text(FILE *out, const char *text, size_t length) {
  const unsigned char *s = (const unsigned char *)text;
  putc_unlocked('"', out);
  for (size_t i = 0, n; i < length; i += n) {
    n = md_text_character(text + i, length - i);
    if (n == 0) {
      fputs("\xef\xbf\xbd", out);
      n = 1;
    } else if (s[i] < 0x20 || s[i] == '"' || s[i] == '\\') {
      json_escape(out, s[i]);
    } else if (n == 1) {
      putc_unlocked(s[i], out);
    } else {
      fwrite_unlocked(s + i, 1, n, out);
    }
  }
  putc_unlocked('"', out);
}

static void json_key(FILE *out, md_export_name name) {
  putc_unlocked(',', out);
  json_text(out, name.text, name.length);
  putc_unlocked(':', out);
}

static void json_cell(FILE *out, md_cell cell) {
  char text[MD_EXPORT_DIGITS];
  int length;
  switch (cell.kind) {
  case MD_CELL_NIL:
    fputs("null", out);
    break;
  case MD_CELL_BOOLEAN:
    fputs(cell.boolean ? "true" : "false", out);
    break;
  case MD_CELL_INTEGER:
    length = md_export_integer(text, cell.integer);
    fwrite_unlocked(text, 1, (size_t)length, out);
    break;
  case MD_CELL_NUMBER:
    length = isfinite(cell.number) ? md_export_number(text, cell.number)
                                   : snprintf(text, sizeof text, "null");
    fwrite_unlocked(text, 1, (size_t)length, out);
    break;
  case MD_CELL_TEXT:
    json_text(out, cell.text, cell.length);
    break;
  }
}

static void json_stamp(FILE *out, const md_export_plan *plan,
                       const md_export_part *part, md_scale scale,
                       int64_t row) {
  const md_export_source *source = part->source;
  char time[MD_EXPORT_DIGITS];
  int64_t ticks = md_records_ticks(source->records, part->table, row);
  int length = md_time_text(scale, ticks, time, sizeof time);
  fputs(",\"time\":", out);
  fwrite_unlocked(time, 1, (size_t)length, out);
  md_cell process = md_records_process(source->records, part->table, row);
  if (process.kind != MD_CELL_NIL) {
    fputs(",\"process\":", out);
    json_cell(out, process);
  }
  if (plan->sims && source->name != NULL) {
    fputs(",\"sim\":", out);
    json_text(out, source->name, strlen(source->name));
  }
}

static void json_part(FILE *out, const md_export_plan *plan,
                      const md_export_table *table,
                      const md_export_part *part) {
  md_scale scale = md_scale_of(part->source->precision);
  int64_t rows = md_records_rows(part->source->records, part->table);
  for (int64_t row = 0; row < rows && !ferror(out); row++) {
    fputs("{\"record\":", out);
    json_text(out, table->name.text, table->name.length);
    json_stamp(out, plan, part, scale, row);
    for (int i = 0; i < table->count; i++) {
      md_cell cell = md_export_cell(part, i, row);
      if (cell.kind == MD_CELL_NIL) continue;
      json_key(out, table->columns[i]);
      json_cell(out, cell);
    }
    fwrite_unlocked("}\n", 1, 2, out);
  }
}

void md_export_jsonl(FILE *out, const md_export_plan *plan) {
  for (int i = 0; i < plan->count; i++) {
    const md_export_part *part = plan->tables[i].parts;
    for (; part != NULL; part = part->next)
      json_part(out, plan, &plan->tables[i], part);
  }
}
