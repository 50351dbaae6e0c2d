/* How processes in C begin, have their turns, and end. */
#include "host/cproc.h"
#include "host/bond.h"
#include "host/cdata.h"
#include "host/loop.h"
#include "image/audit.h"
#include "image/image.h"
#include "native/symbol.h"

#include <string.h>

const char *cproc_where(const host_sim *s, const cproc *c,
                        char text[CPROC_WHERE]) {
  const md_host *h = s->host;
  const host_native *n = h->native;
  uint32_t symbol = h->bodies->bodies[c->body].symbol;
  const char *library = cproc_library(h, symbol);
  const char *slash = library ? strrchr(library, '/') : NULL;
  const char *file = slash ? slash + 1 : library ? library : "C";
  /* ffi.compile calls them by a hash */
  if (strlen(file) == 35 && strspn(file, "0123456789abcdef") == 32)
    file = "a compiled text";
  int end = snprintf(text, CPROC_WHERE, "%.60s of %.60s",
                     md_cname_text(n->types, n->symbols[symbol].name), file);
  if (c->open.at > 0)
    snprintf(text + end, CPROC_WHERE - (size_t)end, ", near line %d",
             c->open.at);
  return text;
}

void cproc_push_wanted(lua_State *L, host_sim *s, const cproc *c) {
  uint32_t from = host_pid_index(s, (void *)(uintptr_t)c->from);
  char label[64];
  lua_pushstring(L, c->tag == MD_ANY ? "any message" : "a message");
  if (c->from == MD_ANYBODY) return;
  lua_pushfstring(L, " from %s",
                  from ? host_label(s, from, label) : "one that has ended");
  lua_concat(L, 2);
}

/* -- images -- */

bool cproc_good(const md_host *h, char *why, size_t size) {
  char label[64];
  for (const host_sim *s = h->sims; h->bodies && s != NULL; s = s->next)
    for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
      const cproc *c = cproc_of(s, p);
      if (c == NULL || c->memory_size == 0) continue;
      const char *out = md_image_leads_out(c->open.memory, c->memory_size,
                                           HOST_STACK, HOST_STACK_SIZE);
      if (out == NULL) continue;
      snprintf(why, size,
               "the memory of %s, a C process, has an address in %.80s, which "
               "no image can hold; let it keep that in none of its fields",
               host_label(s, p, label), out);
      return false;
    }
  return true;
}

/* -- errors -- */

typedef struct cproc_raising {
  const char *kind, *text;
} cproc_raising;

static void cproc_hold_error(lua_State *L, cproc *c, void *argument) {
  const cproc_raising *r = argument;
  char where[CPROC_WHERE];
  lua_pushstring(L, cproc_where(c->sim, c, where));
  lua_pushstring(L, r->text);
  host_error_value(L, L, r->kind, "%s: %s", lua_tostring(L, -2),
                   lua_tostring(L, -1));
  c->error = host_hold(L, c->sim, lua_gettop(L), 1);
}

void cproc_no_memory(cproc *c) {
  if (c->broken) return;
  c->broken = true;
  c->error = 0;
}

void cproc_fail(cproc *c, const char *kind, const char *format, ...) {
  char text[600];
  va_list list;
  if (c->broken) return;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  cproc_raising raising = {kind, text};
  if (cproc_do(c, cproc_hold_error, &raising)) c->broken = true;
}

typedef struct cproc_doing {
  cproc *c;
  cproc_work *f;
  void *argument;
} cproc_doing;

static int cproc_done(lua_State *L) {
  const cproc_doing *d = lua_touserdata(L, 1);
  lua_settop(L, 0);
  d->f(L, d->c, d->argument);
  return 0;
}

/* [error, record]: the error is kept for the process's end. */
static int cproc_hold(lua_State *L) {
  cproc *c = lua_touserdata(L, 2);
  c->error = host_hold(L, c->sim, 1, 1);
  return 0;
}

