#include "app/app.h"
#include "app/chart.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every option once: its name, what follows it, and what it does. */
#define OPTIONS(X)                                                             \
  X(SEED, "seed", "n", "seed of the default sim (0)")                          \
  X(TO, "to", "t", "no run of the default sim goes beyond this time")          \
  X(ORDER, "order", "o", "ties of the default sim: fifo, lifo or random")      \
  X(OUT, "out", "file", "write the records to file.db, .csv or .jsonl")        \
  X(TRACE, "trace", "file", "write what happens, in words (- for stdout)")     \
  X(TRACE_ONLY, "trace-only", "kinds", "of --trace, only these: SEND,RECEIVE") \
  X(FORMAT, "format", "f", "of moondial trace: json, mmd or puml")             \
  X(MESSAGES, "messages", "n", "most arrows of a sequence chart (2000)")       \
  X(MEMORY, "memory", "size", "memory the model may have: 512M, 4G")           \
  X(INSTRUCTIONS, "instructions", "n",                                         \
    "most VM instructions between two blocking calls")                         \
  X(PACE, "pace", "x", "run in real time, x units of time a second")           \
  X(STRICT, "strict", NULL, "exit with 3 when processes wait for ever")        \
  X(UNCHECKED, "unchecked", NULL, "message types and protocols check nothing") \
  X(SANDBOX, "sandbox", NULL, "the model has no io, and of os only the time")  \
  X(QUIET, "quiet", NULL, "no progress line and no notes")                     \
  X(JOURNAL, "journal", "file", "keep all that happens, for moondial replay")  \
  X(SAVE_EVERY, "save-every", "t", "save an image at t, 2t, ...: resume one")  \
  X(SAVE_ON_ERROR, "save-on-error", NULL,                                      \
    "after an error, what was before it")                                      \
  X(SAVE_ON_INTERRUPT, "save-on-interrupt", NULL, "save an image on Ctrl-C")   \
  X(SAVE, "save", "file", "of these: run.mdi, or run-10.mdi (model.mdi)")      \
  X(SAVE_KEEP, "save-keep", "n", "of --save-every: so many of the newest (3)") \
  X(CHECKPOINT_EVERY, "checkpoint-every", "t",                                 \
    "keep states, for md.rewind(time)")                                        \
  X(CHECKPOINT_MEMORY, "checkpoint-memory", "size",                            \
    "what those may take (256M; prompt: 1G)")                                  \
  X(LINE, "line", "lua", "of repl: this line alone, also -e lua")              \
  X(LAZY, "lazy", NULL, "of resume: believe the image, read it as needed")     \
  X(JSON, "json", NULL, "say how the run ended as JSON, on stderr")

/* Options of the specs, of check and of commands of the prompt; the help does
   not list them. */
#define OPTIONS_HIDDEN(X)                                                      \
  X(AUDIT, "audit", NULL, NULL)                                                \
  X(STATE_HASH, "state-hash", NULL, NULL)                                      \
  X(PAUSES, "pauses", "n,n", NULL)                                             \
  X(CUT, "cut", "n", NULL)                                                     \
  X(FAIL_AT, "fail-allocation", "n", NULL)                                     \
  X(TRACE_FD, "trace-fd", "fd", NULL)                                          \
  X(FIRST, "first", "line", NULL)

typedef enum option {
#define X(name, word, value, help) OPTION_##name,
  OPTIONS(X) OPTIONS_HIDDEN(X)
#undef X
      OPTION_COUNT
} option;

static const struct option_row {
  const char *word, *value, *help;
} option_rows[] = {
#define X(name, word, value, help) {word, value, help},
    OPTIONS(X) OPTIONS_HIDDEN(X)
#undef X
};

void app_usage(FILE *f) {
  fputs("usage: moondial [run] [options] model.lua [arguments]\n"
        "       moondial check [options] model.lua [arguments]\n"
        "       moondial trace [options] model.lua [arguments] -o file.json\n"
        "         (for Perfetto and chrome://tracing), file.mmd (Mermaid) or\n"
        "         file.puml (PlantUML); -o - for stdout, with --format\n"
        "       moondial resume [options] image\n"
        "       moondial replay [options] journal\n"
        "       moondial repl [options] [model.lua | image] [arguments]\n"
        "       moondial help [topic]\n"
        "       moondial version\n"
        "options:\n",
        f);
  for (int i = 0; i < OPTION_COUNT; i++) {
    const struct option_row *row = &option_rows[i];
    if (row->help == NULL) continue;
    fprintf(f, "  --%-17s %-5s %s\n", row->word, row->value ? row->value : "",
            row->help);
  }
}

