#include "host/plain.h"

#include <stdlib.h>
#include <string.h>

enum { PLAIN_DEEP = 100 };

/* -- writing -- */

typedef struct plain_writer {
  lua_State *L;
  FILE *file;
  char path[160];      /* of the value that is written */
  const void **tables; /* met so far */
  uint32_t count, capacity;
  char *why;
} plain_writer;

static bool plain_refuse(plain_writer *w, int i) {
  const char *type = luaL_typename(w->L, i);
  if (luaL_getmetafield(w->L, i, "__name") == LUA_TSTRING)
    type = lua_tostring(w->L, -1);
  else if (lua_istable(w->L, i)) type = "table with a metatable";
  snprintf(w->why, 256, "%s is a %s", w->path, type);
  return false;
}

/* The number of a table that was met before, else -1 and it is met now. */
static long plain_met(plain_writer *w, const void *table) {
  for (uint32_t i = 0; i < w->count; i++)
    if (w->tables[i] == table) return i;
  if (w->count == w->capacity) {
    w->capacity = w->capacity * 2 + 16;
    w->tables = realloc(w->tables, w->capacity * sizeof *w->tables);
    if (w->tables == NULL) abort();
  }
  w->tables[w->count++] = table;
  return -1;
}

static bool plain_put(plain_writer *w, int i, int depth);

/* The path of a field, for as long as that is written. */
static size_t plain_enter(plain_writer *w, int key) {
  size_t n = strlen(w->path), room = sizeof w->path - n;
  if (lua_type(w->L, key) == LUA_TSTRING)
    snprintf(w->path + n, room, ".%s", lua_tostring(w->L, key));
  else if (lua_isinteger(w->L, key))
    snprintf(w->path + n, room, "[%lld]", (long long)lua_tointeger(w->L, key));
  else snprintf(w->path + n, room, "[a %s]", luaL_typename(w->L, key));
  return n;
}

static bool plain_put_table(plain_writer *w, int i, int depth) {
  lua_State *L = w->L;
  bool error = false;
  long met = plain_met(w, lua_topointer(L, i));
  if (met >= 0) {
    fprintf(w->file, "r%ld;", met);
    return true;
  }
  if (lua_getmetatable(L, i)) {
    lua_pop(L, 1);
    error = host_is_error(L, i);
    if (!error) return plain_refuse(w, i);
  }
  if (depth == PLAIN_DEEP) {
    snprintf(w->why, 256, "%s lies more than %d tables deep", w->path,
             PLAIN_DEEP);
    return false;
  }
  fputc(error ? 'e' : '{', w->file);
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    int key = lua_gettop(L) - 1;
    size_t n = plain_enter(w, key);
    bool good =
        plain_put(w, key, depth + 1) && plain_put(w, key + 1, depth + 1);
    w->path[n] = '\0';
    if (!good) return false;
    lua_pop(L, 1);
  }
  fputc('}', w->file);
  return true;
}

static void plain_put_bytes(plain_writer *w, char tag, const void *bytes,
                            size_t size) {
  fputc(tag, w->file);
  fwrite(bytes, 1, size, w->file);
}

static bool plain_put(plain_writer *w, int i, int depth) {
  lua_State *L = w->L;
  size_t n;
  switch (lua_type(L, i)) {
  case LUA_TNIL:
    fputc('n', w->file);
    return true;
  case LUA_TBOOLEAN:
    fputc(lua_toboolean(L, i) ? 't' : 'f', w->file);
    return true;
  case LUA_TNUMBER: {
    lua_Integer integer = lua_tointeger(L, i);
    lua_Number number = lua_tonumber(L, i);
    if (lua_isinteger(L, i)) plain_put_bytes(w, 'i', &integer, sizeof integer);
    else plain_put_bytes(w, 'd', &number, sizeof number);
    return true;
  }
  case LUA_TSTRING: {
    const char *text = lua_tolstring(L, i, &n);
    fprintf(w->file, "s%zu:", n);
    fwrite(text, 1, n, w->file);
    return true;
  }
  case LUA_TLIGHTUSERDATA: {
    const void *light = lua_touserdata(L, i);
    host_value kind = host_kind(L, i);
    if (kind != HOST_PID && kind != HOST_REF) return plain_refuse(w, i);
    plain_put_bytes(w, 'l', &light, sizeof light);
    return true;
  }
  case LUA_TTABLE:
    return plain_put_table(w, i, depth);
  default:
    return plain_refuse(w, i);
  }
}

