/* Lua's coroutine library, pcall and xpcall, in a form through which a kernel's
   wait passes: a blocking call inside a generator blocks the whole process,
   and does not return to the generator's caller. Names, results and errors are
   those of Lua 5.4 (lcorolib.c, lbaselib.c). What ends a process, a time limit
   or the run passes through every pcall. */
#include "host/loop.h"
#include "host/modules.h"

#include <string.h>

/* -- errors that nobody may catch -- */

bool host_passes(lua_State *L, uint64_t before) {
  const md_host *h = host_of(L);
  return h->aborting || host_unwinding(h) != before;
}

void host_caught(lua_State *L, int status) {
  if (status != LUA_ERRMEM) return;
  lua_pop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, "md.nomemory");
}

static int coroutine_pcalled(lua_State *L, int status, lua_KContext before) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L);
  if (host_passes(L, (uint64_t)before)) return lua_error(L);
  host_caught(L, status);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

/* pcall(f, ...) -> true, results or false, error
   As in Lua 5.4; a process can block inside of f. What ends the process, a
   time limit set outside of f, or the run passes through it: see help errors.
     print(pcall(error, "no")) */
static int f_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_KContext before = (lua_KContext)host_unwinding(host_of(L));
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, before,
                          coroutine_pcalled);
  return coroutine_pcalled(L, status, before);
}

static int coroutine_handler(lua_State *L) {
  if (host_kind(L, 1) == HOST_UNWIND || host_of(L)->aborting) return 1;
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int coroutine_xpcalled(lua_State *L, int status, lua_KContext before) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  return coroutine_pcalled(L, status, before);
}

/* xpcall(f, handler, ...) -> true, results or false, what handler returns
   As in Lua 5.4, with what pcall says here. The handler is not called for what
   passes through.
     print(xpcall(error, tostring, "no")) */
static int f_xpcall(lua_State *L) {
  int n = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_KContext before = (lua_KContext)host_unwinding(host_of(L));
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, coroutine_handler, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* f, handler, true, f, arguments */
  lua_remove(L, 1);
  int status = lua_pcallk(L, n - 2, LUA_MULTRET, 1, before, coroutine_xpcalled);
  return coroutine_xpcalled(L, status, before);
}

/* -- resuming -- */

/* The coroutine that has just yielded has blocked: its process waits, the
   script has asked for a run, or either has a wish. */
static bool coroutine_blocked(const md_host *h) {
  if (h->wish.kind != HOST_NO_WISH) return true;
  if (h->process == 0) return h->asked != NULL;
  return md_sim_proc(h->sim->kernel, h->process)->state != MD_RUNNING;
}

typedef enum coroutine_end { CO_ERROR = -1, CO_BLOCKED = -2 } coroutine_end;

/* Resumes co with n arguments on its stack; the number of results, which are
   moved to L, or CO_ERROR with the error moved, or CO_BLOCKED. */
static int coroutine_run(lua_State *L, lua_State *co, int n) {
  md_host *h = host_of(L);
  bool fence = !lua_isyieldable(L);
  int results;
  h->fences += fence;
  int status = host_resume(h, co, L, n, &results);
  h->fences -= fence;
  if (status == LUA_YIELD && coroutine_blocked(h)) {
    lua_pop(co, results);
    return CO_BLOCKED;
  }
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    host_caught(L, status);
    return CO_ERROR;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return CO_ERROR;
  }
  lua_xmove(co, L, results);
  return results;
}

static const char *coroutine_status(lua_State *L, lua_State *co) {
  lua_Debug ar;
  if (L == co) return "running";
  if (host_owned(co)) return "normal";
  switch (lua_status(co)) {
  case LUA_YIELD:
    return "suspended";
  case LUA_OK:
    if (lua_getstack(co, 0, &ar)) return "normal";
    return lua_gettop(co) == 0 ? "dead" : "suspended";
  default:
    return "dead";
  }
}

/* Moves the top n arguments to co; CO_ERROR if it cannot be
   resumed, with the reason on the top. */
static int coroutine_start(lua_State *L, lua_State *co, int n) {
  const char *status = coroutine_status(L, co);
  if (host_owned(co)) {
    lua_pushliteral(L, "cannot resume a coroutine that waits in a process");
    return CO_ERROR;
  }
  if (strcmp(status, "suspended") != 0) {
    lua_pushfstring(L, "cannot resume %s coroutine",
                    strcmp(status, "dead") == 0 ? "dead" : "non-suspended");
    return CO_ERROR;
  }
  if (!lua_checkstack(co, n)) {
    lua_pushliteral(L, "too many arguments to resume");
    return CO_ERROR;
  }
  lua_xmove(L, co, n);
  return coroutine_run(L, co, n);
}

static lua_State *coroutine_arg(lua_State *L, int i) {
  lua_State *co = lua_tothread(L, i);
  luaL_argexpected(L, co, i, "coroutine");
  return co;
}

static int coroutine_resumed_k(lua_State *L, int status, lua_KContext before);

