#include "host/travel.h"
#include "host/files.h"
#include "host/modules.h"
#include "host/plain.h"
#include "host/state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* -- going back -- */

bool host_travel_to(md_host *h, travel_point *p, char error[MD_IMAGE_ERROR]) {
  host_past *past = host_travel_past(h);
  sigset_t all, signals;
  char why[MD_IMAGE_ERROR - 64];
  if (h->out.returning) h->out.returning(h, (uint32_t)(p - past->points));
  while (p + 1 < past->points + past->count)
    host_travel_drop(past, past->count - 1);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &signals);
  host_close_files(h);
  host_outside out = h->out;
  md_arena_recede(h->arena, md_snapshot_size(p->state));
  md_snapshot_restore(p->state, h->arena);
  h->out = out;
  pthread_sigmask(SIG_SETMASK, &signals, NULL);
  const host_sim *s = h->first;
  for (host_pause *pause = out.pauses; pause != NULL; pause = pause->next)
    if (pause->time != INT64_MAX && !pause->stops) /* at regular distances */
      pause->time = s ? md_sim_now(s->kernel) : 0;
  md_note files = {p->files, p->files_size};
  if (host_wake_files(h, files, why, sizeof why)) return true;
  snprintf(error, MD_IMAGE_ERROR, "back in the past: %s", why);
  return false;
}

bool host_travel_before_failure(md_host *h, host_pause *pause,
                                char error[MD_IMAGE_ERROR]) {
  const host_past *past = host_travel_past(h);
  uint64_t events = h->failed_events;
  uint32_t i = past->count;
  if (h->failed_sim == NULL || h->failed_sim != h->first) i = 0;
  while (i > 0 && past->points[i - 1].events >= events) i--;
  if (i == 0) {
    snprintf(error, MD_IMAGE_ERROR,
             "there is no image from before the error: it was not raised in an "
             "event of the default sim");
    return false;
  }
  if (!host_travel_to(h, &past->points[i - 1], error)) return false;
  pause->time = INT64_MAX;
  pause->events = events - 1;
  pause->next = NULL;
  h->out.pauses = pause; /* and no other */
  return true;
}

/* -- points at regular distances -- */

/* Of those that are there for a failure alone the last two are enough: it may
   come right after the last. */
static void travel_often(md_host *h, host_sim *s) {
  host_past *past = host_travel_past(h);
  char error[MD_IMAGE_ERROR];
  past->pause.events = md_sim_events(s->kernel) + past->often;
  if (s != h->first || host_in_branch(h)) return;
  travel_point *p = host_travel_keep(h, NULL, error);
  uint32_t own = 0;
  if (p == NULL) return;
  p->own = true;
  bool few = past->every <= 0 && !h->out.interactive;
  for (uint32_t i = past->count; few && i-- > 0;)
    if (past->points[i].own && ++own > 2) host_travel_drop(past, i);
}

static void travel_reach(md_host *h, host_sim *s, host_pause *pause) {
  host_past *past = (host_past *)pause; /* its first member */
  char error[MD_IMAGE_ERROR];
  md_time distance, next;
  if (md_sim_events(s->kernel) >= pause->events) {
    travel_often(h, s);
    return;
  }
  if (!md_time_read(md_sim_scale(s->kernel), past->every, &distance) ||
      distance <= 0 || !md_sim_peek(s->kernel, &next)) {
    pause->time = INT64_MAX;
    return;
  }
  md_time at = (next - 1) / distance * distance;
  pause->time = at > INT64_MAX - distance ? INT64_MAX : at + distance;
  if (host_in_branch(h)) return;
  travel_point *p = host_travel_keep(h, NULL, error);
  if (p != NULL) p->own = true;
}

void host_travel_begin(md_host *h, host_past *past) {
  h->out.past = past;
  past->pause = (host_pause){INT64_MAX, UINT64_MAX, travel_reach, NULL, false};
  if (past->every <= 0 && past->often == 0) return;
  if (past->often > 0) past->pause.events = 0;
  if (past->every > 0)
    past->pause.time = h->first ? md_sim_now(h->first->kernel) : 0;
  past->pause.next = h->out.pauses;
  h->out.pauses = &past->pause;
}

