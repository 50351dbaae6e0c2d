/* What a thing keeps of itself without being asked: a level over time, and how
   long it took until requests were granted. Each change costs a multiplication
   and some additions. */
#ifndef MD_HOST_GAUGE_H
#define MD_HOST_GAUGE_H

#include "host/host.h"

typedef struct gauge {
  double value, area, most;
  md_time since, from; /* of the last change; of its making */
} gauge;

typedef struct waits {
  uint64_t count;
  double sum, most; /* in ticks */
} waits;

static inline void gauge_open(gauge *g, md_time now) {
  *g = (gauge){.since = now, .from = now};
}

static inline void gauge_set(gauge *g, md_time now, double value) {
  g->area += g->value * (double)(now - g->since);
  g->since = now;
  g->value = value;
  if (value > g->most) g->most = value;
}

/* What was before counts no more: a warm-up is over. */
static inline void gauge_reset(gauge *g, md_time now) {
  *g = (gauge){.value = g->value, .most = g->value, .since = now, .from = now};
}

/* The mean over time until now; the value itself before any has passed. */
static inline double gauge_mean(const gauge *g, md_time now) {
  if (now == g->from) return g->value;
  return (g->area + g->value * (double)(now - g->since)) /
         (double)(now - g->from);
}

static inline void waits_add(waits *w, md_time waited) {
  w->count++;
  w->sum += (double)waited;
  if ((double)waited > w->most) w->most = (double)waited;
}

static inline double waits_mean(const waits *w) {
  return w->count ? w->sum / (double)w->count : 0;
}

#endif
