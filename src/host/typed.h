/* What types and protocols share: fields of metatables, and texts. */
#ifndef MD_HOST_TYPED_H
#define MD_HOST_TYPED_H

#include "host/pattern.h"

extern const char typed_type; /* its address is the key of a record's type */

/* Pushes what the metatable of the value at i has under the key; false, pushing
   nothing, if there is none. */
bool typed_field(lua_State *L, int i, const char *key);

/* A pattern as an error shows it, pushed. [-0, +1, m] */
void typed_pattern_text(lua_State *L, int i);

#endif
