/* Message types: what a message holds, declared once and checked where it is
   sent.

     type      the table that md.message returns; its metatable has the records'
     record    a table that a type has made; its metatable has the type, the n
               names of fields in order, then their patterns, and the layout
     layout    how those patterns are tried, without a look at them */
#include "host/modules.h"
#include "host/typed.h"

#include <string.h>

/* Their addresses are keys in metatables. */
static const char typed_records, typed_key;
const char typed_type;

enum { TYPED_DEEP = UINT8_MAX }; /* the pattern itself must be asked */

typedef struct typed_layout {
  const char *name;
  uint32_t count;
  uint8_t *kinds;      /* of the patterns, see host_match_kind */
  const char *names[]; /* of the fields; the records' metatable has them */
} typed_layout;

bool typed_field(lua_State *L, int i, const char *key) {
  if (lua_type(L, i) != LUA_TTABLE || !lua_getmetatable(L, i)) return false;
  if (lua_rawgetp(L, -1, key) != LUA_TNIL) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

int host_typed(lua_State *L, int i) {
  int type = typed_field(L, i, &typed_records) ? HOST_TYPE
             : typed_field(L, i, &typed_type)  ? HOST_RECORD
                                               : 0;
  if (type != 0) lua_pop(L, 1);
  return type;
}

const char *host_record_name(lua_State *L, int i) {
  if (lua_type(L, i) != LUA_TTABLE || !lua_getmetatable(L, i)) return NULL;
  lua_rawgetp(L, -1, &typed_key);
  const typed_layout *layout = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return layout ? layout->name : NULL;
}

bool host_record_of(lua_State *L, int v, int type) {
  if (!typed_field(L, v, &typed_type)) return false;
  bool yes = lua_rawequal(L, -1, type);
  lua_pop(L, 1);
  return yes;
}

bool host_same_type(lua_State *L, int a, int b) {
  if (!typed_field(L, a, &typed_type)) return false;
  bool yes = host_record_of(L, b, lua_gettop(L));
  lua_pop(L, 1);
  return yes;
}

/* -- texts -- */

void typed_pattern_text(lua_State *L, int i) {
  if (host_typed(L, i) == HOST_TYPE) lua_getfield(L, i, "name");
  else if (lua_istable(L, i)) lua_pushliteral(L, "a table");
  else if (lua_isuserdata(L, i)) luaL_tolstring(L, i, NULL);
  else host_describe(L, i);
}

/* "ping{from = md.is.pid, n = md.is.integer}", pushed: what is declared in the
   records' metatable at `meta`. */
static void typed_text(lua_State *L, int meta) {
  int n = (int)lua_rawlen(L, meta) / 2;
  lua_getfield(L, meta, "__name");
  lua_pushliteral(L, "{");
  lua_concat(L, 2);
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(L, meta, k);
    lua_rawgeti(L, meta, n + k);
    typed_pattern_text(L, lua_gettop(L));
    lua_remove(L, -2);
    lua_pushfstring(L, "%s%s = %s", k > 1 ? ", " : "", lua_tostring(L, -2),
                    lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_concat(L, 2);
  }
  lua_pushliteral(L, "}");
  lua_concat(L, 2);
}

/* -- records -- */

/* The value at the top does not match field k. */
static int typed_refuse(lua_State *L, const char *call, int meta, int k) {
  int value = lua_gettop(L), n = (int)lua_rawlen(L, meta) / 2;
  lua_rawgeti(L, meta, k);
  const char *field = lua_tostring(L, -1);
  lua_rawgeti(L, meta, n + k);
  typed_pattern_text(L, lua_gettop(L));
  const char *expected = lua_tostring(L, -1);
  lua_getfield(L, meta, "__name");
  const char *name = lua_tostring(L, -1);
  typed_text(L, meta);
  const char *whole = lua_tostring(L, -1);
  if (lua_isnil(L, value))
    return host_raise(L, "usage", "%s: %s lacks the field '%s', %s; it is %s",
                      call, name, field, expected, whole);
  return host_raise(L, "usage",
                    "%s: expected %s as the field '%s' of %s, got %s", call,
                    expected, field, name, host_describe(L, value));
}

/* Does the value at `value`, the top, match field k? */
static inline bool typed_match(lua_State *L, int value, int meta,
                               const typed_layout *layout, uint32_t k) {
  uint8_t kind = layout->kinds[k - 1];
  if (kind != TYPED_DEEP) return host_match_kind(kind, L, value);
  lua_rawgeti(L, meta, layout->count + k);
  bool yes = host_match(L, value + 1, L, value);
  lua_pop(L, 1);
  return yes;
}

/* The fields of the record at i must match; with `whole` all must be there.
   Returns how many are. The metatable is on the top, and what is left above it
   is the caller's to pop. */
static inline uint32_t typed_check(lua_State *L, const char *call, int i,
                                   int meta, const typed_layout *layout,
                                   bool whole) {
  uint32_t found = 0;
  int value = meta;
  if (layout->count > LUA_MINSTACK - 8)
    luaL_checkstack(L, (int)layout->count + 8, "too many fields");
  for (uint32_t k = 1; k <= layout->count; k++) {
    lua_rawgeti(L, meta, k);
    bool there = lua_rawget(L, i) != LUA_TNIL;
    value++;
    if ((there || whole) && !typed_match(L, value, meta, layout, k))
      typed_refuse(L, call, meta, (int)k);
    found += there;
  }
  return found;
}

void host_check_records(lua_State *L, const char *call, int first, int n) {
  for (int i = first; i < first + n; i++) {
    if (lua_type(L, i) != LUA_TTABLE || !lua_getmetatable(L, i)) continue;
    int meta = lua_gettop(L);
    lua_rawgetp(L, meta, &typed_key);
    const typed_layout *layout = lua_touserdata(L, -1);
    lua_settop(L, meta);
    if (layout != NULL) typed_check(L, call, i, meta, layout, true);
    lua_settop(L, meta - 1);
  }
}

/* The number of the field that is called as the string at i, 0: none is. */
static uint32_t typed_find(lua_State *L, int i, const typed_layout *layout) {
  const char *name = lua_type(L, i) == LUA_TSTRING ? lua_tostring(L, i) : "";
  for (uint32_t k = 1; k <= layout->count; k++) /* short ones are interned */
    if (layout->names[k - 1] == name) return k;
  for (uint32_t k = 1; k <= layout->count; k++)
    if (strcmp(layout->names[k - 1], name) == 0) return k;
  return 0;
}

/* Every field of the table at i must be the type's. */
static void typed_check_names(lua_State *L, int i, int meta,
                              const typed_layout *layout) {
  int key = lua_gettop(L) + 1;
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    if (typed_find(L, key, layout) == 0) {
      typed_text(L, meta);
      host_raise(L, "usage", "%s has no field %s; it is %s", layout->name,
                 host_describe(L, key), lua_tostring(L, key + 2));
    }
    lua_pop(L, 1);
  }
}

