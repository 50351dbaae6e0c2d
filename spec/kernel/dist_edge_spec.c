/* dist at the ends of its parameters, and the bits of what it draws. */
#include "kernel/dist.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "spec/check.h"

enum { DRAWS = 2000 };

static md_rng stream(const char *name) {
  md_rng rng;
  md_rng_seed(&rng, 20, name, strlen(name));
  return rng;
}

static const double positives[] = {DBL_MIN, 1e-300, 1e-99, 1e-10, 1e-3,
                                   0.5,     1,      3,     1e3,   1e9,
                                   1e15,    1e18,   1e40,  1e300};
enum { POSITIVES = sizeof positives / sizeof *positives };

typedef double sampler(md_rng *rng, double a, double b);

/* Whether draws at all pairs of extreme parameters end, in [lo, hi]. */
static bool stays_within(sampler *sample, double lo, double hi) {
  md_rng rng = stream("extremes");
  for (int i = 0; i < POSITIVES * POSITIVES; i++)
    for (int draw = 0; draw < DRAWS; draw++) {
      double a = positives[i / POSITIVES], b = positives[i % POSITIVES];
      double x = sample(&rng, a, b);
      if (x >= lo && x <= hi) continue;
      printf("%g drawn at %g, %g\n", x, a, b);
      return false;
    }
  return true;
}

static double student_t(md_rng *rng, double df, double b) {
  (void)b;
  return md_dist_student_t(rng, df);
}

static double chi_squared(md_rng *rng, double df, double b) {
  (void)b;
  return md_dist_chi_squared(rng, df < 2 * DBL_MIN ? 2 * DBL_MIN : df);
}

static double erlang(md_rng *rng, double k, double mean) {
  return md_dist_erlang(rng,
                        k < 1      ? 1
                        : k < 1e18 ? (int64_t)k
                                   : INT64_MAX,
                        mean);
}

static void claim_positive(void) {
  IT("ends and draws numbers, whatever the parameters") {
    EXPECT(stays_within(md_dist_gamma, 0, INFINITY));
    EXPECT(stays_within(md_dist_beta, 0, 1));
    EXPECT(stays_within(md_dist_weibull, 0, INFINITY));
    EXPECT(stays_within(md_dist_pareto, 0, INFINITY));
    EXPECT(stays_within(md_dist_normal, -INFINITY, INFINITY));
    EXPECT(stays_within(md_dist_lognormal, 0, INFINITY));
    EXPECT(stays_within(student_t, -INFINITY, INFINITY));
    EXPECT(stays_within(chi_squared, 0, INFINITY));
    EXPECT(stays_within(erlang, 0, INFINITY));
  }
  IT("splits a beta of tiny parameters between 0 and 1 by their sizes") {
    static const double tiny[] = {DBL_MIN, 1e-200, 1e-99, 1e-9};
    md_rng rng = stream("tiny beta");
    for (int i = 0; i < 4; i++) {
      double sum = 0;
      for (int draw = 0; draw < DRAWS; draw++)
        sum += md_dist_beta(&rng, 3 * tiny[i], tiny[i]);
      EXPECT(fabs(sum / DRAWS - 0.75) < 4 * sqrt(0.1875 / DRAWS));
    }
  }
}

static void claim_ranges(void) {
  md_rng rng = stream("ranges");
  IT("draws one value from a range of one value") {
    EXPECT(md_dist_uniform(&rng, 5, 5) == 5);
    EXPECT(md_dist_triangular(&rng, 5, 5, 5) == 5);
    EXPECT(md_dist_integer(&rng, INT64_MIN, INT64_MIN) == INT64_MIN);
    EXPECT(md_dist_normal(&rng, 5, 0) == 5);
  }
  IT("stays inside ranges of any width") {
    double next = 1 + DBL_EPSILON, sum = 0;
    for (int i = 0; i < DRAWS; i++) {
      EXPECT(md_dist_uniform(&rng, 1, next) == 1);
      double x = md_dist_uniform(&rng, -DBL_MAX, DBL_MAX);
      EXPECT(x >= -DBL_MAX && x < DBL_MAX);
      sum += x / DBL_MAX;
      double y = md_dist_triangular(&rng, -DBL_MAX, 0, DBL_MAX);
      EXPECT(y >= -DBL_MAX && y <= DBL_MAX);
    }
    EXPECT(fabs(sum / DRAWS) < 4 * sqrt(1 / 3.0 / DRAWS));
  }
  IT("draws integers over all 64 bits") {
    bool low = false, high = false;
    for (int i = 0; i < DRAWS; i++) {
      int64_t x = md_dist_integer(&rng, INT64_MIN, INT64_MAX);
      low = low || x < INT64_MIN / 2;
      high = high || x > INT64_MAX / 2;
      EXPECT(md_dist_integer(&rng, INT64_MAX - 1, INT64_MAX) >= INT64_MAX - 1);
    }
    EXPECT(low && high);
  }
}

