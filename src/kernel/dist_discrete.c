#include <assert.h>
#include <float.h>
#include <math.h>

#include "base/real.h"
#include "kernel/dist.h"

/* The first double beyond int64_t. */
#define DIST_COUNT_LIMIT 0x1p63

/* Below this mean counting costs less than rejection, and the constants of
   the rejections hold from here. */
#define DIST_COUNTED_BELOW 10

/* Also for what is not a number, which only an infinity can have left. */
static int64_t count_of(double x) {
  return x < DIST_COUNT_LIMIT ? (int64_t)x : INT64_MAX;
}

bool md_dist_bernoulli(md_rng *rng, double p) {
  assert(p >= 0 && p <= 1);
  return md_rng_unit(rng) < p;
}

int64_t md_dist_integer(md_rng *rng, int64_t a, int64_t b) {
  assert(a <= b);
  uint64_t span = (uint64_t)b - (uint64_t)a;
  uint64_t above =
      span == UINT64_MAX ? md_rng_next(rng) : md_rng_below(rng, span + 1);
  return (int64_t)((uint64_t)a + above);
}

int64_t md_dist_geometric(md_rng *rng, double p) {
  assert(p > 0 && p <= 1);
  double failures = md_dist_exponential(rng, 1) / -md_real_log1p(-p);
  return count_of(1 + md_real_floor(failures));
}

/* x log(x / mean) + mean - x without cancellation, for x and mean > 0:
   Loader's deviance. */
static double deviance(double x, double mean) {
  double v = (x - mean) / (x + mean);
  if (v > 0.1 || v < -0.1) return x * md_real_log(x / mean) + mean - x;
  double sum = (x - mean) * v;
  double power = 2 * x * v;
  for (int odd = 3; odd < 40; odd += 2) {
    power *= v * v;
    double next = sum + power / odd;
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

#define DIST_TAU 0x1.921fb54442d18p+2

static double poisson_log(double k, double mean) {
  if (k == 0) return -mean;
  double size = 0.5 * md_real_log(DIST_TAU * k) + md_real_stirling(k);
  return -size - deviance(k, mean);
}

static int64_t poisson_counted(md_rng *rng, double mean) {
  int64_t k = 0;
  double time = md_dist_exponential(rng, 1);
  for (; time < mean; k++) time += md_dist_exponential(rng, 1);
  return k;
}

/* The hat of transformed rejection: k = (2a / (1/2 - |u|) + b) u + c for
   uniform u, flat near its middle where most draws need no density. */
typedef struct dist_hat {
  double a, b, c;
} dist_hat;

/* The density of the hat at u is 1 over this. */
static double hat_slope(dist_hat hat, double u) {
  double end = 0.5 - fabs(u);
  return hat.a / (end * end) + hat.b;
}

static double hat_draw(dist_hat hat, double u) {
  double end = 0.5 - fabs(u);
  return md_real_floor((2 * hat.a / end + hat.b) * u + hat.c);
}

#define DIST_HAT_MIDDLE 0.43 /* |u| below which a box fits under all */

static double poisson_rejected(md_rng *rng, double mean) {
  double b = 0.931 + 2.53 * sqrt(mean);
  dist_hat hat = {-0.059 + 0.02483 * b, b, mean + 0.43};
  double alpha_inverse = 1.1239 + 1.1328 / (b - 3.4);
  double box = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = md_rng_unit_open(rng) - 0.5;
    double v = md_rng_unit_open(rng);
    double k = hat_draw(hat, u);
    if (fabs(u) <= DIST_HAT_MIDDLE && v <= box) return k;
    if (k < 0) continue;
    double height = md_real_log(v * alpha_inverse / hat_slope(hat, u));
    if (height <= poisson_log(k, mean)) return k;
  }
}

int64_t md_dist_poisson(md_rng *rng, double mean) {
  assert(mean >= 0);
  assert(mean <= 1e300);
  if (mean < DIST_COUNTED_BELOW) return poisson_counted(rng, mean);
  return count_of(poisson_rejected(rng, mean));
}

/* The trials are n clocks, exponential; those that ring by -log(1 - p) are
   successes. With k rung the next rings after an exponential over n - k. */
static int64_t binomial_counted(md_rng *rng, int64_t n, double p) {
  double end = -md_real_log1p(-p);
  double time = 0;
  for (int64_t k = 0; k < n; k++) {
    time += md_dist_exponential(rng, 1) / (double)(n - k);
    if (time >= end) return k;
  }
  return n;
}

/* The log density of k less a term that only n enters. */
static double binomial_log(double k, double n, double p) {
  if (k == 0 || k == n) {
    double all = k == 0 ? md_real_log1p(-p) : md_real_log(p);
    return n * all + 0.5 * md_real_log(DIST_TAU) - md_real_stirling(n);
  }
  double rest = n - k;
  double size = 0.5 * md_real_log(k / n * rest);
  size += md_real_stirling(k) + md_real_stirling(rest);
  return -size - deviance(k, n * p) - deviance(rest, n * (1 - p));
}

static double binomial_rejected(md_rng *rng, double n, double p) {
  double sd = sqrt(n * p * (1 - p));
  double b = 1.15 + 2.53 * sd;
  dist_hat hat = {-0.0873 + 0.0248 * b + 0.01 * p, b, n * p + 0.5};
  double alpha = (2.83 + 5.1 / b) * sd;
  double box = 0.92 - 4.2 / b;
  double peak = md_real_floor((n + 1) * p);
  for (;;) {
    double u = md_rng_unit_open(rng) - 0.5;
    double v = md_rng_unit_open(rng);
    double k = hat_draw(hat, u);
    if (fabs(u) <= DIST_HAT_MIDDLE && v <= box) return k;
    if (k < 0 || k > n) continue;
    double height = md_real_log(v * alpha / hat_slope(hat, u));
    if (height <= binomial_log(k, n, p) - binomial_log(peak, n, p)) return k;
  }
}

/* A success of probability p is a failure of 1 - p, exact from 1/2. */
int64_t md_dist_binomial(md_rng *rng, int64_t n, double p) {
  assert(n >= 0);
  assert(p >= 0 && p <= 1);
  double least = p > 0.5 ? 1 - p : p;
  int64_t k;
  if ((double)n * least < DIST_COUNTED_BELOW)
    k = binomial_counted(rng, n, least);
  else k = count_of(binomial_rejected(rng, (double)n, least));
  if (k > n) k = n;
  return p > 0.5 ? n - k : k;
}

/* Rounding of the sums may leave the end unreached: then the last index that
   has weight. */
size_t md_dist_discrete(md_rng *rng, const double *weights, size_t n,
                        double total) {
  assert(n > 0);
  assert(total > 0 && total <= DBL_MAX);
  double place = md_rng_unit(rng) * total;
  double sum = 0;
  size_t last = 0;
  for (size_t i = 0; i < n; i++) {
    if (!(weights[i] > 0)) continue;
    last = i;
    sum += weights[i];
    if (place < sum) break;
  }
  return last;
}
