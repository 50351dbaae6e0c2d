/* Patterns. Matching compares two states' values in place and pushes nothing,
   so a sender can try its message against what a waiting process asks for. */
#include "host/pattern.h"

#include <string.h>

enum {
  MATCH_ANY,
  MATCH_NUMBER,
  MATCH_INTEGER,
  MATCH_STRING,
  MATCH_BOOLEAN,
  MATCH_TABLE,
  MATCH_FUNC,
  MATCH_PID,
  MATCH_REF,
  MATCH_SHORT = 40, /* strings up to this length are interned by Lua */
};

static uint64_t match_mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return (x ^ x >> 31) | 1; /* 0 is no tag */
}

static uint64_t match_bytes(const char *text, size_t n) {
  uint64_t hash = n * 0x9e3779b97f4a7c15u;
  for (; n >= 8; n -= 8, text += 8) {
    uint64_t word;
    memcpy(&word, text, 8);
    hash = match_mix(hash ^ word);
  }
  uint64_t word = 0;
  memcpy(&word, text, n);
  return match_mix(hash ^ word);
}

static uint64_t match_number(lua_State *L, int i) {
  lua_Integer n;
  if (lua_isinteger(L, i)) return match_mix((uint64_t)lua_tointeger(L, i));
  lua_Number x = lua_tonumber(L, i);
  /* 1 and 1.0 are equal, so they have one tag */
  if (lua_numbertointeger(x, &n) && (lua_Number)n == x)
    return match_mix((uint64_t)n);
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return match_mix(bits);
}

/* An interned string is known by its address. */
uint64_t host_text_tag(const char *text, size_t n) {
  return n <= MATCH_SHORT ? (uint64_t)(uintptr_t)text : match_bytes(text, n);
}

uint64_t host_tag(lua_State *L, int i) {
  size_t n;
  const char *text;
  switch (lua_type(L, i)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, i, &n);
    return host_text_tag(text, n);
  case LUA_TNUMBER:
    return match_number(L, i);
  case LUA_TLIGHTUSERDATA:
    return (uint64_t)(uintptr_t)lua_touserdata(L, i);
  case LUA_TBOOLEAN:
    return lua_toboolean(L, i) ? 3 : 5;
  case LUA_TNIL:
  case LUA_TNONE:
    return 7;
  default:
    return (uint64_t)(uintptr_t)lua_topointer(L, i);
  }
}

uint64_t host_pattern_tag(lua_State *L, int i) {
  if (host_kind(L, i) == HOST_PATTERN) return 0;
  return host_deep(L, i) ? host_deep_tag(L, i) : host_tag(L, i);
}

bool host_literal_object(lua_State *P, int p, int type) {
  if (type == LUA_TLIGHTUSERDATA) return host_kind(P, p) != HOST_PATTERN;
  return !host_deep(P, p);
}

bool host_match_kind(uint64_t pattern, lua_State *V, int v) {
  switch (pattern) {
  case MATCH_ANY:
    return true;
  case MATCH_NUMBER:
    return lua_type(V, v) == LUA_TNUMBER;
  case MATCH_INTEGER:
    return lua_isinteger(V, v);
  case MATCH_STRING:
    return lua_type(V, v) == LUA_TSTRING;
  case MATCH_BOOLEAN:
    return lua_type(V, v) == LUA_TBOOLEAN;
  case MATCH_TABLE:
    return lua_type(V, v) == LUA_TTABLE;
  case MATCH_FUNC:
    return lua_type(V, v) == LUA_TFUNCTION;
  case MATCH_PID:
    return host_kind(V, v) == HOST_PID;
  case MATCH_REF:
    return host_kind(V, v) == HOST_REF;
  default:
    return false;
  }
}

bool host_kind_covers(uint64_t a, uint64_t b) {
  return a == MATCH_ANY || a == b || (a == MATCH_NUMBER && b == MATCH_INTEGER);
}

bool host_kind_of_type(uint64_t pattern, int type) {
  return pattern == MATCH_ANY ||
         (pattern == MATCH_NUMBER && type == LUA_TNUMBER) ||
         (pattern == MATCH_STRING && type == LUA_TSTRING) ||
         (pattern == MATCH_BOOLEAN && type == LUA_TBOOLEAN);
}

/* Raw equality of numbers: a tag alone would take 0.5 for the integer of the
   same bits, and NaN for itself. */
static bool match_same_number(lua_State *A, int a, lua_State *B, int b) {
  int whole_a, whole_b;
  lua_Integer x = lua_tointegerx(A, a, &whole_a);
  lua_Integer y = lua_tointegerx(B, b, &whole_b);
  if (whole_a && whole_b) return x == y;
  return whole_a == whole_b && lua_tonumber(A, a) == lua_tonumber(B, b);
}

/* Raw equality of two states' values, the first of which is of that type. */
static bool match_equal(int type, lua_State *A, int a, lua_State *B, int b) {
  size_t n, m;
  const char *x, *y;
  if (type != lua_type(B, b)) return false;
  switch (type) {
  case LUA_TNIL:
    return true;
  case LUA_TBOOLEAN:
    return lua_toboolean(A, a) == lua_toboolean(B, b);
  case LUA_TLIGHTUSERDATA:
    return lua_touserdata(A, a) == lua_touserdata(B, b);
  case LUA_TNUMBER:
    return match_same_number(A, a, B, b);
  case LUA_TSTRING:
    x = lua_tolstring(A, a, &n);
    y = lua_tolstring(B, b, &m);
    return x == y || (n == m && n > MATCH_SHORT && memcmp(x, y, n) == 0);
  default:
    return lua_topointer(A, a) == lua_topointer(B, b);
  }
}

bool host_match(lua_State *P, int p, lua_State *V, int v) {
  int type = lua_type(P, p);
  const void *light;
  switch (type) {
  case LUA_TLIGHTUSERDATA:
    light = lua_touserdata(P, p);
    if (host_kind_of(light) == HOST_PATTERN)
      return lua_type(V, v) != LUA_TNONE &&
             host_match_kind(host_bits(light), V, v);
    return lua_touserdata(V, v) == light;
  case LUA_TTABLE:
  case LUA_TUSERDATA:
    if (host_deep(P, p)) return host_match_deep(P, p, V, v);
    break;
  default:
    break;
  }
  return match_equal(type, P, p, V, v);
}

/* -- digests -- */

/* One word of a value: enough to tell most apart, and never an address. Of a
   pid or ref the sim is left out: two sims with one story have one hash. */
static uint64_t match_digest(lua_State *L, int i) {
  size_t n;
  const char *text;
  uint64_t word = 0;
  lua_Number x;
  switch (lua_type(L, i)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, i, &n);
    memcpy(&word, text, n < 8 ? n : 8);
    return word ^ (uint64_t)n << 56;
  case LUA_TNUMBER:
    x = lua_tonumber(L, i);
    memcpy(&word, &x, sizeof word);
    return word;
  case LUA_TLIGHTUSERDATA:
    return host_digest_light((uint64_t)(uintptr_t)lua_touserdata(L, i));
  case LUA_TBOOLEAN:
    return lua_toboolean(L, i) ? 3 : 5;
  default:
    return (uint64_t)lua_type(L, i) + 11;
  }
}

uint64_t host_digest(lua_State *L, int first, int n) {
  uint64_t hash = (uint64_t)n;
  if (n > HOST_DIGESTED) n = HOST_DIGESTED;
  for (int i = 0; i < n; i++)
    hash = host_digest_mix(hash, match_digest(L, first + i));
  return hash;
}
