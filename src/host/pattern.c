/* Patterns that look into a value: tables, md.where, md.bind, and the message
   types of typed.c. They, and the guards of clauses, may call the model's
   functions, so they are tried on the stack of whoever looks: the receiver
   itself, or a sender on its behalf. */
#include "host/pattern.h"
#include "host/modules.h"

static const char pattern_meta; /* its address is the metatable's key */

enum { PATTERN_DEPTH = 100 };

/* A userdata whose user value is the function or the pattern. */
typedef enum pattern_kind { PATTERN_WHERE, PATTERN_BIND } pattern_kind;

static bool pattern_box(lua_State *L, int i, pattern_kind *kind) {
  if (!lua_getmetatable(L, i)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &pattern_meta);
  bool yes = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  if (yes) *kind = *(pattern_kind *)lua_touserdata(L, i);
  return yes;
}

bool host_deep(lua_State *P, int p) {
  pattern_kind kind;
  int type = lua_type(P, p);
  return type == LUA_TTABLE ||
         (type == LUA_TUSERDATA && pattern_box(P, p, &kind));
}

/* -- guards -- */

/* A guard that fails on behalf of another process fails there: it looks
   itself, once it has been woken. */
static bool pattern_guarded(lua_State *L, md_host *h, bool own, int status) {
  if (status == LUA_OK) {
    bool yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
  }
  if (own || h->aborting) lua_error(L);
  lua_pop(L, 1);
  h->guard_failed = true;
  return false;
}

bool host_guard(lua_State *L, bool own, int n) {
  md_host *h = host_of(L);
  host_sim *sim = h->sim;
  uint32_t process = h->process;
  if (!own) {
    h->sim = h->receiver_sim;
    h->process = h->receiver;
  }
  h->guarding++;
  h->careful++;
  int status = lua_pcall(L, n, 1, 0);
  h->guarding--;
  h->careful--;
  h->sim = sim;
  h->process = process;
  return pattern_guarded(L, h, own, status);
}

void host_no_guard(lua_State *L, const char *call) {
  if (host_of(L)->guarding == 0) return;
  host_no_reload(L, call);
  host_raise(L, "usage",
             "%s: a guard only looks at a message, and must change nothing; "
             "do it in the clause's function",
             call);
}

/* -- matching -- */

static bool pattern_try(lua_State *L, int p, int v, bool own, int depth);

/* Every field of the table at p matches the field of that name at v. */
static bool pattern_fields(lua_State *L, int p, int v, bool own, int depth) {
  int top = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, p) != 0) {
    lua_pushvalue(L, -2);
    lua_rawget(L, v);
    bool yes = pattern_try(L, top + 2, top + 3, own, depth + 1);
    lua_settop(L, top + 1);
    if (yes) continue;
    lua_settop(L, top);
    return false;
  }
  return true;
}

static bool pattern_table(lua_State *L, int p, int v, bool own, int depth) {
  int type = host_typed(L, p);
  if (lua_rawequal(L, p, v) && type == HOST_TYPE) return true;
  if (!lua_istable(L, v)) return false;
  if (type == HOST_TYPE) return host_record_of(L, v, p);
  if (type == HOST_RECORD && !host_same_type(L, p, v)) return false;
  return pattern_fields(L, p, v, own, depth);
}

static bool pattern_try(lua_State *L, int p, int v, bool own, int depth) {
  pattern_kind kind;
  if (!host_deep(L, p)) return host_match(L, p, L, v);
  if (depth > PATTERN_DEPTH)
    host_raise(L, "usage",
               "a pattern is nested more than %d deep; does it contain itself?",
               PATTERN_DEPTH);
  luaL_checkstack(L, 8, "a pattern is nested too deep");
  if (lua_istable(L, p)) return pattern_table(L, p, v, own, depth);
  bool any = lua_type(L, v) != LUA_TNONE;
  if (!pattern_box(L, p, &kind)) return false;
  lua_getiuservalue(L, p, 1);
  if (kind == PATTERN_WHERE) {
    if (any) lua_pushvalue(L, v);
    return any && host_guard(L, own, 1);
  }
  bool yes = any && pattern_try(L, lua_gettop(L), v, own, depth + 1);
  lua_pop(L, 1);
  return yes;
}

bool host_match_deep(lua_State *P, int p, lua_State *V, int v) {
  int top = lua_gettop(V);
  luaL_checkstack(V, 2, NULL);
  lua_pushvalue(P, p);
  if (P != V) lua_xmove(P, V, 1);
  bool yes = pattern_try(V, top + 1, v, P == V, 0);
  lua_settop(V, top);
  return yes;
}

uint64_t host_deep_tag(lua_State *L, int i) {
  pattern_kind kind;
  if (lua_type(L, i) != LUA_TUSERDATA || !pattern_box(L, i, &kind) ||
      kind != PATTERN_BIND)
    return 0;
  lua_getiuservalue(L, i, 1);
  uint64_t tag = host_pattern_tag(L, lua_gettop(L));
  lua_pop(L, 1);
  return tag;
}

bool host_no_pattern(int type) { return type == LUA_TFUNCTION; }

/* -- making -- */

static int pattern_make(lua_State *L, pattern_kind kind) {
  pattern_kind *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = kind;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &pattern_meta);
  lua_setmetatable(L, -2);
  return 1;
}

/* where(fn) -> pattern
   A pattern that matches any one value for which fn(value) is true, and
   captures it. fn only looks: it must not block, send or end anything. It runs
   for the process that waits, and what it raises is raised there. Raises usage
   for what is no function.
     local n = md.wait("add", md.where(function(x) return x > 0 end)) */
static int f_where(lua_State *L) {
  host_skip_sim(L);
  if (!lua_isfunction(L, 1))
    return host_raise(L, "usage",
                      "where: expected a function, got %s; "
                      "md.where(function(x) return x > 0 end)",
                      host_describe(L, 1));
  return pattern_make(L, PATTERN_WHERE);
}

/* bind(pattern) -> pattern
   A pattern that matches what the given one matches, and captures it: a literal
   in it is returned, where it would be stripped. Raises usage for what is no
   pattern.
     local word, n = md.wait(md.bind "add", md.is.number) */
static int f_bind(lua_State *L) {
  host_skip_sim(L);
  if (lua_gettop(L) == 0 || host_no_pattern(lua_type(L, 1)))
    return host_raise(L, "usage",
                      "bind: expected a pattern, got %s; md.bind(\"add\") or "
                      "md.bind(md.is.number)",
                      host_describe(L, 1));
  return pattern_make(L, PATTERN_BIND);
}

static int mt_pattern_tostring(lua_State *L) {
  bool where = *(pattern_kind *)lua_touserdata(L, 1) == PATTERN_WHERE;
  lua_getiuservalue(L, 1, 1);
  if (where) lua_pushliteral(L, "md.where(...)");
  else lua_pushfstring(L, "md.bind(%s)", host_describe(L, -1));
  return 1;
}

void host_open_patterns(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"where", f_where}, {"bind", f_bind}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, mt_pattern_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "pattern");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &pattern_meta);
}
