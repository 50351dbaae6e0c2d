#include "app/app.h"
#include "app/reference.h"

#include <string.h>

static void help_entry(const app_entry *e) { printf("%s\n\n", e->text); }

static void help_list(void) {
  const char *module = "";
  fputs("\nTopics (moondial help TOPIC):", stdout);
  for (const app_entry *e = app_reference; e->name != NULL; e++) {
    if (strcmp(e->module, module) != 0) printf("\n  %-10s", e->module);
    module = e->module;
    printf(" %s", e->name);
  }
  putchar('\n');
}

/* A topic is a function's name, with or without md., or a module's. */
int app_help(const char *topic) {
  if (topic == NULL) {
    app_usage(stdout);
    help_list();
    return APP_DONE;
  }
  if (strncmp(topic, "md.", 3) == 0) topic += 3;
  int found = 0;
  for (const app_entry *e = app_reference; e->name != NULL; e++) {
    const char *method = strchr(e->name, ':');
    if (strcmp(topic, e->name) != 0 && strcmp(topic, e->module) != 0 &&
        (method == NULL || strcmp(topic, method + 1) != 0))
      continue;
    help_entry(e);
    found++;
  }
  if (found > 0) return APP_DONE;
  fprintf(stderr, "moondial: there is no help on '%s'; moondial help lists the "
                  "topics\n",
          topic);
  return APP_USAGE;
}
