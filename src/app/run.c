#include "app/app.h"
#include "app/export.h"
#include "app/journal.h"
#include "app/repl.h"
#include "base/beside.h"
#include "host/loop.h"
#include "host/state.h"
#include "host/travel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the program needs from its beginning to its end. */
typedef struct run_state {
  app_options options;
  app_journal *journal;
  app_tracer *tracer;
  md_host *host;
  host_past past;
  char *folder; /* the script's, with its slash */
} run_state;

/* Events between two states that are kept for --save-on-error: a tenth of a
   second. */
enum { RUN_OFTEN = 1 << 18 };

/* Bytes of the past, if nobody says; of 100 000 processes a state has 130 MB */
enum { RUN_PAST = 256 << 20, RUN_PAST_PROMPT = 1 << 30 };

/* Ctrl-C must find the host; a handler has no argument of ours. */
static md_host *volatile run_host;

/* Nor one for when the last came. */
static struct timespec run_when;

/* Is it the same Ctrl-C once more? A terminal gives one to every process of a
   group, and a program that started this one, such as timeout, another. */
static bool run_echo(void) {
  struct timespec now, before = run_when;
  clock_gettime(CLOCK_MONOTONIC, &now);
  run_when = now;
  return (double)(now.tv_sec - before.tv_sec) +
             (double)(now.tv_nsec - before.tv_nsec) / 1e9 <
         0.1;
}

static void run_signalled_again(int number) {
  if (run_echo()) return;
  signal(number, SIG_DFL);
  raise(number);
}

static void run_signalled(int number) {
  if (run_echo()) return;
  signal(number, run_signalled_again); /* a second one ends the program */
  if (run_host != NULL) host_signal(run_host);
}

/* The same when an image is wanted: the run goes on to the end of the event. A
   second one ends it where it is, without. */
static void run_signalled_softly(int number) {
  run_echo();
  signal(number, run_signalled);
  if (run_host != NULL) run_host->out.signalled = 1;
}

/* Ctrl-C is about to end the run, between two events. */
static void run_interrupted(md_host *h) {
  run_state *state = h->out.app;
  app_autosave_interrupt(&state->options.autosave, h);
}

/* arg[0] is the script's path, made when it is asked for: it must not lie in
   the model's memory, where its length would shift addresses. */
static int run_arg_index(lua_State *L) {
  md_host *h = host_of(L);
  if (lua_isinteger(L, 2) && lua_tointeger(L, 2) == 0)
    lua_pushlstring(L, h->out.script_given, strlen(h->out.script_given));
  else lua_pushnil(L);
  return 1;
}

/* Puts the script and its arguments on its coroutine. Errors are texts. */
static int run_load(lua_State *L) {
  md_host *h = host_of(L);
  app_open_help(L);
  const char *name = strrchr(h->out.script_path, '/');
  name = name ? name + 1 : h->out.script_path;
  lua_newtable(L);
  for (int i = 0; i < h->out.argument_count; i++) {
    lua_pushlstring(L, h->out.arguments[i], strlen(h->out.arguments[i]));
    lua_rawseti(L, -2, i + 1);
  }
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, run_arg_index);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setglobal(L, "arg");
  if (*h->out.script_path == '\0') luaL_loadstring(L, ""); /* a bare prompt */
  else if (host_load_file(L, h->out.script_path, name) != LUA_OK)
    return lua_error(L);
  if (!lua_checkstack(h->script, h->out.argument_count + 2)) host_no_memory(L);
  lua_xmove(L, h->script, 1);
  for (int i = 0; i < h->out.argument_count; i++) {
    lua_pushlstring(L, h->out.arguments[i], strlen(h->out.arguments[i]));
    lua_xmove(L, h->script, 1);
  }
  return 0;
}

static bool run_export(md_host *h, const char *path) {
  char error[1024];
  bool done = app_export(h, path, NULL, error, sizeof error);
  if (!done) fprintf(stderr, "moondial: %s\n", error);
  return done;
}

