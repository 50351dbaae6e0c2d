/* A file that is written beside its place and takes that when it is whole:
   until then, and when it fails, what was there before stays as it was. What is
   there and is not a regular file (a pipe, say) is written to directly.

   Functions that fail leave errno. */
#ifndef MD_BASE_BESIDE_H
#define MD_BASE_BESIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct md_beside {
  char *place;   /* absolute, behind all links */
  char *written; /* a path; the same as place for what is not a regular file */
} md_beside;

/* A new file beside the place of `path`, empty, with these rights less the
   umask's; a folder is refused with EISDIR. */
bool md_beside_begin(md_beside *, const char *path, mode_t rights);

/* Whether it is a file that will take its place, and is not it already. */
static inline bool md_beside_apart(const md_beside *b) {
  return b->written != b->place;
}

/* Puts the whole file in its place. */
bool md_beside_finish(md_beside *);

/* Forgets the file: unlinks it unless it has taken its place. Zeroes do. */
void md_beside_drop(md_beside *);

/* Makes the disk say now what it would else say when nobody listens; pipes and
   devices have no such thing. */
bool md_beside_sync(int fd);

/* What to do about an error of writing, as the end of a sentence. */
const char *md_beside_advice(int error);

/* Three texts in one, from malloc; NULL with errno. */
char *md_beside_join(const char *a, const char *b, size_t b_length,
                     const char *c);

#endif
