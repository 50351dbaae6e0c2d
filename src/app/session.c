#include "app/session.h"
#include "app/forward.h"
#include "app/terminal.h"
#include "app/view.h"
#include "host/files.h"
#include "host/loop.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* -- what the session knows -- */

void app_session_stand(app_session *r) {
  const host_sim *s = r->host->first;
  md_time next = INT64_MAX;
  r->here = (session_input){0};
  if (s == NULL) return;
  md_sim_peek(s->kernel, &next);
  r->here.events = md_sim_events(s->kernel);
  r->here.time = md_sim_now(s->kernel);
  r->here.quiet = next > r->here.time;
}

void app_session_enter(app_session *r, const char *text, size_t size) {
  r->inputs = realloc(r->inputs, (r->input_count + 1) * sizeof *r->inputs);
  if (r->inputs == NULL) abort();
  session_input *input = &r->inputs[r->input_count++];
  *input = r->here;
  if (r->host->first) input->after = md_sim_events(r->host->first->kernel);
  input->text = strndup(text, size);
}

void app_session_forget(app_session *r, uint64_t events) {
  while (r->input_count > 0 && r->inputs[r->input_count - 1].after > events)
    free(r->inputs[--r->input_count].text);
}

void app_session_set(app_session *r, md_note name, md_note bytes) {
  uint32_t i = 0;
  while (i < r->value_count && !md_note_is(&name, r->values[i].name)) i++;
  if (i == r->value_count) {
    r->values = realloc(r->values, (i + 1) * sizeof *r->values);
    if (r->values == NULL) abort();
    r->values[r->value_count++].name = strndup(name.text, name.size);
  } else {
    free(r->values[i].text);
  }
  r->values[i].text = strndup(bytes.text, bytes.size);
}

int app_session_first(lua_State *L) {
  lua_getglobal(L, "require"); /* no model has: a sim is a type of its */
  lua_pushliteral(L, "moondial.core");
  lua_call(L, 1, 0);
  host_default(L);
  return 0;
}

/* Waits until the copy before, which has said all, is gone for good. */
static void session_reap(app_session *r) {
  if (r->leaving > 0) waitpid(r->leaving, NULL, 0);
  r->leaving = 0;
}

/* The one session of this program, and who was told of processes before. */
static app_session *session_open;
static void (*session_told)(md_host *, host_sim *, uint32_t p);

static void session_spawned(md_host *h, host_sim *s, uint32_t p) {
  roll_enter(&session_open->roll, s, p);
  if (session_told != NULL) session_told(h, s, p);
}

void app_session_open(app_session *r) {
  md_host *h = r->host;
  session_open = r;
  session_told = h->out.spawned;
  h->out.spawned = session_spawned;
  for (const host_sim *s = h->sims; s != NULL; s = s->next)
    for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;)
      roll_enter(&r->roll, s, p);
}

void app_session_close(app_session *r) {
  r->host->out.spawned = session_told;
  roll_close(&r->roll);
  session_reap(r);
  while (r->input_count > 0) free(r->inputs[--r->input_count].text);
  while (r->value_count > 0) {
    free(r->values[--r->value_count].text);
    free(r->values[r->value_count].name);
  }
  free(r->inputs);
  free(r->values);
}

/* -- what a copy can do: the module moondial.session -- */

static app_session *session_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static FILE *session_plan_file;

/* Behind a whole plan. */
static const char session_end[] = "end\n";

_Noreturn void app_session_leave(void) {
  fflush(NULL);
  fputs(session_end, session_plan_file);
  fclose(session_plan_file);
  _exit(0);
}

/* plan(action, text) */
static int session_plan(lua_State *L) {
  size_t n;
  const char *text = luaL_optlstring(L, 2, "", &n);
  md_note_put(session_plan_file, luaL_checkstring(L, 1), text, n);
  return 0;
}

/* get(name) -> string or nil: what a plan has set. */
static int session_get(lua_State *L) {
  const app_session *r = session_of(L);
  const char *name = luaL_checkstring(L, 1);
  for (uint32_t i = 0; i < r->value_count; i++)
    if (strcmp(r->values[i].name, name) == 0) {
      lua_pushstring(L, r->values[i].text);
      return 1;
    }
  return 0;
}

/* inputs() -> list of {events =, after =, time =, quiet =, text =} */
static int session_inputs(lua_State *L) {
  const app_session *r = session_of(L);
  lua_createtable(L, (int)r->input_count, 0);
  for (uint32_t i = 0; i < r->input_count; i++) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, (lua_Integer)r->inputs[i].events);
    lua_setfield(L, -2, "events");
    lua_pushinteger(L, (lua_Integer)r->inputs[i].after);
    lua_setfield(L, -2, "after");
    host_push_time(L, r->host->first, r->inputs[i].time);
    lua_setfield(L, -2, "time");
    lua_pushboolean(L, r->inputs[i].quiet);
    lua_setfield(L, -2, "quiet");
    lua_pushstring(L, r->inputs[i].text);
    lua_setfield(L, -2, "text");
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static void session_push_point(lua_State *L, const app_session *r,
                               const travel_point *p) {
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, (lua_Integer)p->events);
  lua_setfield(L, -2, "events");
  host_push_time(L, r->host->first, p->time);
  lua_setfield(L, -2, "time");
  if (p->name != NULL) {
    lua_pushstring(L, p->name);
    lua_setfield(L, -2, "name");
  }
}

