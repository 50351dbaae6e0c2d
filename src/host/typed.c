/* Typed messages and protocols: what a message holds, declared once and checked
   where it is sent.

     type      the table that md.message returns; its metatable has the records'
     record    a table that a type has made; its metatable has the type, the n
               names of fields in order, then their patterns, and the layout
     layout    how those patterns are tried, without a look at them
     protocol  a table whose metatable has its rules: by method a list of
               patterns or a type, [type] = true, and its text at [1] */
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

/* Their addresses are keys in metatables. */
static const char typed_records, typed_type, typed_key, typed_rules;

enum { TYPED_DEEP = UINT8_MAX }; /* the pattern itself must be asked */

typedef struct typed_layout {
  const char *name;
  uint32_t count;
  uint8_t *kinds;      /* of the patterns, see host_match_kind */
  const char *names[]; /* of the fields; the records' metatable has them */
} typed_layout;

/* Pushes what the metatable of the value at i has under the key; false, pushing
   nothing, if there is none. */
static bool typed_field(lua_State *L, int i, const char *key) {
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

/* A pattern as an error shows it, pushed. */
static void typed_pattern_text(lua_State *L, int i) {
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

/* Does the value on the top match field k? */
static bool typed_match(lua_State *L, int meta, const typed_layout *layout,
                        uint32_t k) {
  uint8_t kind = layout->kinds[k - 1];
  if (kind != TYPED_DEEP) return host_match_kind(kind, L, lua_gettop(L));
  lua_rawgeti(L, meta, layout->count + k);
  bool yes = host_match(L, lua_gettop(L), L, lua_gettop(L) - 1);
  lua_pop(L, 1);
  return yes;
}

void host_check_records(lua_State *L, const char *call, int first, int n) {
  for (int i = first; i < first + n; i++) {
    if (lua_type(L, i) != LUA_TTABLE || !lua_getmetatable(L, i)) continue;
    int meta = lua_gettop(L);
    lua_rawgetp(L, meta, &typed_key);
    const typed_layout *layout = lua_touserdata(L, -1);
    for (uint32_t k = 1; layout != NULL && k <= layout->count; k++) {
      lua_rawgeti(L, meta, k);
      lua_rawget(L, i);
      if (!typed_match(L, meta, layout, k)) typed_refuse(L, call, meta, (int)k);
      lua_pop(L, 1);
    }
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

/* The fields that the table at i has must be the type's, and match. */
static void typed_check(lua_State *L, int i, int meta,
                        const typed_layout *layout) {
  int key = lua_gettop(L) + 1;
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    uint32_t k = typed_find(L, key, layout);
    if (k == 0) {
      typed_text(L, meta);
      host_raise(L, "usage", "%s has no field %s; it is %s", layout->name,
                 host_describe(L, key), lua_tostring(L, key + 2));
    }
    if (!typed_match(L, meta, layout, k))
      typed_refuse(L, layout->name, meta, (int)k);
    lua_pop(L, 1);
  }
}

/* type, table -> the table, which is a record now. Upvalues: the records'
   metatable, its layout. */
static int mt_type_call(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (!lua_istable(L, 2) || luaL_getmetafield(L, 2, "__name") != LUA_TNIL) {
    lua_getfield(L, 3, "__name");
    const char *name = lua_tostring(L, -1);
    return host_raise(L, "usage",
                      "%s: expected a table of its fields, got %s; %s{...}",
                      name, host_describe(L, 2), name);
  }
  if (!host_of(L)->options.unchecked)
    typed_check(L, 2, 3, lua_touserdata(L, lua_upvalueindex(2)));
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
   of it; fields that are there must match, others may not be there. One that
   lacks a field is an error where it is sent. As a pattern the type matches its
   records, and itself; an incomplete record matches those with equal fields.
   The type has the fields name, fields and doc. With --unchecked nothing is
   checked. Raises usage for a wrong name or field.
     print(md.message("ping", { n = md.is.integer }) { n = 1 }) */
static int f_message(lua_State *L) {
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

/* -- protocols -- */

/* "ping(md.is.pid, md.is.ref)" of a rule at the top, which it replaces. */
static void protocol_rule_text(lua_State *L, const char *method) {
  int rule = lua_gettop(L);
  if (host_typed(L, rule) == HOST_TYPE) {
    luaL_tolstring(L, rule, NULL);
    lua_replace(L, rule);
    return;
  }
  lua_pushfstring(L, "%s(", method);
  lua_Integer n = (lua_Integer)lua_rawlen(L, rule);
  for (lua_Integer k = 1; k <= n; k++) {
    if (k > 1) lua_pushliteral(L, ", ");
    lua_rawgeti(L, rule, k);
    typed_pattern_text(L, lua_gettop(L));
    lua_remove(L, -2);
    lua_concat(L, k > 1 ? 3 : 2);
  }
  lua_pushliteral(L, ")");
  lua_concat(L, 2);
  lua_replace(L, rule);
}

static int protocol_refuse(lua_State *L, int key, int rule) {
  return host_raise(L, "usage",
                    "protocol: expected {pattern, ...} or a message type for "
                    "%s, got %s; md.protocol{ping = {md.is.pid}, stop = {}}",
                    host_describe(L, key), host_describe(L, rule));
}

/* One entry at key, rule; adds its text to the list at `texts`. */
static void protocol_add(lua_State *L, int key, int rule, int rules,
                         int texts) {
  bool type = host_typed(L, rule) == HOST_TYPE;
  if (!lua_istable(L, rule)) protocol_refuse(L, key, rule);
  lua_pushvalue(L, rule);
  if (lua_type(L, key) == LUA_TSTRING) {
    lua_Integer n = (lua_Integer)lua_rawlen(L, rule);
    for (lua_Integer k = 1; k <= n && !type; k++) {
      if (host_no_pattern(lua_rawgeti(L, rule, k)))
        protocol_refuse(L, key, lua_gettop(L));
      lua_pop(L, 1);
    }
    lua_pushvalue(L, key);
    lua_pushvalue(L, rule);
    lua_rawset(L, rules);
    protocol_rule_text(L, lua_tostring(L, key));
  } else {
    if (!type) protocol_refuse(L, key, rule);
    protocol_rule_text(L, "");
  }
  lua_rawseti(L, texts, (lua_Integer)lua_rawlen(L, texts) + 1);
  if (!type) return;
  lua_pushvalue(L, rule);
  lua_pushboolean(L, 1);
  lua_rawset(L, rules);
}

static int mt_protocol_tostring(lua_State *L) {
  typed_field(L, 1, &typed_rules);
  lua_rawgeti(L, -1, 1);
  return 1;
}

/* protocol(rules) -> protocol
   Says which messages a process takes, for spawn's option `accepts`: by its
   first value, a method, the patterns of all those that follow; or message
   types, in a list or by name. Every send to such a process is checked at the
   sender's line, unless --unchecked is given; an ask's message is (method,
   pid, ref, ...). Replies and what links and monitors send always pass. Raises
   usage for a rule that is none.
     local p = md.protocol { ping = { md.is.pid, md.is.ref }, stop = {} } */
static int f_protocol(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return host_raise(L, "usage",
                      "protocol: expected a table of rules, got %s; "
                      "md.protocol{ping = {md.is.pid}, stop = {}}",
                      host_describe(L, 1));
  lua_newtable(L); /* rules */
  lua_newtable(L); /* texts */
  lua_pushnil(L);
  while (lua_next(L, 1) != 0) {
    protocol_add(L, 4, 5, 2, 3);
    lua_settop(L, 4);
  }
  lua_getglobal(L, "table");
  lua_getfield(L, 4, "sort");
  lua_pushvalue(L, 3);
  lua_call(L, 1, 0);
  lua_getfield(L, 4, "concat");
  lua_pushvalue(L, 3);
  lua_pushliteral(L, ", ");
  lua_call(L, 2, 1);
  lua_rawseti(L, 2, 1);
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, 2);
  lua_rawsetp(L, -2, &typed_rules);
  lua_pushcfunction(L, mt_protocol_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "protocol");
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

bool host_protocol(lua_State *L, int i) {
  if (!typed_field(L, i, &typed_rules)) return false;
  lua_pop(L, 1);
  return true;
}

/* The values after the method do not match the list of patterns at `rule`. */
static void protocol_check_values(lua_State *L, const char *who,
                                  const char *call, int first, int n, int rule,
                                  const char *accepts) {
  int patterns = (int)lua_rawlen(L, rule);
  if (patterns != n - 1)
    host_raise(L, "usage",
               "%s: %s takes %d value%s after %s, got %d; it accepts %s", call,
               who, patterns, patterns == 1 ? "" : "s", host_describe(L, first),
               n - 1, accepts);
  for (int k = 1; k <= patterns; k++) {
    lua_rawgeti(L, rule, k);
    int pattern = lua_gettop(L);
    if (!host_match(L, pattern, L, first + k)) {
      typed_pattern_text(L, pattern);
      const char *expected = lua_tostring(L, -1);
      host_raise(L, "usage",
                 "%s: %s expects %s as value %d of %s, got %s; it accepts %s",
                 call, who, expected, k + 1, host_describe(L, first),
                 host_describe(L, first + k), accepts);
    }
    lua_pop(L, 1);
  }
}

void host_check_rules(lua_State *L, int i, const char *who, const char *call,
                      int first, int n) {
  int top = lua_gettop(L);
  luaL_checkstack(L, 12, NULL);
  typed_field(L, i, &typed_rules);
  lua_rawgeti(L, -1, 1);
  const char *accepts = lua_tostring(L, -1);
  bool typed = n == 1 && typed_field(L, first, &typed_type);
  if (!typed && n > 0 && lua_type(L, first) == LUA_TSTRING)
    lua_pushvalue(L, first);
  else if (!typed) lua_pushboolean(L, 0); /* no rule has that key */
  lua_rawget(L, top + 1);
  int rule = lua_gettop(L);
  if (lua_isnil(L, rule))
    host_raise(L, "usage", "%s: %s accepts %s; got %s", call, who, accepts,
               n == 0 ? "an empty message"
               : typed_field(L, first, &typed_type)
                   ? luaL_tolstring(L, first, NULL)
                   : host_describe(L, first));
  if (host_typed(L, rule) == HOST_TYPE) {
    if (n != 2 || !host_record_of(L, first + 1, rule))
      host_raise(L, "usage", "%s: %s accepts %s; got %s with other values",
                 call, who, accepts, host_describe(L, first));
  } else if (!typed) {
    protocol_check_values(L, who, call, first, n, rule, accepts);
  }
  lua_settop(L, top);
}

void host_check_protocol(lua_State *L, host_sim *s, uint32_t to,
                         const char *call, int first, int n) {
  char label[64];
  if (n > 0 && host_kind(L, first) == HOST_REF) return; /* a reply */
  luaL_checkstack(L, 2, NULL);
  host_fetch(L, s, (uint32_t)md_sim_extra(s->kernel, to)->words[HOST_ACCEPTS],
             1);
  host_check_rules(L, lua_gettop(L), host_label(s, to, label), call, first, n);
  lua_pop(L, 1);
}

void host_open_types(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"message", f_message}, {"protocol", f_protocol}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