static bool option_wrong(const char *word, const char *value,
                         const char *expected) {
  fprintf(stderr, "moondial: --%s: expected %s, got '%s'\n", word, expected,
          value);
  return false;
}

static bool option_integer(const char *word, const char *value, int64_t least,
                           int64_t *n) {
  char *end;
  errno = 0;
  *n = strtoll(value, &end, 10);
  if (*value != '\0' && *end == '\0' && errno == 0 && *n >= least) return true;
  return option_wrong(word, value,
                      least > 0    ? "a positive whole number"
                      : least == 0 ? "a whole number of at least 0"
                                   : "a whole number");
}

static bool option_number(const char *word, const char *value, double least,
                          double *x) {
  char *end;
  *x = strtod(value, &end);
  if (*value != '\0' && *end == '\0' && isfinite(*x) && *x >= least &&
      (*x > 0 || least == 0))
    return true;
  return option_wrong(
      word, value, least > 0 ? "a positive number" : "a number of at least 0");
}

/* 512M, 4G, 1000k, or bytes. */
static bool option_size(const char *word, const char *value, size_t *size) {
  static const char units[] = "kMGT";
  char *end;
  double n = strtod(value, &end);
  const char *unit = *end ? strchr(units, *end == 'K' ? 'k' : *end) : NULL;
  if (unit != NULL) {
    for (const char *u = units; u <= unit; u++) n *= 1024;
    end++;
  }
  if (end != value && *end == '\0' && n >= 1 && n < 0x1p50) {
    *size = (size_t)n;
    return true;
  }
  return option_wrong(word, value, "a size such as 512M or 4G");
}

static bool option_order(const char *value, md_order *order) {
  static const char *const names[] = {"fifo", "lifo", "random"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(value, names[i]) != 0) continue;
    *order = (md_order)i;
    return true;
  }
  return option_wrong("order", value, "fifo, lifo or random");
}

/* SEND,RECEIVE: a bit for each kind. */
static bool option_kinds(const char *value, uint64_t *kinds) {
  const char *known[MD_TRACE_KINDS + 1];
  char name[32];
  for (int k = 0; k < MD_TRACE_KINDS; k++)
    known[k] = md_trace_name((md_trace_kind)k);
  known[MD_TRACE_KINDS] = NULL;
  for (;; value++) {
    size_t n = strcspn(value, ",");
    snprintf(name, sizeof name, "%.*s", (int)n, value);
    md_trace_kind kind = md_trace_kind_of(name);
    if (kind == MD_TRACE_KINDS) {
      fprintf(stderr,
              "moondial: --trace-only: there is no kind '%s'; did you mean "
              "'%s'? moondial help trace lists them\n",
              name, host_nearest_kind(name, known));
      return false;
    }
    *kinds |= UINT64_C(1) << kind;
    value += n;
    if (*value == '\0') return true;
  }
}

static bool option_line(app_options *o, const char *line) {
  const int most = sizeof o->lines / sizeof *o->lines;
  if (o->line_count < most) o->lines[o->line_count++] = line;
  else fprintf(stderr, "moondial: -e: at most %d lines; use a file\n", most);
  return o->line_count <= most && o->lines[o->line_count - 1] == line;
}

