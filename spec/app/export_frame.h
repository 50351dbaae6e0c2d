/* What the specs of the export share: rows to write, and ways to see what the
   files hold. Each spec works in a folder of its own that it removes. */
#ifndef MD_SPEC_EXPORT_FRAME_H
#define MD_SPEC_EXPORT_FRAME_H

#include "app/export.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <unistd.h>

#include "spec/check.h"

static char error[300];

static inline md_cell integer(int64_t value) {
  return (md_cell){.kind = MD_CELL_INTEGER, .integer = value};
}

static inline md_cell number(double value) {
  return (md_cell){.kind = MD_CELL_NUMBER, .number = value};
}

static inline md_cell boolean(bool value) {
  return (md_cell){.kind = MD_CELL_BOOLEAN, .boolean = value};
}

static inline md_cell bytes(const char *value, size_t length) {
  return (md_cell){.kind = MD_CELL_TEXT, .text = value, .length = length};
}

static inline md_cell text(const char *value) {
  return bytes(value, strlen(value));
}

/* Adds a row with one field, or none. */
static inline void add(md_records *records, const char *table, int64_t ticks,
                       const char *process, const char *field, md_cell cell) {
  int at = md_records_table(records, table, strlen(table));
  int by = md_records_text(records, process, strlen(process));
  int column =
      field != NULL ? md_records_column(records, at, field, strlen(field)) : 0;
  md_records_row(records, at, ticks, by, &cell, &column, field != NULL);
}

static inline bool export_to(const char *path, const md_records *records,
                             int precision) {
  md_export_source source = {records, NULL, precision};
  error[0] = '\0';
  return md_export(path, &source, 1, error, sizeof error);
}

/* Whether a file holds these bytes and no others. */
static inline bool holds_bytes(const char *path, const char *expected,
                               size_t length) {
  char buffer[4096];
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  size_t n = fread(buffer, 1, sizeof buffer, file);
  fclose(file);
  bool same = n == length && memcmp(buffer, expected, n) == 0;
  if (!same) printf("%s holds:\n%.*s\n", path, (int)n, buffer);
  return same;
}

static inline bool holds(const char *path, const char *expected) {
  return holds_bytes(path, expected, strlen(expected));
}

static inline void put(const char *path, const char *content) {
  FILE *file = fopen(path, "w");
  fputs(content, file);
  fclose(file);
}

/* The number of files in the folder: none may be left over. */
static inline int files(void) {
  int n = 0;
  DIR *folder = opendir(".");
  while (readdir(folder) != NULL) n++;
  closedir(folder);
  return n - 2;
}

static inline bool present(const char *path) { return access(path, F_OK) == 0; }

/* The rows that a query gives, as "a|b\nc|d\n", with each value's type. */
static inline const char *query(const char *path, const char *sql) {
  static char out[2000];
  static const char types[] = "?irtbn";
  size_t n = 0;
  sqlite3 *db;
  sqlite3_stmt *statement = NULL;
  out[0] = '\0';
  sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
    n += (size_t)snprintf(out, sizeof out, "%s", sqlite3_errmsg(db));
  while (sqlite3_step(statement) == SQLITE_ROW)
    for (int i = 0, last = sqlite3_column_count(statement) - 1; i <= last;
         i++) {
      char type = types[sqlite3_column_type(statement, i)];
      const unsigned char *value = sqlite3_column_text(statement, i);
      n += (size_t)snprintf(out + n, sizeof out - n, "%c:%s%s", type,
                            value != NULL ? (const char *)value : "",
                            i == last ? "\n" : "|");
    }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return out;
}

static inline bool answers(const char *path, const char *sql,
                           const char *expected) {
  const char *answer = query(path, sql);
  bool same = strcmp(answer, expected) == 0;
  if (!same) printf("%s answers:\n%s\n", path, answer);
  return same;
}

/* Runs sentences with an arena, in a new folder; main returns the result. */
static inline int in_folder(const char *name, void (*run)(md_arena *)) {
  char folder[] = "/tmp/export_spec.XXXXXX", clean[100];
  md_arena *arena = md_arena_open(0);
  if (arena == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0) return 2;
  run(arena);
  md_arena_close(arena);
  snprintf(clean, sizeof clean, "rm -r %s", folder);
  if (system(clean) != 0) return 2;
  return check_done(name);
}

#endif
