/* An image: the arena as a file, with what lies outside of it and is needed
   again as a note, bytes that mean nothing here.

     header, 256 bytes | note | zeroes up to a whole page | the arena's bytes

   The header holds a hash (XXH3, 128 bits) of header and note, and one of the
   arena's bytes. An image is as dangerous as a program: its rights are 0600,
   and it is opened only if it is a regular file of the user's own, or root's,
   that nobody else can write to. It fits the very build that wrote it, as it
   holds the addresses of its functions.

   Writing is atomic, see base/beside.h. Nothing is allocated in the arena and
   nothing in it changes. Cost: memory speed, and the disk's. */
#ifndef MD_IMAGE_IMAGE_H
#define MD_IMAGE_IMAGE_H

#include "base/arena.h"

#include <stdbool.h>

enum { MD_IMAGE_ERROR = 1024 };

typedef struct md_image {
  void *root; /* the block where everything begins */
  const void *note;
  size_t note_size;
} md_image;

/* Writes the arena; false with one sentence in error: what was tried, what
   failed and what to do. */
bool md_image_write(const char *path, const md_arena *, const md_image *,
                    char error[MD_IMAGE_ERROR]);

/* Opens an image as the arena of this process, which must have none. The note
   is malloc's, the caller's to free, and ends with a 0 that does not count.
   `lazy`: the arena's bytes are believed, and read as they are needed. NULL
   with a sentence as above, and nothing has changed. */
md_arena *md_image_open(const char *path, bool lazy, md_image *,
                        char error[MD_IMAGE_ERROR]);

/* The hash of the arena's bytes, as 32 hexadecimal digits: equal programs that
   have gone the same way have the same. */
void md_image_hash(const md_arena *, char text[33]);

/* The hash of a file's bytes; false when it cannot be read. */
bool md_image_hash_file(const char *path, uint64_t hash[2]);

#endif
