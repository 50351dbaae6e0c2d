/* Records to a file, ready for a data frame. The ending chooses the format:

     .csv                   RFC 4180. One table is the file itself; of several,
                            each goes to its own: run.csv becomes run-jobs.csv
                            and so on, and run.csv is not written. Bytes that
                            file names do not like become "_". Nil is an empty
                            field, the empty text is "".
     .jsonl                 one object a line, table by table; the table's name
                            is its "record". Nil is left out; NaN and the
                            infinities are null; invalid UTF-8 is U+FFFD.
     .db .sqlite .sqlite3   SQLite, one table a name. Booleans are 1 and 0, NaN
                            is NULL, and a NUL in a name becomes "_".

   Every row has "time", an exact decimal (in SQLite a REAL, or an INTEGER when
   no source has decimals), then "process", then "sim" when more than one
   source has rows, then the fields in column order. A field with a taken name
   (time, process, sim where it is there, record in .jsonl; in SQLite also one
   that differs in case only) gets a "_" behind it, or as many as it needs, and
   so does a table. Numbers are the shortest decimals that read back as they
   were.

   Invariant: files are written beside their place and renamed when all are
   whole; until then the old ones stay as they were. What is there and is not
   a regular file (a pipe, say) is written to directly. Nothing is allocated
   in the arena: looking never changes a run. Cost: one pass over the rows. */
#ifndef MD_APP_EXPORT_H
#define MD_APP_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/record.h"

typedef struct md_export_source {
  const md_records *records;
  const char *name; /* of the sim; NULL: it has none */
  int precision;    /* decimal digits of time: a tick is 10^-precision */
  const char *only; /* the one table that is wanted; NULL: all are */
} md_export_source;

/* Writes the sources, in their order, to one file. False: `error` says in one
   sentence what was tried, what failed and what to do. */
bool md_export(const char *path, const md_export_source *sources, int n,
               char *error, size_t error_size);

/* Whether a path has a known ending and a folder, to be asked before a long
   run; false as above. */
bool md_export_check(const char *path, char *error, size_t error_size);

#endif
