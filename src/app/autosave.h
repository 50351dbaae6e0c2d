/* Images that the program saves by itself: at regular times, and, for specs,
   after so many events. */
#ifndef MD_APP_AUTOSAVE_H
#define MD_APP_AUTOSAVE_H

#include "host/loop.h"
#include "image/image.h"

typedef struct app_autosave {
  host_pause pause;
  const char *path;   /* of the images; their times come before its ending */
  double every;       /* units of time, 0: never */
  bool on_error;      /* one from just before an error that ends the run */
  bool on_interrupt;  /* one when Ctrl-C ends it */
  uint32_t keep;      /* so many of the newest, 0: all */
  const char *pauses; /* specs: pause after so many events, then so many ... */
  uint64_t cut; /* specs: save after so many events, and leave; 0: never */
  char *named;  /* the path, when nobody gave one */
  bool good;    /* the last one was saved; else */
  char error[MD_IMAGE_ERROR];
  char **saved; /* paths, oldest first */
  uint32_t count;
} app_autosave;

/* From here on it sees to the host's images, if there are any to save. */
void app_autosave_begin(app_autosave *, md_host *);
void app_autosave_end(app_autosave *);

/* A run is interrupted, between two events. */
void app_autosave_interrupt(app_autosave *, md_host *);

/* An error has ended the program, and all is written and closed: goes back, and
   forth again without a word, to save what was before it. `drive` does. */
void app_autosave_error(app_autosave *, md_host *, int (*drive)(void *host));

#endif
