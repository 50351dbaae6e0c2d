/* Errors: raising them at the model's line, and what their sentences say of
   values and of names that are none. */
#ifndef MD_HOST_ERROR_H
#define MD_HOST_ERROR_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Raises {kind=, message=, time=, process=, traceback=} at the model's line. */
int host_raise(lua_State *L, const char *kind, const char *format, ...);

/* The same, pushed and not raised. [-0, +1, m] */
void host_error_value(lua_State *L, lua_State *at, const char *kind,
                      const char *format, ...);

/* The traceback of the model's own frames, pushed. [-0, +1, m] */
void host_traceback(lua_State *L, lua_State *of);

/* "file:line: " of the model's innermost frame, or "". */
void host_where(lua_State *L, char *buffer, size_t size);

/* The message handler of every coroutine that the host starts. */
int host_handler(lua_State *L);

/* A value as an error message shows it: its text, never an error. [-0,+1,m] */
const char *host_describe(lua_State *L, int i);

/* The one of the known names, which end with NULL, that is most like `name`. */
const char *host_nearest(const char *name, const char *const known[]);

/* Is it so unlike `name` that it was not meant? */
bool host_unlike(const char *name, const char *known);

/* "did you mean 'x'?"; when none is like it, all. [-0, +1, m] */
const char *host_suggest(lua_State *L, const char *name,
                         const char *const known[]);

/* The same for a name in capitals, such as a signal's kind, however it was
   written. */
const char *host_nearest_kind(const char *name, const char *const known[]);

/* Raises when the table at i has a field that is not in `known`, which ends
   with NULL, and names the nearest. */
void host_check_fields(lua_State *L, int i, const char *call,
                       const char *const known[]);

#endif
