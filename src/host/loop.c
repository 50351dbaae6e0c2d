/* The loop: the only place where a coroutine is resumed. The kernel says what
   is due, the loop has it done. */
#include "host/loop.h"
#include "host/cproc.h"
#include "host/turn.h"

#include <string.h>
#include <time.h>

int host_resume(md_host *h, lua_State *co, lua_State *from, int arguments,
                int *results) {
  lua_State *before = h->current;
  h->current = co;
  int status = lua_resume(co, from, arguments, results);
  h->current = before;
  return status;
}

/* A process's turn is over for good. */
static void loop_ended(md_host *h, host_sim *s, lua_State *co, uint32_t p,
                       int status) {
  if (status != LUA_OK) { /* an error in the ending itself: no memory */
    host_failed_process(h, s, co, p);
    lua_resetthread(co);
  }
  lua_settop(co, 0);
}

/* Fetches what goes on next into the cache while the present process runs:
   the threads of those that come soon, and of the next one, whose thread has
   been fetched so, what two of its words point to (in Lua 5.4 the top of its
   stack and its innermost call; a wrong address only fetches in vain). */
static inline __attribute__((always_inline)) void
loop_prefetch(const host_sim *s) {
  uint32_t coming[MD_COMING];
  int n = md_sim_coming(s->kernel, coming);
  for (int i = 0; i < n; i++) {
    const char *thread = md_sim_root(s->kernel, coming[i]);
    __builtin_prefetch(md_sim_proc(s->kernel, coming[i]));
    /* gcc drops calls of functions that do nothing but prefetch */
    __asm__ volatile("" : : "r"(thread));
    __builtin_prefetch(thread);
    __builtin_prefetch(thread + 64);
    bool plain = thread != NULL && !((uintptr_t)thread & 1); /* see cproc.h */
    if (i > 0 || n < MD_COMING || !plain) continue;
    const char *const *words = (const char *const *)(const void *)thread;
    __builtin_prefetch(words[2] - 64);
    __builtin_prefetch(words[2]);
    __builtin_prefetch(words[4]);
  }
}

/* p's turn, until it blocks, ends, or has a wish, which interrupts it. */
static inline __attribute__((always_inline)) void
loop_turn(md_host *h, host_sim *s, uint32_t p, int arguments) {
  lua_State *co = md_sim_root(s->kernel, p);
  int results;
  h->process = p;
  int status = host_resume(h, co, h->L, arguments, &results);
  if (status == LUA_YIELD) {
    if (results > 0) lua_pop(co, results);
    /* yielded by a C library, which knows nothing of us: let it go on */
    const md_proc *proc = md_sim_proc(s->kernel, p);
    if (proc->state == MD_RUNNING && h->wish.kind == HOST_NO_WISH)
      md_sim_yield(s->kernel, p);
  } else {
    loop_ended(h, s, co, p, status);
  }
  h->process = 0;
}

static void loop_process(md_host *h, host_sim *s, uint32_t p) {
  cproc *c;
  int arguments = 0;
  loop_prefetch(s);
  while (__builtin_expect((c = cproc_of(s, p)) != NULL, 0)) {
    cproc_turn(h, s, p, c);
    p = md_sim_next_turn(s->kernel);
    if (p == 0) return;
    loop_prefetch(s);
  }
  md_proc *proc = md_sim_proc(s->kernel, p);
  if (!(proc->flags & MD_STARTED)) {
    lua_State *co = md_sim_root(s->kernel, p);
    proc->flags |= MD_STARTED;
    if (proc->why == MD_WHY_UNWIND) {
      lua_settop(co, 0);
      lua_pushcfunction(co, host_unborn);
    } else {
      arguments = lua_gettop(co) - 1;
    }
  }
  h->why = proc->why;
  if (h->recording) host_record_turn(s, p);
  loop_turn(h, s, p, arguments);
}

/* A process whose wish was granted goes on in the turn that it is in. */
static __attribute__((noinline, cold)) void loop_go_on(md_host *h,
                                                       host_sim *s) {
  uint32_t p = h->going;
  h->going = 0;
  loop_turn(h, s, p, 0);
}

