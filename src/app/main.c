/* moondial: the program. */
#include "app/app.h"

#include <signal.h>

static int main_version(void) {
  printf("moondial %s, %s\n", APP_VERSION, LUA_RELEASE);
  return APP_DONE;
}

int main(int count, char **words) {
  app_options options;
  signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of writing */
  if (!app_read_options(count, words, &options)) return APP_USAGE;
  switch (options.command) {
  case APP_RUN:
  case APP_TRACE:
    return app_run(&options);
  case APP_RESUME:
    return app_resume(&options);
  case APP_REPLAY:
    return app_replay(&options);
  case APP_REPL:
    return app_prompt(&options);
  case APP_CHECK:
    return app_check(&options, count, words);
  case APP_VERSION_OF:
    return main_version();
  case APP_HELP:
    return app_help(options.model);
  }
  return APP_USAGE;
}
