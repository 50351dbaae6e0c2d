/* A name that was not found, and what it may have been meant to be: a function,
   in a message of Lua's own, or a command. */
#include "app/app.h"
#include "app/reference.h"

#include <ctype.h>
#include <string.h>

enum { HINT_NAME = 48 };

/* What others call what we have. */
static const struct {
  const char *theirs, *ours;
} hint_words[] = {
    {"process", "spawn"}, {"Environment", "sim"}, {"request", "acquire"},
    {"seize", "acquire"}, {"hold", "sleep"},      {"activate", "spawn"},
    {"schedule", "at"},   {"go", "spawn"},
};

/* What stands between `before` and a quote; false where it is not there. */
static bool hint_name(const char *message, const char *before,
                      char name[HINT_NAME]) {
  const char *at = strstr(message, before);
  if (at == NULL) return false;
  at += strlen(before);
  size_t n = strcspn(at, "'");
  if (n == 0 || n >= HINT_NAME) return false;
  memcpy(name, at, n);
  name[n] = '\0';
  return true;
}

/* The function whose name is most like that, and begins like it; NULL: there is
   none. */
static const char *hint_nearest(const char *name) {
  const char *best = NULL, *near = NULL;
  for (const app_entry *e = app_reference; e->name != NULL; e++) {
    const char *other = app_help_short(e->name);
    if (tolower((unsigned char)*name) != *other || host_unlike(name, other))
      continue;
    if (near != NULL &&
        host_nearest(name, (const char *const[]){near, other, NULL}) == near)
      continue;
    near = other;
    best = e->name;
  }
  return best;
}

/* Is it called as it is written, or is it a function of md? */
static bool hint_whole(const char *name) {
  const char *dot = strchr(name, '.');
  return strchr(name, ':') != NULL ||
         (dot != NULL && strncmp(name, "stats.", 6) != 0 &&
          strncmp(name, "is.", 3) != 0);
}

/* A command that was taken for the name of a model. */
static bool hint_command(const char *message, char *hint, size_t size) {
  char name[HINT_NAME];
  if (!hint_name(message, "cannot open '", name)) return false;
  const char *near = host_nearest(name, app_commands);
  if (strpbrk(name, "./") != NULL || host_unlike(name, near)) return false;
  snprintf(hint, size, "did you mean moondial %s? moondial help lists all",
           near);
  return true;
}

bool app_hint(const char *message, char *hint, size_t size) {
  char name[HINT_NAME];
  if (hint_name(message, "attempt to index a nil value (global '", name) &&
      strcmp(name, "md") == 0) {
    snprintf(hint, size, "begin with: local md = require \"moondial\"");
    return true;
  }
  if (hint_command(message, hint, size)) return true;
  const char *const kinds[] = {"global", "field", "method"};
  for (int i = 0; i < 3; i++) {
    char before[48];
    snprintf(before, sizeof before, "attempt to call a nil value (%s '",
             kinds[i]);
    if (!hint_name(message, before, name)) continue;
    const size_t words = sizeof hint_words / sizeof *hint_words;
    for (size_t k = 0; k < words; k++)
      if (strcmp(name, hint_words[k].theirs) == 0)
        snprintf(name, sizeof name, "%s", hint_words[k].ours);
    const char *best = hint_nearest(name);
    if (best == NULL) return false;
    snprintf(hint, size, "did you mean %s%s? moondial help %s tells of it",
             hint_whole(best) ? "" : "md.", best, app_help_short(best));
    return true;
  }
  return false;
}