/* The end, also by os.exit: what was recorded is written. */
static int run_finish(md_host *h, int status) {
  run_state *state = h->out.app;
  const app_options *o = &state->options;
  app_journal *journal = state->journal;
  state->journal = NULL; /* it may end the program itself */
  if (journal != NULL) status = app_journal_close(journal, h, status);
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
  const app_options *o = &state->options;
  host_sim *s = h->first;
  bool idle = s != NULL && s->outcome && strcmp(s->outcome, "idle") == 0;
  bool say = o->strict || (!h->ran && !o->host.quiet);
  if (idle && say && !o->json) app_report_waiting(h, s);
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

/* What an image must know of the program around it. */
static void run_note(md_host *h, FILE *note) {
  const run_state *state = h->out.app;
  const app_options *o = &state->options;
  if (o->out != NULL) md_note_path(note, "out", o->out);
  if (state->tracer != NULL) app_tracer_note(state->tracer, o, note);
  if (state->journal != NULL) app_journal_note(state->journal, note);
  md_note_number(note, "strict", o->strict);
}

/* What lies outside of the arena, for a host that is new or woken. */
static void run_dress(run_state *state, md_host *h) {
  const app_options *o = &state->options;
  h->out.app = state;
  h->out.at_exit = run_finish;
  h->out.note = run_note;
  if (!o->host.quiet && isatty(STDERR_FILENO)) h->out.progress = app_progress;
  if (state->tracer != NULL) app_tracer_lend(state->tracer, h);
  if (state->journal != NULL)
    app_journal_lend(state->journal, h, state->tracer);
}

/* Opens the host and loads the script. */
static int run_begin(void *argument) {
  run_state *state = argument;
  const app_options *o = &state->options;
  md_host *h = state->host = host_open(&o->host);
  if (h == NULL) return LUA_ERRMEM;
  h->out.script_path = h->out.script_given = o->model;
  h->out.script_folder = state->folder = run_folder(o->model);
  h->out.arguments = o->arguments;
  h->out.argument_count = o->argument_count;
  run_dress(state, h);
  lua_pushcfunction(h->L, run_load);
  return lua_pcall(h->L, 0, 0, 0);
}

static int run_drive(void *host) { return host_drive(host); }

static int run_prompt(void *argument) {
  run_state *state = argument;
  return app_repl(state->host, &state->options, &state->past, state->journal);
}

/* What specs want to know of the state in the end; false when it is bad. */
static bool run_examine(md_host *h, const app_options *o) {
  char hash[33];
  if (o->state_hash) {
    host_state_hash(h, hash);
    fprintf(stderr, "state %s\n", hash);
  }
  return !o->audit || host_audit(h) == 0;
}

static size_t run_past_memory(const app_options *o) {
  if (o->checkpoint_memory > 0) return o->checkpoint_memory;
  return o->command == APP_REPL ? RUN_PAST_PROMPT : RUN_PAST;
}

/* The simulation goes on to its end, and is closed; the exit status. */
static int run_to_end(run_state *state, int status) {
  const app_options *o = &state->options;
  md_host *h = state->host;
  run_host = h;
  bool softly = o->autosave.on_interrupt;
  signal(SIGINT, softly ? run_signalled_softly : run_signalled);
  if (softly) h->out.interrupted = run_interrupted;
  state->past.every = o->checkpoint_every;
  state->past.memory = run_past_memory(o);
  if (o->autosave.on_error || o->command == APP_REPL)
    state->past.often = RUN_OFTEN;
  host_travel_begin(h, &state->past);
  app_autosave_begin(&state->options.autosave, h);
  bool prompt = o->command == APP_REPL && status == LUA_OK;
  int ended = prompt ? host_on_stack(run_prompt, state) : APP_DONE;
  if (!prompt && status == LUA_OK) status = host_on_stack(run_drive, h);
  bool good = run_examine(h, o), failed = status != LUA_OK && !h->aborting;
  if (prompt) status = ended;
  else
    status = status == LUA_OK ? run_outcome(h, state) : app_report_error(h, o);
  signal(SIGINT, SIG_DFL);
  run_host = NULL;
  if (o->json && status != APP_FAILED && status != APP_INTERRUPTED)
    app_report_json(h, h->first ? h->first->outcome : NULL, status, NULL);
  status = run_finish(h, status);
  if (!good) status = APP_FAILED;
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == APP_DONE) {
    fputs("moondial: not all that was printed could be written to stdout\n",
          stderr);
    status = APP_FAILED;
  }
  if (failed && o->autosave.on_error)
    app_autosave_error(&state->options.autosave, h, run_drive);
  host_travel_end(h);
  host_close(h);
  free(state->folder);
  app_autosave_end(&state->options.autosave);
  return status;
}

/* A new run, which the options tell. */
static int run_anew(run_state *state) {
  char error[1024];
  const app_options *o = &state->options;
  if (o->out != NULL && !md_export_check(o->out, error, sizeof error)) {
    fprintf(stderr, "moondial: %s\n", error);
    return APP_USAGE;
  }
  bool failed = false;
  state->tracer = app_tracer_open(o, state->journal, &failed);
  if (failed) return APP_USAGE;
  int status = host_on_stack(run_begin, state);
  if (state->host == NULL) return run_open_failed(o);
  return run_to_end(state, status);
}

