#include "app/app.h"

#include <inttypes.h>
#include <time.h>

/* A run shorter than this shows nothing; a longer one is shown this often. */
static const double progress_first = 1.0, progress_often = 0.25;

/* What the line last said. It is the terminal's, of which there is one. */
static struct {
  double start, shown;
  uint64_t events;
  bool visible;
} progress;

static double progress_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void app_progress(md_host *h, host_sim *s, bool last) {
  (void)h;
  double now = progress_clock();
  uint64_t events = md_sim_events(s->kernel);
  if (last) {
    if (progress.visible) fputs("\r\033[K", stderr);
    progress.visible = false;
    progress.start = 0;
    return;
  }
  if (progress.start == 0) {
    progress.start = progress.shown = now;
    progress.events = events;
    return;
  }
  if (now - progress.start < progress_first ||
      now - progress.shown < progress_often)
    return;
  char time[40];
  md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), time,
               sizeof time);
  double rate = (double)(events - progress.events) / (now - progress.shown);
  fprintf(stderr, "\r\033[Ktime %s, %.1f million events, %.2f million a second",
          time, (double)events / 1e6, rate / 1e6);
  fflush(stderr);
  progress.shown = now;
  progress.events = events;
  progress.visible = true;
}