void host_travel_end(md_host *h) {
  host_past *past = host_travel_past(h);
  while (past->count > 0) host_travel_drop(past, past->count - 1);
  md_pages_close(&past->pages);
  free(past->points);
  free(past->baggage);
  past->points = NULL;
  past->baggage = NULL;
  past->capacity = 0;
}

/* -- granting -- */

static travel_point *travel_named(host_past *past, const char *name) {
  uint32_t i = past->count;
  while (i > 0 && (past->points[i - 1].name == NULL ||
                   strcmp(past->points[i - 1].name, name) != 0))
    i--;
  return i > 0 ? &past->points[i - 1] : NULL;
}

static void travel_keep(md_host *h, bool branch, char *error) {
  travel_point *p = host_travel_keep(h, h->wish.text, error);
  h->wish.answer = p != NULL ? "taken" : NULL;
  if (p != NULL) p->branch = branch;
}

/* The wish that the point was kept for is there again, and is answered. */
static void travel_back(md_host *h, travel_point *p, char *error) {
  bool good = host_travel_to(h, p, error);
  h->wish.answer = good ? "rewound" : NULL;
}

void host_travel_grant(md_host *h, char error[MD_IMAGE_ERROR]) {
  host_past *past = host_travel_past(h);
  travel_point *p;
  switch (h->wish.kind) {
  case HOST_CHECKPOINT:
  case HOST_BRANCH:
    travel_keep(h, h->wish.kind == HOST_BRANCH, error);
    break;
  case HOST_REWIND:
    p = h->wish.text != NULL ? travel_named(past, h->wish.text)
                             : host_travel_find(h, h->wish.time);
    travel_back(h, p, error);
    break;
  case HOST_BRANCHED:
    p = &past->points[past->count];
    while (!p[-1].branch) p--;
    travel_back(h, p - 1, error);
    host_travel_drop(past, past->count - 1);
    break;
  default:
    break;
  }
}

bool host_in_branch(const md_host *h) {
  const host_past *past = h->out.past;
  for (uint32_t i = 0; past != NULL && i < past->count; i++)
    if (past->points[i].branch) return true;
  return false;
}

/* -- baggage -- */

/* Puts n values from `first` on into the baggage; false as host_plain_put. */
static bool travel_pack(lua_State *L, int first, int n, const char *what,
                        bool failed, char why[256]) {
  host_past *past = host_travel_past(host_of(L));
  free(past->baggage);
  past->baggage = NULL;
  FILE *file = open_memstream(&past->baggage, &past->baggage_size);
  if (file == NULL) abort();
  bool good = host_plain_put(L, first, n, what, file, why);
  fclose(file);
  past->failed = failed;
  return good;
}

/* Pushes the baggage; how many values that were. */
static int travel_unpack(lua_State *L) {
  host_past *past = host_travel_past(host_of(L));
  md_note bytes = {past->baggage, past->baggage ? past->baggage_size : 0};
  int n = host_plain_get(L, bytes);
  free(past->baggage);
  past->baggage = NULL;
  past->baggage_size = 0;
  return n < 0 ? 0 : n;
}

/* Packs the error at index i, or its text if it is not plain. */
static void travel_pack_error(lua_State *L, int i) {
  char why[256];
  if (travel_pack(L, i, 1, "the error", true, why)) return;
  luaL_tolstring(L, i, NULL);
  travel_pack(L, lua_gettop(L), 1, "the error", true, why);
  lua_pop(L, 1);
}

/* -- md.checkpoint, md.rewind -- */

static const char *travel_name(lua_State *L, int i, const char *call) {
  size_t n = 0;
  const char *name =
      lua_type(L, i) == LUA_TSTRING ? lua_tolstring(L, i, &n) : NULL;
  if (name == NULL || strlen(name) != n)
    host_raise(L, "usage", "%s: expected a name, got %s", call,
               host_describe(L, i));
  return name;
}

static int travel_answer(lua_State *L, int status, lua_KContext ctx) {
  const md_host *h = host_of(L);
  (void)status, (void)ctx;
  if (h->wish.answer == NULL)
    return host_raise(L, "image", "checkpoint: %s", h->out.error);
  lua_settop(L, 0);
  lua_pushstring(L, h->wish.answer);
  return 1 + travel_unpack(L);
}

