#include "app/view.h"
#include "app/reference.h"
#include "host/cproc.h"
#include "host/pattern.h"

static host_sim *view_sim(lua_State *L) {
  const app_session *r = lua_touserdata(L, lua_upvalueindex(1));
  return r->host->first;
}

/* -- processes -- */

/* thread(pid) -> the coroutine in which the process is, or nil. */
static int view_thread(lua_State *L) {
  host_sim *s = view_sim(L);
  uint32_t p = host_pid_index(s, lua_touserdata(L, 1));
  if (p == 0 || cproc_of(s, p) != NULL) return 0;
  lua_State *leaf = host_leaf(s, p);
  lua_pushthread(leaf);
  lua_xmove(leaf, L, 1);
  return 1;
}

/* messages(pid) -> list of packed messages that wait in its inbox. */
static int view_messages(lua_State *L) {
  host_sim *s = view_sim(L);
  uint32_t p = host_pid_index(s, lua_touserdata(L, 1));
  if (p == 0) return 0;
  const md_mails *mails = md_sim_mails(s->kernel);
  uint32_t e = md_sim_proc(s->kernel, p)->inbox_first;
  lua_newtable(L);
  for (lua_Integer i = 1; e != 0; e = mails->envelopes[e].next, i++) {
    const md_mail *mail = &mails->envelopes[e].mail;
    int n = (int)mail->count;
    lua_createtable(L, n, 2);
    lua_pushinteger(L, n);
    lua_setfield(L, -2, "n");
    host_push_name(L, s, mail->from);
    lua_setfield(L, -2, "from");
    int table = lua_gettop(L);
    host_fetch_mail(L, s, p, mail);
    for (int k = n; k > 0; k--) lua_rawseti(L, table, k);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* turn(pid) -> since, next: the time since which it sleeps or waits, nil where
   that is not known; and when it goes on at the latest, nil: nobody knows. */
static int view_turn(lua_State *L) {
  host_sim *s = view_sim(L);
  uint32_t p = host_pid_index(s, lua_touserdata(L, 1));
  if (p == 0) return 0;
  const md_proc *proc = md_sim_proc(s->kernel, p);
  bool waits = proc->state == MD_WAITING, sleeps = proc->state == MD_SLEEPING;
  bool bounded = sleeps || (waits && proc->due > md_sim_now(s->kernel));
  md_time since = md_sim_since(s->kernel, p);
  if (since >= 0) host_push_time(L, s, since);
  else lua_pushnil(L);
  if (bounded) host_push_time(L, s, proc->due);
  else lua_pushnil(L);
  return 2;
}

/* families() -> roots, children: the living whose parent does not live, and by
   pid those that each has spawned, as lists in the order of their slots. */
static int view_families(lua_State *L) {
  host_sim *s = view_sim(L);
  lua_Integer n = 0;
  lua_settop(L, 0);
  lua_newtable(L);
  lua_newtable(L);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    md_pid pid = md_sim_cold(s->kernel, p)->parent;
    uint32_t parent = pid != 0 ? md_sim_index(s->kernel, pid) : 0;
    host_push_pid(L, s, p);
    if (parent == 0) {
      lua_rawseti(L, 1, ++n);
      continue;
    }
    host_push_pid(L, s, parent);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 2) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_newtable(L);
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, 2);
    }
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    lua_settop(L, 2);
  }
  return 2;
}

/* -- messages that are sent -- */

/* The registry's list of lists of patterns {n =, ...}, each with the field
   `came` once a message has matched. */
static const char view_wanted;

static void view_sent(md_host *h, host_sim *s, lua_State *L, int first, int n) {
  (void)h, (void)s;
  int top = lua_gettop(L);
  first = lua_absindex(L, first);
  luaL_checkstack(L, 4, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &view_wanted);
  for (lua_Integer i = 1; lua_rawgeti(L, top + 1, i) == LUA_TTABLE; i++) {
    lua_Integer wanted = luaL_len(L, top + 2);
    bool same = wanted <= n;
    for (int k = 0; same && k < wanted; k++) {
      lua_rawgeti(L, top + 2, k + 1);
      same = host_match(L, top + 3, L, first + k);
      lua_pop(L, 1);
    }
    if (same) {
      lua_pushboolean(L, true);
      lua_setfield(L, top + 2, "came");
    }
    lua_settop(L, top + 1);
  }
  lua_settop(L, top);
}

/* await(patterns): from now on messages are looked at that are sent in the
   copy; the list's field `came` is set by one that begins so. */
static int view_await(lua_State *L) {
  const app_session *r = lua_touserdata(L, lua_upvalueindex(1));
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &view_wanted) != LUA_TTABLE) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &view_wanted);
    lua_replace(L, -2);
  }
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, luaL_len(L, -2) + 1);
  r->host->out.label = view_sent;
  return 0;
}

/* hint(message) -> what to do about an error of Lua's own, or nil */
static int view_hint(lua_State *L) {
  char hint[160];
  if (!app_hint(luaL_checkstring(L, 1), hint, sizeof hint)) return 0;
  lua_pushlstring(L, hint, strlen(hint));
  return 1;
}

/* topic(name) -> boolean: has the library's help a page of that name? */
static int view_topic(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const app_topic *t = app_topics;
  while (t->name != NULL && strcmp(t->name, name) != 0) t++;
  lua_pushboolean(L, t->name != NULL);
  return 1;
}

/* name(pid) -> what it was called, or nil: also of one that has ended. */
static int view_name(lua_State *L) {
  const app_session *r = lua_touserdata(L, lua_upvalueindex(1));
  const char *name = roll_find(&r->roll, lua_touserdata(L, 1));
  if (name == NULL) return 0;
  lua_pushlstring(L, name, strlen(name));
  return 1;
}

/* export(path, name or nil) -> true, or false and why not: writes the records
   of that name, or all. */
static int view_export(lua_State *L) {
  const app_session *r = lua_touserdata(L, lua_upvalueindex(1));
  char error[1024];
  bool done = app_export(r->host, luaL_checkstring(L, 1),
                         luaL_optstring(L, 2, NULL), error, sizeof error);
  lua_pushboolean(L, done);
  if (done) return 1;
  lua_pushlstring(L, error, strlen(error));
  return 2;
}

void app_view_add(lua_State *L, app_session *r) {
  static const luaL_Reg functions[] = {
      {"thread", view_thread}, {"messages", view_messages},
      {"turn", view_turn},     {"families", view_families},
      {"await", view_await},   {"hint", view_hint},
      {"name", view_name},     {"topic", view_topic},
      {"export", view_export}, {NULL, NULL}};
  lua_pushlightuserdata(L, r);
  luaL_setfuncs(L, functions, 1);
}