bool cproc_do(cproc *c, cproc_work *f, void *argument) {
  md_host *h = c->sim->host;
  lua_State *L = h->bodies->L, *before = h->current;
  cproc_doing doing = {c, f, argument};
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 8)) {
    cproc_no_memory(c);
    return false;
  }
  h->current = L;
  lua_pushcfunction(L, cproc_done);
  lua_pushlightuserdata(L, &doing);
  int status = lua_pcall(L, 1, 0, 0);
  h->current = before;
  if (status == LUA_OK) return true;
  if (!c->broken) {
    c->broken = true;
    c->error = 0;
    lua_pushcfunction(L, cproc_hold);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, c);
    lua_pcall(L, 2, 0, 0); /* without memory there is no value to keep */
  }
  lua_settop(L, top);
  return false;
}

/* -- beginning -- */

/* A record begins a cache line. */
enum { CPROC_BLOCK = sizeof(cproc) + 48 };

static cproc *cproc_new(md_arena *arena) {
  char *block = md_arena_alloc(arena, CPROC_BLOCK);
  if (block == NULL) return NULL;
  cproc *c = (cproc *)(((uintptr_t)block + 63) & ~(uintptr_t)63);
  memset(block, 0, CPROC_BLOCK);
  c->block = block;
  return c;
}

static void cproc_give(md_arena *arena, cproc *c) {
  if (c->open.memory != c->room)
    md_arena_free(arena, c->open.memory, c->memory_size);
  md_arena_free(arena, c->block, CPROC_BLOCK);
}

cproc *cproc_open(lua_State *L, host_sim *s, uint32_t body, int first, int n) {
  cmail *arguments = cmail_read(L, s, MD_ANYBODY, first, n);
  cproc *c = cproc_new(s->host->arena);
  if (c == NULL) {
    cmail_drop(s, arguments);
    host_no_memory(L);
  }
  c->open.calls = &cproc_calls;
  c->open.arguments = &arguments->open;
  c->arguments = arguments;
  c->sim = s;
  c->body = body;
  return c;
}

void cproc_bind(cproc *c, uint32_t p) {
  c->process = p;
  md_sim_set_root(c->sim->kernel, p, (char *)c + 1);
}

void cproc_free(cproc *c) {
  host_sim *s = c->sim;
  md_arena *arena = s->host->arena;
  cmail_drop(s, c->mail);
  cmail_drop(s, c->arguments);
  cmail_drop(s, c->cause);
  cmail_drop(s, c->answer);
  host_drop(s->H, s, c->result, (int)c->results);
  host_drop(s->H, s, c->error, c->error != 0);
  cproc_give(arena, c);
}

static void cproc_discard(host_sim *s, cmail *m) {
  if (m == NULL) return;
  m->kept = 0; /* what Lua holds of it goes with the sim */
  cmail_drop(s, m);
}

static void cproc_discard_mails(host_sim *s, uint32_t e) {
  const md_envelope *envelopes = md_sim_mails(s->kernel)->envelopes;
  for (; e != 0; e = envelopes[e].next)
    cproc_discard(s, cmail_at(envelopes[e].mail.slot));
}

void cproc_close_sim(host_sim *s) {
  const md_sim *k = s->kernel;
  if (s->host->bodies == NULL) return;
  for (uint32_t p = 0; (p = md_sim_after(k, p)) != 0;) {
    cproc *c = cproc_of(s, p);
    const md_proc_extra *extra = md_sim_extra(k, p);
    if (c == NULL) continue;
    cproc_discard_mails(s, md_sim_proc(k, p)->inbox_first);
    if (extra != NULL) cproc_discard_mails(s, extra->line_first);
    cmail *mails[] = {c->mail, c->arguments, c->cause, c->answer};
    for (int i = 0; i < 4; i++) cproc_discard(s, mails[i]);
    cproc_give(s->host->arena, c);
  }
  ccall_close_sim(s);
}

/* -- ending -- */

/* Everything of it is given back; the slot has its coroutine again, if it ever
   had one. */
static void cproc_leave(cproc *c) {
  host_sim *s = c->sim;
  host_flush(s->host->L, s, c->process, true);
  lua_rawgeti(s->H, HOST_THREADS, c->process);
  md_sim_set_root(s->kernel, c->process, lua_tothread(s->H, -1));
  lua_pop(s->H, 1);
  cproc_free(c);
}

