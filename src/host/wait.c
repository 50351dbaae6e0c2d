/* How a call blocks: the process's coroutine yields to the loop, through all
   the generators it is in, and goes on where it was. A wake-up that is not
   what was waited for is raised as an error there. */
#include "host/place.h"
#include "host/recorder.h"

#include <string.h>

uint64_t host_unwinding(const md_host *h) {
  if (h->process == 0) return 0;
  const md_proc_extra *extra = md_sim_extra(h->sim->kernel, h->process);
  return extra ? extra->words[HOST_UNWINDING] : 0;
}

/* The C function on the stack that a yield could not cross; NULL when it has
   no name. A pcall can be crossed. */
static const char *wait_obstacle(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sn", &ar);
    if (*ar.what != 'C') continue;
    if (ar.name == NULL) return NULL;
    if (strcmp(ar.name, "pcall") != 0 && strcmp(ar.name, "xpcall") != 0)
      return lua_pushstring(L, ar.name);
  }
  return NULL;
}

static bool wait_in_finalizer(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "n", &ar);
    if (ar.name != NULL && strcmp(ar.name, "__gc") == 0) return true;
  }
  return false;
}

static int wait_refuse(lua_State *L, const char *call) {
  md_host *h = host_of(L);
  if (wait_in_finalizer(L)) /* Lua prints texts alone */
    return luaL_error(L,
                      "%s cannot block inside a finalizer (__gc); let it "
                      "send a message to a process that does it",
                      call);
  host_no_reload(L, call);
  if (h->guarding > 0)
    return host_raise(L, "usage",
                      "%s cannot block inside a guard, which only looks at a "
                      "message; do it in the clause's function",
                      call);
  if (h->sim != NULL && h->process != 0) {
    const char *name = wait_obstacle(L);
    if (name == NULL)
      return host_raise(L, "usage",
                        "%s cannot block here, inside a C function that must "
                        "return first; do it in the process itself",
                        call);
    return host_raise(L, "usage",
                      "%s cannot block inside '%s', which is a C function that "
                      "must return first; take the blocking call out of the "
                      "function given to '%s'",
                      call, name, name);
  }
  if (host_at_prompt(L))
    return host_raise(L, "usage",
                      "%s blocks, and a line at the prompt cannot; :run lets "
                      "time pass, and md.spawn(function() ... end) makes a "
                      "process that may",
                      call);
  if (h->sim != NULL)
    return host_raise(L, "usage",
                      "%s blocks, and a callback cannot; let the callback "
                      "spawn a process: md.spawn(function() ... end)",
                      call);
  return host_raise(L, "usage",
                    "%s blocks, and only a process can; put it into one: "
                    "md.spawn(function() ... end), then md.run()",
                    call);
}

/* The first of the interrupts that came while nothing was waited for. */
void host_raise_pending(lua_State *L, host_sim *s, uint32_t p) {
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  host_fetch(L, s, (uint32_t)(extra->words[HOST_PENDING] >> 32), 1);
  int list = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, list);
  lua_rawgeti(L, list, 1);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i + 1);
    lua_rawseti(L, list, i);
  }
  if (n == 1) host_forget_pending(L, s, p);
  if (lua_type(L, -1) == LUA_TUSERDATA) lua_getiuservalue(L, -1, 1);
  lua_error(L);
  __builtin_unreachable();
}

host_sim *host_may_block(lua_State *L, const char *call) {
  md_host *h = host_of(L);
  host_sim *s = h->sim;
  if (s == NULL || h->process == 0 || h->fences || !lua_isyieldable(L))
    wait_refuse(L, call);
  if (md_sim_proc(s->kernel, h->process)->flags & MD_PENDING)
    host_raise_pending(L, s, h->process);
  h->instructions = 0;
  return s;
}

void host_may_block_in(lua_State *L, const host_sim *s, const char *call) {
  if (host_may_block(L, call) != s)
    host_raise(L, "usage",
               "%s: the process belongs to another sim and can only wait in "
               "its own",
               call);
}

int host_block(lua_State *L, host_sim *s, lua_KContext ctx, lua_KFunction k) {
  uint32_t p = s->host->process;
  md_proc *proc = md_sim_proc(s->kernel, p);
  proc->inner = L;
  return lua_yieldk(L, 0, ctx, k);
}

void host_timed_out(lua_State *L, host_sim *s) {
  uint32_t p = s->host->process;
  md_sim_note(s->kernel, MD_TRACE_TIMEOUT, p, 0, 0);
  if (s->host->recording) host_record_own(L, s, "TIMEOUT", 1, 0);
}

void host_woken(lua_State *L) {
  md_host *h = host_of(L);
  if (h->why == MD_WHY_INTERRUPT) host_raise_pending(L, h->sim, h->process);
  if (h->why != MD_WHY_UNWIND) return;
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  lua_error(L);
}

void host_break(lua_State *L, host_sim *s, uint32_t p, md_why why) {
  md_sim *k = s->kernel;
  md_proc *proc = md_sim_proc(k, p);
  if (proc->state == MD_READY && proc->why == MD_WHY_MESSAGE)
    host_unreceive(L, s, p);
  if (proc->state == MD_WAITING && proc->wait == MD_WAIT_ROOM)
    host_unline(L, s, p);
  if ((proc->state == MD_WAITING && proc->wait == MD_WAIT_PLACE) ||
      (proc->state == MD_READY && proc->why == MD_WHY_GRANT))
    place_abandon(L, s, p);
  md_sim_wake(k, p, why);
}
