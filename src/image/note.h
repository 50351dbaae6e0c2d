/* A note: named texts of any bytes, one after the other, in an image's or a
   journal's head:

     name length:bytes\n  */
#ifndef MD_IMAGE_NOTE_H
#define MD_IMAGE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct md_note {
  const char *text;
  size_t size;
} md_note;

void md_note_put(FILE *, const char *name, const void *bytes, size_t size);
void md_note_text(FILE *, const char *name, const char *text);
void md_note_number(FILE *, const char *name, long long number);

/* A path, as one that is good from any folder. */
void md_note_path(FILE *, const char *name, const char *path);

/* Reads the next entry and takes it off the note; false at the end, or where
   there is none. The bytes lie in the note. */
bool md_note_next(md_note *, md_note *name, md_note *bytes);

bool md_note_is(const md_note *name, const char *text);

/* The text of the first entry of that name, malloc's; NULL: there is none. */
char *md_note_find(md_note, const char *name);

/* The texts of all entries of that name, malloc's, and how many. */
char **md_note_all(md_note, const char *name, int *count);

/* The text's number; 0 when it is none. */
long long md_note_find_number(md_note, const char *name);

#endif
