#include "app/terminal.h"

#include <editline/readline.h>
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libedit has one terminal, and its functions no argument of ours. */
static app_terminal *terminal_one;
static sigjmp_buf terminal_interrupt;

/* -- completion -- */

static char **terminal_candidates;

static char *terminal_next(const char *text, int state) {
  (void)text;
  if (terminal_candidates == NULL || terminal_candidates[state] == NULL)
    return NULL;
  return strdup(terminal_candidates[state]);
}

static char **terminal_complete(const char *text, int start, int end) {
  app_terminal *t = terminal_one;
  rl_attempted_completion_over = 1;                /* or files would be tried */
  if (end == (int)strspn(rl_line_buffer, " \t")) { /* code that is pasted */
    rl_insert_text("\t");
    return NULL;
  }
  char *before = strndup(rl_line_buffer, (size_t)start);
  (void)end;
  if (before == NULL) abort();
  terminal_candidates = t->complete(t->who, before, text);
  char **matches = rl_completion_matches(text, terminal_next);
  for (char **c = terminal_candidates; c != NULL && *c != NULL; c++) free(*c);
  free(terminal_candidates);
  free(before);
  rl_completion_append_character = '\0';
  return matches;
}

/* -- reading -- */

static void terminal_signalled(int number) {
  (void)number;
  siglongjmp(terminal_interrupt, 1);
}

/* readline was left by a jump: the terminal and the signals are as they were.
   rl_initialize would throw away what has been typed since. */
static void terminal_recover(void) {
  static const int its[] = {SIGTSTP, SIGQUIT, SIGHUP,
                            SIGTERM, SIGCONT, SIGWINCH};
  signal(SIGINT, SIG_IGN);
  for (size_t i = 0; i < sizeof its / sizeof *its; i++) signal(its[i], SIG_DFL);
  rl_deprep_terminal();
}

/* From a file: shown as it would look at a terminal. */
static char *terminal_file_line(const char *prompt) {
  char *line = NULL;
  size_t size = 0;
  ssize_t n = getline(&line, &size, stdin);
  if (n < 0) {
    free(line);
    return NULL;
  }
  if (n > 0 && line[n - 1] == '\n') line[n - 1] = '\0';
  printf("%s%s\n", prompt, line);
  fflush(stdout);
  return line;
}

static char *terminal_line(app_terminal *t, const char *prompt) {
  fflush(stdout);
  if (!t->terminal) return terminal_file_line(prompt);
  signal(SIGINT, terminal_signalled);
  char *line = readline(prompt);
  signal(SIGINT, SIG_IGN);
  return line;
}

/* Joins b to a by a new line; both are freed. */
static char *terminal_join(char *a, char *b) {
  char *whole = malloc(strlen(a) + strlen(b) + 2);
  if (whole == NULL) abort();
  sprintf(whole, "%s\n%s", a, b);
  free(a);
  free(b);
  return whole;
}

/* At once, behind what another prompt has written meanwhile: this one may be
   killed. */
static void terminal_remember(const app_terminal *t, const char *text) {
  if (t->history != NULL && access(t->history, W_OK) == 0) {
    clear_history();
    read_history(t->history);
  }
  add_history(text);
  if (t->history != NULL) write_history(t->history);
}

char *app_terminal_read(app_terminal *t, const char *prompt) {
  char more[64];
  size_t n = strlen(prompt);
  snprintf(more, sizeof more, "%*s", (int)(n < 60 ? n : 60), "... ");
  if (t->terminal && sigsetjmp(terminal_interrupt, 1) != 0) {
    terminal_recover();
    fputs("\n", stdout);
    return strdup("");
  }
  char *text = terminal_line(t, prompt);
  while (text != NULL && *text != '\0' && t->incomplete(t->who, text)) {
    char *line = terminal_line(t, more);
    if (line == NULL) { /* it is what it is */
      if (t->terminal) fputs("\n", stdout);
      break;
    }
    text = terminal_join(text, line);
  }
  if (text != NULL && t->terminal && *text != '\0') terminal_remember(t, text);
  return text;
}

/* -- opening, closing -- */

void app_terminal_open(app_terminal *t) {
  const char *home = getenv("HOME");
  t->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  terminal_one = t;
  if (!t->terminal) { /* another program may read on */
    setvbuf(stdin, NULL, _IONBF, 0);
    return;
  }
  /* characters of more than one byte, and nothing else: the model's world is
     the same everywhere */
  setlocale(LC_CTYPE, "C.UTF-8");
  rl_readline_name = "moondial";
  rl_initialize();
  rl_attempted_completion_function = terminal_complete;
  rl_basic_word_break_characters = " \t\n\"'`()[]{}=+-*/%^#~<>,;&|";
  using_history();
  stifle_history(2000);
  if (home != NULL && asprintf(&t->history, "%s/.moondial_history", home) > 0)
    read_history(t->history);
}

void app_terminal_close(app_terminal *t) {
  if (!t->terminal) return;
  free(t->history);
  t->history = NULL;
}