/* type, table -> the table, which is a record now. Upvalues: the records'
   metatable, its layout. */
static int mt_type_call(lua_State *L) {
  const typed_layout *layout = lua_touserdata(L, lua_upvalueindex(2));
  if (lua_type(L, 2) != LUA_TTABLE ||
      luaL_getmetafield(L, 2, "__name") != LUA_TNIL)
    return host_raise(L, "usage",
                      "%s: expected a table of its fields, got %s; %s{...}",
                      layout->name, host_describe(L, 2), layout->name);
  lua_settop(L, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (!host_of(L)->options.unchecked &&
      typed_check(L, layout->name, 2, 3, layout, false) < layout->count)
    typed_check_names(L, 2, 3, layout); /* a name may be misspelt */
  lua_settop(L, 3);
  lua_setmetatable(L, 2);
  return 1;
}

static int mt_type_tostring(lua_State *L) {
  typed_field(L, 1, &typed_records);
  typed_text(L, lua_gettop(L));
  return 1;
}

static int mt_record_tostring(lua_State *L) {
  lua_settop(L, 1);
  lua_getmetatable(L, 1);
  int n = (int)lua_rawlen(L, 2) / 2;
  bool first = true;
  lua_getfield(L, 2, "__name");
  lua_pushliteral(L, "{");
  lua_concat(L, 2);
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(L, 2, k);
    const char *field = lua_tostring(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL) {
      const char *text = host_describe(L, 4);
      lua_pushfstring(L, "%s%s = %s", first ? "" : ", ", field, text);
      lua_replace(L, 4);
      lua_settop(L, 4);
      lua_concat(L, 2);
      first = false;
    }
    lua_settop(L, 3);
  }
  lua_pushliteral(L, "}");
  lua_concat(L, 2);
  return 1;
}