bool host_plain_put(lua_State *L, int first, int n, const char *what,
                    FILE *file, char why[256]) {
  plain_writer w = {.L = L, .file = file, .why = why};
  int top = lua_gettop(L);
  bool good = true;
  for (int i = 0; good && i < n; i++) {
    snprintf(w.path, sizeof w.path, "%s %d", what, i + 1);
    good = plain_put(&w, first + i, 0);
  }
  lua_settop(L, top);
  free(w.tables);
  return good;
}

/* -- reading -- */

typedef struct plain_reader {
  lua_State *L;
  const char *at, *end;
  int tables; /* index of the list of those met so far */
  lua_Integer count;
} plain_reader;

static bool plain_get(plain_reader *r, int depth);

/* A number in digits, and what ends it. */
static bool plain_get_number(plain_reader *r, char end, size_t *n) {
  *n = 0;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && *n < SIZE_MAX / 16)
    *n = *n * 10 + (size_t)(*r->at++ - '0');
  return r->at < r->end && *r->at++ == end;
}

static bool plain_get_bytes(plain_reader *r, void *bytes, size_t size) {
  if ((size_t)(r->end - r->at) < size) return false;
  memcpy(bytes, r->at, size);
  r->at += size;
  return true;
}

static bool plain_get_table(plain_reader *r, bool error, int depth) {
  lua_State *L = r->L;
  if (depth > PLAIN_DEEP) return false;
  luaL_checkstack(L, 8, NULL);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, r->tables, ++r->count);
  while (r->at < r->end && *r->at != '}') {
    if (!plain_get(r, depth + 1) || !plain_get(r, depth + 1)) return false;
    if (lua_isnil(L, -2)) return false;
    lua_rawset(L, -3);
  }
  if (r->at == r->end) return false;
  r->at++;
  if (error) host_make_error(L);
  return true;
}

static bool plain_get(plain_reader *r, int depth) {
  lua_State *L = r->L;
  lua_Integer integer;
  lua_Number number;
  void *light;
  size_t n;
  if (r->at >= r->end) return false;
  switch (*r->at++) {
  case 'n':
    lua_pushnil(L);
    return true;
  case 't':
  case 'f':
    lua_pushboolean(L, r->at[-1] == 't');
    return true;
  case 'i':
    if (!plain_get_bytes(r, &integer, sizeof integer)) return false;
    lua_pushinteger(L, integer);
    return true;
  case 'd':
    if (!plain_get_bytes(r, &number, sizeof number)) return false;
    lua_pushnumber(L, number);
    return true;
  case 'l':
    if (!plain_get_bytes(r, &light, sizeof light)) return false;
    lua_pushlightuserdata(L, light);
    return true;
  case 's':
    if (!plain_get_number(r, ':', &n) || (size_t)(r->end - r->at) < n)
      return false;
    lua_pushlstring(L, r->at, n);
    r->at += n;
    return true;
  case 'r':
    if (!plain_get_number(r, ';', &n)) return false;
    return lua_rawgeti(L, r->tables, (lua_Integer)n + 1) == LUA_TTABLE;
  case '{':
  case 'e':
    return plain_get_table(r, r->at[-1] == 'e', depth);
  default:
    return false;
  }
}

int host_plain_get(lua_State *L, md_note bytes) {
  plain_reader r = {.L = L, .at = bytes.text, .end = bytes.text + bytes.size};
  int n = 0;
  lua_newtable(L);
  r.tables = lua_gettop(L);
  while (r.at < r.end) {
    luaL_checkstack(L, 8, NULL);
    if (!plain_get(&r, 0)) {
      lua_settop(L, r.tables - 1);
      return -1;
    }
    n++;
  }
  lua_remove(L, r.tables);
  return n;
}
