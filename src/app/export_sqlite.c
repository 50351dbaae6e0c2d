#include "app/export_plan.h"

#ifdef MD_NO_SQLITE

bool md_export_sqlite(const char *path, const md_export_plan *plan, char *why,
                      size_t why_size) {
  (void)path, (void)plan;
  snprintf(why, why_size,
           "this build has no SQLite: use .csv or .jsonl, or build again with "
           "libsqlite3-dev installed");
  return false;
}

#else

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

static void db_quote(FILE *sql, md_export_name name) {
  putc('"', sql);
  for (size_t i = 0; i < name.length; i++) {
    if (name.text[i] == '"') putc('"', sql);
    putc(name.text[i], sql);
  }
  putc('"', sql);
}

/* Fields have no declared type: a cell is stored as it is. */
static void db_create(FILE *sql, const md_export_plan *plan,
                      const md_export_table *table) {
  fputs("CREATE TABLE ", sql);
  db_quote(sql, table->name);
  fprintf(sql, " (time %s, process TEXT%s", plan->decimal ? "REAL" : "INTEGER",
          plan->sims ? ", sim TEXT" : "");
  for (int i = 0; i < table->count; i++) {
    fputs(", ", sql);
    db_quote(sql, table->columns[i]);
  }
  putc(')', sql);
}

static void db_insert(FILE *sql, const md_export_plan *plan,
                      const md_export_table *table) {
  fputs("INSERT INTO ", sql);
  db_quote(sql, table->name);
  fputs(plan->sims ? " VALUES (?, ?, ?" : " VALUES (?, ?", sql);
  for (int i = 0; i < table->count; i++) fputs(", ?", sql);
  putc(')', sql);
}

/* Prepares the statement that one of the two above writes. */
static sqlite3_stmt *db_prepare(sqlite3 *db,
                                void (*write)(FILE *, const md_export_plan *,
                                              const md_export_table *),
                                const md_export_plan *plan,
                                const md_export_table *table) {
  char *text = NULL;
  size_t size;
  sqlite3_stmt *statement = NULL;
  FILE *sql = open_memstream(&text, &size);
  if (sql == NULL) return NULL;
  write(sql, plan, table);
  if (fclose(sql) == 0)
    sqlite3_prepare_v2(db, text, (int)size + 1, &statement, NULL);
  free(text);
  return statement;
}

static int db_bind(sqlite3_stmt *insert, int at, md_cell cell) {
  switch (cell.kind) {
  case MD_CELL_NIL:
    break;
  case MD_CELL_BOOLEAN:
    return sqlite3_bind_int(insert, at, cell.boolean);
  case MD_CELL_INTEGER:
    return sqlite3_bind_int64(insert, at, cell.integer);
  case MD_CELL_NUMBER:
    return sqlite3_bind_double(insert, at, cell.number);
  case MD_CELL_TEXT:
    return sqlite3_bind_text64(insert, at, cell.text, cell.length,
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  return sqlite3_bind_null(insert, at);
}

static bool db_row(sqlite3_stmt *insert, const md_export_plan *plan,
                   const md_export_table *table, const md_export_part *part,
                   int64_t row) {
  const md_export_source *source = part->source;
  int at = 1;
  int64_t ticks = md_records_ticks(source->records, part->table, row);
  int worst = source->precision == 0
                  ? sqlite3_bind_int64(insert, at, ticks)
                  : sqlite3_bind_double(
                        insert, at,
                        md_time_show(md_scale_of(source->precision), ticks));
  worst |= db_bind(insert, ++at,
                   md_records_process(source->records, part->table, row));
  if (plan->sims)
    worst |= sqlite3_bind_text(insert, ++at, source->name, -1, SQLITE_STATIC);
  for (int i = 0; i < table->count; i++)
    worst |= db_bind(insert, ++at, md_export_cell(part, i, row));
  return worst == SQLITE_OK && sqlite3_step(insert) == SQLITE_DONE &&
         sqlite3_reset(insert) == SQLITE_OK;
}

static bool db_table(sqlite3 *db, const md_export_plan *plan,
                     const md_export_table *table) {
  sqlite3_stmt *create = db_prepare(db, db_create, plan, table);
  bool whole = create != NULL && sqlite3_step(create) == SQLITE_DONE;
  sqlite3_stmt *insert = whole ? db_prepare(db, db_insert, plan, table) : NULL;
  whole = insert != NULL;
  const md_export_part *part = table->parts;
  for (; whole && part != NULL; part = part->next) {
    int64_t rows = md_records_rows(part->source->records, part->table);
    for (int64_t row = 0; whole && row < rows; row++)
      whole = db_row(insert, plan, table, part, row);
  }
  return whole;
}

/* SQLite's own words, with the system's where there are any. */
static void db_explain(sqlite3 *db, char *why, size_t why_size) {
  if (db == NULL || sqlite3_errcode(db) == SQLITE_OK) {
    snprintf(why, why_size, "not enough memory: free some and try again");
    return;
  }
  int cause = sqlite3_system_errno(db);
  snprintf(why, why_size, "%s%s%s: choose another place or use .csv",
           sqlite3_errmsg(db), cause != 0 ? ", " : "",
           cause != 0 ? strerror(cause) : "");
}

/* The file is a temporary one until it is whole, so no journal is kept. */
bool md_export_sqlite(const char *path, const md_export_plan *plan, char *why,
                      size_t why_size) {
  sqlite3 *db = NULL;
  bool whole =
      sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
      sqlite3_exec(db,
                   "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN",
                   NULL, NULL, NULL) == SQLITE_OK;
  for (int i = 0; whole && i < plan->count; i++)
    whole = db_table(db, plan, &plan->tables[i]);
  whole = whole && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
  if (!whole) db_explain(db, why, why_size);
  for (sqlite3_stmt *s; db != NULL && (s = sqlite3_next_stmt(db, NULL));)
    sqlite3_finalize(s);
  sqlite3_close(db);
  return whole;
}

#endif
