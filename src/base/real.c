#include "base/real.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/real_tables.h"

#ifdef __FAST_MATH__
#error "-ffast-math breaks the repeatability of runs"
#endif

static_assert(FLT_EVAL_METHOD == 0, "doubles are not widened on the way");
static_assert(DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024, "IEEE 754 binary64");

static inline uint64_t real_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double real_from(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* log x = base + base_low + log(1 + r), r = high + low without an error. */
typedef struct real_split {
  double base, base_low;
  double high, low;
} real_split;

enum {
  REAL_CELL_SHIFT = 45, /* seven bits of the fraction choose a cell */
  REAL_CELL_LAST = 127,
  REAL_LOW_HALF = 0xffffff, /* bits of m that are multiplied apart */
};
static const uint64_t REAL_CELL_START =
    UINT64_C(0x3fe6000000000000); /* 0.6875 */
static const uint64_t REAL_EXPONENT = UINT64_C(0xfff0000000000000);

/* x = 2^k m with m in [0.6875, 1.375), in the cell of c: r = m/c - 1. The
   inverse of c has 20 bits, so its products with both parts of m are exact;
   so is k ln2 + log c, both being multiples of 2^-42. */
static inline real_split split_normal(uint64_t bits, int64_t exponent) {
  uint64_t from_start = bits - REAL_CELL_START;
  const double *cell =
      real_log_cell[from_start >> REAL_CELL_SHIFT & REAL_CELL_LAST];
  uint64_t m_bits = bits - (from_start & REAL_EXPONENT);
  double m = real_from(m_bits);
  double m_high = real_from(m_bits & ~(uint64_t)REAL_LOW_HALF);
  double k = (double)(((int64_t)from_start >> 52) + exponent);
  return (real_split){.base = k * REAL_LN2_HI + cell[1],
                      .base_low = k * REAL_LN2_LO + cell[2],
                      .high = m_high * cell[0] - 1,
                      .low = (m - m_high) * cell[0]};
}

/* (log(1 + r) - r + r^2/2) / r^3 for |r| < 2^-7, to 2^-45. */
static inline double log_cubic(double r) {
  double r2 = r * r;
  return (1.0 / 3 - r * (1.0 / 4)) +
         r2 * ((1.0 / 5 - r * (1.0 / 6)) + r2 * (1.0 / 7 - r * (1.0 / 8)));
}

/* The same to 2^-62. */
static inline double log_cubic_fine(double r) {
  double r2 = r * r;
  double next = (1.0 / 9 - r * (1.0 / 10)) + r2 * (1.0 / 11);
  return log_cubic(r) + r2 * r2 * r2 * next;
}

static inline double log_of(real_split s) {
  double r = s.high + s.low;
  double r2 = r * r;
  double sum = s.base + r;
  double rest = ((s.base - sum) + r) + (s.low - (r - s.high));
  double small = rest + s.base_low;
  return sum + (small + (r2 * r * log_cubic(r) - 0.5 * r2));
}

static double log_special(double x) {
  if (x == 0) return -INFINITY;
  if (x < 0) return NAN;
  if (!(x <= DBL_MAX)) return x;
  return log_of(split_normal(real_bits(x * 0x1p52), -52));
}

static inline bool is_positive_normal(uint64_t bits) {
  return bits - (UINT64_C(1) << 52) < UINT64_C(0x7fe) << 52;
}

double md_real_log(double x) {
  uint64_t bits = real_bits(x);
  if (!is_positive_normal(bits)) return log_special(x);
  return log_of(split_normal(bits, 0));
}

double md_real_log1p(double x) {
  if (x > -0x1p-54 && x < 0x1p-54) return x;
  if (!(x > -1 && x <= DBL_MAX)) return md_real_log(1 + x);
  double u = 1 + x;
  double lost = u > 2 ? 1 - (u - x) : x - (u - 1);
  return md_real_log(u) + lost / u;
}

/* The value is high + low, low at most half an ulp of high. */
typedef struct real_pair {
  double high, low;
} real_pair;

/* high + low for |high| >= |low| or high = 0: Dekker's Fast2Sum. */
static inline real_pair pair_sum(double high, double low) {
  double sum = high + low;
  return (real_pair){sum, (high - sum) + low};
}

/* Exact unless it overflows: Dekker's product, by halves of 26 bits. */
static inline real_pair pair_product(double x, double y) {
  double cut_x = x * 0x1.0000002p27, cut_y = y * 0x1.0000002p27;
  double x_high = cut_x - (cut_x - x), y_high = cut_y - (cut_y - y);
  double x_low = x - x_high, y_low = y - y_high;
  double product = x * y;
  double low = x_high * y_high - product;
  low = ((low + x_high * y_low) + x_low * y_high) + x_low * y_low;
  return (real_pair){product, low};
}

/* log x in two doubles, relative error below 2^-65; x positive, finite. */
static real_pair log_pair(double x) {
  bool normal = is_positive_normal(real_bits(x));
  real_split s = normal ? split_normal(real_bits(x), 0)
                        : split_normal(real_bits(x * 0x1p52), -52);
  real_pair r = pair_sum(s.high, s.low);
  real_pair square = pair_product(r.high, r.high);
  real_pair a = pair_sum(s.base, r.high);
  real_pair b = pair_sum(a.high, -0.5 * square.high);
  double low = r.low - 0.5 * square.low - r.high * r.low;
  low += square.high * r.high * log_cubic_fine(r.high);
  return pair_sum(b.high, a.low + b.low + (low + s.base_low));
}

/* exp(x + low) for |x| < 746, |low| far smaller. n steps of ln2/128 leave
   |r| < 2^-8; 2^(n/128) comes from the table, and its power of two last, in
   two factors since 2^k alone may overflow. */
static inline double exp_of(double x, double low) {
  double n = (x * REAL_STEP_INV + 0x1.8p52) - 0x1.8p52;
  double r = ((x - n * REAL_STEP_HI) - n * REAL_STEP_LO) + low;
  int64_t steps = (int64_t)n;
  const double *cell = real_exp_cell[steps & REAL_CELL_LAST];
  int64_t k = steps >> 7;
  double r2 = r * r;
  double p = r2 * ((0.5 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120)));
  double value = cell[0] + cell[0] * (cell[1] + (r + p));
  if (k > -1022 && k < 1024)
    return value * real_from((uint64_t)(k + 1023) << 52);
  int64_t half = k / 2;
  value *= real_from((uint64_t)(half + 1023) << 52);
  return value * real_from((uint64_t)(k - half + 1023) << 52);
}