static bool option_set(app_options *o, option which, const char *value) {
  const char *word = option_rows[which].word;
  int64_t n = 0;
  switch (which) {
  case OPTION_SEED:
    if (!option_integer(word, value, INT64_MIN, &n)) return false;
    o->host.seed = (uint64_t)n;
    return true;
  case OPTION_INSTRUCTIONS:
    if (!option_integer(word, value, 1, &n)) return false;
    o->host.instructions = (uint64_t)n;
    return true;
  case OPTION_FAIL_AT:
    if (!option_integer(word, value, 0, &n)) return false;
    o->host.fail_at = (uint64_t)n;
    return true;
  case OPTION_TRACE_FD:
    if (!option_integer(word, value, 0, &n)) return false;
    o->trace_fd = (int)n;
    return true;
  case OPTION_TO:
    return option_number(word, value, 0, &o->host.to);
  case OPTION_PACE:
    return option_number(word, value, 1e-9, &o->host.pace);
  case OPTION_ORDER:
    return option_order(value, &o->host.order);
  case OPTION_MEMORY:
    return option_size(word, value, &o->host.memory);
  case OPTION_OUT:
    o->out = value;
    return true;
  case OPTION_TRACE:
    o->trace = value;
    return true;
  case OPTION_TRACE_ONLY:
    return option_kinds(value, &o->trace_only);
  case OPTION_FORMAT:
    o->chart = chart_format_of(value);
    return o->chart || option_wrong(word, value, "json, mmd or puml");
  case OPTION_MESSAGES:
    if (!option_integer(word, value, 1, &n)) return false;
    o->messages = (uint64_t)n;
    return true;
  case OPTION_STRICT:
    o->strict = true;
    return true;
  case OPTION_UNCHECKED:
    o->host.unchecked = true;
    return true;
  case OPTION_SANDBOX:
    o->host.sandbox = true;
    return true;
  case OPTION_QUIET:
    o->host.quiet = true;
    return true;
  case OPTION_JOURNAL:
    o->journal = value;
    return true;
  case OPTION_SAVE_ON_ERROR:
    o->autosave.on_error = true;
    return true;
  case OPTION_SAVE_ON_INTERRUPT:
    o->autosave.on_interrupt = true;
    return true;
  case OPTION_SAVE_EVERY:
    return option_number(word, value, 1e-9, &o->autosave.every);
  case OPTION_SAVE:
    o->autosave.path = value;
    return true;
  case OPTION_SAVE_KEEP:
    if (!option_integer(word, value, 1, &n)) return false;
    o->autosave.keep = (uint32_t)n;
    return true;
  case OPTION_PAUSES:
    o->autosave.pauses = value;
    return true;
  case OPTION_CUT:
    if (!option_integer(word, value, 1, &n)) return false;
    o->autosave.cut = (uint64_t)n;
    return true;
  case OPTION_CHECKPOINT_EVERY:
    return option_number(word, value, 1e-9, &o->checkpoint_every);
  case OPTION_CHECKPOINT_MEMORY:
    return option_size(word, value, &o->checkpoint_memory);
  case OPTION_FIRST:
    o->first = value;
    return true;
  case OPTION_LINE:
    return option_line(o, value);
  case OPTION_AUDIT:
    o->audit = true;
    return true;
  case OPTION_STATE_HASH:
    o->state_hash = true;
    return true;
  case OPTION_LAZY:
    o->lazy = true;
    return true;
  case OPTION_JSON:
    o->json = true;
    return true;
  case OPTION_COUNT:
    break;
  }
  return false;
}

static bool option_unknown(const char *word) {
  const char *known[OPTION_COUNT + 3], *name = word + strspn(word, "-");
  char text[64];
  int n = 0;
  for (int i = 0; i < OPTION_COUNT; i++)
    if (option_rows[i].help != NULL) known[n++] = option_rows[i].word;
  known[n++] = "help";
  known[n++] = "version";
  known[n] = NULL;
  snprintf(text, sizeof text, "%.*s", (int)strcspn(name, "="), name);
  const char *near = host_nearest(text, known);
  fprintf(stderr, "moondial: there is no option '%s'; ", word);
  if (!host_unlike(text, near)) fprintf(stderr, "did you mean '--%s'? ", near);
  fputs("moondial help lists them\n", stderr);
  return false;
}

bool app_is_option(const char *word) {
  if (word[0] != '-' || word[1] != '-') return false;
  size_t n = strcspn(word += 2, "=");
  for (int k = 0; k < OPTION_COUNT; k++)
    if (option_rows[k].help != NULL && strlen(option_rows[k].word) == n &&
        strncmp(option_rows[k].word, word, n) == 0)
      return true;
  return false;
}

/* Reads words[*i], an option, and its value. */
static bool option_read(int count, char **words, int *i, app_options *o) {
  const char *word = words[*i] + 2;
  size_t n = strcspn(word, "=");
  for (int k = 0; k < OPTION_COUNT; k++) {
    const struct option_row *row = &option_rows[k];
    if (strlen(row->word) != n || strncmp(row->word, word, n) != 0) continue;
    if (row->value == NULL) {
      if (word[n] == '\0') return option_set(o, (option)k, NULL);
      fprintf(stderr, "moondial: --%s takes no value\n", row->word);
      return false;
    }
    if (word[n] == '=') return option_set(o, (option)k, word + n + 1);
    if (*i + 1 < count) return option_set(o, (option)k, words[++*i]);
    fprintf(stderr, "moondial: --%s needs a value: --%s %s\n", row->word,
            row->word, row->value);
    return false;
  }
  return option_unknown(words[*i]);
}

const char *const app_commands[] = {"run",     "check",  "trace",
                                    "resume",  "replay", "repl",
                                    "version", "help",   NULL};

static bool option_command(const char *word, app_command *command) {
  for (int i = 0; app_commands[i] != NULL; i++) {
    if (strcmp(word, app_commands[i]) != 0) continue;
    *command = (app_command)i;
    return true;
  }
  return false;
}

/* -o file */
static bool option_chart_path(int count, char **words, int *i, app_options *o) {
  if (*i + 1 < count) {
    o->chart_path = words[++*i];
    return true;
  }
  fputs("moondial: -o needs a value: -o file\n", stderr);
  return false;
}

