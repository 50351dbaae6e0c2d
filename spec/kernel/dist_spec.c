/* dist: every distribution against its own law, at fixed seeds.

   Continuous ones by Kolmogorov and Smirnov, discrete ones by chi-square,
   both at the level 0.001; all by mean and variance within four standard
   errors. */
#include "kernel/dist.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"
#include "spec/kernel/dist_laws.h"

enum { DRAWS = 100000, CELLS = 4096 };

typedef double sampler(md_rng *rng, double a, double b);

static double drawn[DRAWS];

static md_rng stream(const char *name) {
  md_rng rng;
  md_rng_seed(&rng, 20, name, strlen(name));
  return rng;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* ---- The samplers, all of one type ---- */

static double exponential(md_rng *rng, double mean, double b) {
  (void)b;
  return md_dist_exponential(rng, mean);
}

static double erlang(md_rng *rng, double k, double mean) {
  return md_dist_erlang(rng, (int64_t)k, mean);
}

static double triangular(md_rng *rng, double mode, double hi) {
  return md_dist_triangular(rng, 0, mode, hi);
}

static double student_t(md_rng *rng, double df, double b) {
  (void)b;
  return md_dist_student_t(rng, df);
}

static double chi_squared(md_rng *rng, double df, double b) {
  (void)b;
  return md_dist_chi_squared(rng, df);
}

static double poisson(md_rng *rng, double mean, double b) {
  (void)b;
  return (double)md_dist_poisson(rng, mean);
}

static double binomial(md_rng *rng, double n, double p) {
  return (double)md_dist_binomial(rng, (int64_t)n, p);
}

static double geometric(md_rng *rng, double p, double b) {
  (void)b;
  return (double)md_dist_geometric(rng, p);
}

static double integer(md_rng *rng, double a, double b) {
  return (double)md_dist_integer(rng, (int64_t)a, (int64_t)b);
}

/* ---- The tests ---- */

static void draw_all(const char *name, sampler *sample, double a, double b) {
  md_rng rng = stream(name);
  for (int i = 0; i < DRAWS; i++) drawn[i] = sample(&rng, a, b);
}

/* The distance of Kolmogorov, against its bound at 0.001. */
static bool follows(law *cdf, double a, double b) {
  qsort(drawn, DRAWS, sizeof *drawn, ascending);
  double worst = 0;
  for (int i = 0; i < DRAWS; i++) {
    double p = cdf(drawn[i], a, b);
    if (!(p >= -1e-9 && p <= 1 + 1e-9)) return false;
    worst = fmax(worst, fmax(p - (double)i / DRAWS, (i + 1.0) / DRAWS - p));
  }
  if (worst * sqrt(DRAWS) < 1.9495) return true;
  printf("distance %g of 1.9495 at %g %g\n", worst * sqrt(DRAWS), a, b);
  return false;
}

/* Chi-square with cells of at least 20 expected draws, the bound at 0.001
   by Wilson and Hilferty. */
static bool counts_follow(law *density, double a, double b, int first) {
  static int count[CELLS];
  memset(count, 0, sizeof count);
  for (int i = 0; i < DRAWS; i++) {
    double cell = drawn[i] - first;
    if (!(cell >= 0)) return false;
    count[cell < CELLS ? (int)cell : CELLS - 1]++;
  }
  double chi = 0, expected = 0, seen = 0, left = DRAWS, unseen = DRAWS;
  int df = 0;
  for (int i = 0; i < CELLS && left > 40; i++) {
    expected += DRAWS * density(first + i, a, b);
    seen += count[i];
    if (expected < 20 || left - expected < 20) continue;
    chi += (seen - expected) * (seen - expected) / expected;
    left -= expected;
    unseen -= seen;
    expected = seen = 0;
    df++;
  }
  chi += (unseen - left) * (unseen - left) / left;
  double part = 2 / (9.0 * df);
  double bound = df * pow(1 - part + 3.0902 * sqrt(part), 3);
  if (chi < bound) return true;
  printf("chi-square %g of %g at %g %g\n", chi, bound, a, b);
  return false;
}

/* Mean and variance within four standard errors, that of the variance from
   the fourth moment of the draws. */
static bool has_moments(double mean, double variance) {
  double second = 0, fourth = 0, sum = 0;
  for (int i = 0; i < DRAWS; i++) {
    double off = drawn[i] - mean;
    sum += off;
    second += off * off;
    fourth += off * off * off * off;
  }
  second /= DRAWS;
  fourth /= DRAWS;
  double off_mean = sum / DRAWS / sqrt(variance / DRAWS);
  double off_variance = second - variance;
  off_variance /= sqrt((fourth - second * second) / DRAWS);
  if (fabs(off_mean) < 4 && fabs(off_variance) < 4) return true;
  printf("errors %g, %g at mean %g\n", off_mean, off_variance, mean);
  return false;
}

/* ---- The claims ---- */

static void claim_ziggurats(void) {
  IT("draws exponentials") {
    draw_all("exponential", exponential, 3, 0);
    EXPECT(has_moments(3, 9));
    EXPECT(follows(exponential_law, 3, 0));
  }
  IT("draws normals") {
    draw_all("normal", md_dist_normal, -2, 5);
    EXPECT(has_moments(-2, 25));
    EXPECT(follows(normal_law, -2, 5));
  }
  IT("has the tails of exponential and normal, beyond the ziggurat too") {
    md_rng rng = stream("tails");
    double times = 4e7, far = 0, farther = 0, wide = 0;
    for (int i = 0; i < times; i++) {
      double x = md_dist_exponential(&rng, 1);
      far += x > 7.7;
      farther += x > 10;
      wide += fabs(md_dist_normal(&rng, 0, 1)) > 3.7;
    }
    double p = exp(-7.7), q = exp(-10), r = erfc(3.7 / sqrt(2));
    EXPECT(fabs(far - times * p) < 4 * sqrt(times * p));
    EXPECT(fabs(farther - times * q) < 4 * sqrt(times * q));
    EXPECT(fabs(wide - times * r) < 4 * sqrt(times * r));
  }
}

static void claim_gammas(void) {
  static const double shapes[] = {0.01, 0.3, 0.999, 1, 1.5, 7, 150};
  IT("draws gammas") {
    for (int i = 0; i < 7; i++) {
      double shape = shapes[i];
      draw_all("gamma", md_dist_gamma, shape, 2);
      EXPECT(has_moments(2 * shape, 4 * shape));
      EXPECT(follows(gamma_law, shape, 2));
    }
  }
  IT("draws gammas so large that they are normal") {
    for (double shape = 1e9; shape < 1e40; shape *= 1e7) {
      draw_all("large gamma", md_dist_gamma, shape, 1);
      if (shape < 1e26) EXPECT(follows(normal_law, shape, sqrt(shape)));
      EXPECT(fabs(drawn[0] / shape - 1) < 1e-3);
    }
  }
  IT("draws Erlangs, by the mean of their sum") {
    for (int k = 1; k < 20; k += 3) {
      draw_all("erlang", erlang, k, 5);
      EXPECT(has_moments(5, 25.0 / k));
      EXPECT(follows(erlang_law, k, 5));
    }
  }
  IT("draws chi-squares") {
    draw_all("chi-squared", chi_squared, 1, 0);
    EXPECT(has_moments(1, 2));
    EXPECT(follows(chi_squared_law, 1, 0));
    draw_all("chi-squared", chi_squared, 9, 0);
    EXPECT(has_moments(9, 18));
    EXPECT(follows(chi_squared_law, 9, 0));
  }
  IT("draws betas") {
    static const double some[] = {0.02, 0.5, 1, 2.5, 30};
    for (int i = 0; i < 25; i++) {
      double a = some[i / 5], b = some[i % 5], sum = a + b;
      draw_all("beta", md_dist_beta, a, b);
      EXPECT(has_moments(a / sum, a * b / (sum * sum * (sum + 1))));
      if (a > 0.1 && b > 0.1) EXPECT(follows(beta_law, a, b));
    }
  }
  IT("draws Student's t") {
    draw_all("student", student_t, 12, 0);
    EXPECT(has_moments(0, 1.2));
    EXPECT(follows(student_t_law, 12, 0));
    draw_all("student", student_t, 0.4, 0);
    EXPECT(follows(student_t_law, 0.4, 0));
    draw_all("student", student_t, 2.5, 0);
    EXPECT(follows(student_t_law, 2.5, 0));
  }
}

static void claim_inversions(void) {
  IT("draws uniforms") {
    draw_all("uniform", md_dist_uniform, -3, 7);
    EXPECT(has_moments(2, 100 / 12.0));
    EXPECT(follows(uniform_law, -3, 7));
  }
  IT("draws lognormals") {
    draw_all("lognormal", md_dist_lognormal, 1, 0.5);
    double e = exp(0.25);
    EXPECT(has_moments(exp(1.125), (e - 1) * exp(2.25)));
    EXPECT(follows(lognormal_law, 1, 0.5));
  }
  IT("draws Weibulls") {
    draw_all("weibull", md_dist_weibull, 1.7, 4);
    double m = tgamma(1 + 1 / 1.7), s = tgamma(1 + 2 / 1.7);
    EXPECT(has_moments(4 * m, 16 * (s - m * m)));
    EXPECT(follows(weibull_law, 1.7, 4));
    draw_all("weibull", md_dist_weibull, 0.4, 4);
    EXPECT(follows(weibull_law, 0.4, 4));
  }
  IT("draws Paretos, whose least value is the scale") {
    draw_all("pareto", md_dist_pareto, 6, 2);
    EXPECT(has_moments(2.4, 6 * 4 / (25.0 * 4)));
    EXPECT(follows(pareto_law, 6, 2));
    EXPECT(drawn[0] >= 2);
    draw_all("pareto", md_dist_pareto, 0.5, 2);
    EXPECT(follows(pareto_law, 0.5, 2));
  }
  IT("draws triangles, their mode at an end too") {
    for (double mode = 0; mode <= 4; mode += 1) {
      draw_all("triangular", triangular, mode, 4);
      double variance = (mode * mode + 16 - 4 * mode) / 18;
      EXPECT(has_moments((mode + 4) / 3, variance));
      EXPECT(follows(triangular_law, mode, 4));
    }
  }
}

static void claim_poisson(void) {
  IT("draws Poissons") {
    static const double means[] = {0.01, 1, 9.99, 10, 12.5, 40, 1000};
    for (int i = 0; i < 7; i++) {
      draw_all("poisson", poisson, means[i], 0);
      EXPECT(has_moments(means[i], means[i]));
      EXPECT(counts_follow(poisson_density, means[i], 0, 0));
    }
  }
  IT("draws Poissons so large that they are normal") {
    for (double mean = 1e8; mean < 1e18; mean *= 1e2) {
      draw_all("large poisson", poisson, mean, 0);
      EXPECT(has_moments(mean, mean));
      EXPECT(follows(normal_law, mean + 0.5, sqrt(mean)));
    }
  }
}

static void claim_binomial(void) {
  IT("draws binomials") {
    static const double some[][2] = {
        {1, 0.3},   {10, 0.3},     {19, 0.5},   {20, 0.5},    {25, 0.45},
        {30, 0.9},  {1e6, 5e-6},   {100, 0.11}, {1000, 0.5},  {1000, 0.02},
        {40, 0.99}, {1e15, 2e-15}, {3000, 0.7}, {1e15, 3e-14}};
    for (int i = 0; i < 14; i++) {
      double n = some[i][0], p = some[i][1];
      draw_all("binomial", binomial, n, p);
      EXPECT(has_moments(n * p, n * p * (1 - p)));
      law *density = n < 1e15 ? binomial_density : poisson_density;
      EXPECT(counts_follow(density, n < 1e15 ? n : n * p, p, 0));
    }
  }
  IT("draws binomials so large that they are normal") {
    for (double n = 1e9; n < 1e18; n *= 1e3)
      for (double p = 0.125; p < 1; p += 0.25) {
        draw_all("large binomial", binomial, n, p);
        double variance = n * p * (1 - p);
        EXPECT(has_moments(n * p, variance));
        EXPECT(follows(normal_law, n * p + 0.5, sqrt(variance)));
      }
  }
}

static void claim_counts(void) {
  IT("draws geometrics, the trials until and with the first success") {
    static const double some[] = {0.999, 0.5, 0.2, 0.01};
    for (int i = 0; i < 4; i++) {
      double p = some[i];
      draw_all("geometric", geometric, p, 0);
      EXPECT(has_moments(1 / p, (1 - p) / (p * p)));
      EXPECT(counts_follow(geometric_density, p, 0, 0));
    }
    draw_all("geometric", geometric, 1e-12, 0);
    EXPECT(follows(exponential_law, 1e12, 0));
  }
  IT("draws integers, both ends included") {
    draw_all("integer", integer, -3, 96);
    EXPECT(has_moments(46.5, (100.0 * 100 - 1) / 12));
    EXPECT(counts_follow(integer_density, -3, 96, -3));
    EXPECT(drawn[0] >= -3);
  }
  IT("draws an index by its weight, never one without") {
    static const double weights[] = {0, 1, 0, 3, 6, 0};
    int count[6] = {0};
    md_rng rng = stream("discrete");
    for (int i = 0; i < DRAWS; i++)
      count[md_dist_discrete(&rng, weights, 6, 10)]++;
    for (int i = 0; i < 6; i++) {
      double p = weights[i] / 10;
      EXPECT(fabs(count[i] - DRAWS * p) <= 4 * sqrt(DRAWS * p * (1 - p)));
    }
    for (int i = 0; i < 100; i++)
      EXPECT(md_dist_discrete(&rng, weights, 6, 1e9) < 5);
  }
  IT("is true with its probability, never at 0, always at 1") {
    md_rng rng = stream("bernoulli");
    int some = 0;
    for (int i = 0; i < DRAWS; i++) {
      some += md_dist_bernoulli(&rng, 0.3);
      EXPECT(!md_dist_bernoulli(&rng, 0));
      EXPECT(md_dist_bernoulli(&rng, 1));
    }
    EXPECT(fabs(some - 0.3 * DRAWS) < 4 * sqrt(0.21 * DRAWS));
  }
}

int main(void) {
  claim_ziggurats();
  claim_gammas();
  claim_inversions();
  claim_poisson();
  claim_binomial();
  claim_counts();
  return check_done("dist");
}
