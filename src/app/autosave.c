#include "app/autosave.h"
#include "app/app.h"
#include "host/state.h"
#include "host/travel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The distance in ticks of the sim. */
static md_time autosave_distance(const app_autosave *a, const host_sim *s) {
  md_time distance;
  bool fits = md_time_read(md_sim_scale(s->kernel), a->every, &distance);
  return fits && distance > 0 ? distance : INT64_MAX;
}

/* run.mdi at the time 20 is run-20.mdi. Malloc's. */
static char *autosave_path(const app_autosave *a, const host_sim *s,
                           md_time at) {
  const char *slash = strrchr(a->path, '/'), *dot = strrchr(a->path, '.');
  size_t stem = dot != NULL && dot > (slash ? slash + 1 : a->path)
                    ? (size_t)(dot - a->path)
                    : strlen(a->path);
  char *path = malloc(strlen(a->path) + 48), now[40];
  if (path == NULL) abort();
  md_time_text(md_sim_scale(s->kernel), at, now, sizeof now);
  sprintf(path, "%.*s-%s%s", (int)stem, a->path, now, a->path + stem);
  return path;
}

/* Forgets the oldest image when there are more than are to be kept. */
static void autosave_thin(app_autosave *a) {
  if (a->keep == 0 || a->count <= a->keep) return;
  unlink(a->saved[0]);
  free(a->saved[0]);
  memmove(a->saved, a->saved + 1, --a->count * sizeof *a->saved);
}

/* A save that fails is said, and the run goes on. */
static bool autosave_save(md_host *h, const char *path) {
  char error[MD_IMAGE_ERROR];
  if (host_save(h, path, error)) return true;
  fprintf(stderr, "moondial: %s\n", error);
  return false;
}

/* Takes down a path, the newest: it may be there from before a rewind. */
static void autosave_list(app_autosave *a, char *path) {
  char **saved = realloc(a->saved, (a->count + 1) * sizeof *saved);
  if (saved == NULL) abort();
  a->saved = saved;
  uint32_t i = 0, n = 0;
  for (; i < a->count; i++)
    if (strcmp(saved[i], path) != 0) saved[n++] = saved[i];
    else free(saved[i]);
  saved[n++] = path;
  a->count = n;
}

/* Saves what is so at the last multiple of the distance before the next event,
   and pauses at the one behind it. The first pause is at 0, to find that. */
static void autosave_by_time(app_autosave *a, md_host *h, host_sim *s) {
  md_time next, distance = autosave_distance(a, s);
  if (!md_sim_peek(s->kernel, &next) || next <= a->pause.time) return;
  md_time at = (next - 1) / distance * distance;
  a->pause.time = at > INT64_MAX - distance ? INT64_MAX : at + distance;
  if (at <= 0 || host_in_branch(h)) return;
  char *path = autosave_path(a, s, at);
  if (autosave_save(h, path)) autosave_list(a, path);
  else free(path);
  autosave_thin(a);
}

static uint64_t autosave_read_pause(app_autosave *a, uint64_t events) {
  char *end;
  if (a->cut > 0) return events + a->cut;
  if (a->pauses == NULL || *a->pauses == '\0') return UINT64_MAX;
  uint64_t more = strtoull(a->pauses, &end, 10);
  a->pauses = *end == ',' ? end + 1 : end;
  return events + more;
}

static void autosave_by_count(app_autosave *a, md_host *h) {
  if (host_in_branch(h)) { /* its events will not have been */
    a->pause.events++;
    return;
  }
  if (a->cut == 0) {
    a->pause.events = autosave_read_pause(a, a->pause.events);
    return;
  }
  bool good = autosave_save(h, a->path);
  fflush(NULL);
  _exit(good ? APP_DONE : APP_FAILED);
}

static void autosave_reach(md_host *h, host_sim *s, host_pause *pause) {
  app_autosave *a = (app_autosave *)pause; /* its first member */
  if (md_sim_events(s->kernel) >= a->pause.events) autosave_by_count(a, h);
  else autosave_by_time(a, h, s);
}

/* model.lua is saved as model.mdi, in the current folder. Malloc's. */
static char *autosave_name(const md_host *h) {
  const char *name = strrchr(h->out.script_path, '/');
  name = name != NULL ? name + 1 : h->out.script_path;
  const char *dot = strrchr(name, '.');
  size_t n = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
  char *path = malloc(n + 5);
  if (path == NULL) abort();
  memcpy(path, name, n);
  memcpy(path + n, ".mdi", 5);
  return path;
}

void app_autosave_begin(app_autosave *a, md_host *h) {
  const host_sim *s = h->asked ? h->asked : h->first;
  if (a->path == NULL) a->path = a->named = autosave_name(h);
  if (a->every <= 0 && a->cut == 0 && a->pauses == NULL) return;
  a->pause =
      (host_pause){INT64_MAX, UINT64_MAX, autosave_reach, h->out.pauses, false};
  h->out.pauses = &a->pause;
  if (a->every > 0) a->pause.time = s ? md_sim_now(s->kernel) : 0;
  a->pause.events = autosave_read_pause(a, s ? md_sim_events(s->kernel) : 0);
}

void app_autosave_end(app_autosave *a) {
  for (uint32_t i = 0; i < a->count; i++) free(a->saved[i]);
  free(a->saved);
  free(a->named);
  a->saved = NULL;
  a->named = NULL;
  a->count = 0;
}

static void autosave_say(const app_autosave *a, const char *what) {
  fflush(stdout);
  fprintf(stderr, "moondial: the state %s is saved: moondial resume %s\n", what,
          a->path);
}

void app_autosave_interrupt(app_autosave *a, md_host *h) {
  if (h->nested > 0)
    fputs("moondial: no image of this run can be saved: it was begun inside of "
          "a C function or of a process\n",
          stderr);
  else if (autosave_save(h, a->path)) autosave_say(a, "at this point");
}

/* Just before the event that fails. */
static void autosave_before(md_host *h, host_sim *s, host_pause *pause) {
  app_autosave *a = (app_autosave *)pause; /* its first member */
  (void)s;
  pause->events = UINT64_MAX;
  a->good = host_save(h, a->path, a->error);
}

void app_mute(int kept[2], bool mute) {
  fflush(stdout);
  fflush(stderr);
  int nowhere = mute ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
  for (int i = 0; i < 2; i++) {
    if (mute) kept[i] = dup(i + 1);
    dup2(mute ? nowhere : kept[i], i + 1);
    if (!mute) close(kept[i]);
  }
  if (nowhere >= 0) close(nowhere);
}

void app_autosave_error(app_autosave *a, md_host *h, int (*drive)(void *host)) {
  int kept[2];
  a->pause.reach = autosave_before;
  bool back = host_travel_before_failure(h, &a->pause, a->error);
  if (back) {
    h->out.at_exit = NULL;
    h->out.progress = NULL;
    app_mute(kept, true);
    host_on_stack(drive, h);
    app_mute(kept, false);
  }
  if (back && a->good) autosave_say(a, "just before the error");
  else fprintf(stderr, "moondial: %s\n", a->error);
}
