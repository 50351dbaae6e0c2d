/* Lines of input: from a terminal, with libedit, its history and completion, or
   from a file or pipe. */
#ifndef MD_APP_TERMINAL_H
#define MD_APP_TERMINAL_H

#include <stdbool.h>

typedef struct app_terminal {
  bool terminal; /* else a file or a pipe, whose lines are shown again */
  char *history; /* the file, NULL: none */
  /* the candidates for a text, malloc's, ending with NULL; of `before`, the
     line up to it */
  char **(*complete)(void *, const char *before, const char *text);
  void *who;
  /* more lines belong to this one; else it is the chunk that is returned */
  bool (*incomplete)(void *, const char *text);
} app_terminal;

void app_terminal_open(app_terminal *);

/* The next chunk, of as many lines as it takes, malloc's; NULL at the end of
   the input. Ctrl-C gives an empty one. */
char *app_terminal_read(app_terminal *, const char *prompt);

void app_terminal_close(app_terminal *);

#endif
