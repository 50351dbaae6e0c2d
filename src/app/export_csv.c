#include "app/export_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* -- decimals, which .jsonl writes too -- */

int md_export_integer(char *text, int64_t value) {
  char digits[MD_EXPORT_DIGITS];
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  int n = 0, length = 0;
  do digits[n++] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (value < 0) text[length++] = '-';
  while (n > 0) text[length++] = digits[--n];
  text[length] = '\0';
  return length;
}

/* The shortest of 15, 16 or 17 digits that reads back as the same number. A
   model may have set a locale with a decimal comma. */
int md_export_number(char *text, double value) {
  if (isnan(value)) return snprintf(text, MD_EXPORT_DIGITS, "nan");
  if (fabs(value) < 1e15 && value == (double)(int64_t)value &&
      !(value == 0 && signbit(value)))
    return md_export_integer(text, (int64_t)value);
  int length = 0;
  for (int digits = 15; digits <= 17; digits++) {
    length = snprintf(text, MD_EXPORT_DIGITS, "%.*g", digits, value);
    if (digits == 17 || strtod(text, NULL) == value) break;
  }
  char *comma = strchr(text, ',');
  if (comma != NULL) *comma = '.';
  return length;
}

/* -- RFC 4180 -- */

static void csv_text(FILE *out, const char *text, size_t length) {
  bool plain = length > 0;
  for (size_t i = 0; plain && i < length; i++)
    plain =
        text[i] != '"' && text[i] != ',' && text[i] != '\r' && text[i] != '\n';
  if (plain) {
    fwrite_unlocked(text, 1, length, out);
    return;
  }
  putc_unlocked('"', out);
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '"') putc_unlocked('"', out);
    putc_unlocked(text[i], out);
  }
  putc_unlocked('"', out);
}

static void csv_cell(FILE *out, md_cell cell) {
  char text[MD_EXPORT_DIGITS];
  switch (cell.kind) {
  case MD_CELL_NIL:
    break;
  case MD_CELL_BOOLEAN:
    fputs(cell.boolean ? "true" : "false", out);
    break;
  case MD_CELL_INTEGER:
    fwrite_unlocked(text, 1, (size_t)md_export_integer(text, cell.integer),
                    out);
    break;
  case MD_CELL_NUMBER:
    fwrite_unlocked(text, 1, (size_t)md_export_number(text, cell.number), out);
    break;
  case MD_CELL_TEXT:
    csv_text(out, cell.text, cell.length);
    break;
  }
}

static void csv_head(FILE *out, const md_export_plan *plan,
                     const md_export_table *table) {
  fputs(plan->sims ? "time,process,sim" : "time,process", out);
  for (int i = 0; table != NULL && i < table->count; i++) {
    putc_unlocked(',', out);
    csv_text(out, table->columns[i].text, table->columns[i].length);
  }
  fputs("\r\n", out);
}

static void csv_part(FILE *out, const md_export_plan *plan,
                     const md_export_table *table, const md_export_part *part) {
  const md_export_source *source = part->source;
  md_scale scale = md_scale_of(source->precision);
  int64_t rows = md_records_rows(source->records, part->table);
  for (int64_t row = 0; row < rows && !ferror(out); row++) {
    char time[MD_EXPORT_DIGITS];
    int64_t ticks = md_records_ticks(source->records, part->table, row);
    int length = md_time_text(scale, ticks, time, sizeof time);
    fwrite_unlocked(time, 1, (size_t)length, out);
    putc_unlocked(',', out);
    csv_cell(out, md_records_process(source->records, part->table, row));
    if (plan->sims) {
      putc_unlocked(',', out);
      if (source->name != NULL)
        csv_text(out, source->name, strlen(source->name));
    }
    for (int i = 0; i < table->count; i++) {
      putc_unlocked(',', out);
      csv_cell(out, md_export_cell(part, i, row));
    }
    fwrite_unlocked("\r\n", 1, 2, out);
  }
}

/* No table is written as one without rows or fields. */
void md_export_csv(FILE *out, const md_export_plan *plan,
                   const md_export_table *table) {
  csv_head(out, plan, table);
  const md_export_part *part = table != NULL ? table->parts : NULL;
  for (; part != NULL; part = part->next) csv_part(out, plan, table, part);
}
