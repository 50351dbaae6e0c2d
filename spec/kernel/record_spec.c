#include "kernel/record.h"

#include <math.h>
#include <string.h>

#include "spec/check.h"

#define NIL                                                                    \
  (md_cell) { .kind = MD_CELL_NIL }

static md_cell integer(int64_t value) {
  return (md_cell){.kind = MD_CELL_INTEGER, .integer = value};
}

static md_cell number(double value) {
  return (md_cell){.kind = MD_CELL_NUMBER, .number = value};
}

static md_cell boolean(bool value) {
  return (md_cell){.kind = MD_CELL_BOOLEAN, .boolean = value};
}

static md_cell text(const char *value, size_t length) {
  return (md_cell){.kind = MD_CELL_TEXT, .text = value, .length = length};
}

static bool same(md_cell a, md_cell b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
  case MD_CELL_NIL:
    return true;
  case MD_CELL_BOOLEAN:
    return a.boolean == b.boolean;
  case MD_CELL_INTEGER:
    return a.integer == b.integer;
  case MD_CELL_NUMBER:
    return memcmp(&a.number, &b.number, sizeof a.number) == 0;
  case MD_CELL_TEXT:
    return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
  }
  return false;
}

/* The cell that column `column` of the long tables below holds: runs of one
   kind, changes of kind, and gaps of nil, shorter and longer than a chunk. */
static md_cell pattern(int column, int64_t row) {
  static const char *const words[] = {"red", "green", "", "a\0b"};
  int64_t mix = row * 7 + column;
  switch (column) {
  case 0:
    return number((double)row / 3);
  case 1:
    return row / 10000 % 2 == 0 ? integer(row - 5) : NIL;
  case 2:
    return mix % 5 == 0   ? NIL
           : mix % 5 == 1 ? boolean(row % 2 == 0)
           : mix % 5 == 2 ? number(-0.0)
           : mix % 5 == 3 ? integer(INT64_MIN + row)
                          : text(words[row % 4],
                                 row % 4 == 3 ? 3 : strlen(words[row % 4]));
  case 3:
    return row < 12345 ? NIL : boolean(row % 3 == 0);
  default:
    return row % 6000 < 3 ? text("x", 1) : NIL;
  }
}

enum { WIDTH = 5 };

static bool add_pattern(md_records *records, int table, const int *columns,
                        int process, int64_t row) {
  md_cell cells[WIDTH];
  for (int i = 0; i < WIDTH; i++) cells[i] = pattern(i, row);
  return md_records_row(records, table, row * 3, process, cells, columns,
                        WIDTH);
}

static bool holds_pattern(const md_records *records, int table,
                          const int *columns, int64_t rows) {
  if (md_records_rows(records, table) != rows) return false;
  for (int64_t row = 0; row < rows; row++) {
    if (md_records_ticks(records, table, row) != row * 3) return false;
    for (int i = 0; i < WIDTH; i++)
      if (!same(md_records_cell(records, table, columns[i], row),
                pattern(i, row)))
        return false;
  }
  return true;
}

static void add_columns(md_records *records, int table, int *columns) {
  for (int i = 0; i < WIDTH; i++)
    columns[i] =
        md_records_column(records, table, (char[]){(char)('a' + i)}, 1);
}

static void names_tables(md_arena *arena) {
  md_records *records = md_records_open(arena);
  size_t length;
  IT("numbers tables in the order of their first use") {
    EXPECT(md_records_find(records, "jobs", 4) == -1);
    EXPECT(md_records_table(records, "jobs", 4) == 0);
    EXPECT(md_records_table(records, "a\0b", 3) == 1);
    EXPECT(md_records_table(records, "", 0) == 2);
    EXPECT(md_records_table(records, "jobs", 4) == 0);
    EXPECT(md_records_find(records, "a\0b", 3) == 1);
    EXPECT(md_records_count(records) == 3);
    EXPECT(strcmp(md_records_name(records, 0, &length), "jobs") == 0);
    EXPECT(length == 4);
  }
  IT("numbers each table's columns by themselves") {
    EXPECT(md_records_column(records, 0, "wait", 4) == 0);
    EXPECT(md_records_column(records, 0, "queue", 5) == 1);
    EXPECT(md_records_column(records, 1, "queue", 5) == 0);
    EXPECT(md_records_column(records, 0, "wait", 4) == 0);
    EXPECT(md_records_columns(records, 0) == 2);
    EXPECT(md_records_columns(records, 2) == 0);
    EXPECT(strcmp(md_records_column_name(records, 0, 1, NULL), "queue") == 0);
  }
  IT("takes many tables") {
    bool numbered = true;
    for (int i = 3; i < 20000; i++)
      numbered =
          numbered && md_records_table(records, (char *)&i, sizeof i) == i;
    EXPECT(numbered);
    EXPECT(md_records_find(records, "jobs", 4) == 0);
  }
  md_records_close(records);
}

