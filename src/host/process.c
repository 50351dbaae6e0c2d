/* How processes run and end: the body that each thread has, what it leaves
   behind for a join, and whose error ends the run. */
#include "host/bond.h"
#include "host/mailbox.h"
#include "host/pattern.h"
#include "host/place.h"
#include "host/recorder.h"

#include <string.h>

/* Somebody waits to join p: an error of it has somebody to go to. */
static bool process_joined(lua_State *L, host_sim *s, uint32_t p) {
  if (end_awaited(L, s, p)) return true;
  uint32_t first = md_sim_cold(s->kernel, p)->watchers, w = first;
  if (first == 0) return false;
  do {
    if (md_sim_proc(s->kernel, w)->wait == MD_WAIT_JOIN) return true;
    w = md_sim_proc(s->kernel, w)->next;
  } while (w != first);
  return false;
}

/* Puts {kind="killed", reason=} on the top. [-0, +1, m] */
static void process_push_killed(lua_State *L, host_sim *s, uint32_t p) {
  char label[64];
  md_proc_extra *extra = md_sim_extra(s->kernel, p);
  host_fetch(L, s, (uint32_t)extra->words[HOST_REASON], 1);
  int reason = lua_gettop(L);
  const char *because = host_describe(L, reason);
  host_error_value(L, L, "killed", "%s was killed%s%s", host_label(s, p, label),
                   lua_isnil(L, reason) ? "" : ": ",
                   lua_isnil(L, reason) ? "" : because);
  lua_pushvalue(L, reason);
  lua_setfield(L, -2, "reason");
  lua_replace(L, reason);
  lua_settop(L, reason);
}

/* True when md.exit ended p, as it may: with no reason, or "normal". */
static bool process_exited(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra->words[HOST_REASON] == HOST_NORMAL) return true;
  host_fetch(L, s, (uint32_t)extra->words[HOST_REASON], 1);
  bool normal = lua_type(L, -1) == LUA_TSTRING &&
                strcmp(lua_tostring(L, -1), "normal") == 0;
  lua_pop(L, 1);
  return normal;
}

