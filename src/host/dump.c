/* The functions inside of a function, as lua_dump writes them; without a run of
   the text around it, a nested one can be had from there. In Lua 5.4:

     header 31, upvalues 1, function

   function: source, first line, last line, parameters 1, vararg 1, stack 1,
   instructions, constants, upvalues (in stack 1, index 1, kind 1 each),
   functions, lines, far lines, locals, names of the upvalues

   Each list begins with its length. A nested function without a source of its
   own has that of the one around it. What is loaded here has just been dumped
   here: Lua does not look whether bytecode is sound. */
#include "host/reload.h"

#include <string.h>

enum { DUMP_HEADER = 31, DUMP_INSTRUCTION = 4, DUMP_NUMBER = 8 };

/* Kinds of constants. */
enum { DUMP_INTEGER = 0x03, DUMP_FLOAT = 0x13, DUMP_SHORT = 4, DUMP_LONG = 20 };

static const char dump_type[] = "md.dump";

typedef struct dump_function {
  uint32_t first, rest, stop; /* where it begins, what follows the source */
  uint32_t parent;            /* its number, from 1 on; 0: the main function */
  uint32_t upvalues, names;   /* where they are */
  int line, last;
} dump_function;

/* The dump itself is the user value. */
typedef struct dump {
  const char *bytes;
  size_t size;
  uint32_t count, capacity;
  dump_function functions[];
} dump;

/* -- writing -- */

typedef struct dump_writer {
  luaL_Buffer buffer;
  bool begun;
} dump_writer;

static int dump_write(lua_State *L, const void *bytes, size_t n, void *state) {
  dump_writer *w = state;
  if (!w->begun) luaL_buffinit(L, &w->buffer);
  w->begun = true;
  luaL_addlstring(&w->buffer, bytes, n);
  return 0;
}

/* Pushes the dump of the function on the top. [-0, +1, m] */
static const char *dump_push(lua_State *L, size_t *size) {
  dump_writer w = {.begun = false};
  lua_dump(L, dump_write, &w, 0);
  luaL_pushresult(&w.buffer);
  return lua_tolstring(L, -1, size);
}

/* A size as dumps have it: 7 bits a byte, the last one marked. */
static void dump_add_size(luaL_Buffer *b, size_t n) {
  char digits[10];
  int first = sizeof digits;
  digits[--first] = (char)((n & 0x7f) | 0x80);
  while ((n >>= 7) != 0) digits[--first] = (char)(n & 0x7f);
  luaL_addlstring(b, digits + first, sizeof digits - (size_t)first);
}

static void dump_add_string(luaL_Buffer *b, const char *text, size_t n) {
  dump_add_size(b, n + 1);
  luaL_addlstring(b, text, n);
}

/* Loads the dump on the top. [-1, +1, e] */
static void dump_load(lua_State *L) {
  size_t size;
  const char *bytes = lua_tolstring(L, -1, &size);
  if (luaL_loadbufferx(L, bytes, size, "=reload", "b") != LUA_OK) lua_error(L);
  lua_remove(L, -2);
}

/* -- reading -- */

static size_t dump_size(const char **at) {
  size_t n = 0;
  unsigned char byte;
  do {
    byte = (unsigned char)*(*at)++;
    n = n << 7 | (byte & 0x7f);
  } while (!(byte & 0x80));
  return n;
}

/* A string; NULL when there is none. */
static const char *dump_string(const char **at, size_t *length) {
  size_t size = dump_size(at);
  const char *text = size > 0 ? *at : NULL;
  *length = size > 0 ? size - 1 : 0;
  *at += *length;
  return text;
}

static void dump_skip_strings(const char **at, size_t n) {
  size_t length;
  while (n-- > 0) dump_string(at, &length);
}

static void dump_skip_constants(const char **at) {
  for (size_t n = dump_size(at); n > 0; n--) {
    int kind = *(*at)++;
    if (kind == DUMP_INTEGER || kind == DUMP_FLOAT) *at += DUMP_NUMBER;
    if (kind == DUMP_SHORT || kind == DUMP_LONG) dump_skip_strings(at, 1);
  }
}

static void dump_skip_locals(const char **at) {
  size_t lines = dump_size(at);
  *at += lines; /* a byte for each instruction */
  for (size_t n = dump_size(at); n > 0; n--) dump_size(at), dump_size(at);
  for (size_t n = dump_size(at); n > 0; n--) {
    dump_skip_strings(at, 1);
    dump_size(at);
    dump_size(at);
  }
}

