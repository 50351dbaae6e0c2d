#include "app/app.h"
#include "app/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the end of the program needs. */
typedef struct run_state {
  const app_options *options;
  app_tracer *tracer;
  bool automatic; /* the script never called run, so we did */
} run_state;

/* Ctrl-C must find the host; a handler has no argument of ours. */
static md_host *volatile run_host;

static void run_signalled(int number) {
  signal(number, SIG_DFL); /* a second one ends the program */
  if (run_host != NULL) host_signal(run_host);
}

/* arg[0] is the script's path, made when it is asked for: it must not lie in
   the model's memory, where its length would shift addresses. */
static int run_arg_index(lua_State *L) {
  md_host *h = host_of(L);
  if (lua_isinteger(L, 2) && lua_tointeger(L, 2) == 0)
    lua_pushlstring(L, h->script_path, strlen(h->script_path));
  else lua_pushnil(L);
  return 1;
}

/* Puts the script and its arguments on its coroutine. Errors are texts. */
static int run_load(lua_State *L) {
  md_host *h = host_of(L);
  app_open_help(L);
  const char *name = strrchr(h->script_path, '/');
  name = name ? name + 1 : h->script_path;
  lua_newtable(L);
  for (int i = 0; i < h->argument_count; i++) {
    lua_pushlstring(L, h->arguments[i], strlen(h->arguments[i]));
    lua_rawseti(L, -2, i + 1);
  }
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, run_arg_index);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setglobal(L, "arg");
  if (host_load_file(L, h->script_path, name) != LUA_OK) return lua_error(L);
  if (!lua_checkstack(h->script, h->argument_count + 2)) host_no_memory(L);
  lua_xmove(L, h->script, 1);
  for (int i = 0; i < h->argument_count; i++) {
    lua_pushlstring(L, h->arguments[i], strlen(h->arguments[i]));
    lua_xmove(L, h->script, 1);
  }
  return 0;
}

/* Loads, runs; LUA_OK or an error's status, its value on the main state. */
static int run_model(md_host *h, run_state *state) {
  lua_pushcfunction(h->L, run_load);
  int status = lua_pcall(h->L, 0, 0, 0);
  if (status != LUA_OK) return status;
  status = host_script(h, h->argument_count);
  if (status != LUA_OK) {
    lua_xmove(h->script, h->L, 1);
    return status;
  }
  host_sim *s = h->first;
  if (s == NULL || s->outcome != NULL || md_sim_live(s->kernel) == 0) {
    md_time next;
    if (s == NULL || s->outcome != NULL || !md_sim_peek(s->kernel, &next))
      return LUA_OK;
  }
  state->automatic = true;
  host_limits limits = {-1, UINT64_MAX, 0};
  if (host_run(h, s, &limits) != NULL) return LUA_OK;
  lua_getfield(h->L, LUA_REGISTRYINDEX, "md.error");
  return LUA_ERRRUN;
}

/* Writes the records of all sims, oldest first. */
static bool run_export(md_host *h, const char *path) {
  char error[1024];
  int n = 0;
  for (host_sim *s = h->sims; s != NULL; s = s->next) n++;
  md_export_source *sources = calloc((size_t)n + 1, sizeof *sources);
  if (sources == NULL) return false;
  int i = n;
  for (host_sim *s = h->sims; s != NULL; s = s->next)
    sources[--i] =
        (md_export_source){s->records, s->name, md_sim_scale(s->kernel).digits};
  bool done = md_export(path, sources, n, error, sizeof error);
  free(sources);
  if (!done) fprintf(stderr, "moondial: %s\n", error);
  return done;
}

/* The end, also by os.exit: what was recorded is written. */
static int run_finish(md_host *h, int status) {
  run_state *state = h->app;
  const app_options *o = state->options;
  if (o->out != NULL && !run_export(h, o->out) && status == APP_DONE)
    status = APP_FAILED;
  if (state->tracer != NULL && !app_tracer_close(state->tracer, h) &&
      status == APP_DONE)
    status = APP_FAILED;
  state->tracer = NULL;
  return status;
}

/* How the default sim's last run ended decides over the status. */
static int run_outcome(md_host *h, const run_state *state) {
  const app_options *o = state->options;
  host_sim *s = h->first;
  bool idle = s != NULL && s->outcome && strcmp(s->outcome, "idle") == 0;
  if (idle && (o->strict || (state->automatic && !o->host.quiet)) && !o->json)
    app_report_waiting(h, s);
  return idle && o->strict ? APP_IDLE : APP_DONE;
}

/* The folder of the script, with its slash; malloc's. */
static char *run_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("");
}

static int run_open_failed(const app_options *o) {
  if (o->host.memory > 0 || o->host.fail_at > 0)
    fprintf(stderr, "moondial: out of memory before the model began; raise "
                    "--memory\n");
  else
    fprintf(stderr, "moondial: cannot reserve memory: %s\n", strerror(errno));
  return APP_FAILED;
}

static int run_opened(md_host *h, run_state *state) {
  const app_options *o = state->options;
  char *folder = run_folder(o->model);
  h->app = state;
  h->script_path = o->model;
  h->script_folder = folder;
  h->arguments = o->arguments;
  h->argument_count = o->argument_count;
  h->at_exit = run_finish;
  if (!o->host.quiet && isatty(STDERR_FILENO)) h->progress = app_progress;
  if (state->tracer != NULL) app_tracer_lend(state->tracer, h);
  run_host = h;
  signal(SIGINT, run_signalled);
  int status = run_model(h, state) == LUA_OK ? run_outcome(h, state)
                                             : app_report_error(h, o);
  signal(SIGINT, SIG_DFL);
  run_host = NULL;
  if (o->json && status != APP_FAILED && status != APP_INTERRUPTED)
    app_report_json(h, h->first ? h->first->outcome : NULL, status, NULL);
  status = run_finish(h, status);
  fflush(stdout);
  host_close(h);
  free(folder);
  return status;
}

int app_run(const app_options *o) {
  char error[1024];
  run_state state = {.options = o};
  if (o->out != NULL && !md_export_check(o->out, error, sizeof error)) {
    fprintf(stderr, "moondial: %s\n", error);
    return APP_USAGE;
  }
  bool failed = false;
  state.tracer = app_tracer_open(o, &failed);
  if (failed) return APP_USAGE;
  md_host *h = host_open(&o->host);
  return h == NULL ? run_open_failed(o) : run_opened(h, &state);
}
