#include "kernel/dist.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "base/real.h"
#include "kernel/dist_tables.h"

/* For asserts: macros, since a release build would leave functions unused. */
#define DIST_IS_POSITIVE(x) ((x) >= DBL_MIN && (x) <= 1e300)
#define DIST_IS_FINITE(x)   ((x) >= -DBL_MAX && (x) <= DBL_MAX)

/* Whether a point at x, uniform in the height of a layer, is under the
   density there. */
static bool is_under(md_rng *rng, const double *top, double density) {
  return top[0] + md_rng_unit(rng) * (top[1] - top[0]) < density;
}

/* Layer 0 beyond its edge is the tail. */
double md_dist_exponential_rest(md_rng *rng, size_t layer, double x) {
  double start = 0;
  for (;;) {
    assert(layer < 256 && x >= md_dist_exp_edge[layer + 1]);
    if (layer == 0) start += md_dist_exp_edge[1];
    else if (is_under(rng, dist_exp_top + layer, md_real_exp(-x)))
      return start + x;
    uint64_t bits = md_rng_next(rng);
    layer = bits & 255;
    x = (double)(int64_t)(bits >> 11) * 0x1p-53 * md_dist_exp_edge[layer];
    if (x < md_dist_exp_edge[layer + 1]) return start + x;
  }
}

static double normal_beyond(md_rng *rng) {
  double edge = md_dist_normal_edge[1];
  double x, y;
  do {
    x = md_dist_exponential(rng, 1 / edge);
    y = md_dist_exponential(rng, 2);
  } while (y <= x * x);
  return edge + x;
}

/* The top 53 bits are a signed place in the layer, the low 8 the layer. */
static inline double unit_normal(md_rng *rng) {
  for (;;) {
    uint64_t bits = md_rng_next(rng);
    size_t layer = bits & 255;
    double x = (double)((int64_t)bits >> 11) * 0x1p-52;
    x *= md_dist_normal_edge[layer];
    double size = fabs(x);
    if (__builtin_expect(size < md_dist_normal_edge[layer + 1], 1)) return x;
    if (layer == 0) return copysign(normal_beyond(rng), x);
    double density = md_real_exp(-0.5 * x * x);
    if (is_under(rng, dist_normal_top + layer, density)) return x;
  }
}

double md_dist_normal(md_rng *rng, double mean, double sd) {
  assert(DIST_IS_FINITE(mean));
  assert(sd >= 0 && sd <= DBL_MAX);
  return mean + sd * unit_normal(rng);
}

double md_dist_lognormal(md_rng *rng, double mu, double sigma) {
  return md_real_exp(md_dist_normal(rng, mu, sigma));
}

/* The width of a range may overflow where its half does not; and rounding
   may reach b, which is then drawn again. */
double md_dist_uniform(md_rng *rng, double a, double b) {
  assert(DIST_IS_FINITE(a));
  assert(a <= b && DIST_IS_FINITE(b));
  double x, width = b - a;
  do {
    double u = md_rng_unit(rng);
    if (width <= DBL_MAX) x = a + width * u;
    else x = 2 * (a / 2 + (b / 2 - a / 2) * u);
  } while (x >= b && a < b);
  return x;
}

/* x^2/2 + d (1 - v + log v) for v = (1 + t)^3 and d = (x/t)^2 / 9. For small
   t all terms below t^4 cancel, and would take the digits of a large d along;
   what is left is the series of 3 log(1 + t) from its fourth term. */
static double gamma_bound(double d, double x, double t, double v) {
  if (t > 0.01 || t < -0.01) return 0.5 * x * x + d * (1 - v + md_real_log(v));
  double series = 3.0 / 4 - t * (3.0 / 5 - t * (3.0 / 6 - t * (3.0 / 7)));
  return -(d * t * t) * (t * t) * series;
}