/* Counts the functions or, with room for them, writes them down. */
static uint32_t dump_read(dump *d, const char **at, uint32_t parent,
                          uint32_t count) {
  dump_function f = {.parent = parent, .first = (uint32_t)(*at - d->bytes)};
  uint32_t own = ++count;
  dump_skip_strings(at, 1);
  f.rest = (uint32_t)(*at - d->bytes);
  f.line = (int)dump_size(at);
  f.last = (int)dump_size(at);
  *at += 3;
  size_t instructions = dump_size(at);
  *at += instructions * DUMP_INSTRUCTION;
  dump_skip_constants(at);
  f.upvalues = (uint32_t)(*at - d->bytes);
  size_t upvalues = dump_size(at);
  *at += 3 * upvalues;
  for (size_t n = dump_size(at); n > 0; n--)
    count = dump_read(d, at, own, count);
  dump_skip_locals(at);
  f.names = (uint32_t)(*at - d->bytes);
  dump_skip_strings(at, dump_size(at));
  f.stop = (uint32_t)(*at - d->bytes);
  if (own <= d->capacity) d->functions[own - 1] = f;
  return count;
}

/* open(fn) -> dump: of a main function, and of those inside of it, which are
   numbered from 1 on in the order of the text. */
static int dump_new(lua_State *L) {
  dump counted = {0};
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  counted.bytes = dump_push(L, &counted.size);
  const char *at = counted.bytes + DUMP_HEADER + 1;
  if (memcmp(counted.bytes, LUA_SIGNATURE "\x54\0", 6) != 0 ||
      counted.size > UINT32_MAX)
    return luaL_error(L, "this Lua's dumps are not known here");
  uint32_t n = dump_read(&counted, &at, 0, 0);
  dump *d = lua_newuserdatauv(L, sizeof *d + n * sizeof *d->functions, 1);
  *d = counted;
  d->count = d->capacity = n;
  lua_insert(L, 2);
  lua_setiuservalue(L, 2, 1);
  luaL_setmetatable(L, dump_type);
  at = d->bytes + DUMP_HEADER + 1;
  dump_read(d, &at, 0, 0);
  return 1;
}

static const dump_function *dump_arg(lua_State *L, const dump **d) {
  *d = luaL_checkudata(L, 1, dump_type);
  lua_Integer k = luaL_checkinteger(L, 2);
  luaL_argcheck(L, k >= 1 && k <= (*d)->count, 2, "no such function");
  return &(*d)->functions[k - 1];
}

/* count(dump) -> integer */
static int dump_count(lua_State *L) {
  const dump *d = luaL_checkudata(L, 1, dump_type);
  lua_pushinteger(L, d->count);
  return 1;
}

/* about(dump, k) -> parent, first line, last line, {name, ...}, {index, ...}
   The index of an upvalue is that in the function around it, from 1 on, or
   false when it is a local there. */
