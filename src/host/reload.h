/* What lua/moondial/reload.lua is made of: the texts that functions come from
   (text.c), the functions inside of one (dump.c), the walk over all of the
   model's values (heap.c), what is undone when a reload fails (undo.c), and
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
int heap_open(lua_State *L);
int reload_open(lua_State *L);
int undo_save(lua_State *L);
int undo_restore(lua_State *L);

/* -- dump.c -- */

/* Pushes a copy of the main function at i whose source is called so.
   [-0, +1, e] */
void host_dump_named(lua_State *L, int i, const char *name, size_t length);

/* -- heap.c -- */

/* What a heap holds, as its user values: tables. */
enum {
  HEAP_OBJECTS = 1, /* all that was met: tables, functions, userdata, threads */
  HEAP_FOUND,       /* the file's functions among them */
  HEAP_HOLDERS,     /* those that hold such a function */
  HEAP_FRAMES,      /* calls of them: thread, function, line, one by one */
  HEAP_SAVED,       /* what tables and upvalues held, see undo.c */
  HEAP_INVERSE,     /* what has been swapped: the old by the new */
  HEAP_VALUES = HEAP_INVERSE,
};

typedef struct heap {
  md_arena *arena;
  uint64_t *slots; /* addresses, hashed: address << HEAP_FLAGS | flags */
  size_t capacity, count;
  lua_Integer objects, looked, found, holders, frames; /* lengths; how far */
  size_t values;      /* what undo.c would save */
  bool fresh;         /* what is met now was made by the text that ran again */
  bool reaching;      /* what is met must be new */
  const char *source; /* the file's name, as functions have it; arena's */
} heap;

enum {
  HEAP_FLAGS = 4,
  HEAP_OWN = 1,
  HEAP_LEFT = 2,
  HEAP_NEW = 4,
  HEAP_HELD = 8
};

heap *heap_arg(lua_State *L);

/* Is the object at i one whose content is left as it is by undo.c? */
bool heap_left(lua_State *L, const heap *, int i);

/* Puts for each value of a holder that is a key of the table at `map` what it
   has there. Needs no memory, if heap_prepare was called. [-0, +0, -] */
void heap_swap(lua_State *L, int heap, int map);

/* Puts in back what undo.c has saved; appends what was added to tables, as
   table, key, value, to the table at `added` unless that is 0. [-0, +0, m] */
void heap_restore(lua_State *L, int heap, int added);

#endif
