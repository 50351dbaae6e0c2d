#include "host/clauses.h"
#include "host/clause.h"
#include "host/pattern.h"

#include <string.h>

static const char clauses_meta;

bool clauses_at(lua_State *L, int i) {
  if (lua_type(L, i) != LUA_TUSERDATA || !lua_getmetatable(L, i)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clauses_meta);
  bool yes = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return yes;
}

/* A named field that nobody reads is a mistake: of the list of clauses, or of
   one clause, which is on the top and has n items. Is there any? Behind the
   last of an array are only its named fields; what `exact` looks for besides
   are those of a table that was filled in another order. */
static bool clauses_named(lua_State *L, int c, lua_Integer n, bool exact) {
  int table = lua_gettop(L);
  bool named = false;
  if (exact || n == 0) lua_pushnil(L);
  else lua_pushinteger(L, n);
  while (lua_next(L, table) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    const char *key = lua_tostring(L, -1);
    named = true;
    if (strcmp(key, c == 0 ? "after" : "when") == 0) continue;
    if (c == 0)
      host_raise(L, "usage",
                 "receive: there is no option '%s'; did you mean 'after'?",
                 key);
    if (strcmp(key, "after") == 0)
      host_raise(L, "usage",
                 "receive: 'after' is in clause %d; it stands beside them: "
                 "md.receive{ {\"ping\", fn}, after = {5, fn} }",
                 c);
    host_raise(L, "usage",
               "receive: there is no option '%s' in clause %d, which is a list "
               "of patterns and a function; did you mean 'when'?",
               key, c);
  }
  return named;
}

/* Pushes clause c of the list at i; how many items it has. */
static uint32_t clause_open(lua_State *L, int i, int c) {
  if (lua_rawgeti(L, i, c) != LUA_TTABLE)
    host_raise(L, "usage",
               "receive: expected clause %d to be a table of patterns and a "
               "function, {\"ping\", md.is.pid, fn}, got %s",
               c, host_describe(L, lua_gettop(L)));
  uint32_t items = (uint32_t)lua_rawlen(L, -1);
  if (items > 0) return items;
  clauses_named(L, c, 0, true);
  return (uint32_t)host_raise(
      L, "usage",
      "receive: clause %d is empty; {md._, fn} takes any message, and named "
      "fields do not count as patterns",
      c);
}

/* A pattern or literal is kept, so that it lives and can be given back. */
static lua_Integer clause_keep(lua_State *L, clauses *compiled, int keep) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, keep, ++compiled->kept);
  return compiled->kept;
}

/* Fills a cell from the pattern on the top, which is kept in `keep`. */
static void clause_fill(lua_State *L, clauses *compiled, clause_cell *cell,
                        int keep) {
  int i = lua_gettop(L), type = lua_type(L, i), whole;
  *cell = (clause_cell){.type = (uint8_t)type};
  switch (type) {
  case LUA_TSTRING:
    cell->pointer = lua_tolstring(L, i, &cell->length);
    cell->tag = host_text_tag(cell->pointer, cell->length);
    clause_keep(L, compiled, keep);
    return;
  case LUA_TNUMBER:
    cell->integer = lua_tointegerx(L, i, &whole);
    cell->whole = whole;
    if (!whole) cell->number = lua_tonumber(L, i);
    clause_keep(L, compiled, keep);
    break;
  case LUA_TNIL:
    break;
  case LUA_TBOOLEAN:
    cell->integer = lua_toboolean(L, i);
    break;
  case LUA_TLIGHTUSERDATA:
    cell->pointer = lua_touserdata(L, i);
    if (host_kind_of(cell->pointer) != HOST_PATTERN) break;
    cell->type = CELL_KIND;
    cell->pattern = (uint8_t)host_bits(cell->pointer);
    return;
  default:
    if (!host_deep(L, i)) {
      cell->pointer = lua_topointer(L, i);
      clause_keep(L, compiled, keep);
      break;
    }
    cell->type = CELL_DEEP;
    cell->tag = host_pattern_tag(L, i);
    cell->integer = clause_keep(L, compiled, keep);
    return;
  }
  cell->tag = host_tag(L, i);
}

