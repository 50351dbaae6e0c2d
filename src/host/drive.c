/* What the program does from its beginning to its end: the script, and the runs
   that it asks for. Where it stands is in the arena, so that an image can go on
   from there: nothing that matters is kept on the C stack between two events.
 */
#include "host/loop.h"
#include "host/state.h"
#include "host/travel.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* The script goes on: until it asks for a run, has a wish, or ends. */
static int drive_script(md_host *h) {
  lua_State *co = h->script;
  int results;
  int arguments = lua_status(co) == LUA_YIELD ? 0 : lua_gettop(co) - 1;
  int status = host_resume(h, co, h->L, arguments, &results);
  if (status != LUA_YIELD) {
    h->phase = HOST_OVER;
    if (status != LUA_OK) lua_xmove(co, h->L, 1);
    return status;
  }
  lua_pop(co, results);
  if (h->wish.kind) return LUA_OK;
  h->phase = HOST_RUN;
  host_begin(h, h->asked, &h->limits);
  return LUA_OK;
}

bool host_unrun(const md_host *h) {
  const host_sim *s = h->first;
  md_time next;
  if (s == NULL || s->outcome != NULL) return false;
  return md_sim_live(s->kernel) > 0 || md_sim_peek(s->kernel, &next);
}

void host_begin_rest(md_host *h) {
  h->phase = HOST_REST;
  h->asked = h->first;
  h->limits = (host_limits){-1, UINT64_MAX, 0};
  host_begin(h, h->asked, &h->limits);
}

/* Those whose time has come have a look. */
static void drive_pause(md_host *h, host_sim *s) {
  uint64_t events = md_sim_events(s->kernel);
  md_time next = INT64_MAX;
  md_sim_peek(s->kernel, &next);
  host_pause *following;
  for (host_pause *p = h->out.pauses; p != NULL; p = following) {
    following = p->next;
    bool due = s == h->first && p->time < next;
    bool counted = s == h->first || !p->stops;
    if (due || (counted && p->events <= events)) p->reach(h, s, p);
  }
}

static int drive_run(md_host *h) {
  host_sim *s = h->asked;
  const char *outcome = host_go_on(h, s, &h->limits);
  if (outcome != NULL && strcmp(outcome, HOST_PAUSED) == 0) {
    if (h->wish.kind == HOST_NO_WISH) drive_pause(h, s);
    return LUA_OK;
  }
  if (outcome == NULL && h->out.interactive && !h->out.told) {
    h->out.told = h->out.halt = true; /* nobody has unwound anything yet */
    h->out.failures++;
    return LUA_OK;
  }
  h->out.told = false;
  host_end(h, s, outcome);
  bool rest = h->phase == HOST_REST;
  h->phase = rest ? HOST_OVER : HOST_SCRIPT;
  if (!rest || outcome != NULL) return LUA_OK;
  lua_getfield(h->L, LUA_REGISTRYINDEX, "md.error");
  return LUA_ERRRUN;
}

int host_drive(md_host *h) {
  for (;;) {
    int status = LUA_OK;
    if (h->wish.kind) host_grant(h);
    else if (h->phase == HOST_SCRIPT) status = drive_script(h);
    else status = drive_run(h);
    if (status == LUA_OK && h->phase == HOST_OVER && host_unrun(h))
      host_begin_rest(h);
    if (h->out.halt && status == LUA_OK) {
      h->out.halt = false;
      return LUA_OK;
    }
    if (status == LUA_OK && h->phase != HOST_OVER) continue;
    h->phase = HOST_OVER;
    if (!host_travel_over(h, status)) return status;
  }
}

/* -- the stack -- */

typedef struct drive_call {
  int (*body)(void *);
  void *argument;
  int result;
  sigset_t signals;
} drive_call;

static void *drive_thread(void *argument) {
  drive_call *call = argument;
  pthread_sigmask(SIG_SETMASK, &call->signals, NULL);
  call->result = call->body(call->argument);
  return NULL;
}

/* Reserves the stack, below the arena; false when something else is there. */
static bool drive_stack(void) {
  void *stack = HOST_STACK;
  static bool reserved;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK |
              MAP_FIXED_NOREPLACE;
  if (reserved) return true;
  void *p = mmap(stack, HOST_STACK_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (p != stack && p != MAP_FAILED) munmap(p, HOST_STACK_SIZE);
  return reserved = p == stack;
}

int host_on_stack(int (*body)(void *), void *argument) {
  drive_call call = {.body = body, .argument = argument};
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all;
  if (!drive_stack() || pthread_attr_init(&attributes) != 0)
    return body(argument);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &call.signals);
  bool made =
      pthread_attr_setstack(&attributes, HOST_STACK, HOST_STACK_SIZE) == 0 &&
      pthread_create(&thread, &attributes, drive_thread, &call) == 0;
  pthread_attr_destroy(&attributes);
  if (made) pthread_join(thread, NULL);
  pthread_sigmask(SIG_SETMASK, &call.signals, NULL);
  return made ? call.result : body(argument);
}