/* points() -> list of {events =, time =, name =}: the past that is kept. */
static int session_points(lua_State *L) {
  const app_session *r = session_of(L);
  const host_past *past = r->past;
  lua_createtable(L, (int)past->count + 1, 0);
  for (uint32_t i = 0; i < past->count; i++) {
    session_push_point(L, r, &past->points[i]);
    lua_rawseti(L, -2, i + 1);
  }
  if (!r->keeping) return 1;
  session_push_point(L, r, &past->coming);
  lua_rawseti(L, -2, past->count + 1);
  return 1;
}

/* The script is over, and left nothing to run, or had been run: what is there
   now runs by itself. */
void app_session_begin_rest(md_host *h) {
  md_time next;
  if (h->phase != HOST_OVER || h->first == NULL) return;
  if (md_sim_peek(h->first->kernel, &next)) host_begin_rest(h);
}

/* clock() -> number: seconds of real time. */
static int session_clock(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  lua_pushnumber(L, (double)t.tv_sec + 1e-9 * (double)t.tv_nsec);
  return 1;
}

/* stamp(path) -> string or nil: another one when the file has been written. */
static int session_stamp(lua_State *L) {
  struct stat file;
  char text[80];
  if (stat(luaL_checkstring(L, 1), &file) != 0) return 0;
  snprintf(text, sizeof text, "%lld.%09ld %lld %llu",
           (long long)file.st_mtim.tv_sec, file.st_mtim.tv_nsec,
           (long long)file.st_size, (unsigned long long)file.st_ino);
  lua_pushstring(L, text);
  return 1;
}

/* environment() -> table; load(text) -> function or nil, message */
static int session_environment(lua_State *L) {
  host_push_environment(L);
  return 1;
}

static int session_load(lua_State *L) {
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  if (host_load_line(L, text, n) != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  host_push_environment(L);
  if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
  return 1;
}

static int session_width(const app_session *r) {
  struct winsize size;
  const char *columns = getenv("COLUMNS");
  if (r->terminal->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0)
    return size.ws_col;
  return columns != NULL && atoi(columns) > 0 ? atoi(columns) : 80;
}

static int session_open_module(lua_State *L) {
  static const luaL_Reg functions[] = {{"plan", session_plan},
                                       {"clock", session_clock},
                                       {"get", session_get},
                                       {"inputs", session_inputs},
                                       {"points", session_points},
                                       {"environment", session_environment},
                                       {"load", session_load},
                                       {"stamp", session_stamp},
                                       {NULL, NULL}};
  app_session *r = lua_touserdata(L, 1);
  luaL_newlibtable(L, functions);
  lua_pushlightuserdata(L, r);
  luaL_setfuncs(L, functions, 1);
  app_view_add(L, r);
  app_forward_add(L, r);
  const char *kind = getenv("TERM");
  bool dumb = kind != NULL && strcmp(kind, "dumb") == 0;
  lua_pushboolean(L, r->terminal->terminal && !dumb && !getenv("NO_COLOR"));
  lua_setfield(L, -2, "colour");
  lua_pushboolean(L, r->terminal->terminal);
  lua_setfield(L, -2, "terminal");
  lua_pushinteger(L, session_width(r));
  lua_setfield(L, -2, "width");
  lua_pushstring(L, r->options->model ? r->options->model : "");
  lua_setfield(L, -2, "model");
  const host_outside *out = &r->host->out;
  const char *script = out->script_path ? out->script_path : "";
  lua_pushlstring(L, script, strlen(script));
  lua_setfield(L, -2, "script"); /* of an image, the one it was made from */
  lua_pushlstring(L, script + strlen(out->script_folder),
                  *script ? strlen(script) - strlen(out->script_folder) : 0);
  lua_setfield(L, -2, "script_name");
  lua_pushinteger(L, (lua_Integer)r->host->options.seed);
  lua_setfield(L, -2, "seed");
  lua_pushlstring(L, r->host->failed_in, strlen(r->host->failed_in));
  lua_setfield(L, -2, "failed_in");
  lua_pushlstring(L, r->host->failed_at, strlen(r->host->failed_at));
  lua_setfield(L, -2, "failed_at");
  lua_getfield(L, LUA_REGISTRYINDEX, "md.traceback");
  lua_setfield(L, -2, "traceback");
  lua_pushboolean(L, r->host->phase == HOST_OVER);
  lua_setfield(L, -2, "over");
  lua_pushboolean(L, r->host->ran); /* the script has called run */
  lua_setfield(L, -2, "ran");
  lua_pushboolean(L, r->interrupted);
  lua_setfield(L, -2, "interrupted");
  const md_host *h = r->host;
  if (h->going != 0 && h->first != NULL && h->asked == h->first) {
    host_push_pid(L, h->first, h->going);
    lua_setfield(L, -2, "going");
  }
  return 1;
}

/* -- copies -- */

/* Kilobytes that a copy may allocate, besides as many as there are, before it
   collects, see LINE_CREDIT. */
enum { SESSION_CREDIT = 64 << 10 };

/* In the copy: [values ...] of the main state, the session, the name of the
   function, the text. */
static int session_call(lua_State *L) {
  int n = lua_gettop(L);
  app_session *r = lua_touserdata(L, n - 2);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushcfunction(L, session_open_module);
  lua_pushlightuserdata(L, r);
  lua_call(L, 1, 1);
  lua_setfield(L, -2, "moondial.session");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "repl");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, lua_tostring(L, n - 1));
  lua_pushvalue(L, n);
  for (int i = 1; i <= n - 3; i++) lua_pushvalue(L, i);
  lua_call(L, n - 2, 0);
  return 0;
}

