/* What the model has of C's, as far as others are concerned: images, which hold
   no address that leads out. */
#ifndef MD_HOST_NATIVE_H
#define MD_HOST_NATIVE_H

#include "host/host.h"

extern const unsigned char host_header[]; /* moondial.h, ends with a 0 */

/* -- foreign.c -- */

/* Raises where that is what no image can hold. [-0, +0, e] */
void host_native_check(lua_State *L, const char *call);

/* The same, said and not raised: false with a sentence. */
bool host_native_good(const md_host *, char *why, size_t size);

/* Forgets where symbols are: the next call finds them again. */
void host_native_bare(md_host *);

#endif
