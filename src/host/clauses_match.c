/* Compiled clauses at work: which of them a message matches, and what it has
   for that one's function. */
#include "host/clause.h"
#include "host/pattern.h"

#include <string.h>

/* -- matching -- */

/* Raw equality: tags alone would take 0.5 for the integer of the same bits. */
static bool clause_equal_number(const clause_cell *cell, lua_State *L, int i) {
  int whole;
  lua_Integer n = lua_tointegerx(L, i, &whole);
  if (whole || cell->whole) return whole && cell->whole && n == cell->integer;
  return lua_tonumber(L, i) == cell->number;
}

static bool clause_equal(const clause_cell *cell, lua_State *L, int i) {
  size_t n;
  const char *text;
  if (cell->type == CELL_KIND)
    return lua_type(L, i) != LUA_TNONE && host_match_kind(cell->pattern, L, i);
  if (cell->type != lua_type(L, i)) return false;
  switch (cell->type) {
  case LUA_TNIL:
    return true;
  case LUA_TBOOLEAN:
    return lua_toboolean(L, i) == cell->integer;
  case LUA_TNUMBER:
    return clause_equal_number(cell, L, i);
  case LUA_TLIGHTUSERDATA:
    return lua_touserdata(L, i) == cell->pointer;
  case LUA_TSTRING:
    text = lua_tolstring(L, i, &n);
    return text == cell->pointer ||
           (n == cell->length && memcmp(text, cell->pointer, n) == 0);
  default:
    return lua_topointer(L, i) == cell->pointer;
  }
}

int clauses_count(lua_State *C, int i) {
  return (int)((clauses *)lua_touserdata(C, i))->count;
}

static uint64_t clause_tag(clauses *compiled, uint32_t c) {
  const clause *it = &compiled->list[c];
  return it->count ? clause_cells(compiled)[it->first].tag : 0;
}

uint64_t clauses_tag(lua_State *C, int i, int c) {
  return clause_tag(lua_touserdata(C, i), (uint32_t)c - 1);
}

bool clauses_may(lua_State *C, int i, uint64_t tag) {
  clauses *compiled = lua_touserdata(C, i);
  for (uint32_t c = 0; c < compiled->count; c++) {
    uint64_t own = clause_tag(compiled, c);
    if (own == 0 || own == tag) return true;
  }
  return false;
}

static bool clause_equal_deep(const clause_cell *cell, lua_State *C, int i,
                              lua_State *L, int value) {
  lua_getiuservalue(C, i, 1);
  lua_rawgeti(C, -1, cell->integer);
  bool yes = host_match_deep(C, lua_gettop(C), L, value);
  lua_pop(C, 2);
  return yes;
}

/* Asks the guard of clause c, which gets what the clause's function would. */
static bool clause_guard(lua_State *C, int i, int c, lua_State *L, int first,
                         int n) {
  const clauses *compiled = lua_touserdata(C, i);
  const clause *it = &compiled->list[c - 1];
  const clause_cell *cells = clause_cells((clauses *)(uintptr_t)compiled);
  luaL_checkstack(L, n + 4, "a message has too many values");
  lua_getiuservalue(C, i, 1);
  lua_rawgeti(C, -1, it->guard);
  lua_remove(C, -2);
  if (C != L) lua_xmove(C, L, 1);
  int base = lua_gettop(L);
  for (uint32_t k = 0; k < (uint32_t)n; k++)
    if (k >= it->count || clause_captures(&cells[it->first + k]))
      lua_pushvalue(L, first + (int)k);
  return host_guard(L, C == L, lua_gettop(L) - base);
}

static bool clause_match(clauses *compiled, lua_State *C, int i, int c,
                         lua_State *L, int first, int n) {
  const clause *it = &compiled->list[c - 1];
  const clause_cell *cells = clause_cells(compiled) + it->first;
  if ((int)it->count > n) return false;
  for (uint32_t k = 0; k < it->count; k++)
    if (cells[k].type == CELL_DEEP
            ? !clause_equal_deep(&cells[k], C, i, L, first + (int)k)
            : !clause_equal(&cells[k], L, first + (int)k))
      return false;
  return it->guard == 0 || clause_guard(C, i, c, L, first, n);
}