/* The model's files are the program's: what a copy writes goes nowhere. */
static void session_own_files(md_host *h) {
  char why[256];
  md_note files;
  char *text = NULL;
  FILE *note = open_memstream(&text, &files.size);
  if (note == NULL) abort();
  bool good = host_note_files(h, note, why, sizeof why);
  fclose(note);
  files.text = text;
  h->out.copy = true;
  if (good) {
    host_close_files(h);
    host_wake_files(h, files, why, sizeof why);
  }
  free(text);
}

/* Takes the copy to the last point of the past at or before that event. */
static void session_go_back(app_session *r, uint64_t events) {
  char error[MD_IMAGE_ERROR];
  uint32_t i = r->past->count;
  while (i > 1 && r->past->points[i - 1].events > events) i--;
  if (i > 0) host_travel_to(r->host, &r->past->points[i - 1], error);
}

_Noreturn static void session_copy(app_session *r, int fd, uint64_t events,
                                   const char *what, const char *text) {
  md_host *h = r->host;
  r->keeping = r->past->keeping;
  host_travel_forked(h);
  session_own_files(h);
  if (events != UINT64_MAX) session_go_back(r, events);
  lua_State *L = h->L;
  int n = lua_gettop(L);
  signal(SIGINT, SIG_DFL);
  session_plan_file = fdopen(fd, "w");
  h->out.journal = NULL;
  h->out.progress = NULL;
  if (h->out.observe != NULL) h->out.observe = NULL;
  lua_gc(L, LUA_GCSTEP, -lua_gc(L, LUA_GCCOUNT) - SESSION_CREDIT);
  luaL_checkstack(L, 8, NULL);
  lua_pushcfunction(L, session_call);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, r);
  lua_pushstring(L, what);
  lua_pushstring(L, text);
  if (lua_pcall(L, n + 3, 0, 0) != LUA_OK) {
    luaL_tolstring(L, -1, NULL);
    printf("the prompt has failed: %s\n", lua_tostring(L, -1));
  }
  app_session_leave();
}

static md_note session_read(int fd) {
  md_note plan = {NULL, 0};
  char *text = NULL, buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) {
    text = realloc(text, plan.size + (size_t)n + 1);
    if (text == NULL) abort();
    memcpy(text + plan.size, buffer, (size_t)n);
    plan.size += (size_t)n;
  }
  plan.text = text;
  return plan;
}

md_note app_session_look(app_session *r, const char *what, const char *text) {
  return app_session_look_back(r, UINT64_MAX, what, text);
}

/* Takes the mark off a plan that is whole; false: the copy has not come to its
   end. */
static bool session_whole(md_note *plan) {
  const size_t n = sizeof session_end - 1;
  if (plan->size < n) return false;
  if (memcmp(plan->text + plan->size - n, session_end, n) != 0) return false;
  plan->size -= n;
  return true;
}

/* A copy that was killed has planned nothing. */
static md_note session_killed(md_note plan, pid_t copy) {
  int status = 0;
  waitpid(copy, &status, 0);
  if (!WIFSIGNALED(status)) return plan;
  if (WTERMSIG(status) == SIGINT) puts("interrupted by Ctrl-C");
  else
    printf("the copy that looked was killed: %s\n",
           strsignal(WTERMSIG(status)));
  free((void *)(uintptr_t)plan.text);
  return (md_note){NULL, 0};
}

md_note app_session_look_back(app_session *r, uint64_t events, const char *what,
                              const char *text) {
  int ends[2];
  fflush(NULL);
  session_reap(r);
  if (pipe(ends) != 0) return (md_note){NULL, 0};
  pid_t copy = fork();
  if (copy == 0) {
    close(ends[0]);
    session_copy(r, ends[1], events, what, text);
  }
  close(ends[1]);
  md_note plan = copy > 0 ? session_read(ends[0]) : (md_note){NULL, 0};
  close(ends[0]);
  if (copy < 0) perror("moondial: cannot look");
  if (copy > 0 && !session_whole(&plan)) return session_killed(plan, copy);
  r->leaving = copy; /* giving back its memory takes as long as a look */
  return plan;
}