static void keeps_rows(md_arena *arena) {
  md_records *records = md_records_open(arena);
  int table = md_records_table(records, "t", 1);
  int a = md_records_column(records, table, "a", 1);
  int process = md_records_text(records, "server", 6);
  IT("keeps the time and the process of a row") {
    EXPECT(md_records_row(records, table, -7, process, NULL, NULL, 0));
    EXPECT(md_records_row(records, table, INT64_MAX, 0, NULL, NULL, 0));
    EXPECT(md_records_rows(records, table) == 2);
    EXPECT(md_records_ticks(records, table, 0) == -7);
    EXPECT(md_records_ticks(records, table, 1) == INT64_MAX);
    EXPECT(same(md_records_process(records, table, 0), text("server", 6)));
    EXPECT(md_records_process(records, table, 1).kind == MD_CELL_NIL);
  }
  IT("has nil where a row named no cell, or the column came later") {
    md_cell cell = integer(1);
    EXPECT(md_records_row(records, table, 1, 0, &cell, &a, 1));
    int b = md_records_column(records, table, "b", 1);
    EXPECT(md_records_row(records, table, 1, 0, &cell, &b, 1));
    EXPECT(same(md_records_cell(records, table, a, 0), NIL));
    EXPECT(same(md_records_cell(records, table, a, 2), integer(1)));
    EXPECT(same(md_records_cell(records, table, a, 3), NIL));
    EXPECT(same(md_records_cell(records, table, b, 2), NIL));
    EXPECT(same(md_records_cell(records, table, b, 3), integer(1)));
  }
  IT("keeps the last of two cells of one column") {
    md_cell cells[3] = {integer(1), text("last", 4), NIL};
    int columns[3] = {a, a, a};
    EXPECT(md_records_row(records, table, 1, 0, cells, columns, 3));
    EXPECT(same(md_records_cell(records, table, a, 4), text("last", 4)));
    EXPECT(same(md_records_cell(records, table, a, 2), integer(1)));
  }
  IT("stores a text once") {
    md_cell cells[2] = {text("last", 4), text("last", 4)};
    int columns[2] = {a, md_records_column(records, table, "c", 1)};
    EXPECT(md_records_row(records, table, 1, 0, cells, columns, 2));
    EXPECT(md_records_cell(records, table, a, 4).text ==
           md_records_cell(records, table, columns[1], 5).text);
  }
  md_records_close(records);
}

static void keeps_cells(md_arena *arena) {
  enum { ROWS = 40000 };
  md_records *records = md_records_open(arena);
  int columns[WIDTH], table = md_records_table(records, "t", 1);
  add_columns(records, table, columns);
  IT("keeps cells of changing kinds, gaps and long columns") {
    bool added = true;
    for (int64_t row = 0; row < ROWS; row++)
      added = added && add_pattern(records, table, columns, 0, row);
    EXPECT(added);
    EXPECT(holds_pattern(records, table, columns, ROWS));
  }
  md_records_close(records);
}

/* Fails the first, the second ... allocation of every row in turn. */
static bool add_despite_refusals(md_arena *arena, md_records *records,
                                 int table, const int *columns, int64_t row) {
  for (uint64_t n = 1;; n++) {
    md_arena_fail_at(arena, md_arena_count(arena) + n);
    bool added = add_pattern(records, table, columns, 0, row);
    bool refused = md_arena_count(arena) != 0 && !added;
    md_arena_fail_at(arena, 0);
    if (added) return true;
    if (!refused || md_records_rows(records, table) != row) return false;
    for (int i = 0; row > 0 && i < WIDTH; i++)
      if (!same(md_records_cell(records, table, columns[i], row - 1),
                pattern(i, row - 1)))
        return false;
  }
}