/* Where exp is certainly infinite, certainly zero. */
#define REAL_EXP_MAX 710
#define REAL_EXP_MIN (-746)

double md_real_exp(double x) {
  if (x > REAL_EXP_MIN && x < REAL_EXP_MAX) return exp_of(x, 0);
  if (x != x) return x;
  return x > 0 ? INFINITY : 0;
}

/* x^y for x > 0, y of any size. Beyond 2^64 any x but 1 is at a limit. */
static double pow_positive(double x, double y) {
  if (x == 1) return 1;
  if (!(x <= DBL_MAX)) return y > 0 ? x : 0;
  if (y > 0x1p64 || y < -0x1p64) return (x > 1) == (y > 0) ? INFINITY : 0;
  real_pair log = log_pair(x);
  real_pair product = pair_product(log.high, y);
  double high = product.high, low = product.low + log.low * y;
  if (high >= REAL_EXP_MAX) return INFINITY;
  if (high <= REAL_EXP_MIN) return 0;
  return exp_of(high, low);
}

static bool is_whole(double y) { return md_real_floor(y) == y; }

/* Above 2^53 there are no odd numbers, and half of an odd is not whole. */
static bool is_odd(double y) {
  return is_whole(y) && y > -0x1p53 && y < 0x1p53 && !is_whole(y / 2);
}

double md_real_pow(double x, double y) {
  if (x == 1 || y == 0) return 1;
  if (x != x || y != y) return x + y;
  if (x > 0) return pow_positive(x, y);
  bool infinite = y > DBL_MAX || y < -DBL_MAX;
  if (x == -1 && infinite) return 1;
  if (x == 0) {
    double limit = y > 0 ? 0 : INFINITY;
    return is_odd(y) && signbit(x) ? -limit : limit;
  }
  if (x >= -DBL_MAX && !is_whole(y)) return NAN;
  double size = pow_positive(-x, y);
  return is_odd(y) ? -size : size;
}

/* The terms of Stirling's series after the third, for x >= 10. */
static double stirling_series(double x) {
  double i = 1 / x;
  double i2 = i * i;
  double sum = -691.0 / 360360 + i2 * (1.0 / 156);
  sum = 1.0 / 1188 + i2 * sum;
  sum = -1.0 / 1680 + i2 * sum;
  sum = 1.0 / 1260 + i2 * sum;
  sum = -1.0 / 360 + i2 * sum;
  return i * (1.0 / 12 + i2 * sum);
}

double md_real_stirling(double n) {
  assert(n >= 0);
  return n < 10 ? real_stirling_cell[(int)n] : stirling_series(n);
}

/* Below 10 gamma(x) = gamma(x + n) / (x (x + 1) ... (x + n - 1)). */
double md_real_lgamma(double x) {
  if (!(x > 0)) return x == 0 ? INFINITY : NAN;
  if (x > DBL_MAX) return x;
  double product = 1;
  for (; x < 10; x += 1) product *= x;
  double sum = (x - 0.5) * (md_real_log(x) - 1);
  sum += (0.5 * REAL_LOG_TAU - 0.5) + stirling_series(x);
  return product == 1 ? sum : sum - md_real_log(product);
}
