/* Plain data as bytes, for where values leave the simulation: nil, booleans,
   numbers, strings, pids and refs, tables of these (a table that is met again
   is the same one), and errors of ours. Writing allocates nothing in the arena
   but, for deep tables, stack. */
#ifndef MD_HOST_PLAIN_H
#define MD_HOST_PLAIN_H

#include "host/host.h"
#include "image/note.h"

/* Writes n values from `first` on; false when one of them is not plain, and
   `why` says which: "result 1.x is a function". */
bool host_plain_put(lua_State *L, int first, int n, const char *what, FILE *,
                    char why[256]);

/* Pushes what was written; their number, -1 when the bytes are damaged.
   [-0, +n, m] */
int host_plain_get(lua_State *L, md_note);

/* error.c: is the value at i an error of ours; makes the table on the top one.
   [-0, +0, -] */
bool host_is_error(lua_State *L, int i);
void host_make_error(lua_State *L);

#endif
