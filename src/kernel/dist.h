/* Distributions over a stream.

   Each call draws from the stream alone and keeps nothing: no cached second
   normal, no set-up between calls, so a copied stream repeats the values.
   Invariant: with parameters in the stated ranges every call ends and none
   returns NaN; +inf or 0 come only where the true value leaves the doubles.
   Only + - * / sqrt and base/real.h are used, so values are the same to the
   bit on every machine (with -ffp-contract=off). The ranges are asserted
   here and checked by the host, which names the argument.

   Exponential and normal take 2 to 4 ns, the rest 3 to 90, whatever their
   parameters, but for discrete, which is linear in the weights. Nothing is
   allocated.

   "Positive" is from DBL_MIN to 1e300. */
#ifndef MD_KERNEL_DIST_H
#define MD_KERNEL_DIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/rng.h"

/* ---- Continuous (dist.c) ---- */

extern const double md_dist_exp_edge[257];

/* The rest of an exponential draw which left the inner part of a layer. */
double md_dist_exponential_rest(md_rng *rng, size_t layer, double x);

/* Exponential with this mean, >= 0. Ziggurat of 256 layers: G. Marsaglia and
   W. Tsang, J. Stat. Software 5 (2000), with the layer and the place in it
   from separate bits, as J. Doornik (2005) asks; the tail is the same again
   from where it begins, since the exponential has no memory. */
static inline double md_dist_exponential(md_rng *rng, double mean) {
  uint64_t bits = md_rng_next(rng);
  size_t layer = bits & 255;
  double x = (double)(int64_t)(bits >> 11) * 0x1p-53;
  x *= md_dist_exp_edge[layer];
  if (__builtin_expect(x >= md_dist_exp_edge[layer + 1], 0))
    x = md_dist_exponential_rest(rng, layer, x);
  return x * mean;
}

/* In [a, b), for finite a <= b; a where they are equal. */
double md_dist_uniform(md_rng *rng, double a, double b);

/* Normal, sd >= 0. Ziggurat as above; the tail by G. Marsaglia,
   Technometrics 6 (1964). */
double md_dist_normal(md_rng *rng, double mean, double sd);

/* exp of a normal (mu, sigma), sigma >= 0. */
double md_dist_lognormal(md_rng *rng, double mu, double sigma);

/* Mean shape * scale, both positive. G. Marsaglia and W. Tsang, ACM TOMS 26
   (2000), 363; below a shape of 1 from the next shape, times U^(1/shape). */
double md_dist_gamma(md_rng *rng, double shape, double scale);

/* The sum of k exponentials, k >= 1; `mean` is that of the sum. */
double md_dist_erlang(md_rng *rng, int64_t k, double mean);

/* In [0, 1], a and b positive: X / (X + Y) of two gammas, by logarithms where
   a parameter is below 1. */
double md_dist_beta(md_rng *rng, double a, double b);

/* P(X > x) = exp(-(x / scale)^shape), both positive. By inversion. */
double md_dist_weibull(md_rng *rng, double shape, double scale);

/* P(X > x) = (scale / x)^shape for x >= scale, both positive: scale is the
   least value. By inversion. */
double md_dist_pareto(md_rng *rng, double shape, double scale);

/* In [lo, hi], for finite lo <= mode <= hi. By inversion. */
double md_dist_triangular(md_rng *rng, double lo, double mode, double hi);

/* df positive: a normal over the root of a chi-squared, by logarithms where
   df is below 2. */
double md_dist_student_t(md_rng *rng, double df);

/* df positive: a gamma of shape df / 2. */
double md_dist_chi_squared(md_rng *rng, double df);

/* ---- Discrete (dist_discrete.c) ---- */

/* True with probability p in [0, 1]: never for 0, always for 1. */
bool md_dist_bernoulli(md_rng *rng, double p);

/* In [a, b], both included, for any a <= b. */
int64_t md_dist_integer(md_rng *rng, int64_t a, int64_t b);

/* Events of a Poisson process in a time of `mean` >= 0. Below 10 by counting
   exponentials (L. Devroye, "Non-Uniform Random Variate Generation" (1986),
   X.3), then PTRS of W. Hoermann, Insurance: Mathematics and Economics 12
   (1993). INT64_MAX stands for all above it. */
int64_t md_dist_poisson(md_rng *rng, double mean);

/* Successes in n >= 0 trials, p in [0, 1]. Where n min(p, 1 - p) is below 10
   by waiting times (Devroye, X.4), then BTRS of W. Hoermann, J. Statistical
   Computation and Simulation 46 (1993). Both rejections compare with the
   density as C. Loader (2000) computes it, exact for n of any size. */
int64_t md_dist_binomial(md_rng *rng, int64_t n, double p);

/* Trials up to and with the first success, so >= 1; p in (0, 1]. By
   inversion. INT64_MAX stands for all above it. */
int64_t md_dist_geometric(md_rng *rng, double p);

/* An index below n, each as likely as its weight is of `total`, their sum;
   weights >= 0, total > 0. An index of weight 0 is never taken. The search is
   linear. */
size_t md_dist_discrete(md_rng *rng, const double *weights, size_t n,
                        double total);

#endif
