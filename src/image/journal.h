/* A journal: a note, and then records of any bytes, each with a kind and a hash
   of its own (XXH3, 64 bits), so that one that was cut off is read to its last
   whole record.

     magic, 16 bytes | size of the note | its hash | note
     size | kind | hash | bytes       for each record */
#ifndef MD_IMAGE_JOURNAL_H
#define MD_IMAGE_JOURNAL_H

#include "image/note.h"

#include <stdint.h>

enum { MD_JOURNAL_ERROR = 1024 };

/* Begins a journal; at > 0: goes on with the one that is there, cut off at that
   length. NULL with a sentence. */
FILE *md_journal_create(const char *path, md_note head, long long at,
                        char error[MD_JOURNAL_ERROR]);

/* Writes a record; false when the file cannot take it. */
bool md_journal_put(FILE *, uint32_t kind, const void *bytes, size_t size);

/* Reads a journal from its beginning. The note is malloc's. NULL with a
   sentence. */
FILE *md_journal_open(const char *path, md_note *head,
                      char error[MD_JOURNAL_ERROR]);

/* Reads the next record into the buffer, which is malloc's and grows; false at
   the end, where `cut` says whether there is more, which is not whole. */
typedef struct md_journal_record {
  uint32_t kind;
  char *bytes;
  size_t size, capacity;
  bool cut;
} md_journal_record;
bool md_journal_next(FILE *, md_journal_record *);

#endif