static void process_report(lua_State *L, host_sim *s, uint32_t p) {
  char label[64];
  if (s->host->options.quiet) return;
  luaL_tolstring(L, -1, NULL);
  fprintf(stderr, "moondial: %s failed: %s\n", host_label(s, p, label),
          lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* Has a kill ended p, and not the error of a closer? Its error is on the top */
static bool process_unwound(lua_State *L, const host_sim *s, uint32_t p) {
  if (host_kind(L, -1) != HOST_UNWIND) return false;
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  return extra != NULL && extra->words[HOST_UNWINDING] == HOST_KILLED;
}

/* An error ended p; its value is on the top. [-1, +0, m] */
static void process_failed(lua_State *L, host_sim *s, uint32_t p) {
  if (process_unwound(L, s, p)) {
    bool exited = process_exited(L, s, p);
    lua_pop(L, 1);
    if (exited) return;
    process_push_killed(L, s, p);
  } else {
    bool caught = bond_caught(s, p);
    bool uncaught = !s->isolate && !caught && !process_joined(L, s, p) &&
                    !host_stands(s, p);
    if (uncaught || s->host->aborting) host_fail(L, s, p);
    else if (s->isolate && !caught) process_report(L, s, p);
  }
  host_keep_result(L, s, p, false, 1);
}

/* Why p ends, for links and monitors: its error is on the top, if it has one.
   [-0, +1, m] */
static void process_push_reason(lua_State *L, host_sim *s, uint32_t p,
                                bool ok) {
  bool unwound = !ok && process_unwound(L, s, p);
  if (ok || (unwound && process_exited(L, s, p))) {
    lua_pushliteral(L, "normal");
  } else if (unwound) {
    host_fetch(L, s, (uint32_t)md_sim_extra(s->kernel, p)->words[HOST_REASON],
               1);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_pushliteral(L, "killed");
  } else {
    lua_pushvalue(L, -1);
  }
}

static void process_drop(lua_State *L, host_sim *s, uint64_t slot, int n) {
  if (slot != 0) host_drop(L, s, (uint32_t)slot, n);
}

/* Drops what p's rare part holds. [-0, +0, -] */
static void process_forget(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL) return;
  const uint64_t *words = extra->words;
  process_drop(L, s, (uint32_t)words[HOST_PENDING], 1);
  process_drop(L, s, words[HOST_PENDING] >> 32, 1);
  process_drop(L, s, words[HOST_ACCEPTS], 1);
  if (words[HOST_UNITS] != 0) resource_return(L, s, p);
  words = md_sim_extra(s->kernel, p)->words;
  if (words[HOST_END] != 0) end_over(L, s, (uint32_t)words[HOST_END]);
  words = md_sim_extra(s->kernel, p)->words;
  process_drop(L, s, words[HOST_END], 1);
  process_drop(L, s, words[HOST_MAILBOX], 1);
  process_drop(L, s, (uint32_t)words[HOST_BECOMES],
               (int)(words[HOST_BECOMES] >> 32));
  if (words[HOST_REASON] != HOST_NORMAL)
    process_drop(L, s, words[HOST_REASON], 1);
}

static void process_record_killed(lua_State *L, host_sim *s, uint32_t p) {
  process_push_killed(L, s, p);
  host_record_values(L, s, p, "FAIL", lua_gettop(L), 1);
  lua_pop(L, 1);
}

/* Tells the recorder how p ends, by the n values on the top or the error. */
static void process_record(lua_State *L, host_sim *s, uint32_t p, bool ok,
                           int n) {
  bool exited = !ok && process_unwound(L, s, p) && process_exited(L, s, p);
  if (ok) host_record_values(L, s, p, "STOP", lua_gettop(L) - n + 1, n);
  else if (exited) host_record_values(L, s, p, "STOP", 1, 0);
  else if (process_unwound(L, s, p)) process_record_killed(L, s, p);
  else host_record_values(L, s, p, "FAIL", lua_gettop(L), 1);
}

/* The last of a process, on its own coroutine: values from 2 on are what it
   returned, or the top is the error. */
static void process_over(lua_State *L, host_sim *s, uint32_t p, bool ok,
                         bool bonded) {
  bool erred = !ok && bonded && !process_unwound(L, s, p);
  if (bonded) {
    process_push_reason(L, s, p, ok);
    lua_replace(L, 1);
  }
  int n = lua_gettop(L) - 1;
  if (s->host->recording) process_record(L, s, p, ok, n);
  if (ok && n > 0) host_keep_result(L, s, p, true, n);
  if (!ok) process_failed(L, s, p);
  process_forget(L, s, p);
  host_flush(L, s, p, true);
  if (bonded) bond_over(L, s, p, !ok, erred);
  else md_sim_end(s->kernel, p, !ok);
}

static int process_orphaned(lua_State *L, int status, lua_KContext ok);

/* The body has failed, or is that of a process with bonds: its children end
   before it does. Not inline, so that the usual end is short. */
static __attribute__((noinline)) int process_end(lua_State *L, bool ok) {
  const md_host *h = host_of(L);
  host_sim *s = h->sim;
  uint32_t p = h->process;
  bool bonded = md_sim_proc(s->kernel, p)->flags & MD_BONDED;
  if (bonded && ok && scope_unbound(L, s, p)) ok = false;
  if (bonded && child_orphan(L, s, p)) {
    md_sim_wait(s->kernel, p, MD_WAIT_CHILDREN, -1, 0);
    return host_block(L, s, ok, process_orphaned);
  }
  process_over(L, s, p, ok, bonded);
  return 0;
}

static int process_orphaned(lua_State *L, int status, lua_KContext ok) {
  (void)status;
  return process_end(L, ok);
}

int host_over(lua_State *L, bool ok) { return process_end(L, ok); }

/* An error has ended the body, or what makes it another. */
static __attribute__((noinline)) int process_broken(lua_State *L, int status,
                                                    lua_KFunction k) {
  const md_host *h = host_of(L);
  while (status != LUA_OK) {
    host_caught(L, status);
    if (!host_becomes(L, h->sim, h->process)) return process_end(L, false);
    status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, k);
  }
  return process_end(L, true);
}

static int process_body_k(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  if (status != LUA_OK && status != LUA_YIELD)
    return process_broken(L, status, process_body_k);
  const md_host *h = host_of(L);
  host_sim *s = h->sim;
  uint32_t p = h->process;
  if (md_sim_proc(s->kernel, p)->flags & MD_BONDED) return process_end(L, true);
  int n = lua_gettop(L) - 1;
  if (h->recording) host_record_values(L, s, p, "STOP", 2, n);
  if (n > 0) host_keep_result(L, s, p, true, n);
  process_forget(L, s, p);
  host_flush(L, s, p, true);
  md_sim_end(s->kernel, p, false);
  return 0;
}

int host_body(lua_State *L) {
  const md_host *h = host_of(L);
  if (h->recording) host_record_start(L, h->sim, h->process);
  int status =
      lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, process_body_k);
  return process_body_k(L, status, 0);
}

int host_unborn(lua_State *L) {
  lua_pushnil(L);
  lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  return process_end(L, false);
}
