/* The program: its command line, and what it says about a run. Everything
   here lies outside the arena, so that saying it never changes a run. */
#ifndef MD_APP_APP_H
#define MD_APP_APP_H

#include "app/autosave.h"
#include "host/host.h"

#include <stdio.h>

#define APP_VERSION "0.1.0"

enum {
  APP_DONE = 0,
  APP_FAILED = 1,
  APP_USAGE = 2,
  APP_IDLE = 3,
  APP_INTERRUPTED = 130, /* as a shell says of Ctrl-C */
};

typedef enum app_command {
  APP_RUN,
  APP_CHECK,
  APP_TRACE,
  APP_RESUME,
  APP_REPLAY,
  APP_REPL,
  APP_VERSION_OF,
  APP_HELP
} app_command;

typedef struct app_options {
  app_command command;
  host_options host;
  const char *model; /* the path as given, or help's topic; NULL: none */
  char **arguments;  /* the model's, after its path */
  int argument_count;
  const char *out, *trace;
  long long trace_at;               /* where the trace file stands */
  uint64_t trace_only;              /* a bit for each kind, 0: all of them */
  const char *chart_path;           /* trace -o, NULL: none */
  const struct chart_format *chart; /* of that file */
  uint64_t messages;                /* of a sequence chart */
  int trace_fd; /* where check's runs write their records, -1: nowhere */
  bool strict, json;
  app_autosave autosave;
  const char *lines[16]; /* of the prompt: these alone */
  int line_count;
  const char *first; /* the same, before all others */
  const char *journal;
  long long journal_at; /* where that stands */
  double checkpoint_every;
  size_t checkpoint_memory;
  bool audit, state_hash; /* for specs: said of the state at the end */
  bool lazy; /* resume believes the image, and reads it as it is needed */
} app_options;

/* options.c: reads the command line; false after it has said what is wrong. */
bool app_read_options(int count, char **words, app_options *options);
void app_usage(FILE *);

/* Is that word, with or without a value, an option that the help lists? */
bool app_is_option(const char *word);

/* behind.c: says so when an option stands behind a model that reads no
   arguments. */
void app_note_behind(const app_options *);

/* In the order of app_command, with NULL at the end. */
extern const char *const app_commands[];

/* run.c: runs a model, or goes on with an image; the exit status. */
int app_run(const app_options *);
int app_resume(const app_options *);
int app_replay(const app_options *);
int app_prompt(const app_options *);

/* report.c: says why a run has failed, or who waits when nothing happens. */
int app_report_error(md_host *, const app_options *);
void app_report_waiting(md_host *, host_sim *);
void app_report_json(md_host *, const char *outcome, int status,
                     const char *error);

/* autosave.c: what is printed goes nowhere, or again where it went before. */
void app_mute(int kept[2], bool mute);

/* records.c: writes the records of all sims, oldest first, or those of one
   name only (NULL: of all); false with a sentence. */
bool app_export(const md_host *, const char *path, const char *only,
                char *error, size_t size);

/* progress.c: a line on a terminal while a run is long. */
void app_progress(md_host *, host_sim *, bool last);

/* tracer.c: reads the trace, for words, binary records, a chart, a journal.
   NULL when there is nobody to read it for, or, with *failed, when it has said
   why it cannot; false when not all could be written, which it has said. */
typedef struct app_tracer app_tracer;
typedef struct app_journal app_journal;
app_tracer *app_tracer_open(const app_options *, app_journal *, bool *failed);
void app_tracer_lend(app_tracer *, md_host *);
void app_tracer_read(app_tracer *);
void app_tracer_words(app_tracer *, const md_trace_record *, FILE *out);
void app_tracer_note(app_tracer *, const app_options *, FILE *note);
bool app_tracer_close(app_tracer *, md_host *);

/* check.c: runs a model twice and says where the runs differ. */
int app_check(const app_options *, int count, char **words);

/* hint.c: what to do about a message of Lua's own, as the rest of a line; false
   where nothing is known. */
bool app_hint(const char *message, char *hint, size_t size);

/* help.c: a topic, the list of all for NULL; the exit status. */
int app_help(const char *topic);

/* md.help is what require gives for "moondial.help". [-0, +0, m] */
void app_open_help(lua_State *L);

#endif
