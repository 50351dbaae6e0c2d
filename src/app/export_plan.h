/* What an export writes: the tables of all sources, merged by name, with the
   names they and their columns have in the file. And the writers, one a
   format, that follow it.

   Invariant: no two tables of a plan, and no two columns of a table, have the
   same name in the file, and none has a reserved one. Cost: a tree look-up for
   each table and column of each source. The plan owns its memory, from malloc,
   and points into the records, which must stay. */
#ifndef MD_APP_EXPORT_PLAN_H
#define MD_APP_EXPORT_PLAN_H

#include <stdio.h>

#include "app/export.h"

typedef enum md_export_format {
  MD_EXPORT_UNKNOWN,
  MD_EXPORT_CSV,
  MD_EXPORT_JSONL,
  MD_EXPORT_SQLITE
} md_export_format;

typedef struct md_export_name {
  const char *text; /* a NUL follows */
  size_t length;
} md_export_name;

/* One source's share of a table. Its map gives for a column of the plan the
   source's own, or -1; columns beyond the map are not the source's either. */
typedef struct md_export_part {
  struct md_export_part *next;
  const md_export_source *source;
  int table, mapped;
  int *map;
} md_export_part;

typedef struct md_export_table {
  md_export_name record; /* as the model has it */
  md_export_name name;   /* as the file has it */
  md_export_name *columns;
  int count, room;
  void *known; /* a tree of the columns' own names */
  md_export_part *parts, **parts_end;
} md_export_table;

typedef struct md_export_plan {
  md_export_format format;
  md_export_table *tables;
  int count, room;
  bool sims;    /* rows tell their sim */
  bool decimal; /* some source's time has decimals */
  void *known;
  struct export_block *blocks;
} md_export_plan;

/* False: no memory; the plan is closed already. */
bool md_export_plan_open(md_export_plan *plan, md_export_format format,
                         const md_export_source *sources, int n);
void md_export_plan_close(md_export_plan *plan);

/* A cell of a row, by the plan's column. */
static inline md_cell md_export_cell(const md_export_part *part, int column,
                                     int64_t row) {
  if (column >= part->mapped || part->map[column] < 0)
    return (md_cell){.kind = MD_CELL_NIL};
  return md_records_cell(part->source->records, part->table, part->map[column],
                         row);
}

enum { MD_EXPORT_DIGITS = 40 }; /* enough for any number or time */

/* Each writes a NUL-terminated decimal of at most MD_EXPORT_DIGITS bytes and
   returns its length. */
int md_export_integer(char *text, int64_t value);
int md_export_number(char *text, double value);

/* Whether the file took everything is left to the caller to see: ferror. */
void md_export_csv(FILE *out, const md_export_plan *plan,
                   const md_export_table *table);
void md_export_jsonl(FILE *out, const md_export_plan *plan);

/* Writes to an empty file; false with the reason in `why`. */
bool md_export_sqlite(const char *path, const md_export_plan *plan, char *why,
                      size_t why_size);

#endif