static int coroutine_resumed(lua_State *L, lua_State *co, int results,
                             lua_KContext before) {
  if (results == CO_BLOCKED) {
    host_own(co, true);
    return lua_yieldk(L, 0, before, coroutine_resumed_k);
  }
  if (results == CO_ERROR) {
    if (host_passes(L, (uint64_t)before)) {
      if (lua_resetthread(co) != LUA_OK) lua_xmove(co, L, 1); /* a closer's */
      return lua_error(L);
    }
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_insert(L, -results - 1);
  return results + 1;
}

static int coroutine_resumed_k(lua_State *L, int status, lua_KContext before) {
  (void)status;
  lua_State *co = lua_tothread(L, 1);
  host_own(co, false);
  return coroutine_resumed(L, co, coroutine_run(L, co, 0), before);
}

/* coroutine.resume(co, ...) -> true, values or false, error
   As in Lua 5.4; it comes back when co yields, ends or fails, not when it
   blocks. A coroutine that waits in a process cannot be resumed by another.
     print(coroutine.resume(coroutine.create(math.abs), -1)) */
static int f_resume(lua_State *L) {
  lua_State *co = coroutine_arg(L, 1);
  lua_KContext before = (lua_KContext)host_unwinding(host_of(L));
  int results = coroutine_start(L, co, lua_gettop(L) - 1);
  return coroutine_resumed(L, co, results, before);
}

/* -- wrap -- */

static int coroutine_wrapped_k(lua_State *L, int status, lua_KContext ctx);

static int coroutine_wrapped(lua_State *L, lua_State *co, int results) {
  if (results == CO_BLOCKED) {
    host_own(co, true);
    return lua_yieldk(L, 0, 0, coroutine_wrapped_k);
  }
  if (results != CO_ERROR) return results;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* its <close> variables */
    if (lua_resetthread(co) != LUA_OK) lua_xmove(co, L, 1);
  }
  if (lua_type(L, -1) == LUA_TSTRING && status != LUA_ERRMEM) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrapped_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  host_own(co, false);
  return coroutine_wrapped(L, co, coroutine_run(L, co, 0));
}

static int coroutine_call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = coroutine_start(L, co, lua_gettop(L));
  return coroutine_wrapped(L, co, results);
}

/* coroutine.create(f) -> coroutine
   As in Lua 5.4; a blocking call in it blocks the whole process, and does not
   return to who resumed it.
     local co = coroutine.create(print) */
static int f_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

/* coroutine.wrap(f) -> function
   As in Lua 5.4: the function resumes a coroutine that runs f, and raises its
   errors. With it a process can draw from a generator that sleeps and waits.
     print(coroutine.wrap(math.abs)(-1)) */
static int f_wrap(lua_State *L) {
  f_create(L);
  lua_pushcclosure(L, coroutine_call_wrapped, 1);
  return 1;
}

/* -- the rest -- */

/* The coroutine in which a process, the script or a callback begins. */
static bool coroutine_outermost(lua_State *L) {
  const md_host *h = host_of(L);
  if (L == h->L || L == h->script || L == h->callbacks) return true;
  return h->process != 0 && md_sim_root(h->sim->kernel, h->process) == L;
}

/* coroutine.yield(...) -> what resume is given
   As in Lua 5.4, inside of a coroutine. Raises usage outside of one, where
   md.yield lets the others go first, and inside of md.timeout.
     coroutine.wrap(function() coroutine.yield(1) end)() */
static int f_yield_generator(lua_State *L) {
  if (coroutine_outermost(L))
    return host_raise(L, "usage",
                      "coroutine.yield outside of a generator: nobody resumed "
                      "this; in a process, md.yield() lets the others go "
                      "first");
  if (host_limited(L))
    return host_raise(L, "usage",
                      "coroutine.yield inside of md.timeout: the limit would "
                      "go on while the generator stands still; put it around "
                      "what blocks, or around the loop");
  return lua_yield(L, lua_gettop(L));
}

/* coroutine.status(co) -> string
   As in Lua 5.4; one that waits in a process is "normal".
     print(coroutine.status(coroutine.create(print))) */
static int f_coroutine_status(lua_State *L) {
  lua_pushstring(L, coroutine_status(L, coroutine_arg(L, 1)));
  return 1;
}

/* coroutine.running() -> coroutine, boolean
   As in Lua 5.4; the script's coroutine counts as the main one.
     print(select(2, coroutine.running())) */
static int f_running(lua_State *L) {
  lua_pushthread(L);
  lua_pushboolean(L, L == host_of(L)->script);
  return 2;
}

/* coroutine.isyieldable([co]) -> boolean
   As in Lua 5.4: whether coroutine.yield can be called there. True in a
   coroutine of the model's, false in a process or the script itself.
     print(coroutine.isyieldable()) */
static int f_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : coroutine_arg(L, 1);
  lua_pushboolean(L, lua_isyieldable(co) && !coroutine_outermost(co));
  return 1;
}

/* coroutine.close(co) -> true or false, error
   As in Lua 5.4: closes a suspended or dead coroutine and its <close>
   variables.
     print(coroutine.close(coroutine.create(print))) */
static int f_close(lua_State *L) {
  lua_State *co = coroutine_arg(L, 1);
  const char *status = coroutine_status(L, co);
  if (strcmp(status, "suspended") != 0 && strcmp(status, "dead") != 0)
    return luaL_error(L, "cannot close a %s coroutine", status);
  uint64_t before = host_unwinding(host_of(L));
  int ended = lua_resetthread(co);
  if (ended == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  if (host_passes(L, before)) return lua_error(L);
  host_caught(L, ended);
  return 2;
}

void host_open_coroutines(lua_State *L) {
  static const luaL_Reg functions[] = {{"create", f_create},
                                       {"resume", f_resume},
                                       {"running", f_running},
                                       {"status", f_coroutine_status},
                                       {"wrap", f_wrap},
                                       {"yield", f_yield_generator},
                                       {"isyieldable", f_isyieldable},
                                       {"close", f_close},
                                       {NULL, NULL}};
  lua_getglobal(L, "coroutine");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  lua_pushcfunction(L, f_pcall);
  lua_setglobal(L, "pcall");
  lua_pushcfunction(L, f_xpcall);
  lua_setglobal(L, "xpcall");
}
