/* The records of a run: named tables of typed columns, one set a sim.

     time    process   wait   queue          a row keeps its virtual time in
     1.5     server    0.25       3          ticks, the name of the process
     1.75    server               4          that wrote it, and one cell a
                                             column: nil, boolean, integer,
                                             number or text

   Tables and columns are numbered from 0 in the order of their first use and
   never leave. Rows are only added, at the end, and never change. A row is
   added whole or not at all. A column that came late, or that a row does not
   name, is nil there and costs nothing.

   Columns grow in chunks of some thousand rows, so no append copies what was
   written long ago. A cell takes 8 bytes; a chunk whose cells differ in kind
   takes one byte more for each. A text is stored once, however many cells
   hold it. Adding a row costs one store for each cell named, plus a look-up
   for each text. All memory is the arena's. */
#ifndef MD_KERNEL_RECORD_H
#define MD_KERNEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum md_cell_kind {
  MD_CELL_NIL,
  MD_CELL_BOOLEAN,
  MD_CELL_INTEGER,
  MD_CELL_NUMBER,
  MD_CELL_TEXT
} md_cell_kind;

/* A text that was read from a set of records lives as long as the set. */
typedef struct md_cell {
  md_cell_kind kind;
  union {
    bool boolean;
    int64_t integer;
    double number;
    struct {
      const char *text;
      size_t length;
    };
  };
} md_cell;

typedef struct md_records md_records;

/* NULL when there is no memory. */
md_records *md_records_open(md_arena *arena);

/* Gives every byte back to the arena; NULL is allowed. */
void md_records_close(md_records *records);

/* The table of this name, made on its first use; -1: no memory. */
int md_records_table(md_records *records, const char *name, size_t length);

/* The table of this name, or -1 when there is none. */
int md_records_find(const md_records *records, const char *name, size_t length);

/* The column of this name, added when it is new; -1: no memory. */
int md_records_column(md_records *records, int table, const char *name,
                      size_t length);

/* The number of a process's name, for md_records_row; number 0 is the empty
   name and means that no process wrote the row. -1: no memory. */
int md_records_text(md_records *records, const char *text, size_t length);

/* Appends one row: cells[i] goes to columns[i], the texts are copied, and a
   column not named is nil. When a column is named twice the last cell that is
   not nil holds. False: no memory, and no row was added. */
bool md_records_row(md_records *records, int table, int64_t ticks, int process,
                    const md_cell *cells, const int *columns, int n);

int md_records_count(const md_records *records);
const char *md_records_name(const md_records *records, int table,
                            size_t *length);
int md_records_columns(const md_records *records, int table);
const char *md_records_column_name(const md_records *records, int table,
                                   int column, size_t *length);
int64_t md_records_rows(const md_records *records, int table);
md_cell md_records_cell(const md_records *records, int table, int column,
                        int64_t row);
int64_t md_records_ticks(const md_records *records, int table, int64_t row);

/* The name of the process as a text, or nil when no process wrote the row. */
md_cell md_records_process(const md_records *records, int table, int64_t row);

#endif
