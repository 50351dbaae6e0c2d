/* What `moondial help` and md.help print: the list of topics, a topic's page,
   or a function's entry. The texts are in the program, so that the model's
   memory stays as it is. */
#include "app/app.h"
#include "app/reference.h"

#include <string.h>

enum { HELP_COLUMNS = 80, HELP_MARGIN = 15 };

const char *app_help_short(const char *name) {
  const char *last = strpbrk(name, ":.");
  return last && last[1] != '\0' ? last + 1 : name;
}

/* Prints n bytes of words within the columns, from column `at` on; further
   lines begin at `margin`. Returns the column it ends at. */
static int help_words(const char *text, size_t n, int at, int margin) {
  const char *end = text + n;
  while (text < end) {
    size_t length = strcspn(text, " \n");
    if (length > (size_t)(end - text)) length = (size_t)(end - text);
    if (at > margin && at + 1 + (int)length > HELP_COLUMNS) {
      printf("\n%*s", margin, "");
      at = margin;
    } else if (at > margin) {
      putchar(' ');
      at++;
    }
    printf("%.*s", (int)length, text);
    at += (int)length;
    text += length;
    if (text < end) text++;
  }
  return at;
}

static bool help_repeats(const app_entry *e) {
  return e > app_reference && strcmp(e[-1].text, e->text) == 0;
}

static void help_list(void) {
  puts("\nTopics (moondial help TOPIC):");
  for (const app_topic *t = app_topics; t->name != NULL; t++) {
    printf("\n  %-*s%s\n", HELP_MARGIN - 2, t->name, t->title);
    int at = HELP_MARGIN;
    for (const app_entry *e = app_reference; e->name != NULL; e++) {
      if (strcmp(e->topic, t->name) != 0) continue;
      if (at == HELP_MARGIN) printf("%*s", HELP_MARGIN, "");
      at = help_words(e->name, strlen(e->name), at, HELP_MARGIN);
    }
    if (at > HELP_MARGIN) putchar('\n');
  }
}

/* The end of the sentence that begins at text. */
static size_t help_sentence(const char *text) {
  size_t n = 0;
  while (text[n] != '\0' &&
         !(text[n] == '.' && (text[n + 1] == '\n' || text[n + 1] == ' ')))
    n++;
  return n + (text[n] == '.');
}

/* A line for the signature, and the first sentence below it. */
static void help_summary(const app_entry *e) {
  const char *prose = e->text;
  size_t n;
  do { /* a signature that ends with a comma goes on in the next line */
    n = strcspn(prose, "\n");
    printf("  %.*s\n", (int)n, prose);
    prose += n + (prose[n] != '\0');
  } while (n > 0 && prose[-2] == ',');
  printf("%*s", 6, "");
  help_words(prose, help_sentence(prose), 6, 6);
  putchar('\n');
}

static void help_page(const app_topic *t) {
  if (t->title[0] != '\0') printf("%s: %s\n\n", t->name, t->title);
  if (strcmp(t->name, "command") == 0) {
    app_usage(stdout);
    putchar('\n');
  }
  if (t->text[0] != '\0') printf("%s\n\n", t->text);
  for (const app_entry *e = app_reference; e->name != NULL; e++)
    if (strcmp(e->topic, t->name) == 0 && !help_repeats(e)) help_summary(e);
}

/* Prints the entries of that name, or, when it may be short, of that short
   name; how many. */
static int help_entries(const char *topic, bool whole, int before) {
  int found = 0;
  for (const app_entry *e = app_reference; e->name != NULL; e++) {
    if (strcmp(topic, whole ? e->name : app_help_short(e->name)) != 0) continue;
    if (before + found++ > 0) putchar('\n');
    puts(e->text);
  }
  return found;
}

/* The page that tells of a command. */
static const char *help_page_of(const char *command) {
  static const char *const pages[] = {
      "repl",   "prompt",  "check",   "determinism", "resume", "images",
      "replay", "journal", "version", "command",     NULL};
  for (int i = 0; pages[i] != NULL; i += 2)
    if (strcmp(command, pages[i]) == 0) return pages[i + 1];
  return command;
}

/* A page, then the function of that name; with md. the function alone. */
static bool help_show(const char *topic) {
  int found = 0;
  bool function = strncmp(topic, "md.", 3) == 0;
  if (function) topic += 3;
  for (const app_topic *t = app_topics; t->name != NULL; t++) {
    if (function || strcmp(help_page_of(topic), t->name) != 0) continue;
    help_page(t);
    found++;
  }
  found += help_entries(topic, true, found);
  return found > 0 || help_entries(topic, false, 0) > 0;
}

/* In words, what else there may be help on: one that is like it, or the list;
   the text is good until the next call. */
static const char *help_advice(const char *topic) {
  static char text[128];
  if (strncmp(topic, "md.", 3) == 0) topic += 3;
  const char *best = app_topics[0].name;
  for (const app_topic *t = app_topics; t->name != NULL; t++)
    best = host_nearest(topic, (const char *const[]){best, t->name, NULL});
  for (const app_entry *e = app_reference; e->name != NULL; e++)
    best = host_nearest(
        topic, (const char *const[]){best, app_help_short(e->name), NULL});
  if (host_unlike(topic, best)) return "";
  snprintf(text, sizeof text, "did you mean '%s'? ", best);
  return text;
}

int app_help(const char *topic) {
  if (topic == NULL) {
    app_usage(stdout);
    help_list();
    return APP_DONE;
  }
  if (help_show(topic)) return APP_DONE;
  fprintf(stderr,
          "moondial: there is no help on '%s'; %smoondial help lists the "
          "topics\n",
          topic, help_advice(topic));
  return APP_USAGE;
}

/* help([topic])
   Prints what `moondial help` prints: on a function ("sleep", "md.sleep",
   "rng:normal", "normal"), on a topic ("order"), or the list of both. Raises
   usage for an unknown topic, and names the nearest.
     md.help("sleep") */
static int f_help(lua_State *L) {
  if (luaL_testudata(L, 1, "md.sim") != NULL) lua_remove(L, 1);
  if (lua_isnoneornil(L, 1)) {
    app_help(NULL);
    return 0;
  }
  if (lua_type(L, 1) != LUA_TSTRING)
    return host_raise(L, "usage",
                      "help: expected a topic, a string such as \"sleep\", got "
                      "%s",
                      host_describe(L, 1));
  const char *topic = lua_tostring(L, 1);
  if (help_show(topic)) return 0;
  return host_raise(L, "usage",
                    "help: there is no help on '%s'; %smd.help() lists the "
                    "topics",
                    topic, help_advice(topic));
}

static int help_open(lua_State *L) {
  lua_pushcfunction(L, f_help);
  return 1;
}

void app_open_help(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, help_open);
  lua_setfield(L, -2, "moondial.help");
  lua_pop(L, 1);
}
