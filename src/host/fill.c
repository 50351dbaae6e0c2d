/* Initializers of objects: a value, several, a table, a text, another object.
 */
#include "host/cdata.h"

#include <string.h>

/* The number of elements of an array that has so many bytes. */
static uint64_t fill_length(const md_ctypes *t, const md_ctype *type,
                            uint64_t size) {
  uint64_t each = md_ctype_at(t, type->of)->size;
  if (!(type->flags & (MD_C_OPEN | MD_C_VARIABLE))) return type->length;
  return each > 0 ? size / each : 0;
}

static void fill_too_many(lua_State *L, md_ctype_id id, uint64_t room,
                          const cdata_place *place) {
  cdata_fail(L, "%s: expected at most %d values for '%s', got more",
             place->call, (int)room, cdata_type_text(L, id));
}

/* The first of n elements is the value of all others. */
static void fill_repeat(char *to, uint64_t each, uint64_t n) {
  for (uint64_t k = 1; k < n; k++) memcpy(to + k * each, to, each);
}

static void fill_text(lua_State *L, md_ctype_id id, char *to, uint64_t room,
                      int i, const cdata_place *place) {
  size_t length;
  const char *text = lua_tolstring(L, i, &length);
  if (length > room)
    cdata_fail(L, "%s: expected a text of at most %d bytes for '%s', got %d",
               place->call, (int)room, cdata_type_text(L, id), (int)length);
  memcpy(to, text, length + (length < room));
}

/* {1, 2}, or from [0] on if there is one. One value is that of all. */
static void fill_list(lua_State *L, md_ctype_id id, char *to, uint64_t room,
                      int i, const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id of = md_ctype_at(t, id)->of;
  uint64_t each = md_ctype_at(t, of)->size, n = 0;
  bool zero = lua_geti(L, i, 0) != LUA_TNIL;
  lua_pop(L, 1);
  luaL_checkstack(L, 8, NULL);
  while (lua_geti(L, i, (lua_Integer)n + !zero) != LUA_TNIL) {
    cdata_place element = {place->call, "element", (uint32_t)n + !zero};
    if (n == room) fill_too_many(L, id, room, place);
    cdata_put(L, of, to + n * each, lua_gettop(L), &element);
    lua_pop(L, 1);
    n++;
  }
  lua_pop(L, 1);
  if (n == 1) fill_repeat(to, each, room);
}

static void fill_array(lua_State *L, md_ctype_id id, char *to, uint64_t size,
                       int first, int n, const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id of = md_ctype_at(t, id)->of;
  const md_ctype *element = md_ctype_at(t, of);
  uint64_t room = fill_length(t, md_ctype_at(t, id), size);
  int kind = lua_type(L, first);
  if (n == 1 && kind == LUA_TSTRING && element->kind == MD_C_INTEGER &&
      element->size == 1) {
    fill_text(L, id, to, room, first, place);
  } else if (n == 1 && kind == LUA_TTABLE) {
    fill_list(L, id, to, room, first, place);
  } else {
    uint64_t each = element->size;
    if ((uint64_t)n > room) fill_too_many(L, id, room, place);
    for (int k = 0; k < n; k++) {
      cdata_place one = {place->call, "element", (uint32_t)k};
      if (n == 1) one = *place;
      cdata_put(L, of, to + (uint64_t)k * each, first + k, &one);
    }
    if (n == 1) fill_repeat(to, each, room);
  }
}

/* -- structs -- */

/* Members in their order, those of nameless ones in their place; a union has
   but its first. */
typedef struct fill_walk {
  lua_State *L;
  const cdata_place *place;
  char *to;
  int table;       /* of named values, or 0 */
  int first, left; /* values in their order */
  bool list;       /* they are the table's list */
  lua_Integer next;
} fill_walk;

static bool fill_fetch(fill_walk *w, const md_cmember *m) {
  lua_State *L = w->L;
  if (w->list) lua_geti(L, w->table, w->next++);
  else if (w->table != 0)
    lua_getfield(L, w->table, md_cname_text(native_of(L)->types, m->name));
  else if (w->left == 0) return false;
  else {
    lua_pushvalue(L, w->first++);
    w->left--;
  }
  return true;
}

static void fill_members(fill_walk *w, md_ctype_id id, uint64_t offset) {
  lua_State *L = w->L;
  const md_ctypes *t = native_of(L)->types;
  md_ctype whole = *md_ctype_at(t, id);
  luaL_checkstack(L, 8, NULL);
  for (uint32_t k = 0; k < whole.count; k++) {
    md_cmember m = t->members[whole.first + k];
    if (m.name == 0) {
      fill_members(w, m.type, offset + m.offset);
    } else {
      if (!fill_fetch(w, &m)) return;
      char what[80];
      snprintf(what, sizeof what, "member '%.60s'", md_cname_text(t, m.name));
      cdata_place member = {w->place->call, what, 0};
      if (!lua_isnil(L, -1))
        cdata_put(L, m.type, w->to + offset + m.offset, lua_gettop(L), &member);
      lua_pop(L, 1);
    }
    if (whole.kind == MD_C_UNION && (w->table == 0 || w->list)) return;
  }
}

/* A name in a table that no member has. */
static void fill_check(lua_State *L, md_ctype_id id, int table,
                       const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  uint64_t offset;
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
    size_t length;
    if (lua_type(L, -2) != LUA_TSTRING) continue;
    const char *text = lua_tolstring(L, -2, &length);
    uint32_t name = md_cname_find(t, text, length);
    if (name == 0 || md_ctype_member(t, id, name, &offset) == NULL)
      cdata_fail(L, "%s: '%s' has no member '%s'", place->call,
                 cdata_type_text(L, id), text);
  }
}

static void fill_whole(lua_State *L, md_ctype_id id, char *to, int first, int n,
                       const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  fill_walk w = {
      .L = L, .place = place, .to = to, .first = first, .left = n, .next = 1};
  if (n == 1 && lua_type(L, first) == LUA_TTABLE) {
    w.table = first;
    w.list = lua_geti(L, first, 1) != LUA_TNIL;
    lua_pop(L, 1);
    fill_check(L, id, first, place);
  } else if (n == 1 && md_ctype_at(t, id)->count > 0 &&
             lua_type(L, first) == LUA_TSTRING &&
             strcmp(place->what, "initializer") != 0) {
    cdata_wrong(L, id, first, place, NULL);
  }
  fill_members(&w, id, 0);
  if (w.left > 0 && w.table == 0)
    fill_too_many(L, id, (uint64_t)(n - w.left), place);
}

void cdata_fill(lua_State *L, md_ctype_id id, char *to, uint64_t size,
                int first, int n, const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  uint8_t kind = md_ctype_at(t, id)->kind;
  const cdata *c = n == 1 ? cdata_at(L, first) : NULL;
  uint64_t left;
  first = lua_absindex(L, first);
  if (c != NULL && c->is == CDATA_OBJECT && c->type == id) {
    if (c->gone) cdata_reach(L, c, c->address, 0, place->call);
    uint64_t own = cdata_left(c, &left) ? left : md_ctype_at(t, id)->size;
    memmove(to, c->address, own < size ? own : size);
  } else if (kind == MD_C_ARRAY) {
    fill_array(L, id, to, size, first, n, place);
  } else if (kind == MD_C_STRUCT || kind == MD_C_UNION) {
    bool whole = strcmp(place->what, "initializer") == 0;
    if (!whole && lua_type(L, first) != LUA_TTABLE)
      cdata_wrong(L, id, first, place, NULL);
    fill_whole(L, id, to, first, n, place);
  } else {
    cdata_put(L, id, to, first, place);
  }
}
