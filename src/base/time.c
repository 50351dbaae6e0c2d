#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

__extension__ typedef unsigned __int128 time_wide;

md_scale md_scale_of(int digits) {
  assert(digits >= 0 && digits <= MD_PRECISION_MAX);
  md_scale scale = {1, 1, digits};
  for (int i = 0; i < digits; i++) scale.ticks *= 10;
  scale.factor = (double)scale.ticks;
  return scale;
}

bool md_time_read_far(md_scale scale, double units, md_time *ticks) {
  if (!(fabs(units) < 0x1p63)) return false;
  /* Whole and fraction apart: the whole is exact, the fraction small. */
  double whole = scale.digits == 0 ? rint(units) : trunc(units);
  int64_t part = (int64_t)rint((units - whole) * scale.factor);
  int64_t sum;
  if (__builtin_mul_overflow((int64_t)whole, scale.ticks, &sum)) return false;
  if (__builtin_add_overflow(sum, part, &sum)) return false;
  *ticks = sum;
  return true;
}

double md_time_show_far(md_scale scale, md_time ticks) {
  uint64_t n = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;
  time_wide high = (time_wide)n << 64;
  time_wide unit = (time_wide)scale.ticks, quotient = high / unit;
  /* What is cut off lies far below the last bit kept: one bit stands for it,
     and the only rounding is that to a double. No locale has a say. */
  if (high % unit != 0) quotient |= 1;
  double units = (double)quotient * 0x1p-64;
  return ticks < 0 ? -units : units;
}

int md_time_text(md_scale scale, md_time ticks, char *buffer, size_t size) {
  uint64_t n = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;
  uint64_t part = n % (uint64_t)scale.ticks;
  int digits = scale.digits;
  while (digits > 0 && part % 10 == 0) {
    part /= 10;
    digits--;
  }
  const char *sign = ticks < 0 ? "-" : "";
  uint64_t whole = n / (uint64_t)scale.ticks;
  if (digits == 0)
    return snprintf(buffer, size, "%s%llu", sign, (unsigned long long)whole);
  return snprintf(buffer, size, "%s%llu.%0*llu", sign,
                  (unsigned long long)whole, digits, (unsigned long long)part);
}
