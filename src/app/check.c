/* Runs a model twice, each in a process of its own with another environment
   and another layout of addresses, and compares what happened record by record
   while it happens; then what was printed and what was recorded. */
#include "app/app.h"
#include "app/names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHECK_RUNS = 2 };

typedef struct check_run {
  pid_t pid;
  FILE *trace, *output;
  char folder[32], records[64]; /* a file of its own for what is recorded */
  int status;
  md_trace_record record;
  bool over;
} check_run;

static void check_child(int fd, const check_run *run, int which, int count,
                        char **words) {
  char number[16];
  char **arguments = calloc((size_t)count + 6, sizeof *arguments);
  bool dropped = false;
  int n = 0;
  if (arguments == NULL) _exit(APP_FAILED);
  snprintf(number, sizeof number, "%d", fd);
  arguments[n++] = words[0];
  arguments[n++] = "--trace-fd";
  arguments[n++] = number;
  arguments[n++] = "--out"; /* the model's user may name another, later */
  arguments[n++] = (char *)(uintptr_t)run->records;
  for (int i = 1; i < count; i++) {
    if (!dropped && strcmp(words[i], "check") == 0) dropped = true;
    else arguments[n++] = words[i];
  }
  if (which > 0) setenv("MOONDIAL_CHECK", "a different environment", 1);
  dup2(fileno(run->output), STDOUT_FILENO);
  execv("/proc/self/exe", arguments);
  _exit(APP_FAILED);
}

static bool check_start(check_run *run, int which, int count, char **words) {
  int ends[2];
  snprintf(run->folder, sizeof run->folder, "/tmp/moondial-XXXXXX");
  run->output = tmpfile();
  if (mkdtemp(run->folder) == NULL) return false;
  snprintf(run->records, sizeof run->records, "%s/records.jsonl", run->folder);
  if (run->output == NULL || pipe(ends) != 0) return false;
  run->pid = fork();
  if (run->pid == 0) {
    close(ends[0]);
    check_child(ends[1], run, which, count, words);
  }
  close(ends[1]);
  run->trace = fdopen(ends[0], "rb");
  return run->pid > 0 && run->trace != NULL;
}

static void check_say(const char *which, const check_run *run) {
  const md_trace_record *r = &run->record;
  char process[40], other[40];
  if (run->over) {
    printf("  %s has ended\n", which);
    return;
  }
  printf("  %s: %s at tick %" PRId64 ", %s, other %s, detail %016" PRIx64 "\n",
         which, md_trace_name(r->kind), r->time,
         app_pid_text(r->process, process), app_pid_text(r->other, other),
         r->detail);
}

static bool check_same(const check_run *a, const check_run *b) {
  return a->over == b->over &&
         (a->over || memcmp(&a->record, &b->record, sizeof a->record) == 0);
}

/* Reads both traces in step; false when it has said where they differ. */
static bool check_traces(check_run runs[CHECK_RUNS], uint64_t *records) {
  for (*records = 0;; ++*records) {
    for (int i = 0; i < CHECK_RUNS; i++)
      runs[i].over =
          fread(&runs[i].record, sizeof runs[i].record, 1, runs[i].trace) != 1;
    if (!check_same(&runs[0], &runs[1])) break;
    if (runs[0].over) return true;
  }
  printf("the runs differ from signal %" PRIu64 " on:\n", *records + 1);
  check_say("the first run", &runs[0]);
  check_say("the second run", &runs[1]);
  return false;
}

/* The line of the first difference of two files, 0 when they are alike. */
static int check_files(FILE *a, FILE *b, uint64_t *bytes) {
  int line = 1;
  rewind(a);
  rewind(b);
  for (*bytes = 0;; ++*bytes) {
    int x = getc(a), y = getc(b);
    if (x != y) return line;
    if (x == EOF) return 0;
    if (x == '\n') line++;
  }
}

static bool check_outputs(check_run runs[CHECK_RUNS], uint64_t *bytes) {
  int line = check_files(runs[0].output, runs[1].output, bytes);
  if (line == 0) return true;
  printf("the runs print different things from line %d of their output on\n",
         line);
  return false;
}

/* What md.log and recorders wrote. A run that failed may have left no file. */
static bool check_records(check_run runs[CHECK_RUNS]) {
  FILE *files[CHECK_RUNS];
  uint64_t bytes;
  int line = 0;
  for (int i = 0; i < CHECK_RUNS; i++) files[i] = fopen(runs[i].records, "r");
  if (files[0] != NULL && files[1] != NULL)
    line = check_files(files[0], files[1], &bytes);
  for (int i = 0; i < CHECK_RUNS; i++)
    if (files[i] != NULL) fclose(files[i]);
  if (line == 0) return true;
  printf("the runs record different things from record %d on\n", line);
  return false;
}

static void check_finish(check_run *run) {
  fclose(run->trace); /* a run that goes on gets a broken pipe */
  waitpid(run->pid, &run->status, 0);
}

static void check_clean(check_run *run) {
  unlink(run->records);
  rmdir(run->folder);
}

int app_check(const app_options *o, int count, char **words) {
  check_run runs[CHECK_RUNS] = {0};
  uint64_t records, bytes;
  if (access(o->model, R_OK) != 0) {
    fprintf(stderr, "moondial: cannot open '%s': %s\n", o->model,
            strerror(errno));
    return APP_FAILED;
  }
  app_note_behind(o);
  fflush(NULL);
  for (int i = 0; i < CHECK_RUNS; i++) {
    if (check_start(&runs[i], i, count, words)) continue;
    perror("moondial: check");
    return APP_FAILED;
  }
  bool same = check_traces(runs, &records);
  for (int i = 0; i < CHECK_RUNS; i++) check_finish(&runs[i]);
  same = same && check_outputs(runs, &bytes) && check_records(runs);
  for (int i = 0; i < CHECK_RUNS; i++) check_clean(&runs[i]);
  if (!same) return APP_FAILED;
  if (runs[0].status != runs[1].status) {
    printf("the runs end with different statuses\n");
    return APP_FAILED;
  }
  if (!WIFEXITED(runs[0].status) || WEXITSTATUS(runs[0].status) != APP_DONE) {
    printf("both runs fail, alike\n");
    return APP_FAILED;
  }
  printf("the two runs are alike: %" PRIu64 " signals, %" PRIu64
         " bytes of output\n",
         records, bytes);
  return APP_DONE;
}