static void survives_refusals(md_arena *arena) {
  enum { ROWS = 30000 };
  IT("opens whole or not at all") {
    md_records *records = NULL;
    size_t used = md_arena_used(arena);
    for (uint64_t n = 1; records == NULL; n++) {
      EXPECT(md_arena_used(arena) == used);
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      records = md_records_open(arena);
      md_arena_fail_at(arena, 0);
    }
    md_records_close(records);
  }
  md_records *records = md_records_open(arena);
  int columns[WIDTH], table = md_records_table(records, "t", 1);
  IT("adds tables and columns whole or not at all") {
    int made = -1;
    for (uint64_t n = 1; made < 0; n++) {
      EXPECT(md_records_count(records) == 1);
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      made = md_records_table(records, "u", 1);
    }
    made = -1;
    for (uint64_t n = 1; made < 0; n++) {
      EXPECT(md_records_columns(records, 1) == 0);
      md_arena_fail_at(arena, md_arena_count(arena) + n);
      made = md_records_column(records, 1, "v", 1);
    }
    md_arena_fail_at(arena, 0);
    EXPECT(md_records_count(records) == 2);
  }
  add_columns(records, table, columns);
  IT("adds a row whole or not at all") {
    bool held = true;
    for (int64_t row = 0; row < ROWS; row++)
      held = held && add_despite_refusals(arena, records, table, columns, row);
    EXPECT(held);
    EXPECT(holds_pattern(records, table, columns, ROWS));
  }
  md_records_close(records);
}

/* A text that is new needs memory, so the last cell of the row fails. */
static void forgets_refused_rows(md_arena *arena) {
  md_records *records = md_records_open(arena);
  int columns[WIDTH], table = md_records_table(records, "t", 1);
  add_columns(records, table, columns);
  IT("forgets the cells of a row that it could not add") {
    md_cell full[3] = {integer(1), number(2), text("old", 3)};
    EXPECT(md_records_row(records, table, 0, 0, full, columns, 3));
    full[2] = text("new", 3);
    md_arena_fail_at(arena, md_arena_count(arena) + 1);
    EXPECT(!md_records_row(records, table, 1, 0, full, columns, 3));
    md_arena_fail_at(arena, 0);
    EXPECT(md_records_rows(records, table) == 1);
    EXPECT(md_records_row(records, table, 2, 0, NULL, NULL, 0));
    for (int i = 0; i < WIDTH; i++)
      EXPECT(same(md_records_cell(records, table, columns[i], 1), NIL));
    EXPECT(md_records_ticks(records, table, 1) == 2);
  }
  md_records_close(records);
}

static void stays_compact(md_arena *arena) {
#ifdef MD_HOSTILE
  enum { ROWS = 1000000, ROW_SIZE = 64 };
#else
  enum { ROWS = 1000000, ROW_SIZE = 33 };
#endif
  size_t used = md_arena_used(arena);
  md_records *records = md_records_open(arena);
  int columns[2], table = md_records_table(records, "t", 1);
  IT("holds a million rows of two numbers in 33 bytes each") {
    columns[0] = md_records_column(records, table, "a", 1);
    columns[1] = md_records_column(records, table, "b", 1);
    bool added = true;
    for (int i = 0; i < ROWS; i++) {
      md_cell cells[2] = {number(i * 0.1), number(i)};
      added = added && md_records_row(records, table, i, 0, cells, columns, 2);
    }
    EXPECT(added);
    EXPECT(md_arena_used(arena) - used < (size_t)ROWS * ROW_SIZE);
    EXPECT(md_records_cell(records, table, 0, 777777).number == 777777 * 0.1);
  }
  IT("gives nothing for a column that is nil throughout") {
    size_t before = md_arena_used(arena);
    int late = md_records_column(records, table, "late", 4);
    EXPECT(same(md_records_cell(records, table, late, ROWS - 1), NIL));
    EXPECT(md_arena_used(arena) - before < 1000);
  }
  IT("gives every byte back") {
    md_records_close(records);
    EXPECT(md_arena_used(arena) == used);
  }
}

int main(void) {
  md_arena *arena = md_arena_open(0);
  if (arena == NULL) return 2;
  names_tables(arena);
  keeps_rows(arena);
  keeps_cells(arena);
  survives_refusals(arena);
  forgets_refused_rows(arena);
  stays_compact(arena);
  md_arena_close(arena);
  return check_done("record");
}