/* Keeps the guard of clause c, the table on the top, if it has one: where. */
static uint32_t clause_guard_of(lua_State *L, clauses *compiled, int c,
                                int keep) {
  lua_getfield(L, -1, "when");
  bool guarded = !lua_isnil(L, -1);
  if (guarded && !lua_isfunction(L, -1))
    host_raise(L, "usage",
               "receive: expected a function as `when` of clause %d, got %s; "
               "it gets what the clause's function would get",
               c, host_describe(L, -1));
  uint32_t guard = guarded ? (uint32_t)clause_keep(L, compiled, keep) : 0;
  lua_pop(L, 1);
  return guard;
}

/* One clause from the table on the top, with its n items. */
static uint32_t clause_compile(lua_State *L, clauses *compiled, int c,
                               uint32_t n, int keep) {
  clause_cell *cells = clause_cells(compiled) + compiled->cells;
  int table = lua_gettop(L);
  if (lua_rawgeti(L, table, n) == LUA_TFUNCTION) {
    lua_rawseti(L, keep, c);
    n--;
  }
  for (uint32_t k = 0; k < n; k++) {
    if (lua_rawgeti(L, table, k + 1) == LUA_TFUNCTION)
      host_raise(L, "usage",
                 "receive: the function of clause %d must come last, and "
                 "stands at place %d; patterns go before it",
                 c, (int)k + 1);
    clause_fill(L, compiled, &cells[k], keep);
    lua_settop(L, table);
  }
  return n;
}

static clauses *clauses_push(lua_State *L, int n, uint32_t room) {
  size_t size = (size_t)n * sizeof(clause) + room * sizeof(clause_cell);
  clauses *compiled = lua_newuserdatauv(L, sizeof *compiled + size, 1);
  compiled->count = (uint32_t)n;
  compiled->room = room;
  return compiled;
}

/* A userdata for n clauses, with room for cells, and the table that it keeps.
 */
static clauses *clauses_new(lua_State *L, int n, uint32_t room, bool timed) {
  clauses *compiled = clauses_push(L, n, room);
  compiled->cells = 0;
  compiled->kept = (uint32_t)n;
  compiled->filter = false;
  compiled->timed = timed;
  lua_createtable(L, 2 * n, timed);
  return compiled;
}

/* The same with room for so many cells more; what it keeps is at `keep`. */
static clauses *clauses_grow(lua_State *L, clauses *c, uint32_t more,
                             int keep) {
  if (c->cells + more <= c->room) return c;
  clauses *grown = clauses_push(L, (int)c->count, 2 * c->room + more);
  uint32_t room = grown->room;
  memcpy(grown, c, (size_t)((char *)(clause_cells(c) + c->cells) - (char *)c));
  grown->room = room;
  lua_replace(L, keep - 1);
  return grown;
}

/* Complete: gets what it keeps, which is on the top, and its metatable. */
static void clauses_finish(lua_State *L) {
  lua_setiuservalue(L, -2, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clauses_meta);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "clauses");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clauses_meta);
  }
  lua_setmetatable(L, -2);
}

/* Does whatever matches cell b match a? */
static bool cell_covers(const clause_cell *a, const clause_cell *b) {
  if (a->type == CELL_KIND)
    return b->type == CELL_KIND ? host_kind_covers(a->pattern, b->pattern)
                                : host_kind_of_type(a->pattern, b->type);
  if (a->type != b->type || a->tag != b->tag || a->type == CELL_DEEP)
    return false;
  if (a->type == LUA_TNUMBER)
    return a->whole == b->whole &&
           (a->whole ? a->integer == b->integer : a->number == b->number);
  if (a->type == LUA_TSTRING)
    return a->length == b->length &&
           memcmp(a->pointer, b->pointer, a->length) == 0;
  return a->integer == b->integer;
}

/* Does whatever matches clause b match a? */
static bool clause_covers(const clause_cell *cells, const clause *a,
                          const clause *b) {
  uint64_t tag = a->count ? cells[a->first].tag : 0;
  if (a->guard || a->count > b->count) return false;
  if (tag != 0 && tag != cells[b->first].tag) return false;
  for (uint32_t k = 0; k < a->count; k++)
    if (!cell_covers(&cells[a->first + k], &cells[b->first + k])) return false;
  return true;
}