/* Runs what lies on the callbacks' coroutine, a function under n arguments;
   true when it returned a true value. */
static bool loop_callback(md_host *h, host_sim *s, int n) {
  lua_State *co = h->callbacks;
  int results;
  int status = host_resume(h, co, h->L, n, &results);
  bool yes = status == LUA_OK && results > 0 && lua_toboolean(co, -results);
  if (status != LUA_OK) {
    host_failed_callback(h, s, co, status);
    lua_resetthread(co);
  }
  lua_settop(co, 0);
  return yes;
}

bool host_call(md_host *h, host_sim *s, uint32_t slot, int n) {
  host_fetch(h->callbacks, s, slot, n);
  return loop_callback(h, s, n - 1);
}

/* What the host does when a timer comes due may need memory, or fail: it is
   done on a coroutine, as everything that may. */
static int loop_fire(lua_State *L) {
  const md_event *event = lua_touserdata(L, 1);
  host_sim *s = host_of(L)->sim;
  lua_settop(L, 0);
  if (event->timer_kind == HOST_SCOPE) host_expire(L, s, event->words);
  else if (event->timer_kind == HOST_DUE) host_due(L, event->words);
  else if (event->timer_kind == HOST_LOST) host_lost(L, s, event->words);
  else host_arrive(L, s, event->words);
  return 0;
}

static void loop_timer(md_host *h, host_sim *s, md_event *event) {
  if (h->recording) host_record_timer(s, event);
  if (event->timer_kind == HOST_CALLBACK) {
    uint32_t slot = (uint32_t)event->words[0];
    int n = (int)(event->words[0] >> 32);
    md_sim_note(s->kernel, MD_TRACE_CALL, 0, 0, 0);
    h->acting = event->words[1];
    h->acting_family = event->words[2];
    host_call(h, s, slot, n);
    h->acting = 0;
    host_drop(h->L, s, slot, n);
    return;
  }
  lua_pushcfunction(h->callbacks, loop_fire);
  lua_pushlightuserdata(h->callbacks, event);
  loop_callback(h, s, 1);
}