static void claim_counts(void) {
  md_rng rng = stream("counts");
  IT("counts none of nothing and all of certainty") {
    for (int i = 0; i < DRAWS; i++) {
      EXPECT(md_dist_poisson(&rng, 0) == 0);
      EXPECT(md_dist_binomial(&rng, 0, 0.5) == 0);
      EXPECT(md_dist_binomial(&rng, INT64_MAX, 0) == 0);
      EXPECT(md_dist_binomial(&rng, INT64_MAX, 1) == INT64_MAX);
      EXPECT(md_dist_binomial(&rng, INT64_MAX, DBL_MIN) == 0);
      EXPECT(md_dist_geometric(&rng, 1) == 1);
    }
  }
  IT("stays in range where counts reach the ends of theirs") {
    for (int i = 0; i < DRAWS; i++) {
      int64_t half = md_dist_binomial(&rng, INT64_MAX, 0.5);
      EXPECT(fabs((double)half * 0x1p-62 - 1) < 1e-8);
      EXPECT(md_dist_poisson(&rng, 1e300) == INT64_MAX);
      EXPECT(fabs((double)md_dist_poisson(&rng, 1e18) * 1e-18 - 1) < 1e-8);
      EXPECT(md_dist_poisson(&rng, DBL_MIN) == 0);
      EXPECT(md_dist_geometric(&rng, DBL_MIN) == INT64_MAX);
      EXPECT(md_dist_geometric(&rng, 1e-18) >= 1);
    }
  }
}

static uint64_t mixed(uint64_t sum, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  sum = (sum ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
  return sum ^ sum >> 29;
}

static uint64_t digest(sampler *sample, double a, double b) {
  md_rng rng = stream("bits");
  uint64_t sum = 0;
  for (int i = 0; i < 10000; i++) sum = mixed(sum, sample(&rng, a, b));
  return sum;
}

static double exponential(md_rng *rng, double mean, double b) {
  (void)b;
  return md_dist_exponential(rng, mean);
}

static double triangular(md_rng *rng, double mode, double hi) {
  return md_dist_triangular(rng, 0, mode, hi);
}

static double counts(md_rng *rng, double mean, double p) {
  return (double)(md_dist_poisson(rng, mean) + md_dist_geometric(rng, p) +
                  md_dist_binomial(rng, 10, p) +
                  md_dist_binomial(rng, 1000, p));
}

static void claim_bits(void) {
  IT("draws the same bits everywhere") {
    EXPECT(digest(exponential, 3, 0) == UINT64_C(0x103bad52d2b0abc1));
    EXPECT(digest(md_dist_normal, 1, 2) == UINT64_C(0x57eea8ea0b0d69d1));
    EXPECT(digest(md_dist_lognormal, 1, 2) == UINT64_C(0x9024a3bad0220a37));
    EXPECT(digest(md_dist_gamma, 0.4, 2) == UINT64_C(0x756015ace9754f03));
    EXPECT(digest(md_dist_gamma, 4, 2) == UINT64_C(0x308a65c65fb9dd07));
    EXPECT(digest(md_dist_beta, 0.4, 2) == UINT64_C(0x0e4e56ba62db21da));
    EXPECT(digest(md_dist_weibull, 1.7, 2) == UINT64_C(0x86fa40748ff4b78d));
    EXPECT(digest(md_dist_pareto, 1.7, 2) == UINT64_C(0xbb2ff00c44d014b7));
    EXPECT(digest(md_dist_uniform, 1.7, 2) == UINT64_C(0xdded53bbfbee4e11));
    EXPECT(digest(triangular, 1.7, 2) == UINT64_C(0x4566428a2f0f5a31));
    EXPECT(digest(student_t, 1.7, 0) == UINT64_C(0xde9124906b3e26d7));
    EXPECT(digest(counts, 1.7, 0.1) == UINT64_C(0x2d8cf9a383f6fc0a));
    EXPECT(digest(counts, 17, 0.6) == UINT64_C(0x321c9ca0e84cd55f));
  }
}

int main(void) {
  claim_positive();
  claim_ranges();
  claim_counts();
  claim_bits();
  return check_done("dist_edge");
}