/* checkpoint([name]) -> "taken" or "rewound", ...
   Keeps the state of the whole program in memory, to come back to it with
   rewind. Returns "taken", and when the run comes back "rewound" with the
   values that rewind was given. A new one of the same name stands before the
   old one. Raises image when a pipe or a nameless file is open, and where the
   run cannot be left, and after a rewind when a file that was open cannot be
   opened again; usage for a name that is no string.
     print(md.checkpoint "warm") */
static int f_checkpoint(lua_State *L) {
  lua_settop(L, 1);
  const char *name = lua_isnil(L, 1) ? NULL : travel_name(L, 1, "checkpoint");
  host_may_wish(L, "checkpoint");
  return host_make_wish(L, HOST_CHECKPOINT, name, travel_answer);
}

/* From the same state to the same time for a second time: for ever. */
static void travel_no_circle(lua_State *L, const travel_point *p,
                             md_time time) {
  md_host *h = host_of(L);
  host_past *past = host_travel_past(h);
  uint64_t hash = h->first ? md_sim_hash(h->first->kernel) : 0;
  if (!p->own) return;
  if (past->last_hash == hash && past->last_time == time)
    host_raise(L, "usage",
               "rewind: the run went back to that time from this very state "
               "before, and would do so for ever; go back to a checkpoint of "
               "the model's own, which tells it by returning \"rewound\"");
  past->last_hash = hash;
  past->last_time = time;
}

static int travel_missing(lua_State *L, const char *name) {
  host_past *past = host_travel_past(host_of(L));
  const char *known[33];
  int n = 0;
  for (uint32_t i = past->count; i > 0 && n < 32; i--)
    if (past->points[i - 1].name != NULL) known[n++] = past->points[i - 1].name;
  known[n] = NULL;
  if (n == 0)
    return host_raise(L, "usage",
                      "rewind: there is no checkpoint '%s'; "
                      "md.checkpoint(\"%s\") takes one",
                      name, name);
  return host_raise(L, "usage",
                    "rewind: there is no checkpoint '%s'; did you mean '%s'?",
                    name, host_nearest(name, known));
}

/* rewind(name | time, ...) -> never
   Takes everything back, the script and its open files included (what was
   printed stays printed): to the last checkpoint of that name, or to the last
   one at or before that time of the default sim. There, checkpoint returns
   "rewound" and the other arguments, which are plain data. What was kept after
   that is forgotten. Raises usage when there is no such checkpoint and for a
   value that is not plain.
     if md.checkpoint "start" == "taken" then md.rewind("start", 42) end */
static int f_rewind(lua_State *L) {
  char why[256];
  md_host *h = host_of(L);
  host_past *past = host_travel_past(h);
  int n = lua_gettop(L);
  host_may_wish(L, "rewind");
  const char *name = NULL;
  const travel_point *p;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    const host_sim *s = host_default(L);
    lua_Number time = lua_tonumber(L, 1);
    if (time < 0 || !md_time_read(md_sim_scale(s->kernel), time, &h->wish.time))
      return host_raise(L, "usage",
                        "rewind: expected a time of at least 0, got %s",
                        host_describe(L, 1));
    p = past ? host_travel_find(h, h->wish.time) : NULL;
    if (p == NULL)
      return host_raise(L, "usage",
                        "rewind: there is no checkpoint at or before %s; "
                        "md.checkpoint() takes one",
                        luaL_tolstring(L, 1, NULL));
    travel_no_circle(L, p, h->wish.time);
  } else {
    if (lua_type(L, 1) != LUA_TSTRING)
      return host_raise(L, "usage",
                        "rewind: expected a checkpoint's name or a time, got "
                        "%s; md.rewind(\"start\")",
                        host_describe(L, 1));
    name = travel_name(L, 1, "rewind");
    if (past == NULL || travel_named(past, name) == NULL)
      return travel_missing(L, name);
  }
  if (!travel_pack(L, 2, n - 1, "value", false, why))
    return host_raise(L, "usage",
                      "rewind: %s, and only plain data can go back in time: "
                      "numbers, strings, booleans, tables of these",
                      why);
  md_time time = h->wish.time;
  host_make_wish(L, HOST_REWIND, name, travel_answer);
  h->wish.time = time;
  return 0;
}

