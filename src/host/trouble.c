/* How a run ends that cannot go on: Ctrl-C, a process that never blocks, an
   instant without end, no memory. */
#include "host/cproc.h"
#include "host/loop.h"

#include <inttypes.h>
#include <string.h>

enum {
  TROUBLE_STEP = 1000,         /* instructions between two looks */
  TROUBLE_PATIENCE = 50000000, /* so many until what cannot be left is ended */
};

/* -- instructions and Ctrl-C -- */

/* At a prompt the run only stands still, in the middle of the turn; a callback
   ends before, as does a C function that cannot be left. True when it does. */
static bool trouble_halt(lua_State *L, md_host *h) {
  bool callback = h->sim != NULL && h->process == 0 && !h->prompting;
  if (callback || h->fences > 0 || h->nested > 0 || !lua_isyieldable(L))
    return false;
  h->out.signalled = 0;
  h->wish.kind = HOST_BREAK;
  h->wish.process = h->process;
  lua_sethook(L, NULL, 0, 0);
  lua_yield(L, 0);
  return true;
}

static void trouble_hook(lua_State *L, lua_Debug *ar) {
  md_host *h = host_of(L);
  if (h->out.signalled && h->out.interactive && ar->event == LUA_HOOKCOUNT &&
      trouble_halt(L, h))
    return;
  if (h->out.signalled && h->out.interactive &&
      h->instructions < TROUBLE_PATIENCE) {
    h->instructions += TROUBLE_STEP;
    lua_sethook(L, trouble_hook, LUA_MASKCOUNT, TROUBLE_STEP);
    return;
  }
  if (h->out.signalled) {
    h->out.signalled = 0;
    h->aborting = true;
    lua_sethook(L, NULL, 0, 0);
    host_raise(L, "interrupt", "interrupted by Ctrl-C");
  }
  if (h->reloading && h->guarding == 0) return; /* the library's own work */
  h->instructions += TROUBLE_STEP;
  uint64_t most = h->options.instructions;
  if (most == 0 || h->instructions <= most) return;
  h->instructions = 0; /* closers get as many again */
  h->aborting = true;
  char label[64], count[32];
  snprintf(count, sizeof count, "%" PRIu64, most);
  host_raise(L, "instructions",
             "%s has run %s instructions without a blocking call; let its "
             "loop sleep or wait, or raise --instructions",
             h->process ? host_label(h->sim, h->process, label) : "the script",
             count);
}

/* What the model's own hook looks at is left to that. */
static void trouble_watch(lua_State *co) {
  if (co != NULL && lua_gethook(co) == NULL)
    lua_sethook(co, trouble_hook, LUA_MASKCOUNT, TROUBLE_STEP);
}

/* New coroutines have the hook of the one that makes them. Of a resumed
   program's, the inner ones of processes (generators) are out of reach. */
void host_watch_instructions(md_host *h) {
  if (h->options.instructions == 0) return;
  trouble_watch(h->L);
  trouble_watch(h->script);
  trouble_watch(h->callbacks);
  for (host_sim *s = h->sims; s != NULL; s = s->next)
    for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;)
      if (cproc_of(s, p) == NULL) trouble_watch(md_sim_root(s->kernel, p));
}

/* Called by a signal's handler: everything here is safe there (lua.c does the
   same). The coroutine that runs is stopped at its next instruction. */
void host_signal(md_host *h) {
  h->out.signalled = 1;
  if (h->current != NULL)
    lua_sethook(h->current, trouble_hook,
                LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* -- ends -- */

void host_fail(lua_State *L, host_sim *s, uint32_t p) {
  md_host *h = s->host;
  s->failed = true;
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.error");
  h->failed_sim = s;
  h->failed_events = md_sim_events(s->kernel);
  h->failed_in[0] = '\0';
  if (p != 0) host_label(s, p, h->failed_in);
  md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), h->failed_at,
               sizeof h->failed_at);
}

/* Pushes the error of a protected call's arguments: kind, text. */
static int trouble_error(lua_State *L) {
  md_host *h = host_of(L);
  lua_State *at = h->script ? h->script : L;
  host_error_value(L, at, lua_tostring(L, 1), "%s", lua_tostring(L, 2));
  return 1;
}

/* Fails the run of s with an error of that kind. */
static const char *trouble_fail(md_host *h, host_sim *s, const char *kind,
                                const char *text) {
  lua_pushcfunction(h->L, trouble_error);
  lua_pushstring(h->L, kind);
  lua_pushstring(h->L, text);
  lua_pcall(h->L, 2, 1, 0);
  host_fail(h->L, s, 0);
  h->failed_at[0] = '\0'; /* no callback's error: the run's */
  lua_pop(h->L, 1);
  return NULL;
}

const char *host_interrupted(md_host *h, host_sim *s) {
  if (h->out.interrupted != NULL) h->out.interrupted(h);
  h->out.signalled = 0;
  h->aborting = true;
  return trouble_fail(h, s, "interrupt", "interrupted by Ctrl-C");
}

static void trouble_busiest(host_sim *s, char *text, size_t size) {
  uint32_t processes[3], counts[3];
  char label[64];
  int n = md_sim_busiest(s->kernel, processes, counts, 3);
  size_t used = strlen(text);
  for (int i = 0; i < n; i++)
    used +=
        (size_t)snprintf(text + used, size - used, "%s%s (%u)", i ? ", " : "",
                         host_label(s, processes[i], label), counts[i]);
  if (n == 0) snprintf(text + used, size - used, "callbacks alone");
}

const char *host_stuck(md_host *h, host_sim *s, md_next why) {
  char text[512], now[40];
  if (why == MD_NEXT_STARVED)
    return trouble_fail(h, s, "memory", "out of memory");
  md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), now, sizeof now);
  snprintf(text, sizeof text,
           "too many events at the time %s and no end: processes or callbacks "
           "go on without letting time pass; the busiest of the last events: ",
           now);
  trouble_busiest(s, text, sizeof text);
  strncat(text, "; let them sleep, or raise md.sim{zeno = n}",
          sizeof text - strlen(text) - 1);
  return trouble_fail(h, s, "usage", text);
}

/* The traceback of the dead coroutine under index 1. */
static int trouble_traceback(lua_State *L) {
  host_traceback(L, lua_touserdata(L, 1));
  lua_setfield(L, LUA_REGISTRYINDEX, "md.traceback");
  return 0;
}

void host_failed_callback(md_host *h, host_sim *s, lua_State *co, int status) {
  if (status == LUA_YIELD) { /* a C library's yield: a callback cannot wait */
    lua_settop(co, 0);
    lua_pushliteral(co, "a callback cannot yield");
  } else {
    lua_pushcfunction(h->L, trouble_traceback);
    lua_pushlightuserdata(h->L, co);
    if (lua_pcall(h->L, 1, 0, 0) != LUA_OK) lua_pop(h->L, 1);
  }
  lua_xmove(co, h->L, 1);
  host_fail(h->L, s, 0);
  lua_pop(h->L, 1);
}

void host_failed_process(md_host *h, host_sim *s, lua_State *co, uint32_t p) {
  lua_xmove(co, h->L, 1);
  host_fail(h->L, s, p);
  lua_pop(h->L, 1);
  host_flush(h->L, s, p, true);
  md_sim_end(s->kernel, p, true);
}
