/* What lua/moondial/reload.lua is made of: the texts that functions come from
   (text.c), the functions inside of one (dump.c), the walk over all of the
   model's values (walk.c), what is undone when a reload fails (undo.c), and
   what stands around it (reload.c). */
#ifndef MD_HOST_RELOAD_H
#define MD_HOST_RELOAD_H

#include "host/host.h"

/* -- library.c -- */

/* Where a file lies: as it is given, or beside the script when it is not
   there. Never in Lua's memory, which must not know the folder. */
void host_find_file(const md_host *, const char *name, char *path, size_t size);

/* Pushes the text of a file; LUA_OK, or an error's status with its text. It is
   the one place where the text of a model is read. [-0, +1, m] */
int host_read_text(lua_State *L, const char *path, const char *name);

/* -- text.c -- */

/* Loads the text on the top, and keeps it; `beside`: it lies beside the script.
   LUA_OK, or an error's status with its text. [-1, +1, m] */
int host_load_text(lua_State *L, const char *name, bool beside);

/* Which of its file's texts a function comes from, by its source. */
lua_Integer host_text_number(const lua_Debug *);

/* What reload.lua calls: a table of functions each. [-0, +1, m] */
int text_open(lua_State *L);
int dump_open(lua_State *L);
int walk_open(lua_State *L);
int reload_open(lua_State *L);
int undo_save(lua_State *L);
int undo_restore(lua_State *L);

/* -- dump.c -- */

/* Pushes a copy of the main function at i whose source is called so.
   [-0, +1, e] */
void host_dump_named(lua_State *L, int i, const char *name, size_t length);

/* -- walk.c -- */

/* What a walk holds, as its user values: tables. */
enum {
  WALK_OBJECTS = 1, /* all that was met: tables, functions, userdata, threads */
  WALK_FOUND,       /* the file's functions among them */
  WALK_HOLDERS,     /* those that hold such a function */
  WALK_FRAMES,      /* calls of them: thread, function, line, one by one */
  WALK_SAVED,       /* what tables and upvalues held, see undo.c */
  WALK_INVERSE,     /* what has been swapped: the old by the new */
  WALK_VALUES = WALK_INVERSE,
};

typedef struct walk {
  md_arena *arena;
  uint64_t *slots; /* addresses, hashed: address << WALK_FLAGS | flags */
  size_t capacity, count;
  lua_Integer objects, looked, found, holders, frames; /* lengths; how far */
  size_t values;      /* what undo.c would save */
  bool fresh;         /* what is met now was made by the text that ran again */
  bool reaching;      /* what is met must be new */
  const char *source; /* the file's name, as functions have it; arena's */
} walk;

enum {
  WALK_FLAGS = 4,
  WALK_OWN = 1,
  WALK_LEFT = 2,
  WALK_NEW = 4,
  WALK_HELD = 8
};

walk *walk_arg(lua_State *L);

/* Is the object at i one whose content is left as it is by undo.c? */
bool walk_left(lua_State *L, const walk *, int i);

/* Puts for each value of a holder that is a key of the table at `map` what it
   has there. Needs no memory, if walk_prepare was called. [-0, +0, -] */
void walk_swap(lua_State *L, int walk, int map);

/* Puts in back what undo.c has saved; appends what was added to tables, as
   table, key, value, to the table at `added` unless that is 0. [-0, +0, m] */
void walk_restore(lua_State *L, int walk, int added);

#endif