int app_run(const app_options *o) {
  run_state state = {.options = *o};
  app_note_behind(o);
  if (o->journal != NULL) state.journal = app_journal_create(o, 0);
  return o->journal && !state.journal ? APP_USAGE : run_anew(&state);
}

int app_replay(const app_options *o) {
  run_state state = {.options = *o};
  state.journal = app_journal_open(&state.options);
  return state.journal ? run_anew(&state) : APP_FAILED;
}

/* -- resuming -- */

/* What this command line does not say is as it was when the image was taken. */
static void run_recall(app_options *o, md_note note) {
  if (o->out == NULL) o->out = md_note_find(note, "out");
  if (o->trace == NULL && o->trace_fd < 0) {
    o->trace = md_note_find(note, "trace");
    o->trace_at = md_note_find_number(note, "trace-at");
    o->trace_only = (uint64_t)md_note_find_number(note, "trace-only");
  }
  if (o->journal == NULL) {
    o->journal = md_note_find(note, "journal");
    o->journal_at = md_note_find_number(note, "journal-at");
  }
  o->strict |= md_note_find_number(note, "strict") != 0;
}

/* Where the script lies: as it was given, and as it is found from anywhere. */
static void run_recall_script(run_state *state, md_host *h, md_note note) {
  const char *given = h->out.script_given = md_note_find(note, "script");
  const char *slash = strrchr(given, '/');
  char *folder = md_note_find(note, "folder");
  h->out.script_folder = state->folder = md_beside_join(folder, "", 0, "/");
  h->out.script_path =
      md_beside_join(state->folder, "", 0, slash ? slash + 1 : given);
  free(folder);
}

/* The limits of the host that can be changed when it goes on. */
static void run_limit(md_host *h, const app_options *o) {
  h->options.quiet = o->host.quiet;
  h->options.pace = o->host.pace;
  if (o->host.memory > 0) md_arena_set_limit(h->arena, o->host.memory);
  if (o->host.instructions > 0) {
    h->options.instructions = o->host.instructions;
    host_watch_instructions(h);
  }
  if (o->host.to < 0) return;
  h->options.to = o->host.to;
  if (h->first != NULL)
    md_time_read(md_sim_scale(h->first->kernel), o->host.to, &h->first->bound);
}

int app_resume(const app_options *o) {
  char error[MD_IMAGE_ERROR];
  run_state state = {.options = *o};
  md_note note;
  md_host *h = state.host = host_wake(o->model, o->lazy, &note, error);
  bool good = h != NULL;
  if (good) run_recall(&state.options, note);
  good = good && (state.options.out == NULL ||
                  md_export_check(state.options.out, error, sizeof error));
  if (!good) {
    fprintf(stderr, "moondial: %s\n", error);
    return APP_FAILED;
  }
  if (o->host.memory > 0 && md_arena_used(h->arena) > o->host.memory) {
    fprintf(stderr,
            "moondial: %s needs %zu bytes, and --memory allows %zu; raise it\n",
            o->model, md_arena_used(h->arena), o->host.memory);
    return APP_FAILED;
  }
  bool failed = false;
  if (o->journal != NULL) {
    fputs("moondial: --journal: a journal begins with the run; one that was "
          "begun goes on by itself when an image is resumed\n",
          stderr);
    return APP_USAGE;
  }
  if (state.options.journal != NULL) {
    state.journal =
        app_journal_create(&state.options, state.options.journal_at);
    if (state.journal == NULL) return APP_FAILED;
  }
  state.tracer = app_tracer_open(&state.options, state.journal, &failed);
  if (failed) return APP_USAGE;
  run_recall_script(&state, h, note);
  h->out.arguments = md_note_all(note, "argument", &h->out.argument_count);
  run_limit(h, o);
  run_dress(&state, h);
  for (host_sim *s = h->sims; s != NULL; s = s->next)
    md_sim_trace(s->kernel)->ring = h->out.ring;
  bool told = h->wish.answer != NULL && strcmp(h->wish.answer, "resumed") == 0;
  if (state.journal != NULL && told) app_journal_resumed(state.journal, h);
  return run_to_end(&state, LUA_OK);
}

/* An image is known by its first words. */
static bool run_is_image(const char *path) {
  char text[14] = "";
  FILE *f = path != NULL ? fopen(path, "rb") : NULL;
  if (f == NULL) return false;
  size_t n = fread(text, 1, sizeof text, f);
  fclose(f);
  return n == sizeof text && memcmp(text, "moondial image", n) == 0;
}

int app_prompt(const app_options *o) {
  app_options options = *o;
  if (run_is_image(o->model)) return app_resume(o);
  if (o->model == NULL) options.model = "";
  return app_run(&options);
}
