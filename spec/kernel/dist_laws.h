/* The laws that spec/kernel/dist_spec.c holds the draws against: distribution
   functions of the continuous ones, probabilities of the discrete ones, from
   the libm and from series. Good to 1e-9 for the parameters tried there. */
#ifndef MD_SPEC_KERNEL_DIST_LAWS_H
#define MD_SPEC_KERNEL_DIST_LAWS_H

#include <math.h>

typedef double law(double x, double a, double b);

/* The regularized lower incomplete gamma function, by its series. */
static double gamma_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int n = 1; n < 5000 && term > sum * 1e-17; n++)
    sum += term *= x / (a + n);
  return sum * exp(a * log(x) - x - lgamma(a));
}

/* One less the same, by Legendre's continued fraction from far inside. */
static double gamma_fraction(double a, double x) {
  double tail = x + 400;
  for (int n = 200; n > 0; n--) tail = x + 2 * n - 1 - a - n * (n - a) / tail;
  return exp(a * log(x) - x - lgamma(a)) / tail;
}

static double gamma_law(double x, double shape, double scale) {
  x /= scale;
  if (x <= 0) return 0;
  return x < shape + 1 ? gamma_series(shape, x) : 1 - gamma_fraction(shape, x);
}

/* Didonato and Morris' fraction, from far inside. */
static double beta_fraction(double x, double a, double b) {
  double tail = 1;
  for (int i = 300; i > 0; i--) {
    int m = i / 2;
    double top = i % 2 ? -(a + m) * (a + b + m) * x : m * (b - m) * x;
    double bottom =
        i % 2 ? (a + 2 * m) * (a + 2 * m + 1) : (a + 2 * m - 1) * (a + 2 * m);
    tail = 1 + top / bottom / tail;
  }
  double front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x);
  return exp(front + b * log1p(-x)) / a / tail;
}

static double beta_law(double x, double a, double b) {
  if (x <= 0 || x >= 1) return x >= 1;
  if (x < (a + 1) / (a + b + 2)) return beta_fraction(x, a, b);
  return 1 - beta_fraction(1 - x, b, a);
}

static double exponential_law(double x, double mean, double b) {
  (void)b;
  return -expm1(-x / mean);
}

static double normal_law(double x, double mean, double sd) {
  return erfc((mean - x) / sd / sqrt(2)) / 2;
}

static double lognormal_law(double x, double mu, double sigma) {
  return normal_law(log(x), mu, sigma);
}

static double uniform_law(double x, double a, double b) {
  return (x - a) / (b - a);
}

static double erlang_law(double x, double k, double mean) {
  return gamma_law(x, k, mean / k);
}

static double weibull_law(double x, double shape, double scale) {
  return -expm1(-pow(x / scale, shape));
}

static double pareto_law(double x, double shape, double scale) {
  return 1 - pow(scale / x, shape);
}

static double triangular_law(double x, double mode, double hi) {
  if (x < mode) return x * x / (hi * mode);
  return 1 - (hi - x) * (hi - x) / (hi * (hi - mode));
}

static double student_t_law(double x, double df, double b) {
  (void)b;
  double tail = beta_law(df / (df + x * x), df / 2, 0.5) / 2;
  return x > 0 ? 1 - tail : tail;
}

static double chi_squared_law(double x, double df, double b) {
  (void)b;
  return gamma_law(x, df / 2, 2);
}

static double poisson_density(double k, double mean, double b) {
  (void)b;
  return exp(k * log(mean) - mean - lgamma(k + 1));
}

static double binomial_density(double k, double n, double p) {
  if (k > n) return 0;
  double choices = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
  return exp(choices + k * log(p) + (n - k) * log1p(-p));
}

static double geometric_density(double k, double p, double b) {
  (void)b;
  return k < 1 ? 0 : p * pow(1 - p, k - 1);
}

static double integer_density(double k, double a, double b) {
  return k < a || k > b ? 0 : 1 / (b - a + 1);
}

#endif