/* Pushes the list of the names of the fields at i, sorted. */
static void typed_push_names(lua_State *L, int i) {
  int names = lua_gettop(L) + 1, n = 0;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    int value = lua_gettop(L);
    if (lua_type(L, -2) != LUA_TSTRING)
      host_raise(L, "usage",
                 "message: fields are named, got the key %s; "
                 "md.message(\"ping\", {n = md.is.integer})",
                 host_describe(L, value - 1));
    if (host_no_pattern(lua_type(L, -1)))
      host_raise(L, "usage",
                 "message: expected a pattern as the field '%s', got %s; "
                 "md.where(fn) matches where fn(value) is true",
                 lua_tostring(L, value - 1), host_describe(L, value));
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, names, ++n);
  }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_pushvalue(L, names);
  lua_call(L, 1, 0);
  lua_settop(L, names);
}

/* Turns the list of names on the top into the metatable of the records of the
   type at `type`, whose fields are at i, and pushes the layout. */
static void typed_lay_out(lua_State *L, int i, int type) {
  int meta = lua_gettop(L), n = (int)lua_rawlen(L, meta);
  size_t names = (size_t)n * sizeof(char *);
  typed_layout *layout =
      lua_newuserdatauv(L, sizeof *layout + names + (size_t)n, 0);
  layout->kinds = (uint8_t *)(void *)(layout->names + n);
  layout->count = (uint32_t)n;
  layout->name = lua_tostring(L, 1); /* the metatable has it, too */
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(L, meta, k);
    layout->names[k - 1] = lua_tostring(L, -1);
    lua_rawget(L, i);
    bool simple = host_kind(L, -1) == HOST_PATTERN;
    layout->kinds[k - 1] =
        simple ? (uint8_t)host_bits(lua_touserdata(L, -1)) : TYPED_DEEP;
    lua_rawseti(L, meta, n + k);
  }
  lua_pushvalue(L, -1);
  lua_rawsetp(L, meta, &typed_key);
  lua_pushvalue(L, type);
  lua_rawsetp(L, meta, &typed_type);
  lua_pushvalue(L, 1);
  lua_setfield(L, meta, "__name");
  lua_pushcfunction(L, mt_record_tostring);
  lua_setfield(L, meta, "__tostring");
}

/* message(name, fields [, doc]) -> message type
   Declares a type of messages: `fields` gives each field's name a pattern, such
   as md.is.integer. A call of the type with a table makes that table a record
   of it; fields that are there must match, and if one is missing, no other may
   be there. One that lacks a field is an error where it is sent. As a pattern
   the type matches its records, and itself; an incomplete record matches those
   with equal fields. The type has the fields name, fields and doc. With
   --unchecked nothing is checked. Raises usage for a wrong name or field.
     print(md.message("ping", { n = md.is.integer }) { n = 1 }) */
static int f_message(lua_State *L) {
  host_skip_sim(L);
  lua_settop(L, 3);
  if (lua_type(L, 1) != LUA_TSTRING)
    return host_raise(L, "usage",
                      "message: expected a name as argument 1, got %s; "
                      "md.message(\"ping\", {n = md.is.integer})",
                      host_describe(L, 1));
  if (!lua_istable(L, 2))
    return host_raise(L, "usage",
                      "message: expected a table of fields as argument 2, got "
                      "%s; md.message(\"ping\", {n = md.is.integer})",
                      host_describe(L, 2));
  lua_createtable(L, 0, 3);
  static const char *const names[] = {"name", "fields", "doc"};
  for (int i = 1; i <= 3; i++) {
    lua_pushvalue(L, i);
    lua_setfield(L, 4, names[i - 1]);
  }
  lua_createtable(L, 0, 4);
  typed_push_names(L, 2);
  typed_lay_out(L, 2, 4);
  lua_pushvalue(L, 6);
  lua_rawsetp(L, 5, &typed_records);
  lua_pushcclosure(L, mt_type_call, 2);
  lua_setfield(L, 5, "__call");
  lua_pushcfunction(L, mt_type_tostring);
  lua_setfield(L, 5, "__tostring");
  lua_pushliteral(L, "message type");
  lua_setfield(L, 5, "__name");
  lua_setmetatable(L, 4);
  host_of(L)->typed = !host_of(L)->options.unchecked;
  return 1;
}

void host_open_types(lua_State *L) {
  static const luaL_Reg functions[] = {{"message", f_message}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