/* On the bodies' coroutine, what a coroutine of its own would do: [record,
   killed]. */
static int cproc_over(lua_State *L) {
  cproc *c = lua_touserdata(L, 1);
  host_sim *s = c->sim;
  bool killed = lua_toboolean(L, 2), ok = !killed && !c->broken;
  lua_settop(L, 0);
  luaL_checkstack(L, (int)c->results + 8, NULL);
  lua_pushnil(L);
  if (killed) lua_pushlightuserdata(L, host_light(HOST_UNWIND, 0));
  else if (ok) host_fetch(L, s, c->result, (int)c->results);
  else if (c->error != 0) host_fetch(L, s, c->error, 1);
  else lua_getfield(L, LUA_REGISTRYINDEX, "md.nomemory");
  cproc_leave(c);
  return host_over(L, ok);
}

/* Nobody but who joins it is concerned, and nothing is left of it. */
static bool cproc_plain(const cproc *c) {
  const md_sim *k = c->sim->kernel;
  return !c->broken && c->results == 0 && md_sim_extra(k, c->process) == NULL &&
         !(md_sim_proc(k, c->process)->flags & MD_BONDED);
}

static void cproc_end(md_host *h, cproc *c, bool killed) {
  host_sim *s = c->sim;
  uint32_t p = c->process;
  lua_State *L = h->bodies->L, *before = h->current;
  const md_proc *proc = md_sim_proc(s->kernel, p);
  if (!killed && cproc_plain(c)) {
    cproc_leave(c);
    md_sim_end(s->kernel, p, false);
    return;
  }
  if (proc->state == MD_WAITING && proc->wait == MD_WAIT_ROOM)
    host_unline(L, s, p);
  h->current = L;
  int top = lua_gettop(L);
  lua_pushcfunction(L, cproc_over);
  lua_pushlightuserdata(L, c);
  lua_pushboolean(L, killed);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) host_failed_process(h, s, L, p);
  h->current = before;
  lua_settop(L, top);
}

/* -- turns -- */

/* Where the body is, found anew; NULL with an error. */
static __attribute__((noinline, cold)) void *cproc_found(md_host *h, cproc *c) {
  cproc_body *body = &h->bodies->bodies[c->body];
  char why[512];
  body->address = cproc_find(h, body, true, why, sizeof why);
  if (body->address == NULL) cproc_fail(c, "native", "%s", why);
  return body->address;
}

static inline md_body *cproc_code(md_host *h, cproc *c) {
  void *address = h->bodies->bodies[c->body].address;
  md_body *code;
  if (__builtin_expect(address == NULL, 0)) address = cproc_found(h, c);
  memcpy(&code, &address, sizeof code);
  return code;
}

/* The body is called a last time, for what stands behind MD_FINALLY. */
static void cproc_close(md_host *h, cproc *c) {
  md_body *code = cproc_code(h, c);
  if (c->open.at <= 0 || code == NULL) return;
  c->closing = true;
  c->open.at = MD_AT_CLOSE;
  code(&c->open);
}

/* The first of the interrupts that have come. */
static void cproc_interrupted(lua_State *L, cproc *c, void *argument) {
  (void)argument;
  host_raise_pending(L, c->sim, c->process);
}

static void cproc_take_cause(lua_State *L, cproc *c, void *argument) {
  host_sim *s = c->sim;
  (void)argument;
  host_fetch(L, s, c->error, 1);
  if (lua_istable(L, -1)) lua_getfield(L, -1, "cause");
  else lua_pushnil(L);
  cmail *cause = cmail_read(L, s, MD_ANYBODY, lua_gettop(L), 1);
  cmail_drop(s, c->cause);
  c->cause = cause;
  host_drop(L, s, c->error, c->error != 0);
  c->error = 0;
}

/* It asks no more: an answer that came before is of no use. */
static void cproc_withdraw(cproc *c) {
  if (c->asked != 0 && cmail_look(c)) {
    cmail_drop(c->sim, c->mail);
    c->mail = NULL;
    c->open.message = NULL;
  }
  c->asked = 0;
}

