/* md.timeout: a limit on the time that any code may block. What it ends unwinds
   through every pcall in it, up to the limit itself. */
#include "host/loop.h"
#include "host/modules.h"

/* The context of a limit: its number, and what unwound when it was set. */
typedef struct limit_frame {
  uint64_t number, before, timer;
} limit_frame;

static int limit_over(lua_State *L, int status, lua_KContext ctx) {
  limit_frame *limit = (limit_frame *)ctx;
  md_host *h = host_of(L);
  uint64_t words[3];
  md_proc_extra *extra = md_sim_extra(h->sim->kernel, h->process);
  md_sim_cancel(h->sim->kernel, limit->timer, words);
  extra->words[HOST_LIMITS]--;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  if (extra->words[HOST_UNWINDING] != limit->number) return lua_error(L);
  extra->words[HOST_UNWINDING] = limit->before;
  if (host_kind(L, -1) != HOST_UNWIND) return lua_error(L); /* a closer's */
  host_timed_out(L, h->sim);
  return host_raise(L, "timeout", "timeout: the time limit is over");
}

/* timeout(d, fn, ...) -> what fn returns
   Calls fn(...) in the process that calls, and raises {kind="timeout"} when d
   units of time are over before it returns, wherever it blocks by then. Its
   <close> variables are closed; no pcall inside of fn catches that. At equal
   times the limit's turn is that of its beginning; of limits that are over at
   one instant the outermost has the word. Raises usage for a wrong d or fn,
   and where nothing can block.
     print(pcall(md.timeout, 2, md.sleep, 5)) */
static int f_timeout(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  host_may_block_in(L, s, "timeout");
  md_time d = host_duration_arg(L, s, 1, "timeout");
  if (!lua_isfunction(L, 2))
    return host_raise(L, "usage",
                      "timeout: expected a function as argument 2, got %s; "
                      "md.timeout(d, fn, ...)",
                      host_describe(L, 2));
  limit_frame *limit = lua_newuserdatauv(L, sizeof *limit, 0);
  lua_replace(L, 1);
  md_proc_extra *extra = md_sim_make_extra(s->kernel, h->process);
  if (extra == NULL) host_no_memory(L);
  limit->number = ++s->scopes;
  limit->before = extra->words[HOST_UNWINDING];
  uint64_t words[3] = {limit->before, md_sim_pid(s->kernel, h->process),
                       limit->number};
  limit->timer = md_sim_at(s->kernel, md_sim_now(s->kernel) + d, HOST_SCOPE,
                           words, md_sim_priority(s->kernel, h->process));
  if (limit->timer == 0) host_no_memory(L);
  extra->words[HOST_LIMITS]++;
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0,
                          (lua_KContext)limit, limit_over);
  return limit_over(L, status, (lua_KContext)limit);
}

/* A generator that yields in a limit of its own would leave it behind in a
   process that is elsewhere by then, or in another. */
bool host_limited(lua_State *L) {
  const md_host *h = host_of(L);
  const md_proc_extra *extra =
      h->process ? md_sim_extra(h->sim->kernel, h->process) : NULL;
  lua_Debug ar;
  if (extra == NULL || extra->words[HOST_LIMITS] == 0) return false;
  bool limited = false;
  for (int level = 1; !limited && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "f", &ar);
    limited = lua_tocfunction(L, -1) == f_timeout;
    lua_pop(L, 1);
  }
  return limited;
}

void host_expire(lua_State *L, host_sim *s, const uint64_t words[3]) {
  uint32_t p = md_sim_index(s->kernel, words[1]);
  if (p == 0) return;
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint64_t unwinding = extra->words[HOST_UNWINDING];
  bool inside = unwinding == words[0]; /* the limit was set by its closers */
  bool further_out = unwinding >= HOST_BECOMING || unwinding < words[2];
  if (unwinding != 0 && further_out && !inside) return; /* it has the word */
  extra->words[HOST_UNWINDING] = words[2];
  host_break(L, s, p, MD_WHY_UNWIND);
}

void host_open_limits(lua_State *L) {
  lua_pushcfunction(L, f_timeout);
  lua_setfield(L, -2, "timeout");
}
