/* Options that stand behind the model, where they are its arguments. */
#include "app/app.h"

#include <stdlib.h>
#include <string.h>

/* Whether the file at the path is there, and nowhere speaks of arguments. */
static bool behind_unread(const char *path) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  ssize_t n = getdelim(&text, &size, '\0', file);
  fclose(file);
  bool unread =
      n >= 0 && strstr(text, "...") == NULL && strstr(text, "arg") == NULL;
  free(text);
  return unread;
}

void app_note_behind(const app_options *o) {
  const char *word = NULL;
  if (o->trace_fd >= 0) return; /* a run of check, which has said it */
  for (int i = 0; i < o->argument_count && word == NULL; i++) {
    if (strcmp(o->arguments[i], "--") == 0) return;
    if (app_is_option(o->arguments[i])) word = o->arguments[i];
  }
  if (word == NULL || o->host.quiet || !behind_unread(o->model)) return;
  fprintf(stderr,
          "moondial: %.*s stands behind the model and is given to it, which "
          "reads no arguments; options stand before: moondial %.*s ... %s\n",
          (int)strcspn(word, "="), word, (int)strcspn(word, "="), word,
          o->model);
}
