/* What ended processes have left behind: what they returned or raised, by pid,
   until somebody joins them or there are too many. */
#include "host/recorder.h"

/* Results that nobody has asked for are kept for this many processes. */
enum { RESULTS_MOST = 1 << 20 };

/* Keeps the table on the top as the result of pid; the oldest is forgotten once
   there are too many. results[1], [2] .. name the pids in order of their end;
   results.first and .last bound them. [-1, +0, m] */
static void result_keep(lua_State *L, host_sim *s, md_pid pid) {
  int result = lua_gettop(L);
  host_push(L, s, HOST_RESULTS);
  host_push_name(L, s, pid);
  lua_pushvalue(L, result);
  lua_rawset(L, result + 1);
  lua_Unsigned last = s->results_last + 1;
  host_push_name(L, s, pid);
  lua_rawseti(L, result + 1, (lua_Integer)last);
  s->results_last = last;
  if (last - s->results_first > RESULTS_MOST) {
    lua_Integer oldest = (lua_Integer)++s->results_first;
    lua_rawgeti(L, result + 1, oldest);
    lua_pushnil(L);
    lua_rawset(L, result + 1);
    lua_pushnil(L);
    lua_rawseti(L, result + 1, oldest);
  }
  lua_settop(L, result - 1);
}

/* The pid that stands at `place` in the order of results, if that is forgotten,
   is taken out. */
static bool result_let_go(lua_State *L, int results, uint64_t place) {
  lua_rawgeti(L, results, (lua_Integer)place);
  lua_rawget(L, results);
  bool gone = lua_isnil(L, -1);
  lua_pop(L, 1);
  if (!gone) return false;
  lua_pushnil(L);
  lua_rawseti(L, results, (lua_Integer)place);
  return true;
}

bool host_failed(lua_State *L, host_sim *s, int i) {
  int top = lua_gettop(L);
  i = lua_absindex(L, i);
  host_push(L, s, HOST_RESULTS);
  lua_pushvalue(L, i);
  lua_rawget(L, -2);
  bool failed = false;
  if (lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    failed = !lua_toboolean(L, -1);
  }
  lua_settop(L, top);
  return failed;
}

void host_forget_result(lua_State *L, host_sim *s) {
  host_push(L, s, HOST_RESULTS);
  int results = lua_gettop(L);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  lua_rawset(L, results);
  while (s->results_last > s->results_first &&
         result_let_go(L, results, s->results_last))
    s->results_last--;
  while (s->results_first < s->results_last &&
         result_let_go(L, results, s->results_first + 1))
    s->results_first++;
  lua_pop(L, 1);
}

/* Makes {ok, values ...} of the top n values and keeps it. */
void host_leave_result(lua_State *L, host_sim *s, md_pid pid, bool ok, int n) {
  lua_createtable(L, n + 1, 1);
  lua_insert(L, -n - 1);
  int table = lua_gettop(L) - n;
  for (int i = n; i > 0; i--) lua_rawseti(L, table, i + 1);
  lua_pushboolean(L, ok);
  lua_rawseti(L, table, 1);
  lua_pushinteger(L, n);
  lua_setfield(L, table, "n");
  result_keep(L, s, pid);
}

void host_keep_result(lua_State *L, host_sim *s, uint32_t p, bool ok, int n) {
  host_leave_result(L, s, md_sim_pid(s->kernel, p), ok, n);
}

/* Returns, or raises, what the ended process at index 1 has left. */
int host_result(lua_State *L, host_sim *s) {
  const md_host *h = s->host;
  if (h->recording && h->sim == s) host_record_own(L, s, "JOIN", 1, 1);
  host_push(L, s, HOST_RESULTS);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  if (lua_isnil(L, -1)) return 0; /* it returned nothing */
  int result = lua_gettop(L);
  lua_rawgeti(L, result, 1);
  bool ok = lua_toboolean(L, -1);
  lua_getfield(L, result, "n");
  int n = (int)lua_tointeger(L, -1);
  lua_settop(L, result);
  luaL_checkstack(L, n + 1, "too many results to join");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, result, i + 1);
  return ok ? n : lua_error(L);
}