/* Gamma of a shape >= 1 and scale 1. */
static double large_gamma(md_rng *rng, double shape) {
  double d = shape - 1.0 / 3;
  double c = 1 / sqrt(9 * d);
  for (;;) {
    double x = unit_normal(rng);
    double t = c * x;
    if (t <= -1) continue;
    double v = (1 + t) * (1 + t) * (1 + t);
    double u = md_rng_unit_open(rng);
    double x2 = x * x;
    if (u < 1 - 0.0331 * x2 * x2) return d * v;
    if (md_real_log(u) < gamma_bound(d, x, t, v)) return d * v;
  }
}

/* A gamma of scale 1 is value * exp(-less): apart, since their product may
   be far below the least double. */
typedef struct dist_parts {
  double value, less;
} dist_parts;

static dist_parts gamma_parts(md_rng *rng, double shape) {
  if (shape >= 1) return (dist_parts){large_gamma(rng, shape), 0};
  double value = large_gamma(rng, shape + 1);
  return (dist_parts){value, md_dist_exponential(rng, 1) / shape};
}

double md_dist_gamma(md_rng *rng, double shape, double scale) {
  assert(DIST_IS_POSITIVE(shape));
  assert(DIST_IS_POSITIVE(scale));
  dist_parts g = gamma_parts(rng, shape);
  if (g.less > 0) g.value *= md_real_exp(-g.less);
  return g.value * scale;
}

double md_dist_erlang(md_rng *rng, int64_t k, double mean) {
  assert(k >= 1);
  assert(DIST_IS_POSITIVE(mean));
  if (k == 1) return md_dist_exponential(rng, mean);
  return large_gamma(rng, (double)k) / (double)k * mean;
}

/* With both parameters this small all of the mass is at 0 and 1, further
   apart than the logarithms below can tell. */
#define DIST_BETA_SPLIT 1e-100

double md_dist_beta(md_rng *rng, double a, double b) {
  assert(DIST_IS_POSITIVE(a));
  assert(DIST_IS_POSITIVE(b));
  if (a < DIST_BETA_SPLIT && b < DIST_BETA_SPLIT)
    return md_rng_unit(rng) < a / (a + b) ? 1 : 0;
  dist_parts x = gamma_parts(rng, a);
  dist_parts y = gamma_parts(rng, b);
  double ratio = y.value / x.value;
  double more = x.less - y.less;
  if (more != 0) ratio *= md_real_exp(more);
  return 1 / (1 + ratio);
}

double md_dist_weibull(md_rng *rng, double shape, double scale) {
  assert(DIST_IS_POSITIVE(shape));
  assert(DIST_IS_POSITIVE(scale));
  return scale * md_real_pow(md_dist_exponential(rng, 1), 1 / shape);
}

double md_dist_pareto(md_rng *rng, double shape, double scale) {
  assert(DIST_IS_POSITIVE(shape));
  assert(DIST_IS_POSITIVE(scale));
  return scale * md_real_exp(md_dist_exponential(rng, 1) / shape);
}

/* From the nearer end; in halves, since the width may overflow. */
double md_dist_triangular(md_rng *rng, double lo, double mode, double hi) {
  assert(DIST_IS_FINITE(lo) && DIST_IS_FINITE(hi));
  assert(lo <= mode && mode <= hi);
  double half = hi / 2 - lo / 2;
  double u = md_rng_unit(rng);
  if (!(half > 0)) return lo;
  double rise = (mode / 2 - lo / 2) / half;
  double x = u < rise ? lo / 2 + half * sqrt(u * rise)
                      : hi / 2 - half * sqrt((1 - u) * (1 - rise));
  x *= 2;
  return x < lo ? lo : x > hi ? hi : x;
}

/* The root of the chi-squared is that of its gamma, so half of `less`. */
double md_dist_student_t(md_rng *rng, double df) {
  assert(DIST_IS_POSITIVE(df));
  double x = unit_normal(rng);
  dist_parts g = gamma_parts(rng, df / 2);
  double t = x * sqrt(df / 2 / g.value);
  if (g.less == 0 || t == 0) return t;
  return t * md_real_exp(g.less / 2);
}

double md_dist_chi_squared(md_rng *rng, double df) {
  return md_dist_gamma(rng, df / 2, 2);
}