void cproc_interrupt(cproc *c) {
  cproc_withdraw(c);
  cproc_do(c, cproc_interrupted, NULL);
  c->open.wakeup = MD_BY_INTERRUPT;
  if (!(c->catches & MD_CATCH_INTERRUPT) || c->error == 0) return;
  c->broken = false;
  cproc_do(c, cproc_take_cause, NULL);
}

void cproc_unanswered(cproc *c) {
  c->open.wakeup = MD_BY_END;
  if (!(c->catches & MD_CATCH_NOPROC))
    cproc_fail(c, "noproc", "md_ask: the process asked has ended");
}

void cproc_timeout(cproc *c) {
  c->open.wakeup = MD_BY_TIMEOUT;
  md_sim_note(c->sim->kernel, MD_TRACE_TIMEOUT, c->process, 0, 0);
}

/* The question is on its way: waits for the answer, unless it is there. */
void cproc_asked(cproc *c) {
  md_sim *k = c->sim->kernel;
  uint32_t to = host_pid_index(c->sim, (void *)(uintptr_t)c->asked);
  c->asked = 0;
  if (cmail_look(c)) c->open.wakeup = MD_BY_MESSAGE;
  else if (to == 0) cproc_unanswered(c);
  else if (c->deadline >= 0 && c->deadline <= md_sim_now(k)) cproc_timeout(c);
  else md_sim_wait(k, c->process, MD_WAIT_REPLY, c->deadline, to);
}

/* Why it goes on, where that is not the usual; false: it waits on. */
static __attribute__((noinline)) bool cproc_wake_up(cproc *c,
                                                    const md_proc *proc) {
  switch ((md_why)proc->why) {
  case MD_WHY_INTERRUPT:
    cproc_interrupt(c);
    break;
  case MD_WHY_END:
    cproc_unanswered(c);
    break;
  case MD_WHY_ROOM:
    c->open.wakeup = MD_BY_ROOM;
    if (c->asked != 0) cproc_asked(c);
    break;
  case MD_WHY_START:
    c->open.wakeup = MD_BY_START;
    break;
  default:
    if (proc->wait == MD_WAIT_ROOM) host_unline(NULL, c->sim, c->process);
    c->asked = 0;
    cproc_timeout(c);
  }
  return md_sim_proc(c->sim->kernel, c->process)->state == MD_RUNNING;
}

/* The body waits for nothing, or has failed: that is its end. */
static __attribute__((noinline)) void cproc_stop(md_host *h, cproc *c) {
  host_sim *s = c->sim;
  if (c->broken && !c->closing) cproc_close(h, c);
  cproc_end(h, c, false);
  if (s->failed) md_sim_halt(s->kernel);
}

static __attribute__((noinline)) void cproc_kill(md_host *h, cproc *c) {
  cproc_withdraw(c);
  host_sim *s = c->sim;
  cproc_close(h, c);
  cproc_end(h, c, true);
  if (s->failed) md_sim_halt(s->kernel);
}

void cproc_turn(md_host *h, host_sim *s, uint32_t p, cproc *c) {
  md_proc *proc = md_sim_proc(s->kernel, p);
  md_why why = (md_why)proc->why;
  bool runs = true;
  h->process = p;
  proc->flags |= MD_STARTED;
  if (__builtin_expect(why == MD_WHY_UNWIND, 0)) {
    cproc_kill(h, c);
    h->process = 0;
    return;
  }
  if (why == MD_WHY_MESSAGE) c->open.wakeup = MD_BY_MESSAGE;
  else if (why == MD_WHY_TIME && proc->wait == MD_WAIT_TIME)
    c->open.wakeup = MD_BY_TIME;
  else runs = cproc_wake_up(c, proc);
  md_body *code = c->broken ? NULL : cproc_code(h, c);
  if (code != NULL && runs) code(&c->open);
  if (c->broken || md_sim_proc(s->kernel, p)->state == MD_RUNNING)
    cproc_stop(h, c);
  h->process = 0;
}