static int dump_about(lua_State *L) {
  const dump *d;
  const dump_function *f = dump_arg(L, &d);
  const char *at = d->bytes + f->upvalues, *names = d->bytes + f->names;
  lua_pushinteger(L, f->parent);
  lua_pushinteger(L, f->line);
  lua_pushinteger(L, f->last);
  lua_newtable(L);
  lua_newtable(L);
  size_t n = dump_size(&at), length;
  dump_size(&names);
  for (size_t i = 0; i < n; i++) {
    const char *name = dump_string(&names, &length);
    lua_pushlstring(L, name ? name : "?", name ? length : 1);
    lua_rawseti(L, -3, (lua_Integer)i + 1);
    if (at[3 * i]) lua_pushboolean(L, 0);
    else lua_pushinteger(L, (unsigned char)at[3 * i + 1] + 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 5;
}

/* In a function that dump_maker has made the upvalues come from elsewhere. What
   they were is told by their kind, which only the compiler would look at, and
   which is at most 3 there. */
static char dump_moved(const char upvalue[2]) {
  unsigned index = (unsigned char)upvalue[1];
  return (char)(4 + (index + 127u * (unsigned char)upvalue[0]) % 252);
}

/* A dump that is compared as it is written: so many bytes of it are left out,
   and what follows must be what is at `at`. */
typedef struct dump_comparison {
  size_t left_out;
  const char *at, *stop;
  const char *upvalues, *behind; /* where those are */
  bool moved;                    /* the one that is looked at differs so far */
} dump_comparison;

static bool dump_compare_upvalue(dump_comparison *own, char its) {
  switch ((own->at - own->upvalues) % 3) {
  case 0:
    own->moved = its != *own->at;
    return true;
  case 1:
    own->moved |= its != *own->at;
    return true;
  default:
    return its == dump_moved(own->at - 2) || (!own->moved && its == *own->at);
  }
}

static int dump_compare(lua_State *L, const void *bytes, size_t n, void *c) {
  (void)L;
  dump_comparison *own = c;
  size_t out = n < own->left_out ? n : own->left_out;
  own->left_out -= out;
  n -= out;
  if (n > (size_t)(own->stop - own->at)) return 1;
  const char *its = (const char *)bytes + out;
  for (size_t i = 0; i < n; i++, own->at++) {
    bool upvalue = own->at >= own->upvalues && own->at < own->behind;
    if (upvalue ? !dump_compare_upvalue(own, its[i]) : its[i] != *own->at)
      return 1;
  }
  return 0;
}

/* same(dump, k, fn) -> boolean: is fn made of the function k? */
static int dump_same(lua_State *L) {
  const dump *d;
  const dump_function *f = dump_arg(L, &d);
  lua_Debug ar;
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  lua_pushvalue(L, 3);
  lua_getinfo(L, ">S", &ar);
  size_t source = ar.srclen; /* behind its size, which counts one more */
  for (size_t n = ar.srclen + 1; n > 0; n >>= 7) source++;
  const char *upvalues = d->bytes + f->upvalues;
  size_t count = dump_size(&upvalues);
  dump_comparison c = {DUMP_HEADER + 1 + source, d->bytes + f->rest,
                       d->bytes + f->stop,       upvalues,
                       upvalues + 3 * count,     false};
  int different = lua_dump(L, dump_compare, &c, 0);
  lua_pushboolean(L, !different && c.at == c.stop);
  return 1;
}

/* -- making functions -- */

/* maker(dump, k) -> function: each call of it returns a new closure of the
   function k, whose upvalues are all one and are there to be joined.
   It is a function with one local, which stands for whatever k captures, and
   with k in the place of its own function. */
static int dump_maker(lua_State *L) {
  static const char around[] = "local x; return function() return x end";
  const dump *d;
  const dump_function *f = dump_arg(L, &d);
  luaL_Buffer b;
  size_t length;
  lua_settop(L, 1);
  lua_pushcfunction(L, dump_new);
  if (luaL_loadbufferx(L, around, sizeof around - 1, "=reload", "t") != LUA_OK)
    return lua_error(L);
  lua_call(L, 1, 1);
  const dump *maker = lua_touserdata(L, 2);
  const dump_function *inner = &maker->functions[1];
  const char *at = d->bytes + DUMP_HEADER + 1;
  const char *source = dump_string(&at, &length);
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, maker->bytes, inner->first);
  dump_add_string(&b, source, length);
  luaL_addlstring(&b, d->bytes + f->rest, f->upvalues - f->rest);
  at = d->bytes + f->upvalues;
  size_t n = dump_size(&at);
  dump_add_size(&b, n);
  for (size_t i = 0; i < n; i++) {
    const char upvalue[3] = {1, 0, dump_moved(at + 3 * i)};
    luaL_addlstring(&b, upvalue, sizeof upvalue);
  }
  at += 3 * n;
  luaL_addlstring(&b, at, (size_t)(d->bytes + f->stop - at));
  luaL_addlstring(&b, maker->bytes + inner->stop, maker->size - inner->stop);
  luaL_pushresult(&b);
  dump_load(L);
  return 1;
}

void host_dump_named(lua_State *L, int i, const char *name, size_t length) {
  size_t size, before;
  luaL_Buffer b;
  lua_pushvalue(L, i);
  const char *bytes = dump_push(L, &size);
  const char *at = bytes + DUMP_HEADER + 1;
  dump_string(&at, &before);
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, bytes, DUMP_HEADER + 1);
  dump_add_string(&b, name, length);
  luaL_addlstring(&b, at, size - (size_t)(at - bytes));
  luaL_pushresult(&b);
  dump_load(L);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

int dump_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", dump_new},  {"count", dump_count}, {"about", dump_about},
      {"same", dump_same}, {"maker", dump_maker}, {NULL, NULL}};
  luaL_newmetatable(L, dump_type);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