/* Real time: waits until the next event is due. */
static void loop_pace(md_host *h, host_sim *s) {
  md_time next;
  if (!md_sim_peek(s->kernel, &next)) return;
  md_scale scale = md_sim_scale(s->kernel);
  double units = md_time_show(scale, next - md_sim_now(s->kernel));
  double seconds = units / h->options.pace;
  struct timespec wait = {(time_t)seconds,
                          (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&wait, NULL); /* Ctrl-C ends it early, and is seen next */
}

/* After every event of a run that is looked at; what ends it, or NULL. */
static const char *loop_look(md_host *h, host_sim *s,
                             const host_limits *limits) {
  if (h->out.observe != NULL) h->out.observe(h, s);
  if (s->stopped || limits->when == 0 || h->wish.kind) return NULL;
  return host_call(h, s, limits->when, 1) ? "when" : NULL;
}

/* Where a run has to stop, and whether it goes on then. */
typedef struct loop_bounds {
  md_time to;        /* it is over */
  bool time, events; /* these are but a pause, */
  bool stops;        /* some of these also when nothing is left to do */
} loop_bounds;

/* The end of the events: the clock ends exactly at the limit, but where
   somebody at a prompt has it stop before. */
static const char *loop_over(host_sim *s, md_next next, loop_bounds bounds) {
  md_time to = bounds.to;
  if (next == MD_NEXT_LIMIT && bounds.time) return HOST_PAUSED;
  if (next == MD_NEXT_ENOUGH) return bounds.events ? HOST_PAUSED : "events";
  if (bounds.stops && to != INT64_MAX) return HOST_PAUSED;
  if (to != INT64_MAX) md_sim_forward(s->kernel, to);
  if (next == MD_NEXT_LIMIT) return "time";
  return md_sim_live(s->kernel) ? "idle" : "done";
}

/* Ctrl-C at a prompt. */
static const char *loop_halt(md_host *h) {
  h->out.signalled = 0;
  h->out.halt = h->out.broken = true;
  return HOST_PAUSED;
}

/* The run: nobody is called but those who are due. */
static const char *loop_events(md_host *h, host_sim *s,
                               const host_limits *limits, loop_bounds bounds) {
  bool pace = h->options.pace > 0, looked = limits->when || h->out.observe;
  uint32_t turns = 0;
  md_event event;
  const char *outcome = NULL;
  /* what `when` sees must not hang on the pauses: once before the first event,
     and once after each, also after one that was interrupted by a wish */
  bool going = h->going != 0;
  if (going) loop_go_on(h, s);
  if (going ? looked : !s->begun && limits->when)
    outcome = loop_look(h, s, limits);
  s->begun = true;
  while (outcome == NULL && !s->failed && !s->stopped) {
    if (pace) loop_pace(h, s);
    if (h->out.signalled && !h->out.interactive) return host_interrupted(h, s);
    if (h->wish.kind) return HOST_PAUSED;
    if (h->out.signalled) return loop_halt(h);
    md_next next = md_sim_next(s->kernel, &event);
    if (next == MD_NEXT_PROCESS) loop_process(h, s, event.process);
    else if (next == MD_NEXT_TIMER) loop_timer(h, s, &event);
    else if (next >= MD_NEXT_ZENO) return host_stuck(h, s, next);
    else return loop_over(s, next, bounds);
    if (looked) outcome = loop_look(h, s, limits);
    if ((++turns & 0x3fff) == 0 && h->out.progress)
      h->out.progress(h, s, false);
  }
  return s->failed ? NULL : s->stopped ? "stopped" : outcome;
}

void host_begin(md_host *h, host_sim *s, host_limits *limits) {
  uint64_t events = md_sim_events(s->kernel);
  if (limits->events < UINT64_MAX - events) limits->events += events;
  else limits->events = UINT64_MAX;
  h->sim = s;
  h->process = 0;
  h->fences = 0;
  h->acting = 0;
  s->running = true;
  s->begun = false;
  s->failed = s->stopped = false;
}

/* Tells the kernel how far it may go: to the end, or to a pause before it. */
static loop_bounds loop_bound(md_host *h, host_sim *s,
                              const host_limits *limits) {
  md_time now = md_sim_now(s->kernel);
  md_time to = limits->to >= 0 ? limits->to : INT64_MAX;
  if (s->bound >= 0 && s->bound < to) to = s->bound;
  if (to < now) to = now;
  uint64_t done = md_sim_events(s->kernel), events = limits->events;
  loop_bounds bounds = {.to = to};
  const host_pause *pause = h->nested == 0 ? h->out.pauses : NULL;
  for (; pause != NULL; pause = pause->next) {
    if (s == h->first && pause->time < bounds.to) bounds.stops |= pause->stops;
    if (s == h->first && pause->time < to) {
      to = pause->time;
      bounds.time = true;
    }
    /* who stands still at an event means one of the default sim */
    if (pause->events < events && (s == h->first || !pause->stops)) {
      events = pause->events;
      bounds.events = true;
    }
  }
  /* a pause that should have been is the next thing */
  if (events != UINT64_MAX) events = events > done ? events - done : 0;
  /* quick sleeps are not looked at one by one */
  bool quick = !limits->when && !h->out.observe && !(h->options.pace > 0);
  md_sim_bound(s->kernel, to, events, quick);
  return bounds;
}

const char *host_go_on(md_host *h, host_sim *s, const host_limits *limits) {
  host_line_settle(h);
  return loop_events(h, s, limits, loop_bound(h, s, limits));
}

void host_end(md_host *h, host_sim *s, const char *outcome) {
  s->outcome = outcome;
  s->running = false;
  if (h->out.progress) h->out.progress(h, s, true);
  h->sim = NULL;
  h->process = 0;
  h->fences = 0;
}

void host_run_nested(md_host *h, host_sim *s, const host_limits *limits) {
  host_limits own = *limits;
  host_sim *sim = h->sim;
  uint32_t process = h->process;
  md_pid acting = h->acting;
  int fences = h->fences;
  h->nested++;
  host_begin(h, s, &own);
  host_end(h, s, host_go_on(h, s, &own));
  h->nested--;
  h->sim = sim;
  h->process = process;
  h->fences = fences;
  h->acting = acting;
}
