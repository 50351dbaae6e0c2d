/* Protocols: what a process accepts, checked at the sender's line. A protocol
   is a table whose metatable has its rules (by method a list of patterns or a
   type; [type] = true; their text at [1]), and those that are quick to try. */
#include "host/modules.h"
#include "host/typed.h"

#include <string.h>

static const char typed_rules, typed_quick; /* keys in the metatable */

enum { RULE_MOST = 7 };

/* The rules whose patterns are kinds alone, to be tried without a look at the
   tables: most messages pass so. */
typedef struct quick_rule {
  const char *method; /* interned; the rules have it */
  uint8_t count, kinds[RULE_MOST];
} quick_rule;

typedef struct quick_rules {
  uint32_t count;
  quick_rule rules[];
} quick_rules;

/* Adds the rule at `rule` for the method at `key`, if it is simple. */
static void quick_add(lua_State *L, quick_rules *quick, int key, int rule) {
  enum { INTERNED = 40 };
  lua_Integer n = (lua_Integer)lua_rawlen(L, rule);
  quick_rule it = {.count = (uint8_t)n};
  if (lua_type(L, key) != LUA_TSTRING || lua_rawlen(L, key) > INTERNED ||
      n > RULE_MOST || host_typed(L, rule) == HOST_TYPE)
    return;
  it.method = lua_tostring(L, key);
  for (lua_Integer k = 1; k <= n; k++) {
    lua_rawgeti(L, rule, k);
    bool simple = host_kind(L, -1) == HOST_PATTERN;
    if (simple) it.kinds[k - 1] = (uint8_t)host_bits(lua_touserdata(L, -1));
    lua_pop(L, 1);
    if (!simple) return;
  }
  quick->rules[quick->count++] = it;
}

/* Do the n values pass at first sight? */
static bool quick_pass(lua_State *L, const quick_rules *quick, int first,
                       int n) {
  if (n == 0 || lua_type(L, first) != LUA_TSTRING) return false;
  const char *method = lua_tostring(L, first);
  for (uint32_t i = 0; i < quick->count; i++) {
    const quick_rule *it = &quick->rules[i];
    if (it->method != method) continue;
    int k = 0;
    if (it->count != n - 1) return false;
    while (k < n - 1 && host_match_kind(it->kinds[k], L, first + k + 1)) k++;
    return k == n - 1;
  }
  return false;
}

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

/* The list of texts at 3, sorted, as one. [-0, +1, m] */
static void protocol_push_text(lua_State *L) {
  lua_getglobal(L, "table");
  int table = lua_gettop(L);
  lua_getfield(L, table, "sort");
  lua_pushvalue(L, 3);
  lua_call(L, 1, 0);
  lua_getfield(L, table, "concat");
  lua_pushvalue(L, 3);
  lua_pushliteral(L, ", ");
  lua_call(L, 2, 1);
  lua_remove(L, table);
}

/* The quick ones of so many rules of the table at 1. [-0, +1, m] */
static void protocol_push_quick(lua_State *L, uint32_t count) {
  quick_rules *quick =
      lua_newuserdatauv(L, sizeof *quick + count * sizeof *quick->rules, 0);
  int top = lua_gettop(L);
  quick->count = 0;
  lua_pushnil(L);
  while (lua_next(L, 1) != 0) {
    quick_add(L, quick, top + 1, top + 2);
    lua_settop(L, top + 1);
  }
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
  host_skip_sim(L);
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return host_raise(L, "usage",
                      "protocol: expected a table of rules, got %s; "
                      "md.protocol{ping = {md.is.pid}, stop = {}}",
                      host_describe(L, 1));
  lua_newtable(L); /* rules */
  lua_newtable(L); /* texts */
  uint32_t count = 0;
  lua_pushnil(L);
  for (; lua_next(L, 1) != 0; count++) {
    protocol_add(L, 4, 5, 2, 3);
    lua_settop(L, 4);
  }
  protocol_push_text(L);
  lua_rawseti(L, 2, 1);
  lua_settop(L, 2);
  lua_createtable(L, 0, 4);
  protocol_push_quick(L, count);
  lua_rawsetp(L, 3, &typed_quick);
  lua_pushvalue(L, 2);
  lua_rawsetp(L, 3, &typed_rules);
  lua_pushcfunction(L, mt_protocol_tostring);
  lua_setfield(L, 3, "__tostring");
  lua_pushliteral(L, "protocol");
  lua_setfield(L, 3, "__name");
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

bool host_protocol(lua_State *L, int i) {
  if (!typed_field(L, i, &typed_rules)) return false;
  lua_pop(L, 1);
  return true;
}

const void *host_quick_rules(lua_State *L, int i) {
  typed_field(L, i, &typed_quick);
  const void *quick = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return quick;
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
  const md_proc_extra *extra = md_sim_extra(s->kernel, to);
  if (quick_pass(L, (const void *)(uintptr_t)extra->words[HOST_QUICK], first,
                 n))
    return;
  if (n > 0 && host_kind(L, first) == HOST_REF) return; /* a reply */
  luaL_checkstack(L, 2, NULL);
  host_fetch(L, s, (uint32_t)md_sim_extra(s->kernel, to)->words[HOST_ACCEPTS],
             1);
  host_check_rules(L, lua_gettop(L), host_label(s, to, label), call, first, n);
  lua_pop(L, 1);
}

void host_open_protocols(lua_State *L) {
  lua_pushcfunction(L, f_protocol);
  lua_setfield(L, -2, "protocol");
}
