/* C's values in Lua: what moondial.ffi is made of.

   A cdata is a userdata with a type. It is an object (memory of its own behind
   the record, or a place in another's, which its user value then holds), a
   pointer, a function by name, a callback, or a type itself. Where the memory
   that it leads to is known, so is its extent, and indices are checked.

   What leads out of the arena, or has room for what does, is tracked: it is in
   one list, from which no image is written, and is wiped when it is collected,
   so that no such address stays behind in the arena. */
#ifndef MD_HOST_CDATA_H
#define MD_HOST_CDATA_H

#include "host/host.h"
#include "native/call.h"
#include "native/type.h"

typedef enum cdata_is {
  CDATA_TYPE,
  CDATA_OBJECT,
  CDATA_POINTER,
  CDATA_FUNCTION,
  CDATA_CALLBACK, /* a pointer too */
} cdata_is;

#define CDATA_MAGIC UINT32_C(0x43dada7a)

typedef struct cdata {
  uint32_t magic;
  md_ctype_id type;
  uint8_t is;
  bool tracked;
  bool gone;       /* what it led to has been given back */
  bool constant;   /* an object that must not be written */
  uint32_t symbol; /* a function's; of a pointer: whose result it was */
  char *address;   /* of the object; the value of a pointer */
  char *base;      /* of the memory that it lies in, NULL: not known */
  uint64_t extent; /* the size of that */
  uint64_t id;     /* a callback's */
  md_signature *signature;
  struct cdata *next, *before;
} cdata;

/* A symbol of a library: its names, and where it was found by this process. */
typedef struct native_symbol {
  uint32_t library, name; /* words of the table of types; library 0: C */
  bool global;
  void *address;
} native_symbol;

typedef struct host_native {
  md_ctypes *types;
  native_symbol *symbols;
  uint32_t symbol_count, symbol_room;
  md_signature **plans;
  uint32_t plan_count, plan_room;
  cdata *tracked;
  int error;            /* C's errno, as the last call left it */
  int plain, collected; /* metatables, in the registry, as all of these: */
  int objects;          /* types as values, by number */
  int texts;            /* numbers of types, by text */
  int metatypes;        /* methods, by number */
  int finalizers;       /* functions, by cdata */
  int callbacks;        /* cdata, by id; each has its function */
} host_native;

/* The next call of the model: what errors name. */
typedef struct cdata_place {
  const char *call, *what; /* "fabs", "argument" */
  uint32_t number;         /* 0: none */
} cdata_place;

/* -- cdata.c -- */

static inline host_native *native_of(lua_State *L) {
  return (host_native *)host_of(L)->native;
}

/* The cdata at i, or NULL. */
static inline cdata *cdata_at(lua_State *L, int i) {
  if (lua_type(L, i) != LUA_TUSERDATA) return NULL;
  cdata *c = lua_touserdata(L, i);
  bool is = lua_rawlen(L, i) >= sizeof *c && c->magic == CDATA_MAGIC;
  return is ? c : NULL;
}

/* Does it lead out of the arena and the program? */
bool cdata_foreign(const void *address);

/* An object with so much memory of its own, zeroed. [-0, +1, m] */
cdata *cdata_new(lua_State *L, md_ctype_id, uint64_t size);

/* A place in the object at `owner` (0: in C's memory), or with is POINTER a
   pointer to it. Its extent is the caller's to say. [-0, +1, m] */
cdata *cdata_refer(lua_State *L, cdata_is, md_ctype_id, void *address,
                   int owner);

/* The same of memory whose extent is that of a cdata, at i. [-0, +1, m] */
cdata *cdata_within(lua_State *L, cdata_is, md_ctype_id, void *address,
                    const cdata *of, int i);

/* Must not be written what it has, or leads to? */
bool cdata_is_constant(const host_native *, const cdata *);

/* Tracks what has got a foreign address. The cdata is at i. [-0, +0, m] */
void cdata_track(lua_State *L, cdata *, int i);
void cdata_untrack(lua_State *L, cdata *);