/* -- md.branch -- */

/* Back from the branch, in the state before it: what fn returned. */
static int travel_branched(lua_State *L) {
  host_past *past = host_travel_past(host_of(L));
  bool failed = past->failed, aborting = past->aborting;
  past->aborting = false;
  lua_settop(L, 0);
  int n = travel_unpack(L);
  if (failed) host_of(L)->aborting = aborting;
  return failed ? lua_error(L) : n;
}

static int travel_lost(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  return host_raise(L, "image", "branch: %s", host_of(L)->out.error);
}

/* fn has returned, or failed: back with that. */
static int travel_return(lua_State *L, int status, lua_KContext before) {
  char why[256];
  bool failed = status != LUA_OK && status != LUA_YIELD;
  if (failed && host_passes(L, (uint64_t)before)) return lua_error(L);
  if (failed) host_caught(L, status);
  if (failed) {
    travel_pack_error(L, lua_gettop(L));
  } else if (!travel_pack(L, 1, lua_gettop(L), "result", false, why)) {
    host_error_value(L, L, "usage",
                     "branch: %s, and only plain data can leave a branch: "
                     "numbers, strings, booleans, tables of these",
                     why);
    travel_pack_error(L, lua_gettop(L));
  }
  return host_make_wish(L, HOST_BRANCHED, NULL, travel_lost);
}

static int travel_branch(lua_State *L, int status, lua_KContext ctx) {
  const md_host *h = host_of(L);
  (void)status, (void)ctx;
  if (h->wish.answer == NULL)
    return host_raise(L, "image", "branch: %s", h->out.error);
  if (strcmp(h->wish.answer, "rewound") == 0) return travel_branched(L);
  lua_KContext before = (lua_KContext)host_unwinding(h);
  int n = lua_gettop(L) - 1;
  return travel_return(
      L, lua_pcallk(L, n, LUA_MULTRET, 0, before, travel_return), before);
}

/* branch(fn, ...) -> what fn returns
   Calls fn(...) in a copy of the whole state, in which it may run the sim (in
   the script), wait (in a process) and change whatever it likes; what it
   returns, plain data, is all that is left of it. An error in it is raised
   here, also one that ended the copy's run; so is the end of the copy's program
   before fn has returned. Branches can be nested. Raises usage for an fn that
   cannot be called and for a result that is not plain; image as checkpoint.
     print(md.branch(function() md.run(10) return md.now() end), md.now()) */
static int f_branch(lua_State *L) {
  if (!host_callable(L, 1))
    return host_raise(L, "usage",
                      "branch: expected a function, got %s; "
                      "md.branch(function() ... return result end)",
                      host_describe(L, 1));
  host_may_wish(L, "branch");
  return host_make_wish(L, HOST_BRANCH, NULL, travel_branch);
}

/* The copy's program is over, with fn under way. */
static int travel_end_branch(lua_State *L) {
  if (lua_isnil(L, 1))
    host_error_value(L, L, "usage",
                     "branch: the program ended in the branch before its "
                     "function returned");
  else lua_settop(L, 1);
  travel_pack_error(L, lua_gettop(L));
  return 0;
}

bool host_travel_over(md_host *h, int status) {
  /* the function of a line's branch goes on when the program is over */
  if (!host_in_branch(h) || h->line_waits) return false;
  host_travel_past(h)->aborting = h->aborting;
  if (status == LUA_OK) lua_pushnil(h->L);
  lua_pushcfunction(h->L, travel_end_branch);
  lua_insert(h->L, -2);
  if (lua_pcall(h->L, 1, 0, 0) != LUA_OK) lua_pop(h->L, 1);
  h->phase = HOST_SCRIPT;
  h->wish.kind = HOST_BRANCHED;
  return true;
}

void host_open_travel(lua_State *L) {
  static const luaL_Reg functions[] = {{"checkpoint", f_checkpoint},
                                       {"rewind", f_rewind},
                                       {"branch", f_branch},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
