/* Virtual time: a count of ticks, of which `scale` (a power of ten) make one
   unit of the model. Decimal numbers of up to nine digits are then exact, and
   simultaneous events are simultaneous.

   Invariant: a time is never negative and fits in 63 bits. A duration is
   rounded to the nearest tick, halves to the even one (IEEE 754), and a time
   is shown as the double nearest to its decimal value. Cost: a few ns below
   2^51 ticks, some hundred above. Nothing is owned. */
#ifndef MD_BASE_TIME_H
#define MD_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t md_time;

enum { MD_PRECISION_MAX = 15 };

/* A tick's size: `digits` decimal digits of the unit are kept. */
typedef struct md_scale {
  int64_t ticks; /* in one unit: 10^digits */
  double factor; /* the same */
  int digits;
} md_scale;

md_scale md_scale_of(int digits);

/* The slow halves of the two functions below. */
bool md_time_read_far(md_scale scale, double units, md_time *ticks);
double md_time_show_far(md_scale scale, md_time ticks);

/* The nearest integer to a number within 2^51, halves to the even one. */
static inline double md_time_round(double x) {
  const double magic = 0x1.8p52; /* beyond it there are only integers */
  return (x + magic) - magic;
}

/* Units to ticks; false when they do not fit (NaN and infinities never do). */
static inline bool md_time_read(md_scale scale, double units, md_time *ticks) {
  double x = units * scale.factor;
  if (!(x > -0x1p51 && x < 0x1p51))
    return md_time_read_far(scale, units, ticks);
  *ticks = (md_time)md_time_round(x);
  return true;
}

/* Ticks to units: the double nearest to the decimal value. */
static inline double md_time_show(md_scale scale, md_time ticks) {
  if (ticks > -(1LL << 53) && ticks < (1LL << 53))
    return (double)ticks / scale.factor;
  return md_time_show_far(scale, ticks);
}

/* Writes a time as an exact decimal without trailing zeros ("1.5") and
   returns its length; `size` of 32 is always enough. */
int md_time_text(md_scale scale, md_time ticks, char *buffer, size_t size);

#endif