/* A type as a value. [-0, +1, m] */
void cdata_push_type(lua_State *L, md_ctype_id);

/* What a type is called; pushed, so that it lasts. [-0, +1, m] */
const char *cdata_type_text(lua_State *L, md_ctype_id);

/* A value as errors show it. [-0, +1, m] */
const char *cdata_describe(lua_State *L, int i);

/* The type that the argument i is, names, or has. [-0, +0, e] */
md_ctype_id cdata_type_arg(lua_State *L, int i, const char *call);

/* The bytes of an object or of what a pointer leads to; false: not known. */
bool cdata_left(const cdata *, uint64_t *bytes);

/* Raises, unless `size` bytes from address on may be used. [-0, +0, e] */
void cdata_reach(lua_State *L, const cdata *, const char *address,
                 uint64_t size, const char *call);

_Noreturn void cdata_fail(lua_State *L, const char *format, ...);

/* Pushes the metamethod of the type of c, or of what it points to. [-0,+0|1] */
bool cdata_meta(lua_State *L, const cdata *c, const char *name);

/* Runs the finalizer, if there is one, and forgets what c led to. */
int mt_cdata_gc(lua_State *L);

/* Grows an array in the arena; false without memory. */
bool native_room(md_arena *, void **array, uint32_t *room, uint32_t count,
                 size_t size);

/* -- convert.c -- */

/* Pushes the value at an address as Lua has it: a number, a boolean, a pointer,
   a reference into the object c at `owner` (c NULL: in C's memory). [-0,+1,m]
 */
void cdata_push(lua_State *L, md_ctype_id, char *from, const cdata *c,
                int owner);

/* Puts the value at i to an address. [-0, +0, e] */
void cdata_put(lua_State *L, md_ctype_id, char *to, int i, const cdata_place *);

/* The value at i as an integer or a number for C; as a pointer of that type. */
int64_t cdata_integer(lua_State *L, md_ctype_id, int i, const cdata_place *);
double cdata_real(lua_State *L, md_ctype_id, int i, const cdata_place *);
void *cdata_pointer(lua_State *L, md_ctype_id, int i, const cdata_place *);

/* Fills an object of so many bytes from n initializers from index first on. */
void cdata_fill(lua_State *L, md_ctype_id, char *to, uint64_t size, int first,
                int n, const cdata_place *);

_Noreturn void cdata_wrong(lua_State *L, md_ctype_id, int i,
                           const cdata_place *, const char *hint);

/* A number box at i becomes its number. [-0, +0, -] */
bool cdata_unbox(lua_State *L, int i);

/* -- access.c -- */

/* Metamethods, with `mt_cdata_` before their names. */
void cdata_open_access(lua_State *L, int metatable);

/* -- foreign.c -- */

/* A symbol's number; it is looked for at once. [-0, +0, e] */
uint32_t native_symbol_add(lua_State *L, uint32_t library, uint32_t name,
                           bool global);

/* Its address, which is looked for when this process has not yet. [-0,+0,e] */
void *native_symbol_address(lua_State *L, uint32_t symbol);
const char *native_symbol_name(const host_native *, uint32_t symbol);

/* A library as a value; NULL: C. [-0, +1, e] */
void native_push_library(lua_State *L, const char *name, bool global);

/* -- invoke.c -- */

/* Calls the function or pointer at 1 with the arguments behind it. */
int cdata_invoke(lua_State *L);
bool cdata_invokable(const host_native *, const cdata *);

/* Pushes a callback: the function at i as a pointer of that type. [-0,+1,e] */
cdata *cdata_callback(lua_State *L, md_ctype_id, int i, const char *call);

/* Its methods. [-0, +0|1, e] */
bool cdata_push_method(lua_State *L, const char *name);

/* -- bytes.c: functions that go into the table on the top -- */
void cdata_open_bytes(lua_State *L);

/* -- ffi.c -- */

/* Makes an object as the arguments from `first` on say. [-0, +1, e] */
int cdata_construct(lua_State *L, md_ctype_id, int first, const char *call);

#endif
