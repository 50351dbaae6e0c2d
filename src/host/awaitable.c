/* What can be awaited: things as they are, the end of a process, the awaitable
   forms of blocking calls, functions, and any and all of these. */
#include "host/awaitable.h"

#include "host/cproc.h"
#include "host/mailbox.h"

#include <string.h>

static const char combination_type[] = "md.combination";
static const char request_type[] = "md.request";

/* -- requests -- */

uint32_t request_place(lua_State *L, const request *r) {
  uint32_t slot = r->value ? host_hold(L, r->of->sim, r->value, 1) : 0;
  uint32_t e = place_new(L, r->of, r->line);
  place *pl = place_at(r->of->sim, e);
  pl->key = r->key;
  memcpy(pl->words, r->words, sizeof pl->words);
  pl->slot = slot;
  pl->count = slot != 0;
  return e;
}

int request_wait(lua_State *L, const request *r, md_time deadline,
                 const char *call) {
  host_sim *s = r->of->sim;
  host_may_block_in(L, s, call);
  uint32_t e = request_place(L, r);
  return place_wait(L, s, e, deadline);
}

/* The request, as a value; the thing and what goes with it are its own. */
int request_push(lua_State *L, const request *r) {
  request *copy = lua_newuserdatauv(L, sizeof *copy, 2);
  *copy = *r;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (r->value) {
    lua_pushvalue(L, r->value);
    lua_setiuservalue(L, -2, 2);
  }
  luaL_setmetatable(L, request_type);
  return 1;
}

md_time await_deadline(lua_State *L, host_sim *s, int i, const char *call) {
  if (lua_isnoneornil(L, i)) return -1;
  return md_sim_now(s->kernel) + host_duration_arg(L, s, i, call);
}

/* -- combinations -- */

bool await_combination(lua_State *L, int i, bool *all) {
  bool *box = luaL_testudata(L, i, combination_type);
  if (box != NULL) *all = *box;
  return box != NULL;
}

int await_refuse(lua_State *L, const char *call, int i) {
  const char *came = host_describe(L, i);
  return host_raise(L, "usage",
                    "%s: expected something to wait for (an event, timer, "
                    "flag, pid, any, all, r:acquiring() or the like, a "
                    "function in any or all), got %s",
                    call, came);
}

/* Is it a thing that can be awaited as it is? */
static thing *await_thing(lua_State *L, int i) {
  if (lua_type(L, i) != LUA_TUSERDATA || !lua_getmetatable(L, i)) return NULL;
  lua_getfield(L, -1, "awaitable");
  bool yes = lua_toboolean(L, -1);
  lua_pop(L, 2);
  return yes ? lua_touserdata(L, i) : NULL;
}

bool await_can(lua_State *L, int i) {
  bool all;
  return host_kind(L, i) == HOST_PID || await_thing(L, i) != NULL ||
         await_combination(L, i, &all) || luaL_testudata(L, i, request_type);
}

bool await_is_body(lua_State *L, int i) {
  return lua_isfunction(L, i) || cproc_is_body(L, i);
}

/* The list on the top, checked, becomes a combination. */
static int await_combine(lua_State *L, bool all, const char *call) {
  int list = lua_gettop(L), n = (int)lua_rawlen(L, list);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    if (!await_is_body(L, lua_gettop(L)) && !await_can(L, lua_gettop(L)))
      await_refuse(L, call, lua_gettop(L));
    lua_pop(L, 1);
  }
  if (n == 0 && !all)
    host_raise(L, "usage",
               "any: expected a list of things to wait for, which "
               "is not empty; md.any{a, b}");
  bool *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = all;
  lua_createtable(L, n, 0); /* the list may change later, this does not */
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    lua_rawseti(L, -2, i);
  }
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, combination_type);
  return 1;
}

static int await_list(lua_State *L, bool all, const char *call) {
  host_sim_arg(L);
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return host_raise(L, "usage",
                      "%s: expected a list of things to wait for, got %s; "
                      "md.%s{a, b}",
                      call, host_describe(L, 1), call);
  return await_combine(L, all, call);
}

/* all{x, ...} -> something to await
   Over when all of the list are; awaiting it gives a list of the first value of
   each, in their order. The list may hold whatever can be awaited, other
   combinations, and functions, each of which is run as a child. a & b is the
   same as all{a, b}. Raises usage for what cannot be awaited.
     print(#md.await(md.all { md.timer(1), md.timer(2) })) */
static int f_all(lua_State *L) { return await_list(L, true, "all"); }

/* any{x, ...} -> something to await
   Over when the first of the list is; awaiting it gives its index and its
   values. The others give up their places, and give back what they were
   granted; of those that are over at once the first of the list wins. a | b is
   the same as any{a, b}. Raises usage for what cannot be awaited.
     print(md.await(md.any { md.timer(2), md.timer(1) })) */
static int f_any(lua_State *L) { return await_list(L, false, "any"); }

static int await_operator(lua_State *L, bool all, const char *call) {
  lua_settop(L, 2);
  for (int i = 1; i <= 2; i++)
    if (!await_can(L, i)) await_refuse(L, call, i);
  lua_createtable(L, 2, 0);
  lua_insert(L, 1);
  lua_rawseti(L, 1, 2);
  lua_rawseti(L, 1, 1);
  return await_combine(L, all, call);
}

static int mt_and(lua_State *L) { return await_operator(L, true, "&"); }
static int mt_or(lua_State *L) { return await_operator(L, false, "|"); }

void await_operators(lua_State *L) {
  lua_pushcfunction(L, mt_and);
  lua_setfield(L, -2, "__band");
  lua_pushcfunction(L, mt_or);
  lua_setfield(L, -2, "__bor");
}

/* -- what an await asks for -- */

request await_request(lua_State *L, host_sim *s, int i) {
  request *made = luaL_testudata(L, i, request_type);
  request r = {0};
  if (made != NULL) {
    r = *made;
    lua_getiuservalue(L, i, 2);
    r.value = made->value ? lua_gettop(L) : 0;
  } else {
    r.of = await_thing(L, i);
    if (r.of == NULL) await_refuse(L, "await", i);
    lua_pushnil(L);
  }
  if (r.of->sim != s)
    host_raise(L, "usage",
               "await: what is awaited belongs to another sim, and a process "
               "can only wait in its own");
  if (r.of->class == &mailbox_class) { /* whoever awaits it receives it */
    r.of = mailbox_push(L, s);
    lua_pop(L, 1);
  }
  return r;
}

static int mt_request_tostring(lua_State *L) {
  const request *r = lua_touserdata(L, 1);
  lua_pushfstring(L, "something of a %s to await", r->of->class->name + 3);
  return 1;
}

static int mt_combination_tostring(lua_State *L) {
  const bool *all = lua_touserdata(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_pushfstring(L, "<%s of %d to await>", *all ? "all" : "any",
                  (int)lua_rawlen(L, -1));
  return 1;
}

void host_open_awaitable(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"all", f_all}, {"any", f_any}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, combination_type);
  await_operators(L);
  lua_pushcfunction(L, mt_combination_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newmetatable(L, request_type);
  await_operators(L);
  lua_pushcfunction(L, mt_request_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 2);
}