int clauses_find(lua_State *C, int i, lua_State *L, int first, int n) {
  clauses *compiled = lua_touserdata(C, i);
  uint64_t tag = compiled->count > 1 ? host_tag(L, first) : 0;
  for (uint32_t c = 0; c < compiled->count; c++) {
    uint64_t own = clause_tag(compiled, c);
    if (own != 0 && tag != 0 && own != tag) continue;
    if (clause_match(compiled, C, i, (int)c + 1, L, first, n))
      return (int)c + 1;
  }
  return 0;
}

/* -- moving -- */

bool clauses_move(lua_State *leaf, int c, lua_State *L, int first, int n) {
  clauses *compiled = lua_touserdata(leaf, 1);
  const clause *it = &compiled->list[c - 1];
  const clause_cell *cells = clause_cells(compiled) + it->first;
  if (!lua_checkstack(leaf, n + 1)) return false;
  lua_pushinteger(leaf, c);
  for (uint32_t k = 0; k < it->count; k++) {
    if (!clause_captures(&cells[k])) continue;
    lua_pushvalue(L, first + (int)k);
    lua_xmove(L, leaf, 1);
  }
  lua_xmove(L, leaf, n - (int)it->count);
  lua_pop(L, (int)it->count);
  return true;
}

void clauses_gather(lua_State *L, int at, int c, int first) {
  clauses *compiled = lua_touserdata(L, at);
  const clause *it = &compiled->list[c - 1];
  const clause_cell *cells = clause_cells(compiled) + it->first;
  int kept = first - 1, top = lua_gettop(L);
  for (int i = first; i <= top; i++) {
    uint32_t k = (uint32_t)(i - first);
    if (k < it->count && !clause_captures(&cells[k])) continue;
    lua_copy(L, i, ++kept);
  }
  lua_settop(L, kept);
  lua_pushinteger(L, c);
  lua_insert(L, first);
}

/* Pushes the literal of a cell onto L. The leaf lends its stack. */
static void clause_literal(lua_State *L, lua_State *leaf,
                           const clause_cell *cell) {
  switch (cell->type) {
  case LUA_TNIL:
    lua_pushnil(L);
    return;
  case LUA_TBOOLEAN:
    lua_pushboolean(L, (int)cell->integer);
    return;
  case LUA_TLIGHTUSERDATA:
    lua_pushlightuserdata(L, (void *)(uintptr_t)cell->pointer);
    return;
  default:
    break;
  }
  lua_Integer n = ((const clauses *)lua_touserdata(leaf, 1))->kept;
  lua_getiuservalue(leaf, 1, 1); /* the object that has its address or tag */
  for (lua_Integer k = 1; k <= n; k++) {
    lua_rawgeti(leaf, -1, k);
    if (lua_type(leaf, -1) == cell->type && clause_equal(cell, leaf, -1)) break;
    lua_pop(leaf, 1);
  }
  lua_xmove(leaf, L, 1);
  lua_settop(leaf, -2);
}

int clauses_restore(lua_State *leaf, lua_State *L) {
  clauses *compiled = lua_touserdata(leaf, 1);
  const clause *it = &compiled->list[lua_tointeger(leaf, 2) - 1];
  const clause_cell *cells = clause_cells(compiled) + it->first;
  int next = 3, base = lua_gettop(L), top = lua_gettop(leaf);
  luaL_checkstack(L, top + (int)it->count, NULL);
  for (uint32_t k = 0; k < it->count; k++) {
    if (!clause_captures(&cells[k])) {
      clause_literal(L, leaf, &cells[k]);
    } else {
      lua_pushvalue(leaf, next++);
      lua_xmove(leaf, L, 1);
    }
  }
  for (; next <= top; next++) {
    lua_pushvalue(leaf, next);
    lua_xmove(leaf, L, 1);
  }
  lua_settop(leaf, 1);
  return lua_gettop(L) - base;
}
