/* The audit of an image: no word of the arena may point to what another process
   would not have at that address: libraries, the heap, stacks. */
#ifndef MD_IMAGE_AUDIT_H
#define MD_IMAGE_AUDIT_H

#include "base/arena.h"

#include <stdio.h>

/* Looks at every word against the mappings of this process (about 1 GB/s) and
   says which lead out, the first few of them; how many there are. The program
   itself, the arena, and `size` bytes from `apart` on are not out. */
size_t md_image_audit(const md_arena *, const void *apart, size_t size, FILE *);

/* The same of so many bytes: the name of what the first word that leads out of
   all leads to, NULL when none does. */
const char *md_image_leads_out(const void *bytes, size_t length,
                               const void *apart, size_t size);

#endif