/* The options of trace may stand behind the model, too: they are taken out of
   its arguments, up to --. */
static bool option_behind(app_options *o) {
  int kept = 0, i = 0;
  for (; i < o->argument_count; i++) {
    const char *word = o->arguments[i];
    if (strcmp(word, "--") == 0) {
      i++;
      break;
    }
    if (strcmp(word, "-o") == 0) {
      if (!option_chart_path(o->argument_count, o->arguments, &i, o))
        return false;
    } else if (strncmp(word, "--format", 8) == 0 ||
               strncmp(word, "--messages", 10) == 0) {
      if (!option_read(o->argument_count, o->arguments, &i, o)) return false;
    } else {
      o->arguments[kept++] = o->arguments[i];
    }
  }
  while (i < o->argument_count) o->arguments[kept++] = o->arguments[i++];
  o->argument_count = kept;
  return true;
}

static bool option_chart(app_options *o) {
  const char *ending = o->chart_path ? strrchr(o->chart_path, '.') : NULL;
  if (o->chart == NULL && ending != NULL)
    o->chart = chart_format_of(ending + 1);
  if (o->messages == 0) o->messages = 2000;
  if (o->chart_path == NULL)
    fputs("moondial: trace: say where to: -o file.json, .mmd or .puml; or -o - "
          "with --format\n",
          stderr);
  else if (o->chart == NULL && strcmp(o->chart_path, "-") == 0)
    fputs("moondial: trace: -o - needs --format json, mmd or puml\n", stderr);
  else if (o->chart == NULL)
    fprintf(stderr,
            "moondial: trace: expected a file that ends in .json, .mmd or "
            ".puml, got '%s'; --format says what is in another\n",
            o->chart_path);
  return o->chart_path != NULL && o->chart != NULL;
}

/* What is resumed or replayed has its arguments: only options come behind. */
static bool option_rest(app_options *o) {
  for (int i = 0; i < o->argument_count; i++) {
    const char *word = o->arguments[i];
    if (word[0] != '-' || word[1] != '-') {
      fprintf(stderr,
              "moondial: expected nothing but options behind %s, got '%s'; the "
              "model has the arguments that it was run with\n",
              o->model, word);
      return false;
    }
    if (!option_read(o->argument_count, o->arguments, &i, o)) return false;
  }
  o->argument_count = 0;
  return true;
}

/* What goes together. */
static bool option_check(app_options *o) {
  if ((o->command == APP_RESUME || o->command == APP_REPLAY) && !option_rest(o))
    return false;
  if (o->trace_only != 0 && o->trace == NULL) {
    fputs("moondial: --trace-only needs --trace file (- for stdout)\n", stderr);
    return false;
  }
  if (o->command == APP_TRACE) return option_behind(o) && option_chart(o);
  if (o->chart_path == NULL && o->chart == NULL && o->messages == 0)
    return true;
  fputs("moondial: -o, --format and --messages are of moondial trace\n",
        stderr);
  return false;
}

bool app_read_options(int count, char **words, app_options *o) {
  *o = (app_options){.trace_fd = -1, .autosave = {.keep = 3}};
  o->host.to = -1;
  bool named = false;
  int i = 1;
  for (; i < count; i++) {
    const char *word = words[i];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
      o->command = APP_HELP;
      return true;
    }
    if (strcmp(word, "--version") == 0) {
      o->command = APP_VERSION_OF;
      return true;
    }
    if (strcmp(word, "--") == 0) {
      i++;
      break;
    }
    if (word[0] == '-' && word[1] == '-') {
      if (!option_read(count, words, &i, o)) return false;
    } else if (strcmp(word, "-o") == 0) {
      if (!option_chart_path(count, words, &i, o)) return false;
    } else if (strcmp(word, "-e") == 0 && i + 1 < count) {
      if (!option_line(o, words[++i])) return false;
    } else if (word[0] == '-' && word[1] != '\0') {
      return option_unknown(word);
    } else if (!named && option_command(word, &o->command)) {
      named = true;
    } else {
      break;
    }
  }
  if (i < count) o->model = words[i++];
  o->arguments = words + i;
  o->argument_count = count - i;
  if (o->command >= APP_VERSION_OF) return true;
  if (o->command == APP_REPL && o->model == NULL) return true;
  if (o->model != NULL) return option_check(o);
  if (count == 1) app_usage(stderr);
  else if (o->command == APP_RESUME)
    fputs("moondial: no image is given: moondial resume run.mdi\n", stderr);
  else if (o->command == APP_REPLAY)
    fputs("moondial: no journal is given: moondial replay run.mdj\n", stderr);
  else fputs("moondial: no model is given: moondial model.lua\n", stderr);
  return false;
}
