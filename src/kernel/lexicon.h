/* A lexicon: distinct texts, numbered from 0 in the order they first came.

   The same text always has the same number, and a number keeps its text, at
   the same address, until the lexicon closes. Texts may hold any bytes; a NUL
   that is not part of the text follows each. Finding or adding costs one hash
   of the text and, on average, one comparison; the index doubles as it fills.
   All memory is the arena's. A failed call leaves the numbering as it was. */
#ifndef MD_KERNEL_LEXICON_H
#define MD_KERNEL_LEXICON_H

#include <stddef.h>

#include "base/arena.h"

typedef struct md_lexicon md_lexicon;

/* NULL when there is no memory. */
md_lexicon *md_lexicon_open(md_arena *arena);

/* Gives every byte back to the arena; NULL is allowed. */
void md_lexicon_close(md_lexicon *lexicon);

/* The number of a text, which is copied when it is new; -1: no memory. */
int md_lexicon_add(md_lexicon *lexicon, const char *text, size_t length);

/* The number of a text, or -1 when it has none. */
int md_lexicon_find(const md_lexicon *lexicon, const char *text, size_t length);

/* The text of a number; length may be NULL. */
const char *md_lexicon_text(const md_lexicon *lexicon, int number,
                            size_t *length);

int md_lexicon_count(const md_lexicon *lexicon);

#endif
