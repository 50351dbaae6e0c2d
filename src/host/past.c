/* The points of the past: keeping them, at once or while somebody thinks,
   finding them, and thinning them out. */
#include "host/files.h"
#include "host/travel.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { PAST_SPARE = 256 << 20 }; /* most bytes kept ready for a copy */

/* The pages are this thread's own again. */
static void past_claim(host_past *past) {
  if (!past->kept) return;
  atomic_store(&past->enough, true);
  pthread_join(past->keeper, NULL);
  sem_destroy(&past->copied);
  past->kept = false;
}

host_past *host_travel_past(md_host *h) {
  host_past *past = h->out.past;
  host_travel_settle(h);
  if (past != NULL) past_claim(past);
  return past;
}

void host_travel_drop(host_past *past, uint32_t i) {
  travel_point *p = &past->points[i];
  md_snapshot_drop(&past->pages, p->state);
  free(p->name);
  free(p->files);
  memmove(p, p + 1, (--past->count - i) * sizeof *p);
}

/* One of those at regular distances goes, if there is one between others. */
static bool past_thin(host_past *past) {
  uint32_t least = 0;
  md_time gap = INT64_MAX;
  for (uint32_t i = 1; i + 1 < past->count; i++) {
    const travel_point *p = &past->points[i];
    if (!p->own || p[1].time - p[-1].time >= gap) continue;
    gap = p[1].time - p[-1].time;
    least = i;
  }
  if (least == 0) return false;
  host_travel_drop(past, least);
  return true;
}

static bool past_files(md_host *h, travel_point *p, char *error) {
  char why[MD_IMAGE_ERROR - 64];
  FILE *note = open_memstream(&p->files, &p->files_size);
  if (note == NULL) abort();
  bool good = host_note_files(h, note, why, sizeof why);
  fclose(note);
  if (!good) snprintf(error, MD_IMAGE_ERROR, "cannot keep this: %s", why);
  return good;
}

/* A point of now, without its state; false with a sentence. */
static bool past_begin_point(md_host *h, travel_point *p, char *error) {
  const host_sim *s = h->first;
  *p = (travel_point){.time = s ? md_sim_now(s->kernel) : 0,
                      .events = s ? md_sim_events(s->kernel) : 0};
  if (!past_files(h, p, error)) {
    free(p->files);
    return false;
  }
  const host_past *past = h->out.past;
  if (past->mark != NULL) p->mark = past->mark(h);
  md_arena_reveal(h->arena);
  return true;
}

static void past_copy(host_past *past, travel_point *p, md_host *h) {
  const md_snapshot *before =
      past->count > 0 ? past->points[past->count - 1].state : NULL;
  p->state = md_snapshot_take(&past->pages, h->arena, md_arena_extent(h->arena),
                              before);
}

/* The point is one of the past; NULL when there was no memory for it. */
static travel_point *past_add(host_past *past, travel_point *p) {
  if (p->state == NULL) {
    free(p->files);
    return NULL;
  }
  if (past->count == past->capacity) {
    past->capacity = past->capacity * 2 + 8;
    past->points = realloc(past->points, past->capacity * sizeof *past->points);
    if (past->points == NULL) abort();
  }
  past->points[past->count++] = *p;
  bool many = past->memory > 0 && past->pages.used > past->memory;
  if (many) past_claim(past);
  while (many && past_thin(past)) many = past->pages.used > past->memory;
  return &past->points[past->count - 1];
}

travel_point *host_travel_keep(md_host *h, const char *name,
                               char error[MD_IMAGE_ERROR]) {
  host_past *past = host_travel_past(h);
  travel_point p;
  if (!past_begin_point(h, &p, error)) return NULL;
  past_copy(past, &p, h);
  if (p.state == NULL)
    snprintf(error, MD_IMAGE_ERROR, "no memory is left to keep this");
  else if (name != NULL) p.name = strdup(name);
  return past_add(past, &p);
}

/* Copies, if that is wanted, and sees to the memory then that the next copies
   need, of the state or of the process, while somebody thinks or the model
   runs. */
static void *past_keeper(void *past) {
  host_past *all = past;
  size_t size = all->extent, most = PAST_SPARE;
  if (all->keeping) {
    past_copy(all, &all->coming, all->host);
    sem_post(&all->copied);
  }
  if (all->memory > 0 && all->memory < most) most = all->memory;
  md_arena_gather(size, &all->enough);
  md_pages_provide(&all->pages, size < most ? size : most, &all->enough);
  return NULL;
}

/* False: there is no thread. */
static bool past_begin_keeper(host_past *past, md_host *h, bool keeping) {
  sigset_t all, signals;
  past->host = h;
  past->extent = md_arena_extent(h->arena);
  past->keeping = keeping;
  atomic_store(&past->enough, false);
  if (sem_init(&past->copied, 0, 0) != 0) abort();
  sigfillset(&all); /* Ctrl-C is for the thread that reads lines */
  pthread_sigmask(SIG_BLOCK, &all, &signals);
  past->kept = pthread_create(&past->keeper, NULL, past_keeper, past) == 0;
  pthread_sigmask(SIG_SETMASK, &signals, NULL);
  if (!past->kept) past->keeping = false;
  return past->kept;
}

void host_travel_prepare(md_host *h) {
  past_begin_keeper(host_travel_past(h), h, false);
}

bool host_travel_keep_soon(md_host *h, char error[MD_IMAGE_ERROR]) {
  host_past *past = host_travel_past(h);
  if (!past_begin_point(h, &past->coming, error)) return false;
  if (past_begin_keeper(past, h, true)) return true;
  past_copy(past, &past->coming, h);
  past_add(past, &past->coming);
  return true;
}

void host_travel_settle(md_host *h) {
  host_past *past = h->out.past;
  if (past == NULL || !past->keeping) return;
  while (sem_wait(&past->copied) != 0) {
  }
  past->keeping = false;
  past_add(past, &past->coming);
}

/* The list of free pages may be in the middle of a change: another begins. */
void host_travel_forked(md_host *h) {
  host_past *past = h->out.past;
  if (past == NULL || !past->kept) return;
  past->kept = past->keeping = false;
  past->pages.free = NULL;
  past->pages.chunks = NULL;
  past->pages.spare = 0;
}

travel_point *host_travel_find(md_host *h, md_time time) {
  const host_past *past = host_travel_past(h);
  uint32_t i = past != NULL ? past->count : 0;
  while (i > 0 &&
         (past->points[i - 1].branch || past->points[i - 1].time > time))
    i--;
  return i > 0 ? &past->points[i - 1] : NULL;
}