/* A clause that an earlier one always goes before is never reached. */
static void clauses_find_hidden(lua_State *L, clauses *compiled, int c) {
  const clause *list = compiled->list;
  for (int e = 1; e < c; e++)
    if (clause_covers(clause_cells(compiled), &list[e - 1], &list[c - 1]))
      host_raise(
          L, "usage",
          "receive: clause %d can never be reached: clause %d takes every "
          "message that it matches; put it first, or leave it out",
          c, e);
}

void clauses_compile_one(lua_State *L, const char *call, int first, int n,
                         bool filter) {
  bool predicate = n < 0;
  if (predicate) n = 0;
  clauses *compiled = clauses_new(L, 1, (uint32_t)n, false);
  int keep = lua_gettop(L);
  compiled->filter = filter;
  for (int k = 0; k < n; k++) {
    if (host_no_pattern(lua_type(L, first + k)))
      host_raise(L, "usage",
                 "%s: expected a predicate alone, or patterns; got %s among "
                 "patterns",
                 call, host_describe(L, first + k));
    lua_pushvalue(L, first + k);
    clause_fill(L, compiled, &clause_cells(compiled)[k], keep);
    lua_settop(L, keep);
  }
  compiled->cells = (uint32_t)n;
  compiled->list[0] = (clause){0, (uint32_t)n, 0};
  if (predicate) {
    lua_pushvalue(L, first);
    compiled->list[0].guard = (uint32_t)clause_keep(L, compiled, keep);
    lua_pop(L, 1);
  }
  clauses_finish(L);
}

bool clauses_filter(lua_State *C, int i) {
  return ((clauses *)lua_touserdata(C, i))->filter;
}

void clauses_compile(lua_State *L, int i, bool exact) {
  i = lua_absindex(L, i);
  if (!lua_istable(L, i))
    host_raise(L, "usage",
               "receive: expected a table of clauses, got %s; "
               "md.receive{ {\"ping\", fn}, ... }",
               host_describe(L, i));
  int n = (int)lua_rawlen(L, i);
  lua_pushvalue(L, i);
  bool timed = clauses_named(L, 0, n, exact);
  lua_pop(L, 1);
  clauses *compiled = clauses_new(L, n, 4 * (uint32_t)n, timed);
  int keep = lua_gettop(L);
  for (int c = 1; c <= n; c++) {
    uint32_t items = clause_open(L, i, c), first = compiled->cells;
    compiled = clauses_grow(L, compiled, items, keep);
    uint32_t guard = clauses_named(L, c, items, exact)
                         ? clause_guard_of(L, compiled, c, keep)
                         : 0;
    uint32_t count = clause_compile(L, compiled, c, items, keep);
    compiled->list[c - 1] = (clause){first, count, guard};
    compiled->cells += count;
    clauses_find_hidden(L, compiled, c);
    lua_settop(L, keep);
  }
  if (timed) {
    lua_getfield(L, i, "after");
    lua_setfield(L, keep, "after");
  }
  clauses_finish(L);
}

bool clauses_timed(lua_State *C, int i) {
  return ((clauses *)lua_touserdata(C, i))->timed;
}

/* The first pid or ref among the literals of a clause. */
static const void *clause_name(const clause *it, const clause_cell *cells) {
  for (uint32_t k = it->first; k < it->first + it->count; k++)
    if (cells[k].type == LUA_TLIGHTUSERDATA) return cells[k].pointer;
  return NULL;
}

const void *clauses_name(lua_State *C, int i) {
  clauses *compiled = lua_touserdata(C, i);
  const clause_cell *cells = clause_cells(compiled);
  const void *name = NULL;
  for (uint32_t c = 0; c < compiled->count; c++) {
    const void *own = clause_name(&compiled->list[c], cells);
    if (own == NULL || (c > 0 && own != name)) return NULL;
    name = own;
  }
  return name;
}
